//! The model cloud: resources that are sets of entries. Those of one kind take entries one by one, those of the other are written whole, with a
//! version token.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use onus_core::plan::live;
use onus_core::{
    Call, CallError, CallErrorKind, Caller, ChangeSummary, Effects, Finding, Image, PlanError, Read, Remediation,
    Resource, Safety, Spec, StateReader, Step, TagSource,
};
use serde_json::{Value, json};

use super::Guard;
use super::people::RESOURCES;
use super::world::{Fault, World};

/// One resource.
#[derive(Debug, Clone, Default)]
pub struct Thing {
    /// What it lets in. Those that begin with `bad` are violations.
    pub entries: BTreeSet<String>,
    /// Grows with each write.
    pub version: u64,
}

/// All resources, by name.
pub type Things = BTreeMap<String, Thing>;

/// One handler's way to the cloud.
pub struct Way {
    /// The world.
    pub world: Arc<World>,
    /// The handler.
    pub task: usize,
    /// Whether the handler may write: only respond may.
    pub writes: bool,
}

fn error(call: &Call, kind: CallErrorKind, code: &str) -> CallError {
    CallError { call: call.name(), kind, code: code.to_owned(), message: String::new() }
}

fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.parameters[name].as_str().unwrap_or_default()
}

fn entries(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[async_trait]
impl Caller for Way {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        let answer = self.tried(call).await;
        let forgiven = call.operation == "GetTags" && self.world.missing == Some(Guard::Tags);
        if forgiven { answer.or(Ok(json!({}))) } else { answer }
    }
}

impl Way {
    async fn tried(&self, call: &Call) -> Result<Value, CallError> {
        let fault = self.world.fault().await;
        if self.world.throttles() {
            return Err(error(call, CallErrorKind::Throttled, "Throttled"));
        }
        if fault == Fault::Lost {
            return Err(error(call, CallErrorKind::Unavailable, "Unavailable"));
        }
        let answer = self.answer(call);
        self.world.say(|| format!("handler {}: {call}: {answer:?} {fault:?}", self.task));
        self.world.turn().await;
        if fault == Fault::Unheard {
            return Err(error(call, CallErrorKind::Unavailable, "Unavailable"));
        }
        answer
    }

    fn answer(&self, call: &Call) -> Result<Value, CallError> {
        let name = text(call, "resource");
        if call.operation == "Get" {
            return Ok(self.read(name));
        }
        if call.operation == "GetTags" {
            return self.tags(call, name);
        }
        assert!(self.writes, "the audit function wrote: {call}");
        let mut things = self.world.things();
        let Some(thing) = things.get_mut(name) else { return Err(error(call, CallErrorKind::NotFound, "NoSuch")) };
        let entry = text(call, "entry").to_owned();
        let before = thing.entries.clone();
        match call.operation.as_str() {
            "Add" if thing.entries.contains(&entry) => return Err(error(call, CallErrorKind::Invalid, "Duplicate")),
            "Add" => drop(thing.entries.insert(entry)),
            "Remove" if !thing.entries.remove(&entry) => {
                return Err(error(call, CallErrorKind::Invalid, "NoSuchEntry"));
            }
            "Remove" => {}
            "Put" if call.parameters["if_match"].as_u64().is_some_and(|version| version != thing.version) => {
                return Err(error(call, CallErrorKind::Conflict, "PreconditionFailed"));
            }
            "Put" => thing.entries = entries(&call.parameters["entries"]),
            other => panic!("no such operation: {other}"),
        }
        if self.world.forgets() {
            thing.entries = before;
            drop(things);
            self.world.task(self.task, |task| task.wrote = true);
            return Ok(json!({}));
        }
        thing.version += 1;
        let (after, version) = (thing.entries.clone(), thing.version);
        drop(things);
        self.world.note(name, version, Some(self.task));
        self.world.written(self.task, call, name, &before, &after, version);
        Ok(json!({}))
    }

    fn tags(&self, call: &Call, name: &str) -> Result<Value, CallError> {
        if self.world.denies() {
            return Err(error(call, CallErrorKind::Denied, "AccessDenied"));
        }
        self.world.task(self.task, |task| task.tags.insert(name.to_owned()));
        let hands_off = self.world.terms.hands_off.is_some_and(|resource| RESOURCES[resource].0 == name);
        Ok(if hands_off { json!({ "hands": "off" }) } else { json!({}) })
    }

