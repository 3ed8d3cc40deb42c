//! Waiting, as a port: the caller's only clock.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use async_trait::async_trait;

/// Measures and passes time, and makes waits of many callers differ.
#[async_trait]
pub trait Timer: fmt::Debug + Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;

    /// Lets time pass.
    async fn sleep(&self, time: Duration);

    /// A number from 0 to 1, another at each call.
    fn chance(&self) -> f64;
}

/// The system's clock, on tokio.
#[derive(Debug)]
pub(super) struct SystemTimer {
    start: Instant,
}

impl SystemTimer {
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

#[async_trait]
impl Timer for SystemTimer {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Random by way of the standard library's hash keys.
    fn chance(&self) -> f64 {
        let random = RandomState::new().hash_one(self.start);
        f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }
}

/// How much of a call's time is left.
pub(super) struct Deadline<'a> {
    timer: &'a dyn Timer,
    end: Duration,
}

impl<'a> Deadline<'a> {
    pub(super) fn after(timer: &'a dyn Timer, budget: Duration) -> Self {
        Self { timer, end: timer.now().saturating_add(budget) }
    }

    /// Waits, if that leaves time to go on; `false` when it does not, at once.
    pub(super) async fn wait(&self, time: Duration) -> bool {
        if self.timer.now().saturating_add(time) >= self.end {
            return false;
        }
        self.timer.sleep(time).await;
        true
    }

    /// The wait before another attempt, where the service names none: doubled each time, and half of it by chance.
    pub(super) fn backoff(&self, first: Duration, most: Duration, attempt: u32) -> Duration {
        let whole = first.saturating_mul(1 << attempt.min(16)).min(most);
        whole.mul_f64(0.5 + self.timer.chance() / 2.0)
    }
}
