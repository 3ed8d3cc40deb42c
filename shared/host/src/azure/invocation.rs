//! How the Functions host hands an invocation to a custom handler, and what it wants to hear.
//!
//! Source: "Azure Functions custom handlers", request and response payload
//! (<https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>).

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// How deep texts may be encoded in one another.
const LAYERS: u8 = 4;

/// What a trigger brought, taken out of its encodings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invocation {
    /// Each a JSON object, or what was there in place of one. Event Hubs bring many.
    pub parts: Vec<String>,
    /// Whether the host put it into `Data`. A webhook's own request has no such envelope.
    pub wrapped: bool,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "Data", borrow)]
    data: BTreeMap<&'a str, &'a RawValue>,
}

impl Invocation {
    /// Reads a request's body. Bytes arrive in base64, objects as objects, texts and lists as JSON-encoded texts or as they are: all are
    /// taken, also in one another. A list's elements are parts of their own.
    pub fn read(body: &str) -> Self {
        let mut invocation = Self::default();
        // A derived struct can be read from a list too, which is what a webhook's request is.
        let wire = body.trim_start().starts_with('{').then(|| serde_json::from_str::<Wire<'_>>(body).ok()).flatten();
        match wire {
            Some(wire) => {
                invocation.wrapped = true;
                for data in wire.data.values() {
                    invocation.take(data.get(), LAYERS);
                }
            }
            None => invocation.take(body, LAYERS),
        }
        invocation
    }

    fn take(&mut self, text: &str, layers: u8) {
        let text = text.trim();
        let inner = layers.checked_sub(1);
        match (text.as_bytes().first(), inner) {
            (Some(b'['), Some(inner)) => match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(elements) => elements.into_iter().for_each(|element| self.take(element.get(), inner)),
                Err(_) => self.parts.push(text.to_owned()),
            },
            (Some(b'"'), Some(inner)) => match serde_json::from_str::<String>(text) {
                Ok(plain) => self.take_text(&plain, inner),
                Err(_) => self.parts.push(text.to_owned()),
            },
            _ => self.parts.push(text.to_owned()),
        }
    }

    /// A text holds JSON, or JSON in base64.
    fn take_text(&mut self, text: &str, layers: u8) {
        let starts_json = |text: &str| text.trim_start().starts_with(['{', '[', '"']);
        if starts_json(text) {
            return self.take(text, layers);
        }
        match STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(decoded) if starts_json(&decoded) => self.take(&decoded, layers),
            _ => self.parts.push(text.to_owned()),
        }
    }

    /// The code that Event Grid wants back before it sends events to a webhook: `data.validationCode` of a
    /// `Microsoft.EventGrid.SubscriptionValidationEvent`.
    ///
    /// Source: <https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema>.
    pub fn validation_code(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Event {
            #[serde(rename = "eventType")]
            kind: String,
            data: Code,
        }
        #[derive(Deserialize)]
        struct Code {
            #[serde(rename = "validationCode")]
            code: String,
        }
        let events = self.parts.iter().filter_map(|part| serde_json::from_str::<Event>(part).ok());
        events
            .into_iter()
            .find(|event| event.kind == "Microsoft.EventGrid.SubscriptionValidationEvent")
            .map(|event| event.data.code)
    }
}

/// What the host hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is done.
    Done(Value),
    /// It has to be tried again. The host retries, or moves the message to the poison queue.
    Failed(String),
}

impl Answer {
    /// It is done, and this was done.
    pub fn done(report: &impl Serialize) -> Self {
        // INVARIANT: reports are made of numbers and texts, so serialising cannot fail.
        Self::Done(serde_json::to_value(report).unwrap_or_default())
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Done(report) => {
                (StatusCode::OK, Json(json!({ "Outputs": {}, "Logs": [], "ReturnValue": report }))).into_response()
            }
            Self::Failed(reason) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Json(json!({ "Outputs": {}, "Logs": [reason], "ReturnValue": null })),
            )
                .into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_taken_in_every_encoding_that_the_host_uses() {
        let object = r#"{"a":1}"#;
        let text = serde_json::to_string(object).unwrap();
        let bytes = serde_json::to_string(&STANDARD.encode(object)).unwrap();
        let list_text = serde_json::to_string(&format!("[{object},{text}]")).unwrap();
        let list_bytes = serde_json::to_string(&STANDARD.encode(format!("[{object},{object}]"))).unwrap();
        let cases = [
            (object.to_owned(), vec![object]),
            (text.clone(), vec![object]),
            (bytes.clone(), vec![object]),
            (format!("[{object},{text},{bytes}]"), vec![object; 3]),
            (list_text, vec![object; 2]),
            (list_bytes, vec![object; 2]),
            ("[]".to_owned(), vec![]),
            // What is no JSON stays what it is, for the dead letters.
            (r#""plain words""#.to_owned(), vec!["plain words"]),
            (r#"["{\"a\":1}","{\"a\":"]"#.to_owned(), vec![object, r#"{"a":"#]),
            ("7".to_owned(), vec!["7"]),
        ];
        let mut wrong = Vec::new();
        for (data, expected) in cases {
            let wrapped =
                format!(r#"{{"Data":{{"event":{data}}},"Metadata":{{"sys":{{"MethodName":"azure-audit"}}}}}}"#);
            let read = Invocation::read(&wrapped);
            if read.parts != expected || !read.wrapped {
                wrong.push(format!("{data}: {read:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_request_without_the_hosts_envelope_is_a_webhooks() {
        for (body, parts) in [
            (r#"[{"a":1}]"#, vec![r#"{"a":1}"#]),
            (r#"[{"a":1},{"b":2}]"#, vec![r#"{"a":1}"#, r#"{"b":2}"#]),
            ("", vec![""]),
            ("x", vec!["x"]),
        ] {
            let read = Invocation::read(body);
            assert_eq!((read.parts, read.wrapped), (parts.into_iter().map(str::to_owned).collect(), false), "{body}");
        }
    }

    #[test]
    fn encodings_in_one_another_come_to_an_end() {
        let mut text = r#"{"a":1}"#.to_owned();
        for _ in 0..1_000 {
            text = format!("[{text}]");
        }
        assert_eq!(Invocation::read(&text).parts.len(), 1);
    }
}
