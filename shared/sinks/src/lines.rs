//! One JSON line for each notice, to standard output or a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use onus_core::{Notice, Sink, SinkError};

use crate::cloudevent::CloudEvent;
use crate::size::json;

/// Appends the wire form of each notice as a line. Control characters are escaped, so one notice is one line whatever
/// its resources are called.
pub struct Lines {
    name: String,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Lines {
    /// Any writer.
    pub fn new(name: impl Into<String>, out: impl Write + Send + 'static) -> Self {
        Self { name: name.into(), out: Mutex::new(Box::new(out)) }
    }

    /// Standard output.
    pub fn stdout(name: impl Into<String>) -> Self {
        Self::new(name, io::stdout())
    }

    /// A file that is made when it is not there and appended to when it is.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn file(name: impl Into<String>, path: &Path) -> io::Result<Self> {
        Ok(Self::new(name, OpenOptions::new().create(true).append(true).open(path)?))
    }
}

#[async_trait]
impl Sink for Lines {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let mut line = json(&CloudEvent::from(notice));
        line.push('\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // One write: lines of several processes that append to one file do not mix.
        let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        // A full disk may be emptied; a closed pipe does not open again.
        written.map_err(|error| SinkError {
            sink: self.name.clone(),
            retryable: error.kind() != io::ErrorKind::BrokenPipe,
            source: error.into(),
        })
    }
}
