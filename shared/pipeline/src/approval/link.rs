//! Links that carry an answer: signed, expiring, each good for one answer to one plan that was shown.
//!
//! A link is `<base>?t=v1.<verb>.<finding>.<plan>.<expiry>.<nonce>.<signature>`. The signature is HMAC-SHA256 (RFC 2104) over all
//! that stands before it. The nonce is derived from the plan and the moment it was shown, under the same key: telling a
//! notice again gives the same links, and `approve` and `deny` of one showing share it, so that one answer uses up both.
//!
//! Whoever holds a link may answer. So links are told to sinks and kept nowhere: not in the ledger, not in a log.

use std::fmt::{self, Write as _};

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use onus_core::sink::Links;
use onus_core::{FindingId, Plan};
use sha2::Sha256;

/// The shortest key that is taken, in bytes: as long as the hash (RFC 2104, 3).
pub const SHORTEST_KEY: usize = 32;

/// The longest token that is looked at. A real one has some 160 characters.
const LONGEST: usize = 512;

/// Signs and checks. Known to the function that shows plans and to the endpoint that links lead to, and to nobody else.
#[derive(Clone)]
pub struct ApprovalKey(Hmac<Sha256>);

impl fmt::Debug for ApprovalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApprovalKey")
    }
}

/// Makes links.
#[derive(Debug, Clone)]
pub struct ApprovalLinks {
    base: String,
    key: ApprovalKey,
    lives: SignedDuration,
}

/// A key that could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of approval links has {0} bytes, expected at least {SHORTEST_KEY} random ones")]
pub struct ShortKey(usize);

/// An address that links would travel to in the clear, or that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address for approval links, expected `https://…` without `?` and `#`")]
pub struct BadBase(String);

/// What a person is asked to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Carry the plan out.
    Approve,
    /// Never carry it out.
    Deny,
}

impl Answer {
    /// `approve` or `deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

/// A link that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The answer it gives.
    pub answer: Answer,
    /// To which finding.
    pub finding: FindingId,
    /// To which plan, by [`Plan::key`].
    pub plan: String,
    /// Until when.
    pub expires: Timestamp,
    /// Which showing of the plan; 32 lower-case hexadecimal digits.
    pub nonce: String,
}

/// Why a link is not heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    /// Not of ours, or changed on its way.
    #[error("the link is not valid")]
    Forged,
    /// Once ours.
    #[error("the link expired at {0}")]
    Expired(Timestamp),
}

impl ApprovalLinks {
    /// Links below an address, signed with a key, good for so long after a plan was shown. Plain http is taken for
    /// loopback addresses only.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(base: &str, key: ApprovalKey, lives: SignedDuration) -> Result<Self, BadBase> {
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
            .into_iter()
            .any(|local| base.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
        let whole = |base: &str| base.bytes().all(|b| b.is_ascii_graphic() && !b"?#\"<>".contains(&b));
        if !(local || base.len() > "https://".len() && base.starts_with("https://")) || !whole(base) {
            return Err(BadBase(base.to_owned()));
        }
        Ok(Self { base: base.to_owned(), key, lives })
    }

    /// The links for a plan shown at a moment. The same whenever they are made.
    pub fn of(&self, plan: &Plan, shown: Timestamp) -> Links {
        let expires = shown.checked_add(self.lives).unwrap_or(Timestamp::MAX);
        let nonce = self.key.sign(&format!("nonce.{}.{}.{}", plan.finding, plan.key(), shown.as_nanosecond()));
        let nonce = nonce.get(..32).unwrap_or_default();
        let link = |answer: Answer| {
            let (finding, key, until) = (&plan.finding, plan.key(), expires.as_second());
            let signed = format!("v1.{}.{finding}.{key}.{until}.{nonce}", answer.as_str());
            format!("{}?t={signed}.{}", self.base, self.key.sign(&signed))
        };
        Links { approve: link(Answer::Approve), deny: link(Answer::Deny), expires }
    }
}

impl ApprovalKey {
    /// A key out of a text: an environment variable, a secret. White space around it does not count.
    ///
    /// # Errors
    /// It is short.
    pub fn new(text: &str) -> Result<Self, ShortKey> {
        let key = text.trim().as_bytes();
        if key.len() < SHORTEST_KEY {
            return Err(ShortKey(key.len()));
        }
        // HMAC takes keys of any length; if it ever did not, the key counts as bad.
        Hmac::new_from_slice(key).map(Self).map_err(|_| ShortKey(key.len()))
    }

    /// Checks a token: the signature first, in constant time, so that nothing is learnt of what is not ours.
    ///
    /// # Errors
    /// It was not made with this key, or has expired.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<Link, BadLink> {
        if token.len() > LONGEST || !token.is_ascii() {
            return Err(BadLink::Forged);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(BadLink::Forged)?;
        let signature = unhex(signature).ok_or(BadLink::Forged)?;
        self.mac(signed).verify_slice(&signature).map_err(|_| BadLink::Forged)?;
        let parts: Vec<&str> = signed.split('.').collect();
        let ["v1", answer, finding, plan, expires, nonce] = parts.as_slice() else { return Err(BadLink::Forged) };
        let answer = match *answer {
            "approve" => Answer::Approve,
            "deny" => Answer::Deny,
            _ => return Err(BadLink::Forged),
        };
        let finding = finding.parse().map_err(|_| BadLink::Forged)?;
        let expires = expires.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let expires = expires.ok_or(BadLink::Forged)?;
        if now >= expires {
            return Err(BadLink::Expired(expires));
        }
        Ok(Link { answer, finding, plan: (*plan).to_owned(), expires, nonce: (*nonce).to_owned() })
    }

