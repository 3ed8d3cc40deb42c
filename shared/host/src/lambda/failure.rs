//! An error as the Lambda runtime reports it.

use lambda_runtime::Diagnostic;

use crate::failure::{Failure, chain};

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind().to_owned(), error_message: chain(&failure) }
    }
}
