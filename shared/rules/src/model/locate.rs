//! Where in a rule file's text a value stands: `serde` forgets it.

/// A piece of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Where it starts.
    pub offset: usize,
    /// How long it is; at least 1 where something can be pointed at.
    pub length: usize,
}

/// The 1-based line and column (in characters) of a byte offset. Offsets past the end are the end.
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The line of a top-level key, from its first letter to its colon. The start of the text when there is none.
pub fn key(text: &str, key: &str) -> Span {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')) {
            return Span { offset, length: key.len() };
        }
        offset += line.len();
    }
    Span { offset: 0, length: 1 }
}

/// The first place at or after a top-level key where a word is written. The key itself when there is none.
pub fn word(text: &str, after: &str, word: &str) -> Span {
    let start = key(text, after);
    match text.get(start.offset..).and_then(|rest| rest.find(word)) {
        Some(found) if !word.is_empty() => Span { offset: start.offset + found, length: word.len() },
        _ => start,
    }
}

/// Maps an offset in a scalar's value to the offset in the text of the file, for the scalar of a top-level key.
///
/// A YAML scalar may be folded, indented or quoted, so its value is no piece of the text. But both hold the same
/// characters in the same order, save for blanks and the escapes of quoted styles: the two are walked side by side.
pub fn within_scalar(text: &str, name: &str, value: &str, offset: usize) -> usize {
    let start = key(text, name);
    let mut at = start.offset + name.len() + 1;
    let Some(rest) = text.get(at..) else { return start.offset };
    at += rest.len() - rest.trim_start_matches(' ').len();
    let style = text.get(at..).and_then(|rest| rest.chars().next());
    match style {
        Some('|' | '>') => at += text.get(at..).and_then(|rest| rest.find('\n')).unwrap_or(0),
        Some('\'' | '"') => at += 1,
        _ => {}
    }
    let mut wanted = value.get(..offset).unwrap_or(value).chars().filter(|c| !c.is_whitespace()).count();
    let mut written = text.get(at..).unwrap_or_default().char_indices().peekable();
    while let Some((index, c)) = written.next() {
        if c.is_whitespace() {
            continue;
        }
        if wanted == 0 {
            return at + index;
        }
        let escaped = matches!((style, c), (Some('\''), '\'') | (Some('"'), '\\'));
        if escaped {
            written.next();
        }
        wanted -= 1;
    }
    start.offset
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points at `here` in the value, and expects to land on it in the text.
    fn lands(text: &str, value: &str) {
        let offset = value.find("here").expect("the value names the place");
        let found = within_scalar(text, "when", value, offset);
        assert_eq!(text.get(found..found + 4), Some("here"), "{text:?}");
    }

    #[test]
    fn a_place_in_an_expression_is_found_in_every_scalar_style() {
        lands("a: 1\nwhen: x == here\nb: 2\n", "x == here");
        lands("when: 'x == ''a'' && here'\n", "x == 'a' && here");
        lands("when: \"x == \\\"a\\\" && here\"\n", "x == \"a\" && here");
        lands("when: |\n  x == 1\n  && here\n", "x == 1\n&& here\n");
        lands("when: >-\n  x == 1\n  && here\nb: 2\n", "x == 1 && here");
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        assert_eq!(line_column("ab\ncd", 0), (1, 1));
        assert_eq!(line_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_column("ü\nü!", 5), (2, 2));
        assert_eq!(line_column("", 9), (1, 1));
    }
}
