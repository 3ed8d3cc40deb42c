//! An API's table as it is read: methods, and the schemas of what they are asked with.
//!
//! The words are those of the discovery document format
//! (<https://developers.google.com/discovery/v1/reference/apis>), cut down by `generate_operations.py`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A table that cannot be read. Cannot happen to a table that is compiled in.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the operations table of `{api}`")]
pub struct ModelError {
    api: String,
    source: serde_json::Error,
}

/// One API at one version.
#[derive(Debug, Deserialize)]
pub struct Api {
    /// The discovery name, which calls bear: `sqladmin`.
    pub name: String,
    /// `v1`.
    pub version: String,
    /// The day of the discovery document, `20261018`.
    pub revision: String,
    /// Where it is: `https://sqladmin.googleapis.com/`. Ends in a slash.
    pub root: String,
    /// What stands before every path: `compute/v1/`, or nothing. Ends in a slash.
    pub base: String,
    #[serde(rename = "operations")]
    methods: BTreeMap<String, Method>,
    schemas: BTreeMap<String, Schema>,
}

impl Api {
    /// Reads a table.
    ///
    /// # Errors
    /// The text is no table.
    pub fn from_json(api: &str, text: &str) -> Result<Self, ModelError> {
        let mut model: Self =
            serde_json::from_str(text).map_err(|source| ModelError { api: api.to_owned(), source })?;
        for (name, method) in &mut model.methods {
            method.name.clone_from(name);
        }
        Ok(model)
    }

    /// A method by its id without the API's name: `firewalls.patch`.
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.get(name)
    }

    /// Every method of the table.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.values()
    }

    /// A schema by name; every name that a method or another schema refers to is there.
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.get(name)
    }

    /// Every schema of the table.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.schemas.values()
    }
}

/// One method.
#[derive(Debug, Deserialize)]
pub struct Method {
    /// `firewalls.patch`.
    #[serde(skip)]
    pub name: String,
    /// The HTTP method.
    #[serde(rename = "method")]
    pub http: String,
    /// The path below the API's base, an RFC 6570 template: `projects/{project}/global/firewalls/{firewall}`.
    pub path: String,
    /// What its path and query are made of, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The schema of its body; `None` when it has none.
    pub request: Option<String>,
    /// The member of its answer whose lists are joined over the pages; `None` when it answers in one.
    pub pages: Option<String>,
    /// Whether it answers with an operation that goes on after the answer.
    #[serde(default)]
    pub operation: bool,
}

/// One parameter of a path or query.
#[derive(Debug, Deserialize)]
pub struct Parameter {
    /// Where it stands.
    #[serde(rename = "in")]
    pub location: Location,
    /// Whether the method cannot do without.
    #[serde(default)]
    pub required: bool,
    /// Whether it may be given several times.
    #[serde(default)]
    pub repeated: bool,
    /// `integer`, `boolean` or `number`; `None` is a string.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What a path parameter that holds slashes is made of: `projects/*/sinks/*`. `None` for one segment.
    pub segments: Option<String>,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header, which discovery documents do not list: see `generate_operations.py`.
    Header,
}

/// The shape of a JSON value.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// Another schema that this one is.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// `object`, `array`, `string`, `integer`, `number`, `boolean` or `any`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What is in a string: `int64`, `google-datetime`, `byte`, …
    pub format: Option<String>,
    /// The only values of a string.
    #[serde(rename = "enum")]
    pub values: Option<Vec<String>>,
    /// The elements of an array.
    pub items: Option<Box<Schema>>,
    /// The members of an object.
    #[serde(default)]
    pub properties: BTreeMap<String, Schema>,
    /// The members of an object whose names are free.
    pub additional_properties: Option<Box<Schema>>,
}

impl Schema {
    /// The names that this schema refers to, at any depth.
    pub fn references(&self) -> Vec<&str> {
        let inner = self.properties.values().chain(self.items.as_deref()).chain(self.additional_properties.as_deref());
        self.reference.as_deref().into_iter().chain(inner.flat_map(Self::references)).collect()
    }
}
