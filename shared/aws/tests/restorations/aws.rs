//! A small AWS in memory of what a baseline records.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use onus_core::{Call, CallError, CallErrorKind, Caller};
use serde_json::{Value, json};

pub(crate) const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit";

/// Trails, flow logs and bucket policies, kept as the service answers them.
#[derive(Default)]
pub(crate) struct Aws(pub(crate) Mutex<State>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) trails: BTreeMap<String, Value>,
    pub(crate) selectors: BTreeMap<String, Value>,
    pub(crate) logs: Vec<Value>,
    pub(crate) policies: BTreeMap<String, String>,
    made: u32,
}

#[async_trait]
impl Caller for Aws {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        let service = onus_aws::operations::service(&call.service).expect("a service of the table");
        let operation = service.operation(&call.operation).unwrap_or_else(|| panic!("`{call}` is not in the table"));
        onus_aws::protocol::serialize(service, operation, &call.parameters, &|| "token".to_owned())
            .unwrap_or_else(|error| panic!("{error}: {call}"));
        self.0.lock().unwrap().answer(call)
    }
}

impl State {
    fn answer(&mut self, call: &Call) -> Result<Value, CallError> {
        let (p, name) = (&call.parameters, call.name());
        let gone = |code: &str| {
            let (code, message) = (code.to_owned(), String::new());
            Err(CallError { call: name.clone(), kind: CallErrorKind::NotFound, code, message })
        };
        let trail = |member: &str| p[member].as_str().unwrap_or_default().rsplit('/').next().unwrap().to_owned();
        match call.operation.as_str() {
            "DescribeTrails" => Ok(json!({ "trailList": self.trails.values().collect::<Vec<_>>() })),
            "GetTrail" => self
                .trails
                .get(&trail("Name"))
                .map_or_else(|| gone("TrailNotFoundException"), |trail| Ok(json!({ "Trail": trail }))),
            "GetTrailStatus" => self.trails.get(&trail("Name")).map_or_else(
                || gone("TrailNotFoundException"),
                |trail| Ok(json!({ "IsLogging": trail["logs"], "LatestDeliveryTime": self.made })),
            ),
            "GetEventSelectors" => match self.selectors.get(&trail("TrailName")) {
                Some(selectors) => {
                    let mut answer = selectors.clone();
                    answer["TrailARN"] = json!(TRAIL);
                    Ok(answer)
                }
                None => gone("TrailNotFoundException"),
            },
            "CreateTrail" => {
                let mut made = p.clone();
                let members = made.as_object_mut().unwrap();
                if let Some(valid) = members.remove("EnableLogFileValidation") {
                    members.insert("LogFileValidationEnabled".to_owned(), valid);
                }
                let name = trail("Name");
                members.insert("Name".to_owned(), json!(name));
                members.insert("TrailARN".to_owned(), json!(TRAIL));
                members.insert("logs".to_owned(), json!(false));
                self.trails.insert(name.clone(), made);
                let all = json!([{ "ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [],
                    "ExcludeManagementEventSources": [] }]);
                self.selectors.insert(name, json!({ "EventSelectors": all }));
                Ok(json!({}))
            }
            "DeleteTrail" => {
                self.trails.remove(&trail("Name"));
                self.selectors.remove(&trail("Name"));
                Ok(json!({}))
            }
            "PutEventSelectors" => {
                let mut selectors = p.clone();
                selectors.as_object_mut().unwrap().remove("TrailName");
                self.selectors.insert(trail("TrailName"), selectors);
                Ok(json!({}))
            }
            "StartLogging" | "StopLogging" => {
                self.trails.get_mut(&trail("Name")).unwrap()["logs"] = json!(call.operation == "StartLogging");
                Ok(json!({}))
            }
            "DescribeFlowLogs" => {
                let (ids, of) = (&p["FlowLogIds"], &p["Filter"][0]["Values"][0]);
                let asked = |log: &&Value| {
                    ids.as_array().is_none_or(|ids| ids.contains(&log["FlowLogId"]))
                        && (of.is_null() || log["ResourceId"] == *of)
                };
                Ok(json!({ "FlowLogs": self.logs.iter().filter(asked).collect::<Vec<_>>() }))
            }
            "CreateFlowLogs" => {
                self.made += 1;
                let mut log = p.clone();
                let members = log.as_object_mut().unwrap();
                let ids = members.remove("ResourceIds").unwrap();
                members.remove("ResourceType").unwrap();
                let tags = members.remove("TagSpecifications").map(|tags| tags[0]["Tags"].clone());
                members.insert("Tags".to_owned(), tags.unwrap_or(json!([])));
                members.insert("ResourceId".to_owned(), ids[0].clone());
                members.insert("FlowLogId".to_owned(), json!(format!("fl-new{}", self.made)));
                members.insert("FlowLogStatus".to_owned(), json!("ACTIVE"));
                self.logs.push(log);
                Ok(json!({ "FlowLogIds": [format!("fl-new{}", self.made)] }))
            }
            "DeleteFlowLogs" => {
                self.logs.retain(|log| !p["FlowLogIds"].as_array().unwrap().contains(&log["FlowLogId"]));
                Ok(json!({ "Unsuccessful": [] }))
            }
            "GetBucketPolicy" => self
                .policies
                .get(p["Bucket"].as_str().unwrap())
                .map_or_else(|| gone("NoSuchBucketPolicy"), |policy| Ok(json!({ "Policy": policy }))),
            "PutBucketPolicy" => {
                let text = |member: &str| p[member].as_str().unwrap().to_owned();
                self.policies.insert(text("Bucket"), text("Policy"));
                Ok(json!({}))
            }
            "DeleteBucketPolicy" => {
                self.policies.remove(p["Bucket"].as_str().unwrap());
                Ok(json!({}))
            }
            "ListBuckets" => {
                let buckets: Vec<Value> = self.policies.keys().map(|name| json!({ "Name": name })).collect();
                Ok(json!({ "Buckets": buckets }))
            }
            "GetBucketAcl" => Ok(json!({ "Owner": { "ID": "o" }, "Grants": [] })),
            "GetPublicAccessBlock" => gone("NoSuchPublicAccessBlockConfiguration"),
            "DescribeSecurityGroups" => Ok(json!({ "SecurityGroups": [] })),
            other => panic!("no {other}"),
        }
    }
}

impl State {
    /// Everything, to compare.
    pub(crate) fn snapshot(&self) -> Value {
        json!([self.trails, self.selectors, self.logs, self.policies])
    }
}
