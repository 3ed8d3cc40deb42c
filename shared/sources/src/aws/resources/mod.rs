//! Which resources a record is about.
//!
//! CloudTrail lists resources itself only for some services. So a table says, per operation, where a request or response names them;
//! what CloudTrail lists is used for the full names, and for operations that the table does not know.

mod table;

use std::borrow::Cow;

use onus_core::{Document, Json, Resource};

use self::table::Row;
use super::identity::Identity;
use super::names::partition;
use crate::text::Text;

/// The parts of a record that tell what it is about.
pub(super) struct Subject<'s, 'a> {
    pub(super) service: &'s str,
    pub(super) action: &'s str,
    pub(super) region: &'s str,
    pub(super) account: &'s str,
    pub(super) read_only: bool,
    pub(super) request: &'s Document<'a>,
    pub(super) response: &'s Document<'a>,
    pub(super) identity: &'s Identity<'a>,
    /// The record's `serviceEventDetails`, as JSON text.
    pub(super) service_event: Option<&'a str>,
    /// The record's own `resources`, as JSON text.
    pub(super) listed: Option<&'a str>,
}

/// The resources of a record, the one the operation acts on first. A resource's `name` is what the service's API takes as parameter, its
/// `id` the ARN where that can be told. Empty when nothing is named, as in most denied calls.
pub(super) fn of<'a>(subject: &Subject<'_, 'a>) -> Vec<Resource<'a>> {
    let listed = listed(subject.listed);
    let mut found: Vec<Resource<'a>> = Vec::new();
    for row in table::rows(subject.service, subject.action, subject.read_only) {
        for resource in subject.resources(row, &listed) {
            if !found.iter().any(|known| known.kind == resource.kind && known.name == resource.name) {
                found.push(resource);
            }
        }
    }
    for resource in listed {
        if !found.iter().any(|known| known.id == resource.id) {
            found.push(resource);
        }
    }
    found
}

impl<'a> Subject<'_, 'a> {
    /// The resources that one row of the table finds: the first of its places that names any.
    fn resources(&self, row: &Row, listed: &[Resource<'a>]) -> Vec<Resource<'a>> {
        let names = row.names.iter().map(|place| self.at(place)).find(|names| !names.is_empty()).unwrap_or_default();
        let alone = names.len() == 1;
        names
            .into_iter()
            .map(|name| {
                let id = self.id(row, &name, alone, listed);
                Resource { kind: Cow::Borrowed(row.kind), id, name }
            })
            .collect()
    }

    /// The full name: the name itself when it is one, where the row says it is logged, as CloudTrail lists it, or built from the row's
    /// pattern.
    fn id(&self, row: &Row, name: &Cow<'a, str>, alone: bool, listed: &[Resource<'a>]) -> Cow<'a, str> {
        if name.starts_with("arn:") {
            return name.clone();
        }
        if alone {
            let logged = row.arns.iter().flat_map(|place| self.at(place)).find(|arn| arn.starts_with("arn:"));
            let mut of_kind = listed.iter().filter(|resource| resource.kind == row.kind);
            let listed = match (of_kind.next(), of_kind.next()) {
                (Some(only), None) => Some(only.id.clone()),
                _ => None,
            };
            if let Some(arn) = logged.or(listed) {
                return arn;
            }
        }
        self.arn(row.arn, name).map_or_else(|| name.clone(), Cow::Owned)
    }

    /// Fills a pattern in. Nothing when it is empty or a part is not known. `{queue}` and `{owner}` are the parts of a queue's URL, a part
    /// with a dot is a place in the record.
    fn arn(&self, pattern: &str, name: &str) -> Option<String> {
        let mut parts = pattern.split('{');
        let mut arn = parts.next().filter(|start| !start.is_empty())?.to_owned();
        for part in parts {
            let (key, rest) = part.split_once('}')?;
            let mut url = name.rsplit('/');
            let elsewhere = if key.contains('.') { self.at(key).into_iter().next()? } else { Cow::Borrowed("") };
            let value = match key {
                "partition" => partition(self.region),
                "region" => self.region,
                "account" => self.account,
                "queue" => url.next()?,
                "owner" => url.nth(1).filter(|owner| owner.bytes().all(|b| b.is_ascii_digit())).unwrap_or(self.account),
                "name" => name,
                _ => &elsewhere,
            };
            if value.is_empty() {
                return None;
            }
            arn.push_str(value);
            arn.push_str(rest);
        }
        Some(arn)
    }

    /// What the caller is called: `name` of a user, `arn` of anybody, `root` (the account) of its root user, `session` (the ARN) of who took a
    /// role. Nothing where the caller is none of that.
    fn caller(&self, part: &str) -> Option<Cow<'a, str>> {
        let identity = self.identity;
        let session = identity.arn.0.contains(":assumed-role/") || identity.arn.0.contains(":federated-user/");
        match (part, identity.kind.0.as_ref()) {
            ("name", "Root") => None,
            ("name", _) if !session => identity.user_name.clone().some(),
            ("arn", _) => identity.arn.clone().some(),
            ("root", "Root") if !self.account.is_empty() => Some(Cow::Owned(self.account.to_owned())),
            ("session", _) if session => identity.arn.clone().some(),
            _ => None,
        }
    }

    /// The texts at one place: `request.a.b`, `response.a.b`, `service.a`
    /// (`serviceEventDetails`), `user.…` (the caller),
    /// `account`, `region`, or `=text` for itself.
    fn at(&self, place: &str) -> Vec<Cow<'a, str>> {
        let (root, path) = place.split_once('.').unwrap_or((place, ""));
        let one = |text: &str| Some(Cow::Owned(text.to_owned())).filter(|text: &Cow<'a, str>| !text.is_empty());
        match (root, path) {
            ("request", path) => texts(self.request.json(), path),
            ("response", path) => texts(self.response.json(), path),
            ("service", path) => self
                .service_event
                .and_then(|details| Json::parse(details).ok())
                .map(|details| texts(&details, path))
                .unwrap_or_default(),
            ("user", part) => self.caller(part).into_iter().collect(),
            ("account", _) => one(self.account).into_iter().collect(),
            ("region", _) => one(self.region).into_iter().collect(),
            (text, _) => text.strip_prefix('=').and_then(one).into_iter().collect(),
        }
    }
}

