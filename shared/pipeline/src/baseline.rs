//! Records what guarded resources are like, before anybody changes them.
//!
//! A change tells what is new, almost never what was before. So the guarded resources of an account and region are listed and read at
//! install and on a schedule; the memory (`src/records/states.rs`) keeps what is new in each.

use std::sync::Arc;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use onus_core::state::read_image;
use onus_core::{Actor, CallError, Caller, ChangeSummary, Clock, Cloud, Lister, Origin, Outcome, Read, Resource};
use serde::Serialize;
use serde_json::Value;

use crate::error::{HandleError, RecordError};
use crate::ports::Readers;
use crate::records::Records;

/// How many resources are read at a time.
const AT_A_TIME: usize = 8;

/// Lists and reads guarded resources.
pub struct Baseline {
    /// The ledger.
    pub records: Records,
    /// Reads; it never writes.
    pub caller: Arc<dyn Caller>,
    /// What lists the resources of each guarded kind.
    pub listers: Vec<&'static dyn Lister>,
    /// State readers by resource kind.
    pub readers: Readers,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What was recorded of one kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// The kind.
    pub kind: &'static str,
    /// Resources found.
    pub resources: usize,
    /// Resources of which some part was new to the memory.
    pub new: usize,
    /// What could not be listed or read, and why: nothing is known of it, or only what was known before.
    pub failed: Vec<String>,
}

impl Baseline {
    /// Records every guarded resource of an account and region. What cannot be listed or read is told in the answer, and the rest goes on.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn record(&self, cloud: Cloud, account: &str, region: &str) -> Result<Vec<Recorded>, HandleError> {
        let place = place(cloud, account, region, self.clock.now());
        let mut all = Vec::new();
        for lister in self.listers.iter().filter(|lister| lister.applies(&place)) {
            all.push(self.kind(*lister, &place).await?);
        }
        Ok(all)
    }

    async fn kind(&self, lister: &dyn Lister, place: &ChangeSummary) -> Result<Recorded, HandleError> {
        let mut recorded = Recorded { kind: lister.kind(), resources: 0, new: 0, failed: Vec::new() };
        let first = match self.answer(&lister.list(place)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(recorded),
            Err(error) => {
                recorded.failed.push(error.to_string());
                return Ok(recorded);
            }
        };
        let mut resources = lister.resources(place, &first);
        let below = lister.below(place, &first);
        let lists: Vec<_> = below.iter().map(|read| self.answer(read)).collect();
        for listed in stream::iter(lists).buffered(AT_A_TIME).collect::<Vec<_>>().await {
            match listed {
                Ok(answer) => resources.extend(answer.iter().flat_map(|answer| lister.resources(place, answer))),
                Err(error) => recorded.failed.push(error.to_string()),
            }
        }
        recorded.resources = resources.len();
        let reads: Vec<_> = resources.iter().map(|resource| self.resource(place, resource)).collect();
        let results: Vec<_> = stream::iter(reads).buffered(AT_A_TIME).collect().await;
        for (resource, result) in resources.iter().zip(results) {
            match result {
                Ok(new) => recorded.new += usize::from(new > 0),
                Err(Trouble::Unread(reason)) => recorded.failed.push(format!("`{}`: {reason}", resource.id)),
                Err(Trouble::Unkept(error)) => return Err(error.into()),
            }
        }
        Ok(recorded)
    }

    /// What is kept of the answer to a call that lists; `None` where there is nothing to list.
    async fn answer(&self, read: &Read) -> Result<Option<Value>, CallError> {
        match self.caller.call(&read.call).await {
            Ok(answer) => Ok(Some((read.keep)(answer))),
            Err(error) if read.absent.contains(&error.code.as_str()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads and remembers one resource; answers how many parts were new.
    async fn resource(&self, place: &ChangeSummary, resource: &Resource<'static>) -> Result<usize, Trouble> {
        let Some(reader) = (self.readers)(&resource.kind) else {
            return Err(Trouble::Unread(format!("no reader for `{}`", resource.kind)));
        };
        let image =
            read_image(self.caller.as_ref(), |so_far| Ok::<_, CallError>(reader.reads(place, resource, so_far))).await;
        let image = image.map_err(|error| Trouble::Unread(error.to_string()))?;
        self.records.remember(place, resource, &image, self.clock.now()).await.map_err(Trouble::Unkept)
    }
}

enum Trouble {
    Unread(String),
    Unkept(RecordError),
}

/// An account and region in the form that readers take: a change of nobody's.
fn place(cloud: Cloud, account: &str, region: &str, time: Timestamp) -> ChangeSummary {
    ChangeSummary {
        uid: String::new(),
        time,
        cloud,
        account: account.to_owned(),
        region: region.to_owned(),
        service: String::new(),
        action: String::new(),
        actor: Actor::default(),
        origin: Origin::default(),
        outcome: Outcome::Succeeded,
        resources: Vec::new(),
    }
}
