//! Where nothing is planned: the bad part is gone, or the remediation cannot know what is bad.

use onus_azure::remediation;
use onus_core::{Call, Caller, Finding, Image, PlanError};
use serde_json::{Value, json};

use crate::fake::FakeArm;
use crate::findings::{finding, id, omitted, on, opened};
use crate::read;
use crate::security_rules::{self, GROUP_KIND, WORLD, group, rule, wrote};

fn image(value: Value) -> Image {
    serde_json::from_value(value).unwrap()
}

/// `incomplete`, `unreadable`, `refused`, `read`, or the titles of what was planned.
fn outcome(id: &str, finding: &Finding, live: Value) -> String {
    match remediation(id).unwrap().plan(finding, &image(live)) {
        Ok(steps) => steps.into_iter().map(|step| step.title).collect::<Vec<_>>().join("; "),
        Err(PlanError::Incomplete { .. }) => "incomplete".to_owned(),
        Err(PlanError::Unreadable { .. }) => "unreadable".to_owned(),
        Err(PlanError::Refused { .. }) => "refused".to_owned(),
        Err(PlanError::Read(_)) => "read".to_owned(),
    }
}

#[test]
fn doubt_plans_nothing() {
    let container = "azure.storage.disable_container_public_access";
    let account = "azure.storage.disable_blob_public_access";
    let network = "azure.storage.deny_network_by_default";
    let vault = "azure.keyvault.deny_network_by_default";
    let sql = "azure.sql.delete_firewall_rule";
    let role = "azure.authorization.remove_role_assignment";
    let plan = "azure.security.enable_defender_plan";
    let containers = "Microsoft.Storage/storageAccounts/blobServices/containers";
    let logs =
        || on(containers, id("Microsoft.Storage/storageAccounts/a/blobServices/default/containers/logs"), json!(null));
    let a = || on("Microsoft.Storage/storageAccounts", id("Microsoft.Storage/storageAccounts/a"), json!(null));
    let kv = || on("Microsoft.KeyVault/vaults", id("Microsoft.KeyVault/vaults/kv"), json!(null));
    let firewall = |request: Value| {
        on("Microsoft.Sql/servers/firewallRules", id("Microsoft.Sql/servers/db/firewallRules/open"), request)
    };
    let assignment = |request: Value| {
        on("Microsoft.Authorization/roleAssignments", id("Microsoft.Authorization/roleAssignments/1"), request)
    };
    let pricing = || on("Microsoft.Security/pricings", id("Microsoft.Security/pricings/Containers"), json!(null));
    let properties = |key: &str, properties: Value| json!({ key: { "properties": properties } });
    let live_rule =
        |from: &str, to: &str| properties("firewallRule", json!({ "startIpAddress": from, "endIpAddress": to }));
    let world = json!({ "properties": { "startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255" } });
    let from_state = |mut finding: Finding| {
        finding.from_state = true;
        finding
    };
    let assigned = properties("roleAssignment", json!({ "principalId": "p", "roleDefinitionId": "/x/r" }));
    let strange = on(containers, id("Microsoft.Storage/storageAccounts/a"), json!(null));
    let dotted =
        on("Microsoft.KeyVault/vaults", "/subscriptions/1/../2/providers/microsoft.keyvault/vaults/kv", json!(null));
    let elsewhere =
        json!({ "blobContainer": { "~id": "/subscriptions/2/x", "properties": { "publicAccess": "Blob" } } });
    let cases: Vec<(&str, &str, Finding, Value, &str)> = vec![
        ("nobody names the container", container, strange, json!({}), "incomplete"),
        ("the id climbs", vault, dotted, json!({}), "incomplete"),
        ("the container is gone", container, logs(), json!({ "blobContainer": null }), ""),
        ("another resource answered", container, logs(), elsewhere, "unreadable"),
        (
            "an access of next year",
            container,
            logs(),
            properties("blobContainer", json!({ "publicAccess": "Friends" })),
            "unreadable",
        ),
        ("no word on anonymous access", account, a(), properties("storageAccount", json!({})), "unreadable"),
        (
            "no public network at all",
            network,
            a(),
            properties(
                "storageAccount",
                json!({ "publicNetworkAccess": "Disabled", "networkAcls": { "defaultAction": "Allow" } }),
            ),
            "",
        ),
        (
            "a perimeter decides",
            network,
            a(),
            properties("storageAccount", json!({ "publicNetworkAccess": "SecuredByPerimeter" })),
            "refused",
        ),
        (
            "a network access of next year",
            network,
            a(),
            properties("storageAccount", json!({ "publicNetworkAccess": "Sometimes" })),
            "unreadable",
        ),
        (
            "an action of next year",
            vault,
            kv(),
            properties("vault", json!({ "networkAcls": { "defaultAction": "Ask" } })),
            "unreadable",
        ),
        ("denied already", vault, kv(), properties("vault", json!({ "networkAcls": { "defaultAction": "deny" } })), ""),
        ("the rule was narrowed since", sql, firewall(world.clone()), live_rule("203.0.113.1", "203.0.113.1"), ""),
        ("the rule's addresses are nonsense", sql, firewall(world.clone()), live_rule("a", "b"), "unreadable"),
        ("the rule's addresses run backwards", sql, firewall(world), live_rule("10.0.0.9", "10.0.0.1"), "unreadable"),
        ("nobody tells the addresses", sql, firewall(json!({})), live_rule("0.0.0.0", "255.255.255.255"), "incomplete"),
        (
            "state saw another range",
            sql,
            from_state(opened(firewall(json!({})), "open", &["203.0.113.0/24"], (1, 1))),
            live_rule("0.0.0.0", "255.255.255.255"),
            "",
        ),
        (
            "made again for somebody else",
            role,
            assignment(json!({ "properties": { "principalId": "q" } })),
            assigned.clone(),
            "",
        ),
        (
            "made again with another role",
            role,
            assignment(json!({ "properties": { "roleDefinitionId": "/y/s" } })),
            assigned,
            "",
        ),
        (
            "an assignment of nothing",
            role,
            assignment(json!(null)),
            properties("roleAssignment", json!({})),
            "unreadable",
        ),
        ("the plan is on again", plan, pricing(), properties("pricing", json!({ "pricingTier": "Standard" })), ""),
        (
            "the plan has a successor",
            plan,
            pricing(),
            properties("pricing", json!({ "pricingTier": "Free", "deprecated": true })),
            "refused",
        ),
        ("a tier of next year", plan, pricing(), properties("pricing", json!({ "pricingTier": "Gold" })), "unreadable"),
        ("the plan cannot be read", plan, pricing(), json!({ "pricing": null }), "unreadable"),
    ];
    let mut wrong = Vec::new();
    for (name, remediation, finding, live, expected) in cases {
        let found = outcome(remediation, &finding, live);
        if found != expected {
            wrong.push(format!("{name}: `{found}`, not `{expected}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_rule_that_is_not_the_changes_or_not_understood_is_left() {
    let one = |members: Value| {
        let mut rule = rule(json!({ "sourceAddressPrefix": "*" }));
        rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        [("AllowSSH", rule)]
    };
    let group_alone = finding(
        "microsoft.network:networksecuritygroups/write",
        &[(GROUP_KIND, id(security_rules::GROUP))],
        json!(null),
    );
    let unopened = {
        let mut finding = wrote(&WORLD);
        finding.effects.openings.clear();
        finding
    };
    let cases = [
        ("nobody tells which rules were written", group_alone, one(json!({})), "refused"),
        ("nobody tells what was opened", unopened, one(json!({})), "incomplete"),
        ("it denies now", wrote(&WORLD), one(json!({ "access": "Deny" })), ""),
        ("it lets out", wrote(&WORLD), one(json!({ "direction": "Outbound" })), ""),
        ("it was narrowed since", wrote(&WORLD), one(json!({ "sourceAddressPrefix": "203.0.113.0/24" })), ""),
        ("only a tag is left", wrote(&WORLD), one(json!({ "sourceAddressPrefix": "AzureLoadBalancer" })), ""),
        ("somebody else opened it wider since", wrote(&["203.0.113.0/24"]), one(json!({})), ""),
        (
            "a source that nobody can read",
            wrote(&WORLD),
            one(json!({ "sourceAddressPrefix": "10.0.0.0/99" })),
            "unreadable",
        ),
        ("ports that run backwards", wrote(&WORLD), one(json!({ "destinationPortRange": "9-1" })), "unreadable"),
    ];
    let mut wrong = Vec::new();
    for (name, finding, rules, expected) in cases {
        let arm = FakeArm::new(group(&rules));
        let remediation = remediation("azure.network.remove_security_rule_sources").unwrap();
        let image = read(&arm, remediation, &finding).await.unwrap();
        let found =
            outcome("azure.network.remove_security_rule_sources", &finding, serde_json::to_value(image).unwrap());
        if found != expected {
            wrong.push(format!("{name}: `{found}`, not `{expected}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_group_that_changes_between_reading_and_writing_is_not_overwritten() {
    let arm = FakeArm::new(group(&[("AllowSSH", rule(json!({ "sourceAddressPrefixes": ["*", "203.0.113.0/24"] })))]));
    let remediation = remediation("azure.network.remove_security_rule_sources").unwrap();
    let finding = wrote(&["0.0.0.0/0", "::/0", "203.0.113.0/24"]);
    let image = read(&arm, remediation, &finding).await.unwrap();
    let steps = remediation.plan(&finding, &image).unwrap();
    let [step] = steps.as_slice() else { panic!("{steps:?}") };
    let somebody = Call {
        parameters: json!({ "id": step.call.parameters["id"], "body": { "properties": {} } }),
        ..step.call.clone()
    };
    arm.call(&somebody).await.unwrap();
    let error = arm.call(&step.call).await.unwrap_err();
    assert!(error.is_retryable(), "planned again on what is there now: {error}");
    let undo = image.fill(step.inverse.as_ref().unwrap()).unwrap();
    assert!(arm.call(&undo).await.is_err(), "an undo is as careful");
}

#[tokio::test]
async fn what_may_not_be_read_ends_the_response() {
    let finding = omitted("Microsoft.KeyVault/vaults", id("Microsoft.KeyVault/vaults/kv"));
    let remediation = remediation("azure.keyvault.deny_network_by_default").unwrap();
    let wanted = remediation.reads(&finding, &Image::default()).unwrap();
    let [read] = wanted.as_slice() else { panic!("{wanted:?}") };
    assert!(!read.absent.contains(&"AuthorizationFailed") && !read.absent.contains(&"403"));
}
