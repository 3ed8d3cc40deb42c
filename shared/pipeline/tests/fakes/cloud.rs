//! A cloud of one resource, its remediations and its reader.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use onus_core::{
    Call, CallError, CallErrorKind, Caller, ChangeSummary, Effects, Finding, Image, PlanError, Read, Remediation,
    Resource, Safety, Spec, StateReader, Step, TagSource, Tags,
};
use serde_json::{Value, json};

use super::{Fuse, Last};

/// One resource: a set of statements, of which those that begin with `bad` are to go. `Remove` and `Add` change it.
pub struct FakeCloud {
    pub statements: Mutex<BTreeSet<String>>,
    pub writes: Mutex<Vec<String>>,
    /// The resource's tags, and how often they were asked for.
    pub tags: Mutex<(Tags, usize)>,
    /// Answers this instead, once for each element, to the operation of that name.
    pub refusals: Mutex<Vec<(&'static str, CallErrorKind)>>,
    /// Readings that still show the old state after a write.
    pub stale: Mutex<Vec<BTreeSet<String>>>,
    pub staleness: usize,
    /// What happens while the operation of that name is called, one for each call, in order.
    pub meanwhile: Mutex<VecDeque<(&'static str, Meanwhile)>>,
    pub fuse: Arc<Fuse>,
    pub last: Last,
}

/// Does something to the cloud; an answer is given instead of the operation's own.
pub type Meanwhile = Box<dyn FnOnce(&FakeCloud) -> Option<CallErrorKind> + Send>;

impl FakeCloud {
    fn answer(&self, call: &Call) -> Result<Value, CallError> {
        let error = |kind| CallError { call: call.name(), kind, code: format!("{kind:?}"), message: "no".to_owned() };
        if let Some(meanwhile) = self.due(&call.operation)
            && let Some(kind) = meanwhile(self)
        {
            return Err(error(kind));
        }
        let mut refusals = self.refusals.lock().expect("unpoisoned");
        if let Some(at) = refusals.iter().position(|(operation, _)| *operation == call.operation) {
            return Err(error(refusals.remove(at).1));
        }
        let mut statements = self.statements.lock().expect("unpoisoned");
        let mut stale = self.stale.lock().expect("unpoisoned");
        let id = call.parameters["id"].as_str().unwrap_or_default().to_owned();
        if call.operation == "Get" {
            return Ok(json!({ "statements": stale.pop().unwrap_or_else(|| statements.clone()) }));
        }
        if call.operation == "Tags" {
            let mut tags = self.tags.lock().expect("unpoisoned");
            tags.1 += 1;
            return Ok(json!(tags.0));
        }
        let before = statements.clone();
        let changed = if call.operation == "Add" { statements.insert(id.clone()) } else { statements.remove(&id) };
        if !changed {
            return Err(error(CallErrorKind::Invalid));
        }
        *stale = vec![before; self.staleness];
        self.writes.lock().expect("unpoisoned").push(format!("{} {id}", call.operation));
        Ok(json!({}))
    }

    fn due(&self, operation: &str) -> Option<Meanwhile> {
        let mut meanwhile = self.meanwhile.lock().expect("unpoisoned");
        let at = meanwhile.iter().position(|(name, _)| *name == operation)?;
        meanwhile.remove(at).map(|(_, meanwhile)| meanwhile)
    }

    /// Lets something happen during the next call of an operation, or during the one after those that were given before.
    pub fn during(
        &self,
        operation: &'static str,
        meanwhile: impl FnOnce(&Self) -> Option<CallErrorKind> + Send + 'static,
    ) {
        self.meanwhile.lock().expect("unpoisoned").push_back((operation, Box::new(meanwhile)));
    }

    pub fn has(&self) -> Vec<String> {
        self.statements.lock().expect("unpoisoned").iter().cloned().collect()
    }

    pub fn set(&self, statements: &[&str]) {
        *self.statements.lock().expect("unpoisoned") = statements.iter().map(|s| (*s).to_owned()).collect();
    }

    pub fn tag(&self, key: &str, value: &str) {
        self.tags.lock().expect("unpoisoned").0.insert(key.to_owned(), value.to_owned());
    }

    pub fn tag_reads(&self) -> usize {
        self.tags.lock().expect("unpoisoned").1
    }

    pub fn writes(&self) -> Vec<String> {
        self.writes.lock().expect("unpoisoned").clone()
    }

    pub fn refuse(&self, operation: &'static str, kind: CallErrorKind) {
        self.refusals.lock().expect("unpoisoned").push((operation, kind));
    }
}

#[async_trait]
impl Caller for FakeCloud {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        let unheard = || CallError {
            call: call.name(),
            kind: CallErrorKind::Unavailable,
            code: "Died".to_owned(),
            message: String::new(),
        };
        self.fuse.run(self.last, async { self.answer(call) }).await.unwrap_or_else(|| Err(unheard()))
    }
}

/// Takes back every statement that begins with `bad`.
struct RemoveBad(Spec);

const fn spec(id: &'static str, safety: Safety) -> RemoveBad {
    RemoveBad(Spec { id, title: "", safety, kind: "Fake", reads: &[], writes: &[], undo: &[], caveat: "" })
}

static REMEDIATIONS: [RemoveBad; 4] = [
    spec("fake.auto", Safety::Automatic),
    spec("fake.ask", Safety::NeedsApproval),
    spec("fake.manual", Safety::ManualOnly),
    spec("fake.absent", Safety::Automatic),
];

pub fn remediations(id: &str) -> Option<&'static dyn Remediation> {
    REMEDIATIONS.iter().find(|known| known.0.id == id).map(|known| known as &dyn Remediation)
}

