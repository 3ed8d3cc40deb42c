//! The page that an approval link leads to, whatever platform serves it.
//!
//! Mail scanners and chats follow links, so following one changes nothing: the page shows the plan, and only its form answers.
//! What attackers may have named (resources, actors, calls) is escaped, and the page may run no script and load nothing.

#[cfg(feature = "server")]
mod server;

use std::sync::Arc;

use onus_core::{Clock, Finding, Plan, Step};
use onus_pipeline::approval::{Answer, ApprovalKey, Link, Unanswered, answer, shown};
use onus_pipeline::{RecordError, Records};
use onus_sinks::render::printable::printable;
#[cfg(feature = "server")]
pub use server::ApproveServer;

/// The longest name of a person that is kept, in characters; with what is added it stays below what a job may carry.
const LONGEST_NAME: usize = 40;

/// The longest form that is read, in bytes.
pub const LONGEST_FORM: usize = 4 * 1024;

/// Answers whoever follows a link.
pub struct ApprovalPage {
    key: ApprovalKey,
    records: Records,
    clock: Arc<dyn Clock>,
}

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The page.
    pub html: String,
}

/// Headers that every page is sent with, names in lower case.
pub const HEADERS: [(&str, &str); 6] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-robots-tag", "noindex"),
];

impl ApprovalPage {
    /// A page out of its parts.
    pub fn new(key: ApprovalKey, records: Records, clock: Arc<dyn Clock>) -> Self {
        Self { key, records, clock }
    }

    /// Answers one request: the method, the query without `?`, and for a `POST` the form. `from` is the address of whoever asks, as the
    /// platform tells it.
    ///
    /// # Errors
    /// The ledger failed. The same request may be made again.
    pub async fn respond(&self, method: &str, query: &str, form: &str, from: &str) -> Result<Answered, RecordError> {
        match method {
            "GET" | "HEAD" => self.show(&member(query, "t")).await,
            "POST" if form.len() <= LONGEST_FORM => self.take(&member(form, "t"), &member(form, "by"), from).await,
            "POST" => Ok(page(413, "Too much", "<p>The form is too long.</p>")),
            _ => Ok(page(405, "Not like this", "<p>A link is opened, or its form is sent.</p>")),
        }
    }

    async fn show(&self, token: &str) -> Result<Answered, RecordError> {
        let link = match self.key.check(token, self.clock.now()) {
            Ok(link) => link,
            Err(error) => return Ok(page(403, "Not valid", &paragraph(&error.to_string()))),
        };
        match shown(&self.records, &link).await {
            Ok(about) => Ok(confirm(token, &link, &about.finding, &about.plan.plan)),
            Err(Unanswered::Record(error)) => Err(error),
            Err(error) => Ok(page(409, "Nothing to answer", &paragraph(&error.to_string()))),
        }
    }

    async fn take(&self, token: &str, name: &str, from: &str) -> Result<Answered, RecordError> {
        let now = self.clock.now();
        let link = match self.key.check(token, now) {
            Ok(link) => link,
            Err(error) => return Ok(page(403, "Not valid", &paragraph(&error.to_string()))),
        };
        match answer(&self.records, &link, &person(name, from), now).await {
            Ok(job) => {
                tracing::info!(finding = %link.finding, verb = job.verb(), "answered by a link");
                let text = format!("Onus was asked to {} {}.", job.verb(), link.finding);
                Ok(page(200, "Done", &paragraph(&text)))
            }
            Err(Unanswered::Record(error)) => Err(error),
            Err(error) => Ok(page(409, "Nothing to answer", &paragraph(&error.to_string()))),
        }
    }
}

/// Who answered, as the ledger keeps it: what they call themselves, and where they asked from.
fn person(name: &str, from: &str) -> String {
    let plain = |text: &str, longest: usize| -> String {
        text.trim().chars().filter(|c| !c.is_control()).take(longest).collect::<String>()
    };
    let (name, from) = (plain(name, LONGEST_NAME), plain(from, 45));
    let name = if name.is_empty() { "somebody" } else { &name };
    let from = if from.is_empty() { "unknown" } else { &from };
    format!("{name} (approval link, from {from})")
}

fn confirm(token: &str, link: &Link, finding: &Finding, plan: &Plan) -> Answered {
    let (title, button) = match link.answer {
        Answer::Approve => ("Approve this response?", "Approve: carry it out"),
        Answer::Deny => ("Deny this response?", "Deny: never carry it out"),
    };
    let change = &finding.change;
    let rows = [
        ("Finding", format!("{} ({})", finding.id, finding.severity)),
        ("Rule", finding.rule.clone()),
        ("What", finding.title.clone()),
        ("Change", format!("{}:{} at {}", change.service, change.action, change.time)),
        ("By", change.actor.id.to_string()),
        ("Account", format!("{} {} {}", change.cloud, change.account, change.region)),
        ("Resource", plan.resource.id.to_string()),
        ("Good until", link.expires.to_string()),
    ];
    let row = |(name, value): &(&str, String)| format!("<tr><th>{name}</th><td>{}</td></tr>", escaped(value));
    let rows: String = rows.iter().map(row).collect();
    let steps: String = plan.steps.iter().map(step).collect();
    let html = format!(
        "<table>{rows}</table><h2>What would be sent</h2><ol>{steps}</ol>\
         <p>The resource is read again before anything is sent; if the plan is another one by then, nothing is.</p>\
         <form method=\"post\" action=\"?\"><input type=\"hidden\" name=\"t\" value=\"{}\">\
         <label>Your name <input name=\"by\" maxlength=\"{LONGEST_NAME}\" required></label> \
         <button>{button}</button></form>",
        escaped(token)
    );
    page(200, title, &html)
}

fn step(step: &Step) -> String {
    let parameters = serde_json::to_string_pretty(&step.call.parameters).unwrap_or_default();
    let (title, call) = (escaped(&step.title), escaped(&step.call.name()));
    format!("<li>{title}<pre>{call} {}</pre></li>", escaped(&parameters))
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escaped(text))
}

fn page(status: u16, title: &str, body: &str) -> Answered {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Onus: {title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font:1rem/1.5 sans-serif;max-width:50rem;\
         margin:2rem auto;padding:0 1rem}}th{{text-align:left;padding-right:1rem;vertical-align:top}}pre{{white-space:pre-wrap;\
         overflow-wrap:anywhere}}td{{overflow-wrap:anywhere}}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    );
    Answered { status, html }
}

/// Text that is text wherever it stands in a page, and shows what would otherwise be invisible or turn the line around.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable_lines(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// A member of a form or query, decoded; empty when it is not there. Of several, the first.
fn member(form: &str, name: &str) -> String {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.replace('+', " ")).next();
    let value = value.unwrap_or_default();
    percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests;
