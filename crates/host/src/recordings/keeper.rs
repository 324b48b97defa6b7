//! What nobody asks for, but has to happen: unused replays and imports end, and old recordings go.

use super::{HostRecordings, imports};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A replay that nobody asked anything for so long is closed.
const REPLAY_IDLE: Duration = Duration::from_secs(120);
/// So often it is looked after.
const EVERY: Duration = Duration::from_secs(10);

/// Looks after the recordings until it is aborted; the first time at once.
pub(super) fn spawn(recordings: Arc<HostRecordings>) -> JoinHandle<()> {
    let handle = recordings.station.handle().clone();
    handle.spawn(async move {
        let mut interval = tokio::time::interval(EVERY);
        loop {
            interval.tick().await;
            let recordings = Arc::clone(&recordings);
            if let Err(error) = tokio::task::spawn_blocking(move || recordings.keep_order()).await {
                tracing::error!(%error, "the recordings were not looked after this time");
            }
        }
    })
}

impl HostRecordings {
    fn keep_order(&self) {
        self.station.stage().close_unused(REPLAY_IDLE);
        self.imports.close_unused(imports::IDLE);
        self.retain_after_roll();
    }

    /// At the start, and whenever another file is being written.
    fn retain_after_roll(&self) {
        let running = self.station.recording();
        let mut seen = self.retained.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() || *seen == running {
            return;
        }
        seen.clone_from(&running);
        drop(seen);
        self.retain(running);
    }

    fn retain(&self, running: Option<PathBuf>) {
        let policy = self.station.retention();
        let stage = self.station.stage();
        self.removals.apply(policy, &self.library, stage, running.as_deref(), self.station.now());
    }
}
