use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::aws::cloudtrail;

/// A log whose beginnings name the request and whose ends name the error, in `CloudTrail`'s members.
static JOINING: Joining = Joining { source: "test.log", merge: overlay, decode: cloudtrail::decode };
static OTHER: Joining = Joining { source: "test.other", merge: overlay, decode: cloudtrail::decode };

fn begun(key: &str) -> (&str, Stage, String) {
    let text = format!(
        r#"{{"eventID":"{key}","eventName":"PutX","eventSource":"x.amazonaws.com","eventTime":"2026-11-25T02:00:00Z","requestParameters":{{"for":"{key}"}}}}"#
    );
    (key, Stage::Begun, text)
}

fn ended(key: &str, stage: Stage) -> (&str, Stage, String) {
    let error = if stage == Stage::Failed { "Denied" } else { "" };
    let text = format!(
        r#"{{"eventID":"{key}","eventName":"PutX","eventSource":"x.amazonaws.com","eventTime":"2026-11-25T02:00:09Z","errorCode":"{error}"}}"#
    );
    (key, stage, text)
}

/// Joins, and tells every visit as `ordinal uid request outcome` or `ordinal skip`.
fn joined(limits: Limits, parts: &[(&str, Stage, String)]) -> Vec<String> {
    let mut join = Join::new("f", limits);
    let mut lines = Vec::new();
    let mut visit = |entry: Entry<'_>| {
        let mut line = entry.record.to_string();
        match entry.result {
            Ok(Decoded::Change(change)) => {
                let asked = change.request.json().get("for").as_str().unwrap_or("-").to_owned();
                write!(line, " {} {asked} {}", change.uid, change.outcome.as_str()).unwrap();
            }
            Ok(Decoded::Skipped(skip)) => write!(line, " {skip}").unwrap(),
            Err(error) => write!(line, " {error}").unwrap(),
        }
        lines.push(line);
    };
    for (record, (key, stage, text)) in parts.iter().enumerate() {
        let part = Part { joining: &JOINING, key: Cow::Borrowed(key), stage: *stage, text };
        join.add(&part, record as u64, &mut visit);
        assert!(join.parts <= limits.parts && join.bytes <= limits.bytes, "{join:?}");
    }
    join.finish(&mut visit);
    assert_eq!((join.parts, join.bytes, join.numbers.len()), (0, 0, 0));
    lines
}

