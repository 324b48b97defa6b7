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
    if !options.headless
        && env::var_os("DISPLAY").is_none()
        && env::var_os("WAYLAND_DISPLAY").is_none()
    {
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
        Some(file) => show(&programs, options, &file, &user_data()),
        None => {
            let plant = Plant::start(&programs, &target()?.join("run"), &[])?;
            show(&programs, options, &plant.configuration, &plant.data)
        }
    }
}

/// Starts the headless host and returns it with its address.
pub(crate) fn serve(
    programs: &Programs,
    plant: &Path,
    data: &Path,
    port: u16,
) -> Outcome<(Child, String)> {
    let mut host = host(programs, "lineside-server", plant, data)
        .arg("--ui")
        .arg(root().join("ui/dist"))
        .args(["--port", &port.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Problem::file("starting", &programs.path("lineside-server")))?;
    let address = announced(&mut host, "lineside-server").inspect_err(|_| end(&mut host))?;
    Ok((host, address))
}

/// A host's command line, up to what is its own.
pub(crate) fn host(programs: &Programs, name: &str, plant: &Path, data: &Path) -> Command {
    let mut command = Command::new(programs.path(name));
    command.arg("--plant").arg(plant).arg("--data").arg(data);
    command
}

fn show(programs: &Programs, options: &Options, plant: &Path, data: &Path) -> Outcome {
    println!(
        "configuration {}\nrecording     {}",
        plant.display(),
        data.join("shifts").display()
    );
    let mut process = if options.headless {
        let (process, address) = serve(programs, plant, data, options.port)?;
        println!("\nOpen {address} in a browser. Ctrl-C ends it.");
        process
    } else {
        let started = host(programs, "lineside", plant, data).spawn();
        started.map_err(Problem::file("starting", &programs.path("lineside")))?
    };
    let status = process
        .wait()
        .map_err(|error| Problem::new(format!("waiting for the host: {error}"), ""))?;
    if status.success() {
        Ok(())
    } else {
        Err(Problem::new(
            format!("the host ended with {status}"),
            "Its message stands above.",
        ))
    }
}

fn existing(file: &Path) -> Outcome<PathBuf> {
    file.canonicalize().map_err(Problem::file("opening", file))
}

/// Where a user's programs keep their data (XDG Base Directory Specification).
fn user_data() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".local/share");
    env::var_os("XDG_DATA_HOME")
        .map_or_else(home, PathBuf::from)
        .join("lineside")
}
