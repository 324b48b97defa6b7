//! `lineside-plant`: starts the simulated plant, or prints the `plant.toml` that fits it.
//!
//! Promise: when clients can connect, exactly one line `UP <endpoint>` stands on standard output; lines on
//! standard input are live commands; logs go to standard error.

use clap::{Args, Parser, Subcommand};
use lineside_plant::{
    PlantServer, Scenario, ScenarioError, ServerOptions, SimulationOptions, UserPassword, plant_toml,
};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A simulated bottling line behind a real OPC UA server.
///
/// Lines on standard input are commands: `jam Capper 30 s`, `micro-stop Packer`, `fault Filler 5 min`,
/// `stop Filler`, `start Filler`, `wear Capper 10 min`, `changeover 12 min`, `speed 500`,
/// `freeze Filler.BowlTemperature for 10 min`, `quality Capper.Head04.* BadSensorFailure for 2 min`,
/// `restart server 5 s`.
#[derive(Parser)]
#[command(name = "lineside-plant", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the plant.toml for Lineside.
    Config {
        /// Endpoint of the plant, as its line `UP` shows it.
        #[arg(long)]
        endpoint: String,
        #[command(flatten)]
        size: Size,
        /// best, none, or Policy/Mode.
        #[arg(long, default_value = "best")]
        security: String,
    },
}

#[derive(Args)]
struct Size {
    /// Number of tags, up to 50000; the line itself has about 900.
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    tags: u32,
    /// Load mode: so many changes per second in total, of counters named Load.*.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    changes_per_second: Option<u32>,
}

#[derive(Args)]
struct Serve {
    /// TCP port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 4855)]
    port: u16,
    #[command(flatten)]
    size: Size,
    /// The same seed gives the same shift.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file, or one of demo, steady, calm-shift, bad-shift, sensor-freeze, server-restart, alarm-flood.
    #[arg(long, default_value = "demo")]
    scenario: String,
    /// Simulated seconds per second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Folder for certificates.
    #[arg(long, default_value = "plant-pki")]
    pki: PathBuf,
    /// Also offer an endpoint without security.
    #[arg(long)]
    allow_none: bool,
    /// Trust every client certificate.
    #[arg(long)]
    trust_clients: bool,
    /// Trust this client certificate (DER); may be given several times.
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// A user; the password is read from the environment variable. May be given several times.
    #[arg(long, value_name = "NAME:VARIABLE")]
    user: Vec<String>,
    /// End when standard input ends, so that the plant never outlives the program that started it.
    #[arg(long)]
    exit_with_stdin: bool,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(log_filter()).init();
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Config { endpoint, size, security }) => {
            print(&plant_toml(&endpoint, &size.simulation(), &security)).map_err(Into::into)
        }
        None => serve(&cli.serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", with_sources(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

impl Size {
    fn simulation(&self) -> SimulationOptions {
        SimulationOptions {
            tags: self.tags as usize,
            changes_per_second: self.changes_per_second,
            ..SimulationOptions::default()
        }
    }
}

fn log_filter() -> tracing_subscriber::EnvFilter {
    // The library logs every session in detail; a plant that works is silent.
    tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,lineside_plant=info".into())
}

fn serve(serve: &Serve) -> Result<(), Box<dyn Error>> {
    let options = options(serve)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(run(options, serve.exit_with_stdin));
    // Reading standard input blocks a thread that cannot be called back.
    runtime.shutdown_background();
    done
}

fn options(serve: &Serve) -> Result<ServerOptions, Box<dyn Error>> {
    let users: Result<Vec<_>, _> = serve.user.iter().map(|text| user(text)).collect();
    Ok(ServerOptions {
        port: serve.port,
        tags: serve.size.tags as usize,
        seed: serve.seed,
        speed: serve.speed,
        allow_none: serve.allow_none,
        trust_clients: serve.trust_clients,
        trust: serve.trust.clone(),
        users: users?,
        changes_per_second: serve.size.changes_per_second,
        ..ServerOptions::new(scenario(&serve.scenario)?, serve.pki.clone())
    })
}

fn scenario(name: &str) -> Result<Scenario, Box<dyn Error>> {
    let path = Path::new(name);
    if !path.exists() {
        return Ok(Scenario::embedded(name)?);
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("Cannot read the scenario {name}: {e}"))?;
    Scenario::parse(name, &text).map_err(|error: ScenarioError| error.into())
}

fn user(text: &str) -> Result<UserPassword, String> {
    let (name, variable) = text.split_once(':').ok_or_else(|| format!("--user {text}: write it as NAME:VARIABLE"))?;
    let password = std::env::var(variable).map_err(|e| {
        format!("--user {name}: cannot read the password from the environment variable {variable} ({e}); set it")
    })?;
    Ok(UserPassword { name: name.into(), password })
}

async fn run(options: ServerOptions, exit_with_stdin: bool) -> Result<(), Box<dyn Error>> {
    let server = PlantServer::start(options).await?;
    print(&format!("UP {}\n", server.endpoint()))?;
    tokio::select! {
        () = commands(&server, exit_with_stdin) => {}
        ended = tokio::signal::ctrl_c() => ended?,
    }
    server.stop().await;
    Ok(())
}

/// Carries out the lines of standard input. At its end: returns if asked to, else waits for ever.
async fn commands(server: &PlantServer, exit_at_end: bool) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) if line.trim().is_empty() => {}
            Ok(Some(line)) => match server.command(&line).await {
                Ok(()) => tracing::info!("done: {line}"),
                Err(error) => tracing::warn!("{}", with_sources(&error)),
            },
            Ok(None) | Err(_) if exit_at_end => return,
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

/// Standard output is the interface to the program that started us: it waits for the line `UP`.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
