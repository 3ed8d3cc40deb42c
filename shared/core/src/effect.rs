//! What a change did, in cloud-neutral words: network paths opened and access given.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::address::{self, Coverage};

/// Everything a change opened or granted, and what the record could not tell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Effects {
    /// Network paths opened, one per rule entry of the request, so that each can be closed alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<Opening>,
    /// Access given, one per principal and statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Why the lists above may be incomplete. Empty means: this is everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

/// Something the record does not tell, which live state would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What is unknown: a field path (`request.bucketPolicy`) or a thing (`prefix list pl-1`).
    pub about: String,
    /// Why: `omitted by the log`, `not part of the request`, …
    pub reason: String,
}

impl Doubt {
    /// A doubt about something, with its reason.
    pub fn new(about: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { about: about.into(), reason: reason.into() }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.about, self.reason)
    }
}

/// Which way traffic may now flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the resource.
    Ingress,
    /// Out of the resource.
    Egress,
}

/// A transport protocol as packet filters name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Every protocol.
    Any,
    /// TCP (6).
    Tcp,
    /// UDP (17).
    Udp,
    /// ICMP (1) or `ICMPv6` (58).
    Icmp,
    /// Another IANA protocol number.
    Other(u8),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Protocol::Any => f.write_str("any"),
            Protocol::Tcp => f.write_str("tcp"),
            Protocol::Udp => f.write_str("udp"),
            Protocol::Icmp => f.write_str("icmp"),
            Protocol::Other(number) => write!(f, "protocol {number}"),
        }
    }
}

/// A network path that a change opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The id of the firewall object: a security group, an NSG, a firewall rule.
    pub resource: String,
    /// Which way.
    pub direction: Direction,
    /// Which protocol.
    pub protocol: Protocol,
    /// First and last port, both included. `(0, 65535)` where the protocol or the rule has no ports.
    pub ports: (u16, u16),
    /// The addresses let in (or out to). Canonical networks: host bits cleared.
    pub sources: Vec<IpNet>,
    /// Sources that are no addresses: security groups, prefix lists, service tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// The id of the very rule, where the answer named it (`sgr-…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// Whether the rule lets traffic in: a deny entry opens nothing, but a removed deny does.
    pub allow: bool,
}

/// Ports through which the internet, as a whole, reaches a resource: the union over openings, because an opening cut
/// in two halves is as open as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The firewall object.
    pub resource: String,
    /// Which way.
    pub direction: Direction,
    /// Which protocol.
    pub protocol: Protocol,
    /// First and last port, both included.
    pub ports: (u16, u16),
    /// Indexes into [`Effects::openings`] that take part.
    pub openings: Vec<usize>,
}

impl Effects {
    /// Nothing opened, nothing granted, nothing unknown.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nothing is known: the record leaves out what would tell.
    pub fn unknown(about: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { doubts: vec![Doubt::new(about, reason)], ..Self::default() }
    }

    /// The port ranges that the openings together expose to the internet ([`address::Coverage`]).
    ///
    /// Openings are taken per resource and direction. Each port interval is judged by the union of the addresses of all openings
    /// that hold it (an opening for any protocol counts for each); intervals with the same contributors are merged.
    pub fn exposures(&self) -> Vec<Exposure> {
        let mut found: Vec<Exposure> = Vec::new();
        let mut scopes: Vec<(&str, Direction)> =
            self.openings.iter().map(|o| (o.resource.as_str(), o.direction)).collect();
        scopes.sort_unstable();
        scopes.dedup();
        for (resource, direction) in scopes {
            let scope: Vec<(usize, &Opening)> = self
                .openings
                .iter()
                .enumerate()
                .filter(|(_, o)| o.allow && o.resource == resource && o.direction == direction)
                .collect();
            let mut protocols: Vec<Protocol> = scope.iter().map(|(_, o)| o.protocol).collect();
            protocols.sort_unstable();
            protocols.dedup();
            for protocol in protocols {
                found.extend(exposures_of(resource, direction, protocol, &scope));
            }
        }
        found
    }
}

fn exposures_of(
    resource: &str,
    direction: Direction,
    protocol: Protocol,
    scope: &[(usize, &Opening)],
) -> Vec<Exposure> {
    let taking: Vec<(usize, &Opening)> =
        scope.iter().copied().filter(|(_, o)| o.protocol == protocol || o.protocol == Protocol::Any).collect();
    let mut edges: Vec<u32> =
        taking.iter().flat_map(|(_, o)| [u32::from(o.ports.0), u32::from(o.ports.1) + 1]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut found: Vec<Exposure> = Vec::new();
    for (from, end) in edges.iter().zip(edges.iter().skip(1)) {
        let (Ok(from), Ok(to)) = (u16::try_from(*from), u16::try_from(end - 1)) else { continue };
        let holding: Vec<(usize, &Opening)> =
            taking.iter().copied().filter(|(_, o)| o.ports.0 <= from && to <= o.ports.1).collect();
        // An exposure made only by any-protocol openings is reported once, under `Any`.
        if holding.is_empty() || (protocol != Protocol::Any && holding.iter().all(|(_, o)| o.protocol == Protocol::Any))
        {
            continue;
        }
        let coverage: Coverage = address::coverage(holding.iter().flat_map(|(_, o)| o.sources.iter().copied()));
        if !coverage.is_internet() {
            continue;
        }
        let openings: Vec<usize> = holding.iter().map(|(index, _)| *index).collect();
        match found.last_mut() {
            Some(last) if u32::from(last.ports.1) + 1 == u32::from(from) && last.openings == openings => {
                last.ports.1 = to;
            }
            _ => {
                found.push(Exposure {
                    resource: resource.to_owned(),
                    direction,
                    protocol,
                    ports: (from, to),
                    openings,
                });
            }
        }
    }
    found
}

/// Who a grant reaches, widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Anyone on the internet, without credentials or with any.
    Public,
    /// Anyone with any account of the provider.
    AnyAuthenticated,
    /// An identity of another account, tenant or organisation.
    External,
    /// An identity of the same account (or of an account named as trusted).
    Internal,
    /// A service of the provider acting for the customer.
    Service,
}

impl Audience {
    /// The snake-case name that rules compare with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Audience::Public => "public",
            Audience::AnyAuthenticated => "any_authenticated",
            Audience::External => "external",
            Audience::Internal => "internal",
            Audience::Service => "service",
        }
    }
}

/// How much a grant allows, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Listing, reading, using (decrypt, invoke, receive).
    Read,
    /// Changing content.
    Write,
    /// Changing who has access, or everything.
    Admin,
}

impl Level {
    /// The snake-case name that rules compare with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Write => "write",
            Level::Admin => "admin",
        }
    }
}

/// Access that a change gave to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The resource opened: an ARN where one can be told, else its name.
    pub resource: String,
    /// Who it reaches.
    pub audience: Audience,
    /// The grantee as written: `*`, an ARN, an account id, a group URI, `allUsers`.
    pub principal: String,
    /// The account of an external or internal grantee, where it can be told; or the organisation or private network that
    /// stands for it (`o-…`, `vpc-…`), so that an operator can trust it like an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The actions, permissions or role as written: `s3:GetObject`, `READ`, `roles/owner`.
    pub actions: Vec<String>,
    /// How much they allow at most.
    pub level: Level,
    /// What holds the grant: `policy`, `acl`, `attribute`, `trust`, `attachment`, `permission`, `binding`, …
    pub via: String,
    /// The very part that gives it, so that it can be taken back alone: a statement's Sid, its `#index`, a grant id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}
