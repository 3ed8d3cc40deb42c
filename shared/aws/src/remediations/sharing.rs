//! Shared snapshots and images: takes back the sharing with outsiders that a change added.

use onus_core::{Audience, Call, Finding, Image, Json, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, unreadable};
use crate::readers::sharing::{self, CLUSTER_SNAPSHOT, DB_SNAPSHOT, IMAGE, SHARED, SNAPSHOT, Share, grantee};
use crate::readers::subject::{Subject, Target, elements, items};

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
    added: |subject| {
        let added = subject.request.get_ci("createVolumePermission").get_ci("add");
        // The older shape of the call: `groups` and `users` beside an operation.
        let adds = subject.request.get_ci("operationType").as_str() == Some("add");
        added_permissions(added).or_else(|| adds.then(|| listed(subject, "userIds", "groupNames")).flatten())
    },
    modify: |snapshot, add, entries| {
        snapshot.call("ec2", "ModifySnapshotAttribute", json!({ "CreateVolumePermission": { verb(add): entries } }))
    },
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
    added: |subject| {
        let added = subject.request.get_ci("launchPermission").get_ci("add");
        let adds = subject.request.get_ci("operationType").as_str() == Some("add");
        added_permissions(added).or_else(|| adds.then(|| listed(subject, "userIds", "userGroups")).flatten())
    },
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
        (!added.is_null()).then(|| items(added).iter().map(Json::to_value).collect())
    },
    modify: |snapshot, add, entries| {
        let cluster = snapshot.ids.contains_key("DBClusterSnapshotIdentifier");
        let operation = if cluster { "ModifyDBClusterSnapshotAttribute" } else { "ModifyDBSnapshotAttribute" };
        let list = if add { "ValuesToAdd" } else { "ValuesToRemove" };
        snapshot.call("rds", operation, json!({ "AttributeName": "restore", list: entries }))
    },
};

fn verb(add: bool) -> &'static str {
    if add { "Add" } else { "Remove" }
}

/// The entries of EC2's `add` list, spelled as answers spell them.
fn added_permissions(list: &Json<'_>) -> Option<Vec<Value>> {
    const MEMBERS: [&str; 4] = ["Group", "UserId", "OrganizationArn", "OrganizationalUnitArn"];
    if list.is_null() {
        return None;
    }
    let entries = items(list).iter().flat_map(|entry| {
        let named = MEMBERS.into_iter().filter_map(|member| Some((member, entry.get_ci(member).as_str()?)));
        named.map(|(member, value)| json!({ member: value })).collect::<Vec<_>>()
    });
    Some(entries.collect())
}

/// The entries of the older shape: lists of accounts and of groups.
fn listed(subject: &Subject<'_>, users: &str, groups: &str) -> Option<Vec<Value>> {
    let list = |member: &str, name: &str| -> Vec<Value> {
        let named = items(subject.request.get_ci(member)).iter().filter_map(Json::as_str);
        named.map(|value| json!({ name: value })).collect()
    };
    let entries = [list(users, "UserId"), list(groups, "Group")].concat();
    (!entries.is_empty()).then_some(entries)
}

impl Remediation for Unshare {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let target = self.target(finding)?;
        let share = (self.share)(&finding.change.action);
        Ok(if so_far.has(SHARED) { Vec::new() } else { vec![(share.read)(&target)] })
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
