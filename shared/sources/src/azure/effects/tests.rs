use std::fmt::Write as _;

use onus_core::effect::Direction;
use onus_core::{Effects, Json};
use proptest::prelude::*;

use super::*;

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/web/providers";

/// Effects as lines: `in tcp 22-22 0.0.0.0/0 peers rule`, `grant audience principal actions level via part`, `doubt about`.
fn lines(effects: &Effects) -> Vec<String> {
    let mut lines = Vec::new();
    for o in &effects.openings {
        let mut line = format!(
            "{} {} {}-{}",
            if o.direction == Direction::Ingress { "in" } else { "out" },
            o.protocol,
            o.ports.0,
            o.ports.1
        );
        for source in &o.sources {
            write!(line, " {source}").unwrap();
        }
        for peer in &o.peers {
            write!(line, " {peer}").unwrap();
        }
        let rule = o.rule_id.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        lines.push(format!("{line} by {rule}"));
    }
    for g in &effects.grants {
        let part = g.part.as_deref().unwrap_or("-").rsplit('/').next().unwrap_or_default();
        lines.push(format!(
            "{} {} {} {} {} {part}",
            g.audience.as_str(),
            g.principal,
            g.actions.join("+"),
            g.level.as_str(),
            g.via
        ));
    }
    lines.extend(effects.doubts.iter().map(|doubt| format!("doubt {}", doubt.about)));
    lines
}

fn of(kind: &str, name: &str, body: &str, extent: Extent) -> Effects {
    of_resource(kind, &format!("{GROUP}/{name}"), &Json::parse(body).unwrap(), extent)
}

/// What it is, the body, how much of the resource it holds, and what it means.
struct Case(&'static str, &'static str, Extent, &'static [&'static str]);

