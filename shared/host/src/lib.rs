//! The rim: the only place that reads the environment, knows the real time, opens clients, and turns errors into what a
//! platform understands.
//!
//! Without features it holds what the command line needs too: [`Rules`] over a catalogue, [`generate`], [`SystemClock`].
//! `functions` adds what every function does with what it is handed ([`PayloadAuditor`], [`MessageResponder`], [`DeadLetters`]), whichever
//! platform runs it; `aws`, `azure` and `gcp` add the clients of one cloud, `lambda` the handlers for Lambda.

#[cfg(feature = "functions")]
pub mod approvals;
#[cfg(feature = "functions")]
mod audit;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "azure")]
pub mod azure;
mod clock;
pub mod clouds;
mod config;
#[cfg(feature = "functions")]
mod dead_letters;
mod environment;
#[cfg(feature = "functions")]
mod failure;
#[cfg(feature = "gcp")]
pub mod gcp;
pub mod generate;
#[cfg(feature = "server")]
mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "functions")]
mod logging;
#[cfg(feature = "functions")]
mod metrics;
#[cfg(feature = "functions")]
mod operator;
#[cfg(feature = "functions")]
mod queue;
#[cfg(feature = "functions")]
mod replay;
#[cfg(feature = "functions")]
mod respond;
mod rules;
#[cfg(feature = "functions")]
mod sweep;
#[cfg(feature = "functions")]
mod wiring;

#[cfg(feature = "functions")]
pub use audit::{Audited, PayloadAuditor};
pub use clock::SystemClock;
pub use config::{Config, config_schema};
#[cfg(feature = "functions")]
pub use dead_letters::DeadLetters;
pub use environment::{Environment, StartError};
#[cfg(feature = "functions")]
pub use failure::Failure;
#[cfg(feature = "functions")]
pub use logging::init_logging;
#[cfg(feature = "functions")]
pub use metrics::MetricLines;
#[cfg(feature = "functions")]
pub use operator::{Operator, open_operator};
#[cfg(feature = "functions")]
pub use queue::{JobQueue, Queue};
#[cfg(feature = "functions")]
pub use replay::{Letter, LetterBox, Replay, Replayed};
#[cfg(feature = "functions")]
pub use respond::{Asked, MessageResponder, Trouble};
pub use rules::{Rules, RulesError};
#[cfg(feature = "functions")]
pub use sweep::{Lookup, LookupError, LookupPage, Sweep, Swept};
#[cfg(feature = "functions")]
pub use wiring::Wiring;
