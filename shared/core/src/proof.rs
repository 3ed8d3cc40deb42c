//! What every remediation of every cloud has to prove, on a cloud in memory (feature `proof`, for tests).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::{Call, Caller};
use crate::finding::Finding;
use crate::memory::{Known, Remembered};
use crate::plan::{Image, PlanError, Read, Step};
use crate::remediation::{Remediation, Spec};
use crate::state::{StateReader, read_image};

/// A cloud in memory: what is there, by a key of the fake's own choice.
pub type World = BTreeMap<String, Value>;

/// A [`Caller`] that acts on a [`World`].
pub trait Fake: Caller {
    /// What is there now.
    fn world(&self) -> World;

    /// Every call so far, in order.
    fn calls(&self) -> Vec<Call>;

    /// Whether two values mean the same to the service, which may keep lists in any order.
    fn same(&self, one: &Value, other: &Value) -> bool {
        one == other
    }
}

/// A bad change, and what is to be there once its bad part alone is gone.
#[derive(Debug)]
pub struct Case {
    /// What makes this case another one than the rest of its remediation's.
    pub name: &'static str,
    /// The remediation's id.
    pub remediation: &'static str,
    /// What fired.
    pub finding: Finding,
    /// The cloud after the change.
    pub world: World,
    /// What each touched thing is afterwards; `null` when it is gone. All else must stay.
    pub healed: Vec<(&'static str, Value)>,
}

/// What a baseline would know of a finding's resources of the reader's kind.
///
/// # Errors
/// Something cannot be read; in words.
pub async fn known(fake: &impl Fake, reader: &dyn StateReader, finding: &Finding) -> Result<Known, String> {
    let mut known = Vec::new();
    for resource in finding.change.resources.iter().filter(|resource| resource.kind == reader.kind()) {
        let reads = |so_far: &Image| Ok::<_, PlanError>(reader.reads(&finding.change, resource, so_far));
        let image = read_image(fake, reads).await.map_err(|error| error.to_string())?;
        known.push((resource.id.to_string(), Remembered { image, since: None }));
    }
    Ok(known.into_iter().collect())
}

/// A remediation as the responder carries it out: by what was known before the change, where something was.
pub struct Recalling<'a> {
    /// The remediation.
    pub remediation: &'a dyn Remediation,
    /// What was known.
    pub known: &'a Known,
}

impl Remediation for Recalling<'_> {
    fn spec(&self) -> &'static Spec {
        self.remediation.spec()
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        match self.remediation.restoration().filter(|_| !self.known.is_empty()) {
            Some(restoration) => restoration.reads(finding, self.known, so_far),
            None => self.remediation.reads(finding, so_far),
        }
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        match self.remediation.restoration().filter(|_| !self.known.is_empty()) {
            Some(restoration) => restoration.plan(finding, self.known, image),
            None => self.remediation.plan(finding, image),
        }
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        match self.remediation.restoration().filter(|_| !self.known.is_empty()) {
            Some(restoration) => restoration.leaves(finding, self.known, image),
            None => self.remediation.leaves(finding, image),
        }
    }
}

/// Plans, applies, reads back, plans again, undoes and reads back. Answers everything that is not as it has to be: the bad part is gone, the
/// rest stands, every call is named by the specification, a second plan is empty, and undone is as before.
pub async fn wrongs(fake: &impl Fake, remediation: &dyn Remediation, case: &Case) -> Vec<String> {
    let told: Result<Vec<String>, String> = play(fake, remediation, case).await;
    let wrong = match told {
        Ok(wrong) => wrong,
        Err(stopped) => vec![stopped],
    };
    wrong.into_iter().map(|what| format!("{}, {}: {what}", case.remediation, case.name)).collect()
}

async fn play(fake: &impl Fake, remediation: &dyn Remediation, case: &Case) -> Result<Vec<String>, String> {
    let finding = &case.finding;
    let read = || async {
        let image = read_image(fake, |so_far| remediation.reads(finding, so_far)).await;
        image.map_err(|error| format!("cannot be read: {error}"))
    };
    let mut wrong = Vec::new();
    let before = read().await?;
    let steps = remediation.plan(finding, &before).map_err(|error| format!("no plan: {error}"))?;
    if steps.is_empty() {
        return Err("plans nothing".to_owned());
    }
    wrong.extend(strangers(remediation, fake, &steps));
    for step in &steps {
        fake.call(&step.call).await.map_err(|error| error.to_string())?;
    }
    wrong.extend(not_healed(fake, case));
    let after = read().await?;
    match remediation.plan(finding, &after) {
        Ok(left) => wrong.extend(left.first().map(|step| format!("healed, yet plans {}", step.title))),
        Err(error) => wrong.push(format!("healed, yet cannot plan: {error}")),
    }
    if let Some(left) = remediation.leaves(finding, &before)
        && !left.same_as(&after)
    {
        wrong.push(format!("should leave {left:?}, left {after:?}"));
    }
    for step in steps.iter().rev() {
        let inverse = step.inverse.as_ref().ok_or_else(|| format!("`{}` cannot be undone", step.title))?;
        let inverse = after.fill(inverse).map_err(|error| format!("undo: {error}"))?;
        fake.call(&inverse).await.map_err(|error| format!("undo: {error}"))?;
    }
    let undone = read().await?;
    if !undone.same_as(&before) {
        wrong.push(format!("undone is {undone:?}, not {before:?}"));
    }
    if undone.same_as(&after) {
        wrong.push("an image does not tell before from after".to_owned());
    }
    if fake.world().keys().ne(case.world.keys()) {
        wrong.push("undone, other things are there than before".to_owned());
    }
    Ok(wrong)
}

/// What is not as the case says after the plan was applied.
fn not_healed(fake: &impl Fake, case: &Case) -> Vec<String> {
    let world = fake.world();
    let expected = case.healed.iter().map(|(key, value)| (*key, value, "is not healed"));
    let untouched = case.world.iter().filter(|(key, _)| !case.healed.iter().any(|(healed, _)| healed == key));
    let untouched = untouched.map(|(key, value)| (key.as_str(), value, "was touched"));
    let found = |key: &str| world.get(key).cloned().unwrap_or_default();
    expected
        .chain(untouched)
        .filter(|(key, value, _)| !fake.same(&found(key), value))
        .map(|(key, value, what)| format!("`{key}` {what}: it is {}, not {value}", found(key)))
        .collect()
}

/// Calls that the specification does not name: the roles would not allow them.
fn strangers(remediation: &dyn Remediation, fake: &impl Fake, steps: &[Step]) -> Vec<String> {
    let spec = remediation.spec();
    let read = fake.calls().into_iter().map(|call| (spec.reads, "reads", call));
    let written = steps.iter().map(|step| (spec.writes, "writes", step.call.clone()));
    let undone = steps.iter().filter_map(|step| Some((spec.undo, "undo", step.inverse.clone()?)));
    read.chain(written)
        .chain(undone)
        .filter(|(named, _, call)| !named.contains(&call.name().as_str()))
        .map(|(_, list, call)| format!("`{}` is not among its {list}", call.name()))
        .collect()
}
