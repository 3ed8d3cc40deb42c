//! How one kind of bad change is taken back.

use crate::finding::Finding;
use crate::memory::Restoration;
use crate::plan::{Image, PlanError, Read, Step};
use crate::response::Safety;

/// What docs, roles and the runner need to know of a remediation.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// `aws.s3.remove_public_statements`.
    pub id: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// How far it may go without a person.
    pub safety: Safety,
    /// The resource kind it acts on: `AWS::S3::Bucket`.
    pub kind: &'static str,
    /// Operations it reads with, `service:Operation`.
    pub reads: &'static [&'static str],
    /// Operations it writes with.
    pub writes: &'static [&'static str],
    /// Operations its undo writes with.
    pub undo: &'static [&'static str],
    /// What an undo cannot bring back, or what breaks meanwhile; empty when nothing.
    pub caveat: &'static str,
}

/// Takes back exactly what a change did. Only decides: the pipeline reads, sends, reads back and undoes.
///
/// Before editing one: dry run, approval, budgets and loops are judged in `pipeline`, not here.
pub trait Remediation: Send + Sync {
    /// What it is and needs.
    fn spec(&self) -> &'static Spec;

    /// The reads that are still missing from the image. Asked again with what was read, until it wants no more:
    /// so a second read may depend on the first.
    ///
    /// # Errors
    /// The finding does not name what there is to read.
    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError>;

    /// The calls that take the bad part back. Empty when it is gone: the same function is the verification.
    ///
    /// # Errors
    /// The state cannot be understood, or acting would break more than it mends.
    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError>;

    /// The resource as the plan on this image leaves it, where a call writes a whole document: an undo then writes a whole document too, and
    /// must never take with it what somebody else changed between the response's write and its reading back. So it is this that an undo
    /// compares the resource with, and not what was read back.
    ///
    /// `None` where each call adds or removes single entries: its inverse touches nothing else.
    fn leaves(&self, _finding: &Finding, _image: &Image) -> Option<Image> {
        None
    }

    /// How it goes back to what was known of the resource before the change; `None` where the record alone says what to take back.
    fn restoration(&self) -> Option<&dyn Restoration> {
        None
    }
}
