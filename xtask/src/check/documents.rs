//! The code map in ARCHITECTURE names every crate, and no file grows without being seen.

use crate::shell::{Outcome, Problem, output, program, root};
use serde_json::Value;
use std::fs;
use std::path::Path;

const MAP: &str = "docs/ARCHITECTURE.md";
/// Lines from which a source file is named; the aim is about 300.
const LONG: usize = 400;
const SOURCES: &[&str] = &["*.rs", "*.ts", "*.svelte", "*.mjs"];

/// Fails with every member of the workspace that the code map leaves out, and every path in
/// backquotes under `crates/` that it names and that does not exist.
pub(crate) fn code_map(metadata: &Value) -> Outcome {
    let path = root().join(MAP);
    let map = fs::read_to_string(&path).map_err(Problem::file("reading", &path))?;
    let missing = members(metadata).into_iter().filter(|member| !map.contains(&format!("`{member}")));
    let missing = missing.map(|member| format!("{MAP} does not mention `{member}`"));
    let named = map.split('`').skip(1).step_by(2).filter(|code| code.starts_with("crates/"));
    let gone = named.filter(|code| !root().join(code.trim_end_matches('/')).exists());
    let gone = gone.map(|code| format!("{MAP} names `{code}`, which does not exist"));
    let faults: Vec<String> = missing.chain(gone).collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::new(faults.join("\n       "), "Correct the code map.")) }
}

/// Names the long source files. A report, not a rule: a long file is a question to its reader.
pub(crate) fn lengths() -> Outcome {
    let listed = output(program("git", "", &["ls-files", "--"]).args(SOURCES))?;
    let mut long: Vec<(usize, &str)> = listed
        .lines()
        .filter(|file| !file.contains("/generated/"))
        .filter_map(|file| Some((fs::read_to_string(root().join(file)).ok()?.lines().count(), file)))
        .filter(|(lines, _)| *lines > LONG)
        .collect();
    long.sort_unstable_by(|one, other| other.cmp(one));
    println!("{} source files, {} longer than {LONG} lines", listed.lines().count(), long.len());
    for (lines, file) in long {
        println!("  {lines:5} {file}");
    }
    Ok(())
}

/// Folders of the members, relative to the checkout. The desktop package has its sources in `src-tauri`.
fn members(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let own = packages.iter().filter(|package| package["source"].is_null());
    own.filter_map(|package| {
        Path::new(package["manifest_path"].as_str()?).parent()?.strip_prefix(root()).ok().map(folder)
    })
    .collect()
}

fn folder(path: &Path) -> String {
    if path.as_os_str().is_empty() { "src-tauri".into() } else { path.to_string_lossy().into_owned() }
}
