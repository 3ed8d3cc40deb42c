//! What each service beside S3 and EC2 does with its state.

use serde_json::{Value, json};

use super::{Answer, State, string};

impl State {
    pub(super) fn rds(&mut self, operation: &str, p: &Value) -> Answer {
        let cluster = operation.contains("Cluster");
        let (kind, word) = if cluster { ("cluster-snapshot", "DBCluster") } else { ("db-snapshot", "DB") };
        let name = &p[format!("{word}SnapshotIdentifier")];
        if operation.starts_with("Describe") {
            let values = self.get(kind, name, "DBSnapshotNotFound")?;
            let attributes = json!([
                { "AttributeName": "copy", "AttributeValues": ["all"] },
                { "AttributeName": "restore", "AttributeValues": values },
            ]);
            return Ok(
                json!({ format!("{word}SnapshotAttributesResult"): { format!("{word}SnapshotAttributes"): attributes } }),
            );
        }
        assert_eq!(p["AttributeName"], "restore");
        self.edit(kind, name, "DBSnapshotNotFound", |shared| {
            let shared = shared.as_array_mut().unwrap();
            let entries = |list: &str| p[list].as_array().cloned().unwrap_or_default();
            shared.retain(|entry| !entries("ValuesToRemove").contains(entry));
            shared.extend(entries("ValuesToAdd"));
        })
    }

    pub(super) fn iam(&mut self, operation: &str, p: &Value) -> Answer {
        let holder = ["User", "Role", "Group"].into_iter().find(|word| operation.contains(&format!("{word}Polic")));
        let attached = holder.map(|word| (format!("attached-{}", word.to_lowercase()), &p[format!("{word}Name")]));
        match (operation, attached) {
            ("GetRole", _) => {
                let trust = self.get("trust", &p["RoleName"], "NoSuchEntity")?.to_string().replace('{', "%7B");
                Ok(json!({ "Role": { "AssumeRolePolicyDocument": trust, "RoleLastUsed": { "Region": self.tick } } }))
            }
            ("UpdateAssumeRolePolicy", _) => self.put_policy("trust", &p["RoleName"], &p["PolicyDocument"]),
            ("GetPolicy", _) => {
                self.get("managed", &p["PolicyArn"], "NoSuchEntity")?;
                Ok(json!({ "Policy": { "DefaultVersionId": "v3", "AttachmentCount": self.tick } }))
            }
            ("GetPolicyVersion", _) => {
                assert_eq!(p["VersionId"], "v3");
                let document = self.get("managed", &p["PolicyArn"], "NoSuchEntity")?.to_string();
                Ok(json!({ "PolicyVersion": { "Document": document } }))
            }
            ("ListUserPolicies" | "ListRolePolicies" | "ListGroupPolicies", Some((kind, name))) => {
                let inline = self.get(&kind.replace("attached", "inline"), name, "NoSuchEntity")?;
                Ok(json!({ "PolicyNames": inline.as_object().unwrap().keys().collect::<Vec<_>>() }))
            }
            ("GetUserPolicy" | "GetRolePolicy" | "GetGroupPolicy", Some((kind, name))) => {
                let inline = self.get(&kind.replace("attached", "inline"), name, "NoSuchEntity")?;
                Ok(json!({ "PolicyDocument": inline[p["PolicyName"].as_str().unwrap()].to_string() }))
            }
            ("ListAccessKeys", _) => {
                let mut keys = self.get("keys", &p["UserName"], "NoSuchEntity")?;
                for key in keys.as_array_mut().unwrap() {
                    key["UserName"] = p["UserName"].clone();
                }
                Ok(json!({ "AccessKeyMetadata": keys }))
            }
            ("UpdateAccessKey", _) => self.edit("keys", &p["UserName"], "NoSuchEntity", |keys| {
                let mut keys = keys.as_array_mut().unwrap().iter_mut();
                keys.find(|key| key["AccessKeyId"] == p["AccessKeyId"]).unwrap()["Status"] = p["Status"].clone();
            }),
            (list, Some((kind, name))) if list.starts_with("List") => {
                let policies = self.get(&kind, name, "NoSuchEntity")?;
                let named =
                    policies.as_array().unwrap().iter().map(|arn| json!({ "PolicyArn": arn, "PolicyName": "x" }));
                Ok(json!({ "AttachedPolicies": named.collect::<Vec<_>>() }))
            }
            (edit, Some((kind, name))) => self.edit(&kind, name, "NoSuchEntity", |policies| {
                let policies = policies.as_array_mut().unwrap();
                policies.retain(|arn| *arn != p["PolicyArn"]);
                if edit.starts_with("Attach") {
                    policies.push(p["PolicyArn"].clone());
                }
            }),
            (other, None) => panic!("iam has no {other}"),
        }
    }

