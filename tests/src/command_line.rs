//! The command line's real binary, run as a person would, with nothing else around it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::stage::binary;

/// What a command came to.
#[derive(Debug)]
pub struct Said {
    /// Its exit status.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said beside that.
    pub err: String,
}

impl Said {
    /// What it printed, as JSON.
    ///
    /// # Panics
    /// It is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the command line in a folder, with only the given environment.
///
/// # Panics
/// It cannot be run, is killed, or prints no text.
pub fn onus(folder: &Path, env: &[(&'static str, String)], arguments: &[&str]) -> Said {
    let Output { status, stdout, stderr } = Command::new(binary("onus"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().map(|(name, value)| (*name, value)))
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    Said { code: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) }
}
