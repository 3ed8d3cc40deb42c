//! The rim: the only place that reads the environment, knows the real time, opens clients, and turns errors into what a
//! platform understands.
//!
//! Without features it holds what the command line needs too: [`Rules`] over a catalogue, [`generate`], [`SystemClock`].
//! `aws` adds the clients, `lambda` the handlers of the three functions.

#[cfg(feature = "aws")]
pub mod aws;
mod clock;
pub mod clouds;
mod config;
mod environment;
pub mod generate;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "lambda")]
mod logging;
mod rules;

pub use clock::SystemClock;
pub use config::{Config, config_schema};
pub use environment::{Environment, StartError};
#[cfg(feature = "lambda")]
pub use logging::init_logging;
pub use rules::{Rules, RulesError};
