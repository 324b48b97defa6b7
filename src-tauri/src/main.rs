//! Start of the desktop program.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser;
use std::process::ExitCode;

/// The dashboard beside the production line.
#[derive(Parser)]
#[command(name = "lineside", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    task: Option<lineside_host::Task>,
    #[command(flatten)]
    args: lineside_host::Args,
}

fn main() -> ExitCode {
    lineside_host::start_log();
    let cli = Cli::parse();
    if let Some(task) = &cli.task {
        return task.run();
    }
    match lineside_desktop::run(&cli.args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}
