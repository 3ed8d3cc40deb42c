//! Metrics as lines of standard output, which the platforms collect with the log.

use std::io::Write as _;

use onus_pipeline::{Containment, Meter};

/// The form in which metrics leave a function, one line of standard output each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricLines {
    /// `CloudWatch`'s embedded metric format.
    Emf,
    /// OTLP's JSON encoding.
    Otlp,
}

impl Meter for MetricLines {
    fn contained(&self, containment: &Containment) {
        let line = match self {
            Self::Emf => containment.emf(),
            Self::Otlp => containment.otlp(),
        };
        if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
            tracing::warn!(%error, "metrics not written");
        }
    }
}
