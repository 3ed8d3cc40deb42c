//! The table of failures in this crate's README, played: each of its cells has a case here, and each case repeats what its cell says.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test file is a test from top to bottom"
)]

mod audit;
#[path = "../fakes/mod.rs"]
mod fakes;
mod people;
mod respond;
mod stores;
mod table;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use table::{Cell, Column, cells};

/// One cell of the table, and what it takes to see whether it is true.
pub(crate) struct Case {
    cell: Cell,
    play: LocalBoxFuture<'static, Wrong>,
}

/// What is otherwise than the table says.
#[derive(Default)]
pub(crate) struct Wrong(Vec<String>);

impl Wrong {
    /// Notes what should hold and does not.
    pub(crate) fn unless(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.0.push(otherwise());
        }
    }
}

/// A case of a column: the row's first cell, what the table says, and the play.
pub(crate) fn case(
    column: Column,
    row: &'static str,
    says: &'static str,
    play: impl AsyncFnOnce(&mut Wrong) + 'static,
) -> Case {
    let play = async move {
        let mut wrong = Wrong::default();
        play(&mut wrong).await;
        wrong
    };
    Case { cell: Cell { row: row.to_owned(), column, says: says.to_owned() }, play: play.boxed_local() }
}

#[tokio::test]
async fn every_cell_of_the_readmes_table_is_true() {
    let mut cases = audit::cases();
    cases.extend(respond::cases());
    cases.extend(stores::cases());
    cases.extend(people::cases());
    let table = cells(include_str!("../../README.md"));
    let mut wrong = Vec::new();
    for cell in &table {
        if !cases.iter().any(|case| case.cell == *cell) {
            wrong.push(format!("no case plays {cell}"));
        }
    }
    for Case { cell, play } in cases {
        if !table.contains(&cell) {
            wrong.push(format!("the table does not have {cell}"));
        }
        // One case that panics hides no other.
        match std::panic::AssertUnwindSafe(play).catch_unwind().await {
            Ok(Wrong(otherwise)) => wrong.extend(otherwise.into_iter().map(|what| format!("{cell}: {what}"))),
            Err(_) => wrong.push(format!("{cell}: panicked")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(table.len() > 40, "only {} cells were read", table.len());
}
