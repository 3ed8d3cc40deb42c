//! Wildcards of the policy language: `*` is any run of characters, `?` any one.

/// Whether a text holds a wildcard or a policy variable, so that it does not name one fixed thing. `${*}`, `${?}` and
/// `${$}` stand for themselves but count as variables, as S3 counts them.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(['*', '?']) || text.contains("${")
}

/// The part of a text before its first wildcard or policy variable; all of it when there is none.
pub(super) fn literal_prefix(text: &str) -> &str {
    let end = [text.find(['*', '?']), text.find("${")].into_iter().flatten().min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// Whether everything that `narrow` can match is also matched by `wide`. `narrow` may be a plain text.
///
/// Sound, not complete: a `true` always holds, while of two patterns that differ only in how they spell the same set
/// a `false` may be told, and so where a `?` meets a character outside ASCII. Takes at most as many steps as the product
/// of the lengths.
pub(super) fn covers(wide: &str, narrow: &str, ignore_case: bool) -> bool {
    let (wide, narrow) = (wide.as_bytes(), narrow.as_bytes());
    let same = |a: u8, b: u8| a == b || (ignore_case && a.eq_ignore_ascii_case(&b));
    let (mut at, mut seen) = (0, 0);
    // Where to go on after the last `*`: its place, and how much of `narrow` it has taken.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&subject) = narrow.get(seen) {
        let taken_alone = match wide.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
                continue;
            }
            Some(b'?') => subject != b'*' && subject.is_ascii(),
            Some(&literal) => same(literal, subject),
            None => false,
        };
        if taken_alone {
            at += 1;
            seen += 1;
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            at = place + 1;
            seen = taken + 1;
        } else {
            return false;
        }
    }
    wide.get(at..).unwrap_or_default().iter().all(|&rest| rest == b'*')
}

/// Whether two patterns can be told to have nothing in common, by the text before their first wildcards.
pub(super) fn disjoint(left: &str, right: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let (left, right) = (fold(left), fold(right));
    let (a, b) = (literal_prefix(&left), literal_prefix(&right));
    let apart = !a.starts_with(b) && !b.starts_with(a);
    let both_plain = a.len() == left.len() && b.len() == right.len();
    apart || (both_plain && left != right)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_covers_what_it_matches_and_no_more() {
        let cases = [
            ("*", "", true),
            ("*", "s3:GetObject", true),
            ("s3:*", "s3:Get*", true),
            ("s3:Get*", "s3:*", false),
            ("s3:Get?bject", "s3:GetObject", true),
            ("s3:Get?bject", "s3:Get*bject", false),
            ("s3:Get?bject", "s3:Get?bject", true),
            ("S3:GETOBJECT", "s3:getobject", true),
            ("s3:GetObject", "s3:GetObjectAcl", false),
            ("s3:*Acl", "s3:PutBucketAcl", true),
            ("s3:*Acl*", "s3:PutBucketAc", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("**", "*", true),
            ("a?c", "aéc", false),
            ("a??c", "aéc", false),
            ("a*c", "aéc", true),
        ];
        let wrong: Vec<_> = cases.iter().filter(|(wide, narrow, yes)| covers(wide, narrow, true) != *yes).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(!covers("S3:*", "s3:GetObject", false), "resources keep their case");
    }

    /// The definition of a match, by trying every way.
    fn matches_slowly(pattern: &str, text: &str) -> bool {
        let mut rest = pattern.chars();
        match (rest.next(), text.chars().next()) {
            (None, first) => first.is_none(),
            (Some('*'), None) => matches_slowly(rest.as_str(), text),
            (Some('*'), Some(first)) => {
                matches_slowly(rest.as_str(), text) || matches_slowly(pattern, &text[first.len_utf8()..])
            }
            (Some(literal), Some(first)) => {
                (literal == '?' || literal == first) && matches_slowly(rest.as_str(), &text[first.len_utf8()..])
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn a_plain_text_is_covered_by_what_matches_it(wide in "[abé*?]{0,6}", text in "[abé]{0,6}") {
            prop_assert!(!covers(&wide, &text, false) || matches_slowly(&wide, &text), "{wide} {text}");
        }

        #[test]
        fn what_a_covered_pattern_matches_its_cover_matches_too(
            wide in "[ab*?]{0,6}", narrow in "[ab*?]{0,6}", text in "[ab]{0,6}",
        ) {
            if covers(&wide, &narrow, false) && covers(&narrow, &text, false) {
                prop_assert!(covers(&wide, &text, false));
            }
        }

        #[test]
        fn disjoint_patterns_match_no_common_text(left in "[ab*?]{0,6}", right in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            if disjoint(&left, &right, false) {
                prop_assert!(!(covers(&left, &text, false) && covers(&right, &text, false)));
            }
        }
    }
}
