//! Calling other programs, and the one error of this tool.
//!
//! Promise: a program that could not be started or that failed is named with its arguments.

use serde_json::Value;
use std::env;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What went wrong and what to do, for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Problem {
    what: String,
    remedy: String,
}

pub(crate) type Outcome<T = ()> = Result<T, Problem>;

impl Problem {
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    /// For `map_err` around file operations: names the file beside the reason.
    pub(crate) fn file<E: Display>(verb: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        let what = format!("{verb} {}", path.display());
        move |error| Self::new(format!("{what}: {error}"), "")
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\n  {}", self.remedy) }
    }
}

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&xtask).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A program that will run in `folder` (relative to the checkout).
pub(crate) fn program(name: &str, folder: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// The cargo that started this tool.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    program(&cargo, "", arguments)
}

/// Says what is called, calls it, and fails if it fails.
pub(crate) fn call(command: &mut Command) -> Outcome {
    println!("$ {}", spell(command));
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(Problem::new(format!("{} ended with {status}", spell(command)), "")) }
}

/// Standard output of a program that must succeed; its standard error goes to the terminal.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        return Err(Problem::new(format!("{} ended with {}", spell(command), output.status), ""));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be started and says it is well; its output is not shown.
pub(crate) fn answers(name: &str, arguments: &[&str]) -> bool {
    Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// JSON from a program's output.
pub(crate) fn json(command: &mut Command) -> Outcome<Value> {
    let text = output(command)?;
    parse(&text, &spell(command))
}

/// JSON from `text`; `place` names it in the error.
pub(crate) fn parse(text: &str, place: &str) -> Outcome<Value> {
    serde_json::from_str(text).map_err(|error| Problem::new(format!("{place}: not JSON: {error}"), ""))
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Outcome<PathBuf> {
    let metadata = json(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target")))
}

fn spell(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Problem {
    Problem::new(format!("{} did not start: {error}", spell(command)), "Is the program installed and on the PATH?")
}
