//! XML text as a tree: names without prefixes, text as it stands, nothing expanded but the five named entities.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deeper than any answer of AWS; a tree this deep is not one.
const DEEPEST: usize = 64;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without prefix.
    pub(super) name: String,
    /// Its attributes, names with prefix.
    pub(super) attributes: Vec<(String, String)>,
    /// The elements in it, in order.
    pub(super) children: Vec<Element>,
    /// The text that stands directly in it.
    pub(super) text: String,
}

impl Element {
    /// The elements of a name in it.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of a name in it.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.all(name).next()
    }

    /// An attribute by its full name, or by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let local = |name: &str| name.rsplit_once(':').map_or(name.to_owned(), |(_, local)| local.to_owned());
        let exact = self.attributes.iter().find(|(key, _)| key == name);
        let found = exact.or_else(|| self.attributes.iter().find(|(key, _)| local(key) == local(name)));
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads a document.
///
/// # Errors
/// In words: not XML, not UTF-8, a document type, unknown entities, too deep, more or less than one root.
pub(super) fn read(body: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    loop {
        let event = reader.read_event().map_err(|error| format!("the body is not XML: {error}"))?;
        match event {
            Event::Start(start) if open.len() < DEEPEST => open.push(element(&start)?),
            Event::Start(_) => return Err(format!("the body has more than {DEEPEST} elements in one another")),
            Event::Empty(start) => close(&mut open, &mut root, element(&start)?)?,
            Event::End(_) => {
                let done = open.pop().ok_or("the body closes what it did not open")?;
                close(&mut open, &mut root, done)?;
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(text) => append(&mut open, &text.xml10_content()),
            Event::GeneralRef(name) => append(&mut open, &entity(&name)?),
            Event::DocType(_) => return Err("the body has a document type".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or_else(|| "the body has no element".to_owned()),
            Event::Eof => return Err("the body ends in the middle".to_owned()),
        }
    }
}

fn close(open: &mut [Element], root: &mut Option<Element>, done: Element) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None if root.is_some() => return Err("the body has more than one root".to_owned()),
        None => *root = Some(done),
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let name = start.local_name().as_ref().to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("the body is not XML: {error}"))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| format!("the body is not XML: {error}"))?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element { name, attributes, ..Element::default() })
}

fn entity(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(letter) = reference.resolve_char_ref().map_err(|error| format!("the body is not XML: {error}"))? {
        return Ok(letter.to_string());
    }
    let name: &str = reference;
    match name {
        "lt" => Ok("<".to_owned()),
        "gt" => Ok(">".to_owned()),
        "amp" => Ok("&".to_owned()),
        "apos" => Ok("'".to_owned()),
        "quot" => Ok("\"".to_owned()),
        other => Err(format!("the body has the unknown entity `{}`", other.escape_debug())),
    }
}
