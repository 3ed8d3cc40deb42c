//! Snapshots and images: with whom they are shared.

use onus_core::{Audience, ChangeSummary, Effects, Grant, Image, Level, Read, Resource, StateReader};
use serde_json::{Value, json};

use super::subject::{Subject, Target, elements, only, set, take};

/// Image key of the sharing: the set of those who may use the thing. EC2: objects of one member (`{"Group": "all"}`,
/// `{"UserId": "…"}`, `{"OrganizationArn": "…"}`); RDS: strings (`"all"`, an account).
pub(crate) const SHARED: &str = "shared_with";

/// How one kind of thing is shared.
pub(crate) struct Share {
    /// `AWS::EC2::Snapshot`.
    pub(crate) kind: &'static str,
    /// The attribute that holds the sharing, as grants name it.
    attribute: &'static str,
    /// The operation that `read` calls.
    pub(crate) operations: &'static [&'static str],
    /// The parameters that name the thing.
    pub(crate) target: fn(&Subject<'_>) -> Option<Target>,
    /// The read of the sharing, under [`SHARED`].
    pub(crate) read: fn(&Target) -> Read,
}

/// An EBS snapshot.
pub(crate) static SNAPSHOT: Share = Share {
    kind: "AWS::EC2::Snapshot",
    attribute: "createVolumePermission",
    operations: &["ec2:DescribeSnapshotAttribute"],
    target: |subject| {
        let id = subject.told_or_name("snapshotId")?;
        Some(Target::regional(subject, json!({ "SnapshotId": id, "Attribute": "createVolumePermission" })))
    },
    read: |snapshot| {
        Read::new(SHARED, snapshot.call("ec2", "DescribeSnapshotAttribute", Value::Null))
            .absent(&["InvalidSnapshot.NotFound"])
            .keep(|answer| permissions(&take(answer, "/CreateVolumePermissions")))
    },
};

/// A machine image.
pub(crate) static IMAGE: Share = Share {
    kind: "AWS::EC2::Image",
    attribute: "launchPermission",
    operations: &["ec2:DescribeImageAttribute"],
    target: |subject| {
        let id = subject.told_or_name("imageId")?;
        Some(Target::regional(subject, json!({ "ImageId": id, "Attribute": "launchPermission" })))
    },
    read: |image| {
        Read::new(SHARED, image.call("ec2", "DescribeImageAttribute", Value::Null))
            .absent(&["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"])
            .keep(|answer| permissions(&take(answer, "/LaunchPermissions")))
    },
};

/// An RDS instance snapshot.
pub(crate) static DB_SNAPSHOT: Share = Share {
    kind: "AWS::RDS::DBSnapshot",
    attribute: "restore",
    operations: &["rds:DescribeDBSnapshotAttributes"],
    target: |subject| {
        let id = snapshot_name(subject, "dBSnapshotIdentifier", ":snapshot:")?;
        Some(Target::regional(subject, json!({ "DBSnapshotIdentifier": id })))
    },
    read: |snapshot| {
        Read::new(SHARED, snapshot.call("rds", "DescribeDBSnapshotAttributes", Value::Null))
            .absent(&["DBSnapshotNotFound", "DBSnapshotNotFoundFault"])
            .keep(|answer| restore(&take(answer, "/DBSnapshotAttributesResult/DBSnapshotAttributes")))
    },
};

/// An RDS (Aurora, Neptune, `DocumentDB`) cluster snapshot.
pub(crate) static CLUSTER_SNAPSHOT: Share = Share {
    kind: "AWS::RDS::DBClusterSnapshot",
    attribute: "restore",
    operations: &["rds:DescribeDBClusterSnapshotAttributes"],
    target: |subject| {
        let id = snapshot_name(subject, "dBClusterSnapshotIdentifier", ":cluster-snapshot:")?;
        Some(Target::regional(subject, json!({ "DBClusterSnapshotIdentifier": id })))
    },
    read: |snapshot| {
        Read::new(SHARED, snapshot.call("rds", "DescribeDBClusterSnapshotAttributes", Value::Null))
            .absent(&["DBClusterSnapshotNotFound", "DBClusterSnapshotNotFoundFault"])
            .keep(|answer| restore(&take(answer, "/DBClusterSnapshotAttributesResult/DBClusterSnapshotAttributes")))
    },
};

/// Snapshot names may hold colons (`rds:nightly-…`), so an ARN is cut at its type.
fn snapshot_name<'a>(subject: &'a Subject<'_>, member: &str, separator: &str) -> Option<&'a str> {
    let name = subject.told(member).or_else(|| subject.name())?;
    Some(name.split_once(separator).map_or(name, |(_, name)| name))
}

/// EC2's permissions as a set. Product codes and empty members are left out.
pub(crate) fn permissions(list: &Value) -> Value {
    set(elements(list).iter().map(|one| only(one, &["Group", "UserId", "OrganizationArn", "OrganizationalUnitArn"])))
}

fn restore(attributes: &Value) -> Value {
    let restore = elements(attributes)
        .iter()
        .filter(|attribute| attribute.get("AttributeName").and_then(Value::as_str) == Some("restore"));
    set(restore.flat_map(|attribute| elements(attribute.get("AttributeValues").unwrap_or(&Value::Null)).to_vec()))
}

/// Who one entry of the set is, as written: `all`, an account, an ARN.
pub(crate) fn grantee(entry: &Value) -> &str {
    match entry {
        Value::Object(members) => members.values().find_map(Value::as_str).unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    }
}

impl StateReader for Share {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &'static [&'static str] {
        self.operations
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let target = (self.target)(&Subject::of_resource(change, resource)).filter(|_| !so_far.has(SHARED));
        target.as_ref().map(self.read).into_iter().collect()
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        if !image.has(SHARED) {
            return Effects::unknown(SHARED, "was not read");
        }
        let full = if resource.id.is_empty() { &resource.name } else { &resource.id };
        let grants = elements(image.get(SHARED)).iter().map(|entry| self.grant(entry, full, &change.account)).collect();
        Effects { grants, ..Effects::none() }
    }
}

impl Share {
    fn grant(&self, entry: &Value, resource: &str, owner: &str) -> Grant {
        let principal = grantee(entry);
        let is_account = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
        Grant {
            resource: resource.to_owned(),
            audience: match principal {
                "all" => Audience::Public,
                account if account == owner => Audience::Internal,
                _ => Audience::External,
            },
            principal: principal.to_owned(),
            account: is_account.then(|| principal.to_owned()),
            actions: vec![self.attribute.to_owned()],
            level: Level::Read,
            via: "attribute".to_owned(),
            part: Some(principal.to_owned()),
        }
    }
}
