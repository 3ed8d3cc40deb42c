//! Tells a notice to every sink that has not taken it yet.

use std::sync::Arc;

use futures::future::join_all;
use onus_core::{Notice, Sink};

use crate::error::HandleError;
use crate::records::{Head, Records};

/// Whether markers of earlier attempts may exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// This is the first attempt: no marker needs to be looked for.
    None,
    /// An earlier attempt may have told some sinks.
    Possible,
}

/// Tells all sinks at once. A sink that takes the notice gets a marker, which holds the end of the chain that the notice goes by; a crash
/// between the two tells twice, with the same id.
///
/// # Errors
/// The first failure, one that a retry may mend before one that it may not; the other sinks were told all the same.
pub(crate) async fn tell(
    records: &Records,
    sinks: &[Arc<dyn Sink>],
    notice: &Notice,
    earlier: Earlier,
    after: &Head,
) -> Result<(), HandleError> {
    let outcomes = join_all(sinks.iter().map(|sink| tell_one(records, sink.as_ref(), notice, earlier, after))).await;
    let mut failures: Vec<HandleError> = outcomes.into_iter().filter_map(Result::err).collect();
    for failure in &failures {
        tracing::error!(error = failure as &dyn std::error::Error, retryable = failure.is_retryable(), "sink not told");
    }
    failures.sort_by_key(|failure| !failure.is_retryable());
    failures.into_iter().next().map_or(Ok(()), Err)
}

async fn tell_one(
    records: &Records,
    sink: &dyn Sink,
    notice: &Notice,
    earlier: Earlier,
    after: &Head,
) -> Result<(), HandleError> {
    if earlier == Earlier::Possible && records.is_told(notice, sink.name()).await? {
        return Ok(());
    }
    let failed =
        |source| HandleError::Deliver { finding: notice.finding().id.clone(), sink: sink.name().to_owned(), source };
    sink.tell(notice).await.map_err(failed)?;
    Ok(records.mark_told(notice, sink.name(), after).await?)
}
