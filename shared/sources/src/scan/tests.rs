use super::*;

#[test]
fn an_empty_input_has_no_entries() {
    for input in ["", "\n", " \r\n\t", "\u{feff}", "[]", r#"{"Records":[]}"#] {
        assert_eq!(scan("f", input.as_bytes(), &mut |_| {}).unwrap(), Scanned::default(), "{input:?}");
    }
}
