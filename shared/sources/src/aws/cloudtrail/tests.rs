use super::*;

#[test]
fn a_record_needs_name_source_and_time() {
    let whole =
        r#"{"eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","eventTime":"2026-11-23T18:00:00Z"}"#;
    assert!(matches!(decode(whole), Ok(Decoded::Change(_))));
    for field in ["eventName", "eventSource", "eventTime"] {
        let text = whole.replace(field, "other");
        assert_eq!(decode(&text).unwrap_err(), DecodeError::Missing { field });
    }
}
