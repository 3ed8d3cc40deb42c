//! Who pushes: the token that Google signs for a push request.
//!
//! Source: "Authenticate push subscriptions" (<https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>) and "Verify the Google ID
//! token" (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use onus_core::Clock;
use serde::Deserialize;
use tokio::sync::Mutex;

/// Where Google publishes the keys.
pub(super) const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// How Google writes itself as issuer.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// How far clocks may differ.
const SKEW: i64 = 60;

/// How long keys are used before they are fetched again. Google announces new ones days before it signs with them.
const FRESH: SignedDuration = SignedDuration::from_hours(6);

/// How often keys are fetched at most because a token names one that is not known: anybody can send such a token.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It has no token.
    #[error("the request has no bearer token")]
    Missing,
    /// Its token is forged, or for somebody else.
    #[error("the token is not good: {0}")]
    NotGood(String),
    /// The keys could not be fetched. It may be let in later.
    #[error("cannot fetch the keys that tokens are signed with: {0}")]
    NoKeys(String),
}

/// Fetches the keys, as a port.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The keys as they are published now.
    ///
    /// # Errors
    /// What went wrong, for the log. They may be fetched later.
    async fn fetch(&self) -> Result<JwkSet, String>;
}

/// Keys behind a URL.
pub(super) struct PublishedKeys {
    pub(super) http: reqwest::Client,
    pub(super) url: String,
}

#[async_trait]
impl Keys for PublishedKeys {
    async fn fetch(&self) -> Result<JwkSet, String> {
        let answer = self.http.get(&self.url).timeout(std::time::Duration::from_secs(10)).send().await;
        let answer =
            answer.and_then(reqwest::Response::error_for_status).map_err(|error| crate::failure::chain(&error))?;
        answer.json().await.map_err(|error| crate::failure::chain(&error))
    }
}

/// What a token must say.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Whom the token is for: what the push subscription names as its audience.
    pub audience: String,
    /// The e-mail address of the service account that pushes.
    pub account: String,
}

/// Lets in who has a good token, and nobody else.
pub struct Doorkeeper {
    expected: Expected,
    keys: Arc<dyn Keys>,
    clock: Arc<dyn Clock>,
    /// What is known of the keys. Held while they are fetched, so that requests that come together fetch once.
    known: Mutex<Option<Known>>,
}

struct Known {
    keys: JwkSet,
    at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    email: String,
    email_verified: bool,
    exp: i64,
    iat: i64,
}

impl Doorkeeper {
    /// A doorkeeper who has not fetched any keys yet.
    pub fn new(expected: Expected, keys: Arc<dyn Keys>, clock: Arc<dyn Clock>) -> Self {
        Self { expected, keys, clock, known: Mutex::new(None) }
    }

    /// Checks the value of a request's `Authorization` header: signature, issuer, audience, account and times.
    ///
    /// # Errors
    /// The request is not let in.
    pub async fn check(&self, authorization: Option<&str>) -> Result<(), Denied> {
        let token = authorization.and_then(bearer).ok_or(Denied::Missing)?;
        let not_good = |reason: &str| Denied::NotGood(reason.to_owned());
        let header = decode_header(token).map_err(|_| not_good("it cannot be read"))?;
        // Whoever may choose the algorithm may choose one that a public key can sign with.
        if header.alg != Algorithm::RS256 {
            return Err(not_good("it is not signed with RS256"));
        }
        let name = header.kid.ok_or_else(|| not_good("it does not name its key"))?;
        let key = self.key(&name).await?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| not_good("its key is no RSA key"))?;
        let claims =
            decode::<Claims>(token, &key, &validation()).map_err(|error| Denied::NotGood(error.to_string()))?.claims;
        self.judge(&claims).map_err(not_good)
    }

    fn judge(&self, claims: &Claims) -> Result<(), &'static str> {
        let now = self.clock.now().as_second();
        if !ISSUERS.contains(&claims.iss.as_str()) {
            return Err("Google did not issue it");
        }
        if claims.aud != self.expected.audience {
            return Err("it is for another audience");
        }
        if !claims.email_verified || claims.email != self.expected.account {
            return Err("it is another account's");
        }
        if claims.exp.saturating_add(SKEW) < now {
            return Err("it has expired");
        }
        if claims.iat.saturating_sub(SKEW) > now {
            return Err("it is not valid yet");
        }
        Ok(())
    }

    /// The key of a name. One that is not known is looked for once more where keys are published.
    async fn key(&self, name: &str) -> Result<Jwk, Denied> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(Known { keys, at }) = known.as_ref() {
            let age = now.duration_since(*at);
            match keys.find(name) {
                Some(key) if age < FRESH => return Ok(key.clone()),
                None if age < AT_MOST_EVERY => return Err(unknown()),
                Some(_) | None => {}
            }
        }
        let keys = self.keys.fetch().await.map_err(Denied::NoKeys)?;
        let found = keys.find(name).cloned();
        *known = Some(Known { keys, at: now });
        found.ok_or_else(unknown)
    }
}

fn unknown() -> Denied {
    Denied::NotGood("its key is not known".to_owned())
}

/// The token of `Bearer <token>`, whatever the case of the scheme (RFC 9110, 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// The signature is the library's to check; what the token says is judged above, by our own clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

#[cfg(test)]
mod tests;
