//! Anonymous access to blobs: turns a container's, or a whole account's, off again.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{answered_id, subject, unless_read, unreadable};
use crate::readers::arm::{call, text};
use crate::readers::storage::{ACCOUNT, ACCOUNT_KIND, CONTAINER, CONTAINER_KIND, account, container};

/// Makes a container private.
pub(crate) struct DisableContainerPublicAccess;

static CONTAINER_ACCESS: Spec = Spec {
    id: "azure.storage.disable_container_public_access",
    title: "Makes the container private that the change opened to anonymous readers",
    safety: Safety::Automatic,
    kind: CONTAINER_KIND,
    reads: &["Microsoft.Storage:BlobContainers_Get"],
    writes: &["Microsoft.Storage:BlobContainers_Update"],
    undo: &["Microsoft.Storage:BlobContainers_Update"],
    caveat: "The record does not tell what the container's access was before: one that was open for its blobs and is opened \
             for listing too becomes private altogether. Stored access policies, and signatures that were handed out, stay \
             as they are.",
};

impl Remediation for DisableContainerPublicAccess {
    fn spec(&self) -> &'static Spec {
        &CONTAINER_ACCESS
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, container(&subject(&CONTAINER_ACCESS, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let id = subject(&CONTAINER_ACCESS, finding)?;
        let live = image.get(CONTAINER);
        if live.is_null() {
            return Ok(Vec::new());
        }
        let access = text(live, "/properties/publicAccess");
        match access {
            "None" => return Ok(Vec::new()),
            "Blob" | "Container" => {}
            _ => return Err(unreadable(&CONTAINER_ACCESS, CONTAINER, &"has a public access that is not known")),
        }
        let id = answered_id(&CONTAINER_ACCESS, live, id.as_str())?;
        let set = |access: &str| {
            let body = json!({ "properties": { "publicAccess": access } });
            call("Microsoft.Storage:BlobContainers_Update", &id, Some(body))
        };
        let title = format!("set public access of container `{}` from {access} to None", last(&id));
        Ok(vec![Step { title, call: set("None"), inverse: Some(set(access)) }])
    }
}

/// Forbids anonymous access to anything in an account.
pub(crate) struct DisableBlobPublicAccess;

static ACCOUNT_ACCESS: Spec = Spec {
    id: "azure.storage.disable_blob_public_access",
    title: "Forbids anonymous access in the storage account again",
    safety: Safety::NeedsApproval,
    kind: ACCOUNT_KIND,
    reads: &["Microsoft.Storage:StorageAccounts_GetProperties"],
    writes: &["Microsoft.Storage:StorageAccounts_Update"],
    undo: &["Microsoft.Storage:StorageAccounts_Update"],
    caveat: "Every container of the account that is open on purpose closes with it; a static website ($web, served by its \
             own endpoint) does not.",
};

impl Remediation for DisableBlobPublicAccess {
    fn spec(&self) -> &'static Spec {
        &ACCOUNT_ACCESS
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, account(&subject(&ACCOUNT_ACCESS, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let id = subject(&ACCOUNT_ACCESS, finding)?;
        let live = image.get(ACCOUNT);
        if live.is_null() {
            return Ok(Vec::new());
        }
        let id = answered_id(&ACCOUNT_ACCESS, live, id.as_str())?;
        match live.pointer("/properties/allowBlobPublicAccess").and_then(Value::as_bool) {
            Some(false) => Ok(Vec::new()),
            Some(true) => {
                let set = |allowed: bool| {
                    let body = json!({ "properties": { "allowBlobPublicAccess": allowed } });
                    call("Microsoft.Storage:StorageAccounts_Update", &id, Some(body))
                };
                let title = format!("forbid anonymous access in storage account `{}`", last(&id));
                Ok(vec![Step { title, call: set(false), inverse: Some(set(true)) }])
            }
            None => Err(unreadable(&ACCOUNT_ACCESS, ACCOUNT, &"does not tell whether anonymous access is allowed")),
        }
    }
}

/// The name in an id.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
