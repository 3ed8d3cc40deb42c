//! Network rules of storage accounts and key vaults: who no rule names is kept out again, and every rule stays.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::{answered_id, refused, subject, unless_read, unreadable};
use crate::operations::ResourceId;
use crate::readers::arm::{call, elements, text};
use crate::readers::{storage, vault};

/// Denies by default on one kind of resource.
pub(crate) struct DenyByDefault {
    spec: &'static Spec,
    key: &'static str,
    read: fn(&ResourceId) -> Read,
    /// Sets members of the resource and keeps the others.
    update: &'static str,
}

/// A storage account's.
pub(crate) static STORAGE: DenyByDefault = DenyByDefault {
    spec: &Spec {
        id: "azure.storage.deny_network_by_default",
        title: "Keeps networks out of the storage account that none of its rules names",
        safety: Safety::NeedsApproval,
        kind: storage::ACCOUNT_KIND,
        reads: &["Microsoft.Storage:StorageAccounts_GetProperties"],
        writes: &["Microsoft.Storage:StorageAccounts_Update"],
        undo: &["Microsoft.Storage:StorageAccounts_Update"],
        caveat: "Clients whose network no rule names are cut off at once. The rules are sent back with the switch, as they \
                 were read, and storage accounts have no entity tag: a rule that somebody adds in the same second is lost.",
    },
    key: storage::ACCOUNT,
    read: storage::account,
    update: "Microsoft.Storage:StorageAccounts_Update",
};

/// A key vault's.
pub(crate) static VAULT: DenyByDefault = DenyByDefault {
    spec: &Spec {
        id: "azure.keyvault.deny_network_by_default",
        title: "Keeps networks out of the key vault that none of its rules names",
        safety: Safety::NeedsApproval,
        kind: vault::KIND,
        reads: &["Microsoft.KeyVault:Vaults_Get"],
        writes: &["Microsoft.KeyVault:Vaults_Update"],
        undo: &["Microsoft.KeyVault:Vaults_Update"],
        caveat: "Clients whose network no rule names are cut off at once; trusted services stay as `bypass` has them. The \
                 rules are sent back with the switch, as they were read, and vaults have no entity tag: a rule that somebody \
                 adds in the same second is lost. A vault that never had network rules has an empty set of them afterwards.",
    },
    key: vault::VAULT,
    read: vault::vault,
    update: "Microsoft.KeyVault:Vaults_Update",
};

impl Remediation for DenyByDefault {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, (self.read)(&subject(self.spec, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let id = subject(self.spec, finding)?;
        let live = image.get(self.key);
        if live.is_null() || self.is_closed(live)? {
            return Ok(Vec::new());
        }
        let id = answered_id(self.spec, live, id.as_str())?;
        let rules = match live.pointer("/properties/networkAcls") {
            Some(Value::Object(rules)) => rules.clone(),
            _ => return Err(unreadable(self.spec, self.key, &"has no network rules that are understood")),
        };
        let set = |action: &str| {
            let mut rules: Map<String, Value> = rules.clone();
            rules.insert("defaultAction".to_owned(), action.into());
            call(self.update, &id, Some(json!({ "properties": { "networkAcls": rules } })))
        };
        let kept = kept_rules(&rules);
        let title = format!("deny networks that no rule names (keeping {kept} rules)");
        Ok(vec![Step { title, call: set("Deny"), inverse: Some(set("Allow")) }])
    }

    /// The rules go and come as a whole, so an undo must know that nobody else changed one.
    fn leaves(&self, _: &Finding, image: &Image) -> Option<Image> {
        let mut left = image.clone();
        *left.0.get_mut(self.key)?.pointer_mut("/properties/networkAcls/defaultAction")? = "Deny".into();
        Some(left)
    }
}

impl DenyByDefault {
    /// Whether networks that no rule names are kept out already.
    fn is_closed(&self, live: &Value) -> Result<bool, PlanError> {
        match text(live, "/properties/publicNetworkAccess").to_ascii_lowercase().as_str() {
            "" | "enabled" => {}
            "disabled" => return Ok(true),
            "securedbyperimeter" => {
                return Err(refused(self.spec, "a network security perimeter decides who reaches the resource"));
            }
            _ => return Err(unreadable(self.spec, self.key, &"has a public network access that is not known")),
        }
        match text(live, "/properties/networkAcls/defaultAction").to_ascii_lowercase().as_str() {
            "deny" => Ok(true),
            "allow" => Ok(false),
            _ => Err(unreadable(self.spec, self.key, &"has a default network action that is not known")),
        }
    }
}

/// How many rules let somebody in.
fn kept_rules(rules: &Map<String, Value>) -> usize {
    rules.values().map(|list| elements(list).len()).sum()
}
