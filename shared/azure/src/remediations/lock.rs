//! Management locks: makes one again that the change deleted.

use onus_core::{Finding, Image, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step};

use super::{Restored, answered_id, refused, remembered, subject, unless_read, unreadable};
use crate::readers::arm::{call, pick, text};
use crate::readers::governance::{LOCK, LOCK_KIND, lock};

/// See the [module docs](self).
pub(crate) struct RestoreLock;

const PUT: &str = "Microsoft.Authorization:ManagementLocks_CreateOrUpdateByScope";
const DELETE: &str = "Microsoft.Authorization:ManagementLocks_DeleteByScope";

static SPEC: Spec = Spec {
    id: "azure.authorization.restore_lock",
    title: "Makes a lock that the change deleted again, as it was known",
    safety: Safety::Automatic,
    kind: LOCK_KIND,
    reads: &["Microsoft.Authorization:ManagementLocks_GetByScope"],
    writes: &[PUT],
    undo: &[DELETE],
    caveat: "What was deleted or changed while the lock was gone is not brought back. A lock that was never read \
             cannot be restored. To undo, Onus needs the right to delete locks: whoever has taken over its identity \
             can lift every lock. Take it out of the role where that weighs more, and lift by hand.",
};

impl Remediation for RestoreLock {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, lock(&subject(&SPEC, finding)?)))
    }

    fn plan(&self, _: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        if image.get(LOCK).is_null() {
            return Err(refused(
                &SPEC,
                "the lock is gone, and it cannot be restored: no state of it was recorded before the change",
            ));
        }
        Ok(Vec::new())
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

impl Restoration for RestoreLock {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        match restored(finding, known, image)? {
            Some(restored) => Ok(vec![restored.step]),
            None => Remediation::plan(self, finding, image),
        }
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        restored(finding, known, image).ok()?.map(|restored| restored.leaves(image))
    }
}

/// `None` when nothing is known, or when a lock of that name is there: the same one, or somebody else's.
fn restored(finding: &Finding, known: &Known, image: &Image) -> Result<Option<Restored>, PlanError> {
    let Some(before) = remembered(finding, known, LOCK_KIND, LOCK) else { return Ok(None) };
    if !image.get(LOCK).is_null() {
        return Ok(None);
    }
    let id = answered_id(&SPEC, before, subject(&SPEC, finding)?.as_str())?;
    let level = text(before, "/properties/level");
    if level.is_empty() {
        return Err(unreadable(&SPEC, LOCK, &"was remembered without its level"));
    }
    let name = id.rsplit('/').next().unwrap_or_default();
    let step = Step {
        title: format!("make lock `{}` again ({})", name.escape_debug(), level.escape_debug()),
        call: call(PUT, &id, Some(pick(before, &["properties"]))),
        inverse: Some(call(DELETE, &id, None)),
    };
    Ok(Some(Restored { step, key: LOCK, left: before.clone() }))
}
