//! Which security rules a change overwrote, and what they were before it.

use std::collections::BTreeMap;

use onus_core::{Finding, Json};
use serde_json::Value;

use crate::operations::ResourceId;
use crate::readers::arm::{elements, text};
use crate::readers::network::{RULE, RULE_KIND};

/// A change of security rules, beside its group as it was known before.
pub(crate) struct Overwritten<'a> {
    pub(crate) finding: &'a Finding,
    /// The group; `None` when it was never read.
    pub(crate) before: Option<&'a Value>,
}

impl Overwritten<'_> {
    /// Of the rules with these indices, those that may go back as a whole, with the properties that they had: they were there before the
    /// change, still are as the change wrote them, and no other rule has taken their priority.
    pub(crate) fn restorable<'i>(
        &self,
        rules: &[Value],
        indices: impl Iterator<Item = &'i usize>,
    ) -> BTreeMap<usize, Value> {
        let restorable = indices.filter_map(|index| {
            let rule = rules.get(*index)?;
            let properties = self.known(text(rule, "/name"))?.get("properties")?;
            let is_free = rules.iter().enumerate().all(|(other, rule)| other == *index || !is_placed(rule, properties));
            (is_free && self.is_as_written(rule)).then(|| (*index, properties.clone()))
        });
        restorable.collect()
    }

    /// Whether a live rule is what it was before the change.
    pub(crate) fn is_as_before(&self, rule: &Value) -> bool {
        self.known(text(rule, "/name")).is_some_and(|before| before.get("properties") == rule.get("properties"))
    }

    /// What a plan has to say of a rule whose sources alone it takes out.
    pub(crate) fn told(&self, name: &str) -> &'static str {
        match self.before {
            None => "; what it was before the change is not known",
            Some(_) if self.known(name).is_some() => {
                "; what else the change set stays: which part is whose cannot be told"
            }
            // The change made it.
            Some(_) => "",
        }
    }

    /// A rule before the change.
    fn known(&self, name: &str) -> Option<&Value> {
        let rules = elements(self.before?.pointer("/properties/securityRules")?);
        rules.iter().find(|rule| text(rule, "/name").eq_ignore_ascii_case(name))
    }

    /// Whether a live rule still is what the request asked for; not, when the record does not hold it.
    fn is_as_written(&self, rule: &Value) -> bool {
        let request = Json::from_value(&self.finding.request);
        let properties = request.get_ci("properties");
        let mut resources = self.finding.change.resources.iter();
        let of_rule = resources.any(|one| ResourceId::parse(&one.id).is_ok_and(|id| id.is_of(RULE_KIND)));
        let listed = properties.get_ci("securityRules");
        let listed = listed.each();
        let asked = if of_rule {
            Some(properties)
        } else {
            let is = |one: &&Json<'_>| {
                one.get_ci("name").as_str().is_some_and(|name| name.eq_ignore_ascii_case(text(rule, "/name")))
            };
            listed.iter().find(is).map(|one| one.get_ci("properties"))
        };
        let Some(asked) = asked.filter(|asked| asked.get_ci("access").as_str().is_some()) else { return false };
        let members = RULE.iter().filter_map(|path| path.strip_prefix("properties."));
        members.into_iter().all(|member| {
            let live = rule.pointer(&format!("/properties/{member}")).unwrap_or(&Value::Null);
            plain(&asked.get_ci(member).to_value()) == plain(live)
        })
    }
}

/// Whether a rule has the priority and direction of these properties: no two rules of a group may.
fn is_placed(rule: &Value, properties: &Value) -> bool {
    let place = |properties: &Value| {
        let number = properties.get("priority").map(ToString::to_string);
        (number, text(properties, "/direction").to_lowercase())
    };
    rule.get("properties").is_some_and(|other| place(other) == place(properties))
}

/// A member's texts in lower case and in order: lists are sets, nothing is as good as an empty one, and of a resource the id counts.
fn plain(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.to_lowercase()],
        Value::Array(elements) => {
            let mut texts: Vec<String> = elements.iter().flat_map(plain).collect();
            texts.sort();
            texts
        }
        Value::Object(members) => {
            let id = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("id"));
            id.map(|(_, id)| plain(id)).unwrap_or_default()
        }
        other => vec![other.to_string()],
    }
}
