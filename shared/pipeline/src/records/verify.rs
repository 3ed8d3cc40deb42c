//! Looking at a chain of evidence, and at what else in the ledger tells that a part of it is missing.
//!
//! Each link names the one before it, so a link that was changed, taken out or put in between is found by the next one. The last link has no
//! next one. It is held by the markers of who was told and asked after it was made ([`Head`]), and by entries that no link names. So an end
//! that was cut off is named as broken while anything is left that was made after it:
//!
//! | what is left | what has to be there |
//! |---|---|
//! | `told/<id>/…`, `asked/<id>` | the link that it names, with the hash that it names |
//! | `judged`, `plans`, `attempts`, `receipts`, `alarms`, `decisions` of the finding | a link that names it |
//! | `waiting/<day>/<id>/<plan>` | the plan, and a link that names it |
//! | `days/<day>/<id>` | the first link |
//! | `budgets/<hour>/<n>.json` | every number before it |
//!
//! Other entries are made before the link that would follow, so that a handler that dies leaves them in the same way as somebody who cuts
//! off what came after. A chain that ends like that is not whole either, and is said to be [unfinished](Chain::Unfinished):
//!
//! | what is left | what would follow |
//! |---|---|
//! | `asked/<id>` | what the respond function decided |
//! | an attempt; slots in `budgets/…` or a mark in `contests/…` for one | a receipt, or a plan that waits |
//! | a decision to approve, a request of a person | a receipt |
//!
//! Who takes out the end of a chain *and* every one of these, or a finding with all that names it, leaves a ledger that is whole and tells
//! less. Nothing inside a store can show that. Three things outside of it do: the object lock or retention policy of the ledger's bucket
//! (`infra/`), under which nothing can be taken out before its time, and which has to be locked so that administrators cannot shorten it (`COMPLIANCE` mode on S3, a locked
//! policy on Azure and Google Cloud); the copies of every notice that sinks hold, each with the finding's id; and the provider's own audit log
//! of what the respond role sent. Who may write to the store before an entry is made can lie from the start: evidence proves what was
//! kept, not what was true.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use onus_core::plan::ReceiptKind;
use onus_core::{Finding, FindingId, Receipt};
use serde::Serialize;

use super::entry::Request;
use super::evidence::{GUARDED, Head, Link, REQUESTS, decision_key, link_key, sha256};
use super::key::{finding_key, resource_lock};
use super::{Records, Traces, hashed};
use crate::error::RecordError;
use crate::job::Job;

/// What looking at a chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "chain")]
pub enum Chain {
    /// Every link holds, and nothing in the ledger tells of more.
    Whole {
        /// How many there are.
        links: usize,
        /// The SHA-256 of the last one: kept elsewhere, it holds the whole chain.
        head: String,
    },
    /// Every link holds, and something was begun after the last one of which the end is not there: a handler is at it, died and left it to a
    /// retry or the dead letter queue, or what came after was taken out.
    Unfinished {
        /// How many links there are.
        links: usize,
        /// The SHA-256 of the last one.
        head: String,
        /// What was begun.
        reason: String,
    },
    /// There is no link at all, and nothing that tells of one.
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
            Self::Unfinished { links, reason, .. } => write!(f, "unfinished after link {links}: {reason}"),
            Self::Missing => f.write_str("missing: there is no link"),
            Self::Broken { link, reason } => write!(f, "broken at link {link}: {reason}"),
        }
    }
}

/// Links that hold.
struct Walked {
    links: usize,
    head: String,
    chained: BTreeSet<String>,
}

/// What markers say a link's hash is, and the key of one of them; by the link's number.
type Marks = BTreeMap<usize, (String, String)>;

