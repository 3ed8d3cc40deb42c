//! Which conditions narrow down who may come through, and to whom.
//!
//! A key narrows only when its value is *fixed*: no wildcard, no policy variable. The keys and the rule are those of
//! "The meaning of public" (Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage"), with the keys
//! that other services put in their place: `kms:CallerAccount` (AWS KMS Developer Guide), `lambda:FunctionUrlAuthType`
//! (AWS Lambda Developer Guide), and the organisation, VPC endpoint and service keys of "AWS global condition context
//! keys" (IAM User Guide).
//!
//! For S3 the rule is taken to the letter, as `GetBucketPolicyStatus` and Block Public Access do: any wildcard makes a
//! value open, except in the access point name of `s3:DataAccessPointArn`. Elsewhere an ARN pattern or a user id
//! pattern is fixed when the account, or the role id, in it is; that is how IAM Access Analyzer tells the zone of
//! trust.

use std::borrow::Cow;

use onus_core::{Audience, address};

use super::pattern::{is_open, literal_prefix};
use super::reach::{Reach, Reaches};
use super::statement::{Condition, Quantifier, Test};

/// What the value of a condition is judged against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The account that owns the resource.
    pub(super) owner: &'a str,
    /// Whether S3's own, stricter rule holds.
    pub(super) s3: bool,
    /// Whether the policy hangs on an S3 access point, where `s3:DataAccessPointArn` fixes nothing.
    pub(super) access_point: bool,
}

/// What a key tells about the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Account,
    Arn,
    AccessPointArn,
    Organisation,
    OrganisationPath,
    /// A VPC or a VPC endpoint.
    Network,
    /// One thing, of an account that the value does not name.
    Thing,
    UserId,
    SourceIp,
    ServiceCall,
    ServiceName,
    UrlAuth,
    Indifferent,
}

fn key(name: &str) -> Key {
    match name {
        "aws:principalaccount"
        | "aws:sourceaccount"
        | "aws:sourceowner"
        | "aws:vpceaccount"
        | "kms:calleraccount"
        | "s3:dataaccesspointaccount" => Key::Account,
        "aws:sourcearn" | "aws:principalarn" | "aws:sourcevpcarn" | "lambda:sourcefunctionarn" => Key::Arn,
        "s3:dataaccesspointarn" => Key::AccessPointArn,
        "aws:principalorgid" | "aws:sourceorgid" | "aws:vpceorgid" => Key::Organisation,
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => Key::OrganisationPath,
        "aws:sourcevpc" | "aws:sourcevpce" => Key::Network,
        "s3:x-amz-server-side-encryption-aws-kms-key-id" => Key::Thing,
        "aws:userid" => Key::UserId,
        "aws:sourceip" => Key::SourceIp,
        "aws:principalisawsservice" => Key::ServiceCall,
        "aws:principalservicename" | "aws:principalservicenameslist" => Key::ServiceName,
        "lambda:functionurlauthtype" => Key::UrlAuth,
        _ => Key::Indifferent,
    }
}

/// Whether a key speaks of the resource or account on whose behalf a service calls.
pub(super) fn names_source(name: &str) -> bool {
    matches!(name, "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceowner" | "aws:sourceorgid" | "aws:sourceorgpaths")
}

/// To whom one condition of an Allow narrows it; `None` when it does not.
///
/// `...IfExists` and `ForAllValues:` are also true when the key is missing, so they narrow only beside a `Null` test
/// that demands the key ("Condition operators", IAM User Guide). Negated operators let everyone else in.
pub(super) fn narrows(condition: &Condition<'_>, all: &[Condition<'_>], scope: Scope<'_>) -> Option<Reaches> {
    let may_miss = condition.if_exists || condition.quantifier == Quantifier::ForAll;
    if condition.negated || (may_miss && !demanded(&condition.key, all)) {
        return None;
    }
    fixed(condition, scope)
}

/// Who is left when a Deny holds for everyone that its condition matches; `None` when that cannot be told, or is
/// everyone.
///
/// Only "not one of these fixed values" says who is left. A negated operator is true when the key is missing, with
/// or without `IfExists`, so that callers who lack the key are denied too; under `ForAnyValue:` they are not.
pub(super) fn spares(condition: &Condition<'_>, scope: Scope<'_>) -> Option<Reaches> {
    let is = |wanted: &str| condition.values.iter().all(|value| value.eq_ignore_ascii_case(wanted));
    if condition.test == Test::Bool && key(&condition.key) == Key::ServiceCall && !condition.values.is_empty() {
        return is("false").then(|| Reaches::one(Reach::of(Audience::Service)));
    }
    if !condition.negated || condition.quantifier == Quantifier::ForAny {
        return None;
    }
    fixed(condition, scope)
}

