//! What a seed chooses before its run begins: how unkind the world is, and what the operator wrote into `onus.yaml`.

use super::Guard;
use super::random::{Chance, Rates};

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
}

impl Terms {
    /// The terms of a seed.
    pub fn draw(scene: Scene, chance: &Chance) -> Self {
        match scene {
            Scene::Hostile => {
                let rates = Rates::draw(chance);
                let needs_approval = chance.permille(300);
                let budget = if chance.permille(500) { 1 + chance.below(4) } else { 100 };
                Self { scene, rates, needs_approval, budget, opposition: 3 }
            }
            Scene::Lossy => {
                let rates = Rates { dropped: 100, ..Rates::default() };
                Self { scene, rates, needs_approval: false, budget: 100, opposition: 1000 }
            }
        }
    }

    /// `onus.yaml` of the run.
    pub fn yaml(&self) -> String {
        format!(
            "modes: {{ default: enforce }}\nsettings: {{ responses_per_hour: {}, opposition: {{ responses: {} }} }}\nexemptions:\n  - {{ \
             rule: 'model.*', resource: exempt, reason: known, owner: o, expires: never }}\n",
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
