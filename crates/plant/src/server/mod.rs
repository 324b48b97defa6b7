//! The plant behind a real OPC UA server, in real or accelerated time.
//!
//! Promise: source times lie on the even grid of the simulation; a restart drops all sessions, closes the
//! port, and comes back on the same port with a new start time while the line goes on. Listens on loopback.

mod run;
mod setup;
mod space;

use crate::scenario::{Problem, Scenario, ScenarioError};
use crate::simulation::{Simulation, SimulationOptions};
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Namespace of all tags.
pub const NAMESPACE: &str = "urn:lineside:plant";
/// `ServerStatus.BuildInfo.ProductUri`, by which Lineside knows that the source is simulated.
pub const PRODUCT_URI: &str = "urn:lineside:simulated-plant";

/// How a plant server is started.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// TCP port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Wanted number of tags; see [`crate::Catalogue::new`].
    pub tags: usize,
    pub seed: u64,
    pub scenario: Scenario,
    /// Simulated seconds per second.
    pub speed: f64,
    /// Folder for the own certificate and the trusted ones; made if it is not there.
    pub pki: PathBuf,
    /// Also offer an endpoint without security.
    pub allow_none: bool,
    /// Trust every client certificate.
    pub trust_clients: bool,
    /// Client certificates (DER) to trust.
    pub trust: Vec<PathBuf>,
    /// Users besides anonymous.
    pub users: Vec<UserPassword>,
    /// Load mode: this many changes of load counters per second in total.
    pub changes_per_second: Option<u32>,
}

/// A user who may log in.
#[derive(Clone)]
pub struct UserPassword {
    pub name: String,
    pub password: String,
}

impl std::fmt::Debug for UserPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserPassword({})", self.name)
    }
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("The scenario cannot run")]
    Scenario(#[source] ScenarioError),
    #[error("Cannot use {path} for certificates: {reason}. Choose a folder that can be written with --pki")]
    Pki { path: PathBuf, reason: String },
    #[error("Cannot trust the certificate {path}. Give a file in DER form that can be read")]
    Trust { path: PathBuf, source: std::io::Error },
    #[error("Cannot listen on {address}. Choose another port with --port, or 0 for any free one")]
    Listen { address: String, source: std::io::Error },
    #[error("The OPC UA server cannot be set up: {reason}")]
    Server { reason: String },
    #[error("Speed {speed} cannot be simulated. Choose more than 0 and at most 1000")]
    Speed { speed: f64 },
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("The command is wrong")]
    Wrong(#[source] Problem),
    #[error("The plant has stopped")]
    Stopped,
}

type Request = (String, oneshot::Sender<Result<(), Problem>>);

/// A plant server that runs.
#[derive(Debug)]
pub struct PlantServer {
    endpoint: String,
    tags: usize,
    requests: mpsc::Sender<Request>,
    task: JoinHandle<()>,
}

impl ServerOptions {
    /// The demo plant on a port that the system chooses; every client must be trusted first.
    pub fn new(scenario: Scenario, pki: PathBuf) -> ServerOptions {
        ServerOptions {
            port: 0,
            tags: 1200,
            seed: 1,
            scenario,
            speed: 1.0,
            pki,
            allow_none: false,
            trust_clients: false,
            trust: vec![],
            users: vec![],
            changes_per_second: None,
        }
    }

    /// The part of the options that makes the plant.
    pub fn simulation(&self) -> SimulationOptions {
        SimulationOptions { seed: self.seed, tags: self.tags, changes_per_second: self.changes_per_second }
    }
}

impl PlantServer {
    /// Starts the plant and its server. When this returns, clients can connect.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: ServerOptions) -> Result<PlantServer, StartError> {
        if !(options.speed > 0.0 && options.speed <= 1000.0) {
            return Err(StartError::Speed { speed: options.speed });
        }
        let simulation = Simulation::new(&options.simulation(), &options.scenario).map_err(StartError::Scenario)?;
        setup::prepare_pki(&options)?;
        let tags = simulation.catalogue().tags().len();
        let runner = run::Runner::start(simulation, options).await?;
        let endpoint = runner.endpoint();
        let (requests, incoming) = mpsc::channel(16);
        let task = tokio::spawn(runner.run(incoming));
        Ok(PlantServer { endpoint, tags, requests, task })
    }

    /// `opc.tcp://127.0.0.1:<port>/`
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Number of tags served.
    pub fn tags(&self) -> usize {
        self.tags
    }

    /// Carries out a live command, e.g. `jam Capper 30 s`.
    ///
    /// # Errors
    /// The command is not understood, or the plant has stopped.
    pub async fn command(&self, text: &str) -> Result<(), CommandError> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send((text.to_owned(), answer)).await;
        if sent.is_err() {
            return Err(CommandError::Stopped);
        }
        match answered.await {
            Ok(result) => result.map_err(CommandError::Wrong),
            Err(_) => Err(CommandError::Stopped),
        }
    }

    /// Stops the plant; sessions are closed with BadServerHalted.
    pub async fn stop(self) {
        drop(self.requests);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the plant ended with a fault");
        }
    }
}
