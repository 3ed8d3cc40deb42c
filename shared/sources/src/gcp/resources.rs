//! What a change is about: kind, full name and short name, told from `resourceName` and the monitored resource's labels.
//!
//! Kinds and full names are those of Cloud Asset Inventory
//! (<https://cloud.google.com/asset-inventory/docs/asset-names>), so that one name finds a thing in both. Where the inventory does not know a
//! kind, it is built in the same manner: `…/targetHttpProxies/p` is a `compute.googleapis.com/TargetHttpProxy`.

use std::borrow::Cow;

use onus_core::{Document, Json, Resource};

use super::record::Payload;
use crate::text::Text;

/// What resources are told from.
pub(super) struct Subject<'s, 'a> {
    /// `storage.googleapis.com`
    pub(super) host: &'s str,
    /// `storage`
    pub(super) service: &'s str,
    /// The project.
    pub(super) account: &'s str,
    /// `protoPayload.resourceName`
    pub(super) name: &'s str,
    /// `resource.labels`
    pub(super) labels: &'s Json<'a>,
    pub(super) request: &'s Document<'a>,
    pub(super) response: &'s Document<'a>,
    pub(super) payload: &'s Payload<'a>,
}

/// Collections whose kind is not their name in the singular: host, collection, kind.
const KINDS: &[(&str, &str, &str)] = &[
    ("logging.googleapis.com", "sinks", "logging.googleapis.com/LogSink"),
    ("logging.googleapis.com", "buckets", "logging.googleapis.com/LogBucket"),
    ("logging.googleapis.com", "metrics", "logging.googleapis.com/LogMetric"),
    ("logging.googleapis.com", "exclusions", "logging.googleapis.com/LogExclusion"),
    ("cloudsql.googleapis.com", "instances", "sqladmin.googleapis.com/Instance"),
    ("compute.googleapis.com", "regionBackendServices", "compute.googleapis.com/BackendService"),
    ("compute.googleapis.com", "globalAddresses", "compute.googleapis.com/Address"),
    ("cloudfunctions.googleapis.com", "functions", "cloudfunctions.googleapis.com/Function"),
    ("iam.googleapis.com", "keys", "iam.googleapis.com/ServiceAccountKey"),
];

/// Kinds of Kubernetes, whose collections are written without capitals.
const KUBERNETES: &[(&str, &str)] = &[
    ("clusterrolebindings", "rbac.authorization.k8s.io/ClusterRoleBinding"),
    ("clusterroles", "rbac.authorization.k8s.io/ClusterRole"),
    ("rolebindings", "rbac.authorization.k8s.io/RoleBinding"),
    ("roles", "rbac.authorization.k8s.io/Role"),
    ("pods", "k8s.io/Pod"),
    ("nodes", "k8s.io/Node"),
    ("secrets", "k8s.io/Secret"),
    ("configmaps", "k8s.io/ConfigMap"),
    ("services", "k8s.io/Service"),
    ("namespaces", "k8s.io/Namespace"),
    ("serviceaccounts", "k8s.io/ServiceAccount"),
    ("deployments", "apps.k8s.io/Deployment"),
    ("daemonsets", "apps.k8s.io/DaemonSet"),
    ("statefulsets", "apps.k8s.io/StatefulSet"),
    ("cronjobs", "batch.k8s.io/CronJob"),
    ("jobs", "batch.k8s.io/Job"),
    ("ingresses", "networking.k8s.io/Ingress"),
];

/// Collections that only say where something is.
const PLACES: [&str; 7] = ["projects", "locations", "regions", "zones", "folders", "organizations", "billingAccounts"];

/// What the change is about first, then what holds it: a key and its service account, a table and its data set.
pub(super) fn of<'a>(subject: &Subject<'_, 'a>) -> Vec<Resource<'a>> {
    match subject.service {
        "k8s" => kubernetes(subject),
        "storage" => storage(subject),
        _ => {
            let path = subject.path();
            let mut found = chain(subject, &path);
            if found.is_empty() {
                found.extend(place(subject, &path));
            }
            found
        }
    }
}

impl Subject<'_, '_> {
    fn label(&self, name: &str) -> String {
        Text::of_json(self.labels.get_ci(name)).0.into_owned()
    }

    /// The path of the thing itself. A call that makes something names what it makes it in; the thing's own path then is in the answer or
    /// in the request.
    fn path(&self) -> String {
        let path =
            self.name.strip_prefix("//").and_then(|name| name.split_once('/')).map_or(self.name, |(_, path)| path);
        let path = path.trim_matches('/');
        let made = self.made(path);
        let path = made.unwrap_or_else(|| path.to_owned());
        match self.service {
            "iam" => self.service_account(&path),
            // `instances/name`, `managedZones/zone`: without their project.
            "cloudsql" | "dns" if !path.starts_with("projects/") => self.in_project(&path),
            "run" => self.cloud_run(&path),
            _ => path,
        }
    }

