//! One case, responded to in both modes by the real pipeline.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use onus_core::state::read_image;
use onus_core::{Caller, Clock, Finding, Image, Mode, Notice, Plan, PlanError, ReceiptOutcome, Sink, SinkError};
use onus_pipeline::{Done, Job, Pause, Policy, Records, Responder};
use onus_tests::stage::binary;
use serde_json::Value;
use tempfile::TempDir;

use crate::wire::{OnTheWire, Request, Wire};

/// Makes the world of a case, the same each time.
pub(crate) type MakeWorld = Arc<dyn Fn() -> Arc<dyn Caller> + Send + Sync>;

/// A finding, and what there is when it is responded to.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) remediation: &'static str,
    pub(crate) finding: Finding,
    pub(crate) world: MakeWorld,
    /// What was there when a baseline was taken, before the change.
    pub(crate) before: Option<MakeWorld>,
}

impl Case {
    /// A case without a baseline.
    pub(crate) fn new(name: impl Into<String>, remediation: &'static str, finding: &Finding, world: MakeWorld) -> Self {
        let mut finding = Finding { remedy: Some(remediation.to_owned()), ..finding.clone() };
        if finding.change.resources.is_empty() {
            // Not of the remediation's kind: it goes on finding its resource in the request.
            let thing = onus_core::Resource::new("Test::Case", "test", "test");
            finding.change.resources.push(thing);
        }
        Self { name: name.into(), remediation, finding, world, before: None }
    }
}

/// What both modes came to.
pub(crate) enum Outcome {
    /// So many equal requests were predicted and sent.
    Sent(usize),
    /// Neither sends anything, for the same reason.
    Nothing,
}

/// The moment of each response, after that of every change.
struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        "2027-01-31T12:00:00Z".parse().expect("a moment")
    }
}

/// The moment of each baseline, before that of every change.
const EARLIER: Timestamp = Timestamp::UNIX_EPOCH;

struct AtOnce;

#[async_trait]
impl Pause for AtOnce {
    async fn pause(&self, _: u32) {}
}

/// Keeps what it is told.
#[derive(Default)]
struct Ear(Mutex<Vec<Notice>>);

#[async_trait]
impl Sink for Ear {
    fn name(&self) -> &'static str {
        "ear"
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        self.0.lock().expect("unpoisoned").push(notice.clone());
        Ok(())
    }
}

/// See the [module docs](self).
pub(crate) struct Run {
    wire: Arc<Wire>,
    /// The remediations of which a plan was read with the real `onus show`.
    shown: Mutex<BTreeSet<&'static str>>,
}

impl Run {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire: Arc::new(wire), shown: Mutex::default() }
    }

    /// Responds in both modes and compares.
    pub(crate) async fn compare(&self, case: &Case) -> Result<Outcome, String> {
        let world = (case.world)();
        let (dry, real) = (Ledger::new(case).await, Ledger::new(case).await);
        self.wire.take();

        let planned = dry.respond(&self.wire, &world, case, "plan").await;
        if let [first, ..] = &self.wire.take()[..] {
            return Err(format!("a dry run sent {}", shown(first)));
        }
        let plan = dry.plan(case).await?;
        if let Some(plan) = &plan
            && self.shown.lock().expect("unpoisoned").insert(case.remediation)
            && dry.shown(case)? != *plan
        {
            return Err("`onus show` prints another plan than the one that was kept".to_owned());
        }
        let predicted = match &plan {
            Some(plan) => self.predicted(plan).await?,
            None => Vec::new(),
        };

        let done = real.respond(&self.wire, &world, case, "enforce").await;
        let sent = self.wire.take();
        same(&predicted, &sent)?;
        match (plan, receipt(&done)) {
            (Some(plan), Ok(Some(ReceiptOutcome::Verified))) => {
                if sent.len() < plan.steps.len() {
                    return Err(format!("{} steps, but {} requests", plan.steps.len(), sent.len()));
                }
                Ok(Outcome::Sent(sent.len()))
            }
            (Some(_), outcome) => Err(format!("enforced, but {outcome:?}")),
            (None, outcome) if outcome == receipt(&planned) => Ok(Outcome::Nothing),
            (None, outcome) => Err(format!("`plan` came to {:?}, `enforce` to {outcome:?}", receipt(&planned))),
        }
    }

    /// What a plan predicts: its calls, as the real callers write them.
    async fn predicted(&self, plan: &Plan) -> Result<Vec<Request>, String> {
        for step in &plan.steps {
            self.wire.write(&step.call).await.map_err(|error| error.to_string())?;
        }
        Ok(self.wire.take())
    }

    /// The requests that a finding's dry run predicts in a world, none when it plans nothing. Tells whether a world fits a record.
    pub(crate) fn fits(case: &Case) -> bool {
        let remediation = onus_host::clouds::remediation(case.remediation).expect("registered");
        let world = (case.world)();
        let finding = case.finding.clone();
        let planning = async move {
            let image = onus_core::state::read_image(world.as_ref(), |so_far| remediation.reads(&finding, so_far))
                .await
                .ok()?;
            remediation.plan(&finding, &image).ok().filter(|steps| !steps.is_empty())
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(planning)).is_some()
    }
}

