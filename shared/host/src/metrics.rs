//! Metrics as lines of standard output, which the platforms collect with the log.

#[cfg(any(feature = "azure", feature = "gcp"))]
mod otlp;

use std::io::Write as _;

use async_trait::async_trait;
use onus_pipeline::{Containment, Meter};
#[cfg(any(feature = "azure", feature = "gcp"))]
pub(crate) use otlp::otlp;

/// The form in which metrics leave a function, one line of standard output each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricLines {
    /// `CloudWatch`'s embedded metric format.
    Emf,
    /// OTLP's JSON encoding.
    Otlp,
}

#[async_trait]
impl Meter for MetricLines {
    async fn contained(&self, containment: &Containment) {
        let line = match self {
            Self::Emf => containment.emf(),
            Self::Otlp => containment.otlp(),
        };
        if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
            tracing::warn!(%error, "metrics not written");
        }
    }
}
