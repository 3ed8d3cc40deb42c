//! Flow logs of networks: makes one again that the change deleted, and switches one on again that it switched off.
//!
//! A write replaces the whole flow log. Where it is known, it goes back to what it was; where it is not, or somebody has written since, the
//! switch alone does.
//!
//! Since June 2025 Azure makes no new flow logs of security groups, so that one of these which was deleted is not even tried
//! (<https://azure.microsoft.com/updates?id=Azure-NSG-flow-logs-Retirement>).

use onus_core::{Finding, Image, Json, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{Restored, answered_id, is_deletion, refused, remembered, same, subject, unless_read};
use crate::operations::ResourceId;
use crate::readers::arm::{call, pick, target, text};
use crate::readers::logs::{FLOW_LOG, FLOW_LOG_KIND, flow_log};
use crate::readers::network::GROUP_KIND;

/// See the [module docs](self).
pub(crate) struct RestoreFlowLog;

const PUT: &str = "Microsoft.Network:FlowLogs_CreateOrUpdate";
const DELETE: &str = "Microsoft.Network:FlowLogs_Delete";

static SPEC: Spec = Spec {
    id: "azure.network.restore_flow_log",
    title: "Makes a flow log that the change deleted again, as it was known, or switches it on again",
    safety: Safety::Automatic,
    kind: FLOW_LOG_KIND,
    reads: &["Microsoft.Network:FlowLogs_Get"],
    writes: &[PUT],
    undo: &[PUT, DELETE],
    caveat: "Traffic in between was not recorded. Azure makes no new flow logs of security groups: one of these that \
             was deleted stays gone. Where the flow log was never read before the change, a deleted one stays gone, \
             and of a rewritten one the switch alone goes back. A network watcher that was deleted took its flow logs \
             with it, which are not restored. The identity has to be allowed to list the keys of the storage account \
             that the flow log writes to.",
};

impl Remediation for RestoreFlowLog {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        if target(finding, FLOW_LOG_KIND).is_none() && is_deletion(finding) {
            return Err(refused(
                &SPEC,
                "the network watcher was deleted with its flow logs, and they cannot be restored without it",
            ));
        }
        Ok(unless_read(so_far, flow_log(&subject(&SPEC, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Ok(restored(finding, None, image)?.into_iter().map(|restored| restored.step).collect())
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        restored(finding, None, image).ok()?.map(|restored| restored.leaves(image))
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

impl Restoration for RestoreFlowLog {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        let before = remembered(finding, known, FLOW_LOG_KIND, FLOW_LOG);
        Ok(restored(finding, before, image)?.into_iter().map(|restored| restored.step).collect())
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        let before = remembered(finding, known, FLOW_LOG_KIND, FLOW_LOG);
        restored(finding, before, image).ok()?.map(|restored| restored.leaves(image))
    }
}

fn restored(finding: &Finding, before: Option<&Value>, image: &Image) -> Result<Option<Restored>, PlanError> {
    let live = image.get(FLOW_LOG);
    let asked = subject(&SPEC, finding)?;
    let spelled = if live.is_null() { before.unwrap_or(&Value::Null) } else { live };
    let id = answered_id(&SPEC, spelled, asked.as_str())?;
    let name = id.rsplit('/').next().unwrap_or_default().escape_debug();
    let put = |log: &Value| call(PUT, &id, Some(pick(log, &["identity", "location", "properties", "tags"])));
    match (is_deletion(finding), live.is_null()) {
        (true, true) => {
            let before = before.ok_or_else(|| {
                refused(
                    &SPEC,
                    "the flow log is gone, and it cannot be restored: no state of it was recorded before the change",
                )
            })?;
            let of_group = ResourceId::parse(text(before, "/properties/targetResourceId"));
            if of_group.is_ok_and(|id| id.is_of(GROUP_KIND)) {
                let reason = "the flow log cannot be restored: Azure makes no new ones of security groups; log the virtual network instead";
                return Err(refused(&SPEC, reason));
            }
            let of = text(before, "/properties/targetResourceId").rsplit('/').next().unwrap_or_default().escape_debug();
            let step = Step {
                title: format!("make flow log `{name}` of `{of}` again"),
                call: put(before),
                inverse: Some(call(DELETE, &id, None)),
            };
            Ok(Some(Restored { step, key: FLOW_LOG, left: before.clone() }))
        }
        // It is there again: as it was, or as somebody made it, which is theirs.
        (true, false) => Ok(None),
        (false, true) => Err(refused(&SPEC, "the flow log is gone, which was another change: restore it by that one")),
        (false, false) => {
            let Some((left, title)) = set_back(finding, before, live) else { return Ok(None) };
            let step =
                Step { title: title.replace("{}", &name.to_string()), call: put(&left), inverse: Some(put(live)) };
            Ok(Some(Restored { step, key: FLOW_LOG, left }))
        }
    }
}

/// What a rewritten flow log is to be, and what that does, with `{}` for its name.
fn set_back(finding: &Finding, before: Option<&Value>, live: &Value) -> Option<(Value, &'static str)> {
    let is_off = |log: &Value| log.pointer("/properties/enabled") == Some(&Value::Bool(false));
    if let Some(before) = before.filter(|_| is_as_written(finding, live)) {
        let whole = "set flow log `{}` back to what was known before the change";
        return (!same(before, live)).then(|| (before.clone(), whole));
    }
    if !is_off(live) || before.is_some_and(is_off) {
        return None;
    }
    let mut left = live.clone();
    *left.pointer_mut("/properties/enabled")? = json!(true);
    Some((
        left,
        "switch flow log `{}` on again (what else the change set cannot be restored: what it was is not known)",
    ))
}

/// Whether a flow log still is what the request asked for; not, when the request is not known.
fn is_as_written(finding: &Finding, live: &Value) -> bool {
    let request = Json::from_value(&finding.request);
    let asked = request.get_ci("properties");
    let is = |member: &str| text(live, &format!("/properties/{member}"));
    let same = |member: &str| asked.get_ci(member).as_str().is_some_and(|id| id.eq_ignore_ascii_case(is(member)));
    let enabled = live.pointer("/properties/enabled").and_then(Value::as_bool);
    !finding.request.is_null()
        && ["storageId", "targetResourceId"].into_iter().all(same)
        && asked.get_ci("enabled").as_bool().unwrap_or(false) == enabled.unwrap_or(false)
}
