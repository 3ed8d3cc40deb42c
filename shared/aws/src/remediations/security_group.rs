//! Security groups: revokes the rules through which a change let the internet in, and no other rule.

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{Call, Finding, Image, Opening, PlanError, Read, Remediation, Safety, Spec, Step, address};
use serde_json::{Map, Value, json};

use super::{incomplete, refused, unless_read, unreadable};
use crate::readers::security_group::{GROUP, RULE_ID, RULES, group_id, opening, rules};
use crate::readers::subject::{Subject, elements, items, only, scalar, text};

/// See the [module docs](self).
pub(crate) struct RevokeRules;

static SPEC: Spec = Spec {
    id: "aws.ec2.revoke_security_group_rules",
    title: "Revokes the security group rules through which the change let the internet in",
    safety: Safety::Automatic,
    kind: GROUP,
    reads: &["ec2:DescribeSecurityGroupRules"],
    writes: &["ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"],
    undo: &["ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:CreateTags"],
    caveat: "A rule for a web server's ports alone (80, 443) stays when the same change exposed other ports. Where the \
             change modified a rule, the record does not hold what the rule said before: it is revoked whole. \
             Connections that are established may go on. An undo makes the same rules under new ids, without tags that \
             AWS reserves.",
};

impl Remediation for RevokeRules {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let group = group(finding)?;
        Ok(unless_read(so_far, rules(&group, &finding.change.region)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let group = group(finding)?;
        let exposing = exposing(finding)?;
        let mut steps = Vec::new();
        for rule in elements(image.get(RULES)) {
            let Some(live) = opening(rule, &group) else {
                // Not ours to judge, unless its id says that the change made it.
                let id = text(rule, RULE_ID);
                if exposing.iter().any(|opened| opened.rule_id.as_deref() == Some(id)) {
                    return Err(unreadable(&SPEC, id, &"has a protocol, port or network that is not understood"));
                }
                continue;
            };
            if exposing.iter().any(|opened| is_same(opened, &live)) {
                steps.push(revoke(finding, &group, rule, &live)?);
            }
        }
        Ok(steps)
    }
}

fn group(finding: &Finding) -> Result<String, PlanError> {
    let named = group_id(&Subject::of_finding(finding, GROUP));
    let opened = || finding.effects.openings.iter().map(|one| one.resource.clone()).find(|id| id.starts_with("sg-"));
    named.or_else(opened).ok_or_else(|| incomplete(&SPEC, "the security group"))
}

/// The openings of the change that make an exposure to the internet. An opening for a web server's doors alone is
/// left, unless the change exposed nothing else: then it is what the rule is about.
fn exposing(finding: &Finding) -> Result<Vec<&Opening>, PlanError> {
    let effects = &finding.effects;
    let mut taking: Vec<usize> =
        effects.exposures().iter().flat_map(|exposure| making(&exposure.openings, &effects.openings)).collect();
    taking.sort_unstable();
    taking.dedup();
    let mut exposing: Vec<&Opening> = taking.iter().filter_map(|index| effects.openings.get(*index)).collect();
    if finding.from_state {
        // The openings are those of the whole group. Only what the record names by id is the change's.
        let made = told_ids(finding);
        if made.is_empty() {
            let reason = "the record does not tell which of the group's rules the change made";
            return Err(refused(&SPEC, reason));
        }
        exposing.retain(|opened| opened.rule_id.as_ref().is_some_and(|id| made.contains(id)));
    }
    if exposing.iter().any(|opened| !is_web(opened)) {
        exposing.retain(|opened| !is_web(opened));
    }
    Ok(exposing)
}

/// Of the openings that hold an exposed port, those that make it exposed. The smallest stay as long as they do not add up to
/// the internet: an office's address or a private network beside `0.0.0.0/0` is not what is wrong. Openings of one size
/// share one fate, so that the internet in equal pieces goes whole.
fn making(holding: &[usize], openings: &[Opening]) -> Vec<usize> {
    let size = |index: usize| openings.get(index).map_or(0, |opened| reach(&opened.sources));
    let sources = |indexes: &[usize]| -> Vec<IpNet> {
        indexes.iter().filter_map(|index| openings.get(*index)).flat_map(|opened| opened.sources.clone()).collect()
    };
    let mut left = holding.to_vec();
    left.sort_by_key(|index| size(*index));
    let mut kept: Vec<usize> = Vec::new();
    for group in left.chunk_by(|one, other| size(*one) == size(*other)) {
        let more = [kept.as_slice(), group].concat();
        if address::is_internet(sources(&more)) {
            break;
        }
        kept = more;
    }
    left.retain(|index| !kept.contains(index));
    left
}

/// How much of the internet a set of networks is, in IPv4 addresses; IPv6 is scaled to the same threshold.
fn reach(sources: &[IpNet]) -> u64 {
    let coverage = address::coverage(sources.iter().copied());
    let scale = address::INTERNET_V4 / address::INTERNET_V6_SLASH_32;
    coverage.v4.max(coverage.v6_slash_32.saturating_mul(scale))
}

/// The ids of the rules that the answer says were made, or that the request modified.
fn told_ids(finding: &Finding) -> Vec<String> {
    let subject = Subject::of_finding(finding, GROUP);
    let made = items(subject.response.get_ci("securityGroupRuleSet"));
    let modified = items(subject.request.get_ci("SecurityGroupRule"));
    made.iter().chain(modified).filter_map(|rule| scalar(rule.get_ci("securityGroupRuleId"))).collect()
}

/// TCP 80 or 443, or UDP 443 (HTTP/3), and nothing beside it.
fn is_web(opened: &Opening) -> bool {
    opened.direction == Direction::Ingress
        && matches!(
            (opened.protocol, opened.ports),
            (Protocol::Tcp, (80, 80) | (443, 443)) | (Protocol::Udp, (443, 443))
        )
}

/// Whether a live rule is one that the change opened: of the same id where the record tells it, and still letting in the
/// same. A rule that somebody has narrowed since is no longer the change's.
fn is_same(opened: &Opening, live: &Opening) -> bool {
    let same_id = opened.rule_id.is_none() || opened.rule_id == live.rule_id;
    // A prefix list is named by both; its networks are among the sources only where state decided.
    let same_sources = match live.sources.as_slice() {
        [] => !live.peers.is_empty() && opened.peers == live.peers && opened.rule_id.is_some(),
        sources => sources.iter().all(|source| opened.sources.contains(source)),
    };
    same_id
        && same_sources
        && opened.direction == live.direction
        && opened.protocol == live.protocol
        && opened.ports == live.ports
}

fn revoke(finding: &Finding, group: &str, rule: &Value, live: &Opening) -> Result<Step, PlanError> {
    let id = text(rule, RULE_ID);
    if id.is_empty() {
        return Err(unreadable(&SPEC, RULES, &"holds a rule without an id"));
    }
    let (word, side, revoke, authorize) = match live.direction {
        Direction::Ingress => ("inbound", "from", "RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress"),
        Direction::Egress => ("outbound", "to", "RevokeSecurityGroupEgress", "AuthorizeSecurityGroupEgress"),
    };
    let region = &finding.change.region;
    let call = Call::aws("ec2", revoke, region, json!({ "GroupId": group, "SecurityGroupRuleIds": [id] }));
    let inverse = Call::aws("ec2", authorize, region, authorization(group, rule));
    let modified = if finding.change.action == "ModifySecurityGroupRules" {
        ", whole: what it said before the change is not known"
    } else {
        ""
    };
    let mut sources: Vec<String> = live.sources.iter().map(ToString::to_string).collect();
    sources.extend(live.peers.iter().cloned());
    let title = format!("revoke {word} {} {side} {} ({id}{modified})", traffic(live), sources.join(", "));
    Ok(Step { title, call, inverse: Some(inverse) })
}

fn traffic(live: &Opening) -> String {
    let protocol = match live.protocol {
        Protocol::Any => return "traffic of all protocols".to_owned(),
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::Other(number) => return format!("protocol {number}"),
    };
    match live.ports {
        (0, u16::MAX) => protocol.to_owned(),
        (from, to) if from == to => format!("{protocol} {from}"),
        (from, to) => format!("{protocol} {from}-{to}"),
    }
}

/// The parameters that make a live rule again, its description and tags included.
fn authorization(group: &str, rule: &Value) -> Value {
    let mut permission = match only(rule, &["IpProtocol", "FromPort", "ToPort"]) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    if text(rule, "IpProtocol") == "-1" {
        permission.remove("FromPort");
        permission.remove("ToPort");
    }
    for (family, list, member) in [("CidrIpv4", "IpRanges", "CidrIp"), ("CidrIpv6", "Ipv6Ranges", "CidrIpv6")] {
        if let Some(cidr) = rule.get(family).and_then(Value::as_str) {
            let mut range = only(rule, &["Description"]);
            if let Value::Object(members) = &mut range {
                members.insert(member.to_owned(), cidr.into());
            }
            permission.insert(list.to_owned(), json!([range]));
        }
    }
    if let Some(list) = rule.get("PrefixListId") {
        let mut entry = only(rule, &["Description"]);
        if let Value::Object(members) = &mut entry {
            members.insert("PrefixListId".to_owned(), list.clone());
        }
        permission.insert("PrefixListIds".to_owned(), json!([entry]));
    }
    let mut parameters = json!({ "GroupId": group, "IpPermissions": [permission] });
    let tags: Vec<&Value> = elements(rule.get("Tags").unwrap_or(&Value::Null))
        .iter()
        .filter(|tag| !text(tag, "Key").starts_with("aws:"))
        .collect();
    if let (false, Value::Object(members)) = (tags.is_empty(), &mut parameters) {
        let tagged = json!([{ "ResourceType": "security-group-rule", "Tags": tags }]);
        members.insert("TagSpecifications".to_owned(), tagged);
    }
    parameters
}
