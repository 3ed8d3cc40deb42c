use super::*;

#[test]
fn the_short_name_is_the_last_part_of_an_arn() {
    let cases = [
        ("arn:aws:iam::111122223333:role/path/deploy", "deploy"),
        ("arn:aws:s3:::logs/a/b.json", "logs/a/b.json"),
        ("arn:aws:s3:::logs", "logs"),
        ("arn:aws:sns:eu-west-1:111122223333:alerts", "alerts"),
        ("arn:aws:logs:eu-west-1:111122223333:log-group:/app/web:*", "web"),
        ("sg-1", "sg-1"),
        ("arn:aws:x", "arn:aws:x"),
        ("", ""),
    ];
    for (arn, expected) in cases {
        assert_eq!(short(arn), expected, "{arn}");
    }
}
