//! The loop that lets simulated time pass and hands changes to the OPC UA server.
//!
//! Promise: simulated time follows the clock of the machine without drift; what changes while the server
//! is away is shown when it is back. It ends when the last sender of requests is gone.

use super::setup::{builder, endpoint_url};
use super::{NAMESPACE, Request, ServerOptions, StartError, space};
use crate::simulation::{STEP_MS, Sample, Simulation};
use opcua::server::ServerHandle;
use opcua::server::node_manager::memory::SimpleNodeManager;
use opcua::types::{DateTime, NodeId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// OPC UA times count in 100 ns.
const TICKS_PER_SECOND: f64 = 1e7;
/// How long a client may take to hear that the server goes.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Runner {
    simulation: Simulation,
    options: ServerOptions,
    port: u16,
    started: Instant,
    /// Simulated time that was asked for so far.
    given: Duration,
    /// OPC UA time of simulated time zero.
    zero: i64,
    server: Option<Running>,
    back_at: Option<Instant>,
}

/// An OPC UA server between two restarts.
struct Running {
    handle: ServerHandle,
    nodes: Vec<NodeId>,
    manager: Arc<SimpleNodeManager>,
    task: JoinHandle<Result<(), String>>,
}

impl Runner {
    pub(super) async fn start(simulation: Simulation, options: ServerOptions) -> Result<Runner, StartError> {
        let listener = listen(options.port).await?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: endpoint_url(options.port), source })?;
        let mut runner = Runner {
            simulation,
            port: address.port(),
            options,
            started: Instant::now(),
            given: Duration::ZERO,
            zero: DateTime::now().ticks(),
            server: None,
            back_at: None,
        };
        runner.open(listener)?;
        Ok(runner)
    }

    pub(super) fn endpoint(&self) -> String {
        endpoint_url(self.port)
    }

    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut step = tokio::time::interval(Duration::from_millis(STEP_MS));
        step.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = step.tick() => {}
                request = requests.recv() => {
                    let Some((text, answer)) = request else { break };
                    if answer.send(self.simulation.command(&text)).is_err() {
                        tracing::debug!("nobody waits for the answer to `{text}`");
                    }
                }
            }
            self.pass_time();
            self.restart_if_due().await;
        }
        self.close().await;
    }

    fn pass_time(&mut self) {
        let target = self.started.elapsed().mul_f64(self.options.speed);
        self.simulation.advance(target.saturating_sub(self.given));
        self.given = target;
        self.keep_with_wall_clock();
        let changes = self.simulation.take_changes();
        self.publish(&changes);
    }

    /// After a sleep of the computer or a set clock, source times go on from the new time.
    fn keep_with_wall_clock(&mut self) {
        let now = DateTime::now().ticks();
        let off = now - self.time(self.simulation.now()).ticks();
        if off.abs() > TICKS_PER_SECOND as i64 {
            self.zero += off;
            tracing::info!(seconds = off as f64 / TICKS_PER_SECOND, "source times follow the changed clock");
        }
    }

    fn time(&self, simulated: Duration) -> DateTime {
        let since = simulated.as_secs_f64() / self.options.speed * TICKS_PER_SECOND;
        DateTime::from(self.zero + since as i64)
    }

    fn publish(&self, changes: &[(usize, Sample)]) {
        let Some(server) = &self.server else { return };
        let now = DateTime::now();
        let values = changes.iter().map(|(index, sample)| {
            let value = space::data_value(sample, self.time(sample.time), now);
            (&server.nodes[*index], None, value)
        });
        if let Err(error) = server.manager.set_values(server.handle.subscriptions(), values) {
            tracing::error!(%error, "the server refused new values");
        }
    }

    async fn restart_if_due(&mut self) {
        if let Some(away) = self.simulation.take_restart() {
            tracing::info!(seconds = away.as_secs_f64(), "the OPC UA server goes away");
            self.close().await;
            self.back_at = Some(Instant::now() + away);
        }
        if self.back_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        let opened = match listen(self.port).await {
            Ok(listener) => self.open(listener),
            Err(error) => Err(error),
        };
        match opened {
            Ok(()) => self.back_at = None,
            // Somebody else may hold the port for a moment; the next step tries again.
            Err(error) => tracing::warn!(%error, "the OPC UA server is not back yet"),
        }
    }

    fn open(&mut self, listener: TcpListener) -> Result<(), StartError> {
        let failed = |reason| StartError::Server { reason };
        let (server, handle) = builder(&self.options, self.port).build().map_err(failed)?;
        let manager = handle
            .node_managers()
            .get_of_type::<SimpleNodeManager>()
            .ok_or_else(|| failed("its node manager is missing".into()))?;
        let namespace =
            handle.get_namespace_index(NAMESPACE).ok_or_else(|| failed("its namespace is missing".into()))?;
        let nodes = space::insert(&mut manager.address_space().write(), namespace, self.simulation.catalogue().tags());
        let task = tokio::spawn(server.run_with(listener));
        self.server = Some(Running { handle, nodes, manager, task });
        let all: Vec<(usize, Sample)> = self.simulation.values().map(|(index, sample)| (index, *sample)).collect();
        self.publish(&all);
        Ok(())
    }

    async fn close(&mut self) {
        let Some(server) = self.server.take() else { return };
        server.handle.cancel();
        let mut task = server.task;
        match tokio::time::timeout(FAREWELL, &mut task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(reason))) => tracing::warn!(reason, "the OPC UA server ended with a fault"),
            Ok(Err(error)) => tracing::warn!(%error, "the OPC UA server ended with a fault"),
            Err(_) => task.abort(),
        }
    }
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    let address = format!("127.0.0.1:{port}");
    TcpListener::bind(&address).await.map_err(|source| StartError::Listen { address, source })
}
