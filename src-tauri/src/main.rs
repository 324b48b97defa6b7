//! Start of the desktop program.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::process::ExitCode;

/// The dashboard beside the production line.
#[derive(Parser)]
#[command(name = "lineside", version)]
struct Cli {
    #[command(flatten)]
    args: lineside_host::Args,
}

fn main() -> ExitCode {
    lineside_host::start_log();
    match lineside_desktop::run(&Cli::parse().args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}
