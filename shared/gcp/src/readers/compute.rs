//! Compute Engine: firewall rules.

use onus_core::{Call, Read};
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{elements, put, set, without};
use super::asset::Asset;

/// `compute.googleapis.com/Firewall`.
pub(crate) const FIREWALL_KIND: &str = "compute.googleapis.com/Firewall";
/// Image key of a firewall rule: `firewalls.get` without id, link and date; `null` when there is none.
pub(crate) const FIREWALL: &str = "firewall";

/// Parameters that name a firewall rule.
pub(crate) fn firewall_ids(asset: &Asset<'_>) -> Option<Value> {
    let firewall = asset.segment("firewalls").or_else(|| asset.name())?;
    Some(json!({ "project": asset.project()?, "firewall": firewall }))
}

/// Reads a firewall rule.
pub(crate) fn firewall(ids: &Value) -> Read {
    Read::new(FIREWALL, Call::gcp("compute", "firewalls.get", ids.clone())).absent(ABSENT).keep(|answer| {
        let mut kept = without(answer, &["kind", "id", "selfLink", "creationTimestamp"]);
        for name in ["sourceRanges", "destinationRanges", "sourceTags", "targetTags"] {
            if let Some(list @ Value::Array(_)) = kept.get_mut(name) {
                *list = set(elements(list).to_vec());
            }
        }
        // The API always tells; a record or an older rule may not.
        if kept.get("disabled").is_none() {
            put(&mut kept, &["disabled"], Value::Bool(false));
        }
        kept
    })
}