/// How a response ended; the inner `None` when no receipt was made.
fn receipt(done: &Result<Done, String>) -> Result<Option<ReceiptOutcome>, String> {
    match done {
        Ok(Done::Receipt { receipt } | Done::Refused { receipt } | Done::Already { receipt }) => {
            Ok(Some(receipt.outcome.clone()))
        }
        Ok(Done::Planned { .. } | Done::NotResponding { .. }) => Ok(None),
        Err(error) => Err(error.clone()),
    }
}

fn shown(request: &Request) -> String {
    String::from_utf8_lossy(request).escape_debug().to_string()
}

fn same(predicted: &[Request], sent: &[Request]) -> Result<(), String> {
    if predicted == sent {
        return Ok(());
    }
    let different = predicted.iter().zip(sent).find(|(predicted, sent)| predicted != sent);
    Err(match different {
        Some((predicted, sent)) => format!("predicted {}\n  but sent {}", shown(predicted), shown(sent)),
        None => format!("predicted {} requests, but sent {}", predicted.len(), sent.len()),
    })
}

/// One mode's own ledger, with the finding in it.
struct Ledger {
    folder: TempDir,
    records: Records,
    ear: Arc<Ear>,
}

impl Ledger {
    async fn new(case: &Case) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("file://{}", folder.path().display());
        let ledger = onus_ledger::open(&url, &onus_ledger::Options::default()).expect("a folder opens");
        let finding = &case.finding;
        let entry = serde_json::to_vec(finding).expect("it is JSON");
        ledger.create(&format!("findings/{}.json", finding.id), entry).await.expect("it is written");
        let records = Records::new(ledger);
        if let Some(before) = &case.before {
            record(&records, before(), finding).await;
        }
        Self { folder, records, ear: Arc::default() }
    }

    /// Responds, and approves where a person has to.
    async fn respond(
        &self,
        wire: &Arc<Wire>,
        world: &Arc<dyn Caller>,
        case: &Case,
        mode: &str,
    ) -> Result<Done, String> {
        let config = format!("{{ modes: {{ default: {mode} }} }}");
        let config = onus_host::Config::parse("onus.yaml", &config).expect("reads");
        let responder = Responder {
            policy: Arc::new(Policy::from(&config)),
            records: self.records.clone(),
            sinks: vec![Arc::<Ear>::clone(&self.ear)],
            caller: Arc::new(OnTheWire { wire: Arc::clone(wire), world: Arc::clone(world) }),
            account: None,
            remediations: onus_host::clouds::remediation,
            tags: |_, _| None,
            links: None,
            meter: Arc::new(()),
            clock: Arc::new(Now),
            pause: Arc::new(AtOnce),
            lease: SignedDuration::from_mins(3),
        };
        let finding = case.finding.id.clone();
        let done = responder.handle(&Job::Respond(finding.clone())).await.map_err(|error| error.to_string())?;
        match done {
            Done::Planned { mode: Mode::Approve, plan } => {
                let approval = Job::Approve { finding, by: "carol".to_owned(), plan: Some(plan.key()) };
                responder.handle(&approval).await.map_err(|error| error.to_string())
            }
            done => Ok(done),
        }
    }

    /// The plan that the dry run keeps, which has to be the one that was told; `None` when there is none.
    async fn plan(&self, case: &Case) -> Result<Option<Plan>, String> {
        let history = self.records.history(&case.finding.id).await.map_err(|error| error.to_string())?;
        let kept: Vec<Plan> = history.into_iter().flat_map(|history| history.plans).map(|record| record.plan).collect();
        let told = self.ear.0.lock().expect("unpoisoned").iter().find_map(|notice| match notice {
            Notice::Planned { plan, .. } => Some((**plan).clone()),
            _ => None,
        });
        match (&kept[..], told) {
            ([], None) => Ok(None),
            ([kept], Some(told)) if *kept == told => Ok(Some(told)),
            (kept, told) => Err(format!("kept is {kept:?}, told was {told:?}")),
        }
    }

    /// The plan as `onus show` prints it to whoever reads a dry run.
    fn shown(&self, case: &Case) -> Result<Plan, String> {
        let ledger = format!("file://{}", self.folder.path().display());
        let shown = Command::new(binary("onus"))
            .args(["show", case.finding.id.as_str(), "--ledger", &ledger, "--format", "json"])
            .output()
            .map_err(|error| error.to_string())?;
        if !shown.status.success() {
            return Err(format!("`onus show` failed: {}", String::from_utf8_lossy(&shown.stderr)));
        }
        let history: Value = serde_json::from_slice(&shown.stdout).map_err(|error| error.to_string())?;
        serde_json::from_value(history["plans"][0]["plan"].clone()).map_err(|error| error.to_string())
    }
}

/// Keeps what a reader sees of the finding's resources, as a baseline does.
async fn record(records: &Records, caller: Arc<dyn Caller>, finding: &Finding) {
    let readers: BTreeMap<&str, _> = onus_host::clouds::state_readers().map(|reader| (reader.kind(), reader)).collect();
    for resource in &finding.change.resources {
        let Some(reader) = readers.get(&*resource.kind) else { continue };
        let reads = |so_far: &Image| Ok::<_, PlanError>(reader.reads(&finding.change, resource, so_far));
        let image = read_image(caller.as_ref(), reads).await.expect("it is there");
        records.remember(&finding.change, resource, &image, EARLIER).await.expect("memory answers");
    }
}
