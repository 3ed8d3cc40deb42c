//! Notices under a size limit. What is left out is said, and is whole in the ledger.

use onus_core::Notice;
use serde_json::{Value, json};

use crate::cloudevent::CloudEvent;
use crate::render::printable::printable_json;

/// The longest text that is kept when everything long is cut.
const LONGEST: usize = 1024;
/// The most resources kept then.
const RESOURCES: usize = 20;

/// A notice that cannot be made small enough.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a notice of {bytes} bytes is over the limit of {limit} even without its evidence")]
pub struct TooLarge {
    /// Its size without what can be left out.
    pub bytes: usize,
    /// The sink's limit.
    pub limit: usize,
}

/// The wire form in at most so many bytes. Left out, in this order and only as far as needed: the logged request and response,
/// the images of plan and receipt, the answers of calls, effects, everything in `unmapped` that is long, all but 20 resources.
/// `unmapped.trimmed` then names what is missing.
///
/// # Errors
/// What cannot be left out is longer than that.
pub fn fitted(notice: &Notice, limit: usize) -> Result<String, TooLarge> {
    let mut event = CloudEvent::from(notice);
    let mut text = json(&event);
    let mut trimmed: Vec<&str> = Vec::new();
    for (name, trim) in TRIMS {
        if text.len() <= limit {
            return Ok(text);
        }
        trim(&mut event);
        trimmed.push(name);
        let note = json!({ "left_out": trimmed, "whole_in": format!("findings/{}.json", notice.finding().id) });
        event.data.unmapped.insert("trimmed".to_owned(), note);
        text = json(&event);
    }
    if text.len() <= limit { Ok(text) } else { Err(TooLarge { bytes: text.len(), limit }) }
}

/// One line without any character that a terminal obeys.
pub(crate) fn json(event: &CloudEvent) -> String {
    // INVARIANT: every map of an event has string keys, and a `Value` holds no infinite number, so serialising cannot fail.
    printable_json(&serde_json::to_string(event).unwrap_or_default())
}

type Trim = fn(&mut CloudEvent);

const TRIMS: [(&str, Trim); 6] = [
    ("evidences.data", |event| {
        for evidence in &mut event.data.evidences {
            evidence.data = Value::from("left out: too large");
        }
    }),
    ("images", |event| {
        for (whole, images) in [("plan", &["before"][..]), ("receipt", &["before", "after"])] {
            for image in images {
                if let Some(Value::Object(members)) = event.data.unmapped.get_mut(whole) {
                    members.remove(*image);
                }
            }
        }
    }),
    ("receipt.sent", |event| {
        if let Some(Value::Object(receipt)) = event.data.unmapped.get_mut("receipt") {
            receipt.remove("sent");
        }
    }),
    ("effects", |event| {
        event.data.unmapped.remove("effects");
    }),
    ("plan and receipt", |event| {
        event.data.unmapped.remove("plan");
        event.data.unmapped.remove("receipt");
    }),
    ("long texts and resources", |event| {
        let data = &mut event.data;
        data.resources.truncate(RESOURCES);
        data.unmapped.retain(|_, value| value.to_string().len() <= LONGEST);
        cut(&mut data.message);
        data.status_detail.iter_mut().for_each(cut);
        event.subject.iter_mut().for_each(cut);
        for evidence in &mut data.evidences {
            evidence.http_request = None;
        }
        for resource in &mut data.resources {
            cut(&mut resource.uid);
            cut(&mut resource.name);
        }
    }),
];

/// Shortens a text at a character boundary.
fn cut(text: &mut String) {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}
