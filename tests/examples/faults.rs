//! `make faults`: spoils each call of aws-respond in each way, and prints what became of it.
//!
//! `faults [STRIDE]` plays every STRIDE-th cell of the matrix.

use std::process::ExitCode;

use onus_tests::faults::{Bench, Cell, Fault};

fn main() -> ExitCode {
    let stride = std::env::args().nth(1).map_or(1, |text| text.parse().expect("a stride is a number"));
    let mut bench = Bench::new();
    let calls = bench.calls();
    let matrix = (0..calls.len()).flat_map(|call| Fault::ALL.map(|fault| (call, fault)));
    let places: Vec<(usize, Fault)> = matrix.step_by(stride).collect();
    let played = bench.spoil(&places);
    print!("{:<58}", "call of aws-respond");
    for fault in Fault::ALL {
        print!(" {fault:>12}");
    }
    println!();
    let mut wrong = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        print!("{index:>3} {:<54}", call.chars().take(54).collect::<String>());
        for fault in Fault::ALL {
            let cell = places.iter().position(|place| *place == (index, fault)).and_then(|at| played.get(at));
            print!(" {:>12}", cell.map(word).unwrap_or_default());
            let wrongs = cell.into_iter().flat_map(|cell| &cell.wrong);
            wrong.extend(wrongs.map(|what| format!("call {index} `{call}`, {fault}: {what}")));
        }
        println!();
    }
    println!("{} cells, {} wrong (`closed in n`: once, after n deliveries of the message)", places.len(), wrong.len());
    for line in &wrong {
        println!("  {line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn word(cell: &Cell) -> String {
    if cell.wrong.is_empty() { format!("closed in {}", cell.deliveries) } else { "WRONG".to_owned() }
}
