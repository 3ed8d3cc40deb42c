//! An ARM body as the effects look at it.

use std::borrow::Cow;

use onus_core::document::NULL;
use onus_core::{Doubt, Effects, Json};

use crate::text::Text;

/// How much of a resource a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: an answer, a resource read live. What is not there has its default.
    Whole,
    /// What a request says. The log does not tell whether it was a `PUT`, which resets what it leaves out, or a `PATCH`, which keeps
    /// it: what is not there is not known.
    Part,
}

/// A body, and whose it is.
pub(super) struct Body<'c, 'a> {
    pub(super) kind: &'c str,
    /// In lower case.
    pub(super) id: Cow<'c, str>,
    properties: &'c Json<'a>,
    pub(super) extent: Extent,
}

impl<'c, 'a> Body<'c, 'a> {
    pub(super) fn new(kind: &'c str, id: &'c str, json: &'c Json<'a>, extent: Extent) -> Self {
        let properties = match json.get_ci("properties") {
            Json::Object(_) => json.get_ci("properties"),
            _ => json,
        };
        let upper = id.bytes().any(|byte| byte.is_ascii_uppercase());
        let id = if upper { Cow::Owned(id.to_ascii_lowercase()) } else { Cow::Borrowed(id) };
        Self { kind, id, properties, extent }
    }

    /// A property by its path, whatever the case of its names; `null` when it is not there.
    pub(super) fn property(&self, path: &str) -> &'c Json<'a> {
        path.split('.').fold(self.properties, |value, name| value.get_ci(name))
    }

    /// A property as text; empty when it is not there.
    pub(super) fn text(&self, path: &str) -> String {
        text(self.property(path)).into_owned()
    }

    /// A property that has a word as its value; the default where the body is whole and leaves it out, else a doubt and nothing.
    pub(super) fn word(&self, path: &str, default: &str, effects: &mut Effects) -> Option<String> {
        let value = self.property(path);
        if !value.is_null() {
            return Some(text(value).into_owned());
        }
        match self.extent {
            Extent::Whole => Some(default.to_owned()),
            Extent::Part => {
                effects.doubts.push(Doubt::new(format!("request.properties.{path}"), "is not part of the request"));
                None
            }
        }
    }

    /// The last part of the id.
    pub(super) fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }
}

/// A scalar as text; empty for anything else.
pub(super) fn text<'a>(json: &Json<'a>) -> Cow<'a, str> {
    Text::of_json(json).0
}

/// A member of an object, whatever the case.
pub(super) fn member<'c, 'a>(json: &'c Json<'a>, path: &str) -> &'c Json<'a> {
    path.split('.').fold(json, |value, name| match value {
        Json::Object(_) => value.get_ci(name),
        _ => &NULL,
    })
}
