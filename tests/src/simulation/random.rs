//! Chance, drawn from the seed, and how unkind a run is.

use std::sync::Mutex;

/// Draws in one order for one seed.
#[derive(Debug)]
pub struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A number from 0 to one below the limit; 0 for a limit of 0.
    pub fn below(&self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.0.lock().expect("unpoisoned").usize(..limit) }
    }

    /// A number between two, both included.
    pub fn between(&self, least: i64, most: i64) -> i64 {
        self.0.lock().expect("unpoisoned").i64(least..=most)
    }

    /// True this often, in a thousand.
    pub fn permille(&self, often: u32) -> bool {
        often > 0 && self.0.lock().expect("unpoisoned").u32(..1000) < often
    }
}

/// How often what goes wrong, in a thousand, for one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// A handler dies, at each point where it waits.
    pub crash: u32,
    /// A call or ledger operation fails and has no effect.
    pub lost: u32,
    /// It has its effect, and the handler is told that it failed.
    pub unheard: u32,
    /// A call is throttled.
    pub throttled: u32,
    /// A sink or queue refuses.
    pub refused: u32,
    /// Tags may not be read.
    pub denied: u32,
    /// A write is answered with success and does not hold.
    pub unheld: u32,
    /// An event is never delivered: only the sweep finds it.
    pub dropped: u32,
    /// Seconds pass before a handler goes on. Where they often do, handlers die of their age.
    pub slow: u32,
}

impl Rates {
    /// Kind to murderous, by the seed. What a handler does takes dozens of operations, so that at the worst rates hardly any comes through; where
    /// all rates are a fraction of them, most do, and meet each other.
    pub fn draw(chance: &Chance) -> Self {
        let fraction = [1, 4, 16].get(chance.below(3)).copied().unwrap_or(1);
        let one = |of: [u32; 4]| of.get(chance.below(4)).copied().unwrap_or_default() / fraction;
        Self {
            crash: one([0, 1, 5, 20]),
            lost: one([0, 5, 20, 60]),
            unheard: one([0, 5, 20, 60]),
            throttled: one([0, 0, 20, 100]),
            refused: one([0, 0, 20, 100]),
            denied: one([0, 0, 100, 400]),
            unheld: one([0, 0, 20, 100]),
            dropped: one([0, 30, 60, 100]) * fraction,
            slow: [10, 30, 100].get(chance.below(3)).copied().unwrap_or(100),
        }
    }
}

/// What went wrong in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Handlers that died.
    pub crashes: u64,
    /// Operations without effect.
    pub lost: u64,
    /// Operations whose effect nobody heard of.
    pub unheard: u64,
    /// Calls that were throttled.
    pub throttled: u64,
    /// Notices and jobs that were refused.
    pub refused: u64,
    /// Readings of tags that were denied.
    pub denied: u64,
    /// Writes that were answered with success and did not hold.
    pub unheld: u64,
    /// Approval links that were forged, late, used, or of an older plan.
    pub bad_links: u64,
    /// Events that were never delivered.
    pub dropped: u64,
    /// Deliveries beyond the first.
    pub duplicated: u64,
    /// Writes of people and other automation.
    pub foreign_writes: u64,
}

impl Faults {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.crashes
            + self.lost
            + self.unheard
            + self.throttled
            + self.refused
            + self.denied
            + self.unheld
            + self.bad_links
            + self.dropped
            + self.duplicated
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.crashes += other.crashes;
        self.lost += other.lost;
        self.unheard += other.unheard;
        self.throttled += other.throttled;
        self.refused += other.refused;
        self.denied += other.denied;
        self.unheld += other.unheld;
        self.bad_links += other.bad_links;
        self.dropped += other.dropped;
        self.duplicated += other.duplicated;
        self.foreign_writes += other.foreign_writes;
    }
}