pub fn statements_of(image: &Image) -> Vec<&str> {
    image.get("it")["statements"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

impl Remediation for RemoveBad {
    fn spec(&self) -> &'static Spec {
        REMEDIATIONS.iter().map(|known| &known.0).find(|known| known.id == self.0.id).expect("registered")
    }

    fn reads(&self, _: &Finding, _: &Image) -> Result<Vec<Read>, PlanError> {
        let read = Read::new("it", Call::aws("fake", "Get", "", json!({})));
        // To this one what is gone is nothing to take back.
        Ok(vec![if self.0.id == "fake.absent" { read.absent(&["NotFound"]) } else { read }])
    }

    fn plan(&self, _: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let statements = statements_of(image);
        if statements.contains(&"precious") {
            let reason = "somebody needs it".to_owned();
            return Err(PlanError::Refused { remediation: "fake", reason });
        }
        let call = |operation, id: &str| Call::aws("fake", operation, "", json!({ "id": id }));
        let step = |id: &&str| Step {
            title: format!("remove {id}"),
            call: call("Remove", id),
            inverse: (!id.contains("final")).then(|| call("Add", id)),
        };
        Ok(statements.iter().filter(|id| id.starts_with("bad")).map(step).collect())
    }
}

/// Tags of a `Fake` are read, an `Untagged` has none, and of anything else nobody knows.
pub fn tag_source(_: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    match &*resource.kind {
        "Fake" => Some(TagSource::Read(Read::new("tags", Call::aws("fake", "Tags", "", json!({}))))),
        "Untagged" => Some(TagSource::Untagged),
        _ => None,
    }
}

struct Reader;

static READER: Reader = Reader;

pub fn readers(kind: &str) -> Option<&'static dyn StateReader> {
    (kind == "Fake").then_some(&READER as &dyn StateReader)
}

impl StateReader for Reader {
    fn kind(&self) -> &'static str {
        "Fake"
    }

    fn operations(&self) -> &'static [&'static str] {
        &["fake:Get"]
    }

    fn reads(&self, _: &ChangeSummary, _: &Resource<'_>, _: &Image) -> Vec<Read> {
        vec![Read::new("it", Call::aws("fake", "Get", "", json!({})))]
    }

    fn effects(&self, _: &ChangeSummary, _: &Resource<'_>, _: &Image) -> Effects {
        Effects::none()
    }
}
