//! Text from a record, made safe for a terminal: bucket names and user agents are written by strangers.

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
}
