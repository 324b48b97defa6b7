//! Licences of everything that Lineside is built from, and `docs/THIRD_PARTY.md` that lists them.
//!
//! Promise: a package whose licence is not on the list fails, and so does a list that is stale.
//! What the tests alone use is listed too, since it is on the same lock files.

use crate::bindings::put;
use crate::shell::{Outcome, Problem, parse, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// SPDX identifiers that may be linked into or shipped with a program under MIT OR Apache-2.0.
/// MPL-2.0 asks for the source of changed files alone; we change none.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CC-BY-4.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "Python-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const LIST: &str = "docs/THIRD_PARTY.md";
const NPM: &[&str] = &["ui/package-lock.json", "tests/e2e/package-lock.json"];

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

/// Fails on a licence that is not accepted.
pub(crate) fn check(metadata: &Value) -> Outcome {
    let rust = crates(metadata);
    let npm = npm()?;
    let all = rust.iter().chain(&npm);
    let refused: Vec<String> = all
        .filter(|package| !accepted(&package.licence))
        .map(|package| format!("{} {}: licence `{}` is not accepted", package.name, package.version, package.licence))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let remedy = "Use another package, or add the licence to xtask/src/check/licences.rs after reading it.";
    Err(Problem::new(refused.join("\n       "), remedy))
}

/// Writes the list, or with `check` fails when it is stale.
pub(crate) fn list(metadata: &Value, check: bool) -> Outcome {
    put(LIST, &document(&crates(metadata), &npm()?), check)
}

fn crates(metadata: &Value) -> BTreeSet<Package> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages
        .iter()
        .filter(|package| !package["source"].is_null())
        .map(|package| found(&package["name"], package))
        .collect()
}

fn npm() -> Outcome<BTreeSet<Package>> {
    let mut all = BTreeSet::new();
    for lock in NPM {
        let path = root().join(lock);
        let text = fs::read_to_string(&path).map_err(Problem::file("reading", &path))?;
        let lock = parse(&text, lock)?;
        for (place, package) in lock["packages"].as_object().into_iter().flatten() {
            // The key is the path in node_modules; the empty one is our own package.
            if let Some((_, name)) = place.rsplit_once("node_modules/") {
                all.insert(found(&Value::from(name), package));
            }
        }
    }
    Ok(all)
}

fn found(name: &Value, package: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Package { name: text(name), version: text(&package["version"]), licence: text(&package["license"]) }
}

fn document(rust: &BTreeSet<Package>, npm: &BTreeSet<Package>) -> String {
    let mut text = String::from(
        "# Third-party software\n\nWritten by `cargo xtask bindings`; not edited by hand. Lineside itself is MIT OR Apache-2.0.\n\
         Tests start asyncua (LGPL-3.0-or-later) as a program of its own; it is not distributed.\n",
    );
    for (title, packages) in [("Rust crates", rust), ("npm packages (the UI, its build and its tests)", npm)] {
        let rows = packages
            .iter()
            .map(|package| format!("| {} | {} | {} |\n", package.name, package.version, package.licence));
        // Writing to a String cannot fail.
        let _infallible =
            write!(text, "\n## {title}\n\n| name | version | licence |\n|---|---|---|\n{}", rows.collect::<String>());
    }
    text
}

/// Whether an SPDX licence expression can be satisfied with accepted licences. `/` is the old
/// spelling of OR on crates.io.
fn accepted(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let satisfied = any(&mut words);
    satisfied && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words) -> bool {
    let mut satisfied = all(words);
    while words.next_if_eq(&"OR").is_some() {
        satisfied |= all(words);
    }
    satisfied
}

fn all(words: &mut Words) -> bool {
    let mut satisfied = one(words);
    while words.next_if_eq(&"AND").is_some() {
        satisfied &= one(words);
    }
    satisfied
}

fn one(words: &mut Words) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let satisfied = any(words);
        return words.next_if_eq(&")").is_some() && satisfied;
    }
    let Some(licence) = words.next() else {
        return false;
    };
    match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
        Some(exception) => ACCEPTED.contains(&format!("{licence} WITH {exception}").as_str()),
        None => ACCEPTED.contains(&licence),
    }
}

#[cfg(test)]
mod tests {
    use super::accepted;

    fn check(expression: &str, expected: bool) {
        assert_eq!(accepted(expression), expected, "{expression}");
    }

    #[test]
    fn expressions_are_judged_as_spdx_says() {
        check("MIT OR Apache-2.0", true);
        check("MIT/Apache-2.0", true);
        check("GPL-3.0-only OR MIT", true);
        check("GPL-3.0-only AND MIT", false);
        check("GPL-3.0-only", false);
        check("(MIT OR GPL-2.0-only) AND Unicode-3.0", true);
        check("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true);
        check("MIT WITH GCC-exception-3.1", false);
        check("MIT OR GPL-2.0-only AND GPL-2.0-only", true);
        check("", false);
        check("MIT MIT", false);
    }
}
