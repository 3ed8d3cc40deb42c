//! `responsibility.yaml` as it is written. The build script alone reads it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatrixFile {
    /// Source key → page.
    pub sources: BTreeMap<String, SourceFile>,
    /// The areas.
    pub areas: Vec<AreaFile>,
    /// The services.
    pub services: Vec<ServiceFile>,
}

/// A page that cells refer to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// The page's address.
    pub page: String,
    /// What was taken from it, and how sure that is.
    pub says: String,
}

/// One area.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaFile {
    /// The area's name.
    pub area: String,
    /// What it is about.
    pub about: String,
    /// Service model → whose duty.
    pub owners: BTreeMap<String, CellFile>,
}

/// One cell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellFile {
    /// `customer`, `shared` or `provider`.
    pub owner: String,
    /// The key of the source.
    pub source: String,
}

/// One service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// `aws`, `azure` or `gcp`.
    pub cloud: String,
    /// The name rules use.
    pub name: String,
    /// `iaas`, `paas`, `faas` or `saas`.
    pub model: String,
    /// What is left to the customer.
    pub customer: Vec<DutyFile>,
    /// What the provider takes on.
    pub provider: Vec<String>,
    /// The key of the source.
    pub source: String,
}

/// One duty of the customer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyFile {
    /// Its area.
    pub area: String,
    /// What is to be done.
    pub duty: String,
    /// Why no audit log shows it, where none does.
    #[serde(default)]
    pub unseen: Option<String>,
}

impl MatrixFile {
    /// The address of a source; [`parse`] has seen to it that there is one.
    pub fn page(&self, source: &str) -> String {
        self.sources.get(source).map(|source| source.page.clone()).unwrap_or_default()
    }
}

/// Reads the file.
///
/// # Errors
/// It is no matrix, a cell is missing, or something refers to a source that is not listed.
pub fn parse(text: &str) -> Result<MatrixFile, String> {
    let file: MatrixFile = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
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
