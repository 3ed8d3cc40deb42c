//! `responsibility.yaml` as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatrixFile {
    /// Source key → page.
    pub(crate) sources: BTreeMap<String, SourceFile>,
    /// The areas.
    pub(crate) areas: Vec<AreaFile>,
    /// The services.
    pub(crate) services: Vec<ServiceFile>,
}

/// A page that cells refer to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceFile {
    /// The page's address.
    pub(crate) page: String,
    /// What was taken from it, and how sure that is.
    pub(crate) says: String,
}

/// One area.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AreaFile {
    /// The area's name.
    pub(crate) area: String,
    /// What it is about.
    pub(crate) about: String,
    /// Service model → whose duty.
    pub(crate) owners: BTreeMap<String, CellFile>,
}

/// One cell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CellFile {
    /// `customer`, `shared` or `provider`.
    pub(crate) owner: String,
    /// The key of the source.
    pub(crate) source: String,
}

/// One service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFile {
    /// `aws`, `azure` or `gcp`.
    pub(crate) cloud: String,
    /// The name rules use.
    pub(crate) name: String,
    /// `iaas`, `paas`, `faas` or `saas`.
    pub(crate) model: String,
    /// What is left to the customer.
    pub(crate) customer: Vec<DutyFile>,
    /// What the provider takes on.
    pub(crate) provider: Vec<String>,
    /// The key of the source.
    pub(crate) source: String,
}

/// One duty of the customer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DutyFile {
    /// Its area.
    pub(crate) area: String,
    /// What is to be done.
    pub(crate) duty: String,
    /// Why no audit log shows it, where none does.
    #[serde(default)]
    pub(crate) unseen: Option<String>,
}

impl MatrixFile {
    /// The address of a source; [`parse`] has seen to it that there is one.
    pub(crate) fn page(&self, source: &str) -> String {
        self.sources.get(source).map(|source| source.page.clone()).unwrap_or_default()
    }
}

/// Reads the file.
///
/// # Errors
/// It is no matrix, a cell is missing, or something refers to a source that is not listed.
pub(crate) fn parse(text: &str) -> Result<MatrixFile, String> {
    let file: MatrixFile = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    if let Some((key, _)) = file.sources.iter().find(|(_, source)| source.says.trim().is_empty()) {
        return Err(format!("source `{key}` does not say what was taken from it"));
    }
    for area in &file.areas {
        for model in ["onprem", "iaas", "paas", "faas", "saas"] {
            let cell = area.owners.get(model).ok_or_else(|| format!("`{}` has no cell for `{model}`", area.area))?;
            if !file.sources.contains_key(&cell.source) {
                return Err(format!("`{}` for `{model}` has no source `{}`", area.area, cell.source));
            }
        }
    }
    for service in &file.services {
        if !file.sources.contains_key(&service.source) {
            return Err(format!("service `{}` has no source `{}`", service.name, service.source));
        }
        for duty in &service.customer {
            if !file.areas.iter().any(|area| area.area == duty.area) {
                return Err(format!("service `{}` has no area `{}`", service.name, duty.area));
            }
        }
    }
    Ok(file)
}
