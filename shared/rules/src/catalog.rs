//! All rules that apply, and which of them a change concerns.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use onus_core::Change;

use crate::cases::Case;
use crate::embedded;
use crate::load::{self, LoadError, LoadErrors};
use crate::model::Problem;
use crate::model::locate::Span;
use crate::model::{Status, check};
use crate::rule::{Rule, Text};

/// Any set of rules: those compiled in, those of a user, or both.
#[derive(Debug, Clone)]
pub struct Catalog {
    rules: Vec<Member>,
    index: Index,
}

/// A rule and its cases, compiled in or loaded.
#[derive(Debug, Clone)]
enum Member {
    Embedded(usize),
    Loaded(Arc<(Rule, Vec<Case>)>),
}

impl Deref for Member {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            Member::Embedded(index) => embedded::rule(*index),
            Member::Loaded(loaded) => &loaded.0,
        }
    }
}

/// One watched operation: what generators of event patterns and log filters need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watched<'a> {
    /// The log: `aws.cloudtrail`.
    pub source: &'a str,
    /// The service, or `*`.
    pub service: &'a str,
    /// The action, or `*`.
    pub action: &'a str,
}

/// Operation → rules, sorted by service and action.
#[derive(Debug, Clone)]
struct Index(Cow<'static, [Entry]>);

/// The rules that watch one operation, by their position in the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) service: Text,
    pub(crate) action: Text,
    pub(crate) rules: Cow<'static, [u16]>,
}

impl Catalog {
    /// The rules compiled into the binary. Nothing is parsed: the rules and their index are static data.
    pub fn embedded() -> &'static Catalog {
        static EMBEDDED: OnceLock<Catalog> = OnceLock::new();
        EMBEDDED.get_or_init(|| Catalog {
            rules: (0..embedded::count()).map(Member::Embedded).collect(),
            index: Index(Cow::Borrowed(embedded::index())),
        })
    }

    /// Reads rules from texts, each with the path that gives its id.
    ///
    /// # Errors
    /// Every mistake of every file: none of the rules is usable until all are mended.
    pub fn load(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, LoadErrors> {
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (path, text) in files {
            match load::rule(&path, &text) {
                Ok(loaded) => {
                    if let Some(first) = seen.insert(loaded.0.id.to_string(), path.clone()) {
                        errors.push(duplicate(&path, &text, &loaded.0.id, &first));
                    }
                    rules.push(Member::Loaded(Arc::new(loaded)));
                }
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(Self::of(rules)) } else { Err(LoadErrors(errors)) }
    }

    /// Reads every `.yaml` and `.yml` file below a folder, in the order of their paths. The path below the folder gives
    /// the id. Hidden names are left out and links to folders not followed. An empty folder gives an empty catalogue.
    ///
    /// # Errors
    /// A file or folder cannot be read, or as [`Catalog::load`].
    pub fn load_dir(folder: &Path) -> Result<Self, LoadErrors> {
        let mut paths = Vec::new();
        let mut errors = Vec::new();
        walk(folder, &mut paths, &mut errors);
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            match fs::read_to_string(&path) {
                Ok(text) => files.push((name, text)),
                Err(error) => errors.push(LoadError::unreadable(&name, &error)),
            }
        }
        match Self::load(files) {
            Ok(catalog) if errors.is_empty() => Ok(catalog),
            Ok(_) => Err(LoadErrors(errors)),
            Err(LoadErrors(more)) => Err(LoadErrors(errors.into_iter().chain(more).collect())),
        }
    }

    /// Whether a path names a rule file: it ends in `.yaml` or `.yml`, and no part of it is hidden.
    pub fn is_rule_file(path: &str) -> bool {
        let hidden = path.split('/').any(|part| part.starts_with('.'));
        !hidden && Path::new(path).extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    }

    /// These rules and the other's.
    ///
    /// # Errors
    /// A rule id is in both: an id has one meaning, so a rule cannot be replaced, only switched off and written anew.
    pub fn merged(&self, other: &Catalog) -> Result<Self, LoadErrors> {
        let ours: BTreeSet<&str> = self.rules().map(|rule| rule.id.as_ref()).collect();
        let twice: Vec<LoadError> = other
            .rules()
            .filter(|rule| ours.contains(rule.id.as_ref()))
            .map(|rule| duplicate(&format!("{}.yaml", rule.id.replace('.', "/")), "", &rule.id, "the built-in rules"))
            .collect();
        if twice.is_empty() {
            Ok(Self::of(self.rules.iter().chain(&other.rules).cloned().collect()))
        } else {
            Err(LoadErrors(twice))
        }
    }

    /// Only the rules that a predicate keeps: for an operator's choice of rules.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&Rule) -> bool) -> Self {
        Self::of(self.rules.iter().filter(|rule| keep(rule)).cloned().collect())
    }

    fn of(rules: Vec<Member>) -> Self {
        let index = Index::of(rules.iter().map(Deref::deref));
        Self { rules, index }
    }

    /// Every rule, also deprecated ones. The embedded ones come in the order of their ids.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(Deref::deref)
    }

    /// The rule of an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules().find(|rule| rule.id == id)
    }

    /// The tests of a rule, as its file writes them. Empty when the catalogue does not hold the rule.
    pub fn cases(&self, id: &str) -> &[Case] {
        match self.rules.iter().find(|rule| rule.id == id) {
            Some(Member::Embedded(index)) => embedded::cases(*index),
            Some(Member::Loaded(loaded)) => &loaded.1,
            None => &[],
        }
    }

    /// The rules that watch the operation of a change. Whether one fires is up to [`crate::evaluate()`].
    pub fn candidates<'a>(&'a self, change: &Change<'_>) -> impl Iterator<Item = &'a Rule> {
        let source = change.source;
        let found = [
            self.index.find(&change.service, &change.action),
            self.index.find(&change.service, "*"),
            self.index.find("*", "*"),
        ];
        found
            .into_iter()
            .flatten()
            .filter_map(|position| self.rules.get(usize::from(*position)).map(Deref::deref))
            .filter(move |rule| rule.watch.source == source)
    }

    /// Every operation that some rule watches, sorted, each once. Deprecated rules do not count.
    pub fn watched(&self) -> BTreeSet<Watched<'_>> {
        let live = self.rules().filter(|rule| rule.status != Status::Deprecated);
        live.flat_map(|rule| {
            rule.watch.actions.iter().filter_map(|action| {
                let (service, action) = action.split_once(':')?;
                Some(Watched { source: &rule.watch.source, service, action })
            })
        })
        .collect()
    }
}

