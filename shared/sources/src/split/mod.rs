//! Cuts a stream of JSON into entries while holding one entry in memory.
//!
//! An input is a sequence of JSON objects (one document, JSON lines, documents behind one another) or arrays of them. An outer
//! object that holds entries in an array ([`crate::logs`]) is walked into, its other members are passed over. Brackets and
//! quotes are counted, nothing is parsed.
//!
//! A broken entry costs as little as can be told: see [`fence`].

mod brackets;
mod feed;
mod fence;

use std::io::{self, Read};

use self::brackets::{Brackets, Stop};
use self::feed::Feed;
use self::fence::Fence;
use crate::logs;

/// How far to look behind the first value for the second.
const LOOKAHEAD: usize = 4096;

/// One cut of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A JSON object: its brackets close. Whether it is valid is for the decoder to say.
    Object(&'a [u8]),
    /// Something else where an object was expected: a word, a number, a list.
    Other(&'a [u8]),
    /// An object that is not closed, and how many bytes of it were seen.
    Unclosed(usize),
    /// An entry longer than the limit. It was not kept.
    TooLarge,
    /// The input ends inside a list of entries, between two of them.
    CutOff,
}

/// A piece and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut<'a> {
    pub(crate) piece: Piece<'a>,
    /// In JSON lines the number of its line, from 0.
    pub(crate) line: Option<u64>,
}

/// Where the scan stands between pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Between the values of the input.
    Top,
    /// Between the elements of a list of entries. `within`: inside an outer object.
    List { within: bool },
    /// Behind the list, in the rest of its outer object.
    Tail,
}

/// What a measured value is. The piece without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Object,
    Entries,
    Other,
    Unclosed,
    TooLarge,
    CutOff,
}

/// Cuts one input. See the [module's words](self).
pub(crate) struct Splitter<R> {
    feed: Feed<R>,
    limit: usize,
    level: Level,
    /// Whether every line is an entry of its own. Settled by the first value.
    lines: Option<bool>,
    /// The line the scan is on.
    line: u64,
    /// Bytes of the value at the front that were passed over without being kept.
    passed: usize,
    /// The white space before the next byte, when only that is between it and the start of its line.
    indent: Option<Vec<u8>>,
    /// Set once an entry was broken: what tells that the next one starts.
    fence: Option<Fence>,
}

