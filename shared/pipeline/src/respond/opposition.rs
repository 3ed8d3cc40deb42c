//! When others undo what Onus does, again and again, Onus gives way and says who they are.
//!
//! A response was undone when it left the resource clean of what this finding is about, and the resource needs the same remediation
//! now. That is read off two images, not off two clocks: ten changes of one second that are taken back one by one undo nothing of
//! each other. After so many (`settings.opposition`) nothing more is sent there without a person until it has been quiet for as long.

use std::fmt::Write as _;

use jiff::Timestamp;
use onus_core::{Finding, FindingId, ReceiptOutcome, Step};

use super::executed::Attempt;
use super::{Responder, Task};
use crate::error::HandleError;
use crate::records::{Stopped, hashed, resource_lock};

/// Tools that apply a stored description again and again, by what their requests' user agents or callers say, in lower case. Sources: the
/// user agents of the Terraform, `OpenTofu` and Pulumi providers, `aws:CalledVia` of `CloudFormation`, and of Google's Config Connector.
const TOOLS: [(&str, &str); 9] = [
    ("opentofu", "OpenTofu"),
    ("terraform", "Terraform"),
    ("pulumi", "Pulumi"),
    ("cloudformation", "CloudFormation"),
    ("crossplane", "Crossplane"),
    ("config-connector", "Config Connector"),
    ("configconnector", "Config Connector"),
    ("ansible", "Ansible"),
    ("azureresourcemanager", "an ARM deployment"),
];

/// The longest part of an alarm that the other writer chose.
const LONGEST: usize = 200;

impl Responder {
    /// Notes an attempt at a response, before its first write.
    pub(super) async fn note_response(&self, task: &Task<'_>, attempt: &str, at: Timestamp) -> Result<(), HandleError> {
        Ok(self.records.note_response(&contest(task), &task.finding.id, attempt, at).await?)
    }

    /// Whether others undo this response each time: the key and the words of the one alarm about it. Notes that the response was let be.
    pub(super) async fn opposed(
        &self,
        task: &Task<'_>,
        earlier: &[Attempt],
        steps: &[Step],
    ) -> Result<Option<(String, String)>, HandleError> {
        let settings = self.policy.settings.opposition;
        let (contest, now) = (contest(task), self.clock.now());
        let noted = self.records.contest(&contest, now, settings.window()).await?;
        let mut undone = earlier.iter().filter(|attempt| attempt.is_repeated_by(steps)).count();
        for finding in noted.responded.iter().filter(|finding| **finding != task.finding.id) {
            undone += usize::from(self.was_undone(task, finding).await?);
        }
        if noted.stopped.is_none() && undone < usize::try_from(settings.responses).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let first = noted.stopped.map_or_else(|| task.finding.id.clone(), |stopped| stopped.first);
        let stopped = Stopped { finding: task.finding.id.clone(), first };
        self.records.note_stop(&contest, &stopped, now).await?;
        let reason = format!(
            "{undone} responses by `{}` on `{}` were undone within {} minutes; nothing more is sent there until it has been \
             quiet for as long, unless a person approves. The other writer: {}",
            task.remediation.spec().id,
            cut(&task.resource.id),
            settings.minutes,
            writer(task.finding),
        );
        Ok(Some((format!("contests/{contest}/alarms/{}.json", stopped.first), reason)))
    }

    /// Whether an earlier response left the resource clean of what needs this remediation now. In doubt it did.
    async fn was_undone(&self, task: &Task<'_>, earlier: &FindingId) -> Result<bool, HandleError> {
        let Some(receipt) = self.records.response(earlier).await? else { return Ok(true) };
        Ok(match (&receipt.outcome, &receipt.after) {
            (ReceiptOutcome::Verified, Some(after)) => !task.steps(after).is_ok_and(|steps| !steps.is_empty()),
            _ => receipt.sent.iter().any(|sent| sent.result.is_ok()),
        })
    }
}

/// The name of a resource and remediation in keys.
fn contest(task: &Task<'_>) -> String {
    hashed([resource_lock(task.finding, Some(&task.resource)).as_str(), task.remediation.spec().id])
}

/// Who made the change, as far as the record tells, and which tool it looks like. Everything but the ids may be forged, and says so.
fn writer(finding: &Finding) -> String {
    let (actor, origin) = (&finding.change.actor, &finding.change.origin);
    let mut text = format!("{} `{}`", if actor.kind.is_empty() { "identity" } else { &actor.kind }, cut(&actor.id));
    if let Some(issuer) = &actor.issuer {
        let _ = write!(text, ", issued by `{}`", cut(issuer)); // writing to a string cannot fail
    }
    if !actor.principal.is_empty() {
        let _ = write!(text, ", session or principal `{}`", cut(&actor.principal));
    }
    for delegate in &actor.delegates {
        let _ = write!(text, ", on behalf of `{}`", cut(delegate));
    }
    if let Some(service) = &actor.invoked_by {
        let _ = write!(text, ", through `{}`", cut(service));
    }
    let said = [actor.invoked_by.as_deref().unwrap_or_default(), &origin.user_agent, &origin.address]
        .map(str::to_ascii_lowercase)
        .join("\n");
    match TOOLS.iter().find(|(mark, _)| said.contains(mark)) {
        Some((_, tool)) => {
            let _ = write!(text, "; calls itself {tool} (`{}`)", cut(&origin.user_agent));
        }
        None => {
            let _ = write!(text, "; user agent `{}`", cut(&origin.user_agent));
        }
    }
    text
}

/// Text that somebody else chose, of bearable length.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default()
}
