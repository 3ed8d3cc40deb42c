//! Records that tell of one thing together: the first and the last of a long-running operation, and the parts of an entry that was too
//! large for one.
//!
//! Sources: `LogEntryOperation` and `LogSplit` (<https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry>).

use std::borrow::Cow;

use onus_core::Json;

use crate::text::Text;

/// `operation` of a log entry. A call that was done at once has both flags on its only record.
#[derive(Debug, Default)]
pub(super) struct Operation<'a> {
    id: Cow<'a, str>,
    first: bool,
    last: bool,
}

impl<'a> Operation<'a> {
    /// Nothing when the entry has none.
    pub(super) fn of(text: Option<&'a str>) -> Self {
        let Some(json) = text.and_then(|text| Json::parse(text).ok()) else { return Self::default() };
        Self {
            id: Text::of_json(json.get_ci("id")).0,
            first: json.get_ci("first").as_bool() == Some(true),
            last: json.get_ci("last").as_bool() == Some(true),
        }
    }

    /// Whether the operation goes on behind this record.
    pub(super) fn is_beginning(&self) -> bool {
        self.first && !self.last
    }

    /// Whether the operation began in another record.
    pub(super) fn is_end(&self) -> bool {
        self.last && !self.first
    }

    /// Whether another record tells of the same operation.
    pub(super) fn has_more(&self) -> bool {
        !self.id.is_empty() && self.first != self.last
    }

    /// What the operation's records share: log, operation and resource. The resource is part of it because one job of `BigQuery` may change
    /// several. `None` for a record that stands alone.
    pub(super) fn key(&self, log_name: &str, resource: &str) -> Option<String> {
        let known = !self.id.is_empty() && (self.first || self.last);
        known.then(|| format!("{log_name}/{}/{resource}", self.id))
    }
}

/// `split` of a log entry: request, response and metadata are spread over `totalSplits` records.
#[derive(Debug, Default)]
pub(super) struct Split<'a> {
    /// What the parts share.
    pub(super) id: Cow<'a, str>,
}

impl<'a> Split<'a> {
    /// Nothing when the entry is whole.
    pub(super) fn of(text: Option<&'a str>) -> Self {
        let json = text.and_then(|text| Json::parse(text).ok()).unwrap_or_default();
        Self { id: Text::of_json(json.get_ci("uid")).0 }
    }

    /// Whether other records have the rest.
    pub(super) fn is_part(&self) -> bool {
        !self.id.is_empty()
    }
}
