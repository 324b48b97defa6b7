//! What waits to be written, and what the recorder says of itself: the one thing that the caller and the
//! writer's thread share, behind a lock that neither holds for longer than a few copies.

use crate::seal::Prepared;
use crate::{Event, KeyframeKind, RecordError, marks};
use lineside_model::archive;
use lineside_model::state::PlantState;
use lineside_model::{Batch, Timestamp};
use std::collections::VecDeque;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What became of something that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It waits for the next commit.
    Queued,
    /// It will not be in the file, and nothing after it until a Resume keyframe is accepted.
    Refused,
}

/// How the recorder is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Everything up to this sequence number is on disk.
    pub committed_seq: u64,
    /// Inputs that wait for a commit.
    pub queued_samples: usize,
    /// Stamp of the oldest batch that waits; the difference to now is how far the recorder is behind.
    pub oldest_queued: Option<Timestamp>,
    pub state: State,
    /// Something was refused: only a Resume keyframe is accepted next. It is worth offering when `state` is Ok.
    pub awaiting_resume: bool,
    /// Commits so far.
    pub commits: u64,
    /// Bytes of rows committed so far.
    pub bytes: u64,
}

/// Can it write?
#[derive(Clone, Debug, PartialEq, Default)]
pub enum State {
    #[default]
    Ok,
    /// The last attempt failed.
    Failed {
        /// Place, problem, remedy.
        reason: Arc<str>,
        /// Stamp of the oldest item that could not be written.
        since: Timestamp,
        /// This file is lost to the recorder, which does not try again: begin a new one with
        /// [`crate::Recorder::create`]. Otherwise it tries again by itself.
        needs_new_file: bool,
    },
}

/// One commit that has reached the disk.
#[derive(Clone, Copy, Debug)]
pub struct Commit {
    /// Everything up to here is on disk now.
    pub committed_seq: u64,
    pub inputs: usize,
    pub bytes: usize,
    /// Encoding included: from the start of the transaction until the disk confirmed.
    pub took: Duration,
}

/// Called on the writer's thread after each commit.
pub type OnCommit = Arc<dyn Fn(Commit) + Send + Sync>;

/// How the recorder paces itself. The defaults are right for a plant; tests and benches choose others.
#[derive(Clone)]
pub struct Options {
    /// A batch waits at most this long for its commit (while the disk keeps up).
    pub commit_every: Duration,
    /// So many waiting inputs are committed at once, whatever the time.
    pub commit_inputs: usize,
    /// With more inputs waiting than this, batches are refused.
    pub queue_inputs: usize,
    /// How often the write-ahead log is worked into the file.
    pub checkpoint_every: Duration,
    /// First pause after a failure; doubles up to 25 times its length.
    pub retry_after: Duration,
    /// Largest file in pages of 8 KiB; 0: no limit. May be changed while recording.
    pub page_limit: Arc<AtomicU32>,
    /// Pack what lies between keyframes into column blocks, a tenth of the room. Without it the file stays of format 1.
    pub seal: bool,
    /// Told of each commit, on the writer's thread: be quick.
    pub on_commit: Option<OnCommit>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            commit_every: Duration::from_millis(200),
            commit_inputs: 20_000,
            queue_inputs: 500_000,
            checkpoint_every: Duration::from_secs(5),
            retry_after: Duration::from_millis(200),
            page_limit: Arc::default(),
            seal: true,
            on_commit: None,
        }
    }
}

/// Something to be written. Cloning copies no data.
#[derive(Clone)]
pub(crate) enum Item {
    Batch(Arc<Batch>),
    Keyframe(Keyframe),
    Digest {
        seq: u64,
        at: Timestamp,
        digest: u64,
    },
    /// At least one.
    Events(Arc<[Event]>),
    Mark(Arc<marks::Change>),
}

/// A state to be written.
#[derive(Clone)]
pub(crate) struct Keyframe {
    pub(crate) kind: KeyframeKind,
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// The last sequence number recorded before it: what lies between was not recorded, and is not missing.
    pub(crate) after: u64,
    pub(crate) body: Arc<[u8]>,
}

impl Keyframe {
    pub(crate) fn new(kind: KeyframeKind, state: &PlantState, after: u64) -> Keyframe {
        Keyframe { kind, seq: state.seq, at: state.at, after, body: archive::encode(state).into() }
    }
}

impl Item {
    pub(crate) fn inputs(&self) -> usize {
        match self {
            Item::Batch(batch) => batch.inputs.len(),
            Item::Keyframe(_) | Item::Digest { .. } | Item::Events(_) | Item::Mark(_) => 0,
        }
    }

    /// The place of a keyframe.
    pub(crate) fn keyframe_seq(&self) -> Option<u64> {
        if let Item::Keyframe(keyframe) = self { Some(keyframe.seq) } else { None }
    }

    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Item::Batch(batch) => batch.at,
            Item::Keyframe(keyframe) => keyframe.at,
            Item::Digest { at, .. } => *at,
            // It may lie anywhere in time, and is never what is behind.
            Item::Mark(_) => Timestamp::MAX,
            Item::Events(events) => events.last().map_or(Timestamp::MIN, |event| event.at),
        }
    }
}

/// What the writer's thread is asked to end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Write what waits if that works at once, and leave the file as a crash would: complete, in WAL mode.
    Leave,
    /// Write what waits, and try until then to make it one file.
    Close { until: Instant },
}

/// How the writer's thread ended.
pub(crate) enum Ended {
    /// As asked, or by a panic: the file is as a crash would leave it.
    Left,
    /// It was to become one file: did it?
    Closed(Result<(), RecordError>),
}

#[derive(Default)]
pub(crate) struct Inner {
    /// Not committed yet; the head may be under way.
    pub(crate) queue: VecDeque<Item>,
    pub(crate) queued_inputs: usize,
    /// When the head was queued, on the monotonic clock: paces commits, is never recorded.
    pub(crate) waiting_since: Option<Instant>,
    /// Commit now.
    pub(crate) hurry: bool,
    pub(crate) ending: Option<Ending>,
    pub(crate) state: State,
    pub(crate) committed_seq: u64,
    pub(crate) commits: u64,
    pub(crate) bytes: u64,
    /// Attempts that failed so far.
    pub(crate) failures: u64,
    /// What the packing thread made, for the writer's thread; inside, `None`: there was nothing to pack.
    pub(crate) packed: Option<Option<Prepared>>,
    /// The thread has ended.
    pub(crate) ended: Option<Ended>,
}

impl Inner {
    /// Is there no hope for this file?
    pub(crate) fn is_lost(&self) -> bool {
        self.ended.is_some() || matches!(self.state, State::Failed { needs_new_file: true, .. })
    }
}

#[derive(Default)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    /// Something for the writer's thread to look at.
    pub(crate) work: Condvar,
    /// Something for those who wait in `flush` or `close`.
    pub(crate) done: Condvar,
}

impl Shared {
    pub(crate) fn new(committed_seq: u64) -> Arc<Shared> {
        let shared = Shared::default();
        shared.lock().committed_seq = committed_seq;
        Arc::new(shared)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked with the lock held left plain numbers; each of them is still true enough to show.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
