//! Which Deny statements take an Allow back, and to whom they limit it.
//!
//! An explicit Deny wins over every Allow, whatever their order (IAM User Guide, "Policy evaluation logic"). But a Deny
//! counts here only when it is certain to hit: it must name everyone (or the very principal of the Allow), cover every
//! action and every resource of the Allow, and either have no condition or deny everyone outside fixed values
//! (`StringNotEquals` on `aws:PrincipalOrgID`, `NotIpAddress`, …). Whatever is partial changes nothing.

use super::condition::{Scope, spares};
use super::principal;
use super::reach::Reaches;
use super::statement::{Principal, Principals, Statement};

/// Whether a Deny is about everything that an Allow is about.
pub(super) fn hits(deny: &Statement<'_>, allow: &Statement<'_>) -> bool {
    deny.actions.cover(&allow.actions, true) && deny.resources.cover(&allow.resources, false)
}

/// To whom a Deny that [`hits`] limits one principal of the Allow; `None` when it does not.
pub(super) fn limit(deny: &Statement<'_>, who: Principal<'_>, scope: Scope<'_>) -> Option<Reaches> {
    match &deny.principals {
        Principals::Listed(denied) if denied.contains(&Principal::Everyone) => {
            if deny.conditions.is_empty() {
                return Some(Reaches::nobody());
            }
            // The Deny holds only when all its conditions do, so whoever is spared by one is spared.
            let mut left = Vec::new();
            for condition in &deny.conditions {
                left.extend(spares(condition, scope)?.into_list());
            }
            Some(Reaches::any(left))
        }
        Principals::Listed(denied) => (deny.conditions.is_empty() && denied.contains(&who)).then(Reaches::nobody),
        // "Everyone but these" leaves these, of all that were let in.
        Principals::Except(spared) if who == Principal::Everyone && deny.conditions.is_empty() => {
            Some(Reaches::any(spared.iter().map(|s| principal::reach(*s, &[], scope)).collect()))
        }
        Principals::Except(_) | Principals::Holder => None,
    }
}
