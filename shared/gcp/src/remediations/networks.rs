//! Which networks of a list make it an opening to the internet.

use std::collections::BTreeSet;

use ipnet::IpNet;
use onus_core::{Finding, address};

/// The networks through which a finding's openings let the internet in, allowed traffic into the resource only.
pub(crate) fn exposing(finding: &Finding) -> BTreeSet<IpNet> {
    let openings = finding.effects.openings.iter();
    let inward = openings.filter(|one| one.allow && one.direction == onus_core::effect::Direction::Ingress);
    making(inward.flat_map(|one| one.sources.iter().copied()).collect())
}

/// Of networks, those that make them the internet. The smallest stay as long as they do not add up to it: an office's address
/// or a load balancer's ranges beside `0.0.0.0/0` are not what is wrong. Networks of one size share one fate, so that the
/// internet in equal pieces goes whole.
fn making(networks: BTreeSet<IpNet>) -> BTreeSet<IpNet> {
    let mut by_size: Vec<IpNet> = networks.into_iter().collect();
    by_size.sort_by_key(size);
    let mut kept: Vec<IpNet> = Vec::new();
    for group in by_size.chunk_by(|one, other| size(one) == size(other)) {
        let more = [kept.as_slice(), group].concat();
        if address::is_internet(more.iter().copied()) {
            break;
        }
        kept = more;
    }
    by_size.into_iter().skip(kept.len()).collect()
}

/// How much of the internet a network is, in IPv4 addresses; IPv6 is scaled to the same threshold.
fn size(network: &IpNet) -> u64 {
    let coverage = address::coverage([*network]);
    let scale = address::INTERNET_V4 / address::INTERNET_V6_SLASH_32;
    coverage.v4.max(coverage.v6_slash_32.saturating_mul(scale))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(networks: &[&str]) -> Vec<String> {
        let networks = networks.iter().map(|text| address::parse(text).unwrap()).collect();
        making(networks).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn offices_and_private_networks_stay_beside_the_internet() {
        assert_eq!(made(&["10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0", "130.211.0.0/22"]), ["0.0.0.0/0"]);
        assert_eq!(made(&["0.0.0.0/1", "128.0.0.0/1", "192.0.2.0/24"]), ["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(made(&["::/0", "0.0.0.0/0", "2001:db8::/32"]), ["0.0.0.0/0", "::/0"]);
        assert_eq!(made(&["192.0.2.0/24"]), [""; 0]);
    }

    proptest! {
        #[test]
        fn what_stays_is_not_the_internet_and_nothing_leaves_without_need(
            networks in proptest::collection::vec((any::<u32>(), 0..=32u8), 0..8)
        ) {
            let network = |(bits, length): &(u32, u8)| {
                address::parse(&format!("{}/{length}", std::net::Ipv4Addr::from(*bits))).unwrap()
            };
            let networks: BTreeSet<IpNet> = networks.iter().map(network).collect();
            let gone = making(networks.clone());
            let stays: Vec<IpNet> = networks.difference(&gone).copied().collect();
            prop_assert!(!address::is_internet(stays.iter().copied()), "{stays:?}");
            prop_assert!(gone.is_empty() || address::is_internet(networks.iter().copied()));
            prop_assert!(gone.is_subset(&networks));
        }
    }
}
