//! What a caller is made of.

use std::net::IpAddr;
use std::time::Duration;

use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::{Builder, Credentials};
use reqwest::Url;
use reqwest::redirect::Policy;

/// How long one attempt may take, connection included. Control planes answer in well under a second; most of those that do
/// not, in a few.
const ATTEMPT: Duration = Duration::from_secs(15);

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// What a token is asked for. What it may do is limited by the roles of the service account
/// (<https://cloud.google.com/compute/docs/access/service-accounts#scopes_best_practice>).
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Why no caller could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The override of the APIs' place is no URL, or one that would send tokens in the clear.
    #[error("`{0}` cannot stand for Google's APIs: expected https, or http on a loopback address")]
    Endpoint(String),
    /// There are no application default credentials, or they cannot be read.
    #[error("cannot load application default credentials")]
    Credentials(#[source] BuildError),
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client")]
    Http(#[source] reqwest::Error),
}

impl ConfigError {
    /// Whether trying again later may succeed: never, something has to be set right first.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Endpoint(_) | Self::Credentials(_) | Self::Http(_) => false,
        }
    }
}

/// Where the APIs are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoint(Option<String>);

impl Endpoint {
    /// Google's own hosts where nothing is given, else one base URL that stands for each of them.
    ///
    /// # Errors
    /// It is no URL, has credentials, a query or a fragment, or is plain http to another machine than this.
    pub fn new(base: Option<&str>) -> Result<Self, ConfigError> {
        let Some(base) = base.filter(|base| !base.is_empty()) else { return Ok(Self(None)) };
        let url = Url::parse(base).ok().filter(is_safe).ok_or_else(|| ConfigError::Endpoint(base.to_owned()))?;
        Ok(Self(Some(url.as_str().trim_end_matches('/').to_owned())))
    }

    /// What stands before a path, without a slash at its end.
    pub(super) fn of<'a>(&'a self, root: &'a str) -> &'a str {
        self.0.as_deref().unwrap_or_else(|| root.trim_end_matches('/'))
    }
}

fn is_safe(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}

/// Makes ring the TLS implementation of this process, unless one was chosen. Google's credentials and the HTTP client have none
/// of their own.
fn choose_tls() {
    // Err: another one was installed before, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// An HTTP client whose TLS is ring. It follows no redirect: an API has no reason to send a token elsewhere.
///
/// # Errors
/// The platform's certificates cannot be loaded.
pub fn http_client() -> Result<reqwest::Client, ConfigError> {
    choose_tls();
    reqwest::Client::builder()
        .user_agent(concat!("onus/", env!("CARGO_PKG_VERSION")))
        .timeout(ATTEMPT)
        .connect_timeout(CONNECT)
        .redirect(Policy::none())
        .build()
        .map_err(ConfigError::Http)
}

/// Application default credentials: `GOOGLE_APPLICATION_CREDENTIALS`, those of `gcloud`, else the metadata server's
/// (`GCE_METADATA_HOST` says where). Tokens are fetched by a task of their own, and kept until shortly before they expire.
///
/// Reads files and the environment; must be called within a Tokio runtime.
///
/// # Errors
/// A credentials file is there and cannot be read.
pub fn credentials() -> Result<Credentials, ConfigError> {
    choose_tls();
    Builder::default().with_scopes([SCOPE]).build().map_err(ConfigError::Credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_leave_the_machine_only_encrypted() {
        let cases = [
            ("", Some("https://compute.googleapis.com")),
            ("https://googleapis.example:8443/base/", Some("https://googleapis.example:8443/base")),
            ("http://127.0.0.1:4443", Some("http://127.0.0.1:4443")),
            ("http://localhost:4443/", Some("http://localhost:4443")),
            ("http://[::1]:4443", Some("http://[::1]:4443")),
            ("http://192.0.2.7:4443", None),
            ("http://localhost.example", None),
            ("http://127.0.0.1.example", None),
            ("ftp://localhost", None),
            ("https://user:pass@googleapis.example", None),
            ("https://googleapis.example/?x=1", None),
            ("localhost:4443", None),
        ];
        let mut wrong = Vec::new();
        for (base, expected) in cases {
            let found = Endpoint::new(Some(base)).ok();
            let found = found.as_ref().map(|endpoint| endpoint.of("https://compute.googleapis.com/"));
            if found != expected {
                wrong.push(format!("{base}: {found:?}, not {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
