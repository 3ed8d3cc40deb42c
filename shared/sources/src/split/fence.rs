//! Where a broken entry ends.
//!
//! In JSON lines at the end of its line. Elsewhere it is only known to be broken once its brackets have not closed by the end of the input,
//! or a line break stands in one of its strings. Then the next entry is taken to start like it: on a line of the same indentation
//! with `{`; or, in a list written without line breaks, behind a comma with the same first member. From then on every entry of the
//! input ends there at the latest, so that an input full of broken entries is still read in one pass.

use std::io::{self, Read};

use memchr::memmem;

use super::brackets::{Brackets, Stop};
use super::{Level, Shape, Splitter};

/// The longest first member that is looked for, with its quotes.
const KEY_MAX: usize = 64;

/// What tells that another entry starts.
#[derive(Debug)]
pub(super) enum Fence {
    /// A line break, an indentation and `{`.
    Line(Vec<u8>),
    /// A comma, `{` and the name of a member.
    Key(Vec<u8>),
}

impl Fence {
    fn mark(&self) -> &[u8] {
        match self {
            Fence::Line(mark) | Fence::Key(mark) => mark,
        }
    }

    /// The fence for entries that start as these bytes do, which stand behind this indentation, or mid-line.
    fn of(entry: &[u8], indent: Option<Vec<u8>>, listed: bool) -> Self {
        match indent {
            None if listed && let Some(head) = head(entry) => Fence::Key([b",", head].concat()),
            indent => Fence::Line([b"\n", indent.unwrap_or_default().as_slice(), b"{"].concat()),
        }
    }
}

/// `{"name"`, as it is spelled.
fn head(entry: &[u8]) -> Option<&[u8]> {
    let entry = entry.get(..entry.len().min(KEY_MAX))?;
    let mut quotes = memchr::memchr_iter(b'"', entry);
    let (open, close) = (quotes.next()?, quotes.next()?);
    let blank = entry.get(1..open)?.iter().all(u8::is_ascii_whitespace);
    let whole = entry.get(open..close)?.iter().all(|byte| !byte.is_ascii_control());
    if blank && whole { entry.get(..=close) } else { None }
}

impl<R: Read> Splitter<R> {
    /// Whether an entry ends at the line break here.
    pub(super) fn at_fence(&mut self, at: usize) -> io::Result<bool> {
        let Some(fence) = self.fence.take() else { return Ok(false) };
        let end = at + fence.mark().len();
        while self.feed.window().len() < end && self.feed.more()? {}
        let found = self.feed.window().get(at..).is_some_and(|rest| rest.starts_with(fence.mark()));
        self.fence = Some(fence);
        Ok(found)
    }

    /// Where the next entry starts in the window, once this one is known to be broken.
    fn find_fence(&mut self) -> Option<usize> {
        while self.feed.window().len() < KEY_MAX && self.feed.more_or_later() {}
        let indent = self.indent.take();
        let window = self.feed.window();
        let listed = matches!(self.level, Level::List { .. });
        let fence = self.fence.get_or_insert_with(|| Fence::of(window, indent, listed));
        memmem::find(window, fence.mark())
    }

    /// Measures an object that ends before the next `mark` at the latest.
    pub(super) fn measure_to_key(&mut self, mark: &[u8]) -> io::Result<(usize, Shape)> {
        let mut searched = 0;
        let fenced = loop {
            let window = self.feed.window();
            if let Some(found) = window.get(searched..).and_then(|rest| memmem::find(rest, mark)) {
                break Some(searched + found);
            }
            searched = window.len().saturating_sub(mark.len());
            if window.len() > self.limit || !self.feed.more()? {
                break None;
            }
        };
        let window = self.feed.window();
        let mut brackets = Brackets::default();
        let stop = brackets.count(window.get(..fenced.unwrap_or(window.len())).unwrap_or_default(), None, false);
        match (stop, fenced) {
            (Stop::Closed, _) if brackets.at <= self.limit => Ok((brackets.at, Shape::Object)),
            (_, Some(length)) => Ok((length, Shape::Unclosed)),
            (Stop::End, None) if window.len() > self.limit => self.pass_large(brackets),
            (Stop::Closed, None) => {
                self.consume(brackets.at);
                Ok((0, Shape::TooLarge))
            }
            (_, None) => {
                self.level = Level::Top;
                Ok((self.feed.window().len(), Shape::Unclosed))
            }
        }
    }

    /// The input ended before the object did.
    pub(super) fn unclosed_at_end(&mut self) -> (usize, Shape) {
        let fenced = if self.lines == Some(true) { None } else { self.find_fence() };
        if fenced.is_none() {
            self.level = Level::Top; // one error for one cut
        }
        (fenced.unwrap_or_else(|| self.feed.window().len()), Shape::Unclosed)
    }

    /// Passes a broken object whose quotes cannot be trusted.
    pub(super) fn pass_to_fence(&mut self) -> io::Result<(usize, Shape)> {
        loop {
            if let Some(length) = self.find_fence() {
                return Ok((length, Shape::Unclosed));
            }
            let kept = self.fence.as_ref().map_or(0, |fence| fence.mark().len());
            let passed = self.feed.window().len().saturating_sub(kept);
            self.consume(passed);
            self.passed += passed;
            if !self.feed.more()? {
                self.level = Level::Top;
                return Ok((self.feed.window().len(), Shape::Unclosed));
            }
        }
    }

    /// Passes an object that is too large: to where its brackets close, or to what ends a broken entry.
    pub(super) fn pass_large(&mut self, mut brackets: Brackets) -> io::Result<(usize, Shape)> {
        let lines = self.lines == Some(true);
        if !lines && let Some(length) = self.find_fence() {
            return Ok((length, Shape::Unclosed));
        }
        loop {
            match brackets.count(self.feed.window(), None, true) {
                Stop::Closed => {
                    self.consume(brackets.at);
                    return Ok((0, Shape::TooLarge));
                }
                Stop::Newline if lines || self.at_fence(brackets.at)? => {
                    self.consume(brackets.at);
                    return Ok((0, Shape::TooLarge));
                }
                Stop::Newline => brackets.at += 1,
                Stop::Entries | Stop::End => {
                    let seen = self.feed.window().len();
                    self.consume(seen);
                    brackets.forget(seen);
                    if !self.feed.more()? {
                        return Ok((0, Shape::TooLarge));
                    }
                }
            }
        }
    }
}
