//! What watches the account: trails, recorders, detectors, alarms and logs.

use super::{Row, row};

pub(super) const CLOUD_TRAIL: &[Row] = &[
    row(
        &["*"],
        "AWS::CloudTrail::Trail",
        &["request.name", "request.trailName", "response.trailARN"],
        "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",
    )
    .logged(&["response.trailARN"]),
    row(&["*"], "AWS::CloudTrail::EventDataStore", &["request.eventDataStore"], "")
        .logged(&["response.eventDataStoreArn"]),
];

pub(super) const CONFIG: &[Row] = &[
    row(
        &["StopConfigurationRecorder", "StartConfigurationRecorder", "DeleteConfigurationRecorder"],
        "AWS::Config::ConfigurationRecorder",
        &["request.configurationRecorderName"],
        "",
    ),
    row(
        &["PutConfigurationRecorder"],
        "AWS::Config::ConfigurationRecorder",
        &["request.configurationRecorder.name"],
        "",
    ),
    row(
        &["DeleteDeliveryChannel", "PutDeliveryChannel"],
        "AWS::Config::DeliveryChannel",
        &["request.deliveryChannelName", "request.deliveryChannel.name"],
        "",
    ),
    row(&["DeleteConfigRule"], "AWS::Config::ConfigRule", &["request.configRuleName"], ""),
    row(&["PutConfigRule"], "AWS::Config::ConfigRule", &["request.configRule.configRuleName"], ""),
];

const DETECTOR: &str = "arn:{partition}:guardduty:{region}:{account}:detector/{name}";
const FILTERS: &[&str] = &["CreateFilter", "UpdateFilter", "DeleteFilter"];
const LISTS: &[&str] = &["CreateIPSet", "UpdateIPSet", "DeleteIPSet"];

pub(super) const GUARD_DUTY: &[Row] = &[
    row(&["*"], "AWS::GuardDuty::Detector", &["request.detectorId", "response.detectorId"], DETECTOR),
    row(FILTERS, "AWS::GuardDuty::Detector", &["request.detectorId"], DETECTOR),
    row(FILTERS, "AWS::GuardDuty::Filter", &["request.filterName", "request.name"], ""),
    row(LISTS, "AWS::GuardDuty::Detector", &["request.detectorId"], DETECTOR),
    row(LISTS, "AWS::GuardDuty::IPSet", &["request.ipSetId", "response.ipSetId", "request.name"], ""),
];

pub(super) const SECURITY_HUB: &[Row] = &[
    row(&["BatchDisableStandards"], "AWS::SecurityHub::Standard", &["request.standardsSubscriptionArns"], ""),
    row(
        &["CreateInsight", "UpdateInsight", "DeleteInsight"],
        "AWS::SecurityHub::Insight",
        &["request.insightArn", "response.insightArn"],
        "",
    ),
    row(&["*"], "AWS::SecurityHub::Hub", &["account"], "arn:{partition}:securityhub:{region}:{account}:hub/default"),
];

pub(super) const MACIE: &[Row] = &[row(&["*"], "AWS::Macie::Session", &["account"], "")];

pub(super) const INSPECTOR: &[Row] = &[row(&["*"], "AWS::InspectorV2::Enablement", &["account"], "")];

pub(super) const ACCESS_ANALYZER: &[Row] = &[row(
    &["*"],
    "AWS::AccessAnalyzer::Analyzer",
    &["request.analyzerName"],
    "arn:{partition}:access-analyzer:{region}:{account}:analyzer/{name}",
)
.logged(&["response.arn"])];

const GROUP: &str = "arn:{partition}:logs:{region}:{account}:log-group:{name}";

pub(super) const LOGS: &[Row] = &[
    row(&["DeleteLogStream", "CreateLogStream"], "AWS::Logs::LogGroup", &["request.logGroupName"], GROUP),
    row(&["DeleteLogStream", "CreateLogStream"], "AWS::Logs::LogStream", &["request.logStreamName"], ""),
    row(
        &["PutDestination", "PutDestinationPolicy", "DeleteDestination"],
        "AWS::Logs::Destination",
        &["request.destinationName"],
        "arn:{partition}:logs:{region}:{account}:destination:{name}",
    ),
    row(&["PutResourcePolicy", "DeleteResourcePolicy"], "AWS::Logs::ResourcePolicy", &["request.policyName"], ""),
    row(&["*"], "AWS::Logs::LogGroup", &["request.logGroupName", "request.logGroupIdentifier"], GROUP),
];

pub(super) const CLOUD_WATCH: &[Row] = &[row(
    &["*"],
    "AWS::CloudWatch::Alarm",
    &["request.alarmNames", "request.alarmName"],
    "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
)];

pub(super) const EVENTS: &[Row] = &[
    // Without a bus in the request the default bus is meant.
    row(
        &["PutPermission", "RemovePermission"],
        "AWS::Events::EventBus",
        &["request.eventBusName", "=default"],
        "arn:{partition}:events:{region}:{account}:event-bus/{name}",
    ),
    row(
        &["CreateEventBus", "UpdateEventBus", "DeleteEventBus"],
        "AWS::Events::EventBus",
        &["request.name"],
        "arn:{partition}:events:{region}:{account}:event-bus/{name}",
    ),
    row(
        &["*"],
        "AWS::Events::Rule",
        &["request.rule", "request.name"],
        "arn:{partition}:events:{region}:{account}:rule/{name}",
    )
    .logged(&["response.ruleArn"]),
];
