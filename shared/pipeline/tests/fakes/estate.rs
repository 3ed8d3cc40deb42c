//! A cloud of many resources, each a set of statements, for storms and tugs of war.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use onus_core::{
    Call, CallError, CallErrorKind, Caller, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step,
};
use serde_json::{Value, json};

use super::cloud::statements_of;

/// Resources by name, and every write in order: `resource operation statement`.
#[derive(Default)]
pub struct Estate {
    pub resources: Mutex<BTreeMap<String, BTreeSet<String>>>,
    pub writes: Mutex<Vec<String>>,
}

impl Estate {
    /// Adds a statement to a resource, as somebody other than Onus.
    pub fn add(&self, resource: &str, statement: &str) {
        let mut resources = self.resources.lock().expect("unpoisoned");
        resources.entry(resource.to_owned()).or_default().insert(statement.to_owned());
    }

    pub fn has(&self, resource: &str) -> Vec<String> {
        self.resources.lock().expect("unpoisoned").get(resource).into_iter().flatten().cloned().collect()
    }

    pub fn writes(&self) -> Vec<String> {
        self.writes.lock().expect("unpoisoned").clone()
    }
}

#[async_trait]
impl Caller for Estate {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        // Lets others run: what happens between a read and a write happens here.
        tokio::task::yield_now().await;
        let text = |name: &str| call.parameters[name].as_str().unwrap_or_default().to_owned();
        let (name, id) = (text("name"), text("id"));
        let mut resources = self.resources.lock().expect("unpoisoned");
        let statements = resources.entry(name.clone()).or_default();
        let changed = match call.operation.as_str() {
            "Get" => return Ok(json!({ "statements": statements })),
            "Add" => statements.insert(id.clone()),
            _ => statements.remove(&id),
        };
        if !changed {
            let (code, message) = ("NotThere".to_owned(), "no".to_owned());
            return Err(CallError { call: call.name(), kind: CallErrorKind::NotFound, code, message });
        }
        self.writes.lock().expect("unpoisoned").push(format!("{name} {} {id}", call.operation));
        Ok(json!({}))
    }
}

/// Takes back the statements that begin with `bad`, and of those only the one that the finding names, if it names one.
struct RemoveOne(Spec);

static REMEDIATION: RemoveOne = RemoveOne(Spec {
    id: "estate.auto",
    title: "",
    safety: Safety::Automatic,
    kind: "Fake",
    reads: &[],
    writes: &[],
    undo: &[],
    caveat: "",
});

pub fn estate_remediations(id: &str) -> Option<&'static dyn Remediation> {
    (id == "estate.auto").then_some(&REMEDIATION as &dyn Remediation)
}

impl Remediation for RemoveOne {
    fn spec(&self) -> &'static Spec {
        &REMEDIATION.0
    }

    fn reads(&self, finding: &Finding, _: &Image) -> Result<Vec<Read>, PlanError> {
        let name = &finding.resource().expect("a resource").name;
        Ok(vec![Read::new("it", Call::aws("fake", "Get", "", json!({ "name": name })))])
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let name = &finding.resource().expect("a resource").name;
        let named = finding.request.get("id").and_then(Value::as_str);
        let call = |operation, id: &str| Call::aws("fake", operation, "", json!({ "name": name, "id": id }));
        let step = |id: &&str| Step {
            title: format!("remove {id}"),
            call: call("Remove", id),
            inverse: Some(call("Add", id)),
        };
        let bad = |id: &&&str| id.starts_with("bad") && named.is_none_or(|named| named == **id);
        Ok(statements_of(image).iter().filter(bad).map(step).collect())
    }
}
