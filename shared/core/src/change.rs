//! A decoded audit-log record.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::effect::Effects;

/// Which provider's log a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure and Entra.
    Azure,
    /// Google Cloud.
    Gcp,
}

impl Cloud {
    /// The lower-case name that rule ids start with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cloud::Aws => "aws",
            Cloud::Azure => "azure",
            Cloud::Gcp => "gcp",
        }
    }

    /// Whether ids of resources and names of tags that differ in case only are the same
    /// (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>).
    pub const fn ignores_case(self) -> bool {
        matches!(self, Cloud::Azure)
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who made the change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Actor<'a> {
    /// The provider's own word for the kind of identity: `IAMUser`, `AssumedRole`, `Root`, …
    pub kind: Cow<'a, str>,
    /// The full name: an ARN, an e-mail address, an object id. Empty when the log does not tell.
    pub id: Cow<'a, str>,
    /// The id that survives renaming: `AROA…:session`, an object id. Empty when unknown.
    pub principal: Cow<'a, str>,
    /// The account the identity lives in. Empty when unknown.
    pub account: Cow<'a, str>,
    /// The unique id of the role or application that issued the session. Never a name: names can be forged.
    pub issuer: Option<Cow<'a, str>>,
    /// The cloud service that acted on somebody's behalf, as the log names it.
    pub invoked_by: Option<Cow<'a, str>>,
    /// Whether the session was opened with a second factor; `None` when the log does not tell.
    pub mfa: Option<bool>,
    /// Who acted through the identity, nearest first, where the log tells a chain: the callers that took a service account's place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegates: Vec<Cow<'a, str>>,
}

/// Where the change came from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Origin<'a> {
    /// An IP address, or a service name when a service called. Attacker-controlled text.
    pub address: Cow<'a, str>,
    /// The client's own description of itself. Attacker-controlled text.
    pub user_agent: Cow<'a, str>,
}

/// A thing that was changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Resource<'a> {
    /// The provider's type name: `AWS::S3::Bucket` (CloudFormation), an ARM type, a GCP asset type.
    pub kind: Cow<'a, str>,
    /// The full unique name (ARN, ARM id, `//…` name) where it can be told, else the same as `name`.
    pub id: Cow<'a, str>,
    /// The short name that API calls take. Attacker-controlled text.
    pub name: Cow<'a, str>,
}

/// How the call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Outcome<'a> {
    /// The change was made.
    Succeeded,
    /// The provider took the call and works on it; how it ended stands in a record of its own.
    Begun,
    /// The provider refused or failed; nothing was changed.
    Failed {
        /// The provider's error code, as logged.
        code: Cow<'a, str>,
        /// The provider's message. May be empty.
        message: Cow<'a, str>,
    },
}

impl Outcome<'_> {
    /// Whether the change took effect.
    pub fn succeeded(&self) -> bool {
        matches!(self, Outcome::Succeeded)
    }

    /// The word that rules compare with: `succeeded`, `begun` or `failed`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Begun => "begun",
            Outcome::Failed { .. } => "failed",
        }
    }
}

/// One record decoded. Borrows from the record's text; its request, response and effects are worked out when asked for.
#[derive(Debug)]
pub struct Change<'a> {
    /// The provider's unique id of the record; the same record delivered twice has the same uid.
    pub uid: Cow<'a, str>,
    /// When the call was made, as the log says. Seconds resolution on AWS; no order may be built on it.
    pub time: Timestamp,
    /// Whose log.
    pub cloud: Cloud,
    /// The account, subscription or project the change happened in.
    pub account: Cow<'a, str>,
    /// The region; empty for global calls.
    pub region: Cow<'a, str>,
    /// The log's name in rules: `aws.cloudtrail`.
    pub source: &'static str,
    /// The service's short name: `s3`, `ec2`.
    pub service: Cow<'a, str>,
    /// The operation without API dates or versions: `AddPermission`, not `AddPermission20150331v2`.
    pub action: Cow<'a, str>,
    /// The operation as the log spells it.
    pub action_raw: Cow<'a, str>,
    /// Whether the log marks the call as one that only reads.
    pub read_only: bool,
    /// Who.
    pub actor: Actor<'a>,
    /// From where.
    pub origin: Origin<'a>,
    /// What. The first is the one the change is about. Empty when the record names none.
    pub resources: Vec<Resource<'a>>,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// What was asked for.
    pub request: Document<'a>,
    /// What was answered.
    pub response: Document<'a>,
    /// The whole record.
    pub record: Document<'a>,
    /// The record's text, for evidence.
    pub text: &'a str,
    /// The source's own derivation of effects. A plain function: the same change gives the same effects.
    pub derive: fn(&Change<'_>) -> Effects,
    /// Worked out once by [`Change::effects`]. A decoder starts it empty.
    pub effects: OnceLock<Effects>,
}

