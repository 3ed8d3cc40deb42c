//! Which host a call goes to, and the region its signature names.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::model::{Operation, Service};
use crate::protocol::Request;

const PARTITIONS: &str = include_str!("../../operations/partitions.json");

/// A group of regions with its own accounts and host names.
#[derive(Debug, Deserialize)]
pub struct Partition {
    /// What its host names end with.
    pub suffix: String,
    /// What its regions start with.
    pub prefixes: Vec<String>,
}

/// How a bucket is named in a request to S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addressing {
    /// In the host name where that works: not with a dot in the bucket's name, which no certificate would match, and
    /// not with an endpoint whose host is an IP address or `localhost`.
    #[default]
    Auto,
    /// Always in the path.
    Path,
}

/// Where a call is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme and host, and the path of an endpoint of one's own: no slash at the end.
    pub url: String,
    /// The region that the signature names.
    pub region: String,
}

/// Why a call has nowhere to go.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No region in the call, none in the configuration.
    #[error("cannot find a host for `{service}`: no region given")]
    NoRegion {
        /// The service.
        service: String,
    },
    /// The region is no host label: it would lead to a host of somebody's choice.
    #[error("cannot find a host for `{service}`: `{region}` is not a region")]
    BadRegion {
        /// The service.
        service: String,
        /// The region.
        region: String,
    },
    /// An endpoint of one's own is not `http://host` or `https://host`.
    #[error("cannot call `{url}`: not an `http` or `https` address")]
    BadUrl {
        /// The endpoint.
        url: String,
    },
}

impl EndpointError {
    /// Never: the configuration has to change first.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoRegion { .. } | Self::BadRegion { .. } | Self::BadUrl { .. } => false,
        }
    }
}

/// The partition of a region by its longest matching prefix, with its id; an unknown region counts as `aws`.
pub fn partition(region: &str) -> Option<(&'static str, &'static Partition)> {
    #[derive(Deserialize)]
    struct File {
        partitions: BTreeMap<String, Partition>,
    }
    static READ: OnceLock<BTreeMap<String, Partition>> = OnceLock::new();
    let all = READ.get_or_init(|| serde_json::from_str::<File>(PARTITIONS).map(|f| f.partitions).unwrap_or_default());
    let matching = |p: &Partition| p.prefixes.iter().filter(|x| region.starts_with(*x)).map(String::len).max();
    let found = all.iter().filter_map(|(id, p)| Some((matching(p)?, id, p))).max_by_key(|(length, ..)| *length);
    found.map(|(_, id, p)| (id.as_str(), p)).or_else(|| all.get_key_value("aws").map(|(id, p)| (id.as_str(), p)))
}

/// Finds the host of a call, and moves an S3 bucket from the path of its request to the host where that works.
///
/// `custom` is an endpoint of one's own: `AWS_ENDPOINT_URL`, a VPC endpoint, an emulator. An account id before the host
/// (S3 Control) is left out where the endpoint's host is an IP address or `localhost`, which has no such names; the
/// request carries it in a header as well.
///
/// # Errors
/// No region is known, the region or the endpoint is malformed.
pub fn endpoint(
    service: &Service,
    operation: &Operation,
    request: &mut Request,
    parameters: &Value,
    region: &str,
    custom: Option<&str>,
    addressing: Addressing,
) -> Result<Endpoint, EndpointError> {
    let (scheme, host, base, region) = if let Some(url) = custom {
        let (scheme, host, base) = split(url).ok_or_else(|| EndpointError::BadUrl { url: url.to_owned() })?;
        let signed = host_of(service, region).map_or_else(|_| region.to_owned(), |(_, signed)| signed);
        (scheme, host.to_owned(), base, signed)
    } else {
        let (host, signed) = host_of(service, region)?;
        ("https", host, "", signed)
    };
    let has_names = !is_bare(&host);
    let mut prefix = request.host_prefix.take().filter(|_| has_names).unwrap_or_default();
    if let Some(bucket) = bucket_of(service, operation, parameters)
        && addressing == Addressing::Auto
        && has_names
        && is_host_label(bucket)
    {
        request.path = match request.path.strip_prefix(&format!("/{bucket}")) {
            Some("") => "/".to_owned(),
            Some(rest) => rest.to_owned(),
            None => request.path.clone(),
        };
        prefix = format!("{bucket}.");
    }
    let region = if region.is_empty() { "us-east-1".to_owned() } else { region };
    Ok(Endpoint { url: format!("{scheme}://{prefix}{host}{base}"), region })
}

/// The host of a service in a region, and the region that its signatures name.
fn host_of(service: &Service, region: &str) -> Result<(String, String), EndpointError> {
    if !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(EndpointError::BadRegion { service: service.name.clone(), region: region.to_owned() });
    }
    let (id, suffix) = partition(region).map_or(("aws", "amazonaws.com"), |(id, p)| (id, p.suffix.as_str()));
    if let Some(global) = service.hosts.global.get(id) {
        return Ok((global.hostname.clone(), global.region.clone()));
    }
    if region.is_empty() {
        return Err(EndpointError::NoRegion { service: service.name.clone() });
    }
    let usual = || format!("{}.{region}.{suffix}", service.metadata.endpoint_prefix);
    Ok((service.hosts.hostnames.get(region).cloned().unwrap_or_else(usual), region.to_owned()))
}

/// Scheme, host with port, and path without its last slash.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, base) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let sound = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('@') && !base.contains('?');
    sound.then_some((scheme, host, base.trim_end_matches('/')))
}

/// Whether a host has no names below it: an IP address or `localhost`, with or without a port.
fn is_bare(host: &str) -> bool {
    let name = host
        .strip_prefix('[')
        .and_then(|v6| v6.split_once(']'))
        .map_or_else(|| host.rsplit_once(':').map_or(host, |(name, _)| name), |(v6, _)| v6);
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

/// The bucket that an S3 request names in its path.
fn bucket_of<'a>(service: &Service, operation: &Operation, parameters: &'a Value) -> Option<&'a str> {
    let named = service.metadata.endpoint_prefix == "s3" && operation.http.request_uri.starts_with("/{Bucket}");
    parameters.get("Bucket")?.as_str().filter(|_| named)
}

/// Whether a bucket may stand before a host: a DNS label without dots ("Bucket naming rules").
fn is_host_label(bucket: &str) -> bool {
    (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !bucket.starts_with('-')
        && !bucket.ends_with('-')
}
