//! What a person at a terminal does with the clients of a cloud, and with credentials of their own.

use std::sync::Arc;

use async_trait::async_trait;
use onus_core::{CallError, Cloud};

use crate::environment::{Environment, StartError};
use crate::queue::Queue;
use crate::replay::LetterBox;
use crate::wiring::Wiring;

/// The region of a log that is of a whole subscription or project, and knows none.
pub(crate) const EVERYWHERE: &str = "global";

/// The clients of one cloud, as an operator needs them.
#[async_trait]
pub trait Operator: Send + Sync {
    /// What auditor and baseline are put together from.
    fn wiring(&self) -> &Wiring;

    /// The region that is meant where none is given; [`EVERYWHERE`] where the cloud's logs know none.
    fn region(&self) -> &str {
        EVERYWHERE
    }

    /// The account, subscription or project that the credentials act in, asked for in a region; that of `ONUS_ACCOUNT` where they do not tell.
    ///
    /// # Errors
    /// The cloud was asked, and did not answer.
    async fn account(&self, _region: &str) -> Result<Option<String>, CallError> {
        Ok(self.wiring().account.clone())
    }

    /// The dead letters of a name: an SQS queue's URL, a Storage queue's URL, a Pub/Sub subscription's full name.
    ///
    /// # Errors
    /// The name is none.
    fn letters(&self, name: &str) -> Result<Arc<dyn LetterBox>, StartError>;

    /// The queue in front of the respond function: an SQS queue's URL, a Storage queue's URL, a Pub/Sub topic's full name.
    ///
    /// # Errors
    /// The name is none.
    fn queue(&self, name: &str) -> Result<Arc<dyn Queue>, StartError>;
}

/// Opens the clients of a cloud with the operator's own credentials: AWS's profiles and variables, who is logged in to the Azure CLI, Google's
/// application default credentials. Sends nothing.
///
/// # Errors
/// This build has no clients of that cloud; a variable is missing; `onus.yaml`, the ledger's URL or a sink is wrong.
pub async fn open_operator(cloud: Cloud, environment: &Environment) -> Result<Box<dyn Operator>, StartError> {
    match cloud {
        #[cfg(feature = "aws")]
        Cloud::Aws => Ok(Box::new(crate::aws::Clients::open(environment).await?)),
        #[cfg(feature = "azure")]
        Cloud::Azure => Ok(Box::new(crate::azure::Clients::open_as_operator(environment)?)),
        #[cfg(feature = "gcp")]
        Cloud::Gcp => Ok(Box::new(crate::gcp::Clients::open(environment)?)),
        #[allow(unreachable_patterns, reason = "with every cloud's feature there is none left")]
        other => {
            let _ = environment;
            Err(StartError::NotBuilt { cloud: other })
        }
    }
}
