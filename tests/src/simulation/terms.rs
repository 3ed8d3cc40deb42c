//! What a seed chooses before its run begins: how unkind the world is, and what the operator wrote into `onus.yaml`.

use jiff::Timestamp;

use super::Guard;
use super::random::{Chance, Rates};
use super::world::START;

/// The world that a seed is played in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Whatever can go wrong does, each seed in its own measure.
    Hostile,
    /// Only delivery goes wrong: of ten events one is lost for good, the others come one to five times and in any order. Every change is
    /// another violation, and nobody but Onus takes it back.
    Lossy,
}

/// The terms of one run.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The world.
    pub scene: Scene,
    /// How unkind it is.
    pub rates: Rates,
    /// Whether responses need a person.
    pub needs_approval: bool,
    /// How many responses an hour may be carried out unasked.
    pub budget: usize,
    /// How many responses on one resource may be undone before Onus gives way.
    pub opposition: usize,
    /// Whether everything happens on one resource, and within half a minute.
    pub crowded: bool,
    /// When the exemption of the resource `other` ends; `None`: it has none.
    pub exempt_until: Option<Timestamp>,
    /// Which resource has the tag that says that nobody may touch it; `None`: tags decide nothing.
    pub hands_off: Option<usize>,
}

impl Terms {
    /// The terms of a seed.
    pub fn draw(scene: Scene, chance: &Chance) -> Self {
        match scene {
            Scene::Hostile => {
                let rates = Rates::draw(chance);
                let needs_approval = chance.permille(300);
                let budget = if chance.permille(500) { 1 + chance.below(4) } else { 100 };
                let crowded = chance.permille(250);
                let ends = |chance: &Chance| Timestamp::from_second(START + chance.between(60, 200)).expect("in range");
                let exempt_until = chance.permille(400).then(|| ends(chance));
                let hands_off = chance.permille(300).then(|| chance.below(3));
                Self { scene, rates, needs_approval, budget, opposition: 3, crowded, exempt_until, hands_off }
            }
            Scene::Lossy => {
                let rates = Rates { dropped: 100, slow: 100, ..Rates::default() };
                Self {
                    scene,
                    rates,
                    needs_approval: false,
                    budget: 100,
                    opposition: 1000,
                    crowded: false,
                    exempt_until: None,
                    hands_off: None,
                }
            }
        }
    }

    /// `onus.yaml` of the run. Without the guard it exempts nothing.
    pub fn yaml(&self, missing: Option<Guard>) -> String {
        let tags = self.hands_off.map_or("", |_| "{ tags: { hands: off }, mode: alert }");
        let exempt = |resource: &str, until: &str| {
            format!("{{ rule: 'model.*', resource: {resource}, reason: known, owner: o, expires: '{until}' }}")
        };
        let ending = self.exempt_until.map(|until| exempt("other", &until.to_string()));
        let exemptions: Vec<String> = ending.into_iter().chain([exempt("exempt", "never")]).collect();
        let exemptions = if missing == Some(Guard::Exemption) { String::new() } else { exemptions.join(", ") };
        format!(
            "modes: {{ default: enforce, overrides: [{tags}] }}\nexemptions: [{exemptions}]\n\
             settings: {{ responses_per_hour: {}, opposition: {{ responses: {} }} }}\n",
            self.budget, self.opposition
        )
    }

    /// The remediation of a kind of resource. Without the guard, the one that needs nobody.
    pub fn remedy(&self, document: bool, missing: Option<Guard>) -> &'static str {
        let approved = self.needs_approval && missing != Some(Guard::Approval);
        match (document, approved) {
            (false, false) => "model.set.remove",
            (false, true) => "model.set.remove_approved",
            (true, false) => "model.document.remove",
            (true, true) => "model.document.remove_approved",
        }
    }
}
