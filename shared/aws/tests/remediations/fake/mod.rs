//! A small AWS in memory: keeps state and nothing else. It answers with the noise of the real service (owners, dates,
//! request ids), so that a plan or a comparison that looks at noise fails.

mod services;

use std::sync::Mutex;

use async_trait::async_trait;
use onus_core::proof::{Fake, World};
use onus_core::{Call, CallError, CallErrorKind, Caller};
use serde_json::{Value, json};

/// See the [module docs](self).
pub(crate) struct FakeAws {
    state: Mutex<State>,
}

struct State {
    world: World,
    /// Counts calls: makes new ids and changing dates.
    tick: u64,
    calls: Vec<Call>,
}

impl FakeAws {
    pub(crate) fn new(world: World) -> Self {
        Self { state: Mutex::new(State { world, tick: 0, calls: Vec::new() }) }
    }
}

impl Fake for FakeAws {
    fn world(&self) -> World {
        self.state.lock().unwrap().world.clone()
    }

    fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }
}

#[async_trait]
impl Caller for FakeAws {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        assert_is_understood(call);
        let mut state = self.state.lock().unwrap();
        state.tick += 1;
        state.calls.push(call.clone());
        state.answer(call).map_err(|code| CallError {
            call: call.name(),
            kind: CallErrorKind::NotFound,
            code: code.to_owned(),
            message: String::new(),
        })
    }
}

/// Whether the real service would understand a call: its operation is in the table, and its parameters fit the model.
fn assert_is_understood(call: &Call) {
    let service = onus_aws::operations::service(&call.service).unwrap_or_else(|| panic!("`{call}`: no such service"));
    let operation = service.operation(&call.operation).unwrap_or_else(|| panic!("`{call}`: not in the table"));
    if let Err(error) = onus_aws::protocol::serialize(service, operation, &call.parameters, &|| "token".to_owned()) {
        panic!("{error}: {call}");
    }
}

type Answer = Result<Value, &'static str>;

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

impl State {
    fn answer(&mut self, call: &Call) -> Answer {
        let parameters = &call.parameters;
        let needs_region = !matches!(call.service.as_str(), "iam");
        assert_eq!(needs_region, !call.region.is_empty(), "{call} goes to the wrong region");
        match call.service.as_str() {
            "s3" | "s3control" => self.s3(&call.operation, parameters),
            "ec2" => self.ec2(&call.operation, parameters),
            "rds" => self.rds(&call.operation, parameters),
            "iam" => self.iam(&call.operation, parameters),
            "kms" => self.kms(&call.operation, parameters),
            "sns" | "sqs" => self.messaging(&call.operation, parameters),
            "lambda" => self.lambda(&call.operation, parameters, &call.region),
            _ => self.others(&call.operation, parameters),
        }
    }

    fn get(&self, kind: &str, name: &Value, absent: &'static str) -> Answer {
        self.world.get(&format!("{kind}/{}", string(name))).cloned().ok_or(absent)
    }

    #[allow(clippy::unnecessary_wraps)] // an operation's last word
    fn put(&mut self, kind: &str, name: &Value, value: Value) -> Answer {
        assert!(!value.is_null(), "{kind} needs a value");
        self.world.insert(format!("{kind}/{}", string(name)), value);
        Ok(json!({}))
    }

    #[allow(clippy::unnecessary_wraps)] // an operation's last word
    fn delete(&mut self, kind: &str, name: &Value) -> Answer {
        self.world.remove(&format!("{kind}/{}", string(name)));
        Ok(json!({}))
    }

    /// Stores policy text as an object; a service refuses text that is none.
    fn put_policy(&mut self, kind: &str, name: &Value, text: &Value) -> Answer {
        let document: Value = serde_json::from_str(&string(text)).expect("a policy is JSON text");
        let statements = &document["Statement"];
        assert!(statements.as_array().is_none_or(|list| !list.is_empty()), "{kind} refuses a policy of no statement");
        self.put(kind, name, document)
    }

    fn edit(&mut self, kind: &str, name: &Value, absent: &'static str, edit: impl FnOnce(&mut Value)) -> Answer {
        let thing = self.world.get_mut(&format!("{kind}/{}", string(name))).ok_or(absent)?;
        edit(thing);
        Ok(json!({}))
    }

