//! A part of the matrix that `make faults` plays whole.

use onus_tests::faults::{Bench, Fault};

/// Every so many cells one is played; prime to the number of faults, so that each fault and each call takes its turn.
const STRIDE: usize = 9;

#[test]
fn whatever_happens_to_a_call_the_violation_is_closed_once_and_nothing_is_lost() {
    let mut bench = Bench::new();
    let calls = bench.calls();
    assert!(calls.iter().any(|call| call == "sqs SetQueueAttributes"), "the write is one of {calls:?}");
    let matrix = calls.iter().enumerate().flat_map(|(index, call)| Fault::ALL.map(|fault| (index, call, fault)));
    let mut wrong = Vec::new();
    for (index, call, fault) in matrix.step_by(STRIDE) {
        let cell = bench.spoil(index, fault);
        wrong.extend(cell.wrong.into_iter().map(|what| format!("call {index} `{call}`, {fault}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
