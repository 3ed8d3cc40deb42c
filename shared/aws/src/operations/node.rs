//! A shape where it is used, and how it is written there.

use serde::Deserialize;

use super::model::{Kind, Service, Shape};

/// Where and how a value is written. Given on a shape, and on a use of it, which wins.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Traits {
    pub(super) location: Option<Location>,
    pub(super) location_name: Option<String>,
    pub(super) query_name: Option<String>,
    pub(super) flattened: Option<bool>,
    pub(super) xml_namespace: Option<XmlNamespace>,
    pub(super) xml_attribute: Option<bool>,
    pub(super) timestamp_format: Option<TimestampFormat>,
    pub(super) jsonvalue: Option<bool>,
    pub(super) idempotency_token: Option<bool>,
    pub(super) host_label: Option<bool>,
}

/// Where a member is written, when not in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Location {
    /// A label of the path.
    Uri,
    /// The query.
    Querystring,
    /// One header.
    Header,
    /// A header per entry of a map.
    Headers,
    /// The status code of the answer.
    StatusCode,
}

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TimestampFormat {
    /// `2024-05-01T12:00:00Z`.
    #[serde(rename = "iso8601", alias = "ISO8601")]
    Iso8601,
    /// `Wed, 01 May 2024 12:00:00 GMT`.
    #[serde(rename = "rfc822", alias = "RFC822")]
    Rfc822,
    /// Seconds since 1970.
    #[serde(rename = "unixTimestamp", alias = "unixtimestamp", alias = "UnixTimestamp")]
    UnixTimestamp,
}

/// A namespace, as an object or as its URI.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "NamespaceForm")]
pub struct XmlNamespace {
    /// The prefix it is bound to; `None` is the default namespace.
    pub prefix: Option<String>,
    /// What it is.
    pub uri: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NamespaceForm {
    Uri(String),
    Object { prefix: Option<String>, uri: String },
}

impl From<NamespaceForm> for XmlNamespace {
    fn from(form: NamespaceForm) -> Self {
        match form {
            NamespaceForm::Uri(uri) => Self { prefix: None, uri },
            NamespaceForm::Object { prefix, uri } => Self { prefix: prefix.filter(|p| !p.is_empty()), uri },
        }
    }
}

/// A shape where it is used: what the use says wins over what the shape says.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    pub(super) service: &'a Service,
    pub(super) shape: &'a Shape,
    pub(super) name: &'a str,
    pub(super) traits: &'a Traits,
}

impl<'a> Node<'a> {
    /// The shape itself.
    pub fn shape(&self) -> &'a Shape {
        self.shape
    }

    /// What kind of value it is.
    pub fn kind(&self) -> Kind {
        self.shape.kind
    }

    /// Members of a structure, in the model's order; empty for anything else.
    pub fn members(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let service = self.service;
        self.shape.members.iter().map(move |(name, member)| (name.as_str(), service.node(member)))
    }

    /// A member of a structure.
    pub fn member(&self, name: &str) -> Option<Node<'a>> {
        self.members().find(|(member, _)| *member == name).map(|(_, node)| node)
    }

    /// What a list holds.
    pub fn item(&self) -> Option<Node<'a>> {
        self.shape.member.as_ref().map(|reference| self.service.node(reference))
    }

    /// What a map's names and members are.
    pub fn entry(&self) -> Option<(Node<'a>, Node<'a>)> {
        let (key, value) = (self.shape.key.as_ref()?, self.shape.value.as_ref()?);
        Some((self.service.node(key), self.service.node(value)))
    }

    /// Where it is written; `None` is the body.
    pub fn location(&self) -> Option<Location> {
        self.traits.location.or(self.shape.traits.location)
    }

    /// Whether an answer holds it in the body: what is in a request's path or query is not in an answer's.
    pub fn in_answer_body(&self) -> bool {
        matches!(self.location(), None | Some(Location::Uri | Location::Querystring))
    }

    /// The name it is written under, when not its own. A name that a structure gives itself is only for documents of
    /// which it is the root ([`Node::root_name`]).
    pub fn location_name(&self) -> Option<&'a str> {
        let own = self.shape.traits.location_name.as_deref().filter(|_| self.kind() != Kind::Structure);
        self.traits.location_name.as_deref().or(own)
    }

    /// The name of its element when it is the root of a document: as the payload called `member`, what renames that
    /// member; else what the structure or its use says, else the shape's name.
    pub fn root_name(&self, member: Option<&str>) -> &'a str {
        let of_use = self.traits.location_name.as_deref();
        let renamed = of_use.filter(|name| member.is_some_and(|member| member != *name));
        let of_shape = self.shape.traits.location_name.as_deref();
        renamed.or(of_shape).or(of_use.filter(|_| member.is_none())).unwrap_or(self.name)
    }

    /// The name it is written under in EC2's dialect, when not derived.
    pub fn query_name(&self) -> Option<&'a str> {
        self.traits.query_name.as_deref().or(self.shape.traits.query_name.as_deref())
    }

    /// Whether a list or map is written without an element around it.
    pub fn flattened(&self) -> bool {
        self.traits.flattened.or(self.shape.traits.flattened).unwrap_or_default()
    }

    /// The namespace of its element.
    pub fn xml_namespace(&self) -> Option<&'a XmlNamespace> {
        self.traits.xml_namespace.as_ref().or(self.shape.traits.xml_namespace.as_ref())
    }

    /// Whether it is an attribute of its structure's element.
    pub fn xml_attribute(&self) -> bool {
        self.traits.xml_attribute.or(self.shape.traits.xml_attribute).unwrap_or_default()
    }

    /// How a moment is written, when not as the protocol has it.
    pub fn timestamp_format(&self) -> Option<TimestampFormat> {
        self.traits.timestamp_format.or(self.shape.traits.timestamp_format)
    }

    /// Whether it is text that holds JSON, which a header carries in base64.
    pub fn json_value(&self) -> bool {
        self.traits.jsonvalue.or(self.shape.traits.jsonvalue).unwrap_or_default()
    }

    /// Whether a token of our own stands in when it is not given.
    pub fn idempotency_token(&self) -> bool {
        self.traits.idempotency_token.or(self.shape.traits.idempotency_token).unwrap_or_default()
    }

    /// Whether it fills a label of the host prefix.
    pub fn host_label(&self) -> bool {
        self.traits.host_label.or(self.shape.traits.host_label).unwrap_or_default()
    }
}
