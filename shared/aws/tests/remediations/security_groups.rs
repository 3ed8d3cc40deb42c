//! Security groups: what is revoked, what is left, and what an undo brings back.

use onus_core::effect::{Direction, Protocol};
use onus_core::{Finding, Opening, address};
use serde_json::{Value, json};

use super::cases::world;
use super::findings::{answered, finding};
use onus_core::proof::Case;

const GROUP: &str = "group/sg-1";
const REVOKE: &str = "aws.ec2.revoke_security_group_rules";

/// A rule as the service answers it.
fn rule(id: &str, protocol: &str, ports: (i64, i64), cidr: &str) -> Value {
    let family = if cidr.contains(':') { "CidrIpv6" } else { "CidrIpv4" };
    json!({
        "SecurityGroupRuleId": id, "GroupId": "sg-1", "IsEgress": false, "IpProtocol": protocol,
        "FromPort": ports.0, "ToPort": ports.1, family: cidr, "Tags": [],
    })
}

/// What the record says that was opened.
fn opening(id: Option<&str>, ports: (u16, u16), cidr: &str) -> Opening {
    Opening {
        resource: "sg-1".to_owned(),
        direction: Direction::Ingress,
        protocol: Protocol::Tcp,
        ports,
        sources: vec![address::parse(cidr).unwrap()],
        peers: Vec::new(),
        rule_id: id.map(str::to_owned),
        allow: true,
    }
}

fn opened(openings: Vec<Opening>) -> Finding {
    let mut finding = finding("ec2:AuthorizeSecurityGroupIngress", json!({ "groupId": "sg-1" }));
    finding.effects.openings = openings;
    finding
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, finding, rules: &[Value], left: &[Value]| Case {
        name,
        remediation: REVOKE,
        finding,
        world: world([(GROUP, json!(rules)), ("group/sg-2", json!(rules))]),
        healed: vec![(GROUP, json!(left))],
    };
    let old = rule("sgr-old", "tcp", (443, 443), "0.0.0.0/0");
    let private = rule("sgr-private", "tcp", (22, 22), "10.0.0.0/8");
    let mut ssh = rule("sgr-ssh", "tcp", (22, 22), "0.0.0.0/0");
    ssh["Description"] = json!("temporary");
    ssh["Tags"] = json!([{ "Key": "team", "Value": "web" }]);
    let halves = [rule("sgr-a", "tcp", (3389, 3389), "0.0.0.0/1"), rule("sgr-b", "tcp", (3389, 3389), "128.0.0.0/1")];
    let office = rule("sgr-office", "tcp", (22, 22), "52.95.110.1/32");
    let pieces = (0..28).map(|piece| format!("{}.0.0.0/5", piece * 8));
    let v6 = rule("sgr-6", "tcp", (22, 22), "::/0");
    let web = rule("sgr-web", "tcp", (443, 443), "0.0.0.0/0");
    let mut from_state = answered(
        opened(vec![
            opening(Some("sgr-old"), (8443, 8443), "0.0.0.0/0"),
            opening(Some("sgr-ssh"), (22, 22), "0.0.0.0/0"),
        ]),
        json!({ "securityGroupRuleSet": { "items": [{ "groupId": "sg-1", "securityGroupRuleId": "sgr-ssh" }] } }),
    );
    from_state.from_state = true;
    let was_public = rule("sgr-old", "tcp", (8443, 8443), "0.0.0.0/0");
    vec![
        case(
            "port 22 beside a private rule of the same call and a public one of before",
            opened(vec![
                opening(Some("sgr-ssh"), (22, 22), "0.0.0.0/0"),
                opening(Some("sgr-private"), (22, 22), "10.0.0.0/8"),
            ]),
            &[old.clone(), private.clone(), ssh.clone()],
            &[old.clone(), private.clone()],
        ),
        case(
            "the internet in two halves, ids not in the record",
            opened(vec![opening(None, (3389, 3389), "0.0.0.0/1"), opening(None, (3389, 3389), "128.0.0.0/1")]),
            &[halves[0].clone(), private.clone(), halves[1].clone()],
            std::slice::from_ref(&private),
        ),
        case(
            "an office's address opened by the same call stays",
            opened(vec![opening(None, (22, 22), "52.95.110.1/32"), opening(None, (22, 22), "0.0.0.0/0")]),
            &[ssh.clone(), office.clone()],
            std::slice::from_ref(&office),
        ),
        case(
            "the internet in equal pieces goes whole",
            opened(pieces.clone().map(|cidr| opening(None, (22, 22), &cidr)).collect()),
            &pieces.map(|cidr| rule(&format!("sgr-{cidr}"), "tcp", (22, 22), &cidr)).collect::<Vec<_>>(),
            &[],
        ),
        case(
            "IPv6",
            opened(vec![opening(Some("sgr-6"), (22, 22), "::/0")]),
            &[v6, private.clone()],
            std::slice::from_ref(&private),
        ),
        case(
            "a web server's door opened by the same call stays",
            opened(vec![
                opening(Some("sgr-web"), (443, 443), "0.0.0.0/0"),
                opening(Some("sgr-ssh"), (22, 22), "0.0.0.0/0"),
            ]),
            &[web.clone(), ssh.clone()],
            std::slice::from_ref(&web),
        ),
        case(
            "nothing but a web server's door was opened: then it is what the rule is about",
            opened(vec![opening(Some("sgr-web"), (443, 443), "0.0.0.0/0")]),
            &[web, private.clone()],
            std::slice::from_ref(&private),
        ),
        case(
            "decided from state: only what the answer says was made",
            from_state,
            &[was_public.clone(), ssh],
            &[was_public],
        ),
        all_protocols(),
        prefix_list(),
    ]
}

