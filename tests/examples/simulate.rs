//! `make simulate SEEDS=n`: plays seeds on every core, and prints what went wrong in them and what should never have happened.
//!
//! `simulate SEEDS [FIRST]` plays that many seeds from the first; `simulate --seed N` plays one and prints its violations; `simulate --guards SEEDS`
//! takes away one guard after the other and expects that each is missed; `simulate --lossy SEEDS` loses one event in ten for good, delivers the
//! others up to five times, and expects one write for each violation.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use onus_tests::simulation::{Faults, Guard, Run, Scene, run, tell};

#[derive(Debug, Default)]
struct Total {
    seeds: u64,
    steps: u64,
    writes: u64,
    faults: Faults,
    /// How many violations were taken back by so many writes.
    answered: BTreeMap<usize, usize>,
    bad: Vec<(u64, Run)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("`{text}` is no number"));
    match words.as_slice() {
        ["--seed", seed] => one(number(seed)),
        ["--guards", seeds] => guards(number(seeds)),
        ["--lossy", seeds] => many(Scene::Lossy, 0, number(seeds)),
        [seeds] => many(Scene::Hostile, 0, number(seeds)),
        [seeds, first] => many(Scene::Hostile, number(first), number(seeds)),
        _ => {
            eprintln!("usage: simulate SEEDS [FIRST] | --seed N | --guards SEEDS | --lossy SEEDS");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64) -> ExitCode {
    let run = tell(seed, Scene::Hostile, None);
    for line in &run.tale {
        println!("{line}");
    }
    println!("seed {seed}: {} steps, {} writes, {:?}", run.steps, run.writes, run.faults);
    for violation in &run.violations {
        println!("  {}: {}", violation.invariant, violation.what);
    }
    if run.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn many(scene: Scene, first: u64, seeds: u64) -> ExitCode {
    let began = Instant::now();
    let total = play(scene, first, seeds, None, usize::MAX);
    let faults = total.faults;
    println!(
        "{} seeds, {} steps, {} writes of Onus in {:.0?}",
        total.seeds,
        total.steps,
        total.writes,
        began.elapsed()
    );
    println!(
        "{} faults: {} crashes, {} operations lost, {} unheard, {} throttled, {} refused by a sink or queue, {} readings of tags denied, {} writes that did not hold, {} links forged, late, used or outdated, {} events lost for good, {} deliveries doubled",
        faults.total(),
        faults.crashes,
        faults.lost,
        faults.unheard,
        faults.throttled,
        faults.refused,
        faults.denied,
        faults.unheld,
        faults.bad_links,
        faults.dropped,
        faults.duplicated
    );
    println!("{} writes of people and other automation", faults.foreign_writes);
    let other = total.answered.iter().filter(|(writes, _)| **writes != 1).map(|(_, changes)| changes).sum::<usize>();
    println!("{} violations taken back by one write, {other} by none or several", total.answered.get(&1).unwrap_or(&0));
    println!("{} seeds with a violation", total.bad.len());
    for (seed, run) in total.bad.iter().take(10) {
        for violation in &run.violations {
            println!("  seed {seed}: {}: {}", violation.invariant, violation.what);
        }
    }
    // Elsewhere people mend what is bad, deny, exempt, and put back: none and several are right there.
    let answered = scene != Scene::Lossy || other == 0;
    if total.bad.is_empty() && answered { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn guards(seeds: u64) -> ExitCode {
    let mut missed = true;
    for guard in Guard::ALL {
        let total = play(Scene::Hostile, 0, seeds, Some(guard), 1);
        let Some((seed, run)) = total.bad.first() else {
            missed = false;
            println!("without {guard:?}: nothing noticed in {} seeds", total.seeds);
            continue;
        };
        for violation in run.violations.iter().take(1) {
            println!("without {guard:?}: seed {seed}: {}: {}", violation.invariant, violation.what);
        }
    }
    if missed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays seeds on every core until so many had violations.
fn play(scene: Scene, first: u64, seeds: u64, missing: Option<Guard>, enough: usize) -> Total {
    let next = Arc::new(AtomicU64::new(first));
    let total = Arc::new(Mutex::new(Total::default()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || total.lock().expect("unpoisoned").bad.len() >= enough {
                        return;
                    }
                    let run = run(seed, scene, missing);
                    let mut total = total.lock().expect("unpoisoned");
                    total.seeds += 1;
                    total.steps += run.steps;
                    total.writes += run.writes;
                    total.faults.add(&run.faults);
                    for writes in &run.answers {
                        *total.answered.entry(*writes).or_default() += 1;
                    }
                    if !run.violations.is_empty() {
                        total.bad.push((seed, run));
                    }
                }
            });
        }
    });
    let mut total = Arc::into_inner(total).expect("all threads ended").into_inner().expect("unpoisoned");
    total.bad.sort_by_key(|(seed, _)| *seed);
    total
}