impl Index {
    fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let watching = rules.map(|rule| {
            let live = rule.status != Status::Deprecated;
            rule.watch.actions.iter().filter(|_| live).map(Text::to_string).collect::<Vec<_>>()
        });
        let entries = check::index(watching).into_iter().map(|((service, action), rules)| Entry {
            service: Text::Owned(service),
            action: Text::Owned(action),
            rules: Cow::Owned(rules),
        });
        Self(Cow::Owned(entries.collect()))
    }

    fn find(&self, service: &str, action: &str) -> &[u16] {
        let at = self.0.binary_search_by(|entry| (&*entry.service, &*entry.action).cmp(&(service, action)));
        at.ok().and_then(|at| self.0.get(at)).map_or(&[], |entry| &entry.rules)
    }
}

fn duplicate(path: &str, text: &str, id: &str, first: &str) -> LoadError {
    let message = format!("rule `{id}` is also in {first}");
    let hint = Some("an id has one meaning: name the file for what else it finds".to_owned());
    LoadError::at(path, text, Problem { span: Span { offset: 0, length: 1 }, message, hint })
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>, errors: &mut Vec<LoadError>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return errors.push(LoadError::unreadable(&folder.to_string_lossy(), &error)),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                errors.push(LoadError::unreadable(&folder.to_string_lossy(), &error));
                continue;
            }
        };
        let path = entry.path();
        // Hidden names are no rules, and a link to a folder could lead back here.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, paths, errors);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
}