/// What a prefix list lets in is known from state alone; then the opening names the list and holds its networks.
fn prefix_list() -> Case {
    let mut listed = opening(Some("sgr-list"), (22, 22), "0.0.0.0/0");
    listed.peers.push("pl-1".to_owned());
    let mut finding = answered(
        opened(vec![listed]),
        json!({ "securityGroupRuleSet": { "items": [{ "securityGroupRuleId": "sgr-list" }] } }),
    );
    finding.from_state = true;
    let mut bad = rule("sgr-list", "tcp", (22, 22), "");
    bad.as_object_mut().unwrap().remove("CidrIpv4");
    bad["PrefixListId"] = json!("pl-1");
    let mut other = bad.clone();
    other["SecurityGroupRuleId"] = json!("sgr-other");
    other["PrefixListId"] = json!("pl-2");
    Case {
        name: "a prefix list that holds the internet, beside another",
        remediation: REVOKE,
        finding,
        world: world([(GROUP, json!([bad, other.clone()]))]),
        healed: vec![(GROUP, json!([other]))],
    }
}

fn all_protocols() -> Case {
    let mut everything = opening(Some("sgr-all"), (0, 65535), "0.0.0.0/0");
    everything.protocol = Protocol::Any;
    Case {
        name: "all traffic",
        remediation: REVOKE,
        finding: opened(vec![everything]),
        world: world([(GROUP, json!([rule("sgr-all", "-1", (-1, -1), "0.0.0.0/0")]))]),
        healed: vec![(GROUP, json!([]))],
    }
}

#[test]
fn a_rule_that_somebody_narrowed_since_is_left() {
    let finding = opened(vec![opening(Some("sgr-ssh"), (22, 22), "0.0.0.0/0")]);
    let mut narrowed = rule("sgr-ssh", "tcp", (22, 22), "10.0.0.0/8");
    narrowed["~SecurityGroupRuleId"] = json!("sgr-ssh");
    let image = serde_json::from_value(json!({ "rules": [narrowed] })).unwrap();
    assert_eq!(onus_aws::remediation(REVOKE).unwrap().plan(&finding, &image).unwrap(), []);
}

#[test]
fn a_live_rule_that_is_not_understood_stops_the_plan_when_it_is_the_changes_own() {
    let finding = opened(vec![opening(Some("sgr-ssh"), (22, 22), "0.0.0.0/0")]);
    let mut strange = rule("sgr-ssh", "martian", (22, 22), "0.0.0.0/0");
    strange["~SecurityGroupRuleId"] = json!("sgr-ssh");
    let image = serde_json::from_value(json!({ "rules": [strange] })).unwrap();
    let error = onus_aws::remediation(REVOKE).unwrap().plan(&finding, &image).unwrap_err();
    assert!(error.to_string().contains("not understood"), "{error}");
}
