//! A resource as it is now.

use crate::call::CallError;
use crate::change::{ChangeSummary, Resource};
use crate::effect::Effects;
use crate::plan::{Image, Read};

/// What was read of a resource, in the words that rules use.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The answers, by read key. Rules see it as `state`.
    pub image: Image,
    /// What the resource lets in and grants now. Replaces the change's effects when a rule is evaluated again.
    pub effects: Effects,
}

/// Reads one kind of resource. Only says what to read and what it means: the pipeline reads.
pub trait StateReader: Send + Sync {
    /// The resource kind: `AWS::S3::Bucket`.
    fn kind(&self) -> &'static str;

    /// Operations it reads with, `service:Operation`: the audit role needs them.
    fn operations(&self) -> &'static [&'static str];

    /// The reads that are still missing from the image; asked again with what was read, until it wants no more.
    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read>;

    /// What the image means.
    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects;
}

/// Sends reads until nobody wants more, at most `ROUNDS` rounds. The one place where images are made.
///
/// # Errors
/// A read failed with a code that does not mean "there is none".
pub async fn read_image<E: From<CallError>>(
    caller: &dyn crate::Caller,
    mut wanted: impl FnMut(&Image) -> Result<Vec<Read>, E>,
) -> Result<Image, E> {
    const ROUNDS: usize = 8;
    let mut image = Image::default();
    for _ in 0..ROUNDS {
        let reads: Vec<Read> = wanted(&image)?.into_iter().filter(|read| !image.has(&read.key)).collect();
        if reads.is_empty() {
            break;
        }
        for read in reads {
            let kept = match caller.call(&read.call).await {
                Ok(answer) => (read.keep)(answer),
                Err(error) if read.absent.contains(&error.code.as_str()) => serde_json::Value::Null,
                Err(error) => return Err(E::from(error)),
            };
            image.0.insert(read.key, kept);
        }
    }
    Ok(image)
}
