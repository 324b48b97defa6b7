//! Which recordings may go when the folder is to stay within an age and a size.

use super::{Entry, FileState, LibraryError};
use crate::store::beside;
use lineside_model::{Span, Timestamp};
use std::path::Path;

/// How much is kept. `None`: without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Files whose newest instant is older than this go.
    pub max_age: Option<Span>,
    /// The oldest go until all files together take no more than this.
    pub max_bytes: Option<u64>,
}

/// Which of `entries` may go, oldest first, as positions in the list. Pinned files never go, nor the one being written,
/// nor those that cannot be read: whether they are pinned is not known, and they may be evidence.
pub fn expired(entries: &[Entry], policy: Policy, now: Timestamp) -> Vec<usize> {
    let may_go =
        |entry: &Entry| entry.state != FileState::Recording && entry.about.as_ref().is_some_and(|about| !about.pinned);
    let mut oldest_first: Vec<usize> = (0..entries.len()).filter(|index| may_go(&entries[*index])).collect();
    oldest_first.sort_by_key(|index| (entries[*index].end(), *index));
    let mut left: u64 = entries.iter().map(|entry| entry.bytes).fold(0, u64::saturating_add);
    oldest_first.retain(|index| {
        let entry = &entries[*index];
        let too_old = policy.max_age.is_some_and(|age| now - entry.end() > age);
        let too_large = policy.max_bytes.is_some_and(|bytes| left > bytes);
        if too_old || too_large {
            left = left.saturating_sub(entry.bytes);
        }
        too_old || too_large
    });
    oldest_first
}

/// Removes a recording with what stands beside it. A file that is not there counts as removed.
pub fn remove(path: &Path) -> Result<(), LibraryError> {
    // The log first: left behind, it could be taken for that of another file of the same name.
    for file in [beside(path, "-shm"), beside(path, "-wal"), path.to_owned()] {
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(LibraryError::Remove { path: file, source }),
        }
    }
    Ok(())
}
