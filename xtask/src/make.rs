//! Building the UI and the programs.
//!
//! Promise: always the whole workspace, because cargo unites the features of what is built together: a
//! narrower build would compile the dependencies another time.

use crate::machine;
use crate::shell::{Outcome, call, cargo, program, root, target};
use std::path::PathBuf;
use std::process::Command;

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

/// Builds every program of the workspace, for `run` and `bench`.
pub(crate) fn programs(release: bool) -> Outcome<Programs> {
    let profile = if release { "release" } else { "dev" };
    call(&mut cargo(&["build", "--workspace", "--exclude", "xtask", "--bins", "--profile", profile]))?;
    Ok(Programs { folder: target()?.join(if release { "release" } else { "debug" }) })
}

/// Builds everything that is tested, with the features that the tests have: programs, examples and tests.
pub(crate) fn everything() -> Outcome<Programs> {
    if !root().join("ui/dist/index.html").exists() {
        ui()?; // the window's program carries the page
    }
    call(&mut cargo(&["build", "--workspace", "--all-targets"]))?;
    Ok(Programs { folder: target()?.join("debug") })
}

/// An example of the workspace, built, with arguments.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Outcome<Command> {
    let path = everything()?.path("examples").join(name);
    Ok(program(&path.to_string_lossy(), "", arguments))
}
