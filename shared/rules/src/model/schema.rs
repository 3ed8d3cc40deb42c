//! The JSON Schema of a rule file, for editors.

use schemars::generate::SchemaSettings;

use super::RuleFile;

/// `rule.schema.json` is made from the types that read a rule, so the two cannot differ. To write it anew:
/// `UPDATE_SCHEMA=1 cargo test -p onus-rules`.
#[test]
fn the_published_schema_describes_what_is_read() {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<RuleFile>();
    let mut schema = serde_json::to_value(schema).unwrap();
    schema["title"] = "Onus rule".into();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rule.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == text, "`rule.schema.json` is old: run `UPDATE_SCHEMA=1 cargo test -p onus-rules`");
}
