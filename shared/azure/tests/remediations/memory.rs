//! What a change overwrote or deleted goes back to what was known of it before, read as a baseline reads.

use onus_azure::{remediation, state_reader};
use onus_core::proof::{self, Case, Recalling, World};
use onus_core::{Finding, Image, Known, PlanError, Remediation, Step};
use serde_json::{Value, json};

use super::cases::{kept, world};
use super::fake::{FakeArm, resource};
use super::findings::{SUBSCRIPTION, finding, id, omitted, opened};
use super::records;
use super::security_rules::{self, group, rule, wrote};

/// A bad change on what was known before it.
pub(crate) struct Recalled {
    /// What a baseline read; nothing where it is empty.
    pub(crate) was: World,
    pub(crate) case: Case,
    /// What the titles of the plan say.
    says: &'static str,
}

async fn known(finding: &Finding, kind: &str, was: &World) -> Known {
    if was.is_empty() {
        return Known::default();
    }
    proof::known(&FakeArm::new(was.clone()), state_reader(kind).unwrap(), finding).await.unwrap()
}

/// What is planned in a world.
async fn planned(id: &str, finding: &Finding, was: &World, is: &World) -> Result<Vec<Step>, PlanError> {
    let remediation = remediation(id).unwrap();
    let known = &known(finding, remediation.spec().kind, was).await;
    let recalling = Recalling { remediation, known };
    let reads = |so_far: &Image| recalling.reads(finding, so_far);
    let image = onus_core::state::read_image(&FakeArm::new(is.clone()), reads).await?;
    recalling.plan(finding, &image)
}

/// Everything that is not as it has to be.
async fn wrongs(Recalled { was, case, says }: &Recalled) -> Vec<String> {
    let remediation = remediation(case.remediation).unwrap();
    let known = &known(&case.finding, remediation.spec().kind, was).await;
    let mut wrong = proof::wrongs(&FakeArm::new(case.world.clone()), &Recalling { remediation, known }, case).await;
    let steps = planned(case.remediation, &case.finding, was, &case.world).await.unwrap_or_default();
    let titles = steps.iter().map(|step| step.title.as_str()).collect::<Vec<_>>().join("; ");
    if !titles.contains(says) {
        wrong.push(format!("{}: `{titles}` does not say `{says}`", case.name));
    }
    wrong
}

const SETTING: &str = "Microsoft.KeyVault/vaults/Keys/providers/Microsoft.Insights/diagnosticSettings/To-Workspace";
const LOCK: &str = "Microsoft.Storage/storageAccounts/Logs/providers/Microsoft.Authorization/locks/Keep";
const FLOW_LOG: &str = "Microsoft.Network/networkWatchers/West/flowLogs/Front";
const RESTORE_SETTING: &str = "azure.insights.restore_diagnostic_setting";
const RESTORE_LOCK: &str = "azure.authorization.restore_lock";
const RESTORE_FLOW_LOG: &str = "azure.network.restore_flow_log";

fn kind_of(rest: &str) -> &'static str {
    [
        ("/diagnosticSettings/", "Microsoft.Insights/diagnosticSettings"),
        ("/locks/", "Microsoft.Authorization/locks"),
        ("/flowLogs/", "Microsoft.Network/networkWatchers/flowLogs"),
    ]
    .into_iter()
    .find(|(part, _)| rest.contains(part))
    .unwrap()
    .1
}

fn deleted(rest: &str) -> Finding {
    let kind = kind_of(rest);
    finding(&format!("{}/delete", kind.to_lowercase().replacen('/', ":", 1)), &[(kind, id(rest))], Value::Null)
}

fn written(rest: &str, properties: Value) -> Finding {
    let kind = kind_of(rest);
    let request = json!({ "properties": properties });
    finding(&format!("{}/write", kind.to_lowercase().replacen('/', ":", 1)), &[(kind, id(rest))], request)
}

fn one(rest: &str, properties: &Value) -> World {
    world([(rest, properties.clone())])
}

