//! A dry run is honest: what `plan` predicts is what `enforce` sends, byte for byte, on the wire.
//!
//! Each case is responded to twice by the real pipeline, from one world: once in `plan`, where nothing may be sent, and once in `enforce` on
//! a ledger of its own. What the dry run kept (which is what the real `onus show` prints, asked once for each remediation) is sent through the
//! cloud's real caller to a server that records requests; what `enforce` writes goes through the same caller to the same server. The two have to be equal in method,
//! path, query, headers and body, but for the few headers that clock and credentials make ([`wire::UNSTABLE`]).
//!
//! The cases: those that each cloud's own tests play, the repository's records with what was there at the time, restorations from a
//! baseline, and every record below `events/` and in a test of a rule on which a rule with a remediation fires, in each of those worlds.

mod aws;
mod azure;
mod corpus;
mod gcp;
mod run;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use onus_core::Cloud;
use run::{Case, Outcome, Run};
use wire::Wire;

/// Where the repository's own records are.
pub(crate) const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");

/// What was compared for one remediation.
#[derive(Default)]
struct Compared {
    cases: usize,
    requests: usize,
    /// Cases on which both modes agree that nothing is to be sent.
    idle: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dry_run_predicts_is_what_enforce_sends_byte_for_byte() {
    let run = Run::new(Wire::new());
    let mut cases: Vec<Case> = aws::cases();
    cases.extend(azure::cases().await);
    cases.extend(gcp::cases());
    let found = corpus::cases(&cases);
    let mut compared: BTreeMap<(Cloud, &'static str), Compared> = BTreeMap::new();
    let mut wrong = Vec::new();
    let restorations: Vec<Case> =
        aws::restorations().into_iter().chain(azure::restorations()).chain(gcp::restorations()).collect();
    for case in cases.iter().chain(&found).chain(&restorations) {
        let of = compared.entry((case.finding.change.cloud, case.remediation)).or_default();
        match run.compare(case).await {
            Ok(Outcome::Sent(requests)) => {
                of.cases += 1;
                of.requests += requests;
            }
            Ok(Outcome::Nothing) if case.before.is_none() => of.idle += 1,
            Ok(Outcome::Nothing) => wrong.push(format!("{}, {}: nothing to restore", case.remediation, case.name)),
            Err(problem) => wrong.push(format!("{}, {}: {problem}", case.remediation, case.name)),
        }
    }
    let all: BTreeSet<&str> = onus_host::clouds::remediations().map(|remediation| remediation.spec().id).collect();
    let missing = |id: &&&str| !compared.iter().any(|((_, of), compared)| of == *id && compared.requests > 0);
    wrong.extend(all.iter().filter(missing).map(|id| format!("{id}: nothing was compared")));
    print(&compared);
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
}

fn print(compared: &BTreeMap<(Cloud, &'static str), Compared>) {
    println!("{:<52} {:>6} {:>9} {:>6}", "remediation", "cases", "requests", "idle");
    for ((_, id), of) in compared {
        println!("{id:<52} {:>6} {:>9} {:>6}", of.cases, of.requests, of.idle);
    }
    for cloud in [Cloud::Aws, Cloud::Azure, Cloud::Gcp] {
        let of = || compared.iter().filter(|((of, _), compared)| *of == cloud && compared.requests > 0);
        let sum = |number: fn(&Compared) -> usize| of().map(|(_, compared)| number(compared)).sum::<usize>();
        let (cases, requests) = (sum(|of| of.cases), sum(|of| of.requests));
        println!(
            "{cloud}: {} remediations, {cases} cases, {requests} requests, all equal in plan and enforce",
            of().count()
        );
    }
}
