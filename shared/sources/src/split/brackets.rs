//! Counts brackets and quotes, so that the end of a JSON value is found without parsing it.

use std::ops::Range;

/// A count in progress, over bytes that may come in several windows with the same start.
#[derive(Debug, Default)]
pub(super) struct Brackets {
    /// The next byte to look at. May be one beyond the window, behind an escape.
    pub(super) at: usize,
    depth: usize,
    /// Whether `at` is inside a string.
    pub(super) in_string: bool,
    /// The string that began or ended last.
    string: Range<usize>,
    /// At depth one, the member whose value is being read.
    member: Option<Range<usize>>,
}

/// Why the count stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The value closes; `at` is behind it.
    Closed,
    /// An array that holds entries opens; `at` is behind its bracket.
    Entries,
    /// `at` is on a line break. No JSON string holds one, so inside a string it means that the value is broken.
    Newline,
    /// The window is used up.
    End,
}

impl Brackets {
    /// A count that starts inside an object, behind one of its members.
    pub(super) fn inside() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Counts on. `entries` tells which members of the outermost object hold entries; line breaks outside strings are stopped
    /// at when `newlines` says so.
    pub(super) fn count(&mut self, window: &[u8], entries: Option<fn(&[u8]) -> bool>, newlines: bool) -> Stop {
        while let Some(rest) = window.get(self.at..).filter(|rest| !rest.is_empty()) {
            if self.in_string {
                let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                    self.at = window.len();
                    return Stop::End;
                };
                self.at += found;
                match window.get(self.at) {
                    Some(b'"') => {
                        self.string.end = self.at;
                        self.in_string = false;
                        self.at += 1;
                    }
                    Some(b'\n') => return Stop::Newline,
                    _ => self.at += 2,
                }
                continue;
            }
            if let Some(stop) = self.outside(window, rest, entries, newlines) {
                return stop;
            }
        }
        Stop::End
    }

    /// Counts to the next quote.
    fn outside(
        &mut self,
        window: &[u8],
        rest: &[u8],
        entries: Option<fn(&[u8]) -> bool>,
        newlines: bool,
    ) -> Option<Stop> {
        for byte in rest {
            match byte {
                b'"' => {
                    self.at += 1;
                    self.string.start = self.at;
                    self.in_string = true;
                    return None;
                }
                b'{' => self.depth += 1,
                b'[' => {
                    if self.depth == 1
                        && let Some(holds) = entries
                        && self.member.take().and_then(|member| window.get(member)).is_some_and(holds)
                    {
                        self.at += 1;
                        return Some(Stop::Entries);
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.at += 1;
                        return Some(Stop::Closed);
                    }
                }
                b':' if self.depth == 1 => self.member = Some(self.string.clone()),
                b',' if self.depth == 1 => self.member = None,
                b'\n' if newlines => return Some(Stop::Newline),
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    /// The window loses its first bytes: all that were counted.
    pub(super) fn forget(&mut self, length: usize) {
        self.at = self.at.saturating_sub(length);
        self.member = None;
        self.string = 0..0;
    }
}