/// A setting with categories, each on or off.
fn setting(categories: &[(&str, bool)]) -> Value {
    let logs: Vec<Value> = categories.iter().map(|(name, on)| json!({ "category": name, "enabled": on })).collect();
    json!({ "workspaceId": "/subscriptions/s/workspaces/Central", "logs": logs,
        "metrics": [{ "category": "AllMetrics", "enabled": true }] })
}

/// A flow log, on or off, of so many days.
fn flow_log(enabled: bool, days: u32) -> Value {
    json!({ "enabled": enabled, "storageId": "/subscriptions/s/storageAccounts/Flows",
        "targetResourceId": "/subscriptions/s/virtualNetworks/Front", "retentionPolicy": { "days": days, "enabled": true },
        "format": { "type": "JSON", "version": 2 } })
}

fn case(
    remediation: &'static str,
    name: &'static str,
    finding: Finding,
    rest: &'static str,
    [was, is, healed]: [Value; 3],
    says: &'static str,
) -> Recalled {
    let there = |properties: &Value| if properties.is_null() { World::new() } else { one(rest, properties) };
    let healed = there(&healed).into_iter().map(|(key, value)| (&*key.leak(), value)).collect();
    let case = Case { name, remediation, finding, world: there(&is), healed };
    Recalled { was: there(&was), case, says }
}

const NARROW: &str = "azure.network.remove_security_rule_sources";

/// A change of rules of a group: what a baseline read, what is there, and what each touched rule is to be; a finding and what its plan says.
fn on_group(
    name: &'static str,
    finding: Finding,
    was: &[(&str, Value)],
    is: &[(&str, Value)],
    healed: &[(&str, Value)],
    says: &'static str,
) -> Recalled {
    let there = |rules: &[(&str, Value)]| if rules.is_empty() { World::new() } else { group(rules) };
    let healed = healed.iter().map(|(rule, properties)| {
        let rest = format!("{}/securityRules/{rule}", security_rules::GROUP);
        if properties.is_null() { (id(&rest), Value::Null) } else { kept(&rest, properties.clone()) }
    });
    let case = Case { name, remediation: NARROW, finding, world: there(is), healed: healed.collect() };
    Recalled { was: there(was), case, says }
}

