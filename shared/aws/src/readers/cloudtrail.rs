//! CloudTrail trails: whether they log, and what.

use onus_core::{Call, ChangeSummary, Effects, Image, Read, Resource, StateReader};
use serde_json::{Value, json};

use super::subject::{Subject, Target, only, take};

/// `AWS::CloudTrail::Trail`.
pub(crate) const TRAIL: &str = "AWS::CloudTrail::Trail";
/// Image key of the status: `{"IsLogging": true}`.
pub(crate) const STATUS: &str = "status";
/// Image key of the settings, as `GetTrail` answers them.
pub(crate) const SETTINGS: &str = "trail";
/// Image key of the event selectors: `{"EventSelectors": […]}` or `{"AdvancedEventSelectors": […]}`.
pub(crate) const SELECTORS: &str = "selectors";

/// What is answered about a trail that is not there.
const GONE: &[&str] = &["TrailNotFoundException"];

/// The trail a subject is about, by ARN or name, in the region of the call: that is the trail's home region.
pub(crate) fn trail(subject: &Subject<'_>) -> Option<Target> {
    Some(Target::regional(subject, json!({ "Name": subject.told_or_arn("name")? })))
}

/// Reads whether a trail logs. A trail that is not there is an error: it cannot be made to log.
pub(crate) fn status(trail: &Target) -> Read {
    Read::new(STATUS, trail.call("cloudtrail", "GetTrailStatus", Value::Null))
        .keep(|answer| only(&answer, &["IsLogging"]))
}

/// Reads everything about a trail; each part is `null` when the trail is not there.
pub(crate) fn whole(trail: &Target, so_far: &Image) -> Vec<Read> {
    let settings = Read::new(SETTINGS, trail.call("cloudtrail", "GetTrail", Value::Null));
    // The same name under another member: the service's own choice.
    let named = json!({ "TrailName": trail.ids.get("Name") });
    let selectors = Read::new(SELECTORS, Call::aws("cloudtrail", "GetEventSelectors", &trail.region, named));
    let mut reads = vec![
        status(trail).absent(GONE),
        settings.absent(GONE).keep(|answer| take(answer, "/Trail")),
        selectors.absent(GONE).keep(|answer| only(&answer, &["EventSelectors", "AdvancedEventSelectors"])),
    ];
    reads.retain(|read| !so_far.has(&read.key));
    reads
}

/// Reads trails: their status and settings. A trail neither opens nor grants anything.
pub(crate) struct TrailReader;

impl StateReader for TrailReader {
    fn kind(&self) -> &'static str {
        TRAIL
    }

    fn operations(&self) -> &'static [&'static str] {
        &["cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let Some(trail) = trail(&Subject::of_resource(change, resource)) else { return Vec::new() };
        whole(&trail, so_far)
    }

    fn effects(&self, _: &ChangeSummary, _: &Resource<'_>, _: &Image) -> Effects {
        Effects::none()
    }
}
