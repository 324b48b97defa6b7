//! The project's own commands: `cargo xtask <verb>`.
//!
//! Promise: each verb works on a fresh Debian 12 machine that has Rust and Node, or says exactly
//! what to type. It calls programs and reads their output; it never links a crate of the
//! workspace, so that it compiles in seconds and cannot be broken by what it checks.
#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

mod bench;
mod bindings;
mod check;
mod machine;
mod make;
mod memory;
mod plant;
mod run;
mod screen;
mod shell;
mod shots;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Lineside: run, test and check it")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build everything and open the window on a simulated bottling line
    Run(run::Options),
    /// Everything a passing test needs, then all tests
    Test(test::Options),
    /// Format, lints, dependency edges, generated files, UI, licences and advisories
    Check(check::Options),
    /// Generate the UI's types and the schema of plant.toml
    Bindings {
        /// Change nothing; fail if a file is stale
        #[arg(long)]
        check: bool,
    },
    /// Live against replay on a seeded plant; reproduces a failure that names its seed
    Sim {
        #[arg(long)]
        seed: u64,
    },
    /// Measure the release build against its targets
    Bench(bench::Options),
    /// Pictures of the main views into docs/images/
    Shots,
}

fn main() -> ExitCode {
    let result = match Cli::parse().verb {
        Verb::Run(options) => run::run(&options),
        Verb::Test(options) => test::test(&options),
        Verb::Check(options) => check::check(&options),
        Verb::Bindings { check } => bindings::bindings(check),
        Verb::Sim { seed } => {
            make::example("equivalence", &["--seed", &seed.to_string()]).and_then(|mut run| shell::call(&mut run))
        }
        Verb::Bench(options) => bench::bench(&options),
        Verb::Shots => shots::shots(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\n{problem}");
            ExitCode::FAILURE
        }
    }
}
