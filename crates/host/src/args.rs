//! What both programs are told on the command line.

use std::path::PathBuf;

/// What a program is run for, beside showing a plant.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Task {
    /// Looks into a recording, checks it, or writes a part of it as another file
    Shift(crate::cli::ShiftArgs),
}

impl Task {
    /// Does it, without a screen; the exit code of the program.
    pub fn run(&self) -> std::process::ExitCode {
        match self {
            Task::Shift(args) => crate::cli::run(args),
        }
    }
}

/// Options of the desktop program and of the loopback server.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// A recording to open at once: a `.shift` file, wherever it lies.
    #[arg(value_name = "FILE.shift")]
    pub open: Option<PathBuf>,
    /// The plant to show: a `plant.toml`. Default: `plant.toml` in the data folder.
    #[arg(long, value_name = "FILE")]
    pub plant: Option<PathBuf>,
    /// Folder of recordings and certificates. Default: the user's data folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The host serves exports under `/exports/`; screens are told so.
    #[arg(skip)]
    pub downloads: bool,
}

impl Args {
    /// The configuration to read, or the file that Setup makes where there is none.
    pub(crate) fn plant_path(&self) -> PathBuf {
        self.plant.clone().unwrap_or_else(|| self.data_dir().join("plant.toml"))
    }

    /// Where recordings and certificates are kept.
    pub fn data_dir(&self) -> PathBuf {
        let user = || directories::ProjectDirs::from("dev", "lineside", "Lineside").map(|dirs| dirs.data_dir().into());
        self.data.clone().or_else(user).unwrap_or_else(|| PathBuf::from("lineside-data"))
    }
}

/// Log lines go to standard error; `LINESIDE_LOG` chooses what (e.g. `debug`, `lineside_opcua=trace`).
pub fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LINESIDE_LOG")
        // The client library warns at every connection that it has no list of endpoints; ours come from the server.
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,opcua_client::config=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
