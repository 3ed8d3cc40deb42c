//! The shared responsibility model as data: areas × service models, and what each service leaves to its customer.
//!
//! The data is `responsibility.yaml`, compiled in. Which rules watch over a duty is not written there: a rule names its
//! service and area, so adding a rule is still one new file.

use onus_core::{Area, Cloud, Party, ServiceModel};

use crate::catalog::Catalog;
use crate::model::Status;
use crate::rule::Rule;

mod generated {
    use onus_core::{Area, Cloud, Party, ServiceModel};

    use super::{AreaRow, Cell, CustomerDuty, ServiceRow};

    include!(concat!(env!("OUT_DIR"), "/matrix.rs"));
}

/// The matrix: whose duty each area is, by service model, and the services that the rules know.
#[derive(Debug, Clone, Copy)]
pub struct Matrix {
    /// One row per area.
    pub areas: &'static [AreaRow],
    /// One row per service and cloud.
    pub services: &'static [ServiceRow],
}

/// One area and whose duty it is under each service model.
#[derive(Debug, Clone, Copy)]
pub struct AreaRow {
    /// The area.
    pub area: Area,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// One cell per service model.
    pub cells: &'static [Cell],
}

/// Whose duty an area is under one service model.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// The service model.
    pub model: ServiceModel,
    /// Whose duty.
    pub owner: Party,
    /// The page that says so.
    pub source: &'static str,
}

/// One service: its model and who does what.
#[derive(Debug, Clone, Copy)]
pub struct ServiceRow {
    /// Whose service.
    pub cloud: Cloud,
    /// The name that rules give in `duty.service`.
    pub name: &'static str,
    /// How much of it the provider runs.
    pub model: ServiceModel,
    /// What is left to the customer.
    pub customer: &'static [CustomerDuty],
    /// What the provider takes on.
    pub provider: &'static [&'static str],
    /// The page it was taken from.
    pub source: &'static str,
}

/// One thing that a service leaves to its customer.
#[derive(Debug, Clone, Copy)]
pub struct CustomerDuty {
    /// The area it belongs to.
    pub area: Area,
    /// What is to be done.
    pub text: &'static str,
    /// Why no audit log shows whether it is done; `None` when one can.
    pub unseen: Option<&'static str>,
}

/// The matrix that is compiled in.
pub fn matrix() -> Matrix {
    Matrix { areas: generated::AREAS, services: generated::SERVICES }
}

impl Matrix {
    /// The row of a service, by its cloud (`aws`) and its exact name (`S3`).
    pub fn service(&self, cloud: &str, name: &str) -> Option<&'static ServiceRow> {
        self.services.iter().find(|row| row.cloud.as_str() == cloud && row.name == name)
    }

    /// The cell of an area and a service model.
    pub fn cell(&self, area: Area, model: ServiceModel) -> Option<&'static Cell> {
        let row = self.areas.iter().find(|row| row.area == area)?;
        row.cells.iter().find(|cell| cell.model == model)
    }

    /// Whose duty an area is under a service model. The matrix has every cell; were one missing, it would be the customer's.
    pub fn owner(&self, area: Area, model: ServiceModel) -> Party {
        self.cell(area, model).map_or(Party::Customer, |cell| cell.owner)
    }
}

impl ServiceRow {
    /// The live rules of a catalogue that watch over an area of this service.
    pub fn rules<'a>(&self, area: Area, catalog: &'a Catalog) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let (cloud, name) = (self.cloud.as_str(), self.name);
        catalog.rules().filter(move |rule| {
            rule.status != Status::Deprecated && rule.cloud() == cloud && rule.service == name && rule.area == area
        })
    }
}

/// The duties of customers that no live rule of a catalogue watches over, with their services, in the order of the matrix.
/// A duty that no audit log shows ([`CustomerDuty::unseen`]) is among them as long as no rule is there.
pub fn duties_without_a_rule(catalog: &Catalog) -> Vec<(&'static ServiceRow, &'static CustomerDuty)> {
    let duties = matrix().services.iter().flat_map(|row| row.customer.iter().map(move |duty| (row, duty)));
    duties.filter(|(row, duty)| row.rules(duty.area, catalog).next().is_none()).collect()
}
