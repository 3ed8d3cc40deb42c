//! Identities from outside AWS: SAML and OIDC providers.
//!
//! Some OIDC issuers serve everybody: any of their users gets a token with the same issuer and audience. A
//! trust in such an issuer is open to the world unless a condition fixes a claim that names the tenant. Sources: IAM
//! User Guide, "Identity-provider controls for shared OIDC providers" and "Available keys for AWS OIDC federation"; for
//! Facebook without a condition also the first example of a public policy in "The meaning of public" (S3 User Guide).

use onus_core::Audience;

use super::condition::Scope;
use super::pattern::{is_open, literal_prefix};
use super::reach::Reach;
use super::statement::{Condition, Quantifier, Test};

/// Issuers that anybody may have tokens of, and the claims any one of which names the tenant.
const SHARED: [(&str, &[&str]); 19] = [
    ("accounts.google.com", &["aud", "oaud", "sub"]),
    ("agent.buildkite.com", &["sub"]),
    ("api.pulumi.com/oidc", &["aud", "sub"]),
    ("app.terraform.io", &["sub"]),
    ("cognito-identity.amazonaws.com", &["aud", "sub"]),
    ("gitlab.com", &["sub"]),
    ("graph.facebook.com", &["app_id", "id"]),
    ("oidc-configuration.audit-log.githubusercontent.com", &["sub"]),
    ("oidc.codefresh.io", &["sub"]),
    ("oidc.vercel.com", &["aud", "sub"]),
    ("proidc.upbound.io", &["sub"]),
    ("sandboxes.cloud", &["aud", "sub"]),
    ("scalr.io", &["sub"]),
    ("studio.datachain.ai/api", &["sub"]),
    ("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d", &["sub"]),
    ("token.actions.githubusercontent.com", GITHUB),
    ("tokens.cloud.shisho.dev", &["sub"]),
    ("vstoken.actions.githubusercontent.com", GITHUB),
    ("www.amazon.com", &["app_id", "user_id"]),
];

const GITHUB: &[&str] = &[
    "sub",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "enterprise_id",
    "job_workflow_ref",
];

/// Whom a federated principal lets in.
///
/// A SAML provider is the identity provider of the account that holds it. An OIDC provider of an EKS
/// cluster is internal, any other issuer is of another organisation, and a shared one without a fixed tenant is public.
pub(super) fn reach(provider: &str, conditions: &[Condition<'_>], scope: Scope<'_>) -> Reach {
    if is_open(provider) {
        return Reach::of(Audience::Public);
    }
    let account = provider.split(':').nth(4).unwrap_or_default();
    if provider.contains(":saml-provider/") {
        return Reach::account(account, scope.owner);
    }
    let issuer = provider.split_once(":oidc-provider/").map_or(provider, |(_, issuer)| issuer).to_ascii_lowercase();
    if issuer.starts_with("oidc.eks.") {
        return Reach::account(account, scope.owner);
    }
    match SHARED.iter().find(|(shared, _)| issuer == *shared) {
        Some((_, claims)) if !conditions.iter().any(|c| fixes_tenant(c, &issuer, claims)) => {
            Reach::of(Audience::Public)
        }
        _ => Reach::of(Audience::External),
    }
}

fn fixes_tenant(condition: &Condition<'_>, issuer: &str, claims: &[&str]) -> bool {
    let Some(claim) = condition.key.strip_prefix(issuer).and_then(|rest| rest.strip_prefix(':')) else {
        return false;
    };
    claims.contains(&claim)
        && !condition.negated
        && !condition.if_exists
        && condition.quantifier != Quantifier::ForAll
        && matches!(condition.test, Test::Exact | Test::Glob)
        && !condition.values.is_empty()
        && condition.values.iter().all(|value| names_tenant(value))
}

/// Whether a claim's value names a tenant: it has no wildcard, or the wildcard comes after a whole name, as in
/// `repo:example/*` and `organization:example:*`, but not in `repo:example*`, which an `example-evil` matches too.
fn names_tenant(value: &str) -> bool {
    if !is_open(value) {
        return !value.is_empty();
    }
    let Some((_kind, rest)) = literal_prefix(value).split_once(':') else { return false };
    rest.find([':', '/']).is_some_and(|end| end > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_names_a_tenant_only_behind_a_whole_name() {
        let cases = [
            ("repo:example/app:ref:refs/heads/main", true),
            ("repo:example/*", true),
            ("organization:example:*", true),
            ("repo:example*", false),
            ("repo:*/app", false),
            ("repo:*", false),
            ("repo:/*", false),
            ("*", false),
            ("", false),
            ("repo:${aws:username}/x", false),
        ];
        let wrong: Vec<_> = cases.iter().filter(|(value, yes)| names_tenant(value) != *yes).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
