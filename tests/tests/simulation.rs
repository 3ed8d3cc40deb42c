//! A few of the seeds that `make simulate` plays, and what it is worth: without a guard it finds a violation.

use onus_tests::simulation::{Guard, run, tell};

/// Seeds that are played in every test run.
const SEEDS: u64 = 400;

/// Seeds among which the loss of each guard has to show. Playing ends with the first that does.
const GUARD_SEEDS: u64 = 3000;

#[test]
fn nothing_that_happens_breaks_an_invariant() {
    let mut wrong = Vec::new();
    for seed in 0..SEEDS {
        let run = run(seed, None);
        wrong.extend(
            run.violations.iter().map(|violation| format!("seed {seed}: {}: {}", violation.invariant, violation.what)),
        );
    }
    assert!(wrong.is_empty(), "`make simulate SEED=n` tells how it came to\n{}", wrong.join("\n"));
}

#[test]
fn without_any_one_guard_a_violation_is_found() {
    let unnoticed: Vec<Guard> = Guard::ALL
        .into_iter()
        .filter(|guard| (0..GUARD_SEEDS).all(|seed| run(seed, Some(*guard)).violations.is_empty()))
        .collect();
    assert!(unnoticed.is_empty(), "nobody would notice the loss of {unnoticed:?}");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [3, 17, 145] {
        let (one, other) = (tell(seed, None), tell(seed, None));
        assert!(!one.tale.is_empty());
        assert_eq!(one.tale, other.tale, "seed {seed}");
    }
}
