//! The keys of entries. Ids that somebody else chose are hashed or percent-encoded before they become a segment.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use onus_core::plan::ReceiptKind;
use onus_core::{Cloud, Finding, FindingId, Notice, Receipt, ReceiptOutcome, Resource};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// Safe in a segment as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A name that somebody else chose, as one segment. Never empty, `.` or `..`.
pub(crate) fn segment(name: &str) -> String {
    let text = utf8_percent_encode(name, SEGMENT).to_string();
    if text.is_empty() || text.bytes().all(|b| b == b'.') { format!("%{text}") } else { text }
}

/// 32 hexadecimal digits that stand for parts of any length and content; differently cut parts differ.
pub(crate) fn hashed<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
    }
    text
}

pub(crate) fn claim_key(cloud: Cloud, change: &str, rule: &str) -> String {
    format!("claims/{cloud}/{}/{}.json", hashed([change]), segment(rule))
}

pub(crate) fn finding_key(id: &FindingId) -> String {
    format!("findings/{id}.json")
}

pub(crate) fn record_key(id: &FindingId) -> String {
    format!("records/{id}.json")
}

/// Where a finding is listed by the day of its change.
pub(crate) fn day_key(finding: &Finding) -> String {
    format!("days/{}/{}", day(finding.change.time), finding.id)
}

/// Where a finding is listed under the exemption that suppressed it.
pub(crate) fn exempted_key(exemption: &str, id: &FindingId) -> String {
    format!("exempted/{exemption}/{id}")
}

/// Where a finding is listed that was judged anew after its exemption had ended.
pub(crate) fn reviewed_key(exemption: &str, id: &FindingId) -> String {
    format!("reviewed/{exemption}/{id}")
}

pub(crate) fn alarm_key(alarm: &Notice) -> String {
    format!("alarms/{}/{}.json", alarm.finding().id, alarm.key())
}

pub(crate) fn day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

/// The segment that stands for what a receipt is about: the one response, the n-th undo, or a refusal by its reason.
pub(crate) fn receipt_name(receipt: &Receipt, undos: usize) -> String {
    match (&receipt.outcome, receipt.kind) {
        (ReceiptOutcome::Refused { reason }, kind) if receipt.sent.is_empty() => {
            format!("refused-{}", hashed([kind_name(kind), &receipt.by, reason]))
        }
        (_, ReceiptKind::Respond) => "respond".to_owned(),
        (_, ReceiptKind::Undo) => format!("undo-{}", undos + 1),
    }
}

/// `respond` or `undo`.
pub(crate) const fn kind_name(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Respond => "respond",
        ReceiptKind::Undo => "undo",
    }
}

pub(crate) fn told_key(notice: &Notice, sink: &str) -> String {
    format!("told/{}/{}/{}", notice.finding().id, notice.key(), segment(sink))
}

/// The name under which a resource is locked: the same for every finding on it.
pub(crate) fn resource_lock(finding: &Finding, resource: Option<&Resource<'_>>) -> String {
    let change = &finding.change;
    let id = resource.map_or(finding.id.as_str(), |resource| &resource.id);
    let kind = resource.map_or("", |resource| &resource.kind);
    hashed([change.cloud.as_str(), &change.account, &change.region, kind, id])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_somebody_chose_is_one_harmless_segment() {
        let cases = [
            ("aws.s3.bucket_made_public", "aws.s3.bucket_made_public"),
            ("", "%"),
            (".", "%."),
            ("..", "%.."),
            ("a/../b", "a%2F..%2Fb"),
            ("a b\n", "a%20b%0A"),
            ("é", "%C3%A9"),
        ];
        let wrong: Vec<_> = cases.into_iter().filter(|(name, expected)| segment(name) != *expected).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn differently_cut_parts_differ() {
        assert_ne!(hashed(["ab", "c"]), hashed(["a", "bc"]));
        assert_eq!(hashed(["ab", "c"]), hashed(["ab", "c"]));
    }
}