impl<'a> Change<'a> {
    /// What the change did, in cloud-neutral words. Worked out on the first call.
    pub fn effects(&self) -> &Effects {
        self.effects.get_or_init(|| (self.derive)(self))
    }

    /// The resource the change is about, when the record names one.
    pub fn resource(&self) -> Option<&Resource<'a>> {
        self.resources.first()
    }

    /// `service:Action`, the form that rules watch.
    pub fn operation(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }

    /// The owned form that findings carry.
    pub fn summary(&self) -> ChangeSummary {
        ChangeSummary {
            uid: self.uid.to_string(),
            time: self.time,
            cloud: self.cloud,
            account: self.account.to_string(),
            region: self.region.to_string(),
            service: self.service.to_string(),
            action: self.action.to_string(),
            actor: self.actor.clone().into_owned(),
            origin: self.origin.clone().into_owned(),
            outcome: self.outcome.clone().into_owned(),
            resources: self.resources.iter().cloned().map(Resource::into_owned).collect(),
        }
    }
}

/// A change as findings, ledgers and wire forms keep it: everything but the bodies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeSummary {
    /// See [`Change::uid`].
    pub uid: String,
    /// See [`Change::time`].
    pub time: Timestamp,
    /// See [`Change::cloud`].
    pub cloud: Cloud,
    /// See [`Change::account`].
    pub account: String,
    /// See [`Change::region`].
    pub region: String,
    /// See [`Change::service`].
    pub service: String,
    /// See [`Change::action`].
    pub action: String,
    /// See [`Change::actor`].
    pub actor: Actor<'static>,
    /// See [`Change::origin`].
    pub origin: Origin<'static>,
    /// See [`Change::outcome`].
    pub outcome: Outcome<'static>,
    /// See [`Change::resources`].
    pub resources: Vec<Resource<'static>>,
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl Actor<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> Actor<'static> {
        Actor {
            kind: own(self.kind),
            id: own(self.id),
            principal: own(self.principal),
            account: own(self.account),
            issuer: self.issuer.map(own),
            invoked_by: self.invoked_by.map(own),
            mfa: self.mfa,
            delegates: self.delegates.into_iter().map(own).collect(),
        }
    }
}

impl Origin<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> Origin<'static> {
        Origin { address: own(self.address), user_agent: own(self.user_agent) }
    }
}

impl<'a> Resource<'a> {
    /// A resource known by kind, full id and short name.
    pub fn new(kind: impl Into<Cow<'a, str>>, id: impl Into<Cow<'a, str>>, name: impl Into<Cow<'a, str>>) -> Self {
        Self { kind: kind.into(), id: id.into(), name: name.into() }
    }

    /// Copies what is borrowed.
    pub fn into_owned(self) -> Resource<'static> {
        Resource { kind: own(self.kind), id: own(self.id), name: own(self.name) }
    }
}

impl Outcome<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> Outcome<'static> {
        match self {
            Outcome::Succeeded => Outcome::Succeeded,
            Outcome::Begun => Outcome::Begun,
            Outcome::Failed { code, message } => Outcome::Failed { code: own(code), message: own(message) },
        }
    }
}
