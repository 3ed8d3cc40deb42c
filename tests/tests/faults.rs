//! A part of the matrix that `make faults` plays whole.

use onus_tests::faults::{Bench, Fault};

/// Every so many cells one is played; prime to the number of faults, so that each fault and each call takes its turn.
const STRIDE: usize = 9;

#[test]
fn whatever_happens_to_a_call_the_violation_is_closed_once_and_nothing_is_lost() {
    let mut bench = Bench::new();
    let calls = bench.calls();
    assert!(calls.iter().any(|call| call == "sqs SetQueueAttributes"), "the write is one of {calls:?}");
    let matrix = (0..calls.len()).flat_map(|call| Fault::ALL.map(|fault| (call, fault)));
    let places: Vec<(usize, Fault)> = matrix.step_by(STRIDE).collect();
    let mut wrong = Vec::new();
    for ((index, fault), outcome) in places.iter().zip(bench.spoil(&places)) {
        wrong
            .extend(outcome.wrong.into_iter().map(|what| format!("call {index} `{}`, {fault}: {what}", calls[*index])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
