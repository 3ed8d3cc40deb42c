//! When an exemption ends.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An end that was chosen on purpose: a moment, or `never`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expiry {
    text: String,
    /// The first moment at which it no longer holds; `None` for `never`.
    end: Option<Timestamp>,
}

impl Expiry {
    /// The first moment at which it no longer holds; `None` for `never`.
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.end.is_none_or(|end| now < end)
    }
}

/// A text that is no end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an expiry, expected a date like `2027-01-31`, a date and time like `2027-01-31T12:00:00Z`, or `never`"
)]
pub struct BadExpiry(String);

impl TryFrom<String> for Expiry {
    type Error = BadExpiry;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "never" {
            return Ok(Self { text, end: None });
        }
        let end = if text.len() == "2027-01-31".len() {
            // The whole day counts: it ends where the next one begins.
            text.parse::<Date>()
                .and_then(|day| day.checked_add(1.day()))
                .and_then(|next| Offset::UTC.to_timestamp(next.at(0, 0, 0, 0)))
        } else {
            text.parse::<Timestamp>()
        };
        match end {
            Ok(end) => Ok(Self { text, end: Some(end) }),
            Err(_) => Err(BadExpiry(text)),
        }
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        expiry.text
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl JsonSchema for Expiry {
    fn schema_name() -> Cow<'static, str> {
        "Expiry".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "anyOf": [{ "const": "never" }, { "format": "date" }, { "format": "date-time" }],
            "pattern": "^(never|[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_date_holds_through_its_last_second() {
        let expiry = Expiry::try_from("2026-12-31".to_owned()).expect("a date");
        assert!(expiry.holds(at("2026-12-31T23:59:59Z")));
        assert!(!expiry.holds(at("2027-01-01T00:00:00Z")));
    }

    #[test]
    fn a_moment_holds_until_it_comes_in_its_own_offset() {
        let expiry = Expiry::try_from("2026-12-31T12:00:00+02:00".to_owned()).expect("a moment");
        assert!(expiry.holds(at("2026-12-31T09:59:59Z")));
        assert!(!expiry.holds(at("2026-12-31T10:00:00Z")));
    }

    #[test]
    fn never_has_to_be_said() {
        assert!(Expiry::try_from("never".to_owned()).expect("never").holds(at("9999-01-01T00:00:00Z")));
        let wrong: Vec<_> = ["", "Never", "soon", "2026-13-01", "2026-12", "2026-12-31T12:00:00", "31.12.2026"]
            .into_iter()
            .filter(|text| Expiry::try_from((*text).to_owned()).is_ok())
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
