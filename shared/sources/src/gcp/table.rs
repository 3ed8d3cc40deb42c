//! Rows of the tables that a `BigQuery` sink fills.
//!
//! A row is a log entry whose payload is called `protopayload_auditlog`, and in which bodies are JSON in a text: `requestJson`, `responseJson`,
//! `metadataJson`. `serviceData` has a name for each of its types (<https://cloud.google.com/logging/docs/export/bigquery>).

use std::borrow::Cow;

use onus_core::Json;

use crate::error::DecodeError;

/// The text of the log entry that a row was made of, as near as the row tells it. A change decoded from it has this text as its evidence.
///
/// # Errors
/// The row or its payload nests too deep to be read.
pub(super) fn entry_of(text: &str, payload: &str) -> Result<String, DecodeError> {
    let parse = |text| Json::parse(text).map_err(|error| DecodeError::syntax(text, &error));
    let payload = Json::Object(parse(payload)?.members().iter().filter_map(restored).collect());
    let mut members: Vec<(Cow<'_, str>, Json<'_>)> = Vec::new();
    for (name, value) in parse(text)?.members() {
        if name != "protopayload_auditlog" && !value.is_null() {
            members.push((name.clone(), value.clone()));
        }
    }
    members.push((Cow::Borrowed("protoPayload"), payload));
    serde_json::to_string(&Json::Object(members)).map_err(|error| DecodeError::syntax(text, &error))
}

/// A member of the payload under its own name, with its text opened.
fn restored<'a>((name, value): &(Cow<'a, str>, Json<'a>)) -> Option<(Cow<'a, str>, Json<'a>)> {
    if value.is_null() {
        return None;
    }
    let own = match name.as_ref() {
        "requestJson" => "request",
        "responseJson" => "response",
        "metadataJson" => "metadata",
        name if name.starts_with("servicedata_") => return Some((Cow::Borrowed("serviceData"), value.clone())),
        _ => return Some((name.clone(), value.clone())),
    };
    // What is no JSON stays a text, which the decoder takes as left out.
    let opened = value.as_str().and_then(|text| Json::parse(text).ok().map(Json::into_owned));
    Some((Cow::Borrowed(own), opened.unwrap_or_else(|| value.clone())))
}
