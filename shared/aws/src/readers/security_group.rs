//! EC2 security groups: their rules, one by one.

use std::collections::BTreeSet;

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{Call, ChangeSummary, Doubt, Effects, Image, Opening, Read, Resource, StateReader, address};
use serde_json::{Map, Value, json};

use super::subject::{Subject, Target, elements, only, set, text};

/// `AWS::EC2::SecurityGroup`.
pub(crate) const GROUP: &str = "AWS::EC2::SecurityGroup";
/// Image key of the rules: as `DescribeSecurityGroupRules` answers them, less group, owner and ARN, in a fixed order. The
/// id is `~SecurityGroupRuleId`: a rule revoked and authorised again is the same rule under a new id.
pub(crate) const RULES: &str = "rules";
/// The id of a rule in the image.
pub(crate) const RULE_ID: &str = "~SecurityGroupRuleId";

const KEPT: [&str; 9] = [
    "IsEgress",
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIpv4",
    "CidrIpv6",
    "PrefixListId",
    "ReferencedGroupInfo",
    "Description",
];

/// The id of the group that a subject is about. A call that names the group by name is answered with its id.
pub(crate) fn group_id(subject: &Subject<'_>) -> Option<String> {
    let answered = subject.response.get_ci("securityGroupRuleSet").get_ci("items").each().first();
    [
        subject.told("groupId"),
        answered.and_then(|rule| rule.get_ci("groupId").as_str()),
        subject.request.get_ci("modifySecurityGroupRulesRequest").get_ci("GroupId").as_str(),
        subject.name(),
        subject.arn().and_then(|arn| arn.rsplit('/').next()),
    ]
    .into_iter()
    .flatten()
    .find(|id| id.starts_with("sg-"))
    .map(str::to_owned)
}

/// Reads the rules of a group. A group that is not there has none.
pub(crate) fn rules(group_id: &str, region: &str) -> Read {
    let group = Target { ids: Map::new(), region: region.to_owned() };
    let filter = json!({ "Filters": [{ "Name": "group-id", "Values": [group_id] }] });
    Read::new(RULES, group.call("ec2", "DescribeSecurityGroupRules", filter))
        .absent(&["InvalidGroup.NotFound", "InvalidGroupId.Malformed"])
        .keep(|answer| {
            let rules = elements(answer.get("SecurityGroupRules").unwrap_or(&Value::Null)).iter();
            let mut kept: Vec<(Value, Value)> =
                rules.map(|rule| (kept(rule), rule.get("SecurityGroupRuleId").cloned().unwrap_or_default())).collect();
            kept.sort_by_cached_key(|(rule, _)| rule.to_string());
            let named = kept.into_iter().map(|(mut rule, id)| {
                if let Value::Object(members) = &mut rule {
                    members.insert(RULE_ID.to_owned(), id);
                }
                rule
            });
            Value::Array(named.collect())
        })
}

fn kept(rule: &Value) -> Value {
    let mut kept = only(rule, &KEPT);
    if let Value::Object(members) = &mut kept {
        let tags = elements(rule.get("Tags").unwrap_or(&Value::Null));
        if !tags.is_empty() {
            members.insert("Tags".to_owned(), set(tags.iter().map(|tag| only(tag, &["Key", "Value"]))));
        }
    }
    kept
}

/// Image key of a prefix list's networks: the set of their CIDRs.
fn list_key(list: &str) -> String {
    format!("prefix_list/{list}")
}

/// Reads what prefix lists the rules name and the image does not hold yet.
fn missing_lists(image: &Image, region: &str) -> Vec<Read> {
    let named: BTreeSet<&str> =
        elements(image.get(RULES)).iter().filter_map(|rule| rule.get("PrefixListId")?.as_str()).collect();
    let missing = named.into_iter().filter(|list| !image.has(&list_key(list)));
    missing
        .map(|list| {
            let parameters = json!({ "PrefixListId": list });
            Read::new(&list_key(list), Call::aws("ec2", "GetManagedPrefixListEntries", region, parameters))
                .absent(&["InvalidPrefixListID.NotFound", "InvalidPrefixListId.NotFound"])
                .keep(|answer| {
                    let entries = elements(answer.get("Entries").unwrap_or(&Value::Null)).iter();
                    set(entries.filter_map(|entry| entry.get("Cidr").cloned()))
                })
        })
        .collect()
}