impl Records {
    /// Looks at a finding's chain, link by link, at every entry that it vouches for, and at what tells that there was more. `traces` is what the
    /// ledger's folders by day and hour hold ([`Records::traces`]); with [`Traces::default`] they are not looked at.
    ///
    /// # Errors
    /// The ledger failed. What it holds, however odd, is an answer.
    pub async fn verify(&self, finding: &FindingId, traces: &Traces) -> Result<Chain, RecordError> {
        let marks = match self.marks(finding).await? {
            Ok(marks) => marks,
            Err(chain) => return Ok(chain),
        };
        let walked = match self.walk(finding, &marks).await? {
            Ok(Some(walked)) => walked,
            Ok(None) => return self.unlinked(finding, traces).await,
            Err(chain) => return Ok(chain),
        };
        let broken = |reason| Ok(Chain::Broken { link: walked.links + 1, reason });
        let mut kept = self.below(&GUARDED, finding).await?;
        if self.0.read(&decision_key(finding)).await?.is_some() {
            kept.push(decision_key(finding));
        }
        if let Some(key) = kept.iter().find(|key| !walked.chained.contains(*key)) {
            return broken(format!("`{key}` is in no link"));
        }
        for (key, plan) in traces.waiting(finding) {
            if !walked.chained.contains(&format!("plans/{finding}/{plan}.json")) {
                return broken(format!("`{key}` tells of a plan that is in no link"));
            }
        }
        let Walked { links, head, .. } = walked;
        Ok(match self.begun(finding, &kept, traces).await? {
            Some(reason) => Chain::Unfinished { links, head, reason },
            None => Chain::Whole { links, head },
        })
    }

    /// There is no link: whether anything tells that there was one.
    async fn unlinked(&self, finding: &FindingId, traces: &Traces) -> Result<Chain, RecordError> {
        let kept = self.below(&GUARDED, finding).await?.into_iter().next();
        let listed = traces.listed(finding).map(str::to_owned);
        let found = self.0.read(&finding_key(finding)).await?.map(|_| finding_key(finding));
        let told = kept.or(found).or(listed);
        Ok(told.map_or(Chain::Missing, |key| Chain::Broken { link: 1, reason: format!("`{key}` is in no link") }))
    }

    /// What those who were told and asked say of the chain.
    async fn marks(&self, finding: &FindingId) -> Result<Result<Marks, Chain>, RecordError> {
        let mut keys = self.keys(&format!("told/{finding}")).await?;
        keys.push(format!("asked/{finding}"));
        let mut marks = Marks::new();
        for key in keys {
            let Some(bytes) = self.0.read(&key).await? else { continue };
            let Ok(Head { link, sha256 }) = serde_json::from_slice(&bytes) else {
                return Ok(Err(Chain::Broken { link: 1, reason: format!("`{key}` names no link") }));
            };
            match marks.get(&link) {
                Some((known, other)) if *known != sha256 => {
                    let reason = format!("`{other}` and `{key}` name different links");
                    return Ok(Err(Chain::Broken { link, reason }));
                }
                _ => marks.insert(link, (sha256, key)),
            };
        }
        Ok(Ok(marks))
    }

    /// Goes from link to link; `None` when there is none.
    async fn walk(&self, finding: &FindingId, marks: &Marks) -> Result<Result<Option<Walked>, Chain>, RecordError> {
        let there = self.keys(&format!("evidence/{finding}")).await?.len();
        let last = there.max(marks.keys().max().copied().unwrap_or(0));
        let mut previous: Option<String> = None;
        let mut chained = BTreeSet::new();
        for number in 1..=last {
            let broken = |reason: String| Ok(Err(Chain::Broken { link: number, reason }));
            let Some(bytes) = self.0.read(&link_key(finding, number)).await? else {
                return match marks.range(number..).next() {
                    Some((_, (_, key))) => broken(format!("it is not there, and `{key}` was made after it")),
                    None => broken("it is not there, and later ones are".to_owned()),
                };
            };
            let hash = sha256(&bytes);
            let marked = marks.get(&number);
            if let Some((known, key)) = marked
                && *known != hash
            {
                return broken(format!("it is not the one that `{key}` was made after"));
            }
            let link: Link = match serde_json::from_slice(&bytes) {
                Ok(link) => link,
                Err(error) => return broken(format!("it cannot be read: {error}")),
            };
            if link.finding != *finding || link.number != number {
                return broken(format!("it says that it is link {} of {}", link.number, link.finding));
            }
            if link.previous != previous {
                // Of two links that do not fit, the one that a marker holds is the right one.
                return Ok(Err(match marked {
                    Some(_) if number > 1 => Chain::Broken {
                        link: number - 1,
                        reason: format!("it is not the one that link {number} was made after"),
                    },
                    _ => Chain::Broken {
                        link: number,
                        reason: "the link before it is not the one that it was made after".to_owned(),
                    },
                }));
            }
            for entry in &link.entries {
                match self.0.read(&entry.key).await? {
                    Some(bytes) if sha256(&bytes) == entry.sha256 => {}
                    Some(_) => return broken(format!("`{}` is not what it was", entry.key)),
                    None => return broken(format!("`{}` is gone", entry.key)),
                }
                chained.insert(entry.key.clone());
            }
            previous = Some(hash);
        }
        Ok(Ok(previous.map(|head| Walked { links: last, head, chained })))
    }

