//! The append-only [`Ledger`](onus_core::Ledger) on an object store: a folder, memory, or a bucket.
//!
//! Every write is a create: `PutMode::Create`, which is a hard link from a staged file on a file system and
//! `If-None-Match: *` on S3. There is no code here that overwrites or deletes.

mod entry;
#[cfg(feature = "s3")]
mod objects;
mod open;
#[cfg(feature = "s3")]
pub mod transport;

pub use entry::{BadKey, ObjectLedger};
/// Where requests to S3 get their credentials, when not from [`Options::variables`].
#[cfg(feature = "s3")]
pub use object_store::aws::AwsCredentialProvider;
#[cfg(feature = "s3")]
pub use objects::Objects;
pub use open::{BUCKETS, OpenError, Options, open};
