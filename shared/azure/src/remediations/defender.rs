//! Defender for Cloud: turns a plan on again that the change turned off.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{answered_id, refused, subject, unless_read, unreadable};
use crate::readers::arm::{call, text};
use crate::readers::governance::{PRICING, PRICING_KIND, pricing};

/// See the [module docs](self).
pub(crate) struct EnablePlan;

static SPEC: Spec = Spec {
    id: "azure.security.enable_defender_plan",
    title: "Turns the Defender for Cloud plan on again that the change turned off",
    safety: Safety::NeedsApproval,
    kind: PRICING_KIND,
    reads: &["Microsoft.Security:Pricings_Get"],
    writes: &["Microsoft.Security:Pricings_Update"],
    undo: &["Microsoft.Security:Pricings_Update"],
    caveat: "Costs money. The record does not tell which sub-plan and extensions were on before: the whole plan comes on, with \
             its defaults. A plan that was off already and is turned off again is turned on.",
};

impl Remediation for EnablePlan {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, pricing(&subject(&SPEC, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let id = subject(&SPEC, finding)?;
        let live = image.get(PRICING);
        let tier = text(live, "/properties/pricingTier");
        match tier.to_ascii_lowercase().as_str() {
            "standard" => return Ok(Vec::new()),
            "free" => {}
            _ => return Err(unreadable(&SPEC, PRICING, &"has a tier that is not known")),
        }
        if live.pointer("/properties/deprecated").and_then(Value::as_bool) == Some(true) {
            return Err(refused(&SPEC, "the plan is deprecated: another plan has taken its place"));
        }
        let id = answered_id(&SPEC, live, id.as_str())?;
        let set = |tier: &str| {
            let body = json!({ "properties": { "pricingTier": tier } });
            call("Microsoft.Security:Pricings_Update", &id, Some(body))
        };
        let name = id.rsplit('/').next().unwrap_or_default();
        let title = format!("turn on Defender plan `{name}`, whole: its sub-plan before the change is not known");
        Ok(vec![Step { title, call: set("Standard"), inverse: Some(set(tier)) }])
    }
}
