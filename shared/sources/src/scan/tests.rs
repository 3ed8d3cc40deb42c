use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::entry::Decoded;

/// A reader that gives a few bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(into.len()).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// Every entry as `ordinal what`, and the input's own error last.
fn entries(input: impl Read) -> Vec<String> {
    let mut lines = Vec::new();
    let result = scan_reader("f", input, &mut |entry| {
        let what = match entry.result {
            Ok(Decoded::Change(change)) => change.uid.into_owned(),
            Ok(Decoded::Skipped(skip)) => skip.to_string(),
            Err(error) => error.to_string(),
        };
        lines.push(format!("{} {what}", entry.record));
    });
    match result {
        Ok(scanned) => {
            assert_eq!(scanned.records, lines.len() as u64);
            let skipped: u64 = scanned.skipped.values().sum();
            assert_eq!(scanned.records, scanned.changes + skipped + scanned.broken);
        }
        Err(error) => {
            assert!(!error.is_retryable());
            lines.push(format!("{error}: {}", error.source));
        }
    }
    lines
}

fn record(id: &str) -> String {
    format!(
        r#"{{"eventID":"{id}","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","eventTime":"2026-11-23T18:00:00Z"}}"#
    )
}

#[test]
fn every_envelope_is_opened() {
    let id = |n: u8| format!("0e1d0000-0000-4000-8000-00000000000{n}");
    let three = [format!("0 {}", id(1)), format!("1 {}", id(2)), format!("2 {}", id(3))];
    let one = |n: u8| vec![format!("0 {}", id(n))];
    let cases: [(&str, Vec<String>); 23] = [
        ("record.json", one(1)),
        ("cloudtrail_file.json", three.to_vec()),
        ("cloudtrail_file.json.gz", three.to_vec()),
        ("records_array.json", three.to_vec()),
        ("eventbridge_api_call.json", one(2)),
        ("eventbridge_sign_in.json", one(4)),
        ("eventbridge_console_action.json", one(1)),
        ("eventbridge_service_event.json", one(5)),
        ("eventbridge_insight.json", vec!["0 insight".to_owned()]),
        ("eventbridge_china.json", one(2)),
        ("eventbridge_other.json", vec!["0 other_event".to_owned()]),
        ("logs_subscription.json", vec![format!("0 {}", id(1)), format!("1 {}", id(2)), "2 other_event".to_owned()]),
        (
            "logs_subscription_decoded.json",
            vec![format!("0 {}", id(1)), format!("1 {}", id(2)), "2 other_event".to_owned()],
        ),
        ("logs_control_message.json", vec!["0 control_message".to_owned()]),
        (
            "records.jsonl",
            vec![
                format!("0 {}", id(1)),
                format!("1 {}", id(2)),
                format!("2 {}", id(1)),
                format!("2 {}", id(2)),
                "2 other_event".to_owned(),
                format!("3 {}", id(3)),
            ],
        ),
        ("sqs_batch.json", vec![format!("0 {}", id(1)), format!("1 {}", id(2))]),
        ("sns_event.json", one(2)),
        ("lookup_events.json", one(1)),
        ("digest.json", vec!["0 digest".to_owned()]),
        ("insight.json", vec!["0 insight".to_owned()]),
        ("logstash.json", one(1)),
        ("lake_row.json", one(1)),
        ("s3_notification.json", vec!["0 storage_notification".to_owned()]),
    ];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/aws/envelopes");
    let mut wrong = Vec::new();
    for (name, expected) in &cases {
        let input = fs::read(folder.join(name)).expect("the fixture is there");
        for size in [1, 7, usize::MAX] {
            let got = entries(Drip(&input, size));
            if got != *expected {
                wrong.push(format!("{name}, {size} bytes at a time\n  expected {expected:?}\n  got      {got:?}"));
            }
        }
    }
    let files = fs::read_dir(&folder).expect("the folder is there").count();
    assert_eq!(files, cases.len(), "every fixture is listed here");
    assert!(wrong.is_empty(), "{} envelopes decode otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn notices_and_tests_of_delivery_are_told_apart() {
    let cases = [
        (r#"{"Type":"Notification","Message":"{\"s3Bucket\":\"b\",\"s3ObjectKey\":[\"k\"]}"}"#, "storage_notification"),
        (r#"{"Type":"SubscriptionConfirmation","Message":"You have chosen","Token":"t"}"#, "control_message"),
        (r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#, "control_message"),
        (
            r#"{"Type":"Notification","Message":"hello"}"#,
            "field `Message` holds `hello`: expected a JSON object as text",
        ),
        (r#"{"awslogs":{"data":"%%"}}"#, "cannot unpack `awslogs.data`: base64: Invalid symbol 37, offset 0."),
        (
            r#"{"awslogs":{"data":"aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8="}}"#,
            "cannot unpack `awslogs.data`: gzip: invalid gzip header",
        ),
        (r#"{"awslogs":{}}"#, "field `awslogs.data` is missing"),
        (r#"{"messageType":"DATA_MESSAGE"}"#, "field `logEvents` holds `null`: expected a list"),
        (r#"{"detail-type":"x via CloudTrail","detail":7}"#, "record is not a JSON object, it starts with `7`"),
        (r#"{"recordId":"1","payload":{}}"#, "unknown"),
    ];
    for (input, expected) in cases {
        assert_eq!(entries(input.as_bytes()), [format!("0 {expected}")], "{input}");
    }
}

#[test]
fn an_empty_input_has_no_entries() {
    for input in ["", "\n", " \r\n\t", "\u{feff}", "[]", r#"{"Records":[]}"#, r#"{"Records":[],"x":{"y":[1]}}"#] {
        assert_eq!(entries(input.as_bytes()), Vec::<String>::new(), "{input:?}");
    }
}

#[test]
fn layout_does_not_matter() {
    let (a, b) = (record("a"), record("b"));
    let spread = a.replace(',', ",\n    ");
    let cases = [
        format!("{a}\n{b}\n"),
        format!("{a}\r\n{b}\r\n"),
        format!("\u{feff}{a}\n{b}"),
        format!("{a}{b}"),
        format!("{a} {b}\n"),
        format!("{a},\n{b}"),
        format!("{spread}\n{b}\n"),
        format!("[{a},{b}]"),
        format!("[\n  {spread},\n  {b}\n]\n"),
        format!("{{\"Records\":[{a},{b}]}}"),
        format!("{{\"note\":[\"Records\",[1]],\"Records\" :\n[\n{a},\n{b}\n], \"tail\": {{\"x\":\"]}}\"}}}}"),
        format!("{{\"Records\":[{a}]}}{{\"Records\":[{b}]}}"),
        format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}\n"),
        format!("[{a}]\n[{b}]\n"),
    ];
    for input in &cases {
        for size in [1, 3, usize::MAX] {
            assert_eq!(entries(Drip(input.as_bytes(), size)), ["0 a", "1 b"], "{size} bytes at a time:\n{input}");
        }
    }
}

#[test]
fn in_json_lines_the_ordinal_is_the_line() {
    let (a, b, c) = (record("a"), record("b"), record("c"));
    let batch = format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"message":{a:?}}},{{"message":{b:?}}}]}}"#);
    let cases = [
        (format!("{a}\n\n{b}\n"), vec!["0 a", "2 b"]),
        (format!("{a}\n{batch}\n{c}\n"), vec!["0 a", "1 a", "1 b", "2 c"]),
        (format!("{a}\n{{\"Records\":[{b},{b}]}}\n{c}\n"), vec!["0 a", "1 b", "1 b", "2 c"]),
        (format!("{batch}\n{c}\n"), vec!["0 a", "0 b", "1 c"]),
        (batch.clone(), vec!["0 a", "1 b"]),
        (format!("{batch}\n"), vec!["0 a", "1 b"]),
    ];
    for (input, expected) in cases {
        assert_eq!(entries(input.as_bytes()), expected, "{input}");
    }
}

#[test]
fn a_broken_record_costs_itself_alone() {
    let (a, b) = (record("a"), record("b"));
    let not_json = "record is not valid JSON at byte";
    let unclosed = "record is not closed after";
    let no_object = "record is not a JSON object, it starts with";
    let cases: Vec<(String, Vec<String>)> = vec![
        (format!("{a}\nnot json\n{b}\n"), vec!["0 a".into(), format!("1 {no_object} `not json`"), "2 b".into()]),
        (format!("not json\n{a}\n{b}\n"), vec![format!("0 {no_object} `not json`"), "1 a".into(), "2 b".into()]),
        (format!("{a}\n{{\"x\":\n{b}\n"), vec!["0 a".into(), format!("1 {unclosed} 5 bytes"), "2 b".into()]),
        (format!("{{\"x\":\n{a}\n{b}\n"), vec![format!("0 {unclosed} 5 bytes"), "1 a".into(), "2 b".into()]),
        (format!("{{\"x\":\"\n{a}\n{b}\n"), vec![format!("0 {unclosed} 6 bytes"), "1 a".into(), "2 b".into()]),
        (
            format!("{a}\n{{\"x\":NaN}}\n{b}\n"),
            vec!["0 a".into(), format!("1 {not_json} 5 of the record: expected value"), "2 b".into()],
        ),
        (
            format!("{a}\n{{}}}}\n{b}\n"),
            vec!["0 a".into(), format!("1 {not_json} 2 of the record: trailing characters"), "2 b".into()],
        ),
        (
            format!("{{}}}}\n{a}\n{b}\n"),
            vec![format!("0 {not_json} 2 of the record: trailing characters"), "1 a".into(), "2 b".into()],
        ),
        (
            format!("{a}\n42\n[1]\n\"x\"\n{b}\n"),
            vec![
                "0 a".into(),
                format!("1 {no_object} `42`"),
                format!("2 {no_object} `1`"),
                format!("3 {no_object} `\\\"x\\\"`"),
                "4 b".into(),
            ],
        ),
        (
            format!("{{\"Records\":[{a},{{\"x\":}},7,[1,{{}}],null,{b}]}}"),
            vec![
                "0 a".into(),
                format!("1 {not_json} 5 of the record: expected value"),
                format!("2 {no_object} `7`"),
                format!("3 {no_object} `[1,{{}}]`"),
                format!("4 {no_object} `null`"),
                "5 b".into(),
            ],
        ),
        (
            format!("{{\"Records\":[\n  {{\"x\":\"\n  }},\n  {a},\n  {b}\n]}}"),
            vec![format!("0 {unclosed} 11 bytes"), "1 a".into(), "2 b".into()],
        ),
        (
            format!("{{\"Records\":[\n{{\"x\":[{{\n{a},\n{b}\n]}}"),
            vec![format!("0 {unclosed} 7 bytes"), "1 a".into(), "2 b".into()],
        ),
        (
            format!("{{\"Records\":[{a},{b}"),
            vec!["0 a".into(), "1 b".into(), "2 list of records is not closed, the input ends too early".into()],
        ),
        (format!("{{\"Records\":[{a},{{\"x\""), vec!["0 a".into(), format!("1 {unclosed} 4 bytes")]),
        (
            format!("{{\"Records\":[{a},{{\"eventID\":{{\"x\":1,{a},{{\"eventID\":\"x,{b}]}}"),
            vec![
                "0 a".into(),
                format!("1 {unclosed} 17 bytes"),
                "2 a".into(),
                format!("3 {unclosed} 13 bytes"),
                "4 b".into(),
            ],
        ),
        ("{".into(), vec![format!("0 {unclosed} 1 bytes")]),
    ];
    let mut wrong = Vec::new();
    for (input, expected) in &cases {
        for size in [1, 5, usize::MAX] {
            let got = entries(Drip(input.as_bytes(), size));
            if got != *expected {
                wrong.push(format!("{size} bytes at a time: {input}\n  expected {expected:?}\n  got      {got:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} inputs read otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn invalid_utf8_breaks_one_record() {
    let mut input = record("a").into_bytes();
    input.extend_from_slice(b"\n{\"x\":\"\xff\"}\n");
    input.extend_from_slice(record("b").as_bytes());
    assert_eq!(entries(input.as_slice()), ["0 a", "1 record is not UTF-8 at byte 6 of the record", "2 b"]);
}

#[test]
fn deep_nesting_is_no_danger() {
    let deep = "[".repeat(1_000_000);
    let (a, body) = (record("a"), format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let nested = a.replace("\"eventID\"", &format!("\"requestParameters\":{body},\"eventID\""));
    assert_eq!(entries(format!("{{\"x\":{deep}\n{a}\n").as_bytes()).len(), 2);
    assert_eq!(entries(nested.as_bytes()), ["0 a"]);
    assert!(!entries(deep.as_bytes()).is_empty());
    let mut wrapped = a.clone();
    for _ in 0..8 {
        wrapped = format!(r#"{{"detail-type":"x via CloudTrail","detail":{wrapped}}}"#);
    }
    assert!(entries(wrapped.as_bytes())[0].contains("one more envelope"));
}

#[test]
fn an_entry_too_large_is_passed_over_without_being_kept() {
    let (a, b) = (record("a"), record("b"));
    let large = "x".repeat(MAX_RECORD + 1_000_000);
    let error = format!("record is larger than {MAX_RECORD} bytes");
    let cases = [
        (format!("{a}\n{{\"x\":\"{large}\"}}\n{b}\n"), vec!["0 a".to_owned(), format!("1 {error}"), "2 b".to_owned()]),
        (format!("{a}\n{large}\n{b}\n"), vec!["0 a".to_owned(), format!("1 {error}"), "2 b".to_owned()]),
        (
            format!("{{\"Records\":[{a},{{\"x\":[\"{large}\"]}},{b}]}}"),
            vec!["0 a".to_owned(), format!("1 {error}"), "2 b".to_owned()],
        ),
        (format!("{{\"x\":\"{large}\"}}{a}"), vec![format!("0 {error}"), "1 a".to_owned()]),
        (large, vec![format!("0 {error}")]),
    ];
    for (input, expected) in &cases {
        let start: String = input.chars().take(200).collect();
        assert_eq!(entries(input.as_bytes()), *expected, "{start}");
    }
}

#[test]
fn damaged_gzip_keeps_what_came_before() {
    let mut text = String::new();
    for n in 0..5_000 {
        writeln!(text, "{}", record(&format!("r{n}-{}", n * 7919 % 10_007))).unwrap();
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(entries(packed.as_slice()).len(), 5_000);

    let mut count = 0_u64;
    let error = scan("f.gz", &packed[..packed.len() / 2], &mut |_| count += 1).unwrap_err();
    assert!(count > 100 && error.record == count && error.scanned.changes == count, "{count} {error}");
    assert!(!error.is_retryable());

    let mut damaged = packed.clone();
    damaged[3_000..3_100].fill(0xAA);
    assert!(scan("f.gz", &damaged, &mut |_| {}).is_err());
    assert!(scan("f.gz", &[0x1F, 0x8B], &mut |_| {}).is_err());
}

#[test]
fn what_is_no_text_is_refused_at_once() {
    for input in [&b"\x00\x01\x02"[..], b"P\x00K", "\u{feff}{\0".as_bytes()] {
        let error = scan("f", input, &mut |_| panic!("there is no entry")).unwrap_err();
        assert_eq!(error.record, 0);
        assert!(error.source.to_string().contains("binary"), "{error}");
    }
}

#[test]
fn a_reader_that_fails_may_be_asked_again() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(ErrorKind::ConnectionReset))
        }
    }
    let a = record("a");
    let mut count = 0;
    let error = scan_reader("f", format!("{a}\n").as_bytes().chain(Broken), &mut |_| count += 1).unwrap_err();
    assert!(error.is_retryable());
    assert_eq!((count, error.record), (1, 1), "what was read whole is visited");
}

proptest! {
    #[test]
    fn no_input_panics_and_chunks_do_not_matter(bytes in proptest::collection::vec(
        prop_oneof![Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b','), Just(b':'), Just(b' '), Just(b'a'), any::<u8>()], 0..60), size in 1usize..9)
    {
        prop_assert_eq!(entries(bytes.as_slice()), entries(Drip(&bytes, size)));
    }

    /// Pieces of real layouts thrown together: the same entries whatever the reader's chunks, and never a panic.
    #[test]
    fn no_mixture_of_layouts_panics(parts in proptest::collection::vec(0usize..15, 0..14), size in 1usize..40) {
        let whole = record("w");
        let pieces = [whole.as_str(), "{\"Records\":[", "]}", "[", "]", ",", "\n", "\n  ", "{\"x\":\"", "{\"x\":", "}", "\u{feff}", "{", "\"k", "\n{"];
        let input: String = parts.iter().map(|part| pieces[*part]).collect();
        prop_assert_eq!(entries(input.as_bytes()), entries(Drip(input.as_bytes(), size)));
    }
}
