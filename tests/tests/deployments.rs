//! The deployments of Azure and Google Cloud hold together: what they refer to is there, and limits agree with the code. No provider checks
//! them here, so this is what can be known without one.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use onus_tests::workspace;
use serde_json::Value;

fn json(path: &str) -> Value {
    let text = std::fs::read_to_string(workspace::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const TEMPLATES: [&str; 4] = [
    "infra/azure/main.json",
    "infra/azure/access.json",
    "infra/azure/generated/roles.json",
    "infra/azure/generated/events.json",
];

/// Every text in a JSON value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// What stands in `name('…')` of template expressions.
fn named<'a>(texts: &[&'a str], function: &str) -> BTreeSet<&'a str> {
    let open = format!("{function}('");
    let expressions = texts.iter().filter(|text| text.starts_with('['));
    expressions.flat_map(|text| text.split(open.as_str()).skip(1).filter_map(|rest| rest.split('\'').next())).collect()
}

#[test]
fn azure_templates_use_what_they_declare_and_declare_what_they_use() {
    let mut wrong = Vec::new();
    for path in TEMPLATES {
        let template = json(path);
        let texts = texts(&template);
        for (section, function) in [("parameters", "parameters"), ("variables", "variables")] {
            let declared: BTreeSet<&str> = template[section]
                .as_object()
                .map(|members| members.keys().map(String::as_str).collect())
                .unwrap_or_default();
            let used = named(&texts, function);
            wrong.extend(declared.symmetric_difference(&used).map(|name| format!("{path}: {section} `{name}`")));
        }
        let types: BTreeSet<&str> = template["resources"]
            .as_array()
            .expect("resources")
            .iter()
            .filter_map(|one| one["type"].as_str())
            .collect();
        for one in template["resources"].as_array().expect("resources") {
            if one["apiVersion"].as_str().is_none_or(|version| version.len() != 10 || version.contains("preview")) {
                wrong.push(format!("{path}: {} has no stable api-version", one["type"]));
            }
            for needed in one["dependsOn"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let kind = needed.split("resourceId('").nth(1).and_then(|rest| rest.split('\'').next());
                let kind = kind.or_else(|| {
                    needed.split("ResourceId(resourceId('").nth(1).and_then(|rest| rest.split('\'').next())
                });
                if kind.is_none_or(|kind| !types.contains(kind)) {
                    wrong.push(format!("{path}: {} depends on {needed}, which is not there", one["type"]));
                }
            }
        }
        for text in texts.iter().filter(|text| text.starts_with('[') && text.ends_with(']')) {
            if text.matches('(').count() != text.matches(')').count() {
                wrong.push(format!("{path}: brackets of {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn azure_functions_have_hosts_and_bindings_that_the_handlers_understand() {
    let mut wrong = Vec::new();
    let functions = [
        ("azure-audit", "activity", "eventGridTrigger"),
        ("azure-audit", "entra", "eventHubTrigger"),
        ("azure-audit", "tick", "timerTrigger"),
        ("azure-respond", "respond", "queueTrigger"),
        ("azure-approve", "approve", "httpTrigger"),
    ];
    for (app, function, trigger) in functions {
        let host = json(&format!("infra/azure/functions/{app}/host.json"));
        if host["customHandler"]["description"]["defaultExecutablePath"] != app
            || host["customHandler"]["enableForwardingHttpRequest"] != (trigger == "httpTrigger")
        {
            wrong.push(format!("{app}: host.json does not start the binary as custom handler"));
        }
        // onus_host::azure::LEASE is this and a minute; the package builds without that feature here.
        if host["functionTimeout"] != "00:05:00" {
            wrong.push(format!("{app}: functionTimeout changed, change LEASE in shared/host with it"));
        }
        let bindings = json(&format!("infra/azure/functions/{app}/{function}/function.json"));
        if bindings["bindings"][0]["type"] != trigger || bindings["bindings"][0]["direction"] != "in" {
            wrong.push(format!("{app}/{function}: expected a binding `{trigger}`"));
        }
    }
    let hub = json("infra/azure/functions/azure-audit/entra/function.json");
    assert_eq!(hub["bindings"][0]["cardinality"], "many");
    let queues = json("infra/azure/functions/azure-respond/host.json");
    assert_eq!(queues["extensions"]["queues"]["messageEncoding"], "base64", "as onus_sinks::StorageQueue writes");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn azure_settings_are_variables_that_the_functions_read() {
    let documented =
        std::fs::read_to_string(workspace::root().join("shared/host/src/environment.rs")).expect("readable");
    let template = json("infra/azure/main.json");
    let settings = texts(&template).into_iter().filter(|text| text.starts_with("ONUS_")).collect::<BTreeSet<_>>();
    // Two are the bindings' own: function.json refers to them as %NAME%.
    let bindings = ["ONUS_EVENT_HUB", "ONUS_RESPONSES_QUEUE"];
    let unknown: Vec<_> =
        settings.iter().filter(|name| !bindings.contains(name) && !documented.contains(&format!("`{name}`"))).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for needed in ["ONUS_LEDGER", "ONUS_RESPONSES", "ONUS_DEAD_LETTERS", "ONUS_ACCOUNT"] {
        assert!(settings.contains(needed), "{needed} is not set");
    }
}

/// Every `.tf` file of the Google Cloud deployment, one after the other, without comments.
fn terraform() -> String {
    let mut files: Vec<_> = std::fs::read_dir(workspace::root().join("infra/gcp"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tf"))
        .collect();
    files.sort();
    let lines = files.iter().map(|path| std::fs::read_to_string(path).expect("readable")).collect::<String>();
    lines.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn terraform_refers_to_resources_variables_and_files_that_are_there() {
    let text = terraform();
    let mut declared = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split('"');
        match (words.next().map(str::trim), words.next(), words.nth(1)) {
            (Some("resource"), Some(kind), Some(name)) => declared.insert(format!("{kind}.{name}")),
            (Some("data"), Some(kind), Some(name)) => declared.insert(format!("data.{kind}.{name}")),
            (Some("variable"), Some(name), _) => declared.insert(format!("var.{name}")),
            _ => false,
        };
    }
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    for word in text.split(|c: char| !is_name(c)) {
        let parts: Vec<&str> = word.split('.').collect();
        let reference = match parts.as_slice() {
            ["var", name, ..] => format!("var.{name}"),
            ["data", kind, name, ..] => format!("data.{kind}.{name}"),
            [kind, name, ..] if kind.starts_with("google_") => format!("{kind}.{name}"),
            _ => continue,
        };
        if !declared.contains(&reference) {
            wrong.push(format!("{reference} is not declared"));
        }
        used.insert(reference);
    }
    wrong.extend(
        declared
            .iter()
            .filter(|name| name.starts_with("var.") && !used.contains(*name))
            .map(|name| format!("{name} is not used")),
    );
    for file in text.split("${path.module}/").skip(1).filter_map(|rest| rest.split('"').next()) {
        if !workspace::root().join("infra/gcp").join(file).exists() {
            wrong.push(format!("{file} is missing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(declared.len() > 20, "{declared:?}");
}

#[test]
fn terraform_sets_variables_that_the_services_read_and_gives_them_less_time_than_a_lease() {
    let documented =
        std::fs::read_to_string(workspace::root().join("shared/host/src/environment.rs")).expect("readable");
    let text = terraform();
    let settings = text.split_whitespace().filter(|word| word.starts_with("ONUS_")).collect::<BTreeSet<_>>();
    let unknown: Vec<_> = settings.iter().filter(|name| !documented.contains(&format!("`{name}`"))).collect();
    assert!(unknown.is_empty() && settings.len() >= 8, "{unknown:?} of {settings:?}");
    // onus_host::gcp::LEASE is this and a minute.
    let changed = "the services' timeout changed: change REQUEST and LEASE in shared/host with it";
    assert_eq!(text.matches("= \"300s\"").count(), 1, "{changed}");
}

#[test]
fn terraform_is_formatted() {
    let folder = workspace::root().join("infra/gcp");
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("terraform is not installed: its formatter parses the files, and nothing else here does");
        return;
    }
    let output = Command::new("terraform")
        .args(["fmt", "-check", "-diff"])
        .arg(Path::new(&folder))
        .output()
        .expect("terraform runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
