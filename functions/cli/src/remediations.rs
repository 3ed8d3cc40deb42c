//! `onus remediations`: what can be taken back, and how far by itself.

use onus_core::{Cloud, Remediation, Spec};
use onus_host::clouds;
use serde_json::json;

use crate::Ended;
use crate::args::{ListArgs, ListFormat};
use crate::failure::count;
use crate::output::{json_document, say, table};

/// Prints them.
///
/// # Errors
/// The output cannot be written.
pub(crate) fn list(args: &ListArgs) -> anyhow::Result<Ended> {
    let mut specs: Vec<&Spec> =
        clouds::remediations().map(Remediation::spec).filter(|spec| is_of(spec, args.cloud)).collect();
    specs.sort_by_key(|spec| spec.id);
    match args.format {
        ListFormat::Json => {
            let specs: Vec<_> = specs.into_iter().map(facts).collect();
            say!("{}", json_document(&specs)?);
        }
        ListFormat::Table => {
            let rows = specs.iter().map(|spec| [spec.id, spec.safety.as_str(), spec.title].map(str::to_owned).to_vec());
            say!("{}", table::grid(&["remediation", "safety", "what it does"], rows.collect()));
            say!("{}", count(specs.len(), "remediation"));
        }
    }
    Ok(Ended::Clean)
}

fn is_of(spec: &Spec, cloud: Option<Cloud>) -> bool {
    cloud.is_none_or(|cloud| spec.id.split('.').next() == Some(cloud.as_str()))
}

fn facts(spec: &Spec) -> serde_json::Value {
    json!({
        "id": spec.id,
        "title": spec.title,
        "safety": spec.safety,
        "kind": spec.kind,
        "reads": spec.reads,
        "writes": spec.writes,
        "undo": spec.undo,
        "caveat": spec.caveat,
    })
}
