//! The parts of a record that effects are read from.

use onus_core::document::NULL;
use onus_core::{Change, Json};

use super::policy::Owner;

/// A change, with the parts of its payload at hand.
pub(super) struct Seen<'c, 'a> {
    pub(super) change: &'c Change<'a>,
    payload: &'c Json<'a>,
}

impl<'c, 'a> Seen<'c, 'a> {
    pub(super) fn of(change: &'c Change<'a>) -> Self {
        Self { change, payload: change.record.json().get_ci("protoPayload") }
    }

    pub(super) fn request(&self) -> &'c Json<'a> {
        self.change.request.json()
    }

    /// `serviceData`, which newer services leave out.
    pub(super) fn service_data(&self) -> &'c Json<'a> {
        self.payload.get_ci("serviceData")
    }

    /// `metadata`; nothing when the log spread it over several records.
    pub(super) fn metadata(&self) -> &'c Json<'a> {
        self.payload.get_ci("metadata")
    }

    /// How effects name the resource: its full name, else the project.
    pub(super) fn owner(&self) -> Owner<'c> {
        let project = self.change.account.as_ref();
        let named = self.change.resources.first().map(|resource| resource.id.as_ref());
        Owner { resource: named.filter(|id| !id.is_empty()).unwrap_or(project), project }
    }
}

/// The first of several members that is there, in any case.
pub(super) fn any<'c, 'a>(json: &'c Json<'a>, names: &[&str]) -> &'c Json<'a> {
    names.iter().map(|name| json.get_ci(name)).find(|value| !value.is_null()).unwrap_or(&NULL)
}

/// The texts of a list, or the one text that stands for it.
pub(super) fn texts<'c>(json: &'c Json<'_>) -> impl Iterator<Item = &'c str> {
    json.each().iter().filter_map(Json::as_str)
}
