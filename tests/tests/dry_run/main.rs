//! A dry run is honest: what `plan` predicts is what `enforce` sends, byte for byte, on the wire.
//!
//! Each case is responded to twice by the real pipeline, from one world: once in `plan`, where nothing may be sent, and once in `enforce` on
//! a ledger of its own. What the dry run kept is read with the real `onus show` and sent through the cloud's real caller to a server
//! that records requests; what `enforce` writes goes through the same caller to the same server. The two have to be equal in method,
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

/// Remediations that plan from the memory of an earlier reading alone, on Azure: what stands here has no case yet with such a memory. The same path is
/// compared by the restorations of AWS, and each of these is played from a baseline by the real binaries (`azure_round_trip`).
const FROM_MEMORY: [&str; 3] =
    ["azure.authorization.restore_lock", "azure.insights.restore_diagnostic_setting", "azure.network.restore_flow_log"];

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
    for case in cases.iter().chain(&found) {
        let of = compared.entry((case.finding.change.cloud, case.remediation)).or_default();
        match run.compare(case).await {
            Ok(Outcome::Sent(requests)) => {
                of.cases += 1;
                of.requests += requests;
            }
            Ok(Outcome::Nothing) => of.idle += 1,
            Err(problem) => wrong.push(format!("{}, {}: {problem}", case.remediation, case.name)),
        }
    }
    for case in aws::restorations() {
        let of = compared.entry((Cloud::Aws, case.remediation)).or_default();
        match run.compare(&case).await {
            Ok(Outcome::Sent(requests)) => {
                of.cases += 1;
                of.requests += requests;
            }
            Ok(Outcome::Nothing) => wrong.push(format!("{}, {}: nothing to restore", case.remediation, case.name)),
            Err(problem) => wrong.push(format!("{}, {}: {problem}", case.remediation, case.name)),
        }
    }
    let all: BTreeSet<&str> = onus_host::clouds::remediations().map(|remediation| remediation.spec().id).collect();
    let sent = |id: &&str| compared.iter().any(|((_, of), compared)| of == id && compared.requests > 0);
    let open = |id: &&&str| sent(id) == FROM_MEMORY.contains(*id);
    wrong.extend(
        all.iter().filter(open).map(|id| format!("{id}: nothing was compared, or it was and is listed as open")),
    );
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
