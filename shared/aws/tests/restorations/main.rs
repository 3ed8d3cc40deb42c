//! What a change deleted or overwrote goes back to what was known of it, listed and read as a baseline does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines, clippy::needless_pass_by_value)] // one tale each, whose values are written where they are used

mod aws;

use onus_core::state::read_image;
use onus_core::{
    Actor, Area, Call, CallError, Caller, ChangeSummary, Cloud, Duty, Effects, Finding, FindingId, Image, Known,
    Origin, Outcome, Party, PlanError, Remembered, Resource, ServiceModel, Severity, Step,
};
use serde_json::{Value, json};

use aws::{Aws, TRAIL};

fn summary(operation: &str, resources: Vec<Resource<'static>>) -> ChangeSummary {
    let (service, action) = operation.split_once(':').unwrap();
    ChangeSummary {
        uid: "uid".to_owned(),
        time: "2026-05-01T12:00:00Z".parse().unwrap(),
        cloud: Cloud::Aws,
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        service: service.to_owned(),
        action: action.to_owned(),
        actor: Actor::default(),
        origin: Origin::default(),
        outcome: Outcome::Succeeded,
        resources,
    }
}

fn finding(operation: &str, resources: Vec<Resource<'static>>, request: Value, response: Value) -> Finding {
    Finding {
        id: FindingId::of(Cloud::Aws, "uid", operation),
        rule: "aws.test".to_owned(),
        title: String::new(),
        severity: Severity::High,
        duty: Duty {
            area: Area::NetworkControls,
            service: "S3".to_owned(),
            model: ServiceModel::Paas,
            owner: Party::Customer,
        },
        why: String::new(),
        respond: Vec::new(),
        controls: Vec::new(),
        references: Vec::new(),
        remedy: None,
        change: summary(operation, resources),
        effects: Effects::none(),
        from_state: false,
        request,
        response,
        found_at: "2026-05-01T12:00:05Z".parse().unwrap(),
    }
}

/// What a baseline knows of every guarded resource.
async fn baseline(aws: &Aws) -> Known {
    let place = summary("x:Y", Vec::new());
    let mut known = Vec::new();
    for lister in onus_aws::listers() {
        let answer = aws.call(&lister.list(&place).call).await.unwrap();
        for resource in lister.resources(&place, &answer) {
            let reader = onus_aws::state_reader(lister.kind()).expect("every listed kind has a reader");
            let wanted = |so_far: &Image| Ok::<_, CallError>(reader.reads(&place, &resource, so_far));
            let image = read_image(aws, wanted).await.unwrap();
            let since = Some("2026-05-01T02:00:00Z".parse().unwrap());
            known.push((resource.id.to_string(), Remembered { image, since }));
        }
    }
    known.into_iter().collect()
}

async fn planned(
    aws: &Aws,
    remediation: &str,
    finding: &Finding,
    known: &Known,
) -> Result<(Image, Vec<Step>), PlanError> {
    let remediation = onus_aws::remediation(remediation).expect("registered");
    let restoration = remediation.restoration().expect("it restores");
    let image = read_image(aws, |so_far| restoration.reads(finding, known, so_far)).await?;
    let steps = restoration.plan(finding, known, &image)?;
    let spec = remediation.spec();
    for step in &steps {
        assert!(spec.writes.contains(&step.call.name().as_str()), "{}", step.call);
        let inverse = step.inverse.as_ref().expect("an inverse");
        assert!(spec.undo.contains(&inverse.name().as_str()), "{inverse}");
    }
    Ok((image, steps))
}

/// Restores, finds nothing left to do, undoes, and finds the resource as the change left it.
async fn restores_and_undoes(aws: &Aws, remediation: &str, finding: &Finding, known: &Known) -> Vec<String> {
    let (before, steps) = planned(aws, remediation, finding, known).await.unwrap();
    for step in &steps {
        aws.call(&step.call).await.unwrap();
    }
    let (after, left) = planned(aws, remediation, finding, known).await.unwrap();
    assert!(left.is_empty(), "restored, yet plans {left:?}");
    let restored: Vec<String> = steps.iter().map(|step| step.call.to_string()).collect();
    let healthy = { aws.0.lock().unwrap().snapshot() };
    for step in steps.iter().rev() {
        let inverse = after.fill(step.inverse.as_ref().unwrap()).expect("the image holds what the inverse needs");
        aws.call(&inverse).await.unwrap();
    }
    let (undone, _) = planned(aws, remediation, finding, known).await.unwrap();
    assert!(undone.same_as(&before), "undone is {undone:?}, not {before:?}");
    assert_ne!(healthy, aws.0.lock().unwrap().snapshot());
    restored
}

