//! A service model as botocore publishes it, reduced to what sending and reading needs.
//!
//! The format is botocore's (`service-2.json`), so that the published protocol cases run against the same code.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};

use super::node::{Node, Traits, XmlNamespace};

/// One service: how it is spoken to, and the operations of it that we name.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// botocore's name: `s3control`. Empty in models that are not from our table.
    #[serde(default)]
    pub name: String,
    /// How it is spoken to.
    pub metadata: Metadata,
    /// Where it is found when not under its usual host name.
    #[serde(default)]
    pub hosts: Hosts,
    #[serde(default)]
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

/// Why a service model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not JSON, or not in botocore's format.
    #[error("cannot read service model `{service}`")]
    Format {
        /// Which service.
        service: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A reference leads nowhere.
    #[error("cannot use service model `{service}`: no shape `{shape}`")]
    Dangling {
        /// Which service.
        service: String,
        /// The shape that is referred to.
        shape: String,
    },
}

impl ModelError {
    /// Never: the model is compiled in.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Format { .. } | Self::Dangling { .. } => false,
        }
    }
}

impl Service {
    /// Reads a model and checks that every reference leads to a shape.
    ///
    /// # Errors
    /// The text is not a service model, or refers to shapes that it lacks.
    pub fn from_json(name: &str, text: &str) -> Result<Self, ModelError> {
        let mut service: Self =
            serde_json::from_str(text).map_err(|source| ModelError::Format { service: name.to_owned(), source })?;
        for (operation, model) in &mut service.operations {
            model.name.clone_from(operation);
        }
        match service.dangling() {
            Some(shape) => Err(ModelError::Dangling { service: name.to_owned(), shape }),
            None => Ok(service),
        }
    }

    /// The name of a shape that is referred to and not there.
    fn dangling(&self) -> Option<String> {
        let of_operations = self.operations.values().flat_map(|o| o.input.iter().chain(&o.output));
        let of_shapes = self.shapes.values().flat_map(Shape::references);
        let mut all = of_operations.chain(of_shapes);
        all.find(|reference| !self.shapes.contains_key(&reference.shape)).map(|reference| reference.shape.clone())
    }

    /// An operation by the provider's name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// The operations, in no order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    /// The shape that a reference of this model leads to, with what the reference adds to it.
    // INVARIANT: `from_json`, the only way to make a service, refuses a model with a reference that leads nowhere.
    #[allow(clippy::expect_used, clippy::missing_panics_doc)]
    pub fn node<'a>(&'a self, reference: &'a Reference) -> Node<'a> {
        let shape = self.shapes.get(&reference.shape).expect("every reference was resolved when the model was read");
        Node { service: self, shape, name: &reference.shape, traits: &reference.traits }
    }
}

/// How a service is spoken to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// `2016-11-15`: the `Version` of the query protocols.
    #[serde(default)]
    pub api_version: String,
    /// The first label of the host name.
    #[serde(default)]
    pub endpoint_prefix: String,
    /// `1.0` or `1.1`.
    pub json_version: Option<String>,
    /// The wire protocol.
    pub protocol: Protocol,
    /// The SDK's name for the service, from which `AWS_ENDPOINT_URL_<SERVICE>` is made.
    #[serde(default)]
    pub service_id: String,
    /// The name that signatures are made for; the endpoint prefix when absent.
    pub signing_name: Option<String>,
    /// What stands before the operation in `X-Amz-Target`.
    pub target_prefix: Option<String>,
    /// Whether it once spoke the query protocol and still tells that protocol's error codes. An object or a boolean.
    #[serde(default, deserialize_with = "present")]
    pub aws_query_compatible: bool,
    /// Namespace of rest-xml bodies whose shapes do not name one.
    pub xml_namespace: Option<XmlNamespace>,
}

impl Metadata {
    /// The name that signatures are made for.
    pub fn signing_name(&self) -> &str {
        self.signing_name.as_deref().unwrap_or(&self.endpoint_prefix)
    }
}

/// The wire protocols that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// JSON with the operation in `X-Amz-Target`, versions 1.0 and 1.1.
    Json,
    /// Form-encoded request, XML answer.
    Query,
    /// EC2's dialect of query.
    Ec2,
    /// HTTP methods and paths, JSON bodies.
    RestJson,
    /// HTTP methods and paths, XML bodies.
    RestXml,
}

