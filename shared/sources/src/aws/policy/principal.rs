//! Whom a principal names, before conditions.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal".

use onus_core::Audience;

use super::condition::{Scope, names_source, narrows};
use super::federated;
use super::pattern::is_open;
use super::reach::{Reach, Reaches};
use super::statement::{Condition, Principal};

/// Whom one principal names when nothing narrows it.
pub(super) fn reach(principal: Principal<'_>, conditions: &[Condition<'_>], scope: Scope<'_>) -> Reach {
    match principal {
        Principal::Everyone => Reach::of(Audience::Public),
        Principal::Aws(text) => aws(text, scope.owner),
        Principal::Service(_) => Reach::of(Audience::Service),
        Principal::Federated(provider) => federated::reach(provider, conditions, scope),
        // The log does not tell whose canonical id it is.
        Principal::Canonical(_) => Reach::of(Audience::External),
    }
}

/// Whom one principal of an Allow lets in, once its conditions are taken into account.
pub(super) fn narrowed(principal: Principal<'_>, conditions: &[Condition<'_>], scope: Scope<'_>) -> Reaches {
    let plain = Reaches::one(reach(principal, conditions, scope));
    if matches!(principal, Principal::Service(_)) {
        return service(conditions, scope).unwrap_or(plain);
    }
    let limits = conditions.iter().filter_map(|c| narrows(c, conditions, scope));
    Reaches::tightest(limits.chain([plain])).unwrap_or_default()
}

/// For whom a service may act. With a fixed source it acts for a foreign account when the source tells one; otherwise,
/// for the owner or for somebody in particular (an organisation, a bucket), it is [`Audience::Internal`]. Without a
/// fixed source it stays [`Audience::Service`]: anybody who can make the service act can use the grant, the confused
/// deputy (IAM User Guide).
fn service(conditions: &[Condition<'_>], scope: Scope<'_>) -> Option<Reaches> {
    // The account that a source ARN tells is taken as it is: S3's letter is about who is public, not about this.
    let scope = Scope { s3: false, ..scope };
    let limits = conditions.iter().filter(|c| names_source(&c.key)).filter_map(|c| narrows(c, conditions, scope));
    let tightest = Reaches::tightest(limits)?;
    let acting = tightest.into_list().into_iter().map(|reach| match &reach.account {
        Some(account) if is_account_id(account) => reach,
        _ => Reach::of(Audience::Internal),
    });
    Some(Reaches::any(acting.collect()))
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// An account id, an ARN, or a unique id. A wildcard is not allowed there by the grammar; where a service takes it all
/// the same, it fixes nothing.
fn aws(text: &str, owner: &str) -> Reach {
    if is_account_id(text) {
        return Reach::account(text, owner);
    }
    if !text.starts_with("arn:") {
        return Reach::of(if is_open(text) { Audience::Public } else { Audience::External });
    }
    match text.split(':').nth(4).unwrap_or_default() {
        // Origin access identities: `arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE`.
        "cloudfront" => Reach::of(Audience::Service),
        account if is_open(account) => Reach::of(Audience::Public),
        "" => Reach::of(Audience::External),
        account => Reach::account(account, owner),
    }
}
