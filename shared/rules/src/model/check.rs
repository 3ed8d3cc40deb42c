//! What can be told wrong of a rule file without compiling its expressions.

use std::collections::{BTreeMap, BTreeSet};

use super::locate::{self, Span};
use super::{CaseFile, Problem, RuleFile};

/// The severities, mildest first: the words of `onus_core::Severity`.
pub const SEVERITIES: [&str; 5] = ["informational", "low", "medium", "high", "critical"];

/// The areas of the responsibility matrix: the words of `onus_core::Area`.
pub const AREAS: [&str; 8] = [
    "data_classification_accountability",
    "client_endpoint_protection",
    "identity_access_management",
    "application_level_controls",
    "network_controls",
    "host_infrastructure",
    "physical_security",
    "configuration_and_settings",
];

/// The clouds a rule's path may start with.
const CLOUDS: [&str; 3] = ["aws", "azure", "gcp"];

/// The rule id of a path: `aws/s3/bucket_made_public.yaml` is `aws.s3.bucket_made_public`. `None` when the path is not
/// `cloud/service/what_happened.yaml` in lower-case words.
pub fn id_of(path: &str) -> Option<String> {
    let stem = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml"))?;
    let parts: Vec<&str> = stem.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    let word = |part: &&str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let cloud = parts.first()?;
    (parts.len() >= 3 && CLOUDS.contains(cloud) && parts.iter().all(word)).then(|| parts.join("."))
}

/// Everything wrong with a file's values, in the order of its keys.
pub fn file(path: &str, file: &RuleFile, text: &str) -> Vec<Problem> {
    let mut said = Said { text, problems: Vec::new() };
    if id_of(path).is_none() {
        let message = format!("`{path}` gives no rule id");
        said.at(
            Span { offset: 0, length: 1 },
            message,
            "name it cloud/service/what_happened.yaml, in lower-case words",
        );
    }
    texts(file, &mut said);
    watch(path, file, &mut said);
    for case in &file.tests {
        if let Some((message, hint)) = case_problem(case) {
            said.word("tests", &case.name, format!("test `{}`: {message}", case.name), hint);
        }
    }
    said.problems
}

/// Gathers problems.
struct Said<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Said<'_> {
    fn at(&mut self, span: Span, message: String, hint: &str) {
        self.problems.push(Problem { span, message, hint: (!hint.is_empty()).then(|| hint.to_owned()) });
    }

    fn key(&mut self, key: &str, message: String, hint: &str) {
        self.at(locate::key(self.text, key), message, hint);
    }

    fn word(&mut self, after: &str, word: &str, message: String, hint: &str) {
        self.at(locate::word(self.text, after, word), message, hint);
    }
}

fn texts(file: &RuleFile, said: &mut Said<'_>) {
    for (key, value) in [("title", &file.title), ("why", &file.why), ("when", &file.when)] {
        if value.trim().is_empty() {
            said.key(key, format!("`{key}` is empty"), "");
        }
    }
    if file.respond.is_empty() {
        said.key("respond", "`respond` is empty".to_owned(), "say what a person does next");
    }
    let (severity, area) = (&file.severity, &file.duty.area);
    if !SEVERITIES.contains(&severity.as_str()) {
        let hint = format!("use one of {}", SEVERITIES.join(", "));
        said.word("severity", severity, format!("`{severity}` is not a severity"), &hint);
    }
    if !AREAS.contains(&area.as_str()) {
        said.word("duty", area, format!("`{area}` is not an area"), &format!("use one of {}", AREAS.join(", ")));
    }
    for control in file.controls.iter().filter(|control| !is_control(control)) {
        let hint = "write framework:id, such as cis-aws-5.0:2.1.4, mcsb:NS-1, attack:T1530 or nist-800-53r5:AC-3";
        said.word("controls", control, format!("`{control}` is not a control"), hint);
    }
    for page in file.references.iter().filter(|page| !page.starts_with("https://")) {
        said.word("references", page, format!("`{page}` is not an https address"), "");
    }
}

fn watch(path: &str, file: &RuleFile, said: &mut Said<'_>) {
    let cloud = path.split(['/', '\\']).find(|part| CLOUDS.contains(part)).unwrap_or_default();
    let source = &file.watch.source;
    if source.split('.').next() != Some(cloud) {
        said.word(
            "watch",
            source,
            format!("`{source}` is not a log of `{cloud}`"),
            "the path says which cloud it is for",
        );
    }
    if file.watch.actions.is_empty() {
        said.word("watch", "actions", "`actions` is empty".to_owned(), "name service:Action pairs");
    }
    for action in file.watch.actions.iter().filter(|action| !is_action(action)) {
        let hint = "write service:Action, service:* or *:*; a part of a name cannot be wild";
        said.word("watch", action, format!("`{action}` is not an action"), hint);
    }
    if file.state_when.is_some() && file.state.is_none() {
        let hint = "name the kind of resource to read, as its provider writes it";
        said.key("state_when", "`state_when` without `state`".to_owned(), hint);
    }
}

