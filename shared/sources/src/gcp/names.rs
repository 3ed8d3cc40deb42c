//! Names of services and methods, without what differs from one client to the next.
//!
//! The same call is logged as `v1.compute.firewalls.insert` or `beta.compute.firewalls.insert`, as `SetIamPolicy` or
//! `google.iam.v1.IAMPolicy.SetIamPolicy` or `google.iam.admin.v1.SetIAMPolicy`
//! (<https://cloud.google.com/logging/docs/audit/services>).

use std::borrow::Cow;

/// A service's short name: `storage.googleapis.com` is `storage`, `k8s.io` is `k8s`, and a regional name loses its region
/// (`us-central1-ssh-serialport.googleapis.com`). Cloud SQL's two names are one: `cloudsql`.
pub(super) fn service_of<'a>(name: &Cow<'a, str>) -> Cow<'a, str> {
    let cut = |text: &str| -> (usize, usize) {
        let end = [".googleapis.com", ".io", ".com"]
            .iter()
            .find_map(|ending| text.strip_suffix(ending).map(str::len))
            .unwrap_or(text.len());
        let start = text.get(..end).and_then(region_end).unwrap_or(0);
        (start, end)
    };
    let short: Cow<'a, str> = match name {
        Cow::Borrowed(text) => {
            let (start, end) = cut(text);
            Cow::Borrowed(text.get(start..end).unwrap_or(text))
        }
        Cow::Owned(text) => {
            let (start, end) = cut(text);
            Cow::Owned(text.get(start..end).unwrap_or(text).to_owned())
        }
    };
    if short == "sqladmin" { Cow::Borrowed("cloudsql") } else { short }
}

/// Where a name goes on behind a region such as `us-central1-`.
fn region_end(name: &str) -> Option<usize> {
    let (area, rest) = name.split_once('-')?;
    let (place, _) = rest.split_once('-')?;
    let is_region = area.len() >= 2
        && area.bytes().all(|b| b.is_ascii_lowercase())
        && place.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
    is_region.then(|| area.len() + place.len() + 2)
}

/// Old names of `BigQuery`'s calls, and what they are called now.
const OLD: [(&str, &str); 8] = [
    ("datasetservice.insert", "InsertDataset"),
    ("datasetservice.update", "UpdateDataset"),
    ("datasetservice.patch", "PatchDataset"),
    ("datasetservice.delete", "DeleteDataset"),
    ("tableservice.insert", "InsertTable"),
    ("tableservice.update", "UpdateTable"),
    ("tableservice.delete", "DeleteTable"),
    ("jobservice.insert", "InsertJob"),
];

/// The action: the method without API version, package and service. A method of a gRPC service is its last part (`UpdateSink`); one of a REST
/// service keeps its collection (`firewalls.insert`, `pods.exec.create`).
pub(super) fn action_of<'a>(service: &str, method: &Cow<'a, str>) -> Cow<'a, str> {
    if let Some((_, now)) = OLD.iter().find(|(old, _)| *old == method.as_ref()) {
        return Cow::Borrowed(now);
    }
    let start = action_start(service, method);
    let action = match method {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..).unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text.get(start..).unwrap_or(text).to_owned()),
    };
    if action.eq_ignore_ascii_case("SetIamPolicy") && action.starts_with('S') {
        return Cow::Borrowed("SetIamPolicy");
    }
    action
}

/// Where the action starts in a method's name.
fn action_start(service: &str, method: &str) -> usize {
    let last = method.rfind('.').map_or(0, |dot| dot + 1);
    if method.get(last..).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase())) {
        return last;
    }
    let mut start = 0;
    let mut at = 0;
    for part in method.split('.') {
        let next = at + part.len() + 1;
        if next > last {
            break;
        }
        let leads = start == at && (part == "google" || part == service);
        if is_version(part) || leads {
            start = next;
        }
        at = next;
    }
    start
}

