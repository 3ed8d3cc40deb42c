//! Where nothing is planned: the bad part is gone, or the remediation cannot know what is bad.

use onus_core::{Audience, Effects, Finding, Image, PlanError};
use onus_gcp::remediation;
use serde_json::{Value, json};

use crate::cases::{
    Has, bucket, database, database_change, dataset_change, key_change, project_change, rule, rule_change, sink,
    sink_change, world,
};
use crate::fake::FakeGcp;
use crate::findings::{finding, granted};
use crate::read;

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
    let viewer = granted("roles/viewer", "allUsers", Audience::Public);
    let opened = || bucket("storage:setIamPermissions").grants(std::slice::from_ref(&viewer));
    let public = json!([{ "role": "roles/viewer", "members": ["allUsers"] }]);
    let mut nameless = opened();
    nameless.change.resources.clear();
    let members = "gcp.storage.remove_public_members";
    let firewall = |live: Value| json!({ "firewall": live });
    let narrow = "gcp.compute.narrow_firewall";
    let world_rule = rule(&json!({ "sourceRanges": ["0.0.0.0/0"] }));
    let with = |member: &str, value: Value| {
        let mut rule = world_rule.clone();
        rule[member] = value;
        rule
    };
    let opens = || rule_change("compute:firewalls.insert").opens(&["0.0.0.0/0"]);
    let remove = "gcp.resourcemanager.remove_members";
    let owner = granted("roles/owner", "user:mallory@gmail.com", Audience::External);
    let owners = json!({ "iamPolicy": { "~etag": "1", "bindings": [
        { "role": "roles/owner", "members": ["user:mallory@gmail.com"] },
    ] } });
    let whole = json!({ "policy": { "bindings": [{ "role": "roles/owner", "members": ["user:mallory@gmail.com"] }] } });
    let restore = "gcp.logging.restore_sink";
    let update = |sink: Value| sink_change("logging:UpdateSink", "projects/shop/sinks/audit", json!({ "sink": sink }));
    let key = "gcp.iam.disable_service_account_key";
    let made = || key_change().answered(json!({ "name": crate::cases::KEY }));
    let networks = json!([{ "value": "0.0.0.0/0" }, { "value": "office" }]);
    let mut private = database(&json!([{ "value": "0.0.0.0/0" }]));
    private["settings"]["ipConfiguration"]["ipv4Enabled"] = json!(false);
    let sql = "gcp.sql.remove_authorized_networks";
    let sql_opens = || database_change().opens(&["0.0.0.0/0"]);
    let dataset = json!({ "dataset": { "access": [{ "role": "READER", "iamMember": "allUsers" }] } });
    let access = "gcp.bigquery.remove_public_access";
    let cases: Vec<(&str, &str, Finding, Value, &str)> = vec![
        ("nobody names the bucket", members, nameless, json!({}), "incomplete"),
        ("the bucket is gone", members, opened(), json!({ "iamPolicy": null }), ""),
        ("the member is gone", members, opened(), json!({ "iamPolicy": { "bindings": [] } }), ""),
        ("no token", members, opened(), json!({ "iamPolicy": { "bindings": public } }), "unreadable"),
        (
            "nobody public was added",
            members,
            bucket("storage:buckets.update"),
            json!({ "iamPolicy": { "bindings": public } }),
            "incomplete",
        ),
        (
            "a bucket of no known setting",
            "gcp.storage.enforce_public_access_prevention",
            opened(),
            json!({ "bucket": {} }),
            "unreadable",
        ),
        ("a rule that is gone", narrow, opens(), firewall(json!(null)), ""),
        ("a rule that is off", narrow, opens(), firewall(with("disabled", json!(true))), ""),
        ("a rule for outgoing traffic", narrow, opens(), firewall(with("direction", json!("EGRESS"))), "refused"),
        (
            "a range of no known form",
            narrow,
            opens(),
            firewall(with("sourceRanges", json!(["everywhere"]))),
            "unreadable",
        ),
        (
            "a rule that was narrowed since",
            narrow,
            opens(),
            firewall(with("sourceRanges", json!(["192.0.2.0/24"]))),
            "",
        ),
        (
            "a rule that denies",
            narrow,
            opens(),
            firewall(json!({ "sourceRanges": ["0.0.0.0/0"], "denied": [{ "IPProtocol": "all" }] })),
            "",
        ),
        ("no opening is known", narrow, rule_change("compute:firewalls.patch"), firewall(world_rule.clone()), ""),
        ("a network of no known form", sql, sql_opens(), json!({ "sqlInstance": database(&networks) }), "unreadable"),
        ("an instance without public address", sql, sql_opens(), json!({ "sqlInstance": private }), ""),
        ("an instance that is gone", sql, sql_opens(), json!({ "sqlInstance": null }), ""),
        (
            "the last owner",
            remove,
            project_change(json!(null)).grants(std::slice::from_ref(&owner)),
            owners.clone(),
            "refused",
        ),
        (
            "the whole policy, no comparison",
            remove,
            project_change(whole).grants(std::slice::from_ref(&owner)),
            owners.clone(),
            "refused",
        ),
        (
            "state decided",
            remove,
            project_change(json!(null)).grants(&[owner]).decided_by_state(),
            owners.clone(),
            "refused",
        ),
        ("nobody risky was added", remove, project_change(json!(null)), owners, "incomplete"),
        ("no key is named", key, key_change(), json!({}), "incomplete"),
        ("a key that is gone", key, made(), json!({ "serviceAccountKey": null }), ""),
        (
            "a key of Google's own",
            key,
            made(),
            json!({ "serviceAccountKey": { "keyType": "SYSTEM_MANAGED" } }),
            "refused",
        ),
        ("nothing public was added", access, dataset_change("bigquery:UpdateDataset"), dataset.clone(), "incomplete"),
        (
            "a dataset without a token",
            access,
            dataset_change("bigquery:UpdateDataset").decided_by_state(),
            dataset,
            "unreadable",
        ),
        ("a sink that is gone", restore, update(json!({ "disabled": true })), json!({ "sink": null }), "refused"),
        (
            "a filter that was changed",
            restore,
            update(json!({ "filter": "x" })),
            json!({ "sink": sink(None, "") }),
            "refused",
        ),
        ("a sink enabled since", restore, update(json!({ "disabled": true })), json!({ "sink": sink(None, "") }), ""),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(name, id, finding, live, expected)| (name, outcome(id, &finding, live), expected))
        .filter(|(_, found, expected)| found != expected)
        .map(|(name, found, expected)| format!("{name}: {found:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_title_says_what_goes_what_stays_and_what_is_not_known() {
    let policy = json!({ "iamPolicy": { "~etag": "1", "bindings": [
        { "role": "roles/viewer", "members": ["allUsers", "user:ann@example.com"] },
    ] } });
    assert_eq!(
        outcome("gcp.storage.remove_public_members", &bucket("storage:setIamPermissions").decided_by_state(), policy),
        r#"take "allUsers" out of "roles/viewer" (the record leaves out who was added: every public member counts)"#
    );
    let live = json!({ "firewall": rule(&json!({ "sourceRanges": ["0.0.0.0/0", "192.0.2.0/24"] })) });
    assert_eq!(
        outcome("gcp.compute.narrow_firewall", &rule_change("compute:firewalls.insert").opens(&["0.0.0.0/0"]), live),
        "take 0.0.0.0/0 out of the sources of the rule (192.0.2.0/24 stay)"
    );
    let request = json!({ "sink": { "disabled": true }, "updateMask": "disabled, filter" });
    assert_eq!(
        outcome(
            "gcp.logging.restore_sink",
            &sink_change("logging:UpdateSink", "projects/shop/sinks/audit", request),
            json!({ "sink": sink(Some(true), "") })
        ),
        "enable the sink (its filter cannot be restored: what they were is not known)"
    );
}

#[tokio::test]
async fn a_thing_that_is_gone_needs_nothing_and_a_project_that_is_gone_is_an_error() {
    let gcp = FakeGcp::new(world([]));
    let gone = bucket("storage:setIamPermissions").decided_by_state();
    let remedy = remediation("gcp.storage.remove_public_members").unwrap();
    let image = read(&gcp, remedy, &gone).await.unwrap();
    assert_eq!(remedy.plan(&gone, &image).unwrap(), []);
    let remedy = remediation("gcp.resourcemanager.remove_members").unwrap();
    let error = read(&gcp, remedy, &project_change(json!(null))).await.unwrap_err();
    assert!(matches!(error, PlanError::Read(_)), "{error}");
}

#[test]
fn a_project_is_the_one_of_the_change_where_the_name_has_a_placeholder() {
    let id = "//sqladmin.googleapis.com/projects/-/instances/orders";
    let mut change = finding("cloudsql:instances.update", "sqladmin.googleapis.com/Instance", id, json!(null));
    change.effects = Effects::none();
    let reads = remediation("gcp.sql.remove_authorized_networks").unwrap().reads(&change, &Image::default()).unwrap();
    assert_eq!(reads[0].call.parameters, json!({ "project": "shop", "instance": "orders" }));
}
