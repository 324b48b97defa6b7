//! Building the UI and the programs.
//!
//! Promise: `run`, `test` and `bench` build the same set with the same features, so that one
//! build serves them all.

use crate::machine;
use crate::shell::{Outcome, call, cargo, program, target};
use std::path::PathBuf;

/// The folder of built programs of one profile.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder
    }
}

/// Builds `ui/dist`.
pub(crate) fn ui() -> Outcome {
    machine::node()?;
    machine::npm_packages("ui")?;
    call(&mut program("npm", "ui", &["run", "build"]))
}

/// Builds every program of the workspace. The whole workspace, because cargo unites the features
/// of what is built together: a narrower build would compile the dependencies a second time.
pub(crate) fn programs(release: bool) -> Outcome<Programs> {
    let profile = if release { "release" } else { "dev" };
    call(&mut cargo(&["build", "--workspace", "--exclude", "xtask", "--bins", "--profile", profile]))?;
    Ok(Programs { folder: target()?.join(if release { "release" } else { "debug" }) })
}

/// Runs an example of a package with arguments; its output goes to the terminal.
pub(crate) fn example(package: &str, name: &str, arguments: &[&str]) -> Outcome {
    call(cargo(&["run", "--quiet", "--package", package, "--example", name, "--"]).args(arguments))
}
