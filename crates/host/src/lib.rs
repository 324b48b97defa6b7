//! Puts Lineside together: configuration, recordings, the loop, the adapters that feed it, and Setup.
//!
//! Both hosts, the desktop window and the loopback server, start this and carry its [`Api`] to a screen.
//! It is the only crate that knows adapters and runtime at once. Starting never fails: what is wrong is
//! shown on the screen, and what can work, works.

mod additions;
mod args;
mod certificates;
mod errors;
mod explorations;
mod found;
mod nodes;
mod problems;
mod proposals;
mod setup;
mod station;

pub use args::{Args, start_log};

use lineside_api::Api;
use setup::HostSetup;
use station::Station;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A running Lineside. Dropping it without [`Host::stop`] leaves sessions to time out on the servers.
pub struct Host {
    api: Arc<Api>,
    station: Arc<Station>,
    setup: Arc<HostSetup>,
}

impl Host {
    /// Starts everything that can be started. `handle` is of a runtime with several threads.
    pub fn start(args: &Args, handle: &Handle) -> Host {
        let station = Arc::new(Station::new(args, handle));
        station.begin();
        let setup = Arc::new(HostSetup::new(Arc::clone(&station)));
        let api = Arc::new(Api::new(Arc::clone(station.stage()), Some(Arc::clone(&setup) as _)));
        Host { api, station, setup }
    }

    /// What screens talk to.
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.api)
    }

    /// Closes sessions and recordings in order.
    pub async fn stop(self) {
        let end = move || {
            self.setup.end();
            self.station.end();
        };
        if let Err(error) = tokio::task::spawn_blocking(end).await {
            tracing::error!(%error, "the end was not reached in order");
        }
    }
}
