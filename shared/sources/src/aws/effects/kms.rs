//! KMS grants. Key policies are in [`policies`](super::policies).
//!
//! Source: AWS KMS API Reference, `CreateGrant`.

use onus_core::Effects;

use super::policies::{Permission, absent};
use super::seen::{Seen, any, scalar, texts};

/// `CreateGrant`: the grantee may do the operations. Who may retire the grant gets no use of the key and is not told.
/// An encryption context limits what for, not who. A refused grant has no id.
pub(super) fn grant(seen: &Seen<'_, '_>) -> Effects {
    let Some(grantee) = seen.text(&["granteePrincipal"]) else { return absent("granteePrincipal") };
    let operations = texts(seen.any(&["operations"]));
    let permission = Permission {
        principal: &grantee,
        actions: operations.iter().map(|operation| format!("kms:{operation}")).collect(),
        conditions: Vec::new(),
    };
    let id = scalar(any(seen.response, &["grantId"]));
    permission.judged(seen, &seen.resource(&["keyId"]), "grant", id.as_deref())
}