/// Whether a `Null` test with `false` demands that the key be there.
fn demanded(name: &str, all: &[Condition<'_>]) -> bool {
    all.iter().any(|c| {
        c.test == Test::Null
            && c.key == name
            && !c.values.is_empty()
            && c.values.iter().all(|v| v.eq_ignore_ascii_case("false"))
    })
}

/// Whom the values name, each of which must be fixed. No value at all names nobody in particular.
fn fixed(condition: &Condition<'_>, scope: Scope<'_>) -> Option<Reaches> {
    let values = &condition.values;
    if values.is_empty() {
        return None;
    }
    let kind = key(&condition.key);
    match (kind, condition.test) {
        (Key::SourceIp, Test::Ip) => narrow_addresses(values).then(|| Reaches::one(Reach::of(Audience::External))),
        (Key::SourceIp | Key::Indifferent, _) => None,
        (Key::ServiceCall, Test::Bool) => values
            .iter()
            .all(|value| value.eq_ignore_ascii_case("true"))
            .then(|| Reaches::one(Reach::of(Audience::Service))),
        (_, Test::Exact | Test::Glob | Test::Arn) => {
            let reaches = values.iter().map(|value| reach(kind, condition.test, value, scope));
            Some(Reaches::any(reaches.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn reach(kind: Key, test: Test, value: &str, scope: Scope<'_>) -> Option<Reach> {
    let plain = !is_open(value) && !value.is_empty();
    match kind {
        Key::Account => plain.then(|| Reach::account(value, scope.owner)),
        Key::Arn => arn(test, value, scope.s3, scope.owner),
        Key::AccessPointArn if scope.access_point => None,
        Key::AccessPointArn => arn(test, value, false, scope.owner),
        Key::Organisation | Key::Network => plain.then(|| Reach::of_zone(value)),
        Key::Thing => plain.then(|| Reach::of(Audience::External)),
        // A path below a fixed organisation may end in a wildcard: `o-a1b2c3d4e5/*` is the way to name all of it.
        Key::OrganisationPath => literal_prefix(value)
            .split_once('/')
            .filter(|(organisation, _)| organisation.starts_with("o-"))
            .map(|(organisation, _)| Reach::of_zone(organisation)),
        Key::UserId => user_id(value, scope),
        Key::ServiceName => plain.then(|| Reach::of(Audience::Service)),
        Key::UrlAuth => (value == "AWS_IAM").then(|| Reach::of(Audience::AnyAuthenticated)),
        Key::SourceIp | Key::ServiceCall | Key::Indifferent => None,
    }
}

/// Whom an ARN or ARN pattern names. `Arn...` operators match each of the six parts alone; for other operators a star
/// runs over the colons, so that nothing after it is fixed.
fn arn(test: Test, value: &str, strict: bool, owner: &str) -> Option<Reach> {
    if value.contains("${") || (strict && is_open(value)) {
        return None;
    }
    let told = if test == Test::Arn { value } else { literal_prefix(value) };
    let whole = told.len() == value.len();
    let mut parts = told.splitn(6, ':');
    let (_arn, _partition, service, _region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let account = parts.next()?;
    // Without the part after it, the account may be cut off in the middle.
    let resource = parts.next()?;
    match account {
        // A bucket's ARN names no account, but its name is unique.
        "" | "*" if service == "s3" && whole && !is_open(resource) && !resource.is_empty() => {
            Some(Reach::of(Audience::External))
        }
        "" if whole && !is_open(value) => Some(Reach::of(Audience::External)),
        account if account.is_empty() || is_open(account) => None,
        account => Some(Reach::account(account, owner)),
    }
}

/// Whom a user id names: `AIDA…`, an account id (its root user), or `AROA…:session`. A role's id is unique, so that a
/// pattern of its sessions is fixed, but not for S3.
fn user_id(value: &str, scope: Scope<'_>) -> Option<Reach> {
    if !is_open(value) {
        let is_account = value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit());
        return (!value.is_empty())
            .then(|| if is_account { Reach::account(value, scope.owner) } else { Reach::of(Audience::External) });
    }
    let role = literal_prefix(value).split_once(':').is_some_and(|(id, _)| id.starts_with("AROA") && id.len() >= 16);
    (role && !scope.s3).then(|| Reach::of(Audience::External))
}

/// Whether a set of `aws:SourceIp` values is narrow enough. S3 calls anything broader than a `/8` of IPv4 or a `/32` of
/// IPv6 public; many networks that together make up the internet are no better.
fn narrow_addresses(values: &[Cow<'_, str>]) -> bool {
    let Some(networks) = values.iter().map(|value| address::parse(value)).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let each = networks.iter().all(|network| match network {
        ipnet::IpNet::V4(net) => net.prefix_len() >= 8,
        ipnet::IpNet::V6(net) => net.prefix_len() >= 32,
    });
    each && !address::is_internet(networks)
}
