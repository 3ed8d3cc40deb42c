//! Text from a record, made safe for a terminal: bucket names and user agents are written by strangers.

use std::fmt::Write as _;

/// Replaces control and direction-changing characters by their escapes, so that no text can move the cursor, set colours or reorder a
/// line. Everything else stays as it is.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The same for JSON that is written already: what JSON may hold as it is, and a terminal does not only show, becomes `\uXXXX`, which reads
/// back as what it was. Only strings can hold such characters.
pub fn printable_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) || matches!(character, '\u{7f}'..='\u{9f}') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}"); // writing to a string cannot fail
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Characters of the Unicode classes Bidi Control and Zero Width, and the tag block.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Cuts after so many characters and marks the cut.
pub fn shortened(text: &str, most: usize) -> String {
    let safe = printable(text);
    if safe.chars().count() <= most {
        return safe;
    }
    let mut cut: String = safe.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_steer_a_terminal() {
        let cases = [
            ("plain-bucket", "plain-bucket"),
            ("grün", "grün"),
            ("\x1b[2Jx", "\\u{1b}[2Jx"),
            ("a\nb\r", "a\\u{a}b\\u{d}"),
            ("\u{202e}gpj", "\\u{202e}gpj"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ];
        for (text, expected) in cases {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(shortened("abcdef", 4), "abc…");
    }

    #[test]
    fn json_reads_back_as_what_it_was_and_shows_all_that_it_holds() {
        let name = "gr\u{fc}n \u{202e}gpj\u{9b}31m \u{e0041} \u{1f600} \x1b \"quoted\"";
        let written = serde_json::to_string(name).unwrap();
        let safe = printable_json(&written);
        assert_eq!(safe, "\"gr\u{fc}n \\u202egpj\\u009b31m \\udb40\\udc41 \u{1f600} \\u001b \\\"quoted\\\"\"");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), name);
    }
}
