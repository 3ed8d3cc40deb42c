//! Reading the table.

use std::fmt;

/// Where in the course of things something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Audit,
    Before,
    After,
}

/// What the table says about one failure at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) row: String,
    pub(crate) column: Column,
    pub(crate) says: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} | {:?} | {}]", self.row, self.column, self.says)
    }
}

/// The cells of the table that says what happens when something fails, but for its empty ones.
pub(crate) fn cells(readme: &str) -> Vec<Cell> {
    let rows = readme.lines().skip_while(|line| !line.starts_with("| what | audit |")).skip(2);
    let mut cells = Vec::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let texts: Vec<&str> = row.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [what, audit, before, after] = texts.as_slice() else { panic!("`{row}` has not four cells") };
        for (column, says) in [(Column::Audit, audit), (Column::Before, before), (Column::After, after)] {
            if !says.is_empty() {
                cells.push(Cell { row: (*what).to_owned(), column, says: (*says).to_owned() });
            }
        }
    }
    cells
}

#[test]
fn a_table_is_read_cell_by_cell() {
    let text = "| x |\n\n| what | audit | b | c |\n|---|---|---|---|\n| gone | alarm | | told |\n\nafter";
    let read: Vec<String> = cells(text).iter().map(ToString::to_string).collect();
    assert_eq!(read, ["[gone | Audit | alarm]", "[gone | After | told]"]);
}
