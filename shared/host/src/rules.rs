//! A catalogue as the pipeline asks for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;

use jiff::Timestamp;
use onus_core::{Change, Finding, State, Verdict};
use onus_pipeline::ports::Candidate;
use onus_rules::{Catalog, LoadErrors, Rule, Settings, Subject};

#[cfg(feature = "functions")]
use crate::Config;

/// Why there are no rules to evaluate.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Rule files are wrong.
    #[error(transparent)]
    Load(#[from] LoadErrors),
    /// The rules lie where this build cannot read.
    #[error("cannot read rules from `{url}`: expected a path, `file://FOLDER` or `s3://BUCKET/PREFIX`")]
    UnknownScheme {
        /// The URL as configured.
        url: String,
    },
    /// The bucket cannot be read, or holds a rule file that is no text.
    #[error("cannot read rules from `{url}`")]
    Unreadable {
        /// The URL as configured.
        url: String,
        /// What the store or the text's decoder answered.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A catalogue and what its rules may ask about the operator's clouds.
#[derive(Debug)]
pub struct Rules {
    catalog: Cow<'static, Catalog>,
    settings: Settings,
    /// The controls of each rule as owned texts, which is how a policy compares them.
    controls: BTreeMap<String, Vec<String>>,
}

impl Rules {
    /// A catalogue as it is.
    pub fn new(catalog: Cow<'static, Catalog>, settings: Settings) -> Self {
        let own = |rule: &Rule| (rule.id.to_string(), rule.controls.iter().map(ToString::to_string).collect());
        let controls = catalog.rules().map(own).collect();
        Self { catalog, settings, controls }
    }

    /// The rules that `onus.yaml` names: the built-in ones, and a folder's or bucket prefix's beside or instead of them. The options are
    /// for the bucket.
    ///
    /// # Errors
    /// A rule file is wrong, an id is there twice, or the folder or prefix cannot be read.
    #[cfg(feature = "functions")]
    pub async fn load(config: &Config, options: &onus_ledger::Options) -> Result<Self, RulesError> {
        let own = match &config.rules.url {
            None => None,
            Some(url) if url.starts_with("s3://") => Some(in_bucket(url, options).await?),
            Some(url) => Some(in_folder(url)?),
        };
        Self::beside_builtin(config, own)
    }

    /// The built-in rules and an operator's own, as `onus.yaml` combines them.
    #[cfg(feature = "functions")]
    fn beside_builtin(config: &Config, own: Option<Catalog>) -> Result<Self, RulesError> {
        let catalog = match own {
            None => Cow::Borrowed(Catalog::embedded()),
            Some(own) if config.rules.instead_of_builtin => Cow::Owned(own),
            Some(own) => Cow::Owned(Catalog::embedded().merged(&own)?),
        };
        let trusted_accounts = config.settings.trusted_accounts.iter().cloned().collect();
        Ok(Self::new(catalog, Settings { trusted_accounts }))
    }

    /// The catalogue.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }
}

#[cfg(feature = "functions")]
fn in_folder(url: &str) -> Result<Catalog, RulesError> {
    let folder = match url.split_once("://") {
        None => url,
        Some(("file", folder)) => folder,
        Some(_) => return Err(RulesError::UnknownScheme { url: url.to_owned() }),
    };
    Ok(Catalog::load_dir(std::path::Path::new(folder))?)
}

#[cfg(feature = "functions")]
async fn in_bucket(url: &str, options: &onus_ledger::Options) -> Result<Catalog, RulesError> {
    let unreadable = |source: Box<dyn Error + Send + Sync>| RulesError::Unreadable { url: url.to_owned(), source };
    let objects = onus_ledger::Objects::open(url, options).map_err(|error| unreadable(error.into()))?;
    let mut files = Vec::new();
    for path in objects.paths().await.map_err(|error| unreadable(error.into()))? {
        let name = objects.below(&path);
        if Catalog::is_rule_file(&name) {
            let content = objects.read(&path).await.map_err(|error| unreadable(error.into()))?;
            files.push((name, String::from_utf8(content).map_err(|error| unreadable(error.into()))?));
        }
    }
    Ok(Catalog::load(files)?)
}

impl onus_pipeline::Rules for Rules {
    fn candidates(&self, change: &Change<'_>) -> Vec<Candidate<'_>> {
        let candidate = |rule| {
            let Rule { id, severity, remedy, state, .. }: &Rule = rule;
            let controls = self.controls.get(id.as_ref()).map_or(&[][..], Vec::as_slice);
            let (remedy, state) = (remedy.as_deref(), state.as_deref());
            Candidate { id, controls, severity: *severity, remedy, state }
        };
        self.catalog.candidates(change).map(candidate).collect()
    }

    fn evaluate(
        &self,
        rule: &str,
        change: &Change<'_>,
        state: Option<&State>,
    ) -> Result<Verdict, Box<dyn Error + Send + Sync>> {
        match self.catalog.rule(rule) {
            Some(rule) => Ok(Subject::new(change, state, &self.settings).evaluate(rule)?),
            None => Ok(Verdict::Silent),
        }
    }

    fn finding(&self, rule: &str, change: &Change<'_>, state: Option<&State>, found_at: Timestamp) -> Option<Finding> {
        self.catalog.rule(rule).map(|rule| onus_rules::finding(rule, change, state, found_at))
    }
}
