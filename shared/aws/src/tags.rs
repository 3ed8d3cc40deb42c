//! How the tags of a resource are read.
//!
//! Most kinds are asked of the tagging API, by ARN and in the ARN's own region. It leaves out what it does not support as it leaves out
//! what has no tags, so only kinds that its documentation names are asked of it
//! (<https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html>). Its answer may be some
//! seconds old. Buckets, users and roles tell their tags themselves.

use onus_core::tags::{of_object, of_pairs};
use onus_core::{Call, ChangeSummary, Read, Resource, TagSource};
use serde_json::{Value, json};

/// The operations that tags are read with, `service:Operation`: both functions need them.
pub const OPERATIONS: &[&str] =
    &["iam:GetRole", "iam:GetUser", "resourcegroupstaggingapi:GetResources", "s3:GetBucketTagging"];

/// Kinds that the tagging API tells the tags of. Sorted.
const BY_ARN: &[&str] = &[
    "AWS::ACMPCA::CertificateAuthority",
    "AWS::AccessAnalyzer::Analyzer",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::Backup::BackupVault",
    "AWS::CloudFront::Distribution",
    "AWS::CloudTrail::EventDataStore",
    "AWS::CloudTrail::Trail",
    "AWS::CodeArtifact::Domain",
    "AWS::CodeArtifact::Repository",
    "AWS::CodeBuild::Project",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::EC2::FlowLog",
    "AWS::EC2::Image",
    "AWS::EC2::Instance",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Snapshot",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::Volume",
    "AWS::ECR::Repository",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::EFS::FileSystem",
    "AWS::EKS::Cluster",
    "AWS::EMR::Cluster",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::GuardDuty::Detector",
    "AWS::IAM::ManagedPolicy",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBClusterSnapshot",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBSnapshot",
    "AWS::Redshift::Cluster",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Document",
    "AWS::SSM::Parameter",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SecretsManager::Secret",
    "AWS::WAFv2::WebACL",
];

/// Kinds that carry no tags: settings of an account or region, and parts of other things. Sorted.
const UNTAGGED: &[&str] = &[
    "AWS::EC2::EBSEncryptionByDefault",
    "AWS::EC2::ImageBlockPublicAccess",
    "AWS::EC2::InstanceMetadataDefaults",
    "AWS::EC2::SerialConsoleAccess",
    "AWS::EC2::SnapshotBlockPublicAccess",
    "AWS::EMR::BlockPublicAccess",
    "AWS::IAM::AccessKey",
    "AWS::IAM::AccountAlias",
    "AWS::IAM::AccountPasswordPolicy",
    "AWS::IAM::Group",
    "AWS::IAM::RootUser",
    "AWS::KMS::Alias",
    "AWS::KMS::Grant",
    "AWS::S3::AccountPublicAccessBlock",
];

