//! The clouds that this build knows: every reader and remediation, whichever cloud it is for.

use onus_core::{ChangeSummary, Cloud, Remediation, Resource, StateReader, TagSource};

/// Every remediation of every cloud, by cloud, then id.
pub fn remediations() -> impl Iterator<Item = &'static dyn Remediation> {
    [onus_aws::remediations(), onus_azure::remediations(), onus_gcp::remediations()].into_iter().flatten().copied()
}

/// The remediation of an id; `None` when this build has none.
pub fn remediation(id: &str) -> Option<&'static dyn Remediation> {
    remediations().find(|remediation| remediation.spec().id == id)
}

/// Every state reader of every cloud, by cloud, then kind.
pub fn state_readers() -> impl Iterator<Item = &'static dyn StateReader> {
    [onus_aws::state_readers(), onus_azure::state_readers(), onus_gcp::state_readers()].into_iter().flatten().copied()
}

/// How the tags of a resource are read, in whichever cloud it is; `None` when that cloud does not know.
pub fn tag_source(change: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    match change.cloud {
        Cloud::Aws => onus_aws::tag_source(change, resource),
        Cloud::Azure => onus_azure::tag_source(change, resource),
        Cloud::Gcp => onus_gcp::tag_source(change, resource),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use onus_rules::{Catalog, Expect};
    use onus_sources::{Decoded, scan};

    use super::*;

    fn fixture(event: &str) -> Result<String, String> {
        let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
        std::fs::read_to_string(events.join(event)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_rule_asks_for_can_be_read_and_what_takes_it_back_exists() {
        let mut wrong = Vec::new();
        for rule in Catalog::embedded().rules() {
            if let Some(kind) =
                rule.state.as_deref().filter(|kind| state_readers().all(|reader| reader.kind() != *kind))
            {
                wrong.push(format!("{}: nothing reads `{kind}`", rule.id));
            }
            if let Some(remedy) = rule.remedy.as_deref().filter(|remedy| remediation(remedy).is_none()) {
                wrong.push(format!("{}: there is no remediation `{remedy}`", rule.id));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_fires_names_the_resource_that_its_remediation_heals() {
        let mut wrong = Vec::new();
        for rule in Catalog::embedded().rules() {
            let Some(remedy) = rule.remedy.as_deref().and_then(remediation) else { continue };
            let named =
                Catalog::embedded().cases(&rule.id).iter().filter(|case| case.expect == Expect::Fires).any(|case| {
                    let record = case.record_text(&fixture).unwrap();
                    let mut named = false;
                    scan("record", record.as_bytes(), &mut |entry| {
                        if let Ok(Decoded::Change(change)) = entry.result {
                            named |= change.resources.iter().any(|resource| resource.kind == remedy.spec().kind);
                        }
                    })
                    .unwrap();
                    named
                });
            if !named {
                wrong.push(format!("{}: no record that fires names a `{}`", rule.id, remedy.spec().kind));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
