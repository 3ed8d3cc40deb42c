//! What the sinks of Azure share: how a request proves who sends it, and what its answer means to a retry.

use std::fmt;
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use reqwest::{RequestBuilder, StatusCode, Url};

/// How much of an answer's text an error quotes.
const QUOTED: usize = 300;

/// How a request proves who sends it.
#[derive(Clone)]
pub enum Access {
    /// The function's own identity.
    Identity(Arc<dyn TokenCredential>),
    /// An access key of a topic.
    Key(String),
    /// The URL holds a shared access signature, and needs nothing more.
    InUrl,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity(_) => "Identity",
            Self::Key(_) => "Key", // and not which
            Self::InUrl => "InUrl",
        })
    }
}

/// Why a text is no address to send to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is no address to send to: {problem}")]
pub struct BadAddress {
    /// The text, without its query: that may hold a signature.
    pub url: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Why Azure did not take a message.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no token for the identity.
    #[error("cannot get a token for `{scope}`")]
    Token {
        /// What it was asked for.
        scope: &'static str,
        /// The credential's own error.
        #[source]
        source: azure_core::Error,
    },
    /// There was no answer.
    #[error("cannot reach the service")]
    Unreachable(#[source] reqwest::Error),
    /// The service answered, and did not take it.
    #[error("the service answered {status}: {text}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The beginning of its answer, escaped.
        text: String,
    },
    /// The service answered something that it does not document.
    #[error("cannot read the service's answer: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The message is larger than the service takes.
    #[error("a message of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The service's limit.
        limit: usize,
    },
}

impl SendError {
    /// Whether sending again may succeed. A token that was not given now may be given later: the identity endpoint throttles, and a
    /// new role assignment takes minutes.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Token { .. } | Self::Unreachable(_) => true,
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
                    // Roles that were just assigned are not known everywhere yet.
                    || *status == StatusCode::FORBIDDEN
            }
            Self::Unreadable { .. } | Self::TooLarge { .. } => false,
        }
    }
}

/// Checks an address: `https`, or plain `http` to this machine; no credentials in it, no fragment.
///
/// # Errors
/// It is none of these.
pub(crate) fn address(text: &str) -> Result<Url, BadAddress> {
    let bad = |problem| BadAddress { url: text.split('?').next().unwrap_or_default().to_owned(), problem };
    let url = Url::parse(text).map_err(|_| bad("expected `https://…`"))?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => return Err(bad("plain http is for this machine only")),
        _ => return Err(bad("expected `https://…`")),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(bad("credentials and fragments have no place in it"));
    }
    Ok(url)
}

/// Sends a request with its proof. Returns the text of the answer.
///
/// # Errors
/// See [`SendError`].
pub(crate) async fn send(request: RequestBuilder, access: &Access, scope: &'static str) -> Result<String, SendError> {
    let request = match access {
        Access::InUrl => request,
        Access::Key(key) => request.header("aeg-sas-key", key),
        Access::Identity(credential) => {
            let token = credential.get_token(&[scope], None).await;
            request.bearer_auth(token.map_err(|source| SendError::Token { scope, source })?.token.secret())
        }
    };
    // The URL may hold a signature, which no log is to hold.
    let unreachable = |error: reqwest::Error| SendError::Unreachable(error.without_url());
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    let text = answer.text().await.map_err(unreachable)?;
    if status.is_success() {
        return Ok(text);
    }
    let text = text.get(..text.floor_char_boundary(QUOTED)).unwrap_or_default().escape_debug().to_string();
    Err(SendError::Refused { status, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_over_tls_or_stay_on_this_machine() {
        let good = [
            "https://onus.westeurope-1.eventgrid.azure.net/api/events",
            "https://example.queue.core.windows.net/findings?sv=2025-01-05&sig=x",
            "http://127.0.0.1:10001/devstoreaccount1/findings",
        ];
        let bad = [
            "",
            "example.com",
            "ftp://example.com/",
            "http://example.com/q?sig=secret",
            "http://127.0.0.1.example.com/",
            "https://user:secret@example.com/",
            "https://example.com/#x",
        ];
        for url in good {
            assert!(address(url).is_ok(), "{url}");
        }
        for url in bad {
            let error = address(url).expect_err(url).to_string();
            assert!(!error.contains("sig="), "{error}");
        }
    }
}
