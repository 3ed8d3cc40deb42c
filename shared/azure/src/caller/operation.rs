//! Operations that go on after their first answer, followed to their end.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>: `Azure-AsyncOperation` names where the
//! state is told; without it `Location` answers 202 until the end; without both the resource itself tells its
//! `provisioningState`.

use std::time::Duration;

use onus_core::{CallError, CallErrorKind};
use reqwest::Url;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::errors;
use super::send::{Answer, Request, Sender};
use super::timer::Deadline;
use crate::operations::Method;

/// The first wait between looks, and the longest, where the service names none.
const WAIT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));

/// Where the state of an operation is told.
enum Told {
    /// A status document: `{"status": "InProgress"}`.
    Status(Url),
    /// 202 until the end.
    Location(Url),
    /// The resource itself.
    Resource(Url),
}

/// Waits for the end of what a request began. Gives the last answer's body.
pub(super) async fn finish(
    sender: &Sender,
    endpoint: &Endpoint,
    request: &Request,
    first: Answer,
    deadline: &Deadline<'_>,
) -> Result<Value, CallError> {
    let Some(mut told) = told(endpoint, request, &first)? else { return Ok(first.body) };
    let mut wait = first.retry_after();
    let mut looks = 0;
    loop {
        let pause = wait.unwrap_or_else(|| deadline.backoff(WAIT.0, WAIT.1, looks));
        looks += 1;
        if !deadline.wait(pause).await {
            let message = "the operation was accepted and had not ended when time ran out".to_owned();
            return Err(failed(request, CallErrorKind::Unavailable, "StillRunning", message));
        }
        let (Told::Status(url) | Told::Location(url) | Told::Resource(url)) = &told;
        let look =
            Request { call: request.call.clone(), method: Method::Get, url: url.clone(), if_match: None, body: None };
        let answer = sender.send(&look, deadline).await?;
        wait = answer.retry_after();
        let ended = match &told {
            Told::Status(_) => is_over(request, &answer, answer.body.get("status"))?,
            Told::Location(_) => {
                if let Some(next) = answer.header("location").filter(|_| answer.status == 202) {
                    told = Told::Location(follow(endpoint, request, next)?);
                }
                answer.status != 202
            }
            Told::Resource(_) => is_over(request, &answer, answer.body.pointer("/properties/provisioningState"))?,
        };
        if ended {
            return Ok(if matches!(told, Told::Status(_)) { first.body } else { answer.body });
        }
    }
}

fn told(endpoint: &Endpoint, request: &Request, first: &Answer) -> Result<Option<Told>, CallError> {
    if let Some(link) = first.header("azure-asyncoperation") {
        return Ok(Some(Told::Status(follow(endpoint, request, link)?)));
    }
    if let (202, Some(link)) = (first.status, first.header("location")) {
        return Ok(Some(Told::Location(follow(endpoint, request, link)?)));
    }
    let state = first.body.pointer("/properties/provisioningState");
    let goes_on = request.method.has_body() && !is_over(request, first, state)?;
    Ok(goes_on.then(|| Told::Resource(request.url.clone())))
}

/// Whether a state is an end. No state is one: the operation was done at once.
fn is_over(request: &Request, answer: &Answer, state: Option<&Value>) -> Result<bool, CallError> {
    match state.and_then(Value::as_str).unwrap_or("Succeeded").to_ascii_lowercase().as_str() {
        "succeeded" => Ok(true),
        "failed" | "canceled" | "cancelled" => {
            let told = errors::of_body(request.call.clone(), 400, &answer.body).ok();
            let untold = || {
                let message = "the operation ended without success and without a reason".to_owned();
                failed(request, CallErrorKind::Invalid, "OperationFailed", message)
            };
            Err(told.unwrap_or_else(untold))
        }
        _ => Ok(false),
    }
}

fn follow(endpoint: &Endpoint, request: &Request, link: &str) -> Result<Url, CallError> {
    let foreign = || {
        let message = "the operation is to be followed at another host; the token stays here".to_owned();
        failed(request, CallErrorKind::Invalid, super::FOREIGN, message)
    };
    endpoint.follow(link).ok_or_else(foreign)
}

fn failed(request: &Request, kind: CallErrorKind, code: &str, message: String) -> CallError {
    CallError { call: request.call.clone(), kind, code: code.to_owned(), message }
}