/// Where a service is found when not under `<prefix>.<region>.<suffix>`.
#[derive(Debug, Default, Deserialize)]
pub struct Hosts {
    /// By partition: the one host of a service that has no regions, and the region its signatures name.
    #[serde(default)]
    pub global: BTreeMap<String, GlobalHost>,
    /// By region: a host name that differs.
    #[serde(default)]
    pub hostnames: BTreeMap<String, String>,
}

/// The one host of a service in a partition.
#[derive(Debug, Deserialize)]
pub struct GlobalHost {
    /// `iam.amazonaws.com`.
    pub hostname: String,
    /// The region that signatures name.
    pub region: String,
}

/// One operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// As the provider spells it.
    #[serde(default)]
    pub name: String,
    /// Method and path.
    #[serde(default)]
    pub http: Http,
    /// Its parameters; `None` takes none.
    pub input: Option<Reference>,
    /// Its answer; `None` has none.
    pub output: Option<Reference>,
    /// What stands before the host.
    pub endpoint: Option<HostPrefix>,
    /// Whether the body must come with a checksum.
    #[serde(default)]
    pub checksum_required: bool,
    /// How its pages follow one another; `None` answers in one.
    pub paginator: Option<Paginator>,
}

/// Method and path of an operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// `POST`.
    #[serde(default = "post")]
    pub method: String,
    /// A path with `{Label}`s, maybe with a query.
    #[serde(default = "slash")]
    pub request_uri: String,
}

impl Default for Http {
    fn default() -> Self {
        Self { method: post(), request_uri: slash() }
    }
}

/// What stands before the host of some operations.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostPrefix {
    /// `{AccountId}.`, its labels filled from members marked `hostLabel`.
    pub host_prefix: Option<String>,
}

/// How the pages of an answer follow one another. Expressions are member names, or paths of them: `A.B || C`.
#[derive(Debug, Deserialize)]
pub struct Paginator {
    /// The parameters that ask for the next page.
    pub input_token: Vec<String>,
    /// Where the answer holds them, one for each.
    pub output_token: Vec<String>,
    /// The members that are joined.
    pub result_key: Vec<String>,
    /// A boolean of the answer that says whether there are more; absent: as long as there is a token.
    pub more_results: Option<String>,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Named members.
    Structure,
    /// Members of one shape, in order.
    List,
    /// Names to members of one shape.
    Map,
    /// Text.
    #[serde(alias = "character")]
    String,
    /// Bytes; base64 text in parameters and answers.
    Blob,
    /// True or false.
    Boolean,
    /// A whole number.
    #[serde(alias = "long")]
    Integer,
    /// A number.
    #[serde(alias = "double")]
    Float,
    /// A moment; RFC 3339 text in answers, that or seconds since 1970 in parameters.
    Timestamp,
}

/// The shape of a value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// What kind of value.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Members of a structure, in the model's order.
    #[serde(default, deserialize_with = "in_order")]
    pub members: Vec<(String, Reference)>,
    pub(super) member: Option<Reference>,
    pub(super) key: Option<Reference>,
    pub(super) value: Option<Reference>,
    /// Members that must be given.
    #[serde(default)]
    pub required: Vec<String>,
    /// The member that is the whole body.
    pub payload: Option<String>,
    /// Whether any JSON is allowed.
    #[serde(default)]
    pub document: bool,
    /// Whether exactly one member is set.
    #[serde(default)]
    pub union: bool,
    #[serde(flatten)]
    pub(super) traits: Traits,
}

impl Shape {
    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.members.iter().map(|(_, member)| member).chain(&self.member).chain(&self.key).chain(&self.value)
    }
}

/// A use of a shape.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// The shape's name.
    pub shape: String,
    /// The element that query answers wrap their result in.
    pub result_wrapper: Option<String>,
    #[serde(flatten)]
    pub(super) traits: Traits,
}

fn post() -> String {
    "POST".to_owned()
}

fn slash() -> String {
    "/".to_owned()
}

/// Whether a member that may be a boolean or an object is there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_bool().unwrap_or(true))
}

/// An object as a list of pairs: the order of members is the order in which they are sent.
fn in_order<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<(String, T)>, D::Error> {
    struct Pairs<T>(std::marker::PhantomData<T>);
    impl<'de, T: DeserializeOwned> Visitor<'de> for Pairs<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8));
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs(std::marker::PhantomData))
}
