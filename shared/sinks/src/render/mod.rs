//! Renderings of findings for people's tools: SARIF for code scanning, CSV for spreadsheets.

pub mod csv;
pub mod printable;
pub mod sarif;

use onus_core::Finding;

/// A finding in a file of records.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// `fires`, or `needs_state` where the record alone cannot decide.
    pub verdict: &'a str,
    /// The file or URL as given; `-` for standard input.
    pub file: &'a str,
    /// The record's ordinal in it, from 0.
    pub record: u64,
}
