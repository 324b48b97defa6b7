//! `lineside-server`: Lineside without a window, for a browser on this computer.

use clap::Parser;
use lineside_host::{Args, Host, Task};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Serves Lineside to a browser on this computer.
#[derive(Parser)]
#[command(name = "lineside-server", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    args: Args,
    /// Port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Folder of the built UI.
    #[arg(long, value_name = "DIR", default_value = "ui/dist")]
    ui: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    lineside_host::start_log();
    let cli = Cli::parse();
    if let Some(task) = &cli.task {
        return task.run();
    }
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let listening = lineside_server::listen(cli.port).await?;
    let args = Args { downloads: true, ..cli.args };
    let host = Host::start(&args, &tokio::runtime::Handle::current());
    // Whoever started us reads the address from standard output.
    writeln!(std::io::stdout(), "UP {}", listening.url())?;
    let served = listening.serve(host.api(), cli.ui, asked_to_stop()).await;
    host.stop().await;
    Ok(served?)
}

/// Ctrl-C, or the polite signal of a supervisor.
async fn asked_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}
