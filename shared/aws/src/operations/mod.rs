//! The operations that Onus may call, from the service models that botocore publishes.
//!
//! `operations/operations.txt` names them, `generate_operations.py` writes a table per service, which is compiled in and
//! read on the service's first use.

mod endpoint;
mod model;
mod node;

use std::sync::OnceLock;

pub use endpoint::{Addressing, Endpoint, EndpointError, Partition, endpoint, partition};
pub use model::{
    GlobalHost, HostPrefix, Hosts, Http, Kind, Metadata, ModelError, Operation, Paginator, Protocol, Reference,
    Service, Shape,
};
pub use node::{Location, Node, TimestampFormat, XmlNamespace};

/// What the table is generated from: one `service:Operation` a line, `#` starts a comment.
const NAMED: &str = include_str!("../../operations/operations.txt");

/// A service's table: its name, its text, and the model once it was read.
type Entry = (&'static str, &'static str, OnceLock<Option<Service>>);

/// Makes the table's entries from the file names.
macro_rules! tables {
    ($($service:literal),+ $(,)?) => {
        [$(($service, include_str!(concat!("../../operations/", $service, ".json")), OnceLock::new())),+]
    };
}

/// One line per service in `operations.txt`.
static TABLES: [Entry; 14] = tables![
    "cloudtrail",
    "ec2",
    "ecr",
    "iam",
    "kms",
    "lambda",
    "rds",
    "resourcegroupstaggingapi",
    "s3",
    "s3control",
    "secretsmanager",
    "sns",
    "sqs",
    "sts",
];

/// A service of the table by botocore's name; `None` when no operation of it is named. Its model is read on first use.
pub fn service(name: &str) -> Option<&'static Service> {
    let (service, text, model) = TABLES.iter().find(|(service, ..)| *service == name)?;
    // A test reads every table: none is refused.
    model.get_or_init(|| Service::from_json(service, text).ok()).as_ref()
}

/// Every operation of the table, `service:Operation`, sorted.
pub fn operations() -> impl Iterator<Item = &'static str> {
    NAMED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_named_operation_is_in_its_table_and_every_table_is_read() {
        let mut wrong = Vec::new();
        for (name, text, _) in &TABLES {
            match Service::from_json(name, text) {
                Ok(model) if model.name == *name => {}
                Ok(model) => wrong.push(format!("the table of `{name}` is of `{}`", model.name)),
                Err(error) => wrong.push(format!("{error}: {:?}", std::error::Error::source(&error))),
            }
        }
        let named: Vec<&str> = operations().collect();
        for name in &named {
            let found = name.split_once(':').and_then(|(s, o)| service(s).map(|table| table.operation(o).is_some()));
            if found != Some(true) {
                wrong.push(format!("`{name}` is in no table"));
            }
        }
        let in_tables: usize =
            TABLES.iter().filter_map(|(name, ..)| service(name)).map(|s| s.operations().count()).sum();
        assert!(wrong.is_empty(), "run generate_operations.py:\n{}", wrong.join("\n"));
        assert_eq!(in_tables, named.len(), "a table holds operations that operations.txt does not name");
        assert!(named.is_sorted() && named.iter().collect::<BTreeSet<_>>().len() == named.len());
    }
}