impl<R: Read> Splitter<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        let indent = Some(Vec::new());
        Self { feed: Feed::new(reader), limit, level: Level::Top, lines: None, line: 0, passed: 0, indent, fence: None }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.feed.offset
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The reader failed.
    pub(crate) fn next(&mut self) -> io::Result<Option<Cut<'_>>> {
        let (line, length, shape) = loop {
            let Some(byte) = self.skip_space()? else {
                if std::mem::replace(&mut self.level, Level::Top) == Level::Top {
                    return Ok(None);
                }
                break (self.line, 0, Shape::CutOff);
            };
            let line = self.line;
            match (self.level, byte) {
                (Level::Tail, _) => self.pass_tail()?,
                (Level::List { within }, b']') => {
                    self.consume(1);
                    self.leave_list(within);
                }
                (Level::Top, b'[') => {
                    self.consume(1);
                    self.lines.get_or_insert(false);
                    self.level = Level::List { within: false };
                }
                (level, b'{') => match self.measure((level == Level::Top).then_some(logs::holds_entries))? {
                    (length, Shape::Entries) => {
                        self.consume(length);
                        self.lines.get_or_insert(false);
                        self.level = Level::List { within: true };
                    }
                    (length, shape) => break (line, self.settle(line, length, shape), shape),
                },
                (level, _) => {
                    let (length, shape) = self.measure_other(level, byte)?;
                    self.lines.get_or_insert(true);
                    break (line, length, shape);
                }
            }
        };
        let line = (self.lines == Some(true)).then_some(line);
        let passed = self.passed;
        let bytes = self.consume(length);
        let piece = match shape {
            Shape::Object | Shape::Entries => Piece::Object(bytes),
            Shape::Other => Piece::Other(bytes.trim_ascii_end()),
            Shape::Unclosed => Piece::Unclosed(passed + length),
            Shape::TooLarge => Piece::TooLarge,
            Shape::CutOff => Piece::CutOff,
        };
        Ok(Some(Cut { piece, line }))
    }

    /// Takes bytes off the front, keeping the count of lines.
    fn consume(&mut self, length: usize) -> &[u8] {
        let bytes = self.feed.consume(length);
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.indent = None;
        bytes
    }

    /// Behind the closing bracket of a list.
    fn leave_list(&mut self, within: bool) {
        self.level = if within { Level::Tail } else { Level::Top };
        if matches!(self.fence, Some(Fence::Key(_))) {
            self.fence = None;
        }
    }

    /// Passes white space, commas between values and a byte order mark; answers the byte behind, or nothing at the end.
    fn skip_space(&mut self) -> io::Result<Option<u8>> {
        loop {
            let mut passed = 0;
            let mut found = None;
            for byte in self.feed.window() {
                match byte {
                    b'\n' => {
                        self.line += 1;
                        self.indent = Some(Vec::new());
                    }
                    b' ' | b'\t' | b'\r' => {
                        // No one indents by more; white space without end must not fill the memory.
                        if let Some(indent) = self.indent.as_mut().filter(|indent| indent.len() < LOOKAHEAD) {
                            indent.push(*byte);
                        }
                    }
                    b',' => self.indent = None,
                    0xEF | 0xBB | 0xBF if self.line == 0 && self.indent.is_some() => {}
                    other => {
                        found = Some(*other);
                        break;
                    }
                }
                passed += 1;
            }
            self.feed.consume(passed);
            if found.is_some() || !self.feed.more()? {
                return Ok(found);
            }
        }
    }

    /// Measures the object at the front.
    fn measure(&mut self, entries: Option<fn(&[u8]) -> bool>) -> io::Result<(usize, Shape)> {
        self.passed = 0;
        if let Some(Fence::Key(mark)) = self.fence.take() {
            let measured = self.measure_to_key(&mark);
            self.fence = Some(Fence::Key(mark));
            return measured;
        }
        let mut brackets = Brackets::default();
        loop {
            let stop = brackets.count(self.feed.window(), entries, self.lines == Some(true) || self.fence.is_some());
            let at = brackets.at;
            match stop {
                Stop::Closed if at > self.limit => {
                    self.consume(at);
                    return Ok((0, Shape::TooLarge));
                }
                Stop::Closed => return Ok((at, Shape::Object)),
                Stop::Entries => return Ok((at, Shape::Entries)),
                Stop::Newline if self.lines == Some(true) || self.at_fence(at)? => return Ok((at, Shape::Unclosed)),
                Stop::Newline if brackets.in_string => return self.pass_to_fence(),
                Stop::Newline => brackets.at += 1,
                Stop::End if self.feed.window().len() > self.limit => return self.pass_large(brackets),
                Stop::End if self.feed.more()? => {}
                Stop::End => return Ok(self.unclosed_at_end()),
            }
        }
    }

    /// Measures what stands where an object should: to the end of the line, in a list to the next comma.
    fn measure_other(&mut self, level: Level, first: u8) -> io::Result<(usize, Shape)> {
        if first == b'[' {
            return Ok(match self.measure(None)? {
                (length, Shape::Object) => (length, Shape::Other),
                other => other,
            });
        }
        let ends = |byte: &u8| *byte == b'\n' || (level != Level::Top && matches!(byte, b',' | b']' | b'}'));
        let (mut at, mut large) = (0, false);
        loop {
            let window = self.feed.window();
            if let Some(found) = window.get(at..).and_then(|rest| rest.iter().position(ends)) {
                at += found;
                large |= at > self.limit;
                break;
            }
            at = window.len();
            if at > self.limit {
                large = true;
                self.consume(at);
                at = 0;
            }
            if !self.feed.more()? {
                break;
            }
        }
        if large {
            self.consume(at);
            return Ok((0, Shape::TooLarge));
        }
        Ok((at.max(1), Shape::Other))
    }

    /// After a value at the top: settles whether the input is JSON lines, and adds to the value what else stands on its line.
    fn settle(&mut self, line: u64, length: usize, shape: Shape) -> usize {
        if self.level != Level::Top || shape == Shape::TooLarge {
            return length;
        }
        let bytes = self.feed.window().get(..length).unwrap_or_default();
        let one_line = self.line == line && memchr::memchr(b'\n', bytes).is_none();
        if shape == Shape::Unclosed {
            self.lines.get_or_insert(one_line);
            return length;
        }
        let (next, newline) = self.look_behind(length);
        if self.lines.is_none() {
            self.lines = Some(one_line && next.is_some() && (newline || !matches!(next, Some(b'{' | b'[' | b','))));
        }
        if newline || matches!(next, None | Some(b'{' | b'[' | b',')) {
            return length;
        }
        let mut at = length;
        loop {
            let rest = self.feed.window().get(at..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', rest) {
                return at + found;
            }
            at += rest.len();
            if at > self.limit || !self.feed.more_or_later() {
                return at;
            }
        }
    }

    /// The byte that comes next behind the value at the front, white space apart, and whether a line break comes before it.
    fn look_behind(&mut self, length: usize) -> (Option<u8>, bool) {
        let (mut newline, mut at) = (false, length);
        loop {
            for byte in self.feed.window().get(at..).unwrap_or_default() {
                match byte {
                    b'\n' => newline = true,
                    b' ' | b'\t' | b'\r' => {}
                    other => return (Some(*other), newline),
                }
                at += 1;
                if at > length + LOOKAHEAD {
                    return (Some(b'\n'), true);
                }
            }
            if newline && self.lines.is_some() {
                return (None, true);
            }
            // A failing reader must not cost the value that is already whole.
            if !self.feed.more_or_later() {
                return (None, newline);
            }
        }
    }

    /// Passes the rest of an outer object.
    fn pass_tail(&mut self) -> io::Result<()> {
        let lines = self.lines == Some(true);
        let mut brackets = Brackets::inside();
        loop {
            match brackets.count(self.feed.window(), None, lines) {
                Stop::Newline if !lines => brackets.at += 1,
                Stop::Closed | Stop::Newline => {
                    self.consume(brackets.at);
                    self.level = Level::Top;
                    return Ok(());
                }
                Stop::Entries | Stop::End => {
                    let seen = self.feed.window().len();
                    self.consume(seen);
                    brackets.forget(seen);
                    if !self.feed.more()? {
                        return Ok(());
                    }
                }
            }
        }
    }
}
