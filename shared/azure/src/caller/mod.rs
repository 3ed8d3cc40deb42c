//! Sends any call of the operations table to Azure Resource Manager.
//!
//! A call is checked and written here, sent by [`send`], followed to its end by [`operation`], and its pages are joined. Nothing is
//! connected and no token is asked for before the first call.

mod endpoint;
mod errors;
mod operation;
mod send;
mod timer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use onus_core::{Call, CallError, CallErrorKind, Caller, Cloud};
use reqwest::{Client, redirect};
use serde_json::{Value, json};

use crate::operations::{self, Operation, ResourceId};
pub use endpoint::{BadEndpoint, Endpoint, PUBLIC};
use send::{Answer, Request, Sender};
pub use timer::Timer;
use timer::{Deadline, SystemTimer};

/// How long one call may take, waits and the operation's end included. A function's host gives five minutes, and a response holds
/// a lock meanwhile.
const BUDGET: Duration = Duration::from_mins(2);
/// How long one attempt may take, connection included.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Our code for an answer that points to another host.
const FOREIGN: &str = "ForeignAddress";
/// More pages than any read of ours has.
const MOST_PAGES: usize = 100;

/// Why there can be no caller. The deployment has to change; starting again does not help.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// The HTTP client cannot be made: the system has no certificates, for instance.
    #[error("cannot make an HTTP client")]
    Http(#[source] reqwest::Error),
    /// The platform offers no identity that we can use.
    #[error("cannot use the identity")]
    Identity(#[source] azure_core::Error),
}

/// An HTTP client whose TLS is ring (shared/README.md), which follows no redirect: what is sent holds a token.
///
/// # Errors
/// The system's certificates cannot be read.
pub fn http_client(endpoint: &Endpoint) -> Result<Client, CallerError> {
    // An error says that a provider was installed already, which is then the process's choice.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("onus/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ATTEMPT);
    if endpoint.is_local() {
        builder = builder.no_proxy();
    } else {
        builder = builder.https_only(true);
    }
    builder.build().map_err(CallerError::Http)
}

/// The identity that the platform gives the function: App Service's (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`), else a virtual
/// machine's. `client_id` names a user-assigned one; without it the system-assigned one is used. Tokens are kept until they
/// expire.
///
/// # Errors
/// The environment names a kind of identity that the library does not speak.
pub fn managed_identity(client_id: Option<&str>) -> Result<Arc<dyn TokenCredential>, CallerError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Identity endpoints are plain http on this machine or its host, never behind a proxy.
    let http =
        Client::builder().no_proxy().redirect(redirect::Policy::none()).connect_timeout(CONNECT).timeout(ATTEMPT);
    let http = http.build().map_err(CallerError::Http)?;
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client_id.map(|id| UserAssignedId::ClientId(id.to_owned())),
        client_options: ClientOptions { transport: Some(Transport::new(Arc::new(http))), ..ClientOptions::default() },
    };
    let identity = ManagedIdentityCredential::new(Some(options)).map_err(CallerError::Identity)?;
    Ok(identity)
}

/// The identity of a person at a terminal: who is logged in to the Azure CLI, else to the Azure Developer CLI.
///
/// # Errors
/// The library refuses its options, which are its defaults.
pub fn developer_identity() -> Result<Arc<dyn TokenCredential>, CallerError> {
    let identity = DeveloperToolsCredential::new(None).map_err(CallerError::Identity)?;
    Ok(identity)
}

/// Sends calls to Azure Resource Manager.
///
/// A call's parameters are `id`, the resource's ARM id; `body`, where the operation has one; `If-Match`, an entity tag, where the
/// write is to fail if somebody else wrote meanwhile; and `$filter` of a list. Anything else is refused, as is an id that is not of the
/// operation's type.
/// A list's pages are joined into one `value`; a long-running operation is followed to its end.
#[derive(Debug, Clone)]
pub struct ArmCaller {
    endpoint: Endpoint,
    sender: Sender,
    timer: Arc<dyn Timer>,
    budget: Duration,
}

impl ArmCaller {
    /// A caller of an endpoint with an identity. Does nothing yet.
    ///
    /// # Errors
    /// There can be no HTTP client.
    pub fn new(endpoint: Endpoint, credential: Arc<dyn TokenCredential>) -> Result<Self, CallerError> {
        let sender = Sender { http: http_client(&endpoint)?, credential, scope: endpoint.scope() };
        Ok(Self { endpoint, sender, timer: Arc::new(SystemTimer::new()), budget: BUDGET })
    }