    pub(super) fn kms(&mut self, operation: &str, p: &Value) -> Answer {
        let key = &p["KeyId"];
        let set = |member: &'static str, value: Value| move |key: &mut Value| key[member] = value;
        match operation {
            "GetKeyPolicy" => Ok(json!({ "Policy": self.get("key-policy", key, "")?.to_string() })),
            "PutKeyPolicy" => self.put_policy("key-policy", key, &p["Policy"]),
            "DescribeKey" => Ok(json!({ "KeyMetadata": self.get("key", key, "NotFoundException")? })),
            "CancelKeyDeletion" | "DisableKey" => self.edit("key", key, "", set("KeyState", json!("Disabled"))),
            "EnableKey" => self.edit("key", key, "", |key| {
                assert_eq!(key["KeyState"], "Disabled", "only a disabled key can be enabled");
                key["KeyState"] = json!("Enabled");
            }),
            "ScheduleKeyDeletion" => {
                let date = self.tick;
                self.edit("key", key, "", |key| {
                    key["KeyState"] = json!("PendingDeletion");
                    key["DeletionDate"] = json!(date);
                })
            }
            "GetKeyRotationStatus" => self.get("rotation", key, "UnsupportedOperationException"),
            "EnableKeyRotation" => self.edit("rotation", key, "", set("KeyRotationEnabled", json!(true))),
            "DisableKeyRotation" => self.edit("rotation", key, "", set("KeyRotationEnabled", json!(false))),
            "ListGrants" => Ok(json!({ "Grants": self.get("grants", key, "NotFoundException")? })),
            "RevokeGrant" => self.edit("grants", key, "", |grants| {
                grants.as_array_mut().unwrap().retain(|grant| grant["GrantId"] != p["GrantId"]);
            }),
            "CreateGrant" => {
                let mut grant = p.clone();
                grant["GrantId"] = json!(format!("grant-{}", self.tick));
                grant["CreationDate"] = json!(self.tick);
                self.edit("grants", key, "", |grants| grants.as_array_mut().unwrap().push(grant))
            }
            other => panic!("kms has no {other}"),
        }
    }

    pub(super) fn messaging(&mut self, operation: &str, p: &Value) -> Answer {
        match operation {
            "GetTopicAttributes" => {
                let policy = self.get("topic-policy", &p["TopicArn"], "NotFound")?.to_string();
                Ok(json!({ "Attributes": { "Policy": policy, "SubscriptionsConfirmed": self.tick.to_string() } }))
            }
            "SetTopicAttributes" => {
                assert_eq!(p["AttributeName"], "Policy");
                self.put_policy("topic-policy", &p["TopicArn"], &p["AttributeValue"])
            }
            "GetQueueUrl" => {
                self.get("queue-url", &p["QueueName"], "QueueDoesNotExist").map(|url| json!({ "QueueUrl": url }))
            }
            "GetQueueAttributes" => match self.get("queue-policy", &p["QueueUrl"], "") {
                Ok(policy) => Ok(json!({ "Attributes": { "Policy": policy.to_string() } })),
                Err(_) => Ok(json!({})),
            },
            "SetQueueAttributes" => match p["Attributes"]["Policy"].as_str() {
                Some("") => self.delete("queue-policy", &p["QueueUrl"]),
                _ => self.put_policy("queue-policy", &p["QueueUrl"], &p["Attributes"]["Policy"]),
            },
            other => panic!("no {other}"),
        }
    }

