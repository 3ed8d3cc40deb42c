//! Network ACLs: deletes the entry that a change made.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step, address};
use serde_json::{Value, json};

use super::{incomplete, unless_read};
use crate::readers::network_acl::{ACL, ENTRIES, acl_id, entries, number};
use crate::readers::subject::{Subject, elements, scalar, text};

/// See the [module docs](self).
pub(crate) struct DeleteEntry;

static SPEC: Spec = Spec {
    id: "aws.ec2.delete_network_acl_entry",
    title: "Deletes the network ACL entry that the change made",
    safety: Safety::NeedsApproval,
    kind: ACL,
    reads: &["ec2:DescribeNetworkAcls"],
    writes: &["ec2:DeleteNetworkAclEntry"],
    undo: &["ec2:CreateNetworkAclEntry"],
    caveat: "Where the change replaced an entry, the record does not hold what the entry said before: it is deleted whole. A \
             network ACL has no memory of connections, so those that need the entry break at once.",
};

impl Remediation for DeleteEntry {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let subject = Subject::of_finding(finding, ACL);
        let id = acl_id(&subject).ok_or_else(|| incomplete(&SPEC, "the network ACL"))?;
        Ok(unless_read(so_far, entries(id, &finding.change.region)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let subject = Subject::of_finding(finding, ACL);
        let id = acl_id(&subject).ok_or_else(|| incomplete(&SPEC, "the network ACL"))?;
        let told = subject.request.get_ci("ruleNumber").as_i64().zip(subject.request.get_ci("egress").as_bool());
        let (rule, egress) = told.ok_or_else(|| incomplete(&SPEC, "the entry's number and direction"))?;
        let is_it = |entry: &&Value| {
            number(entry) == Some(rule) && entry.get("Egress").and_then(Value::as_bool) == Some(egress)
        };
        let live = elements(image.get(ENTRIES)).iter().find(is_it).filter(|entry| says_the_same(&subject, entry));
        Ok(live.map(|entry| delete(finding, id, entry)).into_iter().collect())
    }
}

/// Whether a live entry still allows the network that the request named.
fn says_the_same(subject: &Subject<'_>, entry: &Value) -> bool {
    let asked = |member: &str| scalar(subject.request.get_ci(member)).unwrap_or_default();
    let same = |member: &str, live: &str| address::parse(&asked(member)) == address::parse(text(entry, live));
    text(entry, "RuleAction").eq_ignore_ascii_case(&asked("ruleAction"))
        && same("cidrBlock", "CidrBlock")
        && same("ipv6CidrBlock", "Ipv6CidrBlock")
}

fn delete(finding: &Finding, id: &str, entry: &Value) -> Step {
    let region = &finding.change.region;
    let replaced = if finding.change.action == "ReplaceNetworkAclEntry" {
        ", whole: what it said before the change is not known"
    } else {
        ""
    };
    let (rule, egress) = (entry.get("RuleNumber"), entry.get("Egress"));
    let way = if egress == Some(&Value::Bool(true)) { "outbound" } else { "inbound" };
    let network = [text(entry, "CidrBlock"), text(entry, "Ipv6CidrBlock")].concat();
    let mut again = entry.clone();
    if let Value::Object(members) = &mut again {
        members.insert("NetworkAclId".to_owned(), id.into());
    }
    let named = json!({ "NetworkAclId": id, "RuleNumber": rule, "Egress": egress });
    Step {
        title: format!("delete {way} entry {} ({network}{replaced})", rule.unwrap_or(&Value::Null)),
        call: Call::aws("ec2", "DeleteNetworkAclEntry", region, named),
        inverse: Some(Call::aws("ec2", "CreateNetworkAclEntry", region, again)),
    }
}
