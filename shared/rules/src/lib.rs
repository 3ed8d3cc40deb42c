//! The rule catalogue, the engine that evaluates it, and the responsibility matrix.
//!
//! A [`Rule`] is one YAML file of [`Catalog`]; its `when` is a CEL expression over the members of a change, which are
//! borrowed from the record and not copied. [`evaluate()`] gives a [`Verdict`](onus_core::Verdict) and [`finding()`]
//! builds the finding of a rule that fired. The file format and the expression language are described in this
//! crate's `README.md`.
//!
//! Everything here is a plain function: no clock, no environment, no network. [`Catalog::load_dir`] alone reads files.

pub mod cases;
mod catalog;
mod embedded;
mod evaluate;
mod expression;
mod load;
#[allow(dead_code, unreachable_pub, reason = "the build script uses the other half")]
mod model;
pub mod responsibility;
mod rule;

pub use catalog::{Catalog, Watched};
pub use evaluate::{EvaluateError, Settings, Subject, evaluate, finding};
pub use load::{LoadError, LoadErrors};
pub use model::{Expect, Status, WatchOutcome};
pub use rule::{Rule, Text, Texts, Watch};
