//! People who follow approval links, as the page behind them would take it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::SignedDuration;
use onus_core::Ledger;
use onus_pipeline::approval::{Unanswered, answer};
use onus_pipeline::records::PlanRecord;
use onus_pipeline::{ApprovalKey, ApprovalLinks, Records};

use super::invariants::LINKED;
use super::people::{NOBODY, send};
use super::random::Chance;
use super::store::Store;
use super::world::{Body, World};

/// How long links are good.
const LIVES: SignedDuration = SignedDuration::from_hours(1);

/// How a link is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// Once.
    Once,
    /// Twice at once, as a double click or two browsers do.
    Twice,
    /// With another plan's name in it.
    Forged,
    /// With one bit of it turned over.
    Flipped,
    /// When it is no longer good.
    Late,
}

impl Click {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Once, Self::Twice, Self::Forged, Self::Flipped, Self::Late];
}

fn key() -> ApprovalKey {
    ApprovalKey::new("a key of thirty-two bytes or more").expect("long enough")
}

/// What makes the links of every notice.
///
/// # Panics
/// Never: address and key are constant.
pub fn links() -> ApprovalLinks {
    ApprovalLinks::new("https://onus.example.com/", key(), LIVES).expect("an address")
}

/// Follows the link of some plan that was ever shown: not always the newest.
pub fn follow(world: &Arc<World>, click: Click) {
    let keys = world.list("plans");
    let Some(shown) = keys.get(world.chance.below(keys.len())).and_then(|key| world.read(key)) else { return };
    let shown: PlanRecord = serde_json::from_slice(&shown).expect("a plan");
    let link = links().of(&shown.plan, shown.at).approve;
    let token = link.split("?t=").nth(1).expect("a link holds a token");
    let (token, now) = match click {
        Click::Forged => (token.replacen(&shown.plan.key(), "planned-0000000000000000", 1), world.now()),
        Click::Flipped => (flipped(&world.chance, token), world.now()),
        Click::Late => (token.to_owned(), shown.at + LIVES + SignedDuration::from_secs(1)),
        Click::Once | Click::Twice => (token.to_owned(), world.now()),
    };
    let checked = match (key().check(&token, now), click) {
        (Err(_), Click::Forged | Click::Flipped | Click::Late) => return world.count(|faults| faults.bad_links += 1),
        (Ok(_), Click::Forged | Click::Flipped | Click::Late) => {
            return world.violated(LINKED, format!("{click:?}: `{token}` is taken"));
        }
        (checked, Click::Once | Click::Twice) => checked.expect("it is ours, and good for an hour"),
    };
    let ledger: Arc<dyn Ledger> = Arc::new(Store { world: Arc::clone(world), task: NOBODY, kind: true });
    let records = Records::new(ledger);
    let (times, now) = (if click == Click::Twice { 2 } else { 1 }, world.now());
    let answers = (0..times).map(|_| answer(&records, &checked, "carol", now)).collect();
    let mut times_taken = 0;
    for answered in mixed(&world.chance, answers) {
        match answered {
            Ok(_) => times_taken += 1,
            Err(Unanswered::Record(error)) => panic!("a kind store fails: {error}"),
            Err(_) => world.count(|faults| faults.bad_links += 1),
        }
    }
    if times_taken > 1 {
        world.violated(LINKED, format!("`{token}` is taken {times_taken} times"));
    }
    if times_taken > 0 {
        let key = format!("requests/{}/link-{}.json", checked.finding, checked.nonce);
        send(world, Body::Request(key), 1);
    }
}

/// The token with one of its bits turned over.
fn flipped(chance: &Chance, token: &str) -> String {
    let (place, bit) = (chance.below(token.len()), chance.below(7));
    let turned = |(at, letter): (usize, u8)| char::from(if at == place { letter ^ (1 << bit) } else { letter });
    token.bytes().enumerate().map(turned).collect()
}

/// Runs works side by side, each next step that of a drawn one.
fn mixed<T>(chance: &Chance, works: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut works: Vec<_> = works.into_iter().map(Box::pin).collect();
    let mut done = Vec::new();
    while !works.is_empty() {
        let at = chance.below(works.len());
        if let Poll::Ready(result) = works[at].as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            done.push(result);
            drop(works.swap_remove(at));
        }
    }
    done
}
