//! Evidence: what the ledger holds about a finding, chained by hash.
//!
//! `evidence/<finding>/<n>.json` is the n-th link. It names entries of the ledger by key with the SHA-256 of their bytes, and the SHA-256 of
//! the link before it: the record, what the policy decided, the claim and the finding first, then what was about to be sent on which image,
//! then the answers and the receipt with the image after and the verdict; plans, alarms, decisions of people and the requests they
//! answer as they come. So whoever changes an entry or a link breaks the chain at a link that can be named.
//!
//! A link is created after the entries it names and before anything follows from them. A handler that dies between the two leaves the next
//! one to make it. Whoever is told afterwards gets a marker that holds the number and the hash of the last link ([`Head`]), so that an end
//! that was cut off is missed. What looking at a chain can find, and what it cannot, is said in `src/records/verify.rs`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use futures::future::try_join_all;
use jiff::Timestamp;
use onus_core::{Created, Finding, FindingId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Records;
use super::key::{claim_key, day_key, finding_key, record_key};
use crate::error::RecordError;

/// One link of a finding's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The finding.
    pub finding: FindingId,
    /// Its place, from 1.
    pub number: usize,
    /// The SHA-256 of the link before, in hexadecimal; `None` for the first.
    pub previous: Option<String>,
    /// When it was made.
    pub at: Timestamp,
    /// What it vouches for.
    pub entries: Vec<Vouched>,
}

/// An entry that a link vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// Its key.
    pub key: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// The end of a chain, as whoever goes on from it puts it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the last link; 0 where nothing was chained.
    pub link: usize,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What is kept about a finding below prefixes of its own and has to be in its chain.
pub(super) const GUARDED: [&str; 5] = ["judged", "plans", "attempts", "receipts", "alarms"];

/// What people ask for. It is chained with what came of it: until then it may stand there by itself.
pub(super) const REQUESTS: &str = "requests";

pub(super) fn link_key(finding: &FindingId, number: usize) -> String {
    format!("evidence/{finding}/{number:04}.json")
}

pub(super) fn decision_key(finding: &FindingId) -> String {
    format!("decisions/{finding}.json")
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
    }
    text
}

impl Records {
    /// Chains entries to a finding's evidence, in one link; entries that are chained already or are not there are left out. Returns the
    /// end of the chain.
    pub(crate) async fn witness(
        &self,
        finding: &FindingId,
        keys: &[String],
        at: Timestamp,
    ) -> Result<Head, RecordError> {
        loop {
            let links = self.links(finding).await?;
            let chained: BTreeSet<&str> =
                links.iter().flat_map(|(link, _)| &link.entries).map(|entry| entry.key.as_str()).collect();
            let mut entries = Vec::new();
            for key in keys.iter().filter(|key| !chained.contains(key.as_str())) {
                if let Some(bytes) = self.0.read(key).await? {
                    entries.push(Vouched { key: key.clone(), sha256: sha256(&bytes) });
                }
            }
            let previous = links.last().map(|(_, hash)| hash.clone());
            if entries.is_empty() {
                return Ok(Head { link: links.len(), sha256: previous.unwrap_or_default() });
            }
            let number = links.len() + 1;
            let link = Link { finding: finding.clone(), number, previous, at, entries };
            let (created, hash) = self.put_hashed(&link_key(finding, number), &link).await?;
            if created == Created::New {
                return Ok(Head { link: number, sha256: hash });
            }
        }
    }

    /// Chains the record, what was decided about it and, where an earlier handler may have left something, all that it left.
    pub(crate) async fn witness_finding(
        &self,
        finding: &Finding,
        also: Vec<String>,
        claimed: Created,
        at: Timestamp,
    ) -> Result<Head, RecordError> {
        let (id, change) = (&finding.id, &finding.change);
        let claim = claim_key(change.cloud, &change.uid, &finding.rule);
        let mut keys = vec![record_key(id), claim, finding_key(id), day_key(finding)];
        keys.extend(also);
        if claimed == Created::Existed {
            keys.extend(self.below(&["judged", "alarms"], id).await?);
        }
        self.witness(id, &keys, at).await
    }

    /// Chains everything that was kept about what was decided and done.
    pub(crate) async fn witness_all(&self, finding: &FindingId, at: Timestamp) -> Result<Head, RecordError> {
        let mut keys = self.below(&[REQUESTS], finding).await?;
        keys.push(decision_key(finding));
        keys.extend(self.below(&GUARDED, finding).await?);
        self.witness(finding, &keys, at).await
    }

    /// The keys of a finding below several prefixes, in their order.
    pub(super) async fn below(&self, prefixes: &[&str], finding: &FindingId) -> Result<Vec<String>, RecordError> {
        let prefixes: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}/{finding}")).collect();
        Ok(try_join_all(prefixes.iter().map(|prefix| self.keys(prefix))).await?.concat())
    }

    /// The links in order with the hash of each, up to the first that is missing or unreadable.
    async fn links(&self, finding: &FindingId) -> Result<Vec<(Link, String)>, RecordError> {
        let mut links = Vec::new();
        for number in 1.. {
            let key = link_key(finding, number);
            let Some(bytes) = self.0.read(&key).await? else { break };
            let link = serde_json::from_slice(&bytes).map_err(|source| RecordError::Corrupt { key, source })?;
            links.push((link, sha256(&bytes)));
        }
        Ok(links)
    }
}
