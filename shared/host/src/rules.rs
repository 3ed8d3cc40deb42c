//! A catalogue as the pipeline asks for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use jiff::Timestamp;
use onus_core::{Change, Finding, State, Verdict};
use onus_pipeline::config::Config;
use onus_pipeline::ports::Candidate;
use onus_rules::{Catalog, LoadErrors, Rule, Settings, Subject};

/// Why there are no rules to evaluate.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Rule files are wrong.
    #[error(transparent)]
    Load(#[from] LoadErrors),
    /// The rules lie where this build cannot read.
    #[error("cannot read rules from `{url}`: expected a path or `file://FOLDER`")]
    UnknownScheme {
        /// The URL as configured.
        url: String,
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

    /// The rules that `onus.yaml` names: the built-in ones, and a folder's beside or instead of them.
    ///
    /// # Errors
    /// A rule file is wrong, an id is there twice, or the folder is no folder.
    pub fn of(config: &Config) -> Result<Self, RulesError> {
        let trusted_accounts = config.settings.trusted_accounts.iter().cloned().collect();
        let settings = Settings { trusted_accounts };
        let Some(url) = &config.rules.url else {
            return Ok(Self::new(Cow::Borrowed(Catalog::embedded()), settings));
        };
        let folder = match url.split_once("://") {
            None => url.as_str(),
            Some(("file", folder)) => folder,
            Some(_) => return Err(RulesError::UnknownScheme { url: url.clone() }),
        };
        let own = Catalog::load_dir(Path::new(folder))?;
        let catalog = if config.rules.instead_of_builtin { own } else { Catalog::embedded().merged(&own)? };
        Ok(Self::new(Cow::Owned(catalog), settings))
    }

    /// The catalogue.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }
}

impl onus_pipeline::Rules for Rules {
    fn candidates(&self, change: &Change<'_>) -> Vec<Candidate<'_>> {
        let candidate = |rule| {
            let Rule { id, severity, remedy, .. }: &Rule = rule;
            let controls = self.controls.get(id.as_ref()).map_or(&[][..], Vec::as_slice);
            Candidate { id, controls, severity: *severity, remedy: remedy.as_deref() }
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