    /// The resource as it is; without a guard, as the handler hopes it to be.
    fn read(&self, name: &str) -> Value {
        let things = self.world.things();
        let Some(thing) = things.get(name) else { return Value::Null };
        let mut shown = thing.clone();
        drop(things);
        self.world.seen(self.task, name, &shown.entries, shown.version);
        match self.world.missing {
            Some(Guard::UndoCheck) => {
                if let Some(left) = self.world.left_by_response(self.task) {
                    shown.entries = left;
                }
            }
            Some(Guard::ReadBack) if self.world.wants_read_back(self.task) => {
                shown.entries.retain(|entry| !entry.starts_with("bad"));
            }
            _ => {}
        }
        json!({ "entries": shown.entries, "~version": shown.version })
    }
}

/// Takes the entry of the change back, and no other.
struct RemoveEntry {
    spec: Spec,
    document: bool,
}

const fn remedy(id: &'static str, safety: Safety, kind: &'static str, document: bool) -> RemoveEntry {
    RemoveEntry { spec: Spec { id, title: "", safety, kind, reads: &[], writes: &[], undo: &[], caveat: "" }, document }
}

static REMEDIATIONS: [RemoveEntry; 4] = [
    remedy("model.set.remove", Safety::Automatic, "Set", false),
    remedy("model.set.remove_approved", Safety::NeedsApproval, "Set", false),
    remedy("model.document.remove", Safety::Automatic, "Document", true),
    remedy("model.document.remove_approved", Safety::NeedsApproval, "Document", true),
];

/// The model's remediations.
pub fn remediation(id: &str) -> Option<&'static dyn Remediation> {
    REMEDIATIONS.iter().find(|known| known.spec.id == id).map(|known| known as &dyn Remediation)
}

/// The entries in an image.
pub fn entries_of(image: &Image) -> Vec<&str> {
    image.get("it")["entries"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn get(name: &str) -> Read {
    Read::new("it", Call::aws("model", "Get", "", json!({ "resource": name })))
}

impl Remediation for RemoveEntry {
    fn spec(&self) -> &'static Spec {
        REMEDIATIONS.iter().map(|known| &known.spec).find(|spec| spec.id == self.spec.id).expect("registered")
    }

    fn reads(&self, finding: &Finding, _: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(vec![get(finding.request["resource"].as_str().unwrap_or_default())])
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let (name, bad) = (&finding.request["resource"], finding.request["entry"].as_str().unwrap_or_default());
        let here = entries_of(image);
        if !here.contains(&bad) {
            return Ok(Vec::new());
        }
        let call = |operation, more: Value| {
            let mut parameters = json!({ "resource": name });
            if let (Value::Object(all), Value::Object(more)) = (&mut parameters, more) {
                all.extend(more);
            }
            Call::aws("model", operation, "", parameters)
        };
        let (call, inverse) = if self.document {
            let version = image.get("it")["~version"].as_u64();
            let kept: Vec<&str> = here.iter().copied().filter(|entry| *entry != bad).collect();
            (
                call("Put", json!({ "entries": kept, "if_match": version })),
                call("Put", json!({ "entries": here, "if_match": live(&["it", "~version"]) })),
            )
        } else {
            (call("Remove", json!({ "entry": bad })), call("Add", json!({ "entry": bad })))
        };
        Ok(vec![Step { title: format!("remove {bad}"), call, inverse: Some(inverse) }])
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        let bad = finding.request["entry"].as_str().unwrap_or_default();
        let kept: Vec<&str> = entries_of(image).into_iter().filter(|entry| *entry != bad).collect();
        let left = Image([("it".to_owned(), json!({ "entries": kept }))].into());
        self.document.then_some(left)
    }
}

struct DocumentReader;

/// How tags are read.
pub fn tag_source(_: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    let call = Call::aws("model", "GetTags", "", json!({ "resource": resource.name }));
    Some(TagSource::Read(Read::new("tags", call)))
}

/// The model's readers.
pub fn reader(kind: &str) -> Option<&'static dyn StateReader> {
    (kind == "Document").then_some(&DocumentReader as &dyn StateReader)
}

impl StateReader for DocumentReader {
    fn kind(&self) -> &'static str {
        "Document"
    }

    fn operations(&self) -> &'static [&'static str] {
        &["model:Get"]
    }

    fn reads(&self, _: &ChangeSummary, resource: &Resource<'_>, _: &Image) -> Vec<Read> {
        vec![get(&resource.name)]
    }

    fn effects(&self, _: &ChangeSummary, _: &Resource<'_>, _: &Image) -> Effects {
        Effects::none()
    }
}
