//! Removes recordings that are older, or take more room, than `[recording]` in plant.toml allows.
//!
//! Promise: never the running file, never a pinned one, never one that cannot be read, that was imported, or that is open
//! on a screen; every removal is logged and listed.

use super::library::Library;
use lineside_api::Stage;
use lineside_api::wire::{RemovedView, RetentionView};
use lineside_model::config::Retention;
use lineside_model::{Span, Timestamp};
use lineside_recording::library::{Entry, Policy, expired, remove};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Removals told to screens.
const REMOVED_MAX: usize = 50;
/// Nanoseconds of a day.
const DAY: f64 = 86_400e9;

/// What was removed since the program was started.
#[derive(Default)]
pub(crate) struct Removals(Mutex<VecDeque<RemovedView>>);

impl Removals {
    /// Applies the policy to Lineside's own recordings.
    pub(crate) fn apply(
        &self,
        policy: Retention,
        library: &Library,
        stage: &Stage,
        running: Option<&Path>,
        now: Timestamp,
    ) {
        if policy == Retention::default() {
            return; // everything is kept
        }
        let entries = match library.own(running) {
            Ok(entries) => entries,
            Err(error) => return tracing::error!(%error, "the recordings cannot be looked through"),
        };
        for index in expired(&entries, policy_of(policy), now) {
            if !stage.is_open(&library.id(&entries[index].path)) {
                self.remove(&entries[index], now);
            }
        }
    }

    /// What is kept, and what went, newest first.
    pub(crate) fn view(&self, policy: Retention) -> RetentionView {
        let removed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        RetentionView {
            keep_days: policy.keep_days,
            keep_bytes: policy.keep_bytes.map(|bytes| bytes as f64),
            removed: removed.iter().cloned().collect(),
        }
    }

    fn remove(&self, entry: &Entry, now: Timestamp) {
        if let Err(error) = remove(&entry.path) {
            return tracing::error!(%error, "a recording that is to go cannot be removed");
        }
        let (file, bytes) = (entry.path.display().to_string(), entry.bytes);
        tracing::warn!(file, bytes, "removed: older or more than [recording] in plant.toml keeps");
        let mut removed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = entry.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        removed.push_front(RemovedView { file: name, at_ms: now.as_millis_f64(), bytes: bytes as f64 });
        removed.truncate(REMOVED_MAX);
    }
}

fn policy_of(retention: Retention) -> Policy {
    Policy { max_age: retention.keep_days.map(|days| Span((days * DAY) as i64)), max_bytes: retention.keep_bytes }
}
