//! Shared snapshots and images: takes back the sharing with outsiders that a change added.

use onus_core::{Audience, Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, unless_read, unreadable};
use crate::readers::sharing::{self, CLUSTER_SNAPSHOT, DB_SNAPSHOT, IMAGE, SHARED, SNAPSHOT, Share, grantee};
use crate::readers::subject::{Subject, Target, elements, items, scalar};

/// Takes back the sharing of one or two kinds of thing.
pub(crate) struct Unshare {
    spec: &'static Spec,
    /// Which of the kinds a change is about.
    share: fn(&str) -> &'static Share,
    /// Those that the request added, as the live set spells them; `None` when the record does not tell.
    added: fn(&Subject<'_>) -> Option<Vec<Value>>,
    /// The call that adds (`true`) or removes entries.
    modify: fn(&Target, bool, &[Value]) -> Call,
}

const CAVEAT: &str = "Copies that an outsider made meanwhile remain. An entry that was there before and was added again \
                      by this change is removed too.";

/// EBS snapshots.
pub(crate) static SNAPSHOTS: Unshare = Unshare {
    spec: &Spec {
        id: "aws.ec2.unshare_snapshot",
        title: "Takes back the sharing of an EBS snapshot with outsiders that the change added",
        safety: Safety::Automatic,
        kind: "AWS::EC2::Snapshot",
        reads: &["ec2:DescribeSnapshotAttribute"],
        writes: &["ec2:ModifySnapshotAttribute"],
        undo: &["ec2:ModifySnapshotAttribute"],
        caveat: CAVEAT,
    },
    share: |_| &SNAPSHOT,
    added: |subject| added_permissions(subject, "createVolumePermission"),
    modify: modify_snapshot,
};

/// Machine images.
pub(crate) static IMAGES: Unshare = Unshare {
    spec: &Spec {
        id: "aws.ec2.unshare_image",
        title: "Takes back the sharing of a machine image with outsiders that the change added",
        safety: Safety::Automatic,
        kind: "AWS::EC2::Image",
        reads: &["ec2:DescribeImageAttribute"],
        writes: &["ec2:ModifyImageAttribute"],
        undo: &["ec2:ModifyImageAttribute"],
        caveat: "Instances and copies that an outsider made meanwhile remain. An entry that was there before and was \
                 added again by this change is removed too.",
    },
    share: |_| &IMAGE,
    added: |subject| added_permissions(subject, "launchPermission"),
    modify: |image, add, entries| {
        image.call("ec2", "ModifyImageAttribute", json!({ "LaunchPermission": { verb(add): entries } }))
    },
};

/// RDS snapshots of instances and of clusters.
pub(crate) static DB_SNAPSHOTS: Unshare = Unshare {
    spec: &Spec {
        id: "aws.rds.unshare_snapshot",
        title: "Takes back the sharing of an RDS snapshot with outsiders that the change added",
        safety: Safety::Automatic,
        kind: "AWS::RDS::DBSnapshot",
        reads: &["rds:DescribeDBSnapshotAttributes", "rds:DescribeDBClusterSnapshotAttributes"],
        writes: &["rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute"],
        undo: &["rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute"],
        caveat: CAVEAT,
    },
    share: |action| if action.contains("Cluster") { &CLUSTER_SNAPSHOT } else { &DB_SNAPSHOT },
    added: |subject| {
        let added = subject.request.get_ci("valuesToAdd");
        (!added.is_null()).then(|| items(added).iter().filter_map(scalar).map(Value::String).collect())
    },
    modify: |snapshot, add, entries| {
        let cluster = snapshot.ids.contains_key("DBClusterSnapshotIdentifier");
        let operation = if cluster { "ModifyDBClusterSnapshotAttribute" } else { "ModifyDBSnapshotAttribute" };
        let list = if add { "ValuesToAdd" } else { "ValuesToRemove" };
        snapshot.call("rds", operation, json!({ "AttributeName": "restore", list: entries }))
    },
};

/// The flat form of the call: emulators know no other.
fn modify_snapshot(snapshot: &Target, add: bool, entries: &[Value]) -> Call {
    let all = |member: &str| entries.iter().filter_map(|entry| entry.get(member).cloned()).collect::<Vec<Value>>();
    let mut more = json!({ "OperationType": if add { "add" } else { "remove" } });
    if let Value::Object(members) = &mut more {
        let lists = [("UserIds", all("UserId")), ("GroupNames", all("Group"))];
        members.extend(
            lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(k, list)| (k.to_owned(), list.into())),
        );
    }
    snapshot.call("ec2", "ModifySnapshotAttribute", more)
}