fn security_rules() -> Vec<Recalled> {
    let ssh = |members: Value| {
        let mut rule = rule(json!({ "description": "jump hosts" }));
        rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        rule
    };
    let office = ssh(json!({ "sourceAddressPrefix": "203.0.113.0/24" }));
    let open = ssh(json!({ "sourceAddressPrefixes": ["0.0.0.0/0", "198.51.100.0/24"], "destinationPortRange": "*" }));
    let narrowed = ssh(json!({ "sourceAddressPrefix": "198.51.100.0/24", "destinationPortRange": "*" }));
    let sources = ["0.0.0.0/0", "198.51.100.0/24"];
    let asked = |request: Value| {
        let mut finding = wrote(&sources);
        finding.request = request;
        finding
    };
    let as_written = {
        let mut asked = open.clone();
        asked["sourceAddressPrefixes"] = json!(["198.51.100.0/24", "0.0.0.0/0"]);
        asked["protocol"] = json!("TCP");
        asked["sourceAddressPrefix"] = json!("");
        json!({ "properties": asked })
    };
    let whole = {
        let other = |members: Value| rule(members);
        let request = json!({ "properties": { "securityRules": [
            { "name": "AllowSSH", "properties": open },
            { "name": "New", "properties": other(json!({ "sourceAddressPrefix": "*", "priority": 120, "destinationPortRange": "3389" })) },
        ] } });
        let group_kind = security_rules::GROUP_KIND;
        let change = finding(
            "microsoft.network:networksecuritygroups/write",
            &[(group_kind, id(security_rules::GROUP))],
            request,
        );
        opened(opened(change, "AllowSSH", &sources, (22, 22)), "New", &security_rules::WORLD, (3389, 3389))
    };
    let new = rule(json!({ "sourceAddressPrefix": "*", "priority": 120, "destinationPortRange": "3389" }));
    let taken = rule(json!({ "sourceAddressPrefix": "10.0.0.0/8", "priority": 90, "access": "Deny" }));
    let before_elsewhere = ssh(json!({ "sourceAddressPrefix": "203.0.113.0/24", "priority": 90 }));
    let untold = "which part is whose cannot be told";
    vec![
        on_group(
            "overwritten",
            asked(as_written.clone()),
            &[("AllowSSH", office.clone())],
            &[("AllowSSH", open.clone())],
            &[("AllowSSH", office.clone())],
            "set security rule `AllowSSH` back to what it was before the change",
        ),
        on_group(
            "overwritten with its group, beside a new one",
            whole,
            &[("AllowSSH", office.clone())],
            &[("AllowSSH", open.clone()), ("New", new)],
            &[("AllowSSH", office.clone()), ("New", Value::Null)],
            "back to what it was before the change; delete security rule `New`: it has no source but *",
        ),
        on_group(
            "edited by somebody since",
            asked(json!({ "properties": ssh(json!({ "sourceAddressPrefix": "0.0.0.0/0" })) })),
            &[("AllowSSH", office.clone())],
            &[("AllowSSH", open.clone())],
            &[("AllowSSH", narrowed.clone())],
            untold,
        ),
        on_group(
            "told without a request",
            asked(Value::Null),
            &[("AllowSSH", office.clone())],
            &[("AllowSSH", open.clone())],
            &[("AllowSSH", narrowed.clone())],
            untold,
        ),
        on_group(
            "open before already",
            asked(as_written.clone()),
            &[("AllowSSH", ssh(json!({ "sourceAddressPrefix": "*" })))],
            &[("AllowSSH", open.clone())],
            &[("AllowSSH", narrowed.clone())],
            untold,
        ),
        on_group(
            "a web server's rule that got more ports",
            asked(as_written.clone()),
            &[("AllowSSH", ssh(json!({ "sourceAddressPrefix": "*", "destinationPortRange": "443" })))],
            &[("AllowSSH", open.clone())],
            &[("AllowSSH", ssh(json!({ "sourceAddressPrefix": "*", "destinationPortRange": "443" })))],
            "back to what it was before the change",
        ),
        on_group(
            "its old priority is another rule's now",
            asked(as_written.clone()),
            &[("AllowSSH", before_elsewhere)],
            &[("AllowSSH", open.clone()), ("Taken", taken)],
            &[("AllowSSH", narrowed.clone())],
            untold,
        ),
        on_group(
            "made by the change",
            asked(as_written.clone()),
            &[("Other", office)],
            &[("AllowSSH", open.clone())],
            &[("AllowSSH", narrowed.clone())],
            "(keeping 198.51.100.0/24)",
        ),
        on_group(
            "never read",
            asked(as_written),
            &[],
            &[("AllowSSH", open)],
            &[("AllowSSH", narrowed)],
            "what it was before the change is not known",
        ),
    ]
}

pub(crate) fn all() -> Vec<Recalled> {
    let mut all = settings();
    all.extend(security_rules());
    all
}