/// The networks of a prefix list; `None` when it was not read or holds what is no network.
fn list_networks(image: &Image, list: &str) -> Option<Vec<IpNet>> {
    let networks = image.get(&list_key(list)).as_array()?;
    networks.iter().map(|network| address::parse(network.as_str()?)).collect()
}

/// A live rule in the words that effects use; `None` when a member that decides has a value we do not know. The networks of
/// a prefix list are not among its sources.
pub(crate) fn opening(rule: &Value, group_id: &str) -> Option<Opening> {
    let direction = if rule.get("IsEgress").and_then(Value::as_bool)? { Direction::Egress } else { Direction::Ingress };
    let protocol = protocol(text(rule, "IpProtocol"))?;
    let port = |name: &str| rule.get(name).and_then(Value::as_i64);
    let ports = match (protocol, port("FromPort"), port("ToPort")) {
        (Protocol::Tcp | Protocol::Udp, Some(from), Some(to)) if from >= 0 => {
            (u16::try_from(from).ok()?, u16::try_from(to).ok()?)
        }
        _ => (0, u16::MAX),
    };
    let sources: Vec<IpNet> = ["CidrIpv4", "CidrIpv6"]
        .into_iter()
        .filter_map(|family| rule.get(family).and_then(Value::as_str))
        .map(address::parse)
        .collect::<Option<_>>()?;
    let peers = [
        rule.get("PrefixListId").and_then(Value::as_str),
        rule.pointer("/ReferencedGroupInfo/GroupId").and_then(Value::as_str),
    ];
    Some(Opening {
        resource: group_id.to_owned(),
        direction,
        protocol,
        ports,
        sources,
        peers: peers.into_iter().flatten().map(str::to_owned).collect(),
        rule_id: rule.get(RULE_ID).and_then(Value::as_str).map(str::to_owned),
        allow: true,
    })
}

/// A protocol as EC2 answers it: a name, an IANA number, or `-1` for all
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html>).
fn protocol(text: &str) -> Option<Protocol> {
    Some(match text {
        "-1" => Protocol::Any,
        "tcp" | "6" => Protocol::Tcp,
        "udp" | "17" => Protocol::Udp,
        "icmp" | "icmpv6" | "1" | "58" => Protocol::Icmp,
        number => Protocol::Other(number.parse().ok()?),
    })
}

/// Reads security groups, and the prefix lists that their rules name.
pub(crate) struct SecurityGroupReader;

impl StateReader for SecurityGroupReader {
    fn kind(&self) -> &'static str {
        GROUP
    }

    fn operations(&self) -> &'static [&'static str] {
        &["ec2:DescribeSecurityGroupRules", "ec2:GetManagedPrefixListEntries"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let Some(group) = group_id(&Subject::of_resource(change, resource)) else { return Vec::new() };
        if so_far.has(RULES) { missing_lists(so_far, &change.region) } else { vec![rules(&group, &change.region)] }
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        let Some(group) = group_id(&Subject::of_resource(change, resource)).filter(|_| image.has(RULES)) else {
            return Effects::unknown(RULES, "was not read");
        };
        let mut effects = Effects::none();
        for rule in elements(image.get(RULES)) {
            match opening(rule, &group) {
                Some(mut opening) => {
                    for list in opening.peers.iter().filter(|peer| peer.starts_with("pl-")) {
                        if let Some(networks) = list_networks(image, list) {
                            opening.sources.extend(networks);
                        } else {
                            effects.doubts.push(Doubt::new(format!("prefix list {list}"), "could not be read"));
                        }
                    }
                    effects.openings.push(opening);
                }
                None => effects.doubts.push(Doubt::new(
                    format!("rule {}", text(rule, RULE_ID)),
                    "has a protocol, port or network that is not understood",
                )),
            }
        }
        effects
    }
}