/// `v1`, `v1beta4`, `beta`, `alpha`.
fn is_version(part: &str) -> bool {
    let digits = part.strip_prefix('v').or_else(|| part.strip_prefix('V')).unwrap_or_default();
    matches!(part, "beta" | "alpha") || digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Beginnings of the names of calls that change nothing.
const READS: [&str; 16] = [
    "get",
    "list",
    "read",
    "search",
    "query",
    "aggregatedlist",
    "testiam",
    "check",
    "watch",
    "fetch",
    "lookup",
    "batchget",
    "describe",
    "export",
    "analyze",
    "view",
];

/// Whether a call only reads, told from its name.
pub(super) fn is_read(action: &str) -> bool {
    let last = action.rsplit('.').next().unwrap_or(action).to_ascii_lowercase();
    READS.iter().any(|start| last.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_short_names() {
        let cases = [
            ("storage.googleapis.com", "storage"),
            ("k8s.io", "k8s"),
            ("cloudsql.googleapis.com", "cloudsql"),
            ("sqladmin.googleapis.com", "cloudsql"),
            ("us-central1-ssh-serialport.googleapis.com", "ssh-serialport"),
            ("cloud-build.googleapis.com", "cloud-build"),
            ("login", "login"),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(service_of(&Cow::Borrowed(name)), expected, "{name}");
            assert_eq!(service_of(&Cow::Owned(name.to_owned())), expected, "{name}");
        }
    }

    #[test]
    fn every_dialect_of_a_method_is_one_action() {
        let cases = [
            ("compute", "v1.compute.firewalls.insert", "firewalls.insert"),
            ("compute", "beta.compute.firewalls.insert", "firewalls.insert"),
            ("compute", "compute.instances.insert", "instances.insert"),
            ("compute", "compute.beta.firewalls.insert", "firewalls.insert"),
            ("storage", "storage.setIamPermissions", "setIamPermissions"),
            ("storage", "storage.buckets.update", "buckets.update"),
            ("storage", "google.storage.objects.get", "objects.get"),
            ("cloudsql", "cloudsql.instances.update", "instances.update"),
            ("iam", "google.iam.admin.v1.CreateServiceAccountKey", "CreateServiceAccountKey"),
            ("iam", "google.iam.admin.v1.SetIAMPolicy", "SetIamPolicy"),
            ("pubsub", "google.iam.v1.IAMPolicy.SetIamPolicy", "SetIamPolicy"),
            ("cloudresourcemanager", "SetIamPolicy", "SetIamPolicy"),
            ("compute", "v1.compute.disks.setIamPolicy", "disks.setIamPolicy"),
            ("bigquery", "datasetservice.update", "UpdateDataset"),
            ("bigquery", "google.cloud.bigquery.v2.DatasetService.PatchDataset", "PatchDataset"),
            ("logging", "google.logging.v2.ConfigServiceV2.UpdateSink", "UpdateSink"),
            ("container", "google.container.v1beta1.ClusterManager.UpdateCluster", "UpdateCluster"),
            ("k8s", "io.k8s.core.v1.pods.exec.create", "pods.exec.create"),
            ("k8s", "io.k8s.authorization.rbac.v1.clusterrolebindings.create", "clusterrolebindings.create"),
            ("deploymentmanager", "v2.deploymentmanager.deployments.insert", "deployments.insert"),
            ("dns", "dns.managedZones.patch", "managedZones.patch"),
            ("x", "v1", "v1"),
            ("x", "a..b", "a..b"),
            ("x", ".", "."),
            ("x", "", ""),
        ];
        let found: Vec<_> =
            cases.iter().map(|(service, method, _)| action_of(service, &Cow::Borrowed(*method))).collect();
        let wrong: Vec<_> = cases.iter().zip(&found).filter(|((_, _, expected), found)| expected != *found).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn reads_are_told_by_their_verb() {
        for action in ["objects.get", "ListKeys", "pods.list", "TestIamPermissions", "BatchGetAssets"] {
            assert!(is_read(action), "{action}");
        }
        for action in ["objects.create", "SetIamPolicy", "instances.insert", "GenerateAccessToken", "Encrypt"] {
            assert!(!is_read(action), "{action}");
        }
    }
}
