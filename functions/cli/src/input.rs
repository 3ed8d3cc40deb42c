//! Where records come from: files, folders, globs, object stores, standard input.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use globset::Glob;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Endings that a folder is searched for. A file named on the command line is read whatever it is called.
const ENDINGS: [&str; 5] = ["json", "jsonl", "ndjson", "log", "gz"];

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    /// `-`.
    Stdin,
    /// A file on this machine.
    File(PathBuf),
    /// An object's URL, or the URL of a prefix that holds objects.
    Object(String),
}

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// The path is neither a file nor a folder, or may not be read.
    #[error("cannot read `{path}`")]
    Path {
        /// As given.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A glob that is none.
    #[error("`{glob}` is not a glob")]
    Glob {
        /// As given.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// Nothing matches.
    #[error("`{input}` holds no log: no file ends in .json, .jsonl, .ndjson, .log or .gz")]
    Empty {
        /// As given.
        input: String,
    },
}

impl Input {
    /// The name that findings give as their source.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Object(url) => url.clone(),
        }
    }

    /// How many bytes there are, where that is known beforehand.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => fs::metadata(path).ok().map(|metadata| metadata.len()),
            Self::Stdin | Self::Object(_) => None,
        }
    }
}

/// Turns arguments into inputs: folders are walked, globs matched, everything else taken as it is. Sorted within an
/// argument; the order of arguments is kept.
///
/// # Errors
/// A path that cannot be read, a bad glob, a folder or glob without a log.
pub(crate) fn expand(arguments: &[String]) -> Result<Vec<Input>, InputError> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument == "-" {
            inputs.push(Input::Stdin);
        } else if argument.contains("://") {
            inputs.push(Input::Object(argument.clone()));
        } else {
            inputs.extend(expand_path(argument)?);
        }
    }
    Ok(inputs)
}

fn expand_path(argument: &str) -> Result<Vec<Input>, InputError> {
    let path = Path::new(argument);
    let at = |source| InputError::Path { path: argument.to_owned(), source };
    let mut files = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut files = walk(path).map_err(at)?;
            files.retain(|file| has_log_ending(file));
            files
        }
        Ok(_) => vec![path.to_owned()],
        Err(_) if argument.contains(['*', '?', '[', '{']) => matching(argument)?,
        Err(error) => return Err(at(error)),
    };
    if files.is_empty() {
        return Err(InputError::Empty { input: argument.to_owned() });
    }
    files.sort();
    Ok(files.into_iter().map(Input::File).collect())
}

/// The files that a glob matches: the folder before its first wildcard is walked.
fn matching(argument: &str) -> Result<Vec<PathBuf>, InputError> {
    let glob =
        Glob::new(argument).map_err(|source| InputError::Glob { glob: argument.to_owned(), source })?.compile_matcher();
    let fixed: PathBuf = Path::new(argument)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let root = if fixed.as_os_str().is_empty() { Path::new(".") } else { fixed.as_path() };
    let files = walk(root).map_err(|source| InputError::Path { path: argument.to_owned(), source })?;
    let plain = |file: &PathBuf| glob.is_match(file.strip_prefix("./").unwrap_or(file));
    Ok(files.into_iter().filter(plain).collect())
}

/// Every file below a folder that is not hidden. Links to folders are not followed: they may run in circles.
fn walk(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

fn has_log_ending(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// A bar on standard error that shows how much was read. Hidden where standard error is no terminal.
pub(crate) fn progress(inputs: &[Input], quiet: bool) -> ProgressBar {
    let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    if quiet || !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = match total {
        Some(_) => ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {wide_msg}"),
        None => ProgressStyle::with_template("{spinner} {bytes}  {bytes_per_sec}  {wide_msg}"),
    };
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// Opens a local input. Objects are fetched by [`crate::objects`].
///
/// # Errors
/// The file cannot be opened.
pub(crate) fn open(input: &Input) -> Result<Box<dyn Read>, InputError> {
    match input {
        Input::Stdin => Ok(Box::new(io::stdin().lock())),
        Input::File(path) => {
            let file =
                File::open(path).map_err(|source| InputError::Path { path: path.display().to_string(), source })?;
            Ok(Box::new(file))
        }
        Input::Object(url) => Err(InputError::Path {
            path: url.clone(),
            source: io::Error::new(io::ErrorKind::Unsupported, "an object is fetched, not opened"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_searched_for_logs_and_hidden_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.json", "a.jsonl", "c.json.gz", "notes.md", ".hidden.json"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        let inputs = expand(&[folder.path().display().to_string()]).unwrap();
        let names: Vec<String> =
            inputs.iter().map(|input| input.name().rsplit('/').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(names, ["a.jsonl", "b.json", "c.json.gz"]);
    }

    #[test]
    fn a_glob_takes_what_it_matches_and_a_missing_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.json"), "{}").unwrap();
        fs::write(folder.path().join("b.txt"), "{}").unwrap();
        let glob = format!("{}/*.json", folder.path().display());
        assert_eq!(expand(&[glob]).unwrap(), [Input::File(folder.path().join("a.json"))]);
        assert!(matches!(expand(&["no/such/file".to_owned()]), Err(InputError::Path { .. })));
        assert!(matches!(expand(&[format!("{}/*.log", folder.path().display())]), Err(InputError::Empty { .. })));
    }
}
