//! The OPC UA adapter: one task per connection that keeps the subscribed values of a server flowing in.
//!
//! Promises: it connects securely unless told otherwise and trusts no certificate by itself; it never stops
//! trying; every value arrives as the server sent it, with full status and both timestamps; what was lost is
//! a gap with a time range. It does not scale, interpret or store values, and it reads no clock for data:
//! the times of gaps are the server's own. (Our wall clock is read to compare the server's with it, and only there.)
//!
//! Code map. A connection is one task, [`spawn`]ed here and run by `supervise`: its `ladder` (pure) names the next
//! step, and the step is taken with what the other modules know. `connect` makes the channel and the session
//! (`endpoint`: which of those offered; [`pki`] and [`identity`]: who is who; `wire`: the bytes), `limits` learns
//! what the server is and takes, `subscribe` keeps what stands at the server, `flow` lets values come through and
//! looks for what is missing, and its `feed` delivers them. `beside` runs next to the values and never in their way:
//! health, clocks, metadata, history of what was missed, the report of the connection. `members` holds the other
//! servers of a redundant set. Two doors lead to a server without a running connection, for a person who sets one up:
//! [`discovery`] finds servers and what they offer, [`browse`] looks into one, and [`semantics`] says what its nodes
//! mean for a plant.
//!
//! Used by all: `service` (calls split by what a server takes), `isolate` (the search for what cannot be decoded),
//! `value` (mapping), `node` (node ids), `data_access` (units, ranges, texts), `words` (what is wrong, for people).
//! A file beside a folder of its name is the folder's head and says what the parts are for.

mod beside;
pub mod browse;
mod connect;
mod data_access;
#[doc(hidden)]
pub mod decode;
pub mod discovery;
mod flow;
pub mod identity;
mod isolate;
mod limits;
mod members;
mod node;
pub mod pki;
pub mod semantics;
mod service;
mod subscribe;
mod supervise;
mod value;
mod words;

pub use beside::clock::wall_clock;
use lineside_model::inlet::Inlet;
use lineside_model::{ConnectionId, PlantConfig, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
pub use words::Trouble;

/// The product URI by which Lineside's own simulated plant says what it is.
pub const SIMULATED_PLANT: &str = "urn:lineside:simulated-plant";

/// Everything one adapter task needs for one connection, beside the plant's configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the certificates (layout: [`pki`]). Made where it is missing; passwords lie in `secrets` beside it.
    pub pki: PathBuf,
    /// The name shown in servers' lists of sessions.
    pub application_name: String,
    /// Our application URI when the certificate is made; `urn:<host>:lineside:client` where there is none.
    pub application_uri: Option<String>,
    /// Our wall clock, to compare the server's with; nothing is stamped with it. [`wall_clock`] but in tests.
    pub clock: fn() -> Timestamp,
}

impl Settings {
    /// Certificates in `pki`, and defaults for the rest.
    pub fn new(pki: impl Into<PathBuf>) -> Settings {
        Settings { pki: pki.into(), application_name: "Lineside".to_string(), application_uri: None, clock: wall_clock }
    }
}

/// A running adapter. Dropping it ends the connection cleanly in the background.
#[derive(Debug)]
pub struct Adapter {
    stop: watch::Sender<bool>,
    retry: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Adapter {
    /// Ends a wait between two attempts: what was in the way may be gone (a certificate is trusted now).
    pub fn retry_now(&self) {
        self.retry.notify_one();
    }

    /// Deletes the subscriptions, closes the session and waits until that is done (a few seconds at most).
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the OPC UA adapter task failed");
        }
    }
}

/// Starts the adapter of `connection` on `runtime`. It delivers to `inlet` until it is stopped or dropped,
/// or the receiver is gone.
pub fn spawn(
    runtime: &tokio::runtime::Handle,
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    settings: Settings,
    inlet: Inlet,
) -> Adapter {
    let (stop, stopped) = watch::channel(false);
    let retry = Arc::new(Notify::new());
    let task = runtime.spawn(supervise::run(config, connection, settings, inlet, (stopped, Arc::clone(&retry))));
    Adapter { stop, retry, task }
}
