//! Who called, and through whom.
//!
//! Source: `AuthenticationInfo`
//! (<https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog#authenticationinfo>).

use std::borrow::Cow;

use onus_core::{Actor, Json};

use super::effects::project_of;
use crate::text::Text;

/// The actor of a payload's `authenticationInfo`.
///
/// `id` and `principal` are the e-mail address, else the subject (federated identities have no address). `account` is the project of a
/// service account or the domain of a person, `issuer` the key that a service account signed in with, `delegates` the chain of identities that
/// took the service account's place, in the order of the log. An address that the log redacted leaves all of them empty.
pub(super) fn of(authentication: Option<&str>) -> Actor<'_> {
    let Some(info) = authentication.and_then(|text| Json::parse(text).ok()) else { return Actor::default() };
    let text = |name: &str| Text::of_json(info.get_ci(name));
    let subject = text("principalSubject");
    let id = text("principalEmail").or(subject.clone()).0;
    let delegates = info.get_ci("serviceAccountDelegationInfo").each().iter().filter_map(delegate).collect();
    Actor {
        kind: Cow::Borrowed(kind_of(&id, &subject.0)),
        account: account_of(&id).map(|account| Cow::Owned(account.to_owned())).unwrap_or_default(),
        principal: id.clone(),
        id,
        issuer: text("serviceAccountKeyName").some(),
        invoked_by: None,
        mfa: None,
        delegates,
    }
}

/// `user`, `serviceAccount` or, for federated identities, `principal`. Empty when the log names nobody.
fn kind_of(id: &str, subject: &str) -> &'static str {
    if id.ends_with(".gserviceaccount.com") || subject.starts_with("serviceAccount:") {
        "serviceAccount"
    } else if subject.starts_with("principal:") || subject.starts_with("principalSet:") {
        "principal"
    } else if id.is_empty() {
        ""
    } else {
        "user"
    }
}

fn account_of(id: &str) -> Option<&str> {
    match id.strip_suffix("@appspot.gserviceaccount.com") {
        Some(project) => Some(project),
        None => project_of(id).or_else(|| id.rsplit_once('@').map(|(_, domain)| domain)),
    }
}

/// One link of the chain: its subject, else Google's own or somebody else's principal.
fn delegate<'a>(link: &Json<'a>) -> Option<Cow<'a, str>> {
    let first = link.get_ci("firstPartyPrincipal");
    let third = link.get_ci("thirdPartyPrincipal").get_ci("thirdPartyClaims");
    Text::of_json(link.get_ci("principalSubject"))
        .or(Text::of_json(first.get_ci("principalEmail")))
        .or(Text::of_json(third.get_ci("sub")))
        .some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegation_chain_is_kept_in_order() {
        let actor = of(Some(
            r#"{"principalEmail":"deploy@example-project.iam.gserviceaccount.com",
                "serviceAccountKeyName":"//iam.googleapis.com/projects/example-project/serviceAccounts/deploy/keys/k1",
                "serviceAccountDelegationInfo":[{"principalSubject":"user:ann@example.com"},
                    {"firstPartyPrincipal":{"principalEmail":"robot@system.gserviceaccount.com"}},
                    {"thirdPartyPrincipal":{"thirdPartyClaims":{"sub":"repo:example"}}}, {}]}"#,
        ));
        assert_eq!((actor.kind.as_ref(), actor.account.as_ref()), ("serviceAccount", "example-project"));
        assert_eq!(actor.delegates, ["user:ann@example.com", "robot@system.gserviceaccount.com", "repo:example"]);
        assert!(actor.issuer.is_some_and(|key| key.ends_with("/keys/k1")));
    }

    #[test]
    fn who_is_not_named_is_nobody() {
        for text in [None, Some("{}"), Some("[]"), Some("7"), Some(r#"{"principalEmail":""}"#)] {
            assert_eq!(of(text), Actor::default(), "{text:?}");
        }
        let federated = of(Some(
            r#"{"principalSubject":"principal://iam.googleapis.com/locations/global/workforcePools/p/subject/s"}"#,
        ));
        assert_eq!(federated.kind, "principal");
        assert!(federated.id.starts_with("principal://"));
    }
}
