//! `onus.yaml` with the sinks that there are: what an operator may write, and what is said when it is wrong.

#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

use onus_core::SinkConfig as _;
use onus_host::{Config, config_schema};
use onus_sinks::SinkConfig;

const SINKS: &str = "
sinks:
  - sns: { topic: 'arn:aws:sns:eu-central-1:111122223333:onus' }
  - eventbridge: { bus: onus }
  - event_grid: { endpoint: 'https://onus.westeurope-1.eventgrid.azure.net/api/events' }
  - event_grid: { endpoint: 'https://more.westeurope-1.eventgrid.azure.net/api/events', key_variable: TOPIC_KEY, name: more }
  - storage_queue: { queue: 'https://example.queue.core.windows.net/findings' }
  - pubsub: { topic: projects/example/topics/onus-findings }
  - stdout: {}
  - file: { path: findings.jsonl, name: log }
";

#[test]
fn every_sink_that_can_be_written_is_read() {
    let config = Config::parse("onus.yaml", SINKS).expect("reads");
    let names: Vec<&str> = config.sinks.iter().map(SinkConfig::name).collect();
    assert_eq!(names, ["sns", "eventbridge", "event_grid", "more", "storage_queue", "pubsub", "stdout", "log"]);
}

#[test]
fn what_is_wrong_with_a_sink_is_named_with_line_and_column() {
    let cases = [
        ("sinks:\n  - sms: {}", "onus.yaml:2:5", "unknown variant `sms`"),
        ("sinks:\n  - sns: { topik: x }", "onus.yaml:2:12", "unknown field `topik`"),
        ("sinks:\n  - sns: {}", "onus.yaml:2", "missing field `topic`"),
        ("sinks:\n  - event_grid: {}", "onus.yaml:2", "missing field `endpoint`"),
        ("sinks:\n  - storage_queue: { url: x }", "onus.yaml:2:22", "unknown field `url`"),
        ("sinks:\n  - pubsub: {}", "onus.yaml:2", "missing field `topic`"),
        ("sinks: [{ stdout: {} }, { stdout: {} }]", "onus.yaml", "two sinks are called `stdout`"),
    ];
    let mut wrong = Vec::new();
    for (text, place, problem) in cases {
        match Config::parse("onus.yaml", text) {
            Ok(_) => wrong.push(format!("{text:?} was read")),
            Err(error) => {
                let message = error.to_string();
                if !(message.contains(place) && message.contains(problem)) {
                    wrong.push(format!("{text:?}: {message}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The published schema is what editors check `onus.yaml` against. After a change: `onus generate schema`.
#[test]
fn the_published_schema_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/onus.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&config_schema()).expect("serialises"));
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == text, "infra/onus.schema.json is out of date");
}
