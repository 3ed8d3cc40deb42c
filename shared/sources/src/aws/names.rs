//! How CloudTrail spells services and operations, and how Onus does.

use std::borrow::Cow;

/// The service's short name from `eventSource`: `s3.amazonaws.com` → `s3`. A source without a dot is kept.
///
/// The prefix is never renamed, also where IAM and the SDKs have another word (`monitoring` is their `cloudwatch`): so a rule's service is at
/// once the `eventSource` prefix of event patterns, and `aws.` before it is EventBridge's `source`.
pub fn service(event_source: &str) -> &str {
    event_source.split('.').next().unwrap_or(event_source)
}

/// Like [`service`], keeping what was borrowed.
pub(super) fn service_of<'a>(event_source: &Cow<'a, str>) -> Cow<'a, str> {
    match event_source {
        Cow::Borrowed(text) => Cow::Borrowed(service(text)),
        Cow::Owned(text) => Cow::Owned(service(text).to_owned()),
    }
}

/// The operation without API date and version: `AddPermission20150331v2` → `AddPermission` (Lambda),
/// `UpdateDistribution2020_05_31` → `UpdateDistribution` (in `CloudFront`). A trailing number that is no date stays (`ListObjectsV2`).
pub fn action(event_name: &str) -> &str {
    let unversioned = match event_name.rsplit_once('v') {
        Some((head, version)) if !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) => head,
        _ => event_name,
    };
    for length in [8, 10] {
        let Some(split) = unversioned.len().checked_sub(length) else { continue };
        if let Some((name, date)) = unversioned.split_at_checked(split)
            && !name.is_empty()
            && is_date(date)
        {
            return name;
        }
    }
    event_name
}

/// Like [`action`], keeping what was borrowed.
pub(super) fn action_of<'a>(event_name: &Cow<'a, str>) -> Cow<'a, str> {
    match event_name {
        Cow::Borrowed(text) => Cow::Borrowed(action(text)),
        Cow::Owned(text) => Cow::Owned(action(text).to_owned()),
    }
}

/// `20150331` or `2020_05_31`, in this or the last century.
fn is_date(text: &str) -> bool {
    let century = text.starts_with("19") || text.starts_with("20");
    let shape = match text.len() {
        8 => text.bytes().all(|b| b.is_ascii_digit()),
        _ => text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'_' } else { b.is_ascii_digit() }),
    };
    century && shape
}

/// The partition of a region: `aws`, `aws-cn`, `aws-us-gov` or one of the isolated ones.
pub fn partition(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_lose_dates_and_versions_only() {
        let cases = [
            ("AddPermission20150331v2", "AddPermission"),
            ("CreateFunctionUrlConfig20211031", "CreateFunctionUrlConfig"),
            ("PublishFunction2020_05_31", "PublishFunction"),
            ("AddPermission", "AddPermission"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("Createv2", "Createv2"),
            ("Get99999999", "Get99999999"),
            ("20150331", "20150331"),
            ("v2", "v2"),
            ("", ""),
            ("é20150331", "é"),
            ("aé0150331", "aé0150331"),
        ];
        for (raw, expected) in cases {
            assert_eq!(action(raw), expected, "{raw}");
        }
    }

    #[test]
    fn services_are_the_prefix_of_their_source() {
        let cases = [
            ("s3.amazonaws.com", "s3"),
            ("monitoring.amazonaws.com", "monitoring"),
            ("ec2.amazonaws.com.cn", "ec2"),
            ("odd", "odd"),
        ];
        for (source, expected) in cases {
            assert_eq!(service(source), expected);
        }
    }

    #[test]
    fn partitions_follow_the_region() {
        let cases = [
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
        ];
        for (region, expected) in cases {
            assert_eq!(partition(region), expected, "{region}");
        }
    }
}
