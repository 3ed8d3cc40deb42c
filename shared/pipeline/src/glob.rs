//! Wildcards as IAM policies write them: `*` is any text, also none and also across `/` and `:`; `?` is any one character.
//!
//! Case matters, except in Azure's ids. There is no escape: names that hold a `*` of their own do not exist in ARNs.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pattern with `*` and `?`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Glob(String);

impl Glob {
    /// A pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole text matches. Linear in the text for one `*`, at worst text × pattern.
    pub fn matches(&self, text: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let text: Vec<char> = text.chars().collect();
        let (mut p, mut t) = (0, 0);
        // Where to go on when the text after the last `*` did not match: one character further.
        let mut retry: Option<(usize, usize)> = None;
        while let Some(have) = text.get(t) {
            match pattern.get(p) {
                Some('*') => {
                    retry = Some((p + 1, t));
                    p += 1;
                }
                Some(want) if *want == '?' || want == have => {
                    p += 1;
                    t += 1;
                }
                _ => match retry {
                    Some((after_star, from)) => {
                        retry = Some((after_star, from + 1));
                        p = after_star;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern.iter().skip(p).all(|c| *c == '*')
    }

    /// As [`Glob::matches`], with upper and lower case ASCII letters alike.
    pub fn matches_ignoring_case(&self, text: &str) -> bool {
        Self(self.0.to_ascii_lowercase()).matches(&text.to_ascii_lowercase())
    }

    /// How much the pattern pins down: more for a pattern without wildcards than for any with, then by literal characters.
    pub fn specificity(&self) -> usize {
        let wild = self.0.chars().filter(|c| matches!(c, '*' | '?')).count();
        let literal = self.0.chars().count() - wild;
        if wild == 0 { usize::MAX } else { literal + 1 }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_as_iam_does() {
        let cases = [
            ("aws.s3.*", "aws.s3.bucket_made_public", true),
            ("aws.s3.*", "aws.s3", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("arn:aws:s3:::logs-*", "arn:aws:s3:::logs-a/b:c", true),
            ("*.made_public", "aws.s3.bucket.made_public", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("AWS.*", "aws.s3", false),
            ("**", "x", true),
        ];
        let wrong: Vec<_> =
            cases.into_iter().filter(|(glob, text, hit)| Glob::new(*glob).matches(text) != *hit).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    proptest! {
        #[test]
        fn a_pattern_without_wildcards_matches_only_itself(text in "[a-z:/é]{0,12}", other in "[a-z:/é]{0,12}") {
            prop_assert_eq!(Glob::new(&*text).matches(&other), text == other);
        }

        #[test]
        fn a_star_matches_whatever_stands_in_its_place(head in "[a-c]{0,4}", middle in "[a-c/:]{0,8}", tail in "[a-c]{0,4}") {
            let (pattern, text) = (format!("{head}*{tail}"), format!("{head}{middle}{tail}"));
            prop_assert!(Glob::new(pattern).matches(&text));
        }
    }
}
