//! How far a principal or a condition reaches, and which of several limits is the tightest.

use std::cmp::Reverse;

use onus_core::Audience;

/// One kind of caller that may come through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reach {
    pub(super) audience: Audience,
    /// The account, or the organisation or VPC that stands for one, where it can be told.
    pub(super) account: Option<String>,
}

impl Reach {
    pub(super) fn of(audience: Audience) -> Self {
        Self { audience, account: None }
    }

    /// Somebody else, known by an organisation, a VPC or a VPC endpoint.
    pub(super) fn of_zone(zone: &str) -> Self {
        Self { audience: Audience::External, account: Some(zone.to_owned()) }
    }

    /// The owner's account is internal, any other external.
    pub(super) fn account(account: &str, owner: &str) -> Self {
        let audience = if account == owner && !owner.is_empty() { Audience::Internal } else { Audience::External };
        Self { audience, account: Some(account.to_owned()) }
    }
}

/// Several kinds of callers, any of whom may come through. Empty: nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reaches(Vec<Reach>);

impl Reaches {
    pub(super) fn nobody() -> Self {
        Self::default()
    }

    pub(super) fn one(reach: Reach) -> Self {
        Self(vec![reach])
    }

    /// Widest first, each once.
    pub(super) fn any(mut all: Vec<Reach>) -> Self {
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    pub(super) fn list(&self) -> &[Reach] {
        &self.0
    }

    pub(super) fn into_list(self) -> Vec<Reach> {
        self.0
    }

    /// The tightest of several limits that all hold at once: whose widest audience is the narrowest, and among those
    /// the one that tells most accounts. The order of the limits does not matter.
    pub(super) fn tightest(limits: impl IntoIterator<Item = Reaches>) -> Option<Self> {
        limits.into_iter().min_by_key(|limit| {
            let untold = limit.0.iter().filter(|reach| reach.account.is_none()).count();
            (Reverse(limit.0.first().map_or((1, None), |widest| (0, Some(widest.audience)))), untold, limit.0.clone())
        })
    }
}
