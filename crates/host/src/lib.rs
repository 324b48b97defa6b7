//! Puts Lineside together: configuration, the loop, the adapters that feed it, recordings, and Setup.
//!
//! Both hosts, the desktop window and the loopback server, start this and carry its [`Api`] to a screen.
//! It is the only crate that knows adapters and runtime at once. Starting never fails: what is wrong is
//! shown on the screen, and what can work, works.

mod additions;
mod args;
mod certificates;
mod cli;
mod errors;
mod explorations;
mod found;
mod nodes;
mod problems;
mod proposals;
mod recordings;
mod setup;
mod station;
mod times;

pub use args::{Args, Task, start_log};

use lineside_api::Api;
use recordings::HostRecordings;
use setup::HostSetup;
use station::Station;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A running Lineside. Dropping it without [`Host::stop`] leaves sessions to time out on the servers.
pub struct Host {
    api: Arc<Api>,
    station: Arc<Station>,
    setup: Arc<HostSetup>,
    recordings: Arc<HostRecordings>,
    keeper: JoinHandle<()>,
}

impl Host {
    /// Starts everything that can be started. `handle` is of a runtime with several threads.
    pub fn start(args: &Args, handle: &Handle) -> Host {
        let station = Arc::new(Station::new(args, handle));
        station.begin();
        let setup = Arc::new(HostSetup::new(Arc::clone(&station)));
        let recordings = Arc::new(HostRecordings::new(args, Arc::clone(&station)));
        args.open.iter().for_each(|file| recordings.ask_to_open(file));
        let api = Api::new(Arc::clone(station.stage()), Some(Arc::clone(&setup) as _));
        let api = Arc::new(api.with_recordings(Arc::clone(&recordings) as _));
        let keeper = recordings.keep();
        Host { api, station, setup, recordings, keeper }
    }

    /// What screens talk to.
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.api)
    }

    /// Closes sessions and recordings in order.
    pub async fn stop(self) {
        self.keeper.abort();
        let end = move || {
            self.recordings.end();
            self.setup.end();
            self.station.end();
        };
        if let Err(error) = tokio::task::spawn_blocking(end).await {
            tracing::error!(%error, "the end was not reached in order");
        }
    }
}
