//! How each service answers.

use onus_core::Call;
use serde_json::{Value, json};

use super::{GONE, MOVED, Refusal, State};

type Answer = Result<Value, Refusal>;

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

/// Merges a patch, as RFC 7386 does but for `null`, which nothing of ours sends.
fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, member) in patch {
                merge(target.entry(name.clone()).or_insert(Value::Null), member);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

impl State {
    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        let p = &call.parameters;
        let (service, operation) = (call.service.as_str(), call.operation.as_str());
        match (service, operation) {
            ("storage", "buckets.get") => self.bucket(p),
            ("storage", "buckets.patch") => self.patch_bucket(p),
            ("storage", "buckets.getIamPolicy") => {
                assert_eq!(p["optionsRequestedPolicyVersion"], 3, "conditions would be lost");
                self.policy(&format!("bucket-policy/{}", string(&p["bucket"])))
            }
            ("storage", "buckets.setIamPolicy") => {
                self.set_policy(&format!("bucket-policy/{}", string(&p["bucket"])), &p["body"])
            }
            ("cloudresourcemanager", "projects.getIamPolicy") => {
                assert_eq!(p["body"]["options"]["requestedPolicyVersion"], 3, "conditions would be lost");
                self.policy(&project(p))
            }
            ("cloudresourcemanager", "projects.setIamPolicy") => self.set_policy(&project(p), &p["body"]["policy"]),
            ("compute", _) => self.compute(operation, p),
            ("sqladmin", _) => self.sql(operation, p),
            ("iam", _) => self.keys(operation, p),
            ("bigquery", _) => self.bigquery(operation, p),
            ("logging", _) => self.logging(operation, p),
            _ => panic!("no {call}"),
        }
    }

    fn get(&self, key: &str) -> Answer {
        self.world.get(key).cloned().ok_or(GONE)
    }

    /// How often a thing was written, as a version number.
    fn version(&self, key: &str) -> String {
        (self.versions.get(key).copied().unwrap_or_default() + 1).to_string()
    }

    /// The same as an entity tag, which is base64.
    fn etag(&self, key: &str) -> String {
        format!("Bw{:0>2}", self.version(key))
    }

    /// Writes if the token is the thing's.
    fn put(&mut self, key: &str, token: &Value, value: Value) -> Answer {
        if ![self.etag(key), self.version(key)].contains(&string(token).to_owned()) {
            return Err(MOVED);
        }
        self.put_anyhow(key, value)
    }

    #[allow(clippy::unnecessary_wraps)] // an operation's last word
    fn put_anyhow(&mut self, key: &str, value: Value) -> Answer {
        *self.versions.entry(key.to_owned()).or_default() += 1;
        self.world.insert(key.to_owned(), value);
        Ok(json!({}))
    }

    /// The same list in another order from one call to the next.
    fn shuffled(&self, list: &Value) -> Value {
        let mut elements = list.as_array().cloned().unwrap_or_default();
        if self.tick.is_multiple_of(2) {
            elements.reverse();
        }
        Value::Array(elements)
    }

    fn bucket(&self, p: &Value) -> Answer {
        let key = format!("bucket/{}", string(&p["bucket"]));
        let mut bucket = self.get(&key)?;
        bucket["metageneration"] = json!(self.version(&key));
        bucket["etag"] = json!(format!("e{}", self.tick));
        bucket["updated"] = json!(format!("2026-05-01T12:00:{:02}Z", self.tick));
        bucket["selfLink"] = json!(format!("https://www.googleapis.com/storage/v1/b/{}?{}", key, self.tick));
        Ok(bucket)
    }

    fn patch_bucket(&mut self, p: &Value) -> Answer {
        let key = format!("bucket/{}", string(&p["bucket"]));
        let mut bucket = self.get(&key)?;
        merge(&mut bucket, &p["body"]);
        self.put(&key, &p["ifMetagenerationMatch"], bucket)
    }

    fn policy(&self, key: &str) -> Answer {
        let mut policy = self.get(key)?;
        policy["bindings"] = self.shuffled(&policy["bindings"]);
        for binding in policy["bindings"].as_array_mut().unwrap() {
            binding["members"] = self.shuffled(&binding["members"]);
        }
        policy["etag"] = json!(self.etag(key));
        policy["version"] = json!(1 + self.tick % 3);
        policy["kind"] = json!("storage#policy");
        Ok(policy)
    }

    /// Bindings alone are written; audit configurations stay.
    fn set_policy(&mut self, key: &str, body: &Value) -> Answer {
        assert_eq!(body["version"], 3, "conditions would be lost");
        let mut policy = self.get(key)?;
        let bindings = body["bindings"].as_array().expect("bindings");
        assert!(
            bindings.iter().all(|one| !one["members"].as_array().unwrap().is_empty()),
            "a binding of nobody: {body}"
        );
        policy["bindings"] = json!(bindings);
        self.put(key, &body["etag"], policy)
    }

    fn compute(&mut self, operation: &str, p: &Value) -> Answer {
        let key = format!("firewall/{}/{}", string(&p["project"]), string(&p["firewall"]));
        let mut rule = self.get(&key)?;
        match operation {
            "firewalls.get" => {
                if rule.get("sourceRanges").is_some() {
                    rule["sourceRanges"] = self.shuffled(&rule["sourceRanges"]);
                }
                rule["creationTimestamp"] = json!(format!("{}", self.tick));
                rule["id"] = json!("1234567890123456789");
                Ok(rule)
            }
            "firewalls.patch" => {
                merge(&mut rule, &p["body"]);
                self.put_anyhow(&key, rule)
            }
            "firewalls.update" => self.put_anyhow(&key, p["body"].clone()),
            other => panic!("compute has no {other}"),
        }
    }

    fn sql(&mut self, operation: &str, p: &Value) -> Answer {
        let key = format!("sql/{}/{}", string(&p["project"]), string(&p["instance"]));
        let mut instance = self.get(&key)?;
        match operation {
            "instances.get" => {
                instance["settings"]["settingsVersion"] = json!(self.version(&key));
                instance["settings"]["dataDiskSizeGb"] = json!((10 + self.tick).to_string());
                instance["currentDiskSize"] = json!(self.tick.to_string());
                instance["etag"] = json!(format!("{}", self.tick));
                let networks = &mut instance["settings"]["ipConfiguration"]["authorizedNetworks"];
                if networks == &json!([]) {
                    instance["settings"]["ipConfiguration"].as_object_mut().unwrap().remove("authorizedNetworks");
                } else {
                    networks.as_array_mut().unwrap().iter_mut().for_each(|one| one["kind"] = json!("sql#aclEntry"));
                }
                Ok(instance)
            }
            "instances.patch" => {
                let mut body = p["body"].clone();
                let version = body["settings"].as_object_mut().unwrap().remove("settingsVersion").expect("a version");
                merge(&mut instance, &body);
                self.put(&key, &version, instance)
            }
            other => panic!("sqladmin has no {other}"),
        }
    }

    /// An enabled key is answered without the member, as proto3 leaves out what is false.
    fn keys(&mut self, operation: &str, p: &Value) -> Answer {
        let key = format!("key/{}", string(&p["name"]));
        let mut found = self.get(&key)?;
        match operation.rsplit('.').next().unwrap() {
            "get" => {
                found["validAfterTime"] = json!("2026-05-01T12:00:00Z");
                return Ok(found);
            }
            "disable" => found["disabled"] = json!(true),
            "enable" => drop(found.as_object_mut().unwrap().remove("disabled")),
            other => panic!("keys have no {other}"),
        }
        self.put_anyhow(&key, found)
    }

    fn bigquery(&mut self, operation: &str, p: &Value) -> Answer {
        assert_eq!(p["accessPolicyVersion"], 3, "conditions would be lost");
        let key = format!("dataset/{}/{}", string(&p["projectId"]), string(&p["datasetId"]));
        let mut dataset = self.get(&key)?;
        match operation {
            "datasets.get" => {
                dataset["access"] = self.shuffled(&dataset["access"]);
                dataset["etag"] = json!(self.etag(&key));
                dataset["lastModifiedTime"] = json!(self.tick.to_string());
                Ok(dataset)
            }
            "datasets.patch" => {
                merge(&mut dataset, &p["body"]);
                self.put(&key, &p["If-Match"], dataset)
            }
            other => panic!("bigquery has no {other}"),
        }
    }

    /// What is false or empty is left out of answers, as proto3 writes it.
    fn logging(&mut self, operation: &str, p: &Value) -> Answer {
        if operation == "sinks.create" {
            return self.make_sink(p);
        }
        let key = format!("sink/{}", string(&p["sinkName"]));
        let mut sink = self.get(&key)?;
        match operation {
            "sinks.get" => {
                sink["updateTime"] = json!(self.tick.to_string());
                if sink["disabled"] == false {
                    sink.as_object_mut().unwrap().remove("disabled");
                }
                for exclusion in sink["exclusions"].as_array_mut().into_iter().flatten() {
                    exclusion["updateTime"] = json!(self.tick.to_string());
                }
                Ok(sink)
            }
            "sinks.update" => {
                let own = !string(&sink["writerIdentity"]).contains("cloud-logs@system");
                assert_eq!(p["uniqueWriterIdentity"], own, "the writer would change, or the service refuse");
                for member in string(&p["updateMask"]).split(',') {
                    match p["body"].get(member) {
                        Some(value) => sink[member] = value.clone(),
                        None => drop(sink.as_object_mut().unwrap().remove(member)),
                    }
                }
                assert!(sink["destination"].is_string(), "a sink without a destination: {p}");
                self.put_anyhow(&key, sink)
            }
            "sinks.delete" => {
                self.world.remove(&key);
                Ok(json!({}))
            }
            other => panic!("logging has no {other}"),
        }
    }

    fn make_sink(&mut self, p: &Value) -> Answer {
        let mut sink = p["body"].clone();
        let own = p["uniqueWriterIdentity"] == true;
        let agent = if own {
            "service-1@gcp-sa-logging.iam.gserviceaccount.com"
        } else {
            "cloud-logs@system.gserviceaccount.com"
        };
        assert!(sink.get("writerIdentity").is_none(), "nobody chooses it: {p}");
        sink["writerIdentity"] = json!(format!("serviceAccount:{agent}"));
        let key = format!("sink/{}/sinks/{}", string(&p["parent"]), string(&sink["name"]));
        if self.world.contains_key(&key) {
            return Err((onus_core::CallErrorKind::Conflict, "ALREADY_EXISTS"));
        }
        self.put_anyhow(&key, sink)
    }
}

fn project(p: &Value) -> String {
    let project = string(&p["resource"]).strip_prefix("projects/").expect("a project").to_owned();
    format!("project-policy/{project}")
}