    /// What was begun and has no end; `None` when all has.
    async fn begun(&self, id: &FindingId, kept: &[String], traces: &Traces) -> Result<Option<String>, RecordError> {
        let receipts: Vec<Receipt> = self.all(&format!("receipts/{id}")).await?;
        let ended = |kind| receipts.iter().any(|receipt| receipt.kind == kind);
        let (responded, undone) = (ended(ReceiptKind::Respond), ended(ReceiptKind::Undo));
        let intent = |verb: &str| {
            let start = format!("attempts/{id}/{verb}");
            kept.iter().find(|key| key.starts_with(&start) && key.ends_with("/intent.json"))
        };
        let no_receipt = |key: &str| Some(format!("`{key}` has no receipt"));
        if !responded && let Some(Job::Approve { .. }) = self.decision(id).await? {
            return Ok(no_receipt(&decision_key(id)));
        }
        // A budget or a tug of war that was met after a crash leaves a plan that waits, and no receipt.
        let plans = format!("plans/{id}/");
        if !responded && !kept.iter().any(|key| key.starts_with(&plans)) {
            if let Some(key) = intent("respond-") {
                return Ok(no_receipt(key));
            }
            if let Some(key) = traces.booked(id) {
                return Ok(no_receipt(key));
            }
            if let Some(finding) = self.finding(id).await?
                && let Some(key) = self.contested(&finding).await?
            {
                return Ok(no_receipt(&key));
            }
        }
        if !undone && let Some(key) = intent("undo-") {
            return Ok(no_receipt(key));
        }
        let judged = format!("judged/{id}/respond-");
        let asked = format!("asked/{id}");
        if receipts.is_empty()
            && !kept.iter().any(|key| key.starts_with(&judged))
            && self.0.read(&asked).await?.is_some()
        {
            return Ok(Some(format!("`{asked}` was answered by nobody")));
        }
        for key in self.keys(&format!("{REQUESTS}/{id}")).await? {
            let answered = match self.get::<Request>(&key).await {
                Ok(Some(Request { job: Job::Undo { .. }, .. })) => undone,
                Ok(Some(_)) => responded,
                Ok(None) | Err(RecordError::Corrupt { .. }) => true, // nobody can answer it
                Err(error) => return Err(error),
            };
            if !answered {
                return Ok(Some(format!("`{key}` was answered by nobody")));
            }
        }
        Ok(None)
    }

    /// The mark of a response that was about to begin.
    async fn contested(&self, finding: &Finding) -> Result<Option<String>, RecordError> {
        let Some(remediation) = &finding.remedy else { return Ok(None) };
        let contest = hashed([resource_lock(finding, finding.resource()).as_str(), remediation]);
        let mark = format!(".responded.{}.", finding.id);
        Ok(self.keys(&format!("contests/{contest}")).await?.into_iter().find(|key| key.contains(&mark)))
    }
}
