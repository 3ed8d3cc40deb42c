//! `onus.yaml`, with the sinks that there are.

use onus_sinks::SinkConfig;
use serde_json::Value;

/// The whole file: what the pipeline reads of it, and the sinks.
pub type Config = onus_pipeline::Config<SinkConfig>;

/// The JSON Schema (draft 2020-12) of `onus.yaml`, for editors: `infra/onus.schema.json`.
pub fn config_schema() -> Value {
    let mut schema = onus_pipeline::schema::<SinkConfig>();
    // The pipeline knows no cloud's stores; an editor should still tell which URLs there are.
    for at in ["/properties/ledger/description", "/$defs/RuleSources/properties/url/description"] {
        if let Some(Value::String(text)) = schema.pointer_mut(at) {
            *text = text.replace("the URL of a bucket", onus_ledger::BUCKETS);
        }
    }
    schema
}
