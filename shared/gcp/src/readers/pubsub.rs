//! Pub/Sub topics: who may publish and subscribe.

use super::asset::Asset;
use super::policy::{self, POLICY};
use super::reader::{Reader, by_policy};

/// Reads topics' policies, never what is in them.
pub(crate) static TOPIC_READER: Reader = Reader {
    kind: "pubsub.googleapis.com/Topic",
    operations: &["pubsub:projects.topics.getIamPolicy"],
    keys: &[POLICY],
    reads: |asset| topic(asset).map(|name| policy::of("pubsub", "projects.topics", name)).into_iter().collect(),
    effects: by_policy,
};

/// `projects/<project>/topics/<name>`.
fn topic<'a>(asset: &Asset<'a>) -> Option<&'a str> {
    let path = asset.path();
    (asset.segment("topics").is_some() && path.starts_with("projects/") && path.split('/').count() == 4).then_some(path)
}