    fn s3(&mut self, operation: &str, p: &Value) -> Answer {
        let (bucket, account) = (&p["Bucket"], &p["AccountId"]);
        let level = if bucket.is_null() { ("account-block", account) } else { ("block", bucket) };
        match operation {
            "GetBucketPolicy" => {
                let policy = self.get("bucket-policy", bucket, "NoSuchBucketPolicy")?;
                Ok(json!({ "Policy": policy.to_string() }))
            }
            "PutBucketPolicy" => self.put_policy("bucket-policy", bucket, &p["Policy"]),
            "DeleteBucketPolicy" => self.delete("bucket-policy", bucket),
            "GetBucketAcl" => {
                let mut acl = self.get("acl", bucket, "NoSuchBucket")?;
                acl["Owner"]["DisplayName"] = json!(format!("owner-{}", self.tick));
                acl["Grants"].as_array_mut().unwrap().reverse();
                Ok(acl)
            }
            "PutBucketAcl" => self.put("acl", bucket, p["AccessControlPolicy"].clone()),
            "GetPublicAccessBlock" => {
                let block = self.get(level.0, level.1, "NoSuchPublicAccessBlockConfiguration")?;
                Ok(json!({ "PublicAccessBlockConfiguration": block }))
            }
            "PutPublicAccessBlock" => self.put(level.0, level.1, p["PublicAccessBlockConfiguration"].clone()),
            "DeletePublicAccessBlock" => self.delete(level.0, level.1),
            other => panic!("s3 has no {other}"),
        }
    }

    fn ec2(&mut self, operation: &str, p: &Value) -> Answer {
        match operation {
            "DescribeSecurityGroupRules" => {
                let mut rules = self.get("group", &p["Filters"][0]["Values"][0], "InvalidGroup.NotFound")?;
                let list = rules.as_array_mut().unwrap();
                if self.tick.is_multiple_of(2) {
                    list.reverse();
                }
                Ok(json!({ "SecurityGroupRules": rules }))
            }
            "DescribeFlowLogs" => Ok(json!({ "FlowLogs": [] })),
            "GetManagedPrefixListEntries" => {
                let cidrs = self.get("prefix-list", &p["PrefixListId"], "InvalidPrefixListID.NotFound")?;
                let entries = cidrs.as_array().unwrap().iter().map(|cidr| json!({ "Cidr": cidr, "Description": "x" }));
                Ok(json!({ "Entries": entries.collect::<Vec<_>>() }))
            }
            "DescribeNetworkAcls" => {
                let entries = self.get("network-acl", &p["NetworkAclIds"][0], "InvalidNetworkAclID.NotFound")?;
                Ok(json!({ "NetworkAcls": [{ "NetworkAclId": p["NetworkAclIds"][0], "Entries": entries }] }))
            }
            "DeleteNetworkAclEntry" => self.edit("network-acl", &p["NetworkAclId"], "", |entries| {
                entries
                    .as_array_mut()
                    .unwrap()
                    .retain(|entry| (&entry["RuleNumber"], &entry["Egress"]) != (&p["RuleNumber"], &p["Egress"]));
            }),
            "CreateNetworkAclEntry" => {
                let mut entry = p.clone();
                entry.as_object_mut().unwrap().remove("NetworkAclId");
                self.edit("network-acl", &p["NetworkAclId"], "", |entries| entries.as_array_mut().unwrap().push(entry))
            }
            "DescribeInstances" => {
                let mut instances = Vec::new();
                for id in p["InstanceIds"].as_array().unwrap() {
                    let tokens = self.get("instance", id, "InvalidInstanceID.NotFound")?;
                    let options = json!({ "State": "applied", "HttpTokens": tokens });
                    instances
                        .push(json!({ "InstanceId": id, "State": { "Name": "running" }, "MetadataOptions": options }));
                }
                Ok(json!({ "Reservations": [{ "OwnerId": self.tick, "Instances": instances }] }))
            }
            "ModifyInstanceMetadataOptions" => self.put("instance", &p["InstanceId"], p["HttpTokens"].clone()),
            "RevokeSecurityGroupIngress" => self.revoke(p, false),
            "RevokeSecurityGroupEgress" => self.revoke(p, true),
            "AuthorizeSecurityGroupIngress" => self.authorize(p, false),
            "AuthorizeSecurityGroupEgress" => self.authorize(p, true),
            "DescribeSnapshotAttribute" => {
                let shared = self.get("snapshot", &p["SnapshotId"], "InvalidSnapshot.NotFound")?;
                Ok(json!({ "SnapshotId": p["SnapshotId"], "CreateVolumePermissions": shared }))
            }
            "ModifySnapshotAttribute" => {
                let named = |list: &str, member: &str| -> Vec<Value> {
                    p[list].as_array().into_iter().flatten().map(|value| json!({ member: value })).collect()
                };
                let entries = [named("UserIds", "UserId"), named("GroupNames", "Group")].concat();
                let verb = if p["OperationType"] == "add" { "Add" } else { "Remove" };
                self.share("snapshot", &p["SnapshotId"], &json!({ verb: entries }))
            }
            "DescribeImageAttribute" => {
                let shared = self.get("image", &p["ImageId"], "InvalidAMIID.NotFound")?;
                Ok(json!({ "ImageId": p["ImageId"], "LaunchPermissions": shared, "ProductCodes": [] }))
            }
            "ModifyImageAttribute" => self.share("image", &p["ImageId"], &p["LaunchPermission"]),
            "GetEbsEncryptionByDefault" => {
                let on = self.get("ebs", &json!("default"), "")?;
                Ok(json!({ "EbsEncryptionByDefault": on, "SseType": "sse-ebs" }))
            }
            "EnableEbsEncryptionByDefault" => self.put("ebs", &json!("default"), json!(true)),
            "DisableEbsEncryptionByDefault" => self.put("ebs", &json!("default"), json!(false)),
            other => panic!("ec2 has no {other}"),
        }
    }