fn check(kind: &str, name: &str, cases: &[Case]) {
    let mut wrong = Vec::new();
    for Case(what, body, extent, expected) in cases {
        let got = lines(&of(kind, name, body, *extent));
        if got != *expected {
            wrong.push(format!("{what}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} bodies of {kind} mean something else:\n{}", wrong.len(), wrong.join("\n"));
}

const WHOLE: Extent = Extent::Whole;
const PART: Extent = Extent::Part;

#[test]
fn security_rules_open_what_they_say() {
    let kind = "Microsoft.Network/networkSecurityGroups/securityRules";
    let name = "Microsoft.Network/networkSecurityGroups/front/securityRules/ssh";
    check(
        kind,
        name,
        &[
            Case(
                "everything",
                r#"{"properties":{"protocol":"*","destinationPortRange":"*","sourceAddressPrefix":"*","access":"Allow","direction":"Inbound","priority":100}}"#,
                PART,
                &["in any 0-65535 0.0.0.0/0 ::/0 by ssh"],
            ),
            Case(
                "the tag for the internet",
                r#"{"properties":{"protocol":"TCP","destinationPortRange":"22","sourceAddressPrefix":"Internet","access":"Allow","direction":"Inbound"}}"#,
                PART,
                &["in tcp 22-22 0.0.0.0/0 ::/0 by ssh"],
            ),
            Case(
                "any",
                r#"{"properties":{"protocol":"Udp","destinationPortRange":"53","sourceAddressPrefix":"Any","access":"Allow","direction":"Inbound"}}"#,
                PART,
                &["in udp 53-53 0.0.0.0/0 ::/0 by ssh"],
            ),
            Case(
                "names in capitals",
                r#"{"Properties":{"Protocol":"Tcp","DestinationPortRange":"22","SourceAddressPrefix":"0.0.0.0/0","Access":"Allow","Direction":"Inbound"}}"#,
                PART,
                &["in tcp 22-22 0.0.0.0/0 by ssh"],
            ),
            Case(
                "two halves and two ranges",
                r#"{"properties":{"protocol":"Tcp","destinationPortRanges":["22","3389-3390"],"sourceAddressPrefixes":["0.0.0.0/1","128.0.0.0/1"],"access":"Allow","direction":"Inbound"}}"#,
                PART,
                &["in tcp 22-22 0.0.0.0/1 128.0.0.0/1 by ssh", "in tcp 3389-3390 0.0.0.0/1 128.0.0.0/1 by ssh"],
            ),
            Case(
                "a list in one string",
                r#"{"properties":{"protocol":"Tcp","destinationPortRange":"22,80","sourceAddressPrefix":"192.0.2.0/24, 198.51.100.7","access":"Allow","direction":"Inbound"}}"#,
                PART,
                &[
                    "in tcp 22-22 192.0.2.0/24 198.51.100.7/32 by ssh",
                    "in tcp 80-80 192.0.2.0/24 198.51.100.7/32 by ssh",
                ],
            ),
            Case(
                "a range of addresses",
                r#"{"properties":{"protocol":"Tcp","destinationPortRange":"22","sourceAddressPrefix":"192.0.2.0-192.0.2.2","access":"Allow","direction":"Inbound"}}"#,
                PART,
                &["in tcp 22-22 192.0.2.0/31 192.0.2.2/32 by ssh"],
            ),
            Case(
                "a service tag",
                r#"{"properties":{"protocol":"Tcp","destinationPortRange":"443","sourceAddressPrefix":"AzureLoadBalancer","access":"Allow","direction":"Inbound"}}"#,
                PART,
                &["in tcp 443-443 AzureLoadBalancer by ssh"],
            ),
            Case(
                "application groups",
                r#"{"properties":{"protocol":"Tcp","destinationPortRange":"443","sourceApplicationSecurityGroups":[{"id":"/Subscriptions/S/web"}],"access":"Allow","direction":"Inbound"}}"#,
                PART,
                &["in tcp 443-443 /subscriptions/s/web by ssh"],
            ),
            Case(
                "outbound",
                r#"{"properties":{"protocol":"Tcp","destinationPortRange":"443","sourceAddressPrefix":"*","destinationAddressPrefix":"Internet","access":"Allow","direction":"Outbound"}}"#,
                PART,
                &["out tcp 443-443 0.0.0.0/0 ::/0 by ssh"],
            ),
            Case(
                "a deny rule",
                r#"{"properties":{"protocol":"*","destinationPortRange":"*","sourceAddressPrefix":"*","access":"Deny","direction":"Inbound"}}"#,
                PART,
                &[],
            ),
            Case(
                "nonsense",
                r#"{"properties":{"protocol":"Tcp","destinationPortRange":"9-1","sourceAddressPrefix":"1.2.3.4.5/6","access":"Allow","direction":"Inbound"}}"#,
                PART,
                &[
                    "in tcp 0-65535 by ssh",
                    "doubt request.properties.destinationPortRange",
                    "doubt network 1.2.3.4.5/6",
                ],
            ),
            Case(
                "nothing",
                "{}",
                PART,
                &[
                    "in any 0-65535 by ssh",
                    "doubt request.properties.direction",
                    "doubt request.properties.destinationPortRange",
                    "doubt addresses of security rule /subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/web/providers/microsoft.network/networksecuritygroups/front/securityrules/ssh",
                ],
            ),
            Case("no body", "null", PART, &[]),
        ],
    );
}

#[test]
fn a_group_opens_what_no_earlier_rule_denies() {
    let kind = "Microsoft.Network/networkSecurityGroups";
    let name = "Microsoft.Network/networkSecurityGroups/front";
    check(
        kind,
        name,
        &[
            Case(
                "two rules",
                r#"{"properties":{"securityRules":[{"name":"b","properties":{"protocol":"Tcp","destinationPortRange":"22","sourceAddressPrefix":"*","destinationAddressPrefix":"*","access":"Allow","direction":"Inbound","priority":200}},{"id":"/x/securityRules/A","properties":{"protocol":"Tcp","destinationPortRange":"80","sourceAddressPrefix":"192.0.2.1","destinationAddressPrefix":"*","access":"Allow","direction":"Inbound","priority":100}}]}}"#,
                WHOLE,
                &["in tcp 80-80 192.0.2.1/32 by a", "in tcp 22-22 0.0.0.0/0 ::/0 by b"],
            ),
            Case(
                "denied before",
                r#"{"properties":{"securityRules":[{"name":"b","properties":{"protocol":"Tcp","destinationPortRange":"22","sourceAddressPrefix":"*","destinationAddressPrefix":"*","access":"Allow","direction":"Inbound","priority":200}},{"name":"a","properties":{"protocol":"*","destinationPortRange":"20-30","sourceAddressPrefix":"*","destinationAddressPrefix":"*","access":"Deny","direction":"Inbound","priority":100}}]}}"#,
                WHOLE,
                &[],
            ),
            Case(
                "denied behind",
                r#"{"properties":{"securityRules":[{"name":"b","properties":{"protocol":"Tcp","destinationPortRange":"22","sourceAddressPrefix":"*","destinationAddressPrefix":"*","access":"Allow","direction":"Inbound","priority":100}},{"name":"a","properties":{"protocol":"*","destinationPortRange":"*","sourceAddressPrefix":"*","destinationAddressPrefix":"*","access":"Deny","direction":"Inbound","priority":200}}]}}"#,
                WHOLE,
                &["in tcp 22-22 0.0.0.0/0 ::/0 by b"],
            ),
            Case(
                "denied to one host only",
                r#"{"properties":{"securityRules":[{"name":"b","properties":{"protocol":"Tcp","destinationPortRange":"22","sourceAddressPrefix":"*","destinationAddressPrefix":"*","access":"Allow","direction":"Inbound","priority":200}},{"name":"a","properties":{"protocol":"*","destinationPortRange":"*","sourceAddressPrefix":"*","destinationAddressPrefix":"10.0.0.4","access":"Deny","direction":"Inbound","priority":100}}]}}"#,
                WHOLE,
                &["in tcp 22-22 0.0.0.0/0 ::/0 by b"],
            ),
            Case("no rules", r#"{"properties":{"securityRules":[]}}"#, WHOLE, &[]),
            Case("tags only", r#"{"tags":{}}"#, PART, &["doubt request.properties.securityRules"]),
        ],
    );
}

#[test]
fn firewall_rules_are_ranges() {
    let kind = "Microsoft.Sql/servers/firewallRules";
    let name = "Microsoft.Sql/servers/db/firewallRules/all";
    check(
        kind,
        name,
        &[
            Case(
                "everything",
                r#"{"properties":{"startIpAddress":"0.0.0.0","endIpAddress":"255.255.255.255"}}"#,
                PART,
                &["in tcp 1433-1433 0.0.0.0/0 by all"],
            ),
            Case(
                "everything but nothing",
                r#"{"properties":{"startIpAddress":"0.0.0.1","endIpAddress":"127.255.255.255"}}"#,
                PART,
                &[
                    "in tcp 1433-1433 0.0.0.1/32 0.0.0.2/31 0.0.0.4/30 0.0.0.8/29 0.0.0.16/28 0.0.0.32/27 0.0.0.64/26 0.0.0.128/25 0.0.1.0/24 0.0.2.0/23 0.0.4.0/22 0.0.8.0/21 0.0.16.0/20 0.0.32.0/19 0.0.64.0/18 0.0.128.0/17 0.1.0.0/16 0.2.0.0/15 0.4.0.0/14 0.8.0.0/13 0.16.0.0/12 0.32.0.0/11 0.64.0.0/10 0.128.0.0/9 1.0.0.0/8 2.0.0.0/7 4.0.0.0/6 8.0.0.0/5 16.0.0.0/4 32.0.0.0/3 64.0.0.0/2 by all",
                ],
            ),
            Case(
                "all of Azure",
                r#"{"properties":{"startIpAddress":"0.0.0.0","endIpAddress":"0.0.0.0"}}"#,
                PART,
                &["in tcp 1433-1433 AzureServices by all"],
            ),
            Case(
                "one host",
                r#"{"properties":{"startIpAddress":"192.0.2.1","endIpAddress":"192.0.2.1"}}"#,
                WHOLE,
                &["in tcp 1433-1433 192.0.2.1/32 by all"],
            ),
            Case(
                "the wrong way round",
                r#"{"properties":{"startIpAddress":"192.0.2.9","endIpAddress":"192.0.2.1"}}"#,
                WHOLE,
                &["in tcp 1433-1433 by all", "doubt range 192.0.2.9 to 192.0.2.1"],
            ),
            Case(
                "half a range",
                r#"{"properties":{"startIpAddress":"192.0.2.9"}}"#,
                PART,
                &["doubt request.properties.startIpAddress"],
            ),
        ],
    );
    let opened = of(
        "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
        "Microsoft.DBforPostgreSQL/flexibleServers/db/firewallRules/a",
        r#"{"properties":{"startIpAddress":"0.0.0.0","endIpAddress":"127.255.255.255"}}"#,
        WHOLE,
    );
    let other = of(
        "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
        "Microsoft.DBforPostgreSQL/flexibleServers/db/firewallRules/b",
        r#"{"properties":{"startIpAddress":"128.0.0.0","endIpAddress":"255.255.255.255"}}"#,
        WHOLE,
    );
    let exposures = together([opened, other]).exposures();
    assert_eq!(exposures.len(), 1, "the rules of one server add up: {exposures:?}");
    assert_eq!((exposures[0].ports, exposures[0].openings.len()), ((5432, 5432), 2));
}

#[test]
fn network_switches_decide_who_reaches_a_service() {
    let storage = |body: &str, extent| {
        lines(&of("Microsoft.Storage/storageAccounts", "Microsoft.Storage/storageAccounts/data", body, extent))
    };
    assert_eq!(
        storage(r#"{"properties":{"networkAcls":{"defaultAction":"Allow"},"allowBlobPublicAccess":true}}"#, WHOLE),
        [
            "in tcp 443-443 0.0.0.0/0 ::/0 by networkAcls.defaultAction",
            "public anonymous allowBlobPublicAccess read attribute allowBlobPublicAccess"
        ]
    );
    assert_eq!(storage(r#"{"properties":{}}"#, WHOLE), ["in tcp 443-443 0.0.0.0/0 ::/0 by networkAcls.defaultAction"]);
    assert_eq!(storage(r#"{"properties":{"publicNetworkAccess":"Disabled"}}"#, WHOLE), Vec::<String>::new());
    assert_eq!(storage(r#"{"properties":{"publicNetworkAccess":"SecuredByPerimeter"}}"#, WHOLE), Vec::<String>::new());
    assert_eq!(
        storage(
            r#"{"properties":{"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"192.0.2.0/24","action":"Allow"}]}}}"#,
            WHOLE
        ),
        ["in tcp 443-443 192.0.2.0/24 by networkAcls.ipRules"]
    );
    assert_eq!(
        storage(r#"{"properties":{"allowBlobPublicAccess":false}}"#, PART),
        ["doubt request.properties.publicNetworkAccess", "doubt request.properties.networkAcls.defaultAction"]
    );

    let cosmos = |body: &str| {
        lines(&of("Microsoft.DocumentDB/databaseAccounts", "Microsoft.DocumentDB/databaseAccounts/d", body, WHOLE))
    };
    assert_eq!(cosmos(r#"{"properties":{"ipRules":[]}}"#), ["in tcp 443-443 0.0.0.0/0 ::/0 by publicNetworkAccess"]);
    assert_eq!(cosmos(r#"{"properties":{"ipRules":[],"isVirtualNetworkFilterEnabled":true}}"#), Vec::<String>::new());
    assert_eq!(
        cosmos(r#"{"properties":{"ipRules":[{"ipAddressOrRange":"0.0.0.0"},{"ipAddressOrRange":"192.0.2.7"}]}}"#),
        ["in tcp 443-443 192.0.2.7/32 AzureServices by ipRules"]
    );
    assert_eq!(
        cosmos(r#"{"properties":{"ipRangeFilter":"192.0.2.7, 192.0.2.8"}}"#),
        ["in tcp 443-443 192.0.2.7/32 192.0.2.8/32 by ipRangeFilter"]
    );
    assert_eq!(cosmos(r#"{"properties":{"publicNetworkAccess":"Disabled","ipRules":[]}}"#), Vec::<String>::new());

    let sql = |body: &str| lines(&of("Microsoft.Sql/servers", "Microsoft.Sql/servers/db", body, WHOLE));
    assert_eq!(
        sql(r#"{"properties":{"publicNetworkAccess":"Enabled"}}"#),
        ["in tcp 1433-1433 firewallRules by publicNetworkAccess"]
    );
    assert_eq!(sql(r#"{"properties":{"publicNetworkAccess":"Disabled"}}"#), Vec::<String>::new());

    let aks = |body: &str| {
        lines(&of(
            "Microsoft.ContainerService/managedClusters",
            "Microsoft.ContainerService/managedClusters/c",
            body,
            WHOLE,
        ))
    };
    assert_eq!(
        aks(r#"{"properties":{}}"#),
        ["in tcp 443-443 0.0.0.0/0 ::/0 by apiServerAccessProfile.authorizedIPRanges"]
    );
    assert_eq!(aks(r#"{"properties":{"apiServerAccessProfile":{"enablePrivateCluster":true}}}"#), Vec::<String>::new());
    assert_eq!(
        aks(r#"{"properties":{"apiServerAccessProfile":{"authorizedIPRanges":["192.0.2.0/24"]}}}"#),
        ["in tcp 443-443 192.0.2.0/24 by apiServerAccessProfile.authorizedIPRanges"]
    );

    let container = |body: &str| {
        lines(&of(
            "Microsoft.ContainerInstance/containerGroups",
            "Microsoft.ContainerInstance/containerGroups/c",
            body,
            PART,
        ))
    };
    assert_eq!(
        container(
            r#"{"properties":{"ipAddress":{"type":"Public","ports":[{"port":22,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]}}}"#
        ),
        ["in tcp 22-22 0.0.0.0/0 ::/0 by ipAddress.ports", "in udp 53-53 0.0.0.0/0 ::/0 by ipAddress.ports"]
    );
    assert_eq!(
        container(r#"{"properties":{"ipAddress":{"type":"Private","ports":[{"port":22}]}}}"#),
        Vec::<String>::new()
    );
}

#[test]
fn access_is_given_to_whom_it_says() {
    let role = |body: &str| {
        of("Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleAssignments/r", body, PART)
    };
    let owner = role(
        r#"{"Id":"r","Properties":{"PrincipalId":"p","PrincipalType":"User","RoleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}}"#,
    );
    assert_eq!(lines(&owner), ["internal p Owner admin role_assignment r"]);
    assert_eq!(owner.grants[0].resource, "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/web");
    assert_eq!(
        lines(&role(
            r#"{"properties":{"principalId":"p","principalType":"ForeignGroup","roleDefinitionId":"acdd72a7-3385-48ef-bd42-f606fba81ae7"}}"#
        )),
        ["external p Reader read role_assignment r"]
    );
    assert_eq!(
        lines(&role(r#"{"properties":{"principalId":"p","roleDefinitionId":"x"}}"#)),
        ["internal p x write role_assignment r", "doubt role definition x"]
    );
    assert_eq!(lines(&role("{}")), ["doubt request.properties.roleDefinitionId"]);

    let vault =
        |body: &str, extent| lines(&of("Microsoft.KeyVault/vaults", "Microsoft.KeyVault/vaults/v", body, extent));
    let shut = r#""publicNetworkAccess":"Disabled","tenantId":"t""#;
    assert_eq!(
        vault(
            &format!(
                r#"{{"properties":{{{shut},"accessPolicies":[{{"tenantId":"T","objectId":"o","permissions":{{"secrets":["Get","List"]}}}},{{"tenantId":"other","objectId":"x","applicationId":"a","permissions":{{"keys":["all"]}}}}]}}}}"#
            ),
            WHOLE
        ),
        ["internal o secrets:get+secrets:list read access_policy o", "external x keys:all admin access_policy a"]
    );
    assert_eq!(
        vault(
            &format!(
                r#"{{"properties":{{{shut},"enableRbacAuthorization":true,"accessPolicies":[{{"tenantId":"t","objectId":"o","permissions":{{"secrets":["Get"]}}}}]}}}}"#
            ),
            WHOLE
        ),
        Vec::<String>::new()
    );
    assert_eq!(vault(&format!(r#"{{"properties":{{{shut}}}}}"#), PART), ["doubt request.properties.accessPolicies"]);
    let policies = |name: &str| {
        lines(&of(
            "Microsoft.KeyVault/vaults/accessPolicies",
            &format!("Microsoft.KeyVault/vaults/v/accessPolicies/{name}"),
            r#"{"properties":{"accessPolicies":[{"tenantId":"t","objectId":"o","permissions":{"secrets":["set"]}}]}}"#,
            PART,
        ))
    };
    assert_eq!(policies("add"), ["internal o secrets:set write access_policy o"]);
    assert_eq!(policies("remove"), Vec::<String>::new());

    let container = |body: &str, extent| {
        lines(&of(
            "Microsoft.Storage/storageAccounts/blobServices/containers",
            "Microsoft.Storage/storageAccounts/d/blobServices/default/containers/c",
            body,
            extent,
        ))
    };
    assert_eq!(
        container(r#"{"properties":{"publicAccess":"Container"}}"#, PART),
        ["public anonymous Container read container publicAccess"]
    );
    assert_eq!(container(r#"{"properties":{"publicAccess":"None"}}"#, PART), Vec::<String>::new());
    assert_eq!(container("{}", WHOLE), Vec::<String>::new());
    assert_eq!(container("{}", PART), ["doubt request.properties.publicAccess"]);
}

#[test]
fn the_table_is_sorted_and_spelled_as_kinds_are() {
    for pair in TABLE.windows(2) {
        assert!(pair[0].0.to_ascii_lowercase() < pair[1].0.to_ascii_lowercase(), "{}", pair[1].0);
    }
    for (kind, _) in TABLE {
        assert_eq!(super::super::kinds::spelled(&kind.to_ascii_uppercase()), *kind);
    }
}

proptest! {
    /// Any value in any place: no panic, and whatever is not understood opens nothing to everybody unsaid.
    #[test]
    fn no_body_makes_the_effects_panic(row in 0..TABLE.len(), name in "[a-zA-Z]{0,3}|securityRules|networkAcls|accessPolicies|ipAddress|ipRules|publicNetworkAccess", value in prop::sample::select(vec!["null", "1", "\"x\"", "[]", "[1,{}]", "[{\"properties\":[]}]", "{}", "{\"ports\":[{\"port\":99999}],\"type\":\"Public\"}", "\"0.0.0.0-x\""])) {
        let (kind, _) = TABLE[row];
        let body = format!(r#"{{"properties":{{"{name}":{value}}}}}"#);
        for extent in [WHOLE, PART] {
            let _ = of(kind, "Microsoft.X/a/b", &body, extent).exposures();
        }
    }
}