/// The texts at a dotted path, without regard to the case of letters (the first letter of a member depends on the service's age), through
/// every element of the lists on the way. EC2's newer shape writes a text as `{"content":…,"tag":…}`.
fn texts<'a>(json: &Json<'a>, path: &str) -> Vec<Cow<'a, str>> {
    let mut level: Vec<&Json<'a>> = json.each().iter().collect();
    for member in path.split('.') {
        level = level.iter().flat_map(|value| value.get_ci(member).each()).collect();
    }
    level
        .into_iter()
        .filter_map(|leaf| Text::of_json(leaf.find("content").unwrap_or(leaf)).some())
        .filter(|text| !text.is_empty())
        .collect()
}

/// The record's own `resources`: `[{"ARN":…,"accountId":…,"type":…}]`. Entries without an ARN name nothing.
fn listed(text: Option<&str>) -> Vec<Resource<'_>> {
    let Some(json) = text.filter(|text| text.len() > 2).and_then(|text| Json::parse(text).ok()) else {
        return Vec::new();
    };
    json.elements()
        .iter()
        .filter_map(|entry| {
            let id = Text::of_json(entry.get_ci("ARN")).some()?;
            let kind = Text::of_json(entry.get_ci("type")).0;
            let name = match &id {
                Cow::Borrowed(arn) => Cow::Borrowed(short(arn)),
                Cow::Owned(arn) => Cow::Owned(short(arn).to_owned()),
            };
            Some(Resource { kind, id, name })
        })
        .collect()
}

/// The last part of an ARN: `arn:aws:iam::111122223333:role/path/name` → `name`. An ARN without region and account (S3) keeps its whole
/// resource part, `bucket/key`; so does what is no ARN.
fn short(arn: &str) -> &str {
    let mut parts = arn.splitn(6, ':');
    let head: Vec<&str> = parts.by_ref().take(5).collect();
    let (Some(rest), [_, _, _, region, account]) = (parts.next(), head.as_slice()) else { return arn };
    if region.is_empty() && account.is_empty() {
        return rest;
    }
    rest.rsplit(['/', ':']).find(|part| !part.is_empty() && *part != "*").unwrap_or(rest)
}

#[cfg(test)]
mod tests;
