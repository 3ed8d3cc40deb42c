//! Network security groups, with their rules.

use onus_core::{Opening, Read};
use serde_json::{Map, Value, json};

use super::arm::{ArmReader, ID, effects_of, elements, pick, read, text, tidy};
use crate::operations::ResourceId;

/// The ARM type of a group.
pub(crate) const GROUP_KIND: &str = "Microsoft.Network/networkSecurityGroups";
/// The ARM type of a rule.
pub(crate) const RULE_KIND: &str = "Microsoft.Network/networkSecurityGroups/securityRules";
/// Image key of a group: `properties.securityRules`, each with its `name` and `properties`. The default rules are left out: they
/// are the same everywhere and nobody can change them.
pub(crate) const GROUP: &str = "networkSecurityGroup";
/// In the image of a group, the entity tag of each rule by the rule's name, for `If-Match`.
pub(crate) const ETAGS: &str = "~etags";

/// What a rule is made of. All of it is sent when a rule is put back, and nothing else can be.
pub(crate) const RULE: [&str; 16] = [
    "name",
    "properties.access",
    "properties.description",
    "properties.destinationAddressPrefix",
    "properties.destinationAddressPrefixes",
    "properties.destinationApplicationSecurityGroups",
    "properties.destinationPortRange",
    "properties.destinationPortRanges",
    "properties.direction",
    "properties.priority",
    "properties.protocol",
    "properties.sourceAddressPrefix",
    "properties.sourceAddressPrefixes",
    "properties.sourceApplicationSecurityGroups",
    "properties.sourcePortRange",
    "properties.sourcePortRanges",
];

/// Reads a group and its rules.
pub(crate) fn group(id: &ResourceId) -> Read {
    read(GROUP, "Microsoft.Network:NetworkSecurityGroups_Get", id, |answer| {
        let answered = elements(answer.pointer("/properties/securityRules").unwrap_or(&Value::Null));
        let mut rules: Vec<Value> = answered.iter().map(rule).collect();
        rules.sort_by_cached_key(|rule| text(rule, "/name").to_owned());
        let tag = |rule: &Value| Some((rule.get("name")?.as_str()?.to_owned(), rule.get("etag")?.clone()));
        let etags: Map<String, Value> = answered.iter().filter_map(tag).collect();
        json!({ "properties": { "securityRules": rules }, ID: answer.get("id"), ETAGS: etags })
    })
}

/// One rule, with its id.
fn rule(answer: &Value) -> Value {
    let mut kept = tidy(&pick(answer, &RULE));
    if let Value::Object(members) = &mut kept {
        members.insert(ID.to_owned(), answer.get("id").cloned().unwrap_or_default());
    }
    kept
}

/// The source prefixes of a rule, wherever it keeps them: alone, in a list, or several in one text.
pub(crate) fn sources(rule: &Value) -> Vec<&str> {
    let one = rule.pointer("/properties/sourceAddressPrefix");
    let many = elements(rule.pointer("/properties/sourceAddressPrefixes").unwrap_or(&Value::Null));
    let texts = one.into_iter().chain(many).filter_map(Value::as_str);
    texts.flat_map(|text| text.split(',')).map(str::trim).filter(|prefix| !prefix.is_empty()).collect()
}

/// Whether a rule lets traffic in.
pub(crate) fn lets_in(rule: &Value) -> bool {
    let is = |member: &str, word: &str| text(rule, member).eq_ignore_ascii_case(word);
    is("/properties/access", "Allow") && is("/properties/direction", "Inbound")
}

/// What a live rule of a group opens, one per range of ports; `None` when a member that decides has a value we do not know.
pub(crate) fn openings(rule: &Value, group: &ResourceId) -> Option<Vec<Opening>> {
    let id = format!("{group}/securityRules/{}", text(rule, "/name"));
    let effects = effects_of(RULE_KIND, &id, rule);
    effects.doubts.is_empty().then_some(effects.openings)
}

/// Groups. A change of one rule names its group too, so there is one reader for both.
pub(crate) static GROUPS: ArmReader = ArmReader {
    kind: GROUP_KIND,
    operations: &["Microsoft.Network:NetworkSecurityGroups_Get"],
    reads: |id, _| vec![group(id)],
    effects: |id, image| effects_of(GROUP_KIND, id.as_str(), image.get(GROUP)),
};
