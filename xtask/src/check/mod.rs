//! `cargo xtask check`: what must hold of the source, apart from the tests.
//!
//! Promise: every part is run and named; one that fails makes the command fail; one that could
//! not be run says so and is never counted as passed.

mod documents;
mod edges;
pub(crate) mod licences;

use crate::bindings::bindings;
use crate::machine;
use crate::make;
use crate::shell::{Outcome, Problem, answers, call, cargo, json, program};
use clap::Args;
use clap::builder::PossibleValuesParser;

/// The one platform that the desktop package is built for today; dependencies are judged for it,
/// so that the lists are the same on every machine.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

type Part = (&'static str, fn() -> Outcome<State>);

/// How a part ended that did not fail.
enum State {
    Passed,
    NotRun(String),
}

const PARTS: &[Part] = &[
    ("format", || passed(call(&mut cargo(&["fmt", "--all", "--check"])))),
    ("edges", || passed(edges::check(&metadata()?))),
    ("map", || passed(documents::code_map(&metadata()?))),
    ("licences", || passed(licences::check(&metadata()?))),
    ("advisories", advisories),
    ("ui", || passed(user_interface())),
    ("clippy", || passed(clippy())),
    ("generated", || passed(bindings(true))),
    ("lengths", || passed(documents::lengths())),
];

#[derive(Args)]
pub(crate) struct Options {
    /// Run this part alone
    #[arg(long, value_parser = PossibleValuesParser::new(PARTS.iter().map(|(name, _)| *name)))]
    only: Option<String>,
}

/// Runs all parts and sums up.
pub(crate) fn check(options: &Options) -> Outcome {
    machine::packages(machine::BUILD)?;
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for (name, part) in PARTS.iter().filter(|(name, _)| options.only.as_ref().is_none_or(|only| only == name)) {
        println!("\n== {name} ==");
        match part() {
            Ok(State::Passed) => summary.push(format!("{name} passed")),
            Ok(State::NotRun(why)) => summary.push(format!("{name} NOT RUN: {why}")),
            Err(problem) => {
                eprintln!("{problem}");
                summary.push(format!("{name} FAILED"));
                failed.push(*name);
            }
        }
    }
    println!("\ncheck:\n  {}", summary.join("\n  "));
    if failed.is_empty() { Ok(()) } else { Err(Problem::new(format!("failed: {}", failed.join(", ")), "")) }
}

fn passed(outcome: Outcome) -> Outcome<State> {
    outcome.map(|()| State::Passed)
}

/// What cargo knows of the workspace and its dependencies on our platform.
pub(crate) fn metadata() -> Outcome<serde_json::Value> {
    json(&mut cargo(&["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM]))
}

fn clippy() -> Outcome {
    // The desktop package embeds ui/dist at compile time, so it has to be there.
    make::ui()?;
    call(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))
}

fn user_interface() -> Outcome {
    machine::node()?;
    machine::npm_packages("ui")?;
    call(&mut program("npm", "ui", &["run", "--silent", "check"]))
}

/// Known vulnerabilities. The database lives on the network: without tool or network it is not run.
fn advisories() -> Outcome<State> {
    if !answers("cargo", &["deny", "--version"]) {
        return Ok(State::NotRun("install cargo-deny (cargo install --locked cargo-deny)".into()));
    }
    if !answers("cargo", &["deny", "fetch", "db"]) {
        return Ok(State::NotRun("cargo-deny could not fetch the advisory database".into()));
    }
    passed(call(&mut cargo(&["deny", "--offline", "check", "advisories", "bans", "sources"])))
}