    fn revoke(&mut self, p: &Value, egress: bool) -> Answer {
        let ids = p["SecurityGroupRuleIds"].as_array().unwrap().clone();
        self.edit("group", &p["GroupId"], "InvalidGroup.NotFound", |rules| {
            rules
                .as_array_mut()
                .unwrap()
                .retain(|rule| !(ids.contains(&rule["SecurityGroupRuleId"]) && rule["IsEgress"] == json!(egress)));
        })
    }

    fn authorize(&mut self, p: &Value, egress: bool) -> Answer {
        let mut made = Vec::new();
        for permission in p["IpPermissions"].as_array().unwrap() {
            let ranges = [
                ("IpRanges", "CidrIp", "CidrIpv4"),
                ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
                ("PrefixListIds", "PrefixListId", "PrefixListId"),
            ];
            for (list, member, answered) in ranges {
                for range in permission[list].as_array().into_iter().flatten() {
                    self.tick += 1;
                    let mut rule = json!({
                        "SecurityGroupRuleId": format!("sgr-new{}", self.tick),
                        "GroupId": p["GroupId"],
                        "IsEgress": egress,
                        "IpProtocol": permission["IpProtocol"],
                        "FromPort": permission.get("FromPort").cloned().unwrap_or(json!(-1)),
                        "ToPort": permission.get("ToPort").cloned().unwrap_or(json!(-1)),
                        "Tags": p["TagSpecifications"][0].get("Tags").cloned().unwrap_or(json!([])),
                    });
                    rule[answered] = range[member].clone();
                    if let Some(description) = range.get("Description") {
                        rule["Description"] = description.clone();
                    }
                    made.push(rule);
                }
            }
        }
        assert!(!made.is_empty(), "{p} authorises nothing");
        self.edit("group", &p["GroupId"], "InvalidGroup.NotFound", |rules| rules.as_array_mut().unwrap().extend(made))
    }

    fn share(&mut self, kind: &str, name: &Value, modification: &Value) -> Answer {
        self.edit(kind, name, "NotFound", |shared| {
            let shared = shared.as_array_mut().unwrap();
            let entries = |verb: &str| modification[verb].as_array().cloned().unwrap_or_default();
            shared.retain(|entry| !entries("Remove").contains(entry));
            shared.extend(entries("Add"));
        })
    }
}
