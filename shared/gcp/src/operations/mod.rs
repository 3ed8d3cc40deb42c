//! The methods of Google APIs that Onus may call, from the discovery documents that Google publishes.
//!
//! `operations/operations.txt` names them, `generate_operations.py` writes a table per API, which is compiled in and read on
//! the API's first use.

mod model;

use std::sync::OnceLock;

pub use model::{Api, Location, Method, ModelError, Parameter, Schema};

/// What the table is generated from: one `api:method` a line, `#` starts a comment.
const NAMED: &str = include_str!("../../operations/operations.txt");

/// An API's table: its name, its text, and the model once it was read.
type Entry = (&'static str, &'static str, OnceLock<Option<Api>>);

/// Makes the table's entries from the file names.
macro_rules! tables {
    ($($api:literal),+ $(,)?) => {
        [$(($api, include_str!(concat!("../../operations/", $api, ".json")), OnceLock::new())),+]
    };
}

/// One line per API in `operations.txt`.
static TABLES: [Entry; 11] = tables![
    "bigquery",
    "cloudkms",
    "cloudresourcemanager",
    "compute",
    "container",
    "iam",
    "logging",
    "pubsub",
    "secretmanager",
    "sqladmin",
    "storage",
];

/// An API of the table by its discovery name; `None` when no method of it is named. Its model is read on first use.
pub fn api(name: &str) -> Option<&'static Api> {
    let (api, text, model) = TABLES.iter().find(|(api, ..)| *api == name)?;
    // A test reads every table: none is refused.
    model.get_or_init(|| Api::from_json(api, text).ok()).as_ref()
}

/// Every method of the table, `api:method`, sorted.
pub fn operations() -> impl Iterator<Item = &'static str> {
    NAMED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_named_method_is_in_its_table_and_every_table_is_read() {
        let mut wrong = Vec::new();
        for (name, text, _) in &TABLES {
            match Api::from_json(name, text) {
                Ok(model) if model.name == *name => {}
                Ok(model) => wrong.push(format!("the table of `{name}` is of `{}`", model.name)),
                Err(error) => wrong.push(format!("{error}: {:?}", std::error::Error::source(&error))),
            }
        }
        let named: Vec<&str> = operations().collect();
        for name in &named {
            let found = name.split_once(':').and_then(|(a, m)| api(a).map(|table| table.method(m).is_some()));
            if found != Some(true) {
                wrong.push(format!("`{name}` is in no table"));
            }
        }
        let in_tables: usize = TABLES.iter().filter_map(|(name, ..)| api(name)).map(|a| a.methods().count()).sum();
        assert!(wrong.is_empty(), "run generate_operations.py:\n{}", wrong.join("\n"));
        assert_eq!(in_tables, named.len(), "a table holds methods that operations.txt does not name");
        assert!(named.is_sorted() && named.iter().collect::<BTreeSet<_>>().len() == named.len());
    }

    #[test]
    fn every_schema_that_a_body_refers_to_is_in_its_table() {
        let mut missing = Vec::new();
        for model in TABLES.iter().filter_map(|(name, ..)| api(name)) {
            let wanted = model.methods().filter_map(|method| method.request.as_deref());
            let inner = model.schemas().flat_map(Schema::references);
            missing.extend(wanted.chain(inner).filter(|name| model.schema(name).is_none()));
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
