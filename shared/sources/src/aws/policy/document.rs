//! The spellings of a policy document: an object, JSON text, or percent-encoded JSON text.

use onus_core::Json;
use percent_encoding::percent_decode_str;
use thiserror::Error;

/// Why a value is no policy document. Never worth a retry: the same value gives the same error.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// The value is neither an object nor a string that holds one.
    #[error("reading policy document: expected an object or JSON text, found {found}")]
    NotADocument {
        /// The JSON type found.
        found: &'static str,
    },
    /// The text is not JSON, plain or percent-encoded.
    #[error("parsing policy document: {reason}")]
    NotJson {
        /// What the parser said, with line and column.
        reason: String,
    },
    /// An element of the policy language is missing, or has a value that the language does not know.
    #[error("reading policy document at `{path}`: {reason}")]
    Malformed {
        /// Where: `Statement[2].Principal`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

impl PolicyError {
    /// Whether asking again can help. It cannot: the document itself is wrong.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// Reads any of the spellings in which services log and answer a policy: an object (S3 records), JSON text (KMS, SQS,
/// …), or percent-encoded JSON text (IAM answers, RFC 3986).
///
/// # Errors
/// The value is `null`, no object and no text that holds one. A policy is not checked here: see
/// [`judge`](super::judge).
pub fn document(value: &Json<'_>) -> Result<Json<'static>, PolicyError> {
    let text = match value {
        Json::Object(_) => return Ok(value.clone().into_owned()),
        Json::String(text) => text,
        other => return Err(PolicyError::NotADocument { found: type_name(other) }),
    };
    let parsed = match Json::parse(text) {
        Ok(parsed) => parsed.into_owned(),
        Err(plain) => {
            let decoded = percent_decode_str(text).decode_utf8_lossy();
            Json::parse(&decoded).map_err(|_| PolicyError::NotJson { reason: plain.to_string() })?.into_owned()
        }
    };
    match parsed {
        Json::Object(_) => Ok(parsed),
        other => Err(PolicyError::NotADocument { found: type_name(&other) }),
    }
}

fn type_name(value: &Json<'_>) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