fn case_problem(case: &CaseFile) -> Option<(&'static str, &'static str)> {
    match (&case.event, &case.record) {
        (None, None) => Some(("has neither `event` nor `record`", "name a fixture, or write the record itself")),
        (Some(_), Some(_)) => Some(("has both `event` and `record`", "keep one")),
        (Some(path), None) if path.starts_with('/') || path.split('/').any(|part| part == "..") => {
            Some(("names an event outside the events folder", "write the path below it"))
        }
        _ => None,
    }
}

/// Watched operations as `(service, action)` → the rules that watch them, by position. Of a rule that watches a whole
/// service, single actions of it are left out, so that no rule is found twice for one change.
pub fn index(rules: impl Iterator<Item = Vec<String>>) -> BTreeMap<(String, String), Vec<u16>> {
    let mut index: BTreeMap<(String, String), Vec<u16>> = BTreeMap::new();
    for (position, actions) in (0u16..).zip(rules) {
        let pairs: BTreeSet<(&str, &str)> = actions.iter().filter_map(|action| action.split_once(':')).collect();
        for (service, action) in &pairs {
            let covered = |wide: (&str, &str)| wide != (*service, *action) && pairs.contains(&wide);
            if !covered((service, "*")) && !covered(("*", "*")) {
                index.entry(((*service).to_owned(), (*action).to_owned())).or_default().push(position);
            }
        }
    }
    index
}

/// `service:Action` with no blanks; a `*` stands for a whole part only.
fn is_action(action: &str) -> bool {
    let Some((service, action)) = action.split_once(':') else { return false };
    let plain = |part: &str| !part.is_empty() && !part.contains(['*', ' ', ':']);
    match (service, action) {
        ("*", "*") => true,
        (service, "*") => plain(service),
        (service, action) => plain(service) && plain(action),
    }
}

/// `framework:id`. Known frameworks have a known shape of id; others only have to be words.
pub fn is_control(control: &str) -> bool {
    let Some((framework, id)) = control.split_once(':') else { return false };
    let word = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let numbers = |text: &str| text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if !word(framework, "-._") || framework.contains(|c: char| c.is_ascii_uppercase()) {
        return false;
    }
    match framework {
        "attack" => id.strip_prefix('T').is_some_and(|rest| {
            let (technique, sub) = rest.split_once('.').unwrap_or((rest, "001"));
            technique.len() == 4 && sub.len() == 3 && numbers(technique) && numbers(sub)
        }),
        "fsbp" => id.split_once('.').is_some_and(|(service, number)| word(service, "") && numbers(number)),
        framework if framework.starts_with("cis-") => numbers(id),
        "mcsb" => id.split_once('-').is_some_and(|(family, number)| {
            family.len() == 2 && family.bytes().all(|b| b.is_ascii_uppercase()) && numbers(number)
        }),
        framework if framework.starts_with("nist-800-53") => id.split_once('-').is_some_and(|(family, rest)| {
            let (number, enhancement) = rest.split_once('(').unwrap_or((rest, "1)"));
            family.len() == 2
                && family.bytes().all(|b| b.is_ascii_uppercase())
                && numbers(number)
                && enhancement.strip_suffix(')').is_some_and(numbers)
        }),
        _ => word(id, "-._()/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_the_id() {
        let cases = [
            ("aws/s3/bucket_made_public.yaml", Some("aws.s3.bucket_made_public")),
            ("./gcp/iam/owner_granted.yml", Some("gcp.iam.owner_granted")),
            ("aws/s3/deep/er.yaml", Some("aws.s3.deep.er")),
            ("aws/bucket.yaml", None),
            ("s3/aws/bucket.yaml", None),
            ("aws/s3/BucketPublic.yaml", None),
            ("aws/s3/bucket.json", None),
            ("", None),
        ];
        for (path, id) in cases {
            assert_eq!(id_of(path).as_deref(), id, "{path}");
        }
    }

    #[test]
    fn controls_have_the_shape_of_their_framework() {
        let good = [
            "cis-aws-5.0:2.1.4",
            "fsbp:S3.2",
            "attack:T1530",
            "attack:T1562.008",
            "nist-800-53r5:AC-3",
            "nist-800-53r5:AC-6(9)",
            "pci-dss-4.0.1:1.3.1",
            "cis-azure-5.0:9.3.8",
            "cis-gcp-4.0:3.6",
            "mcsb:NS-1",
            "acme:POL-7",
        ];
        let bad = [
            "S3.2",
            "attack:1530",
            "attack:T15",
            "cis-aws-5.0:two",
            "nist-800-53r5:AC3",
            "CIS:1",
            "fsbp:S3",
            "mcsb:NS1",
            ":",
        ];
        for control in good {
            assert!(is_control(control), "{control}");
        }
        for control in bad {
            assert!(!is_control(control), "{control}");
        }
    }

    #[test]
    fn only_whole_parts_of_an_action_are_wild() {
        for action in
            ["s3:PutBucketPolicy", "s3:*", "*:*", "microsoft.network:networksecuritygroups/securityrules/write"]
        {
            assert!(is_action(action), "{action}");
        }
        for action in ["PutBucketPolicy", "s3:Put*", "*:Put", "s3:", ":x", "s3: Put", "a:b:c"] {
            assert!(!is_action(action), "{action}");
        }
    }
}
