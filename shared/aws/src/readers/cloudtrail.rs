//! CloudTrail trails: whether they log, and what.

use onus_core::{ChangeSummary, Effects, Image, Read, Resource, StateReader};
use serde_json::{Value, json};

use super::subject::{Subject, Target, only, take};

/// `AWS::CloudTrail::Trail`.
pub(crate) const TRAIL: &str = "AWS::CloudTrail::Trail";
/// Image key of the status: `{"IsLogging": true}`.
pub(crate) const STATUS: &str = "status";

/// The trail a subject is about, by ARN or name, in the region of the call: that is the trail's home region.
pub(crate) fn trail(subject: &Subject<'_>) -> Option<Target> {
    Some(Target::regional(subject, json!({ "Name": subject.told_or_arn("name")? })))
}

/// Reads whether a trail logs. A trail that is not there is an error: it cannot be made to log.
pub(crate) fn status(trail: &Target) -> Read {
    Read::new(STATUS, trail.call("cloudtrail", "GetTrailStatus", Value::Null))
        .keep(|answer| only(&answer, &["IsLogging"]))
}

/// Reads trails: their status and settings. A trail neither opens nor grants anything.
pub(crate) struct TrailReader;

impl StateReader for TrailReader {
    fn kind(&self) -> &'static str {
        TRAIL
    }

    fn operations(&self) -> &'static [&'static str] {
        &["cloudtrail:GetTrail", "cloudtrail:GetTrailStatus"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let Some(trail) = trail(&Subject::of_resource(change, resource)) else { return Vec::new() };
        let settings = Read::new("trail", trail.call("cloudtrail", "GetTrail", Value::Null));
        let gone: &[&str] = &["TrailNotFoundException"];
        let mut reads = vec![status(&trail).absent(gone), settings.absent(gone).keep(|answer| take(answer, "/Trail"))];
        reads.retain(|read| !so_far.has(&read.key));
        reads
    }

    fn effects(&self, _: &ChangeSummary, _: &Resource<'_>, _: &Image) -> Effects {
        Effects::none()
    }
}
