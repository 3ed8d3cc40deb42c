//! JSON that borrows from the record it was read from, and is read only when somebody asks.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A JSON value whose strings borrow from the text it was parsed from wherever they hold no escape.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Json<'a> {
    /// `null`, and what [`Json::get`] answers for a member that is not there.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, kept as `serde_json` read it.
    Number(serde_json::Number),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object in the order of the text. Of a repeated key the last value counts.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// What a lookup of an absent member answers.
pub static NULL: Json<'static> = Json::Null;

impl<'a> Json<'a> {
    /// Parses text. Nesting deeper than 128 is an error, as in `serde_json`.
    ///
    /// # Errors
    /// The text is not one JSON value, or nests too deep.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The member of an object, exact case; `Null` when this is no object or has no such member.
    pub fn get(&self, key: &str) -> &Json<'a> {
        self.find(key).unwrap_or(&NULL)
    }

    /// Like [`Json::get`], but the case of ASCII letters does not matter: the first letter of a CloudTrail member
    /// depends on the service's age. An exact match wins.
    pub fn get_ci(&self, key: &str) -> &Json<'a> {
        if let Some(exact) = self.find(key) {
            return exact;
        }
        match self {
            Json::Object(members) => {
                members.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(key)).map_or(&NULL, |(_, v)| v)
            }
            _ => &NULL,
        }
    }

    /// Follows a dotted path of member names; `Null` as soon as one is missing. Array elements are not addressed.
    pub fn at(&self, path: &str) -> &Json<'a> {
        path.split('.').fold(self, |value, key| value.get(key))
    }

    /// The member, or `None` when it is not there (a member that is `null` is there).
    pub fn find(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => members.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The string, when this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, also from a string of digits: CloudTrail writes some ports and counts as text.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Json::Number(number) => number.as_i64(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A truth value, also from the strings `true` and `false` in any case.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            Json::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Json::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The elements of an array; nothing for anything else.
    pub fn elements(&self) -> &[Json<'a>] {
        match self {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }

    /// One-or-many: the elements of an array, the value itself when it is something else, nothing for `null`.
    pub fn each(&self) -> &[Json<'a>] {
        match self {
            Json::Array(elements) => elements,
            Json::Null => &[],
            other => std::slice::from_ref(other),
        }
    }

    /// The members of an object; nothing for anything else.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// Whether this is `null` or was never there.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// Copies into the owned form that plans, findings and wire formats use.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) => Value::String(text.to_string()),
            Json::Array(elements) => Value::Array(elements.iter().map(Json::to_value).collect()),
            Json::Object(members) => {
                Value::Object(members.iter().map(|(k, v)| (k.to_string(), v.to_value())).collect())
            }
        }
    }

    /// Borrows an owned value, so that one piece of code reads records and live state alike.
    pub fn from_value(value: &'a serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::String(text) => Json::String(Cow::Borrowed(text)),
            Value::Array(elements) => Json::Array(elements.iter().map(Json::from_value).collect()),
            Value::Object(members) => {
                Json::Object(members.iter().map(|(k, v)| (Cow::Borrowed(k.as_str()), Json::from_value(v))).collect())
            }
        }
    }

    /// Copies every borrowed string, so that the value outlives the text.
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Json::Null => Json::Null,
            Json::Bool(value) => Json::Bool(value),
            Json::Number(number) => Json::Number(number),
            Json::String(text) => Json::String(Cow::Owned(text.into_owned())),
            Json::Array(elements) => Json::Array(elements.into_iter().map(Json::into_owned).collect()),
            Json::Object(members) => {
                Json::Object(members.into_iter().map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned())).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Key(key)) = access.next_key()? {
            members.push((key, access.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

/// An object key that borrows: `Cow`'s own `Deserialize` always copies.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object key")
            }
            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(value)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(number) => number.serialize(serializer),
            Json::String(text) => serializer.serialize_str(text),
            Json::Array(elements) => {
                let mut seq = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    seq.serialize_element(element)?;
                }
                seq.end()
            }
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// A part of a record that is parsed the first time it is looked at.
///
/// Three cases are kept apart because a rule must answer them differently: the part was never there (`null`), it
/// was there but the log left it out (*omitted*: the rule cannot know), and it is there.
#[derive(Debug, Default)]
pub struct Document<'a> {
    raw: Option<&'a str>,
    omitted: bool,
    parsed: OnceLock<Json<'a>>,
}

impl<'a> Document<'a> {
    /// A part the call never had.
    pub fn absent() -> Self {
        Self::default()
    }

    /// A part the call had but the log dropped, for instance because it was too large.
    pub fn omitted() -> Self {
        Self { omitted: true, ..Self::default() }
    }

    /// A part still to be parsed. Text that cannot be parsed (nested too deep) counts as omitted, never as empty.
    pub fn raw(text: &'a str) -> Self {
        Self { raw: Some(text), ..Self::default() }
    }

    /// A part that the decoder had to build itself.
    pub fn parsed(value: Json<'a>) -> Self {
        Self { parsed: OnceLock::from(value), ..Self::default() }
    }

    /// The value; `Null` when absent or omitted.
    pub fn json(&self) -> &Json<'a> {
        self.parsed.get_or_init(|| self.raw.and_then(|text| Json::parse(text).ok()).unwrap_or_default())
    }

    /// Whether the call had this part and the record does not tell what was in it.
    pub fn is_omitted(&self) -> bool {
        self.omitted || self.raw.is_some_and(|text| self.json().is_null() && text.trim() != "null")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_without_escapes_borrow() {
        let json = Json::parse(r#"{"a":"plain","b":"tab\t"}"#).unwrap();
        assert!(matches!(json.get("a"), Json::String(Cow::Borrowed("plain"))));
        assert!(matches!(json.get("b"), Json::String(Cow::Owned(_))));
    }

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        let json = Json::parse(r#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(json.get("a").as_i64(), Some(2));
    }

    #[test]
    fn a_part_nested_too_deep_is_omitted_not_empty() {
        let text = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let document = Document::raw(&text);
        assert!(document.json().is_null());
        assert!(document.is_omitted());
        assert!(!Document::raw("null").is_omitted());
        assert!(!Document::absent().is_omitted());
    }

    #[test]
    fn numbers_and_booleans_may_come_as_text() {
        let json = Json::parse(r#"{"port":"22","open":"True"}"#).unwrap();
        assert_eq!(json.get("port").as_i64(), Some(22));
        assert_eq!(json.get("open").as_bool(), Some(true));
    }
}
