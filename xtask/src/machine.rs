//! What must be on the machine: Debian packages, Node, a Python environment for the tests.
//!
//! Promise: what is missing is installed where that is allowed (root on a machine with apt-get);
//! elsewhere nothing is touched and the exact command to type is shown.

use crate::shell::{Outcome, Problem, answers, call, output, program, root};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// To build the desktop window: a C toolchain (SQLite is compiled in) and WebKitGTK, which brings GTK.
pub(crate) const BUILD: &[&str] = &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev"];
/// To run the tests: a browser, a screen without hardware, WebKit's driver, Python for the foreign server.
pub(crate) const TEST: &[&str] = &["chromium", "xvfb", "webkit2gtk-driver", "python3-venv"];

const OLDEST_NODE: u32 = 20;

/// Makes sure that `packages` are installed.
pub(crate) fn packages(packages: &[&str]) -> Outcome {
    if !answers("dpkg-query", &["--version"]) {
        println!("Not a Debian system: please see to the counterparts of {} yourself.", packages.join(" "));
        return Ok(());
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = [&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat();
    if !is_root() {
        return Err(Problem::new(
            format!("missing Debian packages: {}", missing.join(" ")),
            format!("Type:  sudo apt-get update && sudo apt-get {}", install.join(" ")),
        ));
    }
    apt(&["update"])?;
    apt(&install)
}

/// Makes sure of Node and npm in a version that the UI's tools accept.
pub(crate) fn node() -> Outcome {
    let remedy = format!("Install Node {OLDEST_NODE} or newer with npm: https://nodejs.org/en/download");
    let found = output(Command::new("node").arg("--version")).unwrap_or_default();
    let major = found.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        None => Err(Problem::new("node was not found", remedy)),
        Some(major) if major < OLDEST_NODE => Err(Problem::new(format!("node {} is too old", found.trim()), remedy)),
        Some(_) if !answers("npm", &["--version"]) => Err(Problem::new("npm was not found", remedy)),
        Some(_) => Ok(()),
    }
}

/// Installs the npm packages of `folder` as its lock file says, unless just that is there already.
pub(crate) fn npm_packages(folder: &str) -> Outcome {
    let folder_path = root().join(folder);
    let lock_path = folder_path.join("package-lock.json");
    let lock = fs::read(&lock_path).map_err(Problem::file("reading", &lock_path))?;
    let stamp = folder_path.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    call(&mut program("npm", folder, &["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, lock).map_err(Problem::file("writing", &stamp))
}

/// The Python environment `tests/.venv` with the pinned packages of the foreign servers.
pub(crate) fn python() -> Outcome {
    let wanted_path = root().join("tests/peers/asyncua/requirements.txt");
    let wanted = fs::read(&wanted_path).map_err(Problem::file("reading", &wanted_path))?;
    let stamp = root().join("tests/.venv/installed.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    // Debian's own interpreter: the one that `python3-venv` belongs to.
    let python = if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
    call(&mut program(python, "tests", &["-m", "venv", "--clear", ".venv"]))?;
    let pip = root().join("tests/.venv/bin/pip");
    let pip = pip.to_string_lossy();
    call(&mut program(&pip, "tests", &["install", "--quiet", "--requirement", "peers/asyncua/requirements.txt"]))?;
    fs::write(&stamp, wanted).map_err(Problem::file("writing", &stamp))
}

fn installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat", "${db:Status-Status}", package])
        .output()
        .is_ok_and(|found| found.stdout == b"installed")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn apt(arguments: &[&str]) -> Outcome {
    call(program("apt-get", "", arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}
