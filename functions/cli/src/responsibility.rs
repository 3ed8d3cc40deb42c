//! `onus responsibility`: who has to do what, and what no rule watches over.

use std::io;

use onus_core::ServiceModel;
use onus_rules::Catalog;
use onus_rules::responsibility::{CustomerDuty, ServiceRow, duties_without_a_rule, matrix};
use serde_json::{Value, json};

use crate::Ended;
use crate::args::{ListArgs, ListFormat};
use crate::output::{json_document, say, table};

/// Prints the matrix, the services with their rules, and the duties that no rule covers.
///
/// # Errors
/// The output cannot be written.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<Ended> {
    let catalog = Catalog::embedded();
    let asked = |row: &ServiceRow| args.cloud.is_none_or(|cloud| cloud == row.cloud);
    let services: Vec<&ServiceRow> = matrix().services.iter().filter(|row| asked(row)).collect();
    let uncovered: Vec<_> = duties_without_a_rule(catalog).into_iter().filter(|(row, _)| asked(row)).collect();
    match args.format {
        ListFormat::Json => say!("{}", json_document(&facts(catalog, &services, &uncovered))?),
        ListFormat::Table => print(catalog, &services, &uncovered)?,
    }
    Ok(Ended::Clean)
}

fn print(catalog: &Catalog, services: &[&ServiceRow], uncovered: &[(&ServiceRow, &CustomerDuty)]) -> io::Result<()> {
    let mut header = vec!["area"];
    header.extend(ServiceModel::ALL.iter().map(|model| model.as_str()));
    let rows = matrix().areas.iter().map(|row| {
        let owner = |model: &ServiceModel| matrix().owner(row.area, *model).to_string();
        std::iter::once(row.area.to_string()).chain(ServiceModel::ALL.iter().map(owner)).collect()
    });
    say!(
        "Whose duty an area is, by service model (sources: --format json)\n{}\n",
        table::grid(&header, rows.collect())
    );

    let rows = services.iter().map(|row| {
        let areas: std::collections::BTreeSet<_> = row.customer.iter().map(|duty| duty.area).collect();
        let rules: usize = areas.iter().map(|area| row.rules(*area, catalog).count()).sum();
        let duties = row.customer.len().to_string();
        vec![row.cloud.to_string(), row.name.to_owned(), row.model.to_string(), duties, rules.to_string()]
    });
    let header = ["cloud", "service", "model", "customer's duties", "rules"];
    say!("What each service leaves to its customer\n{}\n", table::grid(&header, rows.collect()));

    let rows = uncovered.iter().map(|(row, duty)| {
        let why = duty.unseen.unwrap_or("no rule yet");
        [row.cloud.as_str(), row.name, duty.text, why].map(str::to_owned).to_vec()
    });
    say!("Duties that no rule covers\n{}", table::grid(&["cloud", "service", "duty", "why"], rows.collect()));
    say!("{} of {} duties have no rule", uncovered.len(), services.iter().map(|row| row.customer.len()).sum::<usize>());
    Ok(())
}

fn facts(catalog: &Catalog, services: &[&ServiceRow], uncovered: &[(&ServiceRow, &CustomerDuty)]) -> Value {
    let areas: Vec<Value> = matrix()
        .areas
        .iter()
        .map(|row| {
            let cell = |cell: &onus_rules::responsibility::Cell| {
                json!({ "model": cell.model, "owner": cell.owner, "source": cell.source })
            };
            json!({ "area": row.area, "about": row.about, "owners": row.cells.iter().map(cell).collect::<Vec<_>>() })
        })
        .collect();
    let service = |row: &&ServiceRow| {
        let duty = |duty: &CustomerDuty| {
            let rules: Vec<&str> = row.rules(duty.area, catalog).map(|rule| &*rule.id).collect();
            json!({ "area": duty.area, "duty": duty.text, "rules": rules, "unseen": duty.unseen })
        };
        json!({
            "cloud": row.cloud,
            "service": row.name,
            "model": row.model,
            "customer": row.customer.iter().map(duty).collect::<Vec<_>>(),
            "provider": row.provider,
            "source": row.source,
        })
    };
    let uncovered: Vec<Value> = uncovered
        .iter()
        .map(|(row, duty)| {
            json!({ "cloud": row.cloud, "service": row.name, "area": duty.area, "duty": duty.text, "unseen": duty.unseen })
        })
        .collect();
    json!({ "areas": areas, "services": services.iter().map(service).collect::<Vec<_>>(), "without_a_rule": uncovered })
}