#[test]
fn the_records_of_one_operation_become_one_change() {
    use Stage::{Failed, Succeeded};
    let cases = [
        ("both", vec![begun("a"), ended("a", Succeeded)], vec!["0 operation_begun", "1 a a succeeded"]),
        ("the other way round", vec![ended("a", Succeeded), begun("a")], vec!["0 a a succeeded", "1 operation_begun"]),
        ("refused", vec![begun("a"), ended("a", Failed)], vec!["0 operation_begun", "1 a a failed"]),
        ("a beginning alone", vec![begun("a")], vec!["0 a a succeeded"]),
        ("an end alone", vec![ended("a", Succeeded)], vec!["0 a - succeeded"]),
        ("begun twice", vec![begun("a"), begun("a")], vec!["0 a a succeeded", "1 operation_begun"]),
        (
            "everything twice",
            vec![begun("a"), ended("a", Succeeded), begun("a"), ended("a", Succeeded)],
            vec!["0 operation_begun", "1 a a succeeded", "2 operation_begun", "3 repeated"],
        ),
        (
            "ends that differ are operations of their own",
            vec![begun("a"), ended("a", Succeeded), ended("a", Failed)],
            vec!["0 operation_begun", "1 a a succeeded", "2 a - failed"],
        ),
        (
            "interleaved",
            vec![begun("a"), begun("b"), ended("b", Failed), ended("a", Succeeded)],
            vec!["0 operation_begun", "3 a a succeeded", "1 operation_begun", "2 b b failed"],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, parts, expected) in &cases {
        let got = joined(Limits::DEFAULT, parts);
        if got != *expected {
            wrong.push(format!("{name}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} operations are joined otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_oldest_operation_is_given_up_when_too_much_is_kept() {
    let parts = [begun("a"), begun("b"), ended("b", Stage::Succeeded), begun("c"), ended("a", Stage::Succeeded)];
    let few = Limits { parts: 2, ..Limits::DEFAULT };
    let expected = ["0 a a succeeded", "1 operation_begun", "2 b b succeeded", "3 c c succeeded", "4 a - succeeded"];
    assert_eq!(joined(few, &parts), expected);
    let small = Limits { bytes: begun("a").2.len() + 100, ..Limits::DEFAULT };
    assert_eq!(joined(small, &parts)[0], "0 a a succeeded");
    let none = Limits { bytes: 1, ..Limits::DEFAULT };
    assert_eq!(joined(none, &parts).len(), parts.len(), "what is larger than the limit is visited at once");
}

#[test]
fn operations_of_different_logs_are_never_joined() {
    let mut join = Join::new("f", Limits::DEFAULT);
    let mut count = 0;
    for joining in [&JOINING, &OTHER] {
        let (key, stage, text) = begun("a");
        join.add(&Part { joining, key: Cow::Borrowed(key), stage, text: &text }, 0, &mut |_| {});
    }
    join.finish(&mut |entry| count += usize::from(matches!(entry.result, Ok(Decoded::Change(_)))));
    assert_eq!(count, 2);
}

#[test]
fn later_members_lie_over_earlier_ones() {
    let cases: [(&[&str], &str); 8] = [
        (&[r#"{"a":"x","a":{"x":1}}"#, r#"{"a":{"y":2}}"#], r#"{"a":{"x":1,"y":2}}"#),
        (&[r#"{"a":1}"#, r#"{"b":2}"#], r#"{"a":1,"b":2}"#),
        (&[r#"{"a":1}"#, r#"{"a":2}"#], r#"{"a":2}"#),
        (&[r#"{"a":"x","b":[1],"c":1}"#, r#"{"a":"","b":null,"c":false}"#], r#"{"a":"x","b":[1],"c":false}"#),
        (&[r#"{"a":{"x":{"p":1},"y":1}}"#, r#"{"a":{"x":{"q":2},"y":2}}"#], r#"{"a":{"x":{"p":1,"q":2},"y":2}}"#),
        (&[r#"{"a":{"x":1}}"#, r#"{"a":"{\"x\":2}"}"#], r#"{"a":"{\"x\":2}"}"#),
        (
            &[r#"{"n":10000000000000000000000.10}"#, r#"{"s":"a\ud800"}"#],
            r#"{"n":10000000000000000000000.10,"s":"a\ud800"}"#,
        ),
        (&[r#"{"a\"b":1}"#, "{}", "{}"], r#"{"a\"b":1}"#),
    ];
    for (texts, expected) in cases {
        assert_eq!(overlay(texts).unwrap(), expected, "{texts:?}");
    }
    assert!(overlay(&["{}", "[]"]).is_err());
}

#[test]
fn deep_objects_are_no_danger() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    assert_eq!(overlay(&[&deep, &deep]).unwrap(), deep);
}

proptest! {
    /// Whatever the order and however often each record comes: one change per operation, with the request and the outcome, and every
    /// record visited once.
    #[test]
    fn any_order_gives_one_change_per_operation(order in proptest::collection::vec((0usize..5, any::<bool>()), 1..60)) {
        let keys = ["a", "b", "c", "d", "e"];
        let parts: Vec<_> = order
            .iter()
            .map(|(key, end)| if *end { ended(keys[*key], Stage::Succeeded) } else { begun(keys[*key]) })
            .collect();
        let lines = joined(Limits::DEFAULT, &parts);
        let mut records: Vec<u64> = lines.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        records.sort_unstable();
        prop_assert_eq!(records, (0..parts.len() as u64).collect::<Vec<_>>());
        for (number, key) in keys.iter().enumerate() {
            let (ends, beginnings): (Vec<_>, Vec<_>) = order.iter().copied().filter(|(k, _)| *k == number).partition(|(_, end)| *end);
            let changes: Vec<_> = lines.iter().filter(|line| line.split(' ').nth(1) == Some(key)).collect();
            prop_assert_eq!(changes.len(), usize::from(ends.len() + beginnings.len() > 0), "{:?}", changes);
            for change in changes {
                let asked = if beginnings.is_empty() { "-" } else { key };
                prop_assert_eq!(change.split(' ').nth(2), Some(asked));
            }
        }
    }

    /// However little may be kept, nothing is lost and the bound holds (asserted in `joined`).
    #[test]
    fn memory_is_bounded_and_nothing_is_lost(order in proptest::collection::vec((0usize..5, any::<bool>()), 1..60), parts in 0usize..6, bytes in 0usize..2_000) {
        let keys = ["a", "b", "c", "d", "e"];
        let records: Vec<_> = order
            .iter()
            .map(|(key, end)| if *end { ended(keys[*key], Stage::Failed) } else { begun(keys[*key]) })
            .collect();
        prop_assert_eq!(joined(Limits { parts, bytes }, &records).len(), records.len());
    }
}
