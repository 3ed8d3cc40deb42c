//! A window over a reader that grows while somebody needs more of it.

use std::io::{self, ErrorKind, Read};

/// How many bytes are asked of the reader at a time.
const CHUNK: usize = 128 * 1024;

/// The bytes read and not yet consumed.
pub(super) struct Feed<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// A failure that nobody has been told of yet.
    failure: Option<io::Error>,
    /// Bytes read from the reader so far.
    pub(super) offset: u64,
}

impl<R: Read> Feed<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, failure: None, offset: 0 }
    }

    /// What is there to look at.
    pub(super) fn window(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Adds to the window; `false` at the end of the input.
    ///
    /// # Errors
    /// The reader failed.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.buffer.len() - self.end < CHUNK {
                self.buffer.resize(self.buffer.len() + CHUNK.max(self.end), 0);
            }
        }
        loop {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(free) {
                Ok(count) => {
                    let count = count.min(free.len());
                    self.end += count;
                    self.offset += count as u64;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Like [`Feed::more`], for who can do without: a failure is kept for the next call.
    pub(super) fn more_or_later(&mut self) -> bool {
        self.more().unwrap_or_else(|failure| {
            self.failure = Some(failure);
            false
        })
    }

    /// Takes bytes off the front of the window, at most all of it.
    pub(super) fn consume(&mut self, length: usize) -> &[u8] {
        let from = self.start;
        self.start = self.end.min(from + length);
        self.buffer.get(from..self.start).unwrap_or_default()
    }
}
