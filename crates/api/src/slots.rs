//! How many slow commands may be under way: each holds a thread, and the surplus is refused in words.

use crate::commands::refused;
use crate::wire::ApiError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of places.
pub(crate) struct Slots {
    taken: AtomicUsize,
    max: usize,
}

/// A place, until it is dropped.
pub(crate) struct Slot<'a>(&'a AtomicUsize);

impl Slots {
    pub(crate) const fn new(max: usize) -> Slots {
        Slots { taken: AtomicUsize::new(0), max }
    }

    /// Takes a place; where there is none, the answer says so.
    pub(crate) fn take(&self) -> Result<Slot<'_>, ApiError> {
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        let slot = Slot(&self.taken);
        if before >= self.max {
            return Err(refused("Too much is being asked at once. Wait for an answer, then ask again."));
        }
        Ok(slot)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