fn settings() -> Vec<Recalled> {
    let all_on = setting(&[("AuditEvent", true), ("Policy", true)]);
    let one_off = setting(&[("AuditEvent", false), ("Policy", true)]);
    let group = json!({ "storageAccountId": "/subscriptions/s/storageAccounts/Archive", "logs": [{ "categoryGroup": "audit", "enabled": true }] });
    let elsewhere = {
        let mut setting = one_off.clone();
        setting["workspaceId"] = json!("/subscriptions/s/workspaces/elsewhere");
        setting
    };
    let lock = json!({ "level": "CanNotDelete", "notes": "evidence" });
    let gone = Value::Null;
    let (on, off) = (flow_log(true, 90), flow_log(false, 0));
    vec![
        case(
            RESTORE_LOCK,
            "deleted",
            deleted(LOCK),
            LOCK,
            [lock.clone(), gone.clone(), lock],
            "make lock `Keep` again (CanNotDelete)",
        ),
        case(
            RESTORE_SETTING,
            "deleted",
            deleted(SETTING),
            SETTING,
            [all_on.clone(), gone.clone(), all_on.clone()],
            "make diagnostic setting `To-Workspace` again, which sends logs to `Central`",
        ),
        case(
            RESTORE_SETTING,
            "a category off",
            written(SETTING, one_off.clone()),
            SETTING,
            [all_on.clone(), one_off.clone(), all_on.clone()],
            "set logs, metrics and destinations of diagnostic setting `To-Workspace` back",
        ),
        case(
            RESTORE_SETTING,
            "sent elsewhere, in another case",
            written(
                SETTING,
                json!({ "WorkspaceId": "/SUBSCRIPTIONS/S/workspaces/elsewhere", "Metrics": one_off["metrics"],
                "Logs": [{ "Category": "policy", "Enabled": true }] }),
            ),
            SETTING,
            [group.clone(), elsewhere, group],
            "back to what was known",
        ),
        case(
            RESTORE_SETTING,
            "told without a body",
            omitted(kind_of(SETTING), id(SETTING)),
            SETTING,
            [all_on.clone(), one_off, all_on],
            "set the log categories of",
        ),
        case(
            RESTORE_FLOW_LOG,
            "deleted",
            deleted(FLOW_LOG),
            FLOW_LOG,
            [on.clone(), gone, on.clone()],
            "make flow log `Front` of `Front` again",
        ),
        case(
            RESTORE_FLOW_LOG,
            "switched off and shortened",
            written(FLOW_LOG, off.clone()),
            FLOW_LOG,
            [on.clone(), off.clone(), on.clone()],
            "back to what was known",
        ),
        case(
            RESTORE_FLOW_LOG,
            "switched off, and written by somebody since",
            written(FLOW_LOG, json!({ "enabled": false, "storageId": "/subscriptions/s/storageAccounts/third" })),
            FLOW_LOG,
            [on, off.clone(), flow_log(true, 0)],
            "cannot be restored",
        ),
        case(
            RESTORE_FLOW_LOG,
            "switched off, never read",
            written(FLOW_LOG, off.clone()),
            FLOW_LOG,
            [Value::Null, off, flow_log(true, 0)],
            "cannot be restored: what it was is not known",
        ),
    ]
}

