//! The append-only [`Ledger`](onus_core::Ledger) on an object store: a folder, memory, or a bucket.
//!
//! Every write is a create: `PutMode::Create`, which is a hard link from a staged file on a file system and
//! `If-None-Match: *` on S3 and Azure Blob, generation 0 on Google Cloud Storage. There is no code here that overwrites or deletes.

mod entry;
mod objects;
mod open;
mod stores;
#[cfg(feature = "buckets")]
pub mod transport;

pub use entry::{BadKey, ObjectLedger};
/// Where requests to S3 get their credentials, when not from [`Options::variables`].
#[cfg(feature = "s3")]
pub use object_store::aws::AwsCredentialProvider;
pub use objects::Objects;
pub use open::{BUCKETS, OpenError, Options, open};
