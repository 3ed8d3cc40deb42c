//! How much of the internet a set of networks covers.
//!
//! `0.0.0.0/0` can be written as two halves, four quarters, or with host bits set. So the question is never whether a
//! string is `0.0.0.0/0`, but how many public addresses the union holds.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Public IPv4 addresses above which a set counts as the internet: 2^28, a sixteenth of the space.
/// No single operator holds that many; the largest cloud's published ranges hold well under half of it.
pub const INTERNET_V4: u64 = 1 << 28;

/// `/32`s of global unicast IPv6 (`2000::/3`) above which a set counts as the internet: 2^24, a `/8`. Registries hand out
/// `/12`s to whole continents.
pub const INTERNET_V6_SLASH_32: u64 = 1 << 24;

/// IPv4 ranges that are not reachable over the internet (IANA special-purpose registry, RFC 6890 and its updates).
const SPECIAL_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// How many public addresses a set of networks holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Public IPv4 addresses.
    pub v4: u64,
    /// `/32` networks' worth of global unicast IPv6, rounded down.
    pub v6_slash_32: u64,
}

impl Coverage {
    /// Whether the set is, for the purpose of an open door, the whole internet of one address family.
    pub fn is_internet(self) -> bool {
        self.v4 >= INTERNET_V4 || self.v6_slash_32 >= INTERNET_V6_SLASH_32
    }
}

/// Adds up a set of networks: overlaps count once, special-purpose ranges not at all. Empty covers nothing.
pub fn coverage(networks: impl IntoIterator<Item = IpNet>) -> Coverage {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for network in networks {
        match network {
            IpNet::V4(net) => v4.push((u128::from(u32::from(net.network())), u128::from(u32::from(net.broadcast())))),
            IpNet::V6(net) => v6.push((u128::from(net.network()), u128::from(net.broadcast()))),
        }
    }
    let special: Vec<(u128, u128)> = SPECIAL_V4
        .iter()
        .filter_map(|(address, length)| Ipv4Net::new(*address, *length).ok())
        .map(|net| (u128::from(u32::from(net.network())), u128::from(u32::from(net.broadcast()))))
        .collect();
    let v4 = union(v4);
    let held = size(&v4).saturating_sub(size(&intersect(&v4, &special)));
    let unicast = Ipv6Net::new(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        .map(|net| vec![(u128::from(net.network()), u128::from(net.broadcast()))])
        .unwrap_or_default();
    let v6 = intersect(&union(v6), &unicast);
    Coverage {
        v4: u64::try_from(held).unwrap_or(u64::MAX),
        v6_slash_32: u64::try_from(size(&v6) >> 96).unwrap_or(u64::MAX),
    }
}

/// Whether a set of networks is the internet: see [`Coverage::is_internet`].
pub fn is_internet(networks: impl IntoIterator<Item = IpNet>) -> bool {
    coverage(networks).is_internet()
}

/// Reads a network as firewalls write it: `10.0.0.0/8`, a bare address, host bits set (`1.2.3.4/0`), IPv4-mapped IPv6.
/// `None` when it is none of these.
pub fn parse(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<std::net::IpAddr>().ok()?),
    };
    if let IpNet::V6(net) = network
        && net.prefix_len() >= 96
        && let Some(mapped) = net.addr().to_ipv4_mapped()
    {
        return Ipv4Net::new(mapped, net.prefix_len() - 96).ok().map(|net| IpNet::V4(net.trunc()));
    }
    Some(network.trunc())
}

/// Merges ranges `(first, last)` so that none touch.
fn union(mut ranges: Vec<(u128, u128)>) -> Vec<(u128, u128)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

/// The ranges that lie in both of two lists of disjoint ranges.
fn intersect(left: &[(u128, u128)], right: &[(u128, u128)]) -> Vec<(u128, u128)> {
    left.iter()
        .flat_map(|(a, b)| right.iter().map(move |(c, d)| (*a.max(c), *b.min(d))))
        .filter(|(first, last)| first <= last)
        .collect()
}

/// How many addresses disjoint ranges hold; saturates for the whole of IPv6.
fn size(ranges: &[(u128, u128)]) -> u128 {
    ranges.iter().fold(0, |sum, (first, last)| sum.saturating_add((last - first).saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| parse(text).expect("a network")).collect()
    }

    #[test]
    fn the_internet_is_decided_by_coverage() {
        let cases: [(&[&str], bool); 15] = [
            (&["0.0.0.0/0"], true),
            (&["208.236.235.254/0"], true),
            (&["0.0.0.0/1", "128.0.0.0/1"], true),
            (&["0.0.0.0/1"], true),
            (&["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"], true),
            (&["::/0"], true),
            (&["2000::/3"], true),
            (&["2000::/4", "3000::/4"], true),
            (&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], false),
            (&["224.0.0.0/3"], false),
            (&["203.0.113.7"], false),
            (&["52.0.0.0/8", "54.0.0.0/8"], false),
            (&["2600:1f00::/24"], false),
            (&["fc00::/7", "fe80::/10"], false),
            (&[], false),
        ];
        for (texts, expected) in cases {
            assert_eq!(is_internet(nets(texts)), expected, "{texts:?}");
        }
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        assert_eq!(parse("::ffff:1.2.3.4/128"), parse("1.2.3.4"));
    }

    proptest! {
        #[test]
        fn cutting_a_network_in_halves_changes_nothing(address: u32, length in 0u8..32) {
            let whole = Ipv4Net::new(Ipv4Addr::from(address), length).unwrap().trunc();
            let halves: Vec<IpNet> = whole.subnets(length + 1).unwrap().map(IpNet::V4).collect();
            prop_assert_eq!(coverage([IpNet::V4(whole)]), coverage(halves));
        }

        #[test]
        fn repeating_a_network_changes_nothing(address: u32, length in 0u8..=32) {
            let net = IpNet::V4(Ipv4Net::new(Ipv4Addr::from(address), length).unwrap().trunc());
            prop_assert_eq!(coverage([net]), coverage([net, net]));
        }
    }
}
