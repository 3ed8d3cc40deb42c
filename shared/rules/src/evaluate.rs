//! What a rule says about a change.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;
use onus_core::effect::Exposure;
use onus_core::{Change, Doubt, Effects, Finding, FindingId, Json, Outcome, State, Verdict};
use serde::{Deserialize, Serialize};

use crate::expression::Scope;
use crate::model::WatchOutcome;
use crate::rule::Rule;

/// What an operator tells the rules about his own organisation. Rules see it as `settings`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Accounts, subscriptions and projects that access may be given to.
    #[serde(default)]
    pub trusted_accounts: BTreeSet<String>,
}

/// Why an expression gave no answer. It is never taken for silence: the rule has to be mended, and until then somebody told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot evaluate rule `{rule}`: {reason} in `{}`", one_line(expression))]
pub struct EvaluateError {
    /// The rule.
    pub rule: String,
    /// The expression, as it is written.
    pub expression: String,
    /// What the interpreter says.
    pub reason: String,
}

impl EvaluateError {
    /// Never: an expression depends on nothing that changes by itself.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

fn one_line(expression: &str) -> String {
    expression.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A change as rules see it, with what was read of its resource. Shares between rules what several of them look at.
#[derive(Debug)]
pub struct Subject<'c, 'r> {
    pub(crate) change: &'c Change<'r>,
    pub(crate) state: Option<&'c State>,
    pub(crate) settings: &'c Settings,
    image: OnceLock<Json<'c>>,
    exposures: OnceLock<Vec<Exposure>>,
}

impl<'c, 'r> Subject<'c, 'r> {
    /// A change, and the state of its resource where that was read.
    pub fn new(change: &'c Change<'r>, state: Option<&'c State>, settings: &'c Settings) -> Self {
        Self { change, state, settings, image: OnceLock::new(), exposures: OnceLock::new() }
    }

    /// What a rule says. Whether the rule watches this change at all is [`crate::Catalog::candidates`]' to know.
    ///
    /// # Errors
    /// The expression failed on this change, and nothing it looked at was left out of the record.
    pub fn evaluate(&self, rule: &Rule) -> Result<Verdict, EvaluateError> {
        let watched = match rule.watch.outcome {
            WatchOutcome::Succeeded => !matches!(self.change.outcome, Outcome::Failed { .. }),
            WatchOutcome::Failed => matches!(self.change.outcome, Outcome::Failed { .. }),
            WatchOutcome::Any => true,
        };
        if !watched {
            return Ok(Verdict::Silent);
        }
        let (expression, program) = rule.expression(self.state.is_some());
        let failed =
            |reason: String| EvaluateError { rule: rule.id.to_string(), expression: expression.to_owned(), reason };
        let program = program.map_err(|errors| {
            failed(errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; "))
        })?;
        let scope = Scope::new(self, program);
        match program.run(&scope) {
            Ok(true) if self.change.outcome == Outcome::Begun && self.state.is_none() => {
                Ok(Verdict::NeedsState(vec![Doubt::new("outcome", "stands in another record")]))
            }
            Ok(true) => Ok(Verdict::Fires),
            answer => match (scope.doubts(), answer) {
                (doubts, _) if !doubts.is_empty() => Ok(Verdict::NeedsState(doubts)),
                (_, Err(reason)) => Err(failed(reason)),
                _ => Ok(Verdict::Silent),
            },
        }
    }

    /// What the resource is like where it was read, else what the change did.
    pub(crate) fn effects(&self) -> &Effects {
        self.state.map_or_else(|| self.change.effects(), |state| &state.effects)
    }

    pub(crate) fn exposures(&self) -> &[Exposure] {
        self.exposures.get_or_init(|| self.effects().exposures())
    }

    /// What was read, by read key; `null` when nothing was.
    pub(crate) fn image(&self) -> &Json<'c> {
        self.image.get_or_init(|| {
            self.state.map_or(Json::Null, |state| {
                let members =
                    state.image.0.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Json::from_value(value)));
                Json::Object(members.collect())
            })
        })
    }
}

/// What one rule says about one change. For many rules on one change, [`Subject`] shares the work.
///
/// # Errors
/// As [`Subject::evaluate`].
pub fn evaluate(
    rule: &Rule,
    change: &Change<'_>,
    state: Option<&State>,
    settings: &Settings,
) -> Result<Verdict, EvaluateError> {
    Subject::new(change, state, settings).evaluate(rule)
}

/// The finding of a rule that fired on a change; with the state that it fired on, where state was read.
pub fn finding(rule: &Rule, change: &Change<'_>, state: Option<&State>, found_at: Timestamp) -> Finding {
    let owned = |texts: &[crate::rule::Text]| texts.iter().map(ToString::to_string).collect();
    Finding {
        id: FindingId::of(change.cloud, &change.uid, &rule.id),
        rule: rule.id.to_string(),
        title: rule.title.to_string(),
        severity: rule.severity,
        duty: rule.duty(),
        why: rule.why.to_string(),
        respond: owned(&rule.respond),
        controls: owned(&rule.controls),
        references: owned(&rule.references),
        remedy: rule.remedy.as_ref().map(ToString::to_string),
        change: change.summary(),
        effects: state.map_or_else(|| change.effects(), |state| &state.effects).clone(),
        from_state: state.is_some(),
        request: change.request.json().to_value(),
        response: change.response.json().to_value(),
        found_at,
    }
}