/// Where the tagging API knows the things of global services, by partition.
fn global(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// How the tags of a resource are read; `None` when its kind is not known, or when the tagging API knows its kind but the record
/// does not tell its ARN.
pub fn tag_source(change: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    let kind = resource.kind.as_ref();
    let name = last_part(&resource.name);
    let read = |call| Some(TagSource::Read(Read::new("tags", call)));
    match kind {
        "AWS::S3::Bucket" if !name.is_empty() => {
            let call = Call::aws("s3", "GetBucketTagging", &change.region, json!({ "Bucket": name }));
            let keep = |answer: Value| of_pairs(answer.get("TagSet").unwrap_or(&Value::Null), "Key", "Value");
            Some(TagSource::Read(Read::new("tags", call).absent(&["NoSuchTagSet"]).keep(keep)))
        }
        "AWS::IAM::Role" if !name.is_empty() => read(Call::aws("iam", "GetRole", "", json!({ "RoleName": name })))
            .map(|source| kept(source, |answer| identity(&answer, "/Role"))),
        "AWS::IAM::User" if !name.is_empty() => read(Call::aws("iam", "GetUser", "", json!({ "UserName": name })))
            .map(|source| kept(source, |answer| identity(&answer, "/User"))),
        _ if UNTAGGED.binary_search(&kind).is_ok() => Some(TagSource::Untagged),
        _ if BY_ARN.binary_search(&kind).is_ok() => {
            // arn:partition:service:region:account:resource
            let mut parts = resource.id.strip_prefix("arn:")?.split(':');
            let (partition, region) = (parts.next()?, parts.nth(1)?);
            let region = if region.is_empty() { global(partition) } else { region };
            let parameters = json!({ "ResourceARNList": [resource.id] });
            read(Call::aws("resourcegroupstaggingapi", "GetResources", region, parameters))
                .map(|source| kept(source, |answer| mapped(&answer)))
        }
        _ => None,
    }
}

fn kept(source: TagSource, keep: fn(Value) -> Value) -> TagSource {
    match source {
        TagSource::Read(read) => TagSource::Read(read.keep(keep)),
        TagSource::Untagged => TagSource::Untagged,
    }
}

/// `{"Role": {…, "Tags": [{"Key", "Value"}]}}`: the member is left out where there are none, but the role never is.
fn identity(answer: &Value, pointer: &str) -> Value {
    match answer.pointer(pointer) {
        Some(Value::Object(identity)) => match identity.get("Tags") {
            None | Some(Value::Null) => of_object(None),
            Some(tags) => of_pairs(tags, "Key", "Value"),
        },
        _ => Value::Null,
    }
}

/// `{"ResourceTagMappingList": [{"ResourceARN", "Tags": [{"Key", "Value"}]}]}`, at most one for the one ARN that was asked for; none
/// when it never had a tag.
fn mapped(answer: &Value) -> Value {
    match answer.get("ResourceTagMappingList").and_then(Value::as_array).map(Vec::as_slice) {
        Some([]) => of_object(None),
        Some([only]) => of_pairs(only.get("Tags").unwrap_or(&Value::Null), "Key", "Value"),
        _ => Value::Null,
    }
}

/// What follows the last `:` or `/` of an ARN or path.
fn last_part(name: &str) -> &str {
    name.rsplit([':', '/']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use onus_core::{Actor, Cloud, Origin, Outcome};

    use super::*;

    fn change() -> ChangeSummary {
        ChangeSummary {
            uid: "e-1".to_owned(),
            time: jiff::Timestamp::UNIX_EPOCH,
            cloud: Cloud::Aws,
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            service: "s3".to_owned(),
            action: "PutBucketPolicy".to_owned(),
            actor: Actor::default(),
            origin: Origin::default(),
            outcome: Outcome::Succeeded,
            resources: Vec::new(),
        }
    }

    fn asked(kind: &str, id: &str, name: &str) -> String {
        match tag_source(&change(), &Resource::new(kind, id, name)) {
            Some(TagSource::Read(read)) => format!("{} [{}]", read.call, read.call.region),
            Some(TagSource::Untagged) => "untagged".to_owned(),
            None => "unknown".to_owned(),
        }
    }

    #[test]
    fn each_kind_is_asked_where_its_tags_are_known() {
        let cases = [
            (("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs"), r#"s3:GetBucketTagging {"Bucket":"logs"} [eu-west-1]"#),
            (
                ("AWS::EC2::SecurityGroup", "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1", "sg-1"),
                r#"resourcegroupstaggingapi:GetResources {"ResourceARNList":["arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1"]} [eu-central-1]"#,
            ),
            (
                ("AWS::IAM::ManagedPolicy", "arn:aws:iam::111122223333:policy/p", "p"),
                r#"resourcegroupstaggingapi:GetResources {"ResourceARNList":["arn:aws:iam::111122223333:policy/p"]} [us-east-1]"#,
            ),
            (
                ("AWS::IAM::Role", "arn:aws:iam::111122223333:role/team/deploy", "team/deploy"),
                r#"iam:GetRole {"RoleName":"deploy"} []"#,
            ),
            (("AWS::EC2::SecurityGroup", "sg-1", "sg-1"), "unknown"),
            (("AWS::IAM::Group", "arn:aws:iam::111122223333:group/g", "g"), "untagged"),
            (("AWS::New::Thing", "arn:aws:new:eu-west-1:111122223333:thing/t", "t"), "unknown"),
            (("AWS::S3::Bucket", "", ""), "unknown"),
        ];
        let mut wrong = Vec::new();
        for ((kind, id, name), expected) in cases {
            let got = asked(kind, id, name);
            if got != expected {
                wrong.push(format!("{kind} {id}: {got}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn an_answer_is_tags_or_it_is_not_understood() {
        let tags = json!([{ "Key": "env", "Value": "dev" }]);
        let env = json!({ "env": "dev" });
        let cases = [
            (mapped(&json!({ "ResourceTagMappingList": [{ "ResourceARN": "a", "Tags": tags }] })), env.clone()),
            (mapped(&json!({ "ResourceTagMappingList": [] })), json!({})),
            (mapped(&json!({})), Value::Null),
            (mapped(&json!({ "ResourceTagMappingList": [{}, {}] })), Value::Null),
            (identity(&json!({ "Role": { "Tags": tags } }), "/Role"), env),
            (identity(&json!({ "Role": {} }), "/Role"), json!({})),
            (identity(&json!({}), "/Role"), Value::Null),
        ];
        for (at, (got, expected)) in cases.into_iter().enumerate() {
            assert_eq!(got, expected, "case {at}");
        }
    }

    #[test]
    fn the_tables_are_sorted_and_name_each_kind_once() {
        for table in [BY_ARN, UNTAGGED] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert!(BY_ARN.iter().all(|kind| !UNTAGGED.contains(kind)));
    }
}
