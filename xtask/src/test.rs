//! `cargo xtask test`: everything a passing test needs, then all tests.
//!
//! Promise: every suite runs even when one before it failed; the last line names each suite with
//! its result, and a suite that failed makes the command fail.

use crate::machine;
use crate::make::{self, Programs};
use crate::screen::Screen;
use crate::shell::{Outcome, Problem, answers, call, cargo, program};
use clap::{Args, ValueEnum};
use std::time::Instant;

#[derive(Args)]
pub(crate) struct Options {
    /// Run this suite alone
    #[arg(long)]
    only: Option<Suite>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Rust: units, interop with a foreign server, equivalence, crash
    Rust,
    /// The UI's own units
    Ui,
    /// The journeys in a browser on the loopback host
    Browser,
    /// The same journeys in the real window
    Window,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Ui => "ui",
            Self::Browser => "browser",
            Self::Window => "window",
        }
    }

    fn run(self, programs: &Programs) -> Outcome {
        match self {
            Self::Rust => rust(),
            Self::Ui => call(&mut program("npm", "ui", &["test"])),
            Self::Browser => journeys(programs, "browser", None),
            Self::Window => journeys(programs, "window", Some(&Screen::start()?)),
        }
    }
}

/// Prepares the machine, builds once, runs the suites.
pub(crate) fn test(options: &Options) -> Outcome {
    prepare()?;
    let programs = make::everything()?;
    let wanted = Suite::value_variants().iter().filter(|suite| options.only.is_none_or(|only| only == **suite));
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for suite in wanted {
        println!("\n== {} ==", suite.name());
        let start = Instant::now();
        let result = suite.run(&programs);
        let seconds = start.elapsed().as_secs();
        summary.push(format!("{} {} ({seconds} s)", suite.name(), if result.is_ok() { "passed" } else { "FAILED" }));
        if let Err(problem) = result {
            eprintln!("{problem}");
            failed.push(suite.name());
        }
    }
    println!("\ntest: {}", summary.join(" · "));
    if failed.is_empty() {
        return Ok(());
    }
    let again = format!("One suite alone:  cargo xtask test --only {}", failed[0]);
    Err(Problem::new(format!("failed: {}", failed.join(", ")), again))
}

/// Everything but the Rust build that the suites need.
pub(crate) fn prepare() -> Outcome {
    machine::packages(&[machine::BUILD, machine::TEST].concat())?;
    machine::python()?;
    make::ui()?;
    machine::npm_packages("tests/peers/node")?;
    machine::npm_packages("tests/e2e")
}

/// Runs the journeys of `tests/e2e` on one host.
fn journeys(programs: &Programs, host: &str, screen: Option<&Screen>) -> Outcome {
    let mut command = program("npm", "tests/e2e", &["run", "--silent", &format!("test:{host}")]);
    command.env("LINESIDE_PROGRAMS", programs.folder());
    if let Some(screen) = screen {
        command.env("DISPLAY", &screen.display).env_remove("WAYLAND_DISPLAY");
    }
    call(&mut command)
}

/// `cargo nextest` where it is installed, for its time limits and its summary; `cargo test` elsewhere.
fn rust() -> Outcome {
    if answers("cargo", &["nextest", "--version"]) {
        return call(&mut cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]));
    }
    println!("cargo-nextest is not installed (cargo install --locked cargo-nextest): using cargo test");
    call(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))
}
