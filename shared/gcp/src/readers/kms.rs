//! Cloud KMS keys and their versions, and secrets: things that are reached by their policies.

use onus_core::{Call, Read};
use serde_json::json;

use super::ABSENT;
use super::answer::{hidden, only};
use super::asset::Asset;
use super::policy::{self, POLICY};
use super::reader::{Reader, by_policy, nothing};

/// Image key of a key: its purpose, rotation and protection; `null` when there is none.
const KEY: &str = "cryptoKey";
/// Image key of a version of a key: its state; `null` when there is none.
const KEY_VERSION: &str = "cryptoKeyVersion";

const COLLECTION: &str = "projects.locations.keyRings.cryptoKeys";

/// Reads keys and their policies. When a key rotates next moves by itself and is not compared.
pub(crate) static KEY_READER: Reader = Reader {
    kind: "cloudkms.googleapis.com/CryptoKey",
    operations: &[
        "cloudkms:projects.locations.keyRings.cryptoKeys.get",
        "cloudkms:projects.locations.keyRings.cryptoKeys.getIamPolicy",
    ],
    keys: &[KEY, POLICY],
    reads: |asset| match named(asset, 8) {
        Some(name) => vec![key(name), policy::of("cloudkms", COLLECTION, name)],
        None => Vec::new(),
    },
    effects: by_policy,
};

/// Reads versions of keys.
pub(crate) static KEY_VERSION_READER: Reader = Reader {
    kind: "cloudkms.googleapis.com/CryptoKeyVersion",
    operations: &["cloudkms:projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.get"],
    keys: &[KEY_VERSION],
    reads: |asset| named(asset, 10).map(version).into_iter().collect(),
    effects: nothing,
};

/// Reads secrets' policies, never what is in them.
pub(crate) static SECRET_READER: Reader = Reader {
    kind: "secretmanager.googleapis.com/Secret",
    operations: &["secretmanager:projects.secrets.getIamPolicy"],
    keys: &[POLICY],
    reads: |asset| {
        named(asset, 4).map(|name| policy::of("secretmanager", "projects.secrets", name)).into_iter().collect()
    },
    effects: by_policy,
};

/// The resource's path, if it has as many parts as its kind has.
fn named<'a>(asset: &Asset<'a>, parts: usize) -> Option<&'a str> {
    Some(asset.path()).filter(|path| path.starts_with("projects/") && path.split('/').count() == parts)
}

fn key(name: &str) -> Read {
    Read::new(KEY, Call::gcp("cloudkms", &format!("{COLLECTION}.get"), json!({ "name": name }))).absent(ABSENT).keep(
        |answer| {
            let kept =
                ["name", "purpose", "rotationPeriod", "nextRotationTime", "versionTemplate", "labels", "importOnly"];
            hidden(only(answer, &kept), &["nextRotationTime"])
        },
    )
}

fn version(name: &str) -> Read {
    let call = Call::gcp("cloudkms", &format!("{COLLECTION}.cryptoKeyVersions.get"), json!({ "name": name }));
    Read::new(KEY_VERSION, call)
        .absent(ABSENT)
        .keep(|answer| only(answer, &["name", "state", "protectionLevel", "algorithm", "destroyTime"]))
}