    /// Passes time by another clock.
    #[must_use]
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Lets one call take this long instead of two minutes, waits and the operation's end included.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Writes a call: what is sent, and where to.
    fn write(&self, operation: &Operation, call: &Call) -> Result<Request, CallError> {
        let refused = |message: String| refusal(call, "InvalidParameters", message);
        let members = call.parameters.as_object().ok_or_else(|| refused("they are no object".to_owned()))?;
        if let Some(name) = members.keys().find(|name| !matches!(name.as_str(), "id" | "body" | "If-Match" | "$filter"))
        {
            return Err(refused(format!("`{}` is no parameter", name.escape_debug())));
        }
        let id = members.get("id").and_then(Value::as_str).ok_or_else(|| refused("`id` is missing".to_owned()))?;
        let id = ResourceId::parse(id).map_err(|error| refused(error.to_string()))?;
        if !operation.on.is_empty() && !id.is_of(operation.on) {
            return Err(refused(format!("`{id}` is no {}", operation.on)));
        }
        let body = members.get("body").cloned();
        if operation.method.has_body() != body.as_ref().is_some_and(Value::is_object) {
            return Err(refused(format!(
                "{} takes {} body",
                operation.method,
                if body.is_some() { "no" } else { "a" }
            )));
        }
        let if_match = match members.get("If-Match") {
            None => None,
            Some(Value::String(etag)) if !operation.method.is_read() => Some(etag.clone()),
            Some(_) => return Err(refused("`If-Match` is no entity tag, or on a read".to_owned())),
        };
        let mut url = self.endpoint.url(operation, &id);
        match members.get("$filter") {
            None => {}
            Some(Value::String(filter)) if operation.paged => {
                url.query_pairs_mut().append_pair("$filter", filter);
            }
            Some(_) => return Err(refused("`$filter` is no text, or on what is no list".to_owned())),
        }
        Ok(Request { call: call.name(), method: operation.method, url, if_match, body })
    }

    /// The pages that follow a list's first, joined with it.
    async fn pages(&self, request: Request, first: Answer, deadline: &Deadline<'_>) -> Result<Value, CallError> {
        let failed = |code: &str, message: &str| CallError {
            call: request.call.clone(),
            kind: if code == FOREIGN { CallErrorKind::Invalid } else { CallErrorKind::Unavailable },
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let (mut joined, mut page) = (Vec::new(), first.body);
        let mut seen = BTreeSet::from([request.url.to_string()]);
        loop {
            let Some(Value::Array(items)) = page.get_mut("value").map(Value::take) else {
                return Err(failed("AnswerUnreadable", "a page holds no list"));
            };
            joined.extend(items);
            let Some(link) = page.get("nextLink").and_then(Value::as_str).filter(|link| !link.is_empty()) else {
                return Ok(json!({ "value": joined }));
            };
            let foreign = || failed(FOREIGN, "the next page is at another host; the token stays here");
            let url = self.endpoint.follow(link).ok_or_else(foreign)?;
            if !seen.insert(url.to_string()) {
                return Err(failed("RepeatedPage", "the same page was announced twice"));
            }
            if seen.len() > MOST_PAGES {
                return Err(failed("TooManyPages", "half a list must not pass for the whole"));
            }
            page = self.sender.send(&Request { url, ..request.clone() }, deadline).await?.body;
        }
    }
}

#[async_trait]
impl Caller for ArmCaller {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        if call.cloud != Cloud::Azure {
            return Err(refusal(call, "WrongCloud", format!("`{}` calls are not for Azure", call.cloud)));
        }
        let Some(operation) = operations::operation(&call.service, &call.operation) else {
            return Err(refusal(call, "UnknownOperation", "the operations table does not hold it".to_owned()));
        };
        let request = self.write(operation, call)?;
        let deadline = Deadline::after(self.timer.as_ref(), self.budget);
        let answer = self.sender.send(&request, &deadline).await?;
        let body = match (operation.paged, operation.method.is_read()) {
            (true, _) => self.pages(request, answer, &deadline).await?,
            (false, true) => answer.body,
            (false, false) => operation::finish(&self.sender, &self.endpoint, &request, answer, &deadline).await?,
        };
        Ok(if body.is_null() { json!({}) } else { body })
    }
}

/// A refusal of our own: nothing was sent.
fn refusal(call: &Call, code: &str, message: String) -> CallError {
    CallError { call: call.name(), kind: CallErrorKind::Invalid, code: code.to_owned(), message }
}
