//! Security rules: which sources go, which stay, and which rules are somebody else's.

use onus_core::Finding;
use serde_json::{Value, json};

use super::cases::{kept, world};
use super::findings::{finding, id, opened};
use onus_core::proof::Case;
use onus_core::proof::World;

pub(crate) const GROUP_KIND: &str = "Microsoft.Network/networkSecurityGroups";
const RULE_KIND: &str = "Microsoft.Network/networkSecurityGroups/securityRules";
pub(crate) const GROUP: &str = "Microsoft.Network/networkSecurityGroups/Web";
const RULE: &str = "Microsoft.Network/networkSecurityGroups/Web/securityRules/AllowSSH";
const OTHER: &str = "Microsoft.Network/networkSecurityGroups/Web/securityRules/Other";
pub(crate) const WORLD: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// A rule that lets TCP in, with other members.
pub(crate) fn rule(members: Value) -> Value {
    let mut rule = json!({
        "access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp",
        "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22",
    });
    rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    rule
}

/// A finding on one rule, which names its group too.
pub(crate) fn wrote(sources: &[&str]) -> Finding {
    let resources = [(RULE_KIND, id(RULE)), (GROUP_KIND, id(GROUP))];
    let found = finding("microsoft.network:networksecuritygroups/securityrules/write", &resources, Value::Null);
    opened(found, "allowssh", sources, (22, 22))
}

pub(crate) fn group(rules: &[(&str, Value)]) -> World {
    let mut all = world([(GROUP, json!({}))]);
    for (name, properties) in rules {
        all.extend(world([(&format!("{GROUP}/securityRules/{name}"), properties.clone())]));
    }
    all
}

fn case(name: &'static str, finding: Finding, rules: &[(&str, Value)], healed: (&'static str, Value)) -> Case {
    Case {
        name,
        remediation: "azure.network.remove_security_rule_sources",
        finding,
        world: group(rules),
        healed: vec![healed],
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let many = |sources: Value| rule(json!({ "sourceAddressPrefixes": sources, "description": "jump hosts" }));
    let one = |source: &str| rule(json!({ "sourceAddressPrefix": source, "description": "jump hosts" }));
    let other = ("Other", one("Internet"));
    let gone = || (id(RULE), Value::Null);
    let whole_group = opened(
        finding(
            "microsoft.network:networksecuritygroups/write",
            &[(GROUP_KIND, id(GROUP))],
            json!({ "Properties": { "SecurityRules": [{ "Name": "allowssh" }, { "Name": "gone" }] } }),
        ),
        "AllowSSH",
        &WORLD,
        (22, 22),
    );
    let both = {
        let mut both = whole_group.clone();
        both.request["Properties"]["SecurityRules"][1]["Name"] = json!("Other");
        opened(both, "Other", &WORLD, (3389, 3389))
    };
    let mut all = vec![
        case("everybody, and nobody else", wrote(&WORLD), &[("AllowSSH", one("*")), other.clone()], gone()),
        case("by its tag", wrote(&WORLD), &[("AllowSSH", one("Internet"))], gone()),
        case(
            "beside an office and a tag",
            wrote(&["0.0.0.0/0", "203.0.113.0/24"]),
            &[("AllowSSH", many(json!(["203.0.113.0/24", "0.0.0.0/0", "VirtualNetwork"]))), other.clone()],
            kept(RULE, many(json!(["203.0.113.0/24", "VirtualNetwork"]))),
        ),
        case(
            "in two halves beside an office",
            wrote(&["0.0.0.0/1", "128.0.0.0/1", "203.0.113.7/32"]),
            &[("AllowSSH", many(json!(["0.0.0.0/1", "203.0.113.7", "128.0.0.0/1"])))],
            kept(RULE, one("203.0.113.7")),
        ),
        case(
            "one half, where the other stood before",
            wrote(&["128.0.0.0/1", "192.0.2.0/24"]),
            &[("AllowSSH", many(json!(["128.0.0.0/1", "192.0.2.0/24"]))), ("Other", one("0.0.0.0/1"))],
            kept(RULE, one("192.0.2.0/24")),
        ),
        case(
            "a port of a range that another rule has too",
            wrote(&WORLD),
            &[("AllowSSH", rule(json!({ "sourceAddressPrefix": "*", "destinationPortRanges": ["20-25", "443"] })))],
            gone(),
        ),
        case("in a group that was put as a whole", whole_group, &[("AllowSSH", one("*")), other], gone()),
    ];
    let rdp = rule(json!({ "sourceAddressPrefix": "*", "destinationPortRange": "3389", "priority": 110 }));
    all.push(Case {
        name: "two rules at once",
        remediation: "azure.network.remove_security_rule_sources",
        finding: both,
        world: group(&[("AllowSSH", one("*")), ("Other", rdp)]),
        healed: vec![gone(), (id(OTHER), Value::Null)],
    });
    let web = rule(json!({ "sourceAddressPrefix": "*", "destinationPortRange": "443" }));
    all.push(case(
        "a web server's own port, where nothing else was exposed",
        wrote(&WORLD),
        &[("AllowSSH", web)],
        gone(),
    ));
    all
}
