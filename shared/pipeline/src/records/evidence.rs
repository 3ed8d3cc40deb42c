//! Evidence: what the ledger holds about a finding, chained by hash.
//!
//! `evidence/<finding>/<n>.json` is the n-th link. It names entries of the ledger by key with the SHA-256 of their bytes, and the SHA-256 of
//! the link before it: the record, the claim and the finding first, then what was about to be sent on which image, then the answers and the
//! receipt with the image after and the verdict. So whoever changes an entry or a link breaks the chain at a link that can be named, and an entry that no link names was put in, or its link taken out, behind the
//! chain's back. Who may rewrite the whole store can rewrite the whole chain: that is the store's own affair, which
//! keeps entries from being overwritten.
//!
//! A link is created after the entries it names. A handler that dies between the two leaves the next one to make it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use onus_core::{Created, FindingId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Records;
use super::key::{claim_key, finding_key};
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

/// What looking at a chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "chain")]
pub enum Chain {
    /// Every link holds.
    Whole {
        /// How many there are.
        links: usize,
        /// The SHA-256 of the last one: kept elsewhere, it holds the whole chain.
        head: String,
    },
    /// There is no link at all.
    Missing,
    /// The first link that does not hold.
    Broken {
        /// Its number; one more than there are links, when an entry is in none.
        link: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { links, head } => write!(f, "whole: {links} links, head {head}"),
            Self::Missing => f.write_str("missing: there is no link"),
            Self::Broken { link, reason } => write!(f, "broken at link {link}: {reason}"),
        }
    }
}

/// What is kept about a finding below its own prefixes and has to be in its chain.
const GUARDED: [&str; 3] = ["attempts", "receipts", "plans"];

fn link_key(finding: &FindingId, number: usize) -> String {
    format!("evidence/{finding}/{number:04}.json")
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
    }
    text
}

impl Records {
    /// Chains entries to a finding's evidence, in one link; entries that are chained already or are not there are left out.
    pub(crate) async fn witness(&self, finding: &FindingId, keys: &[String], at: Timestamp) -> Result<(), RecordError> {
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
            if entries.is_empty() {
                return Ok(());
            }
            let number = links.len() + 1;
            let previous = links.last().map(|(_, hash)| hash.clone());
            let link = Link { finding: finding.clone(), number, previous, at, entries };
            if self.put(&link_key(finding, number), &link).await? == Created::New {
                return Ok(());
            }
        }
    }

    /// Chains the record and what was decided about it.
    pub(crate) async fn witness_finding(&self, finding: &onus_core::Finding, at: Timestamp) -> Result<(), RecordError> {
        let (id, change) = (&finding.id, &finding.change);
        let claim = claim_key(change.cloud, &change.uid, &finding.rule);
        self.witness(id, &[format!("records/{id}.json"), claim, finding_key(id)], at).await
    }

    /// Chains everything that was kept about what was done.
    pub(crate) async fn witness_all(&self, finding: &FindingId, at: Timestamp) -> Result<(), RecordError> {
        let mut keys = vec![format!("decisions/{finding}.json")];
        for prefix in GUARDED {
            keys.extend(self.keys(&format!("{prefix}/{finding}")).await?);
        }
        self.witness(finding, &keys, at).await
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

    /// Looks at a finding's chain, link by link, and at every entry that it vouches for.
    ///
    /// # Errors
    /// The ledger failed. What it holds, however odd, is an answer.
    pub async fn verify(&self, finding: &FindingId) -> Result<Chain, RecordError> {
        let keys = self.keys(&format!("evidence/{finding}")).await?;
        let mut previous = None;
        let mut chained = BTreeSet::new();
        for number in 1..=keys.len() {
            let broken = |reason: String| Ok(Chain::Broken { link: number, reason });
            let Some(bytes) = self.0.read(&link_key(finding, number)).await? else {
                return broken("it is not there, and later ones are".to_owned());
            };
            let link: Link = match serde_json::from_slice(&bytes) {
                Ok(link) => link,
                Err(error) => return broken(format!("it cannot be read: {error}")),
            };
            if link.finding != *finding || link.number != number {
                return broken(format!("it says that it is link {} of {}", link.number, link.finding));
            }
            if link.previous != previous {
                return broken("the link before it is not the one that it was made after".to_owned());
            }
            for entry in &link.entries {
                match self.0.read(&entry.key).await? {
                    Some(bytes) if sha256(&bytes) == entry.sha256 => {}
                    Some(_) => return broken(format!("`{}` is not what it was", entry.key)),
                    None => return broken(format!("`{}` is gone", entry.key)),
                }
                chained.insert(entry.key.clone());
            }
            previous = Some(sha256(&bytes));
        }
        let Some(head) = previous else { return Ok(Chain::Missing) };
        for prefix in GUARDED {
            for key in self.keys(&format!("{prefix}/{finding}")).await? {
                if !chained.contains(&key) {
                    return Ok(Chain::Broken { link: keys.len() + 1, reason: format!("`{key}` is in no link") });
                }
            }
        }
        Ok(Chain::Whole { links: keys.len(), head })
    }
}
