//! Whom a member of a policy stands for, and how much a role allows.
//!
//! Sources: "Principal identifiers", "IAM basic and predefined roles reference", "Service agents"
//! (<https://cloud.google.com/iam/docs/principal-identifiers>).

use onus_core::{Audience, Level};

/// Who a member is, seen from the project of the resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reach<'m> {
    pub(super) audience: Audience,
    /// The project, domain or organisation that stands for it.
    pub(super) account: Option<&'m str>,
}

impl<'m> Reach<'m> {
    const fn new(audience: Audience, account: Option<&'m str>) -> Self {
        Self { audience, account }
    }

    /// Somebody of a project: our own, or another. A project of a domain, `example.com:shop`, is `shop.example.com` in addresses.
    fn of_project(project: &'m str, own: &str) -> Self {
        let spelt = |(domain, name): (&str, &str)| {
            project.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest == domain)
        };
        let is_own = !own.is_empty() && (project == own || own.split_once(':').is_some_and(spelt));
        let audience = if is_own { Audience::Internal } else { Audience::External };
        Self::new(audience, Some(project).filter(|project| !project.is_empty()))
    }
}

/// Whom a member reaches. `None` for an identity that was deleted: its entry stays in a policy and lets nobody in.
///
/// People, groups and domains are [`Audience::External`] with their domain as the account: no record tells whose domain it is, so an
/// operator names the own ones as trusted. The same holds for identity pools and default service accounts, which are known by their
/// project's number only. An identity without a prefix is taken as a person's.
pub(super) fn reach<'m>(member: &'m str, own_project: &str) -> Option<Reach<'m>> {
    if member.eq_ignore_ascii_case("allUsers") || member == "principalSet://goog/public:all" {
        return Some(Reach::new(Audience::Public, None));
    }
    if member.eq_ignore_ascii_case("allAuthenticatedUsers") {
        return Some(Reach::new(Audience::AnyAuthenticated, None));
    }
    let (kind, id) = member.split_once(':').unwrap_or(("user", member));
    Some(match kind {
        "deleted" => return None,
        "serviceAccount" => service_account(id, own_project),
        "projectOwner" | "projectEditor" | "projectViewer" => Reach::of_project(id, own_project),
        "domain" => Reach::new(Audience::External, Some(id)),
        "principal" | "principalSet" => federated(id, own_project),
        // A service account under another prefix, or under none.
        _ if id.ends_with(".gserviceaccount.com") => service_account(id, own_project),
        _ => Reach::new(Audience::External, id.rsplit_once('@').map(|(_, domain)| domain)),
    })
}

/// The project of a service account, told from its address. Google's own agents act for the customer and count as services.
fn service_account<'m>(address: &'m str, own_project: &str) -> Reach<'m> {
    // A Kubernetes service account: `project.svc.id.goog[namespace/name]`.
    if let Some((project, _)) = address.split_once(".svc.id.goog") {
        return Reach::of_project(project, own_project);
    }
    let (name, domain) = address.split_once('@').unwrap_or((address, ""));
    match domain {
        "appspot.gserviceaccount.com" => Reach::of_project(name, own_project),
        // `123-compute@developer…`: only the project's number.
        "developer.gserviceaccount.com" => {
            Reach::of_project(name.split_once('-').map_or(name, |(number, _)| number), own_project)
        }
        "cloudservices.gserviceaccount.com" | "cloudbuild.gserviceaccount.com" | "system.gserviceaccount.com" => {
            Reach::new(Audience::Service, None)
        }
        _ => match project_of(address) {
            Some(project) if is_agent(project) => Reach::new(Audience::Service, None),
            Some(project) => Reach::of_project(project, own_project),
            None => Reach::new(Audience::External, Some(domain).filter(|domain| !domain.is_empty())),
        },
    }
}

/// The project in `name@project.iam.gserviceaccount.com`.
pub(in crate::gcp) fn project_of(address: &str) -> Option<&str> {
    address.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com").filter(|project| !project.is_empty())
}

/// Projects in which Google keeps its service agents: `gcp-sa-…` and the older `…-system` and robots.
fn is_agent(project: &str) -> bool {
    const OLD: [&str; 10] = [
        "compute-system",
        "container-engine-robot",
        "containerregistry",
        "dataflow-service-producer-prod",
        "dataproc-accounts",
        "cloud-filer",
        "gae-api-prod.google.com",
        "gcf-admin-robot",
        "serverless-robot-prod",
        "gs-project-accounts",
    ];
    project.starts_with("gcp-sa-") || OLD.contains(&project)
}

/// Workforce and workload identities, and sets of them: whoever runs the pool decides who is in it.
fn federated<'m>(id: &'m str, own_project: &str) -> Reach<'m> {
    let path = id.trim_start_matches('/');
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("projects"), Some(project)) => Reach::of_project(project, own_project),
        (Some("organizations" | "folders"), Some(number)) => Reach::new(Audience::External, Some(number)),
        // `locations/global/workforcePools/POOL`
        _ => Reach::new(Audience::External, path.split_once("/workforcePools/").and_then(|(_, p)| p.split('/').next())),
    }
}

/// Roles that let their holder act as another identity, and through it get whatever that has.
const IMPERSONATION: [&str; 5] = [
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountUser",
    "roles/iam.workloadIdentityUser",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.serviceAccountKeyAdmin",
];