#[tokio::test]
async fn a_deleted_trail_is_made_again_with_its_selectors_and_logs() {
    let aws = Aws::default();
    let settings = json!({ "Name": "audit", "S3BucketName": "trail-logs", "IsMultiRegionTrail": true,
        "IncludeGlobalServiceEvents": true, "EnableLogFileValidation": true, "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/k" });
    let selectors = json!({ "AdvancedEventSelectors": [{ "Name": "all", "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }] }] });
    for (operation, parameters) in [
        ("CreateTrail", settings.clone()),
        (
            "PutEventSelectors",
            json!({ "TrailName": "audit", "AdvancedEventSelectors": selectors["AdvancedEventSelectors"] }),
        ),
        ("StartLogging", json!({ "Name": "audit" })),
    ] {
        aws.call(&Call::aws("cloudtrail", operation, "eu-west-1", parameters)).await.unwrap();
    }
    let known = baseline(&aws).await;
    aws.call(&Call::aws("cloudtrail", "DeleteTrail", "eu-west-1", json!({ "Name": TRAIL }))).await.unwrap();
    let resource = Resource::new("AWS::CloudTrail::Trail", TRAIL, TRAIL);
    let finding = finding("cloudtrail:DeleteTrail", vec![resource], json!({ "name": TRAIL }), Value::Null);
    let sent = restores_and_undoes(&aws, "aws.cloudtrail.restore_trail", &finding, &known).await;
    assert_eq!(sent.len(), 3, "{sent:?}");
    let restored: Vec<&str> = sent.iter().map(|call| call.split(' ').next().unwrap()).collect();
    assert_eq!(restored, ["cloudtrail:CreateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StartLogging"]);
    assert!(sent[0].contains("trail-logs") && sent[0].contains("EnableLogFileValidation"), "{}", sent[0]);

    // A handler that died after the first call goes on with the second.
    let (_, steps) = planned(&aws, "aws.cloudtrail.restore_trail", &finding, &known).await.unwrap();
    aws.call(&steps[0].call).await.unwrap();
    let (_, rest) = planned(&aws, "aws.cloudtrail.restore_trail", &finding, &known).await.unwrap();
    assert_eq!(rest.iter().map(|step| &step.call).collect::<Vec<_>>(), [&steps[1].call, &steps[2].call]);

    // A trail of that name that somebody made otherwise is theirs.
    aws.0.lock().unwrap().trails.get_mut("audit").unwrap()["S3BucketName"] = json!("another");
    assert!(planned(&aws, "aws.cloudtrail.restore_trail", &finding, &known).await.unwrap().1.is_empty());
}

#[tokio::test]
async fn deleted_flow_logs_are_made_again_each_once_and_those_that_stand_are_let_be() {
    let aws = Aws::default();
    let log = |vpc: &str, to: &str| {
        json!({ "ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "s3",
            "LogDestination": to, "MaxAggregationInterval": 600,
            "TagSpecifications": [{ "ResourceType": "vpc-flow-log", "Tags": [{ "Key": "team", "Value": "net" }] }] })
    };
    for (vpc, to) in [("vpc-1", "arn:aws:s3:::one"), ("vpc-1", "arn:aws:s3:::two"), ("vpc-2", "arn:aws:s3:::one")] {
        aws.call(&Call::aws("ec2", "CreateFlowLogs", "eu-west-1", log(vpc, to))).await.unwrap();
    }
    let known = baseline(&aws).await;
    let before = aws.0.lock().unwrap().logs.clone();
    aws.call(&Call::aws("ec2", "DeleteFlowLogs", "eu-west-1", json!({ "FlowLogIds": ["fl-new1", "fl-new3"] })))
        .await
        .unwrap();
    let resource = |id: &str| {
        Resource::new(
            "AWS::EC2::FlowLog",
            format!("arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/{id}"),
            id.to_owned(),
        )
    };
    let failed = json!({ "unsuccessful": { "item": [{ "resourceId": "fl-new2" }] } });
    let resources = vec![resource("fl-new1"), resource("fl-new2"), resource("fl-new3")];
    let finding = finding("ec2:DeleteFlowLogs", resources, Value::Null, failed);
    let sent = restores_and_undoes(&aws, "aws.ec2.restore_flow_logs", &finding, &known).await;
    assert_eq!(sent.len(), 2, "{sent:?}");
    for step in planned(&aws, "aws.ec2.restore_flow_logs", &finding, &known).await.unwrap().1 {
        aws.call(&step.call).await.unwrap();
    }
    let without_id = |logs: Vec<Value>| {
        let mut logs: Vec<String> = logs
            .into_iter()
            .map(|mut log| {
                log.as_object_mut().unwrap().remove("FlowLogId");
                log.to_string()
            })
            .collect();
        logs.sort();
        logs
    };
    assert_eq!(without_id(aws.0.lock().unwrap().logs.clone()), without_id(before));
}

fn statement(sid: &str, principal: Value) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*" })
}

fn policy(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[tokio::test]
async fn an_overwritten_bucket_policy_goes_back_to_what_it_was_where_that_is_known_and_good() {
    let app = json!({ "AWS": "arn:aws:iam::111122223333:role/app" });
    let good = policy(&[statement("App", app.clone()), statement("Backup", app.clone())]);
    let put = policy(&[statement("Everyone", json!("*")), statement("App", app.clone())]);
    let edited =
        policy(&[statement("Everyone", json!("*")), statement("App", app.clone()), statement("New", app.clone())]);
    let was_public = policy(&[statement("Old", json!("*"))]);
    let healed = policy(&[statement("App", app.clone())]);
    let healed_edited = policy(&[statement("App", app.clone()), statement("New", app)]);
    let cases = [
        ("known", Some(&good), &put, &good),
        ("edited since", Some(&good), &edited, &healed_edited),
        ("was public before", Some(&was_public), &put, &healed),
        ("never seen", None, &put, &healed),
    ];
    let mut wrong = Vec::new();
    for (name, known, live, expected) in cases {
        let aws = Aws::default();
        let write = |policy: &Value| aws.0.lock().unwrap().policies.insert("logs".to_owned(), policy.to_string());
        let known = match known {
            Some(policy) => {
                write(policy);
                baseline(&aws).await
            }
            None => Known::default(),
        };
        write(live);
        let resource = Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
        let request = json!({ "bucketName": "logs", "bucketPolicy": put });
        let finding = finding("s3:PutBucketPolicy", vec![resource], request, Value::Null);
        let id = "aws.s3.remove_public_statements";
        let (image, steps) = planned(&aws, id, &finding, &known).await.unwrap();
        let restoration = onus_aws::remediation(id).unwrap().restoration().unwrap();
        let left = restoration.leaves(&finding, &known, &image).expect("it writes a whole document");
        for step in steps {
            aws.call(&step.call).await.unwrap();
        }
        let found: Value = serde_json::from_str(&aws.0.lock().unwrap().policies["logs"]).unwrap();
        if found != *expected || left.get("policy") != expected {
            wrong.push(format!("{name}: {found}"));
        }
        let (_, rest) = planned(&aws, id, &finding, &known).await.unwrap();
        if !rest.is_empty() {
            wrong.push(format!("{name}: restored, yet plans {rest:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_bucket_that_had_no_policy_has_none_again() {
    let aws = Aws::default();
    let put = policy(&[statement("Everyone", json!("*"))]);
    let resource = Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
    let image: Image = serde_json::from_value(json!({ "policy": null })).unwrap();
    let known: Known = [("arn:aws:s3:::logs".to_owned(), Remembered { image, since: None })].into_iter().collect();
    aws.0.lock().unwrap().policies.insert("logs".to_owned(), put.to_string());
    let request = json!({ "bucketName": "logs", "bucketPolicy": put });
    let finding = finding("s3:PutBucketPolicy", vec![resource], request, Value::Null);
    let sent = restores_and_undoes(&aws, "aws.s3.remove_public_statements", &finding, &known).await;
    assert!(sent.len() == 1 && sent[0].starts_with("s3:DeleteBucketPolicy"), "{sent:?}");
}

#[test]
fn what_was_never_seen_is_said_not_to_be_restorable() {
    let resource = Resource::new("AWS::CloudTrail::Trail", TRAIL, TRAIL);
    let trail = finding("cloudtrail:DeleteTrail", vec![resource], json!({ "name": TRAIL }), Value::Null);
    let log = Resource::new("AWS::EC2::FlowLog", "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/fl-1", "fl-1");
    let flow = finding("ec2:DeleteFlowLogs", vec![log], Value::Null, Value::Null);
    for (id, finding) in [("aws.cloudtrail.restore_trail", trail), ("aws.ec2.restore_flow_logs", flow)] {
        let gone: Image = serde_json::from_value(json!({ "trail": null, "status": null, "selectors": null })).unwrap();
        let error = onus_aws::remediation(id).unwrap().plan(&finding, &gone).expect_err("refused");
        assert!(error.to_string().contains("cannot be restored"), "{error}");
    }
}

#[test]
fn what_is_listed_has_the_ids_that_records_name() {
    let place = summary("x:Y", Vec::new());
    let answer = json!({
        "trailList": [{ "Name": "org-trail", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail" }],
        "FlowLogs": [{ "FlowLogId": "fl-0a1b2c3d4e5f60718" }],
        "SecurityGroups": [{ "GroupId": "sg-1" }],
        "Buckets": [{ "Name": "logs" }],
    });
    let listed: Vec<String> = onus_aws::listers()
        .iter()
        .flat_map(|lister| lister.resources(&place, &answer))
        .map(|resource| format!("{} {}", resource.kind, resource.id))
        .collect();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/aws/");
    let mut wrong = Vec::new();
    for event in ["cloudtrail/delete_trail", "ec2/delete_flow_logs"] {
        let text = std::fs::read_to_string(format!("{root}{event}.json")).unwrap();
        let change = onus_sources::aws::cloudtrail::decode(&text).unwrap().change().unwrap();
        let resource = change.resource().unwrap();
        let named = format!("{} {}", resource.kind, resource.id);
        if !listed.contains(&named) {
            wrong.push(named);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} not in {listed:?}");
}
