//! What was known of a resource before a change, and how it goes back to that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::change::{ChangeSummary, Resource};
use crate::finding::Finding;
use crate::plan::{Image, PlanError, Read, Step};

/// One resource as it was last seen before a moment. Parts that were never read then are missing from the image: a restoration
/// asks with [`Image::has`], because "there was none" (`null`) is knowledge too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remembered {
    /// What was read, by read key, each part as last seen.
    pub image: Image,
    /// When the youngest part became as it is here.
    pub since: Option<Timestamp>,
}

/// What is remembered of the resources of one finding, by resource id. Empty: nothing was ever seen before the change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known(BTreeMap<String, Remembered>);

impl Known {
    /// What is remembered of a resource; `None` when nothing is.
    pub fn of(&self, resource: &Resource<'_>) -> Option<&Remembered> {
        self.0.get(&*resource.id)
    }

    /// Whether nothing is remembered of anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Remembered)> for Known {
    fn from_iter<I: IntoIterator<Item = (String, Remembered)>>(resources: I) -> Self {
        Self(resources.into_iter().collect())
    }
}

/// How a remediation goes back to what was known. Only decides, as [`Remediation`](crate::Remediation) does, whose `plan` is what is done
/// where nothing is known: it contains, or refuses.
pub trait Restoration: Send + Sync {
    /// The reads that are still missing from the image, as [`Remediation::reads`](crate::Remediation::reads): which thing stands for a
    /// deleted one now can depend on what that one was.
    ///
    /// # Errors
    /// The finding does not name what there is to read.
    fn reads(&self, finding: &Finding, known: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError>;

    /// The calls that bring back what was known. Empty when it is there: the same function is the verification.
    ///
    /// # Errors
    /// The state cannot be understood, or acting would break more than it mends.
    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError>;

    /// As [`Remediation::leaves`](crate::Remediation::leaves), for this plan.
    fn leaves(&self, _finding: &Finding, _known: &Known, _image: &Image) -> Option<Image> {
        None
    }
}

/// Lists the guarded resources of one kind, so that their state is known before anybody changes it.
pub trait Lister: Send + Sync {
    /// The kind it lists, one that has a state reader: `AWS::CloudTrail::Trail`.
    fn kind(&self) -> &'static str;

    /// Operations it lists with, `service:Operation`.
    fn operations(&self) -> &[&'static str];

    /// Whether there can be any in a place: an organisation of Google Cloud has log sinks and no firewall rules.
    fn applies(&self, _place: &ChangeSummary) -> bool {
        true
    }

    /// The call that lists. `place` holds account and region, as a change there would.
    fn list(&self, place: &ChangeSummary) -> Read;

    /// The calls that list what hangs below what was listed, for a kind that has no list of its own: their answers go to
    /// [`Lister::resources`] like the first. Empty for a kind that one call lists.
    fn below(&self, _place: &ChangeSummary, _answer: &Value) -> Vec<Read> {
        Vec::new()
    }

    /// The resources in what was kept of the answer, with the ids that changes of them have.
    fn resources(&self, place: &ChangeSummary, answer: &Value) -> Vec<Resource<'static>>;
}