fn verb(add: bool) -> &'static str {
    if add { "Add" } else { "Remove" }
}

/// The entries that a request added to a list, spelled as answers spell them: `{"<attribute>": {"add": …}}`, or the older
/// flat lists beside `operationType: add`.
fn added_permissions(subject: &Subject<'_>, attribute: &str) -> Option<Vec<Value>> {
    const MEMBERS: [&str; 4] = ["Group", "UserId", "OrganizationArn", "OrganizationalUnitArn"];
    const LISTS: [(&str, &str); 8] = [
        ("userIds", "UserId"),
        ("userIdSet", "UserId"),
        ("userId", "UserId"),
        ("groupNames", "Group"),
        ("userGroups", "Group"),
        ("userGroup", "Group"),
        ("organizationArns", "OrganizationArn"),
        ("organizationalUnitArns", "OrganizationalUnitArn"),
    ];
    let attribute = subject.request.get_ci(attribute);
    let adds = subject.told("operationType").is_some_and(|operation| operation.eq_ignore_ascii_case("add"));
    if attribute.is_null() && !adds {
        return None;
    }
    let nested = items(attribute.get_ci("add")).iter().flat_map(|entry| {
        MEMBERS.into_iter().filter_map(move |member| Some(json!({ member: scalar(entry.get_ci(member))? })))
    });
    let flat = LISTS.into_iter().filter(|_| adds).flat_map(|(list, member)| {
        let entries = items(subject.request.get_ci(list)).iter();
        entries.filter_map(move |entry| {
            let value = scalar(entry).or_else(|| scalar(entry.get_ci(member)))?;
            Some(json!({ member: value }))
        })
    });
    Some(nested.chain(flat).collect())
}

impl Remediation for Unshare {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let target = self.target(finding)?;
        let share = (self.share)(&finding.change.action);
        Ok(unless_read(so_far, (share.read)(&target)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let target = self.target(finding)?;
        let live = image.get(SHARED);
        if !live.is_null() && !live.is_array() {
            return Err(unreadable(self.spec, SHARED, &"is no list"));
        }
        let subject = Subject::of_finding(finding, (self.share)(&finding.change.action).kind);
        let added = (self.added)(&subject);
        if added.is_none() && !finding.from_state {
            return Err(incomplete(self.spec, "those it was shared with"));
        }
        let is_bad = |entry: &&Value| match &added {
            Some(added) => added.contains(entry) && !is_trusted(finding, grantee(entry)),
            // Who was added is not known, so only what is bad whoever added it.
            None => grantee(entry) == "all",
        };
        let bad: Vec<Value> = elements(live).iter().filter(is_bad).cloned().collect();
        if bad.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<&str> = bad.iter().map(sharing::grantee).collect();
        let note = if added.is_none() { " (the record leaves out who was added)" } else { "" };
        Ok(vec![Step {
            title: format!("stop sharing with {}{note}", named.join(", ")),
            call: (self.modify)(&target, false, &bad),
            inverse: Some((self.modify)(&target, true, &bad)),
        }])
    }
}

impl Unshare {
    fn target(&self, finding: &Finding) -> Result<Target, PlanError> {
        let share = (self.share)(&finding.change.action);
        let subject = Subject::of_finding(finding, share.kind);
        (share.target)(&subject).ok_or_else(|| incomplete(self.spec, "the snapshot or image"))
    }
}

/// Whether the effects say that a grantee is the customer's own or trusted.
fn is_trusted(finding: &Finding, principal: &str) -> bool {
    let is_this =
        |grant: &&onus_core::Grant| grant.principal == principal || grant.account.as_deref() == Some(principal);
    let inside = |audience: Audience| matches!(audience, Audience::Internal | Audience::Service);
    finding.effects.grants.iter().find(is_this).is_some_and(|grant| inside(grant.audience))
}
