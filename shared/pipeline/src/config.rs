//! `onus.yaml`: the one file an operator writes. What may stand below its `sinks` is told by the type parameter.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::SignedDuration;
use onus_core::{Mode, Severity, SinkConfig};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expiry::Expiry;
use crate::glob::Glob;
use crate::limits::{Budget, Opposition};
use crate::records::hashed;

/// The whole file. Every part may be left out; an unknown key anywhere is an error.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, bound = "S: DeserializeOwned")]
#[schemars(bound = "S: JsonSchema + Serialize")]
pub struct Config<S> {
    /// The version of this format. 1, also when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1))]
    pub version: Option<u8>,
    /// Where claims, findings, plans and receipts are kept: `file://FOLDER`, `memory://` or the URL of a bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// Which rules are evaluated.
    pub rules: RuleSources,
    /// How far responses may go.
    pub modes: Modes,
    /// Findings that are known and accepted.
    pub exemptions: Vec<Exemption>,
    /// Where findings are told.
    #[serde(deserialize_with = "yaml_serde::with::singleton_map_recursive::deserialize")]
    pub sinks: Vec<S>,
    /// What Onus has to know about the operator's clouds.
    pub settings: Settings,
}

impl<S> Default for Config<S> {
    fn default() -> Self {
        Self {
            version: None,
            ledger: None,
            rules: RuleSources::default(),
            modes: Modes::default(),
            exemptions: Vec::new(),
            sinks: Vec::new(),
            settings: Settings::default(),
        }
    }
}

/// Which rules are evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSources {
    /// A folder or bucket prefix with rules of your own: a path, `file://FOLDER` or the URL of a bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether your rules replace the built-in ones instead of standing beside them.
    pub instead_of_builtin: bool,
    /// Rules that are not evaluated, by id with `*` and `?`. Stronger than any mode.
    pub off: Vec<Glob>,
}

/// How far responses may go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Modes {
    /// The mode of a finding that no override matches. `alert` when left out.
    #[schemars(schema_with = "mode_schema")]
    pub default: Mode,
    /// Exceptions. Of those that match, the most specific one counts; of equally specific ones, the safest.
    pub overrides: Vec<Override>,
}

/// A mode for some findings. Every selector given has to match; at least one must be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The resource the change is about, by full id or name, with `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Glob>,
    /// Tags of that resource (labels on Google Cloud) as they are now: key → value with `*` and `?`. All have to be there. Whoever may
    /// tag a resource then chooses its mode: guard such keys as you guard this file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Glob>,
    /// The account, with `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Glob>,
    /// The rule's id, with `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Glob>,
    /// A control of the rule, with `*` and `?`: `cis-aws-5.0:2.1.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Glob>,
    /// The rule's severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "severity_schema")]
    pub severity: Option<Severity>,
    /// The mode.
    #[schemars(schema_with = "mode_schema")]
    pub mode: Mode,
}

/// A finding that is known and accepted: it is recorded, but neither told nor responded to. Every selector given has to match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// A name of its own, unique: ASCII letters, digits, `-`, `_` and `.`. Left out, it is derived from the selectors, so that another
    /// reason, owner or end does not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The rule's id, with `*` and `?`.
    pub rule: Glob,
    /// The account, with `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Glob>,
    /// The resource the change is about, by full id or name, with `*` and `?`. Whoever makes a resource chooses its name: pair a
    /// name with the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Glob>,
    /// Tags of that resource (labels on Google Cloud) as they are now: key → value with `*` and `?`. All have to be there. Whoever may
    /// tag a resource then chooses whether it is exempt: guard such keys as you guard this file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Glob>,
    /// Who made the change, by full id, with `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Glob>,
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When it ends: an RFC 3339 date (through the end of that day, UTC) or date and time, or `never`.
    pub expires: Expiry,
}

/// What Onus has to know about the operator's clouds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Accounts that count as your own when access is given to them.
    pub trusted_accounts: Vec<String>,
    /// The unique ids of the identities that Onus itself acts with: a role's `AROA…`, never a name, for names can be forged.
    /// What they change is recorded and told but never responded to.
    pub own_principals: Vec<String>,
    /// How many writes may be sent in one hour without a person.
    pub budget: Budget,
    /// The older name of `budget.total`: stands for it where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responses_per_hour: Option<u32>,
    /// When a tug of war over one resource is given up.
    pub opposition: Opposition,
    /// How many hours a plan waits for an answer before an alarm is told and its links end, from 1 to 8760. 72 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8760))]
    pub approval_hours: Option<u32>,
}

impl Settings {
    /// How long a plan waits for an answer.
    pub fn approval_lives(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.approval_hours.unwrap_or(72)))
    }

    /// The budget that applies, with the older name read.
    pub fn budget(&self) -> Budget {
        Budget { total: self.responses_per_hour.unwrap_or(self.budget.total), ..self.budget }
    }
}

