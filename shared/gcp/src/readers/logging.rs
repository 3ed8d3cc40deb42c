//! Cloud Logging: sinks, and the buckets that hold entries.

use onus_core::{Call, Finding, Read};
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{hidden, set, without};
use super::asset::{Asset, segment};
use super::reader::{Reader, nothing};

/// `logging.googleapis.com/LogSink`.
pub(crate) const SINK_KIND: &str = "logging.googleapis.com/LogSink";
/// Image key of a sink: `sinks.get` without dates; `null` when there is none. Who writes for it is handed out anew when it is
/// made again.
pub(crate) const SINK: &str = "sink";

/// The full name of the sink a finding is about: `projects/shop/sinks/audit`. Folders and organisations have sinks too.
pub(crate) fn sink_of_finding(finding: &Finding) -> Option<String> {
    let asked = finding.request.get("sinkName").and_then(Value::as_str).filter(|name| is_sink(name));
    let asset = Asset::of_finding(finding, SINK_KIND);
    let named = || asset.map(|asset| asset.path()).filter(|path| is_sink(path));
    asked.or_else(named).map(str::to_owned)
}

/// `<parent kind>/<parent>/sinks/<name>`.
fn is_sink(path: &str) -> bool {
    segment(path, "sinks").is_some() && path.split('/').count() == 4
}

/// Reads a sink.
pub(crate) fn sink(name: &str) -> Read {
    Read::new(SINK, Call::gcp("logging", "sinks.get", json!({ "sinkName": name }))).absent(ABSENT).keep(|answer| {
        let dropped = ["createTime", "updateTime", "resourceName", "outputVersionFormat"];
        hidden(settled(without(answer, &dropped)), &["writerIdentity"])
    })
}

/// A sink in one spelling: what is false or empty is left out, and exclusions are without dates, in a fixed order.
pub(crate) fn settled(mut sink: Value) -> Value {
    if let Value::Object(members) = &mut sink {
        if let Some(Value::Array(exclusions)) = members.get_mut("exclusions") {
            let dropped = ["createTime", "updateTime"];
            let kept = exclusions.drain(..).map(|one| settled(without(one, &dropped)));
            let kept = set(kept);
            members.insert("exclusions".to_owned(), kept);
        }
        let is_nothing = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(elements) => elements.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        members.retain(|_, member| !is_nothing(member));
    }
    sink
}

/// Reads sinks.
pub(crate) static SINK_READER: Reader = Reader {
    kind: SINK_KIND,
    operations: &["logging:sinks.get"],
    keys: &[SINK],
    reads: |asset| Some(asset.path()).filter(|path| is_sink(path)).map(sink).into_iter().collect(),
    effects: nothing,
};

/// Image key of a log bucket: `locations.buckets.get` without dates; `null` when there is none.
const LOG_BUCKET: &str = "logBucket";

/// Reads log buckets: how long they keep entries, and whether that is locked.
pub(crate) static BUCKET_READER: Reader = Reader {
    kind: "logging.googleapis.com/LogBucket",
    operations: &["logging:locations.buckets.get"],
    keys: &[LOG_BUCKET],
    reads: |asset| {
        let whole = asset.segment("buckets").is_some() && asset.path().split('/').count() == 6;
        whole.then(|| log_bucket(asset.path())).into_iter().collect()
    },
    effects: nothing,
};

fn log_bucket(name: &str) -> Read {
    Read::new(LOG_BUCKET, Call::gcp("logging", "locations.buckets.get", json!({ "name": name })))
        .absent(ABSENT)
        .keep(|answer| without(answer, &["createTime", "updateTime"]))
}
