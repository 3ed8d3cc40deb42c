//! Compiles the rule catalogue and the responsibility matrix into static data, so that nothing is parsed at start.
//!
//! A bad rule stops the build with its file, line and column. Expressions are not compiled here: that would build the
//! CEL parser twice. The tests of this crate compile every one of them.

#[path = "build/generate.rs"]
mod generate;
#[path = "build/matrix_file.rs"]
mod matrix_file;
#[allow(dead_code, unreachable_pub, reason = "the library uses the other half")]
#[path = "src/model/mod.rs"]
mod model;

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=catalog");
    println!("cargo::rerun-if-changed=responsibility.yaml");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/model");
    // cargo stops the build at these lines, and shows only them as long as the script itself ends well.
    for problem in generate().err().unwrap_or_default() {
        println!("cargo::error={problem}");
    }
}

fn generate() -> Result<(), Vec<String>> {
    let matrix_text = fs::read_to_string("responsibility.yaml").map_err(|error| vec![error.to_string()])?;
    let matrix = matrix_file::parse(&matrix_text).map_err(|error| vec![format!("responsibility.yaml: {error}")])?;
    let mut paths = Vec::new();
    walk(Path::new("catalog"), &mut paths).map_err(|error| vec![format!("cannot read catalog: {error}")])?;
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.strip_prefix("catalog").unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                problems.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        match model::parse(&name, &text) {
            Ok(file) => {
                let id = model::check::id_of(&name).unwrap_or_default();
                let cloud = id.split('.').next().unwrap_or_default();
                if matrix.services.iter().any(|row| row.cloud == cloud && row.name == file.duty.service) {
                    rules.push((id, file));
                } else {
                    let span = model::locate::word(&text, "duty", &file.duty.service);
                    let message = format!("`{}` is no service of responsibility.yaml", file.duty.service);
                    problems.push(tell(&path, &text, &model::Problem { span, message, hint: None }));
                }
            }
            Err(found) => problems.extend(found.iter().map(|problem| tell(&path, &text, problem))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    rules.sort_by(|left, right| left.0.cmp(&right.0));
    let out = PathBuf::from(std::env::var("OUT_DIR").map_err(|error| vec![error.to_string()])?);
    let write = |name: &str, text: String| fs::write(out.join(name), text).map_err(|error| vec![error.to_string()]);
    write("catalog.rs", generate::catalog(&rules))?;
    write("matrix.rs", generate::matrix(&matrix))
}

fn tell(path: &Path, text: &str, problem: &model::Problem) -> String {
    let (line, column) = model::locate::line_column(text, problem.span.offset);
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("shared/rules/{}:{line}:{column}: {}{hint}", path.display(), problem.message)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            paths.push(path);
        }
    }
    Ok(())
}
