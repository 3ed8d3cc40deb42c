//! A small Resource Manager in memory: keeps resources by id and nothing else. It answers with the noise of the real service
//! (entity tags, states, dates), so that a plan or a comparison that looks at noise fails.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use onus_azure::operations::{Method, Operation, ResourceId, operation};
use onus_core::proof::{Fake, World};
use onus_core::{Call, CallError, CallErrorKind, Caller};
use serde_json::{Value, json};

/// A resource of a [`World`].
pub(crate) fn resource(id: &str, properties: Value) -> (String, Value) {
    let name = id.rsplit('/').next().unwrap();
    (id.to_lowercase(), json!({ "id": id, "name": name, "properties": properties }))
}

/// See the [module docs](self).
pub(crate) struct FakeArm {
    state: Mutex<State>,
}

struct State {
    world: World,
    /// Counts calls: makes changing dates.
    tick: u64,
    /// Counts writes below each group: its entity tag and that of its rules.
    writes: BTreeMap<String, u64>,
    calls: Vec<Call>,
}

impl FakeArm {
    pub(crate) fn new(world: World) -> Self {
        Self { state: Mutex::new(State { world, tick: 0, writes: BTreeMap::new(), calls: Vec::new() }) }
    }
}

impl Fake for FakeArm {
    fn world(&self) -> World {
        self.state.lock().unwrap().world.clone()
    }

    fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }
}

#[async_trait]
impl Caller for FakeArm {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        let (operation, id) = understood(call);
        let mut state = self.state.lock().unwrap();
        state.tick += 1;
        state.calls.push(call.clone());
        state.answer(operation, &id, &call.parameters).map_err(|(kind, code)| CallError {
            call: call.name(),
            kind,
            code: code.to_owned(),
            message: String::new(),
        })
    }
}

/// Members that services compute. A request that holds one was built from what was read without thinking.
const COMPUTED: [&str; 10] =
    ["provisioningState", "etag", "~etag", "~id", "id", "createdOn", "updatedOn", "createdBy", "scope", "state"];

/// Whether the real service would understand a call: its operation is in the table, and its parameters are the operation's.
fn understood(call: &Call) -> (&'static Operation, String) {
    let known = operation(&call.service, &call.operation).unwrap_or_else(|| panic!("`{call}`: not in the table"));
    let id = call.parameters["id"].as_str().unwrap_or_else(|| panic!("`{call}`: no id"));
    let parsed = ResourceId::parse(id).unwrap_or_else(|error| panic!("{error}: {call}"));
    assert!(known.on.is_empty() || parsed.is_of(known.on), "`{call}` is not about a {}", known.on);
    let body = call.parameters.get("body");
    assert_eq!(known.method.has_body(), body.is_some(), "{call}");
    if let Some(properties) = body.and_then(|body| body["properties"].as_object()) {
        let computed: Vec<&String> = properties.keys().filter(|name| COMPUTED.contains(&name.as_str())).collect();
        assert!(computed.is_empty(), "`{call}` sends {computed:?}");
    }
    (known, id.to_owned())
}

type Answer = Result<Value, (CallErrorKind, &'static str)>;

const NOT_FOUND: (CallErrorKind, &str) = (CallErrorKind::NotFound, "ResourceNotFound");

/// The security group that an id lies in.
fn group(id: &str) -> String {
    id.to_lowercase().split("/securityrules/").next().unwrap().to_owned()
}

impl State {
    fn etag(&self, id: &str) -> String {
        format!("W/\"{}\"", self.writes.get(&group(id)).unwrap_or(&0))
    }

    fn answer(&mut self, operation: &Operation, id: &str, parameters: &Value) -> Answer {
        let key = id.to_lowercase();
        if parameters.get("If-Match").is_some_and(|etag| etag.as_str() != Some(&self.etag(id))) {
            return Err((CallErrorKind::Conflict, "PreconditionFailed"));
        }
        let body = &parameters["body"];
        match operation.method {
            Method::Get if operation.paged => {
                Ok(json!({ "value": self.children(&format!("{key}{}/", operation.below.to_lowercase())) }))
            }
            Method::Get => self.get(&key),
            Method::Put => {
                let known = self.world.get(&key).map(|known| known["id"].clone());
                let id = known.unwrap_or_else(|| json!(id));
                let name = id.as_str().unwrap().rsplit('/').next().unwrap();
                let mut made = body.clone();
                made["id"] = id.clone();
                made["name"] = json!(name);
                completed(operation, &mut made);
                self.wrote(&key);
                self.world.insert(key, made);
                Ok(json!({}))
            }
            Method::Patch => {
                let known = self.world.get_mut(&key).ok_or(NOT_FOUND)?;
                for (name, member) in body["properties"].as_object().unwrap() {
                    known["properties"][name] = member.clone();
                }
                self.wrote(&key);
                Ok(json!({}))
            }
            Method::Delete => {
                self.wrote(&key);
                self.world.remove(&key);
                Ok(json!({}))
            }
        }
    }

    fn wrote(&mut self, key: &str) {
        *self.writes.entry(group(key)).or_default() += 1;
    }

    fn children(&self, below: &str) -> Vec<Value> {
        let keys = self.world.keys().filter(|key| key.starts_with(below));
        let mut found: Vec<Value> = keys.map(|key| self.noisy(key)).collect();
        if self.tick.is_multiple_of(2) {
            found.reverse();
        }
        found
    }

    fn get(&self, key: &str) -> Answer {
        self.world.get(key).ok_or(NOT_FOUND)?;
        let mut found = self.noisy(key);
        if key.contains("/networksecuritygroups/") && !key.contains("/securityrules/") {
            found["properties"]["securityRules"] = json!(self.children(&format!("{key}/securityrules/")));
            found["properties"]["defaultSecurityRules"] = json!([{ "name": "AllowVnetInBound" }]);
        }
        Ok(found)
    }

    fn noisy(&self, key: &str) -> Value {
        let mut found = self.world[key].clone();
        found["etag"] = json!(self.etag(key));
        let properties = &mut found["properties"];
        properties["provisioningState"] = json!("Succeeded");
        properties["updatedOn"] = json!(self.tick);
        properties["freeTrialRemainingTime"] = json!(format!("P{}D", self.tick));
        for rule in properties["networkAcls"]["virtualNetworkRules"].as_array_mut().into_iter().flatten() {
            rule["state"] = json!(if self.tick.is_multiple_of(2) { "Provisioning" } else { "Succeeded" });
        }
        if properties["networkAcls"].is_null() {
            properties.as_object_mut().unwrap().remove("networkAcls");
        }
        found
    }
}

/// What a service adds to what it was sent.
fn completed(operation: &Operation, made: &mut Value) {
    if operation.name == "Pricings_Update" && made["properties"]["pricingTier"] == "Standard" {
        made["properties"]["subPlan"] = json!("P2");
        made["properties"]["extensions"] = json!([{ "name": "AgentlessVmScanning", "isEnabled": "True" }]);
    }
}
