//! `make faults`: spoils each call of aws-respond in each way, and prints what became of it.
//!
//! `faults [STRIDE]` plays every STRIDE-th cell of the matrix.

use std::process::ExitCode;

use onus_tests::faults::{Bench, Fault};

fn main() -> ExitCode {
    let stride = std::env::args().nth(1).map_or(1, |text| text.parse().expect("a stride is a number"));
    let mut bench = Bench::new();
    let calls = bench.calls();
    print!("{:<58}", "call of aws-respond");
    for fault in Fault::ALL {
        print!(" {fault:>12}");
    }
    println!();
    let (mut played, mut wrong) = (0_usize, Vec::new());
    for (index, call) in calls.iter().enumerate() {
        print!("{index:>3} {:<54}", call.chars().take(54).collect::<String>());
        for (column, fault) in Fault::ALL.into_iter().enumerate() {
            if !(index * Fault::ALL.len() + column).is_multiple_of(stride) {
                print!(" {:>12}", "");
                continue;
            }
            let cell = bench.spoil(index, fault);
            played += 1;
            let word =
                if cell.wrong.is_empty() { format!("closed in {}", cell.deliveries) } else { "WRONG".to_owned() };
            print!(" {word:>12}");
            wrong.extend(cell.wrong.into_iter().map(|what| format!("call {index} `{call}`, {fault}: {what}")));
        }
        println!();
    }
    println!("{played} cells played, {} wrong (`closed in n`: once, after n deliveries of the message)", wrong.len());
    for line in &wrong {
        println!("  {line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
