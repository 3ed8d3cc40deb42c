//! Two rules over the model cloud: one that the record decides, one that needs the resource.

use std::error::Error;
use std::sync::Arc;

use jiff::Timestamp;
use onus_core::{
    Area, Change, Doubt, Duty, Effects, Finding, FindingId, Party, ServiceModel, Severity, State, Verdict,
};
use onus_pipeline::{Candidate, Rules};
use serde_json::{Value, json};

use super::cloud::entries_of;
use super::world::World;

/// The rule that fires on the record of an entry that begins with `bad`.
pub const BY_RECORD: &str = "model.set.entry_added";
/// The rule that asks for the resource.
pub const BY_STATE: &str = "model.document.entry_added";

/// The rules, for a change of [`super::people`].
pub struct ModelRules(pub Arc<World>);

impl Rules for ModelRules {
    fn candidates(&self, change: &Change<'_>) -> Vec<Candidate<'_>> {
        let change = self.0.change_of(&change.uid);
        let (id, state) = if change.document { (BY_STATE, Some("Document")) } else { (BY_RECORD, None) };
        let remedy = Some(self.0.terms.remedy(change.document, self.0.missing));
        vec![Candidate { id, controls: &[], severity: Severity::High, remedy, state }]
    }

    fn evaluate(
        &self,
        rule: &str,
        change: &Change<'_>,
        state: Option<&State>,
    ) -> Result<Verdict, Box<dyn Error + Send + Sync>> {
        let entry = &self.0.change_of(&change.uid).entry;
        Ok(match state {
            None if rule == BY_STATE => Verdict::NeedsState(vec![Doubt::new("request", "is left out")]),
            None => Verdict::Fires,
            Some(state) if entries_of(&state.image).contains(&entry.as_str()) => Verdict::Fires,
            Some(_) => Verdict::Silent,
        })
    }

    fn finding(&self, rule: &str, change: &Change<'_>, state: Option<&State>, found_at: Timestamp) -> Option<Finding> {
        let model = self.0.change_of(&change.uid);
        Some(Finding {
            id: FindingId::of(change.cloud, &change.uid, rule),
            rule: rule.to_owned(),
            title: "A bad entry was added".to_owned(),
            severity: Severity::High,
            duty: Duty {
                area: Area::ConfigurationAndSettings,
                service: "Model".to_owned(),
                model: ServiceModel::Paas,
                owner: Party::Customer,
            },
            why: String::new(),
            respond: Vec::new(),
            controls: Vec::new(),
            references: Vec::new(),
            remedy: Some(self.0.terms.remedy(model.document, self.0.missing).to_owned()),
            change: change.summary(),
            effects: Effects::none(),
            from_state: state.is_some(),
            request: json!({ "resource": model.resource, "entry": model.entry }),
            response: Value::Null,
            found_at,
        })
    }
}