    fn in_project(&self, path: &str) -> String {
        if !path.is_empty() {
            return format!("projects/{}/{path}", self.account);
        }
        // `project:instance`
        match self.label("database_id").rsplit_once(':') {
            Some((_, instance)) if self.service == "cloudsql" => {
                format!("projects/{}/instances/{instance}", self.account)
            }
            _ => String::new(),
        }
    }

    /// The path of what a call made, when the name it was called on only says where. Names of other things that an answer may carry
    /// (an operation's) do not start with that place.
    fn made(&self, path: &str) -> Option<String> {
        if leaf(path).is_some() {
            return None;
        }
        let (request, response) = (self.request.json(), self.response.json());
        if self.service == "bigquery" {
            return self.dataset();
        }
        let within = |name: &String| {
            let place = path.strip_suffix('/').unwrap_or(path);
            leaf(name).is_some_and(|(collection, _)| collection != "operations")
                && (place.is_empty() || name.starts_with(place) || name.starts_with("projects/"))
        };
        let named = text_at(&[(response, "name")]).filter(&within);
        let named = named.or_else(|| text_at(&[(request, "name"), (request, "resource.name")]).filter(&within));
        named.or_else(|| {
            // `sinks.create` and the like: the parent in one member, the new name in another.
            let (collection, places): (&str, &[(&Json<'_>, &str)]) = match self.service {
                "logging" => ("sinks", &[(request, "sink.name")]),
                "container" => ("clusters", &[(request, "cluster.name")]),
                "cloudsql" => {
                    ("instances", &[(request, "body.name"), (request, "instance"), (request, "resource.name")])
                }
                _ => return None,
            };
            let name = text_at(places)?;
            let within = if path.is_empty() { format!("projects/{}", self.account) } else { path.to_owned() };
            let within = within.strip_suffix(collection).unwrap_or(&within).trim_end_matches('/').to_owned();
            Some(format!("{within}/{collection}/{name}"))
        })
    }

    /// A dataset that was just made.
    fn dataset(&self) -> Option<String> {
        let parse = |text: Option<&'_ str>| text.and_then(|text| Json::parse(text).ok().map(Json::into_owned));
        let metadata = parse(self.payload.metadata).unwrap_or_default();
        let data = parse(self.payload.service_data).unwrap_or_default();
        if let Some(path) = text_at(&[(&metadata, "datasetCreation.dataset.datasetName")]) {
            return Some(path);
        }
        let id = text_at(&[
            (&data, "datasetInsertRequest.resource.datasetName.datasetId"),
            (&data, "datasetUpdateRequest.resource.datasetName.datasetId"),
            (self.request.json(), "datasetReference.datasetId"),
        ]);
        let id = id.or_else(|| Some(self.label("dataset_id")).filter(|id| !id.is_empty()))?;
        Some(format!("projects/{}/datasets/{id}", self.account))
    }

    /// `projects/-/serviceAccounts/<number>` is named by project and address where the labels tell them; a key that was made is in the answer.
    fn service_account(&self, path: &str) -> String {
        let key = text_at(&[(self.response.json(), "name")]);
        if let Some(key) = key.filter(|name| name.contains("/serviceAccounts/") && name.contains("/keys/")) {
            return key;
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        let (project, email) = (self.account.to_owned(), self.label("email_id"));
        if let [first, owner, collection, account, ..] = parts.as_mut_slice()
            && *first == "projects"
            && *collection == "serviceAccounts"
        {
            if matches!(*owner, "-" | "_") && !project.is_empty() {
                *owner = &project;
            }
            if !account.contains('@') && !email.is_empty() {
                *account = &email;
            }
        }
        parts.join("/")
    }

    /// Cloud Run's older API names a service by its namespace, which is its project.
    fn cloud_run(&self, path: &str) -> String {
        let Some((project, rest)) = path.strip_prefix("namespaces/").and_then(|rest| rest.split_once('/')) else {
            return path.to_owned();
        };
        match self.label("location") {
            location if location.is_empty() => format!("projects/{project}/{rest}"),
            location => format!("projects/{project}/locations/{location}/{rest}"),
        }
    }
}

/// The first text at one of several dotted paths.
fn text_at(places: &[(&Json<'_>, &str)]) -> Option<String> {
    places.iter().find_map(|(json, path)| {
        let value = path.split('.').fold(*json, |json, member| json.get_ci(member));
        Text::of_json(value).some().map(Cow::into_owned)
    })
}

/// The collection and the id that a path ends with, when that is more than a place.
fn leaf(path: &str) -> Option<(&str, &str)> {
    pairs(path).into_iter().map(|(collection, id, _)| (collection, id)).rfind(|(c, _)| !PLACES.contains(c))
}

/// The pairs of a path, each with the path up to its end. `global` stands alone; a last collection without an id is left out.
fn pairs(path: &str) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut collection: Option<&str> = None;
    for part in path.split('/') {
        let end = at + part.len();
        match collection.take() {
            Some(name) => found.push((name, part, path.get(..end).unwrap_or(path))),
            None if part == "global" || part.is_empty() => {}
            None => collection = Some(part),
        }
        at = end + 1;
    }
    found
}

/// The resources that a path names, the innermost first.
fn chain<'a>(subject: &Subject<'_, 'a>, path: &str) -> Vec<Resource<'a>> {
    pairs(path)
        .into_iter()
        .rev()
        .filter(|(collection, id, _)| !PLACES.contains(collection) && !id.is_empty())
        .map(|(collection, id, upto)| {
            Resource::new(kind(subject.host, collection), format!("//{}/{upto}", subject.host), id.to_owned())
        })
        .collect()
}

/// The project, folder or organisation, where that is what the call was about.
fn place<'a>(subject: &Subject<'_, 'a>, path: &str) -> Option<Resource<'a>> {
    const HOST: &str = "cloudresourcemanager.googleapis.com";
    let mut named = pairs(path).into_iter().map(|(collection, id, _)| (collection, id));
    let (collection, id) = named.rfind(|(c, _)| matches!(*c, "projects" | "folders" | "organizations"))?;
    let id = if collection == "projects" && matches!(id, "_" | "-") { subject.account } else { id };
    (!id.is_empty())
        .then(|| Resource::new(kind(HOST, collection), format!("//{HOST}/{collection}/{id}"), id.to_owned()))
}

fn kind(host: &str, collection: &str) -> String {
    if let Some((.., kind)) = KINDS.iter().find(|(h, c, _)| *h == host && *c == collection) {
        return (*kind).to_owned();
    }
    format!("{host}/{}", singular(collection))
}

/// `targetHttpProxies` to `TargetHttpProxy`, `addresses` to `Address`.
fn singular(collection: &str) -> String {
    let stem = if let Some(stem) = collection.strip_suffix("ies") {
        format!("{stem}y")
    } else if collection.ends_with("sses") || collection.ends_with("xes") || collection.ends_with("ches") {
        collection.strip_suffix("es").unwrap_or(collection).to_owned()
    } else {
        collection.strip_suffix('s').unwrap_or(collection).to_owned()
    };
    let mut letters = stem.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// `projects/_/buckets/b/objects/o`, in which the underscore is literal. The inventory names a bucket by itself.
fn storage<'a>(subject: &Subject<'_, 'a>) -> Vec<Resource<'a>> {
    let host = subject.host;
    let rest = subject.name.split_once("buckets/").map(|(_, rest)| rest.to_owned());
    let label = || Some(subject.label("bucket_name")).filter(|name| !name.is_empty());
    let Some(rest) = rest.or_else(label) else {
        return chain(subject, subject.name);
    };
    // An object's name may hold anything, slashes included.
    let (bucket, object) = rest.split_once("/objects/").map_or((rest.as_str(), None), |(b, o)| (b, Some(o)));
    let bucket = bucket.split('/').next().unwrap_or(bucket);
    let object = object.filter(|object| !object.is_empty()).map(|object| {
        let id = format!("//{host}/projects/_/buckets/{bucket}/objects/{object}");
        Resource::new(format!("{host}/Object"), id, object.to_owned())
    });
    let bucket = Resource::new(format!("{host}/Bucket"), format!("//{host}/{bucket}"), bucket.to_owned());
    object.into_iter().chain([bucket]).collect()
}

/// `rbac.authorization.k8s.io/v1/clusterrolebindings/name`, `core/v1/namespaces/default/pods/name/exec`: the object, then its cluster.
fn kubernetes<'a>(subject: &Subject<'_, 'a>) -> Vec<Resource<'a>> {
    const HOST: &str = "container.googleapis.com";
    let (cluster, location) = (subject.label("cluster_name"), subject.label("location"));
    let place = if location.matches('-').count() == 2 { "zones" } else { "locations" };
    let cluster_path = format!("//{HOST}/projects/{}/{place}/{location}/clusters/{cluster}", subject.account);
    let mut found = Vec::new();
    let mut parts = subject.name.split('/');
    if let (Some(group), Some(_version)) = (parts.next(), parts.next()) {
        let path: Vec<&str> = parts.collect();
        let object = match path.as_slice() {
            ["namespaces", _, collection, name, ..] | [collection, name, ..] => Some((*collection, *name)),
            _ => None,
        };
        if let Some((collection, name)) = object {
            let known = KUBERNETES.iter().find(|(known, _)| *known == collection);
            let kind = known.map_or_else(|| format!("{group}/{collection}"), |(_, kind)| (*kind).to_owned());
            let id = if cluster.is_empty() {
                subject.name.to_owned()
            } else {
                format!("{cluster_path}/k8s/{}", path.join("/"))
            };
            found.push(Resource::new(kind, id, name.to_owned()));
        }
    }
    if !cluster.is_empty() {
        found.push(Resource::new(format!("{HOST}/Cluster"), cluster_path, cluster));
    }
    found
}

#[cfg(test)]
mod tests;
