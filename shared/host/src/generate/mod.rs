//! What is derived from the rules and remediations and kept beside them: event patterns, filters, roles, blocks of templates.
//!
//! Plain functions: the command line reads and writes the files, and compares them for `--check`.

pub mod azure;
pub mod gcp;
mod patterns;
mod policies;
mod template;

use onus_rules::Catalog;
use serde_json::Value;

pub use patterns::{LONGEST_PATTERN, patterns};
pub use policies::{audit_policy, respond_policy};

/// A file that is derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it belongs, from the root of the checkout.
    pub path: &'static str,
    /// Its whole text, with a final line end.
    pub text: String,
}

/// Where the template of the functions lies, from the root of the checkout.
pub const TEMPLATE: &str = "infra/aws/template.yaml";

/// A template that lacks a place to put what is derived.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot find the lines `# generated: {block}` and `# end generated: {block}`, in this order, in {TEMPLATE}")]
pub struct MissingBlock {
    /// The block.
    pub block: &'static str,
}

/// Everything derived for AWS: the event patterns, the policies of the roles, and the template, which is the given text with its
/// marked blocks written anew.
///
/// # Errors
/// The template lacks a marker.
pub fn aws(catalog: &Catalog, template: &str) -> Result<Vec<Artifact>, MissingBlock> {
    let (patterns, audit, respond) = (patterns(catalog), audit_policy(), respond_policy(catalog));
    let template = template::fill(template, "rules", &template::rules(&patterns))?;
    let template = template::fill(&template, "audit policy", &template::audit(&audit))?;
    let template = template::fill(&template, "respond policy", &template::respond(&respond))?;
    let file = |path, value: &Value| Artifact { path, text: format!("{value:#}\n") };
    Ok(vec![
        file("infra/aws/generated/event-patterns.json", &Value::Array(patterns)),
        file("infra/aws/generated/audit-policy.json", &audit),
        file("infra/aws/generated/respond-policy.json", &respond),
        Artifact { path: TEMPLATE, text: template },
    ])
}

/// Everything derived for Azure: the custom roles and the event subscriptions, each a template.
pub fn azure(catalog: &Catalog) -> Vec<Artifact> {
    let file = |path, value: &Value| Artifact { path, text: format!("{value:#}\n") };
    vec![
        file("infra/azure/generated/roles.json", &azure::roles(catalog)),
        file("infra/azure/generated/events.json", &azure::events(catalog)),
    ]
}

/// Everything derived for Google Cloud: the permissions of the custom roles and the log sink's filter.
pub fn gcp(catalog: &Catalog) -> Vec<Artifact> {
    let file = |path, value: &Value| Artifact { path, text: format!("{value:#}\n") };
    vec![
        file("infra/gcp/generated/audit-role.json", &gcp::role("Onus audit", &gcp::audit_permissions())),
        file("infra/gcp/generated/respond-role.json", &gcp::role("Onus respond", &gcp::respond_permissions(catalog))),
        Artifact { path: "infra/gcp/generated/sink-filter.txt", text: gcp::filter(catalog) },
    ]
}
