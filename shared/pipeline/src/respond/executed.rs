//! Of several attempts at one response: which steps took effect, and what they left.

use onus_core::{Image, Sent, Step};

use super::Task;
use crate::records::Intent;

/// An attempt: what was to be sent, and the answers that are known.
pub(super) struct Attempt {
    pub(super) intent: Intent,
    pub(super) sent: Vec<Sent>,
}

impl Attempt {
    /// The calls that were answered with success.
    pub(super) fn answered(&self) -> usize {
        self.sent.iter().filter(|sent| sent.result.is_ok()).count()
    }

    /// The step of which nobody knows whether it took effect: it may have been sent, and no answer was kept.
    pub(super) fn unknown(&self) -> Option<&Step> {
        let refused = self.sent.iter().any(|sent| sent.result.is_err());
        self.intent.steps.get(self.answered()).filter(|_| !refused)
    }

    /// How many calls may have changed something.
    pub(super) fn writes(&self) -> usize {
        self.answered() + usize::from(self.unknown().is_some())
    }

    /// Whether these steps are to do again what was done: all of the attempt's calls were answered with success, or one of these was.
    pub(super) fn is_repeated_by(&self, steps: &[Step]) -> bool {
        let whole = self.answered() > 0 && self.answered() == self.intent.steps.len();
        let mut done = self.intent.steps.iter().take(self.answered());
        whole || done.any(|done| steps.iter().any(|step| step.is_same_as(done)))
    }
}

/// What an undo compares the resource with.
pub(super) enum Left {
    /// What was read back: the calls touched single entries.
    AsRead,
    /// What the calls wrote, whatever was read back.
    Exactly(Image),
    /// Somebody else wrote between two attempts that each wrote a whole document: no undo is safe.
    Mixed,
}

/// What attempts left, by what the remediation says of each.
pub(super) fn left(task: &Task<'_>, attempts: &[Attempt]) -> Left {
    let leaves = |attempt: &Attempt| task.leaves(&attempt.intent.before);
    let mut attempts = attempts.iter();
    let Some(mut left) = attempts.next().and_then(leaves) else { return Left::AsRead };
    for attempt in attempts {
        match leaves(attempt) {
            Some(next) if attempt.intent.before.same_as(&left) || next.same_as(&left) => left = next,
            _ => return Left::Mixed,
        }
    }
    Left::Exactly(left)
}

/// The steps that took effect: those with a good answer, and those of which nobody knows if no later plan has them and, for what the
/// provider refused in the end, if the resource reads as healed.
pub(super) fn executed(attempts: &[Attempt], healed: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, attempt) in attempts.iter().enumerate() {
        let later = attempts.get(index + 1..).unwrap_or_default();
        let planned_later =
            |step: &Step| later.iter().flat_map(|next| &next.intent.steps).any(|next| next.is_same_as(step));
        steps.extend(attempt.intent.steps.iter().take(attempt.answered()).cloned());
        let doubtful = attempt.intent.steps.get(attempt.answered());
        let last = later.is_empty();
        let counts = |step: &&Step| {
            !planned_later(step) && (attempt.unknown().is_some() || (last && healed && was_lost(attempts, step)))
        };
        steps.extend(doubtful.filter(counts).cloned());
    }
    steps
}

/// Whether an attempt before the last one may have sent the same without hearing the answer.
fn was_lost(attempts: &[Attempt], step: &Step) -> bool {
    let before = attempts.split_last().map_or(&[] as &[Attempt], |(_, before)| before);
    before.iter().filter_map(Attempt::unknown).any(|lost| lost.is_same_as(step))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use onus_core::plan::live;
    use onus_core::{Call, CallError, CallErrorKind};
    use serde_json::{Value, json};

    use super::*;

    fn set_policy(policy: &str, etag: &Value) -> Call {
        let body = json!({ "policy": { "bindings": [policy], "etag": etag } });
        Call::gcp("storage", "buckets.setIamPolicy", json!({ "bucket": "b", "body": body }))
    }

    /// A write that is conditional on a version, and its inverse on the version of then.
    fn step(taken: &str, etag: &str) -> Step {
        Step {
            title: format!("take out {taken}"),
            call: set_policy(&format!("without {taken}"), &json!(etag)),
            inverse: Some(set_policy(&format!("with {taken}"), &live(&["policy", "~etag"]))),
        }
    }

    fn attempt(steps: &[&Step], answers: &[Result<(), CallErrorKind>]) -> Attempt {
        let answer = |(step, answer): (&&Step, &Result<(), CallErrorKind>)| Sent {
            call: step.call.clone(),
            result: answer.map(|()| Value::Null).map_err(|kind| CallError {
                call: step.call.to_string(),
                kind,
                code: "Code".to_owned(),
                message: "words".to_owned(),
            }),
        };
        Attempt {
            sent: steps.iter().zip(answers).map(answer).collect(),
            intent: Intent {
                by: "policy".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                hour: None,
                steps: steps.iter().copied().cloned().collect(),
                before: Image::default(),
            },
        }
    }

    #[test]
    fn a_write_that_is_planned_again_on_another_version_did_not_take_effect() {
        let (one, two, other) = (step("all", "1"), step("all", "2"), step("some", "2"));
        let refused = Err(CallErrorKind::Invalid);
        let cases = [
            (
                "planned again on a newer version, and done",
                vec![attempt(&[&one], &[]), attempt(&[&two], &[Ok(())])],
                vec![&two],
            ),
            (
                "something else is planned",
                vec![attempt(&[&one], &[]), attempt(&[&other], &[Ok(())])],
                vec![&one, &other],
            ),
            (
                "planned again, and refused as done",
                vec![attempt(&[&one], &[]), attempt(&[&two], &[refused])],
                vec![&two],
            ),
            ("refused, and never lost", vec![attempt(&[&other], &[]), attempt(&[&two], &[refused])], vec![&other]),
        ];
        let mut wrong = Vec::new();
        for (what, attempts, expected) in cases {
            let found = executed(&attempts, true);
            if found.iter().collect::<Vec<_>>() != expected {
                wrong.push(format!("{what}: {found:#?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_was_done_on_one_version_is_repeated_on_another() {
        let done = attempt(&[&step("all", "1"), &step("some", "1")], &[Ok(())]);
        assert!(done.is_repeated_by(&[step("all", "2")]));
        assert!(!done.is_repeated_by(&[step("some", "2")]));
    }
}