/// Endings of the names of roles that only look or use.
const READS: [&str; 14] = [
    "viewer",
    "reader",
    "browser",
    "lister",
    "accessor",
    "invoker",
    "subscriber",
    "encrypter",
    "decrypter",
    "encrypterdecrypter",
    "consumer",
    "user",
    "client",
    "reviewer",
];

/// How much a role allows at most, told from its name. The basic roles and the words of old access lists (`OWNER`) are known; of
/// predefined roles the name tells; a customer's own roles are taken as ones that write.
pub(super) fn level(role: &str) -> Level {
    let name = role.rsplit('/').next().unwrap_or(role);
    if !role.starts_with("roles/") && role.contains('/') {
        return Level::Write;
    }
    if IMPERSONATION.contains(&role) {
        return Level::Admin;
    }
    let name = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    if name.contains("admin") || name.ends_with("owner") {
        Level::Admin
    } else if READS.iter().any(|ending| name.ends_with(ending)) {
        Level::Read
    } else {
        Level::Write
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_member_reaches_whom_it_names() {
        use Audience::{AnyAuthenticated, External, Internal, Public, Service};
        let cases = [
            ("allUsers", Public, None),
            ("allusers", Public, None),
            ("principalSet://goog/public:all", Public, None),
            ("allAuthenticatedUsers", AnyAuthenticated, None),
            ("user:ann@example.com", External, Some("example.com")),
            ("ann@example.com", External, Some("example.com")),
            ("group:team@example.org", External, Some("example.org")),
            ("domain:example.com", External, Some("example.com")),
            ("projectOwner:example-project", Internal, Some("example-project")),
            ("projectViewer:other-project", External, Some("other-project")),
            ("serviceAccount:app@example-project.iam.gserviceaccount.com", Internal, Some("example-project")),
            ("serviceAccount:app@other-project.iam.gserviceaccount.com", External, Some("other-project")),
            ("serviceAccount:example-project@appspot.gserviceaccount.com", Internal, Some("example-project")),
            ("serviceAccount:123-compute@developer.gserviceaccount.com", External, Some("123")),
            ("serviceAccount:123@cloudservices.gserviceaccount.com", Service, None),
            ("serviceAccount:service-123@gcp-sa-logging.iam.gserviceaccount.com", Service, None),
            ("serviceAccount:service-123@compute-system.iam.gserviceaccount.com", Service, None),
            ("serviceAccount:example-project.svc.id.goog[default/app]", Internal, Some("example-project")),
            ("serviceAccount:other-project.svc.id.goog[default/app]", External, Some("other-project")),
            (
                "principalSet://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/*",
                External,
                Some("123"),
            ),
            ("principalSet://cloudresourcemanager.googleapis.com/organizations/456", External, Some("456")),
            ("principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*", External, Some("staff")),
            ("user:", External, None),
        ];
        let wrong: Vec<_> = cases
            .iter()
            .map(|(member, audience, account)| (member, reach(member, "example-project"), audience, account))
            .filter(|(_, found, audience, account)| *found != Some(Reach::new(**audience, **account)))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(reach("deleted:user:ann@example.com?uid=1", "example-project"), None);
    }

    #[test]
    fn a_project_of_a_domain_is_spelt_in_two_ways() {
        let audience = |member: &str| reach(member, "example.com:shop").map(|reach| reach.audience);
        assert_eq!(audience("serviceAccount:app@shop.example.com.iam.gserviceaccount.com"), Some(Audience::Internal));
        assert_eq!(audience("projectOwner:example.com:shop"), Some(Audience::Internal));
        for other in ["shop.example.org", "shopexample.com", "a.shop.example.com"] {
            let member = format!("serviceAccount:app@{other}.iam.gserviceaccount.com");
            assert_eq!(audience(&member), Some(Audience::External), "{member}");
        }
    }

    #[test]
    fn an_unknown_project_owns_nobody() {
        assert_eq!(reach("projectOwner:", "").map(|reach| reach.audience), Some(Audience::External));
    }

    #[test]
    fn a_role_s_name_tells_its_level() {
        use Level::{Admin, Read, Write};
        let cases = [
            ("roles/owner", Admin),
            ("roles/editor", Write),
            ("roles/viewer", Read),
            ("roles/storage.objectViewer", Read),
            ("roles/storage.objectCreator", Write),
            ("roles/storage.objectAdmin", Admin),
            ("roles/storage.legacyBucketOwner", Admin),
            ("roles/storage.legacyObjectReader", Read),
            ("roles/resourcemanager.projectIamAdmin", Admin),
            ("roles/iam.serviceAccountTokenCreator", Admin),
            ("roles/iam.serviceAccountUser", Admin),
            ("roles/run.invoker", Read),
            ("roles/bigquery.dataOwner", Admin),
            ("roles/bigquery.dataEditor", Write),
            ("roles/cloudkms.cryptoKeyEncrypterDecrypter", Read),
            ("projects/example-project/roles/viewer", Write),
            ("organizations/1/roles/anything", Write),
            ("READER", Read),
            ("WRITER", Write),
            ("OWNER", Admin),
        ];
        let wrong: Vec<_> = cases.iter().filter(|(role, expected)| level(role) != *expected).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
