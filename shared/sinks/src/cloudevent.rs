//! CloudEvents 1.0, structured JSON: the envelope of every notice (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>).

use onus_core::Notice;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::ocsf::{DetectionFinding, VERSION};

/// Unreserved characters of a URI, which stay as they are (RFC 3986, 2.3).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One event. `source` and `id` together are unique, and the same whenever the same notice is told again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: &'static str,
    /// `f-….found`: the finding and the notice.
    pub id: String,
    /// `/onus/aws/111122223333/eu-central-1`; `global` where there is no region.
    pub source: String,
    /// `io.onus.finding.found`, `.planned`, `.responded` or `.alarm`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The resource's full id. Attacker-controlled text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the notice came to be, RFC 3339.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: &'static str,
    /// The OCSF schema of `data`.
    pub dataschema: String,
    /// The finding.
    pub data: DetectionFinding,
}

/// The id of a notice's event, of letters, digits, `-` and `.` only.
pub fn id(notice: &Notice) -> String {
    format!("{}.{}", notice.finding().id, notice.key())
}

impl From<&Notice> for CloudEvent {
    fn from(notice: &Notice) -> Self {
        let change = &notice.finding().change;
        let part = |text: &str, none: &str| {
            let text = if text.is_empty() { none } else { text };
            utf8_percent_encode(text, PATH).to_string()
        };
        let (account, region) = (part(&change.account, "unknown"), part(&change.region, "global"));
        Self {
            specversion: "1.0",
            id: id(notice),
            source: format!("/onus/{}/{account}/{region}", change.cloud),
            kind: format!("io.onus.finding.{}", notice.kind()),
            subject: notice.finding().resource().map(|resource| resource.id.to_string()).filter(|id| !id.is_empty()),
            time: notice.at().to_string(),
            datacontenttype: "application/json",
            dataschema: format!("https://schema.ocsf.io/{VERSION}/classes/detection_finding?profiles=cloud,host"),
            data: DetectionFinding::from(notice),
        }
    }
}
