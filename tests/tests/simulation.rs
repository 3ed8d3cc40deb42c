//! A few of the seeds that `make simulate` plays, and what it is worth: without a guard it finds a violation.

use onus_tests::simulation::{Faults, Guard, Scene, run, tell};

/// Seeds that are played in every test run.
const SEEDS: u64 = 400;

/// Seeds in which only delivery goes wrong, each with twenty violations.
const LOSSY_SEEDS: u64 = 200;

/// Seeds among which the loss of each guard has to show. Playing ends with the first that does.
const GUARD_SEEDS: u64 = 200;

#[test]
fn nothing_that_happens_breaks_an_invariant() {
    let mut wrong = Vec::new();
    for seed in 0..SEEDS {
        let run = run(seed, Scene::Hostile, None);
        wrong.extend(
            run.violations.iter().map(|violation| format!("seed {seed}: {}: {}", violation.invariant, violation.what)),
        );
    }
    assert!(wrong.is_empty(), "`make simulate SEED=n` tells how it came to\n{}", wrong.join("\n"));
}

#[test]
fn of_events_that_are_doubled_mixed_up_and_lost_the_sweep_misses_none_and_each_violation_is_taken_back_by_one_write() {
    let (mut faults, mut violations, mut wrong) = (Faults::default(), 0, Vec::new());
    for seed in 0..LOSSY_SEEDS {
        let run = run(seed, Scene::Lossy, None);
        faults.add(&run.faults);
        violations += run.answers.len();
        wrong.extend(
            run.answers.iter().filter(|writes| **writes != 1).map(|writes| format!("seed {seed}: {writes} writes")),
        );
        wrong.extend(run.violations.iter().map(|violation| format!("seed {seed}: {violation:?}")));
    }
    println!(
        "{LOSSY_SEEDS} seeds: {violations} violations, {} lost on the way, {} deliveries beyond the first; each taken back by one write",
        faults.dropped, faults.duplicated
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let tenth = violations as u64 / 10;
    assert!((tenth * 8 / 10..=tenth * 12 / 10).contains(&faults.dropped), "{} of {violations} lost", faults.dropped);
    assert!(faults.duplicated > violations as u64, "{} doubled of {violations}", faults.duplicated);
}

#[test]
fn without_any_one_guard_a_violation_is_found() {
    let unnoticed: Vec<Guard> = Guard::ALL
        .into_iter()
        .filter(|guard| (0..GUARD_SEEDS).all(|seed| run(seed, Scene::Hostile, Some(*guard)).violations.is_empty()))
        .collect();
    assert!(unnoticed.is_empty(), "nobody would notice the loss of {unnoticed:?}");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [3, 17, 145] {
        let (one, other) = (tell(seed, Scene::Hostile, None), tell(seed, Scene::Hostile, None));
        assert!(!one.tale.is_empty());
        assert_eq!(one.tale, other.tale, "seed {seed}");
    }
}
