//! `cargo xtask run`: from a clone to a running line.

use crate::machine;
use crate::make::{self, Programs};
use crate::plant::{Plant, announced, end};
use crate::shell::{Outcome, Problem, root, target};
use clap::Args;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

#[derive(Args)]
pub(crate) struct Options {
    /// Show the plant that this file describes; no simulator is started
    #[arg(long, value_name = "FILE")]
    plant: Option<PathBuf>,
    /// No window: serve the UI on loopback and print the address
    #[arg(long)]
    headless: bool,
    /// Port of the headless host; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Build optimised programs
    #[arg(long)]
    release: bool,
}

/// Builds, starts the simulated plant unless a file was given, and shows it until the window closes.
pub(crate) fn run(options: &Options) -> Outcome {
    if !options.headless && env::var_os("DISPLAY").is_none() && env::var_os("WAYLAND_DISPLAY").is_none() {
        return Err(Problem::new(
            "there is no screen to open a window on",
            "Type:  cargo xtask run --headless   and open the printed address in a browser.",
        ));
    }
    let file = options.plant.as_deref().map(existing).transpose()?;
    machine::packages(machine::BUILD)?;
    make::ui()?;
    let programs = make::programs(options.release)?;
    match file {
        Some(file) => show(&programs, options, &file, None),
        None => {
            let plant = Plant::start(&programs, &target()?.join("run"))?;
            show(&programs, options, &plant.configuration, Some(&plant.data))
        }
    }
}

/// A host's command line, up to what is its own. Without `data` it uses the user's data folder.
pub(crate) fn host(programs: &Programs, name: &str, plant: &Path, data: Option<&Path>) -> Command {
    let mut command = Command::new(programs.path(name));
    command.arg("--plant").arg(plant);
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    command
}

fn show(programs: &Programs, options: &Options, plant: &Path, data: Option<&Path>) -> Outcome {
    println!("showing {}", plant.display());
    let mut process =
        if options.headless { serve(programs, plant, data, options.port)? } else { open(programs, plant, data)? };
    let status = process.wait().map_err(|error| Problem::new(format!("waiting for the host: {error}"), ""))?;
    if status.success() {
        return Ok(());
    }
    Err(Problem::new(format!("the host ended with {status}"), "Its message stands above."))
}

fn open(programs: &Programs, plant: &Path, data: Option<&Path>) -> Outcome<Child> {
    let started = host(programs, "lineside", plant, data).spawn();
    started.map_err(Problem::file("starting", &programs.path("lineside")))
}

fn serve(programs: &Programs, plant: &Path, data: Option<&Path>, port: u16) -> Outcome<Child> {
    let mut host = host(programs, "lineside-server", plant, data)
        .arg("--ui")
        .arg(root().join("ui/dist"))
        .args(["--port", &port.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Problem::file("starting", &programs.path("lineside-server")))?;
    let address = announced(&mut host, "lineside-server").inspect_err(|_| end(&mut host))?;
    println!("\nOpen {address} in a browser. Ctrl-C ends it.");
    Ok(host)
}

fn existing(file: &Path) -> Outcome<PathBuf> {
    file.canonicalize().map_err(Problem::file("opening", file))
}
