//! Who an AWS policy document lets in.
//!
//! One analysis for records and for live state. It answers, for each statement, whom it lets in after conditions and
//! after the Deny statements of the same document, in [`Audience`]s:
//!
//! * [`Audience::Public`]: AWS's own definition, "The meaning of public" (Amazon S3 User Guide, "Blocking public access
//!   to your Amazon S3 storage"): a policy is public unless it grants only to fixed principals or under fixed values of
//!   certain condition keys. The keys are in `condition`, and other services are judged by the same rule.
//!   `NotPrincipal` with Allow is everyone but a few, and so public. A federated principal of an issuer that serves
//!   everybody is public unless the tenant is fixed.
//! * [`Audience::AnyAuthenticated`]: `lambda:FunctionUrlAuthType` fixed to `AWS_IAM`.
//! * [`Audience::External`]: a foreign account; and what is fixed but does not tell an account of the owner's: an
//!   organisation, a VPC, a network, a bucket, an OIDC provider. [`Grant::account`] then names the organisation, VPC or
//!   VPC endpoint, so that an operator can trust it like an account; for the others it is empty.
//! * [`Audience::Internal`]: the owner's account; a service that acts only for a fixed source.
//! * [`Audience::Service`]: a service principal without a fixed source. Whoever can make that service act can use the
//!   grant (the confused deputy, IAM User Guide); for services that act only for their own account's resources, as in
//!   most trust policies, it is harmless. Rules must tell the two apart.
//!
//! What counts as *fixed* and which Deny counts is documented in the modules `condition` and `deny`. Where the language
//! leaves a choice the wider audience is told. What other policies do (Block Public Access, service and resource
//! control policies, permission boundaries) is live state and not looked at here.

mod condition;
mod deny;
mod document;
mod federated;
mod level;
mod pattern;
mod principal;
mod reach;
mod statement;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use onus_core::{Audience, Doubt, Grant, Json, Level};

use self::condition::Scope;
use self::reach::{Reach, Reaches};
use self::statement::{Patterns, Principal, Principals, Statement};

pub use document::{PolicyError, document};

/// Where a policy document hangs, which decides what its statements mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// On a resource: a bucket, topic, queue, key, secret, repository, function, … Names who may use it.
    Resource,
    /// On a role: names who may assume it.
    Trust,
    /// On a user, group or role, or managed: names what the holder may do.
    Identity,
}

/// What must be known besides the document to judge it.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The account that owns the resource: its own identities are [`Audience::Internal`]. Empty when unknown, and then
    /// every account is [`Audience::External`].
    pub account: &'a str,
    /// The ARN, else the name, that [`Grant::resource`] shall say.
    pub resource: &'a str,
    /// What kind of policy it is.
    pub kind: PolicyKind,
}

/// What one statement of a policy does.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The statement's place in the document, from 0.
    pub index: usize,
    /// The statement's Sid, when it has one that is not empty and that no other statement has.
    pub sid: Option<String>,
    /// The widest audience of the grants; `None` when the statement grants nothing: a Deny, or an Allow that a Deny
    /// takes back.
    pub audience: Option<Audience>,
    /// One grant for each principal and account that the statement lets in. [`Grant::via`] is `policy` or `trust`,
    /// [`Grant::part`] is [`Judged::part`].
    pub grants: Vec<Grant>,
    /// What neither the document nor the context tells: whose the resource is.
    pub doubts: Vec<Doubt>,
}

impl Judged {
    /// How the statement is named when it is taken back alone: its Sid, else `#` and its place.
    pub fn part(&self) -> String {
        self.sid.clone().unwrap_or_else(|| format!("#{}", self.index))
    }
}

/// Judges every statement of a policy, in the order of the document.
///
/// `document` may be an object, JSON text or percent-encoded JSON text; `Statement` an object or a list. When two
/// statements have the same Sid, neither is named by it: [`Judged::sid`] is `None` and the part is the place.
///
/// # Errors
/// The document is no policy: not JSON, or a statement lacks or misspells an element. The error names the path. AWS
/// refuses such documents too, but an emulator or an older service may not.
pub fn judge(document: &Json<'_>, context: &Context<'_>) -> Result<Vec<Judged>, PolicyError> {
    let document = self::document(document)?;
    let statements = statement::statements(&document, context.kind)?;
    let policy = Policy::of(&statements, *context);
    Ok(statements.iter().map(|statement| policy.judge(statement)).collect())
}

/// Whether an identity policy lets its holder give itself any permission: `*`, `iam:*`, or one of the IAM actions that
/// amount to it, on every user, group, role or policy of the account, and no unconditional Deny beside it that takes it
/// back. An empty `account` is matched by wildcards only.
///
/// # Errors
/// As [`judge`].
pub fn is_admin(document: &Json<'_>, account: &str) -> Result<bool, PolicyError> {
    let context = Context { account, resource: "", kind: PolicyKind::Identity };
    Ok(judge(document, &context)?.iter().flat_map(|judged| &judged.grants).any(|grant| grant.level == Level::Admin))
}

/// What Deny statements may cost: the patterns of a policy at the size limit of every service (20 KB for S3, 32 KB for KMS)
/// stay below. Only a document that every service refuses is above, and then no Deny counts.
const MOST_WORK: usize = 1 << 28;

/// A policy as one statement after the other is judged.
struct Policy<'s, 'd, 'c> {
    denies: Vec<&'s Statement<'d>>,
    /// Sids that more than one statement has.
    repeated: BTreeSet<&'d str>,
    /// What of the ways to give oneself anything no Deny takes back.
    powers: Vec<level::Power>,
    context: Context<'c>,
}