    pub(super) fn lambda(&mut self, operation: &str, p: &Value, region: &str) -> Answer {
        let name = &p["FunctionName"];
        match operation {
            "GetPolicy" => {
                let policy = self.get("function-policy", name, "ResourceNotFoundException")?.to_string();
                Ok(json!({ "Policy": policy, "RevisionId": self.tick.to_string() }))
            }
            "GetFunctionUrlConfig" => {
                let kind = self.get("function-url", name, "ResourceNotFoundException")?;
                Ok(json!({ "AuthType": kind, "LastModifiedTime": self.tick }))
            }
            "UpdateFunctionUrlConfig" => self.put("function-url", name, p["AuthType"].clone()),
            "RemovePermission" => {
                let sid = p["StatementId"].clone();
                self.edit("function-policy", name, "ResourceNotFoundException", |policy| {
                    policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != sid);
                })?;
                if self.get("function-policy", name, "")?["Statement"] == json!([]) {
                    self.delete("function-policy", name)?;
                }
                Ok(json!({}))
            }
            "AddPermission" => {
                let mut statement = json!({
                    "Sid": p["StatementId"],
                    "Effect": "Allow",
                    "Principal": p["Principal"],
                    "Action": p["Action"],
                    "Resource": format!("arn:aws:lambda:{region}:111122223333:function:{}", string(name)),
                });
                if let Some(kind) = p.get("FunctionUrlAuthType") {
                    statement["Condition"] = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": kind } });
                }
                let key = format!("function-policy/{}", string(name));
                let empty = json!({ "Version": "2012-10-17", "Id": "default", "Statement": [] });
                let policy = self.world.entry(key).or_insert(empty);
                policy["Statement"].as_array_mut().unwrap().push(statement);
                Ok(json!({}))
            }
            other => panic!("lambda has no {other}"),
        }
    }

    pub(super) fn others(&mut self, operation: &str, p: &Value) -> Answer {
        let repository = &p["repositoryName"];
        match operation {
            "GetTrailStatus" => {
                let logging = self.get("trail", &p["Name"], "TrailNotFoundException")?;
                Ok(json!({ "IsLogging": logging, "LatestDeliveryTime": self.tick }))
            }
            "GetTrail" => Ok(json!({ "Trail": { "Name": p["Name"], "IsMultiRegionTrail": true } })),
            "GetEventSelectors" => Ok(json!({ "EventSelectors": [], "TrailARN": p["TrailName"] })),
            "StartLogging" => self.put("trail", &p["Name"], json!(true)),
            "StopLogging" => self.put("trail", &p["Name"], json!(false)),
            "GetResourcePolicy" => match self.get("secret-policy", &p["SecretId"], "") {
                Ok(policy) => Ok(json!({ "Name": p["SecretId"], "ResourcePolicy": policy.to_string() })),
                Err(_) => Ok(json!({ "Name": p["SecretId"] })),
            },
            "PutResourcePolicy" => self.put_policy("secret-policy", &p["SecretId"], &p["ResourcePolicy"]),
            "DeleteResourcePolicy" => self.delete("secret-policy", &p["SecretId"]),
            "GetRepositoryPolicy" => {
                let policy = self.get("repository-policy", repository, "RepositoryPolicyNotFoundException")?;
                Ok(json!({ "repositoryName": repository, "policyText": policy.to_string() }))
            }
            "SetRepositoryPolicy" => self.put_policy("repository-policy", repository, &p["policyText"]),
            "DeleteRepositoryPolicy" => self.delete("repository-policy", repository),
            other => panic!("no {other}"),
        }
    }
}
