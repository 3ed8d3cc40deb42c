//! The functions of Azure and Google Cloud as their platforms call them: whole handlers in this process, with a ledger in memory.
#![cfg(all(feature = "azure", feature = "gcp"))]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test file is a test from top to bottom")]

mod azure;
mod google;
mod world;
