//! Diagnostic settings: brings one back that the change deleted or rewrote.
//!
//! A write replaces the whole setting, and the record tells only what it is since. So all depends on what was known of it before.
//!
//! Whoever writes a setting has to be allowed to list the keys of the storage account or event hub namespace that it names
//! (<https://learn.microsoft.com/azure/azure-monitor/fundamentals/roles-permissions-security>). That is not among the operation's actions: keys
//! open all data of an account, so the operator gives it where it is needed.

use onus_core::{Finding, Image, Json, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step};
use serde_json::Value;

use super::{Restored, answered_id, is_deletion, refused, remembered, same, subject, unless_read};
use crate::readers::arm::{call, elements, pick, text};
use crate::readers::logs::{DESTINATIONS, SETTING, SETTING_KIND, setting};

/// See the [module docs](self).
pub(crate) struct RestoreSetting;

const PUT: &str = "Microsoft.Insights:DiagnosticSettings_CreateOrUpdate";
const DELETE: &str = "Microsoft.Insights:DiagnosticSettings_Delete";

static SPEC: Spec = Spec {
    id: "azure.insights.restore_diagnostic_setting",
    title: "Brings a diagnostic setting that the change deleted or rewrote back to what was known of it",
    safety: Safety::Automatic,
    kind: SETTING_KIND,
    reads: &["Microsoft.Insights:DiagnosticSettings_Get"],
    writes: &[PUT],
    undo: &[PUT, DELETE],
    caveat: "What was logged meanwhile went nowhere. A setting that was never read before the change cannot be \
             restored. Where it sends logs to a storage account or an event hub, give the identity the right to list \
             the keys of that one, and of no other. Where the record holds no request, as those of Event Grid do, the \
             log categories alone go back.",
};

impl Remediation for RestoreSetting {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, setting(&subject(&SPEC, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        if is_deletion(finding) && !image.get(SETTING).is_null() {
            return Ok(Vec::new());
        }
        Err(refused(&SPEC, "what the setting was cannot be restored: no state of it was recorded before the change"))
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

impl Restoration for RestoreSetting {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        match remembered(finding, known, SETTING_KIND, SETTING) {
            Some(before) => Ok(restored(finding, before, image)?.into_iter().map(|restored| restored.step).collect()),
            None => Remediation::plan(self, finding, image),
        }
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        let before = remembered(finding, known, SETTING_KIND, SETTING)?;
        restored(finding, before, image).ok()?.map(|restored| restored.leaves(image))
    }
}

fn restored(finding: &Finding, before: &Value, image: &Image) -> Result<Option<Restored>, PlanError> {
    let live = image.get(SETTING);
    let id = answered_id(&SPEC, if live.is_null() { before } else { live }, subject(&SPEC, finding)?.as_str())?;
    let name = id.rsplit('/').next().unwrap_or_default().escape_debug();
    let put = |setting: &Value| call(PUT, &id, Some(pick(setting, &["properties"])));
    match (is_deletion(finding), live.is_null()) {
        (true, true) => {
            let step = Step {
                title: format!("make diagnostic setting `{name}` again, which sends logs to {}", destinations(before)),
                call: put(before),
                inverse: Some(call(DELETE, &id, None)),
            };
            Ok(Some(Restored { step, key: SETTING, left: before.clone() }))
        }
        // It is there again: as it was, or as somebody made it, which is theirs.
        (true, false) => Ok(None),
        (false, true) => Err(refused(&SPEC, "the setting is gone, which was another change: restore it by that one")),
        (false, false) => {
            let Some((left, what)) = set_back(finding, before, live)? else { return Ok(None) };
            let title = format!("set {what} of diagnostic setting `{name}` back to what was known before the change");
            let step = Step { title, call: put(&left), inverse: Some(put(live)) };
            Ok(Some(Restored { step, key: SETTING, left }))
        }
    }
}

/// What an overwritten setting is to be, and which parts of it that sets back. Somebody's change since must not be lost, so all goes back
/// only where the setting still is as the request wrote it; without a request, that part alone which the rule judged.
fn set_back(finding: &Finding, before: &Value, live: &Value) -> Result<Option<(Value, &'static str)>, PlanError> {
    let logs = "/properties/logs";
    if same(before, live) {
        return Ok(None);
    }
    if finding.request.is_null() {
        let mut left = live.clone();
        match (left.pointer_mut(logs), before.pointer(logs)) {
            (Some(now), Some(then)) if now != then => *now = then.clone(),
            _ => return Ok(None),
        }
        return Ok(Some((left, "the log categories")));
    }
    if is_as_written(finding, live) {
        return Ok(Some((before.clone(), "logs, metrics and destinations")));
    }
    let on = |setting: &Value| entries(Json::from_value(setting).get_ci("properties"), "logs", true);
    if on(before).iter().all(|entry| on(live).contains(entry)) {
        return Ok(None);
    }
    Err(refused(
        &SPEC,
        "somebody has changed the setting since: what is theirs and what is the change's cannot be told",
    ))
}

/// Whether a setting still is what the request asked for.
fn is_as_written(finding: &Finding, live: &Value) -> bool {
    let asked = Json::from_value(&finding.request);
    let asked = asked.get_ci("properties");
    let is = |member: &&str| {
        let wanted = asked.get_ci(member).as_str().unwrap_or_default();
        let found = text(live, &format!("/properties/{member}"));
        // The service fills in the way of export where the request leaves it out.
        wanted.eq_ignore_ascii_case(found) || (wanted.is_empty() && *member == "logAnalyticsDestinationType")
    };
    let live = Json::from_value(live);
    let live = live.get_ci("properties");
    // Categories that a request leaves out may be answered as off.
    let as_asked = |list: &str| {
        entries(live, list, true) == entries(asked, list, true)
            && entries(asked, list, false).iter().all(|off| !entries(live, list, true).contains(off))
    };
    DESTINATIONS.iter().all(is) && as_asked("logs") && as_asked("metrics")
}

/// The categories of a list that are on, or off, in lower case and in order.
fn entries(properties: &Json<'_>, list: &str, on: bool) -> Vec<String> {
    let listed = properties.get_ci(list);
    let listed = listed.each();
    let is = |entry: &&Json<'_>| entry.get_ci("enabled").as_bool().unwrap_or(false) == on;
    let named = listed.iter().filter(is).filter_map(|entry| {
        let mut names = ["category", "categoryGroup"].into_iter();
        names.find_map(|name| entry.get_ci(name).as_str().map(|found| format!("{name} {found}")))
    });
    let mut named: Vec<String> = named.map(|name| name.to_lowercase()).collect();
    named.sort();
    named.dedup();
    named
}

/// Where a setting sends logs, for people.
fn destinations(setting: &Value) -> String {
    let ids = DESTINATIONS.iter().map(|member| text(setting, &format!("/properties/{member}")));
    let places = ids.filter(|id| id.starts_with('/')).filter_map(|id| id.rsplit('/').next());
    let places: Vec<String> = places.map(|name| format!("`{}`", name.escape_debug())).collect();
    let logs = elements(setting.pointer("/properties/logs").unwrap_or(&Value::Null)).len();
    if places.is_empty() { format!("its place ({logs} categories)") } else { places.join(" and ") }
}