    /// 64 lower-case hexadecimal digits.
    fn sign(&self, text: &str) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.mac(text).finalize().into_bytes() {
            let _ = write!(hex, "{byte:02x}"); // writing to a string cannot fail
        }
        hex
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac
    }
}

/// The 32 bytes of 64 lower-case hexadecimal digits. Upper case is no other spelling: a token has one form.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use onus_core::{Call, Image, Resource, Step};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn key() -> ApprovalKey {
        ApprovalKey::new(KEY).expect("long enough")
    }

    fn links() -> ApprovalLinks {
        ApprovalLinks::new("https://onus.example.com/", key(), SignedDuration::from_hours(72)).expect("good")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn plan(id: &str) -> Plan {
        let call = Call::aws("fake", "Remove", "", json!({ "id": id }));
        Plan {
            finding: "f-0123456789abcdef0123456789".parse().expect("an id"),
            remediation: "fake.auto".to_owned(),
            resource: Resource::default(),
            steps: vec![Step { title: "remove".to_owned(), call, inverse: None }],
            before: Image::default(),
        }
    }

    fn token(link: &str) -> &str {
        link.split_once("?t=").expect("a token").1
    }

    const SHOWN: &str = "2026-11-02T10:00:00Z";

    #[test]
    fn a_link_reads_back_as_what_it_was_made_for() {
        let made = links().of(&plan("bad"), at(SHOWN));
        let approve = key().check(token(&made.approve), at("2026-11-05T09:59:59Z")).expect("ours");
        let deny = key().check(token(&made.deny), at(SHOWN)).expect("ours");
        assert_eq!((approve.answer, deny.answer), (Answer::Approve, Answer::Deny));
        assert_eq!((&approve.finding, &approve.plan), (&plan("bad").finding, &plan("bad").key()));
        assert_eq!(approve.nonce, deny.nonce, "one answer uses up both");
        assert_eq!(made, links().of(&plan("bad"), at(SHOWN)), "told again, the links are the same");
        assert_eq!(made.expires, at("2026-11-05T10:00:00Z"));
    }

    #[test]
    fn links_for_another_plan_showing_or_key_differ() {
        let made = links().of(&plan("bad"), at(SHOWN));
        let other_key = ApprovalLinks { key: ApprovalKey::new(&KEY.to_uppercase()).expect("long enough"), ..links() };
        let others = [
            links().of(&plan("other"), at(SHOWN)),
            links().of(&plan("bad"), at("2026-11-02T10:00:01Z")),
            other_key.of(&plan("bad"), at(SHOWN)),
        ];
        for other in others {
            let nonce = |link: &str| token(link).split('.').nth(5).map(str::to_owned);
            assert_ne!(nonce(&made.approve), nonce(&other.approve));
        }
    }

    #[test]
    fn what_expired_was_changed_or_is_not_ours_is_not_heeded() {
        let made = links().of(&plan("bad"), at(SHOWN));
        let good = token(&made.approve);
        let expired = key().check(good, at("2026-11-05T10:00:00Z"));
        assert_eq!(expired, Err(BadLink::Expired(at("2026-11-05T10:00:00Z"))));
        let deny = token(&made.deny);
        let swapped = good.replace(".approve.", ".deny.");
        let signature_of_deny =
            format!("{}.{}", good.rsplit_once('.').expect("parts").0, deny.rsplit('.').next().expect("one"));
        let cases = [
            swapped,
            signature_of_deny,
            good.replace("f-0123", "f-1123"),
            good.to_uppercase(),
            good.trim_end_matches(|c: char| c.is_ascii_hexdigit()).to_owned(),
            format!("{good}0"),
            format!("{good}."),
            good.replacen("v1", "v2", 1),
            String::new(),
            ".".repeat(600),
            "é".to_owned(),
        ];
        let heeded: Vec<_> =
            cases.iter().filter(|token| key().check(token, at(SHOWN)) != Err(BadLink::Forged)).collect();
        assert!(heeded.is_empty(), "{heeded:?}");
    }

    #[test]
    fn a_short_key_and_an_open_address_are_refused() {
        let lives = SignedDuration::from_hours(1);
        assert_eq!(ApprovalKey::new("short\n").err(), Some(ShortKey(5)));
        let cases = [
            ("https://onus.example.com/approve", true),
            ("http://127.0.0.1:8080/", true),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("http://onus.example.com", false),
            ("https://", false),
            ("https://onus.example.com/?a", false),
            ("https://onus.example.com/#a", false),
            ("https://onus.example.com/\"><script>", false),
            ("", false),
        ];
        let wrong: Vec<_> =
            cases.into_iter().filter(|(base, good)| ApprovalLinks::new(base, key(), lives).is_ok() != *good).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(!format!("{:?}", links()).contains(KEY), "the key is not printed");
    }

    proptest! {
        #[test]
        fn no_text_but_ours_is_heeded(text in ".{0,200}") {
            prop_assert_eq!(key().check(&text, at(SHOWN)), Err(BadLink::Forged));
        }

        #[test]
        fn a_change_of_any_one_character_is_noticed(place in 0usize..170, with in proptest::char::range('!', '~')) {
            let made = links().of(&plan("bad"), at(SHOWN));
            let good = token(&made.approve);
            let mut changed: Vec<char> = good.chars().collect();
            let place = place % changed.len();
            prop_assume!(changed[place] != with);
            changed[place] = with;
            let changed: String = changed.into_iter().collect();
            prop_assert_eq!(key().check(&changed, at(SHOWN)), Err(BadLink::Forged));
        }
    }
}
