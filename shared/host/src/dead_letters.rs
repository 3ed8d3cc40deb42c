//! Where what can never be handled is put, with the reason.

use std::sync::Arc;

use serde_json::json;

use crate::failure::Failure;
use crate::queue::Queue;

/// Room for the members of a letter beside its texts.
const RESERVED: usize = 64;

/// The dead letter queue of a function.
#[derive(Clone, Default)]
pub struct DeadLetters(Option<Arc<dyn Queue>>);

impl DeadLetters {
    /// A queue; without one, letters are logged only.
    pub fn new(queue: Option<Arc<dyn Queue>>) -> Self {
        Self(queue)
    }

    /// Puts aside what cannot be handled: `{"reason":…,"what":…,"cut":…}`. What is longer than the queue takes is cut.
    ///
    /// # Errors
    /// The queue did not take it.
    pub async fn put(&self, reason: String, what: &str) -> Result<(), Failure> {
        tracing::error!(reason, "put aside: it can never be handled");
        let Some(queue) = &self.0 else { return Ok(()) };
        let letter = letter(&reason, what, queue.longest());
        match queue.send(&letter, "dead-letters").await {
            Ok(()) => Ok(()),
            Err(source) => Err(Failure::DeadLetter { reason, source }),
        }
    }
}

/// A letter of at most so many bytes: halves what it quotes until it fits, for escaping may make a text six times as long.
fn letter(reason: &str, what: &str, longest: usize) -> String {
    let mut kept = what.get(..what.floor_char_boundary(longest)).unwrap_or_default();
    let mut told = reason.get(..reason.floor_char_boundary(longest / 8)).unwrap_or_default();
    loop {
        let letter = json!({ "reason": told, "what": kept, "cut": kept.len() < what.len() }).to_string();
        if letter.len() <= longest.max(RESERVED) || (kept.is_empty() && told.is_empty()) {
            return letter;
        }
        let longer = if kept.is_empty() { &mut told } else { &mut kept };
        *longer = longer.get(..longer.floor_char_boundary(longer.len() / 2)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_letter_fits_whatever_it_quotes_and_says_when_it_was_cut() {
        let texts = ["", "short", &"x".repeat(5_000), &"\u{1}".repeat(5_000), &"é\"".repeat(3_000)];
        let mut wrong = Vec::new();
        for reason in texts {
            for what in texts {
                let letter = letter(reason, what, 1_000);
                let read: Value = serde_json::from_str(&letter).unwrap();
                let quoted = read["what"].as_str().unwrap();
                if letter.len() > 1_000 || !what.starts_with(quoted) || read["cut"] != (quoted.len() < what.len()) {
                    wrong.push(format!("{} bytes for {reason:.9?}, {what:.9?}", letter.len()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(letter("why", "what", 1_000), r#"{"cut":false,"reason":"why","what":"what"}"#);
    }
}