impl<'s, 'd, 'c> Policy<'s, 'd, 'c> {
    fn of(statements: &'s [Statement<'d>], context: Context<'c>) -> Self {
        let weight = |allow: bool| statements.iter().filter(|s| s.allow == allow).map(Statement::weight).sum::<usize>();
        let affordable = weight(true).saturating_mul(weight(false)) <= MOST_WORK;
        let denies: Vec<_> = statements.iter().filter(|s| !s.allow && affordable).collect();
        let mut sids: Vec<&str> = statements.iter().filter_map(|s| s.sid).collect();
        sids.sort_unstable();
        let repeated = sids.iter().zip(sids.iter().skip(1)).filter(|(a, b)| a == b).map(|(a, _)| *a).collect();
        let powers = match context.kind {
            PolicyKind::Identity => level::powers(&denies, context.account),
            PolicyKind::Resource | PolicyKind::Trust => Vec::new(),
        };
        Self { denies, repeated, powers, context }
    }

    fn judge(&self, statement: &Statement<'_>) -> Judged {
        let mut judged = Judged {
            index: statement.index,
            sid: statement.sid.filter(|sid| !self.repeated.contains(sid)).map(str::to_owned),
            audience: None,
            grants: Vec::new(),
            doubts: Vec::new(),
        };
        if !statement.allow {
            return judged;
        }
        let part = judged.part();
        let allow = Allow {
            statement,
            denies: self.denies.iter().copied().filter(|deny| deny::hits(deny, statement)).collect(),
            level: self.level(statement),
            scope: scope(statement, &self.context),
            part: &part,
        };
        judged.grants = match &statement.principals {
            Principals::Holder => self.to_holder(&allow).into_iter().collect(),
            Principals::Listed(listed) => listed.iter().flat_map(|who| self.to_principal(*who, &allow)).collect(),
            Principals::Except(_) => self.to_principal(Principal::Everyone, &allow),
        };
        judged.audience = judged.grants.iter().map(|grant| grant.audience).min();
        if self.context.account.is_empty() && judged.grants.iter().any(|grant| grant.account.is_some()) {
            judged.doubts.push(Doubt::new(
                format!("account of {}", self.context.resource),
                "is not known, so that its own identities count as external",
            ));
        }
        judged
    }

    fn level(&self, statement: &Statement<'_>) -> Level {
        match self.context.kind {
            PolicyKind::Resource => level::of_resource(&statement.actions),
            // What the role may do is not in its trust policy.
            PolicyKind::Trust => Level::Write,
            PolicyKind::Identity => level::of_identity(statement, &self.powers),
        }
    }

    /// What a statement of an identity policy gives its holder.
    fn to_holder(&self, allow: &Allow<'_>) -> Option<Grant> {
        let account = Some(self.context.account).filter(|account| !account.is_empty());
        let reach = Reach { audience: Audience::Internal, account: account.map(str::to_owned) };
        let taken_back = allow.denies.iter().any(|deny| deny.conditions.is_empty());
        (!taken_back).then(|| self.grant(allow, self.context.resource, &reach))
    }

    /// What a statement gives one of its principals: a grant for each account that may come through.
    fn to_principal(&self, who: Principal<'_>, allow: &Allow<'_>) -> Vec<Grant> {
        if self.context.kind == PolicyKind::Trust && !lets_assume(&allow.statement.actions) {
            return Vec::new();
        }
        let mut limits: Vec<Reaches> =
            allow.denies.iter().filter_map(|deny| deny::limit(deny, who, allow.scope)).collect();
        limits.push(principal::narrowed(who, &allow.statement.conditions, allow.scope));
        let reaches = Reaches::tightest(limits).unwrap_or_default();
        reaches.list().iter().map(|reach| self.grant(allow, as_written(who), reach)).collect()
    }

    fn grant(&self, allow: &Allow<'_>, principal: &str, reach: &Reach) -> Grant {
        let via = if self.context.kind == PolicyKind::Trust { "trust" } else { "policy" };
        Grant {
            resource: self.context.resource.to_owned(),
            audience: reach.audience,
            principal: principal.to_owned(),
            account: reach.account.clone(),
            actions: level::as_written(&allow.statement.actions),
            level: allow.level,
            via: via.to_owned(),
            part: Some(allow.part.to_owned()),
        }
    }
}

/// An Allow, with what is the same for all its principals.
struct Allow<'s> {
    statement: &'s Statement<'s>,
    /// The Deny statements that are about all of it.
    denies: Vec<&'s Statement<'s>>,
    level: Level,
    scope: Scope<'s>,
    part: &'s str,
}

/// Whether a statement of a trust policy lets anybody in: to tag a session alone gives none.
fn lets_assume(actions: &Patterns<'_>) -> bool {
    ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot"]
        .iter()
        .any(|action| actions.matches(action, true))
}

fn scope<'a>(statement: &Statement<'_>, context: &Context<'a>) -> Scope<'a> {
    let hangs_on_s3 = context.resource.starts_with("arn:") && context.resource.split(':').nth(2) == Some("s3");
    let speaks_of_s3 = match &statement.actions {
        Patterns::Listed(patterns) => {
            patterns.iter().any(|p| p.get(..3).is_some_and(|service| service.eq_ignore_ascii_case("s3:")))
        }
        Patterns::Except(_) => false,
    };
    Scope {
        owner: context.account,
        s3: hangs_on_s3 || speaks_of_s3,
        access_point: context.resource.contains(":accesspoint/"),
    }
}

fn as_written(who: Principal<'_>) -> &str {
    match who {
        Principal::Everyone => "*",
        Principal::Aws(text) | Principal::Service(text) | Principal::Federated(text) | Principal::Canonical(text) => {
            text
        }
    }
}