#[tokio::test]
async fn what_was_known_comes_back_what_others_did_stays_and_all_of_it_can_be_undone() {
    let mut wrong = Vec::new();
    for case in &all() {
        wrong.extend(wrongs(case).await);
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_is_not_this_changes_or_was_never_read_is_let_be_and_told() {
    let all_on = setting(&[("AuditEvent", true)]);
    let off = setting(&[("AuditEvent", false)]);
    let lock = json!({ "level": "CanNotDelete" });
    let other_lock = json!({ "level": "ReadOnly" });
    let moved = {
        let mut moved = off.clone();
        moved["workspaceId"] = json!("/subscriptions/s/workspaces/third");
        moved
    };
    let mended = setting(&[("AuditEvent", true), ("Policy", true)]);
    let nowhere = World::new();
    let there = |rest, properties: &Value| one(rest, properties);
    let of_group = {
        let mut log = flow_log(true, 1);
        log["targetResourceId"] = json!(id(security_rules::GROUP));
        log
    };
    let watcher = finding(
        "microsoft.network:networkwatchers/delete",
        &[("Microsoft.Network/networkWatchers", id("Microsoft.Network/networkWatchers/West"))],
        Value::Null,
    );
    let cases = [
        ("lock, never read", RESTORE_LOCK, deleted(LOCK), nowhere.clone(), nowhere.clone(), "cannot be restored"),
        (
            "lock made again otherwise",
            RESTORE_LOCK,
            deleted(LOCK),
            there(LOCK, &lock),
            there(LOCK, &other_lock),
            "nothing",
        ),
        (
            "setting, never read",
            RESTORE_SETTING,
            deleted(SETTING),
            nowhere.clone(),
            nowhere.clone(),
            "cannot be restored",
        ),
        (
            "setting rewritten, never read",
            RESTORE_SETTING,
            written(SETTING, off.clone()),
            nowhere.clone(),
            there(SETTING, &off),
            "cannot be restored",
        ),
        (
            "setting made again",
            RESTORE_SETTING,
            deleted(SETTING),
            there(SETTING, &all_on),
            there(SETTING, &off),
            "nothing",
        ),
        (
            "setting changed since",
            RESTORE_SETTING,
            written(SETTING, off.clone()),
            there(SETTING, &all_on),
            there(SETTING, &moved),
            "changed the setting since",
        ),
        (
            "setting mended since",
            RESTORE_SETTING,
            written(SETTING, off.clone()),
            there(SETTING, &all_on),
            there(SETTING, &mended),
            "nothing",
        ),
        (
            "setting deleted since",
            RESTORE_SETTING,
            written(SETTING, off),
            there(SETTING, &all_on),
            nowhere.clone(),
            "another change",
        ),
        (
            "flow log, never read",
            RESTORE_FLOW_LOG,
            deleted(FLOW_LOG),
            nowhere.clone(),
            nowhere.clone(),
            "cannot be restored",
        ),
        (
            "flow log that was off",
            RESTORE_FLOW_LOG,
            written(FLOW_LOG, flow_log(false, 1)),
            there(FLOW_LOG, &flow_log(false, 0)),
            there(FLOW_LOG, &flow_log(false, 0)),
            "nothing",
        ),
        (
            "flow log of a security group",
            RESTORE_FLOW_LOG,
            deleted(FLOW_LOG),
            there(FLOW_LOG, &of_group),
            nowhere.clone(),
            "Azure makes no new ones",
        ),
        ("watcher", RESTORE_FLOW_LOG, watcher, nowhere.clone(), nowhere, "cannot be restored without it"),
    ];
    let mut wrong = Vec::new();
    for (name, remediation, finding, was, is, expected) in cases {
        let told = match planned(remediation, &finding, &was, &is).await {
            Ok(steps) if steps.is_empty() => "nothing".to_owned(),
            Ok(steps) => format!("plans {}", steps[0].title),
            Err(error) => format!("{error}, retryable: {}", error.is_retryable()),
        };
        if !told.contains(expected) || told.contains("retryable: true") {
            wrong.push(format!("{name}: {told}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Remediations whose records are played here, because all that they do rests on what was known.
pub(crate) const RECORDED: [&str; 3] = [RESTORE_LOCK, RESTORE_SETTING, RESTORE_FLOW_LOG];

#[tokio::test]
async fn records_as_the_log_writes_them_lead_back_to_what_was() {
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Web/providers");
    let rows = [
        (
            RESTORE_LOCK,
            "authorization/lock_delete",
            "Microsoft.KeyVault/vaults/ExampleKeys/providers/Microsoft.Authorization/locks/Keep",
            json!({ "level": "ReadOnly" }),
            Value::Null,
        ),
        (
            RESTORE_SETTING,
            "insights/diagnostic_setting_delete",
            "Microsoft.KeyVault/vaults/ExampleKeys/providers/Microsoft.Insights/diagnosticSettings/To-Workspace",
            setting(&[("AuditEvent", true)]),
            Value::Null,
        ),
        (
            RESTORE_FLOW_LOG,
            "network/flow_log_delete",
            "Microsoft.Network/networkWatchers/NetworkWatcher_westeurope/flowLogs/Front",
            flow_log(true, 7),
            Value::Null,
        ),
        (
            RESTORE_FLOW_LOG,
            "network/flow_log_write",
            "Microsoft.Network/networkWatchers/NetworkWatcher_westeurope/flowLogs/Front",
            flow_log(true, 7),
            flow_log(false, 7),
        ),
    ];
    let (mut wrong, mut played) = (Vec::new(), std::collections::BTreeSet::new());
    for (id, path, rest, was, is) in rows {
        let there = |properties: &Value| match properties {
            Value::Null => World::new(),
            properties => World::from([resource(&format!("{group}/{rest}"), properties.clone())]),
        };
        let (before, world) = (there(&was), there(&is));
        for shape in ["", "_event_grid"] {
            let kind = remediation(id).unwrap().spec().kind;
            let finding = records::found(&format!("{path}{shape}"), kind, &world).await;
            let healed = before.clone().into_iter().map(|(key, value)| (&*key.leak(), value)).collect();
            let case = Case { name: path, remediation: id, finding, world: world.clone(), healed };
            wrong.extend(wrongs(&Recalled { was: before.clone(), case, says: "" }).await);
            played.insert(id);
        }
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(played, RECORDED.into_iter().collect());
}
