//! The members of a JSON object, scalars as text, and what is made of them everywhere: borrowed from the record wherever it allows it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use onus_core::document::Json;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::DecodeError;

/// A scalar as text: a string borrows unless it holds an escape, numbers and truth values stand as they were written, `null` and
/// compound values are empty. Feeds differ in how they write ids and flags, and none of that may lose a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text of one valid JSON value. A lone surrogate becomes U+FFFD: whoever can write one into a record must not be able
    /// to make the record unreadable.
    pub(crate) fn of(json: &'a str) -> Self {
        match json.as_bytes() {
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Text(Cow::Borrowed(json.get(1..json.len() - 1).unwrap_or_default()))
            }
            [b'"', ..] => Text(Cow::Owned(unescape(json))),
            [b'{' | b'[', ..] | b"null" => Text::default(),
            _ => Text(Cow::Borrowed(json)),
        }
    }

    /// Like [`Text::of`] for a value that has been parsed.
    pub(crate) fn of_json(json: &Json<'a>) -> Self {
        match json {
            Json::String(text) => Text(text.clone()),
            Json::Number(number) => Text(Cow::Owned(number.to_string())),
            Json::Bool(value) => Text(Cow::Borrowed(if *value { "true" } else { "false" })),
            Json::Null | Json::Array(_) | Json::Object(_) => Text::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, or nothing when it is empty.
    pub(crate) fn some(self) -> Option<Cow<'a, str>> {
        if self.0.is_empty() { None } else { Some(self.0) }
    }

    /// The first of the two that is not empty.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.0.is_empty() { other } else { self }
    }

    /// `true` or `false` in any case.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        if self.0.eq_ignore_ascii_case("true") {
            Some(true)
        } else if self.0.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }
}

/// A JSON string as text. Not a string: empty.
pub(crate) fn unescape(json: &str) -> String {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON string")
        }

        fn visit_bytes<E>(self, value: &[u8]) -> Result<Self::Value, E> {
            Ok(String::from_utf8_lossy(value).into_owned())
        }
    }
    // Asked for bytes, serde_json lets lone surrogates pass, encoded as if they were characters.
    serde_json::Deserializer::from_str(json).deserialize_bytes(Bytes).unwrap_or_default()
}

/// A string that every record has, as the JSON that stands there.
///
/// # Errors
/// It is missing, empty, or no string. The field is named.
pub(crate) fn required<'a>(field: &'static str, value: Option<&'a str>) -> Result<Cow<'a, str>, DecodeError> {
    match value {
        Some(value) if value.starts_with('"') => {
            Text::of(value).some().ok_or_else(|| DecodeError::field(field, value, "expected a name"))
        }
        None => Err(DecodeError::Missing { field }),
        Some(value) => Err(DecodeError::field(field, value, "expected a string")),
    }
}

/// A time as logs write it: RFC 3339, or date and time in UTC without saying so.
///
/// # Errors
/// It is neither. The field is named for whoever has to mend the record.
pub(crate) fn time(field: &'static str, text: &str) -> Result<Timestamp, DecodeError> {
    let trimmed = text.trim();
    if let Ok(time) = trimmed.parse::<Timestamp>() {
        return Ok(time);
    }
    trimmed
        .parse::<DateTime>()
        .and_then(|time| TimeZone::UTC.to_timestamp(time))
        .map_err(|_| DecodeError::field(field, text, "expected a time such as `2026-11-23T18:00:00Z`"))
}

/// A uid for a record that has none, `text-` and 32 hexadecimal digits of the SHA-256 of its text: the same text always gives the same.
pub(crate) fn uid_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut uid = String::from("text-");
    for byte in digest.iter().take(16) {
        for digit in [byte >> 4, byte & 15] {
            uid.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    uid
}

/// Calls `take` with each member of a JSON object, in order: its name and its value's text.
///
/// # Errors
/// The text is not one JSON object. Members may have been taken before.
pub(crate) fn each_member<'a>(json: &'a str, take: &mut dyn FnMut(&str, &'a str)) -> Result<(), serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_str(json);
    parser.deserialize_map(Taking(take))?;
    parser.end()
}

/// A place for each member that is wanted of a JSON object, filled with the text of its value and borrowed from the record.
pub(crate) trait Members<'a>: Default {
    /// The place of a member; none for a name that is not wanted.
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>>;

    /// Reads one JSON object. Of a repeated member the last counts; `null` counts as not there, as feeds with a column per member
    /// write it.
    ///
    /// # Errors
    /// The text is not one JSON object.
    fn read(text: &'a str) -> Result<Self, DecodeError> {
        let mut members = Self::default();
        let mut take = |name: &str, value: &'a str| {
            if value != "null"
                && let Some(place) = members.place(name)
            {
                *place = Some(value);
            }
        };
        each_member(text, &mut take).map_err(|error| DecodeError::syntax(text, &error))?;
        Ok(members)
    }
}

struct Taking<'t, 'a>(&'t mut dyn FnMut(&str, &'a str));

impl<'a> Visitor<'a> for Taking<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(name) = access.next_key_seed(Name)? {
            (self.0)(&name, access.next_value::<&'a RawValue>()?.get());
        }
        Ok(())
    }
}

/// A member's name that borrows: `Cow`'s own `Deserialize` always copies.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_json_value_has_a_text() {
        let cases = [
            (r#""plain""#, "plain"),
            (r#""a\"b""#, "a\"b"),
            (r#""a\ud800b""#, "a\u{fffd}\u{fffd}\u{fffd}b"),
            ("12", "12"),
            ("-3", "-3"),
            ("true", "true"),
            ("null", ""),
            (r#"["a", {"b": 1}]"#, ""),
            (r#"{"a": [1]}"#, ""),
        ];
        for (json, expected) in cases {
            assert_eq!(Text::of(json).0, expected, "{json}");
        }
        assert!(matches!(Text::of(r#""plain""#).0, Cow::Borrowed(_)));
    }

    #[test]
    fn members_come_in_order_with_their_text() {
        let mut members = Vec::new();
        each_member(r#"{ "a" : [1, 2] , "\u0062":"x", "a": null }"#, &mut |name, value| {
            members.push((name.to_owned(), value));
        })
        .unwrap();
        assert_eq!(members, [("a".to_owned(), "[1, 2]"), ("b".to_owned(), r#""x""#), ("a".to_owned(), "null")]);
        for bad in ["", "[]", "{", r#"{"a":}"#, r#"{"a":1} x"#, r#"{"a":NaN}"#] {
            assert!(each_member(bad, &mut |_, _| {}).is_err(), "{bad}");
        }
    }
}
