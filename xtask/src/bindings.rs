//! `cargo xtask bindings`: files that are generated and committed: the UI's types, the schema of
//! plant.toml, the list of third-party software.
//!
//! Promise: with `--check` nothing is written, and a stale file fails.

use crate::check::{licences, metadata};
use crate::make;
use crate::shell::{Outcome, Problem, output, root};
use std::fs;

struct Generated {
    example: &'static str,
    file: &'static str,
}

const GENERATED: &[Generated] = &[
    Generated { example: "typescript", file: "ui/src/generated/api.ts" },
    Generated { example: "schema", file: "docs/plant.schema.json" },
];

/// Writes the generated files, or checks that they are what would be written.
pub(crate) fn bindings(check: bool) -> Outcome {
    for generated in GENERATED {
        let text = output(&mut make::example(generated.example, &[])?)?;
        put(generated.file, &text, check)?;
    }
    licences::list(&metadata()?, check)
}

/// Writes `text` to `file`, or with `check` fails when the file holds anything else.
pub(crate) fn put(file: &str, text: &str, check: bool) -> Outcome {
    let path = root().join(file);
    if fs::read_to_string(&path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    if check {
        return Err(Problem::new(format!("{file} is stale"), "Type:  cargo xtask bindings   and commit the result."));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Problem::file("creating", folder))?;
    }
    fs::write(&path, text).map_err(Problem::file("writing", &path))?;
    println!("wrote {file}");
    Ok(())
}