/// What is wrong with a configuration, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file as given.
    pub file: String,
    /// Line and column, from 1, where one can be named.
    pub at: Option<(usize, usize)>,
    /// What is wrong. Names the key.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "cannot read `{}:{line}:{column}`: {}", self.file, self.problem),
            None => write!(f, "cannot read `{}`: {}", self.file, self.problem),
        }
    }
}

impl<S: SinkConfig> Config<S> {
    /// Reads and checks a file's text. An empty text is the default configuration.
    ///
    /// # Errors
    /// The text is no YAML, has an unknown key, lacks one or holds a value of the wrong kind; two sinks share a name; an override selects
    /// nothing.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError>
    where
        S: DeserializeOwned,
    {
        let failed = |at, problem: String| ConfigError { file: file.to_owned(), at, problem };
        let config: Option<Self> = yaml_serde::from_str(text).map_err(|error| {
            let at = error.location().map(|place| (place.line(), place.column()));
            failed(at, without_place(&error.to_string()))
        })?;
        let config = config.unwrap_or_default();
        config.check().map_err(|problem| failed(None, problem))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(version @ (0 | 2..)) = self.version {
            return Err(format!("version {version} is not known, expected 1"));
        }
        for (index, entry) in self.modes.overrides.iter().enumerate() {
            if entry.selectors() == 0 {
                return Err(format!("modes.overrides[{index}] selects nothing, set `modes.default` instead"));
            }
        }
        if let Some(hours @ (0 | 8761..)) = self.settings.approval_hours {
            return Err(format!("settings.approval_hours is {hours}, expected 1 to 8760"));
        }
        for (index, exemption) in self.exemptions.iter().enumerate() {
            for (key, text) in [("reason", &exemption.reason), ("owner", &exemption.owner)] {
                if text.trim().is_empty() {
                    return Err(format!("exemptions[{index}].{key} is empty"));
                }
            }
        }
        self.check_exemption_ids()?;
        if let Some(problem) = self.settings.opposition.problem() {
            return Err(problem.to_owned());
        }
        let plain =
            |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if let Some(name) = self.sinks.iter().map(S::name).find(|name| !plain(name)) {
            return Err(format!("sink name `{name}` is not made of ASCII letters, digits, `-` and `_`"));
        }
        let mut names: Vec<&str> = self.sinks.iter().map(S::name).collect();
        names.sort_unstable();
        match names.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first())).flatten() {
            Some(name) => Err(format!("two sinks are called `{name}`, give one of them a `name`")),
            None => Ok(()),
        }
    }

    /// Ids are segments of ledger keys, and what suppressed a finding is looked up by them.
    fn check_exemption_ids(&self) -> Result<(), String> {
        let plain = |id: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            (1..=64).contains(&id.len()) && id.bytes().all(allowed) && !id.starts_with('.')
        };
        let mut seen = BTreeMap::new();
        for (index, exemption) in self.exemptions.iter().enumerate() {
            let id = exemption.id();
            if !plain(&id) {
                return Err(format!(
                    "exemptions[{index}].id `{id}` is not 1 to 64 ASCII letters, digits, `-`, `_` and `.`, and no `.` first"
                ));
            }
            if let Some(first) = seen.insert(id.clone(), index) {
                let problem = if exemption.id.is_some() { "have the same id" } else { "select the same" };
                return Err(format!("exemptions[{first}] and exemptions[{index}] {problem} (`{id}`)"));
            }
        }
        Ok(())
    }
}

impl Exemption {
    /// Its id: the one it gives itself, else `x-` and 16 hexadecimal digits that stand for its selectors.
    pub fn id(&self) -> Cow<'_, str> {
        if let Some(id) = &self.id {
            return Cow::Borrowed(id);
        }
        let mut parts = vec![self.rule.as_str()];
        for (name, glob) in [("account", &self.account), ("resource", &self.resource), ("actor", &self.actor)] {
            parts.extend(glob.iter().flat_map(|glob| [name, glob.as_str()]));
        }
        parts.extend(self.tags.iter().flat_map(|(key, value)| ["tag", key, value.as_str()]));
        let digits = hashed(parts);
        Cow::Owned(format!("x-{}", digits.get(..16).unwrap_or(&digits)))
    }
}

impl Override {
    /// How many selectors are given.
    fn selectors(&self) -> usize {
        [&self.resource, &self.account, &self.rule, &self.control].into_iter().flatten().count()
            + usize::from(self.severity.is_some())
            + self.tags.len()
    }
}

/// The message without the place that `ConfigError` already names.
fn without_place(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(at) => message.get(..at).unwrap_or(message).to_owned(),
        None => message.to_owned(),
    }
}

/// The JSON Schema (draft 2020-12) of `onus.yaml`, for editors.
pub fn schema<S: JsonSchema + Serialize>() -> Value {
    let mut schema = schemars::schema_for!(Config<S>).to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("title".to_owned(), Value::from("onus.yaml"));
    }
    schema
}

fn mode_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "off: not evaluated. alert: told. plan: told with the exact calls. approve: the plan waits for a person. enforce: carried out.",
        "enum": ["off", "alert", "plan", "approve", "enforce"],
    })
}

fn severity_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["informational", "low", "medium", "high", "critical"] })
}
