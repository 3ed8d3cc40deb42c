use std::sync::{Mutex as StdMutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-02T10:00:00Z";

/// Two keys, made once for all tests.
fn keys() -> &'static [RsaPrivateKey; 2] {
    static KEYS: OnceLock<[RsaPrivateKey; 2]> = OnceLock::new();
    let make = || RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    KEYS.get_or_init(|| [make(), make()])
}

fn public(name: &str, key: &RsaPrivateKey) -> Value {
    let part = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    json!({ "kid": name, "kty": "RSA", "alg": "RS256", "use": "sig", "n": part(key.n()), "e": part(key.e()) })
}

fn token(name: &str, key: &RsaPrivateKey, claims: &Value) -> String {
    let header = Header { kid: Some(name.to_owned()), ..Header::new(Algorithm::RS256) };
    let key = EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes());
    format!("Bearer {}", encode(&header, claims, &key).unwrap())
}

fn claims() -> Value {
    let now = NOW.parse::<Timestamp>().unwrap().as_second();
    json!({
        "iss": "https://accounts.google.com", "aud": "https://audit.example/", "sub": "1", "azp": "1",
        "email": "push@example.iam.gserviceaccount.com", "email_verified": true, "iat": now - 10, "exp": now + 3590,
    })
}

fn with(member: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[member] = value.into();
    claims
}

/// A clock that is set by hand.
struct Hands(StdMutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Answers with what is published, and counts.
struct Published(StdMutex<(Result<Vec<Value>, String>, u32)>);

impl Published {
    fn publish(&self, keys: Result<Vec<Value>, String>) {
        self.0.lock().unwrap().0 = keys;
    }

    fn fetched(&self) -> u32 {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl Keys for Published {
    async fn fetch(&self) -> Result<JwkSet, String> {
        let mut published = self.0.lock().unwrap();
        published.1 += 1;
        let keys = published.0.clone()?;
        Ok(serde_json::from_value(json!({ "keys": keys })).unwrap())
    }
}

fn door(keys: Vec<Value>) -> (Doorkeeper, Arc<Published>, Arc<Hands>) {
    let published = Arc::new(Published(StdMutex::new((Ok(keys), 0))));
    let hands = Arc::new(Hands(StdMutex::new(NOW.parse().unwrap())));
    let expected = Expected {
        audience: "https://audit.example/".to_owned(),
        account: "push@example.iam.gserviceaccount.com".to_owned(),
    };
    let door = Doorkeeper::new(expected, Arc::clone(&published) as Arc<dyn Keys>, Arc::clone(&hands) as Arc<dyn Clock>);
    (door, published, hands)
}

#[tokio::test]
async fn a_good_token_is_let_in_and_the_keys_are_fetched_once() {
    let [key, _] = keys();
    let (door, published, _) = door(vec![public("a", key)]);
    for claims in [claims(), with("iss", "accounts.google.com")] {
        assert_eq!(door.check(Some(&token("a", key, &claims))).await, Ok(()));
    }
    let small = token("a", key, &claims()).replace("Bearer", "bearer");
    assert_eq!(door.check(Some(&small)).await, Ok(()));
    assert_eq!(published.fetched(), 1);
}

#[tokio::test]
async fn who_has_no_token_is_told_so() {
    let (door, published, _) = door(Vec::new());
    for header in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic dXNlcjpwYXNz")] {
        assert_eq!(door.check(header).await, Err(Denied::Missing), "{header:?}");
    }
    assert_eq!(published.fetched(), 0);
}

#[tokio::test]
async fn a_forged_token_or_one_for_somebody_else_is_refused() {
    let [key, other] = keys();
    let now = NOW.parse::<Timestamp>().unwrap().as_second();
    let (door, ..) = door(vec![public("a", key)]);
    let good = token("a", key, &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let other_body = URL_SAFE_NO_PAD.encode(with("email", "thief@example.com").to_string());
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"a"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    let secret = EncodingKey::from_secret(key.n().to_bytes_be().as_slice());
    let hmac_header = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::HS256) };
    let nameless = encode(
        &Header::new(Algorithm::RS256),
        &claims(),
        &EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()),
    );
    let cases = [
        ("another key's signature", token("a", other, &claims())),
        ("a changed body", format!("{head}.{other_body}.{signature}")),
        ("no signature", format!("{signed}.")),
        ("algorithm none", format!("Bearer {none}.{body}.")),
        ("the public key as a secret", format!("Bearer {}", encode(&hmac_header, &claims(), &secret).unwrap())),
        ("no key's name", format!("Bearer {}", nameless.unwrap())),
        ("an unknown key", token("z", other, &claims())),
        ("another issuer", token("a", key, &with("iss", "https://accounts.example.com"))),
        ("another audience", token("a", key, &with("aud", "https://other.example/"))),
        ("several audiences", token("a", key, &with("aud", json!(["https://audit.example/", "x"])))),
        ("another account", token("a", key, &with("email", "thief@example.com"))),
        ("an unverified address", token("a", key, &with("email_verified", false))),
        ("expired", token("a", key, &with("exp", now - 61))),
        ("from the future", token("a", key, &with("iat", now + 61))),
        (
            "no times",
            token("a", key, &json!({ "iss": "https://accounts.google.com", "aud": "https://audit.example/" })),
        ),
        ("garbage", "Bearer a.b.c".to_owned()),
        ("words", "Bearer let me in".to_owned()),
    ];
    let mut wrong = Vec::new();
    for (what, header) in cases {
        match door.check(Some(&header)).await {
            Err(Denied::NotGood(_)) => {}
            other => wrong.push(format!("{what}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_once_and_not_at_every_request() {
    let [old, new] = keys();
    let (door, published, hands) = door(vec![public("old", old)]);
    assert_eq!(door.check(Some(&token("old", old, &claims()))).await, Ok(()));
    *hands.0.lock().unwrap() += SignedDuration::from_mins(2);
    published.publish(Ok(vec![public("old", old), public("new", new)]));
    assert_eq!(door.check(Some(&token("new", new, &claims()))).await, Ok(()), "the key was rotated");
    assert_eq!(published.fetched(), 2);
    for _ in 0..5 {
        assert!(matches!(door.check(Some(&token("forged", new, &claims()))).await, Err(Denied::NotGood(_))));
    }
    assert_eq!(published.fetched(), 2, "whoever invents keys does not make us fetch");
}

#[tokio::test]
async fn a_key_that_is_no_longer_published_is_forgotten() {
    let [old, new] = keys();
    let (door, published, hands) = door(vec![public("old", old)]);
    assert_eq!(door.check(Some(&token("old", old, &claims()))).await, Ok(()));
    published.publish(Ok(vec![public("new", new)]));
    *hands.0.lock().unwrap() += SignedDuration::from_hours(7);
    let late = with("exp", hands.now().as_second() + 60);
    assert!(matches!(door.check(Some(&token("old", old, &late))).await, Err(Denied::NotGood(_))));
}

#[tokio::test]
async fn without_keys_nobody_is_let_in_and_nobody_is_called_a_forger() {
    let [key, _] = keys();
    let (door, published, _) = door(Vec::new());
    published.publish(Err("no route to host".to_owned()));
    assert_eq!(door.check(Some(&token("a", key, &claims()))).await, Err(Denied::NoKeys("no route to host".to_owned())));
    published.publish(Ok(vec![public("a", key)]));
    assert_eq!(door.check(Some(&token("a", key, &claims()))).await, Ok(()));
}
