//! Security group rules and network ACL entries.
//!
//! Sources: EC2 API Reference, `AuthorizeSecurityGroupIngress`, `ModifySecurityGroupRules`, `IpPermission`,
//! `SecurityGroupRule`, `CreateNetworkAclEntry`.

use std::borrow::Cow;

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{Doubt, Effects, Json, Opening, address};

use super::seen::{Seen, any, items, scalar};

/// A security group rule as EC2 sees it: one protocol, one range of ports, one source.
struct Entry<'c> {
    protocol: Protocol,
    ports: (u16, u16),
    source: Source<'c>,
}

/// Where a rule lets traffic in from (or out to).
#[derive(PartialEq)]
enum Source<'c> {
    Network(IpNet),
    /// A security group, by id or name.
    Group(Cow<'c, str>),
    PrefixList(Cow<'c, str>),
    /// Text that is no network.
    Unreadable(Cow<'c, str>),
}

/// `AuthorizeSecurityGroupIngress` and `...Egress`: an opening for each protocol, range of ports and source, with the
/// id of the very rule from the answer.
pub(super) fn authorize(seen: &Seen<'_, '_>) -> Effects {
    let direction = if seen.change.action.ends_with("Egress") { Direction::Egress } else { Direction::Ingress };
    let made = items(any(seen.response, &["securityGroupRuleSet", "securityGroupRules"]));
    let mut entries = permissions(seen.request);
    if entries.is_empty() {
        // A failed decoding of the request must not hide what the answer tells.
        entries = made.iter().map(rule).collect();
    }
    if entries.is_empty() {
        return Effects::unknown("request.ipPermissions", "names no rule");
    }
    let group = group(seen, made);
    let mut left: Vec<&Json<'_>> = made.iter().collect();
    let mut effects = Effects::none();
    for entry in entries {
        let same = left.iter().position(|made| {
            let told = rule(made);
            told.protocol == entry.protocol && told.ports == entry.ports && told.source == entry.source
        });
        let rule_id = same.and_then(|at| rule_id(left.remove(at)));
        open(&mut effects, &group, direction, entry, rule_id);
    }
    effects
}

/// `ModifySecurityGroupRules`. The request names rules by id and not which way they go: they are taken as ingress, and
/// a doubt says so where it matters.
pub(super) fn modify(seen: &Seen<'_, '_>) -> Effects {
    let group = group(seen, &[]);
    let mut effects = Effects::none();
    for update in items(seen.any(&["SecurityGroupRule", "SecurityGroupRules", "securityGroupRuleUpdateSet"])) {
        let new = any(update, &["SecurityGroupRule"]);
        let id = rule_id(update);
        if new.is_null() {
            let name = id.as_deref().unwrap_or("a rule");
            effects
                .doubts
                .push(Doubt::new(format!("security group rule {name}"), "is not told in full by the request"));
            continue;
        }
        let entry = rule(new);
        if matches!(entry.source, Source::Network(network) if address::is_internet([network])) {
            let name = id.as_deref().unwrap_or("modified");
            effects
                .doubts
                .push(Doubt::new(format!("direction of security group rule {name}"), "is not part of the request"));
        }
        open(&mut effects, &group, Direction::Ingress, entry, id);
    }
    if effects == Effects::none() {
        return Effects::unknown("request.SecurityGroupRule", "names no rule");
    }
    effects
}

/// `CreateNetworkAclEntry` and `ReplaceNetworkAclEntry`. The rule number is the rule's id within its direction.
pub(super) fn acl_entry(seen: &Seen<'_, '_>) -> Effects {
    let text = |names: &[&str]| seen.text(names).unwrap_or_default();
    let protocol = protocol(&text(&["aclProtocol", "protocol"]));
    let range = seen.any(&["portRange"]);
    let blocks: Vec<Cow<'_, str>> =
        ["cidrBlock", "ipv6CidrBlock"].iter().filter_map(|name| seen.text(&[name])).collect();
    let mut effects = Effects::none();
    if blocks.is_empty() {
        effects.doubts.push(Doubt::new("request.cidrBlock", "is not part of the request"));
    }
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        let entry = Entry {
            protocol,
            ports: ports(protocol, any(range, &["from"]).as_i64(), any(range, &["to"]).as_i64()),
            source: network(block),
        };
        let direction =
            if seen.any(&["egress"]).as_bool() == Some(true) { Direction::Egress } else { Direction::Ingress };
        let acl = text(&["networkAclId"]);
        open(&mut effects, &acl, direction, entry, seen.text(&["ruleNumber"]).map(Cow::into_owned));
    }
    let allow = !text(&["ruleAction"]).eq_ignore_ascii_case("deny");
    for opening in &mut effects.openings {
        opening.allow = allow;
    }
    effects
}

/// `DeleteNetworkAclEntry`: a deny that is gone lets in what it kept out, and the record does not tell what that was.
pub(super) fn acl_entry_deleted(seen: &Seen<'_, '_>) -> Effects {
    let text = |name: &str| seen.text(&[name]).unwrap_or_default();
    Effects::unknown(
        format!("entry {} of {}", text("ruleNumber"), text("networkAclId")),
        "is deleted, and the record does not tell whether it allowed or denied",
    )
}

/// The group's id; older calls name default-VPC groups by name only.
fn group(seen: &Seen<'_, '_>, made: &[Json<'_>]) -> String {
    let answered = made.first().and_then(|rule| scalar(any(rule, &["groupId"])));
    let named = seen.text(&["groupId"]).filter(|id| !id.is_empty());
    named.or(answered).or_else(|| seen.text(&["groupName"])).unwrap_or_default().into_owned()
}

fn rule_id(rule: &Json<'_>) -> Option<String> {
    scalar(any(rule, &["securityGroupRuleId"])).map(Cow::into_owned)
}

fn open(effects: &mut Effects, resource: &str, direction: Direction, entry: Entry<'_>, rule_id: Option<String>) {
    let (mut sources, mut peers) = (Vec::new(), Vec::new());
    match entry.source {
        Source::Network(network) => sources.push(network),
        Source::Group(group) => peers.push(group.into_owned()),
        Source::PrefixList(list) => {
            effects.doubts.push(Doubt::new(format!("prefix list {list}"), "its entries are not part of the request"));
            peers.push(list.into_owned());
        }
        Source::Unreadable(text) => {
            effects.doubts.push(Doubt::new(format!("network {text}"), "cannot be read as a network"));
        }
    }
    effects.openings.push(Opening {
        resource: resource.to_owned(),
        direction,
        protocol: entry.protocol,
        ports: entry.ports,
        sources,
        peers,
        rule_id,
        allow: true,
    });
}

/// The rules of an Authorize request: nested in `ipPermissions`, or flat, as the oldest clients send a single one.
fn permissions<'c>(request: &'c Json<'_>) -> Vec<Entry<'c>> {
    let mut entries = Vec::new();
    for permission in items(any(request, &["ipPermissions"])) {
        entries.extend(permission_entries(permission));
    }
    if entries.is_empty() {
        entries.extend(permission_entries(request));
        entries.extend(flat_source(request));
    }
    entries
}

/// One entry for each source of a permission.
fn permission_entries<'c>(permission: &'c Json<'_>) -> Vec<Entry<'c>> {
    const LISTS: [(&[&str], &[&str]); 4] = [
        (&["ipRanges"], &["cidrIp"]),
        (&["ipv6Ranges"], &["cidrIpv6"]),
        (&["groups", "userIdGroupPairs"], &["groupId", "groupName"]),
        (&["prefixListIds"], &["prefixListId"]),
    ];
    let mut entries = Vec::new();
    for (list, names) in LISTS {
        for source in items(any(permission, list)) {
            let Some(text) = scalar(any(source, names)).or_else(|| scalar(source)) else { continue };
            let source = match names.first() {
                Some(&"groupId") => Source::Group(text),
                Some(&"prefixListId") => Source::PrefixList(text),
                _ => network(text),
            };
            entries.push(with_ports(permission, source));
        }
    }
    entries
}

fn flat_source<'c>(request: &'c Json<'_>) -> Option<Entry<'c>> {
    let source = match scalar(any(request, &["cidrIp"])) {
        Some(cidr) => network(cidr),
        None => Source::Group(scalar(any(request, &["sourceSecurityGroupId", "sourceSecurityGroupName"]))?),
    };
    Some(with_ports(request, source))
}

/// A rule as answers and `ModifySecurityGroupRules` spell it: `cidrIpv4`, `cidrIpv6`, `prefixListId` or a group.
fn rule<'c>(rule: &'c Json<'_>) -> Entry<'c> {
    let text = |names: &[&str]| scalar(any(rule, names)).filter(|text| !text.is_empty());
    let source = if let Some(cidr) = text(&["cidrIpv4", "cidrIpv6", "cidrIp"]) {
        network(cidr)
    } else if let Some(list) = text(&["prefixListId"]) {
        Source::PrefixList(list)
    } else if let Some(group) = text(&["referencedGroupInfo.groupId", "referencedGroupId"]) {
        Source::Group(group)
    } else {
        Source::Unreadable(Cow::Borrowed(""))
    };
    with_ports(rule, source)
}

fn with_ports<'c>(json: &Json<'_>, source: Source<'c>) -> Entry<'c> {
    let protocol = protocol(&scalar(any(json, &["ipProtocol"])).unwrap_or_default());
    let port = |name: &str| any(json, &[name]).as_i64();
    Entry { protocol, ports: ports(protocol, port("fromPort"), port("toPort")), source }
}

fn network(text: Cow<'_, str>) -> Source<'_> {
    match address::parse(&text) {
        Some(network) => Source::Network(network),
        None => Source::Unreadable(text),
    }
}

/// A protocol by name or IANA number; `-1` is every one, and so is what cannot be read.
fn protocol(text: &str) -> Protocol {
    match text.to_ascii_lowercase().as_str() {
        "tcp" | "6" => Protocol::Tcp,
        "udp" | "17" => Protocol::Udp,
        "icmp" | "icmpv6" | "1" | "58" => Protocol::Icmp,
        other => other.parse().map_or(Protocol::Any, Protocol::Other),
    }
}

/// Ports, both included. Only TCP and UDP have them: for ICMP the fields hold type and code, and for every other
/// protocol EC2 ignores them. Missing or `-1` is every port.
fn ports(protocol: Protocol, from: Option<i64>, to: Option<i64>) -> (u16, u16) {
    let port = |value: Option<i64>| value.and_then(|value| u16::try_from(value).ok());
    match (protocol, port(from), port(to)) {
        (Protocol::Tcp | Protocol::Udp, Some(from), Some(to)) => (from.min(to), from.max(to)),
        _ => (0, u16::MAX),
    }
}
