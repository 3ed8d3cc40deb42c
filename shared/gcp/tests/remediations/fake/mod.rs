//! A small Google Cloud in memory: keeps state and version tokens, and nothing else. It answers with the noise of the real
//! services (links, dates, other orders), so that a plan or a comparison that looks at noise fails.

mod services;

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use onus_core::proof::{Fake, World};
use onus_core::{Call, CallError, CallErrorKind, Caller};
use serde_json::Value;

/// See the [module docs](self).
pub(crate) struct FakeGcp {
    state: Mutex<State>,
}

struct State {
    world: World,
    /// How often each thing was written.
    versions: BTreeMap<String, u64>,
    /// Counts calls: makes changing dates and orders.
    tick: u64,
    calls: Vec<Call>,
}

impl FakeGcp {
    pub(crate) fn new(world: World) -> Self {
        let state = State { world, versions: BTreeMap::new(), tick: 0, calls: Vec::new() };
        Self { state: Mutex::new(state) }
    }

    /// Somebody changes everything: no version token that was read is good any more.
    pub(crate) fn touch_everything(&self) {
        let state = &mut *self.state.lock().unwrap();
        for key in state.world.keys() {
            *state.versions.entry(key.clone()).or_default() += 1;
        }
    }
}

impl Fake for FakeGcp {
    fn world(&self) -> World {
        self.state.lock().unwrap().world.clone()
    }

    fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    fn same(&self, one: &Value, other: &Value) -> bool {
        sorted(one) == sorted(other)
    }
}

#[async_trait]
impl Caller for FakeGcp {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        let request = onus_gcp::request::write(call).unwrap_or_else(|error| panic!("{error}: {call}"));
        assert!(request.path.starts_with('/'), "{call}");
        let mut state = self.state.lock().unwrap();
        state.tick += 1;
        state.calls.push(call.clone());
        state.answer(call).map_err(|(kind, code)| CallError {
            call: call.name(),
            kind,
            code: code.to_owned(),
            message: String::new(),
        })
    }
}

/// A refusal, as the caller tells it.
type Refusal = (CallErrorKind, &'static str);
const GONE: Refusal = (CallErrorKind::NotFound, "notFound");
const MOVED: Refusal = (CallErrorKind::Conflict, "conditionNotMet");

/// A value with every list in a fixed order: in none of what is played here does the order matter.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_cached_key(Value::to_string);
            Value::Array(elements)
        }
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), sorted(member))).collect(),
        other => other.clone(),
    }
}
