//! The caller's end of the recorder: takes what happens, never blocks, and never lets a hole go unmarked.

use crate::queue::{Appended, Ended, Ending, Inner, Item, Keyframe, Options, Shared, State, Status};
use crate::store::Store;
use crate::{Event, Header, KeyframeKind, Mark, RecordError, ShiftFile, marks, writer};
use lineside_model::state::PlantState;
use lineside_model::{Batch, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the thread may take beyond the time given for closing.
const END_PATIENCE: Duration = Duration::from_secs(1);
/// How long dropping waits for a commit that is under way.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

/// Writes one shift file on a thread of its own.
///
/// Sequence numbers must be without holes. The first thing that is refused opens a hole: from then on everything is
/// refused ([`Status::awaiting_resume`]) until a Resume keyframe is accepted, so that replay never crosses a hole
/// without being given the state behind it. The caller then says in a [`lineside_model::Gap`] input what is missing.
///
/// After a failed commit nothing is half-written: the items stay queued and are tried again (first after
/// [`Options::retry_after`], then at growing pauses up to 25 times that), until the queue is full.
///
/// Dropping it writes what waits if that works at once; [`Recorder::close`] also makes it one file.
pub struct Recorder {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    queue_inputs: usize,
    commit_inputs: usize,
    /// The sequence number that must come next.
    next_seq: u64,
    awaiting_resume: bool,
    /// Number of the next new mark.
    next_mark: u64,
}

impl Recorder {
    /// Begins a new file in `dir` (made if it is missing), from `state` on: the next batch has the sequence number
    /// `state.seq + 1`. When this returns, the file is there and complete.
    pub fn create(dir: &Path, header: Header, state: &PlantState) -> Result<Recorder, RecordError> {
        Recorder::create_with(dir, header, state, Options::default())
    }

    /// [`Recorder::create`] with a pace of one's own.
    pub fn create_with(
        dir: &Path,
        header: Header,
        state: &PlantState,
        options: Options,
    ) -> Result<Recorder, RecordError> {
        let store = Store::create(dir, &header, state, options.page_limit.clone())?;
        Recorder::start(store, options)
    }

    /// Continues a file, closed or left by a crash: the next batch follows the last one in it, as
    /// [`crate::ShiftFile::last`] says. No other program may be writing it. When its end is damaged, the state at that
    /// number is not known: give a Resume keyframe with `state.seq` set to it before anything else.
    pub fn resume(path: &Path) -> Result<Recorder, RecordError> {
        Recorder::resume_with(path, Options::default())
    }

    /// [`Recorder::resume`] with a pace of one's own.
    pub fn resume_with(path: &Path, options: Options) -> Result<Recorder, RecordError> {
        ShiftFile::open(path)?;
        let store = Store::open(path, options.page_limit.clone())?;
        Recorder::start(store, options)
    }

    fn start(store: Store, options: Options) -> Result<Recorder, RecordError> {
        let path = store.path().to_owned();
        let next_seq = store.last_seq() + 1;
        let next_mark = store.last_mark()? + 1;
        let shared = Shared::new(store.last_seq());
        let (queue_inputs, commit_inputs) = (options.queue_inputs, options.commit_inputs);
        let thread = Some(writer::spawn(store, shared.clone(), options)?);
        Ok(Recorder { path, shared, thread, queue_inputs, commit_inputs, next_seq, awaiting_resume: false, next_mark })
    }

    /// Records a batch. Never blocks. A batch without inputs leaves nothing to record and counts as queued; one whose
    /// sequence numbers do not follow is refused like one for which there is no room.
    pub fn append(&mut self, batch: Arc<Batch>) -> Appended {
        if batch.inputs.is_empty() {
            return Appended::Queued;
        }
        if batch.first_seq != self.next_seq {
            self.awaiting_resume = true;
        }
        let next_seq = batch.last_seq() + 1;
        let appended = self.push(Item::Batch(batch));
        if appended == Appended::Queued {
            self.next_seq = next_seq;
        }
        appended
    }

    /// Records a state. [`KeyframeKind::Resume`]: replay is to take it over, which closes a hole: the next batch has the
    /// sequence number `state.seq + 1`. Refused while the recorder cannot write, has no room, or `state` lies before
    /// what is recorded. [`KeyframeKind::Periodic`]: the state after the last batch; refused inside a hole, and no loss.
    /// The start state belongs to [`Recorder::create`].
    pub fn keyframe(&mut self, kind: KeyframeKind, state: &PlantState) -> Appended {
        let follows = match kind {
            KeyframeKind::Start => false,
            KeyframeKind::Resume => state.seq + 1 >= self.next_seq,
            KeyframeKind::Periodic => state.seq + 1 == self.next_seq && !self.awaiting_resume,
        };
        if !follows || self.shared.lock().state != State::Ok {
            return Appended::Refused;
        }
        let item = Item::Keyframe(Keyframe::new(kind, state, self.next_seq - 1));
        let was_awaiting = std::mem::take(&mut self.awaiting_resume);
        let appended = self.push(item);
        match appended {
            Appended::Queued => self.next_seq = state.seq + 1,
            Appended::Refused => self.awaiting_resume = was_awaiting,
        }
        appended
    }

    /// Records the fingerprint of the live state after the input `seq`, the last one appended. One that falls into a
    /// hole is not recorded: replay has no state to compare it with.
    pub fn digest(&mut self, seq: u64, at: Timestamp, digest: u64) {
        if !self.awaiting_resume && seq + 1 == self.next_seq {
            self.push(Item::Digest { seq, at, digest });
            self.awaiting_resume = false; // a missing digest is no hole
        }
    }

    /// Records what the inputs up to the last one appended made happen. Refused inside a hole, and no loss: what replay
    /// cannot reach has no place in an index of the file.
    pub fn events(&mut self, events: Vec<Event>) -> Appended {
        if events.is_empty() {
            return Appended::Queued;
        }
        let was_awaiting = self.awaiting_resume;
        let appended = self.push(Item::Events(events.into()));
        self.awaiting_resume = was_awaiting;
        appended
    }

    /// Puts a mark into the file and returns its number; one with an `id` replaces the mark of that number. Also inside a
    /// hole: a mark is no input. `None`: the file is lost to the recorder.
    pub fn mark(&mut self, mark: Mark) -> Option<u64> {
        let id = if mark.id == 0 { self.next_mark } else { mark.id };
        let put = marks::Change::Put(Mark { id, ..mark });
        if self.push_mark(put) == Appended::Refused {
            return None;
        }
        self.next_mark = self.next_mark.max(id + 1);
        Some(id)
    }

    /// Removes a mark from the file.
    pub fn unmark(&mut self, id: u64) -> Appended {
        self.push_mark(marks::Change::Remove(id))
    }

    fn push_mark(&mut self, change: marks::Change) -> Appended {
        let was_awaiting = std::mem::take(&mut self.awaiting_resume);
        let appended = self.push(Item::Mark(Arc::new(change)));
        self.awaiting_resume = was_awaiting;
        appended
    }

    fn push(&mut self, item: Item) -> Appended {
        if self.awaiting_resume {
            return Appended::Refused;
        }
        let mut inner = self.shared.lock();
        let inputs = item.inputs();
        let full = !inner.queue.is_empty() && inner.queued_inputs + inputs > self.queue_inputs;
        if full || inner.is_lost() {
            self.awaiting_resume = true;
            return Appended::Refused;
        }
        let first = inner.queue.is_empty();
        inner.queue.push_back(item);
        inner.queued_inputs += inputs;
        if first {
            inner.waiting_since = Some(Instant::now());
        }
        if first || inner.queued_inputs >= self.commit_inputs {
            self.shared.work.notify_one();
        }
        Appended::Queued
    }

    /// How it is doing. Cheap.
    pub fn status(&self) -> Status {
        let inner = self.shared.lock();
        Status {
            committed_seq: inner.committed_seq,
            queued_samples: inner.queued_inputs,
            oldest_queued: inner.queue.front().map(Item::at).filter(|at| *at != Timestamp::MAX),
            state: inner.state.clone(),
            awaiting_resume: self.awaiting_resume,
            commits: inner.commits,
            bytes: inner.bytes,
        }
    }

    /// Waits until everything queued is on disk. Fails as soon as an attempt to write fails, or after `timeout`; what
    /// waits goes on waiting.
    pub fn flush(&self, timeout: Duration) -> Result<(), RecordError> {
        let deadline = Instant::now() + timeout;
        let mut inner = self.shared.lock();
        let failures = inner.failures;
        inner.hurry = true;
        self.shared.work.notify_one();
        loop {
            if inner.queue.is_empty() {
                inner.hurry = false;
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if inner.failures > failures || inner.is_lost() || left.is_zero() {
                return Err(self.unwritten(&inner));
            }
            inner = self.shared.done.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes what waits, and makes it one file that opens on read-only media. The thread ends. With an error the file
    /// is as complete as [`Recorder::status`] said and can be resumed.
    pub fn close(mut self, timeout: Duration) -> Result<(), RecordError> {
        let until = Instant::now() + timeout;
        self.flush(timeout)?;
        self.end(Ending::Close { until });
        match self.join(until + END_PATIENCE) {
            Some(Ended::Closed(done)) => done,
            _ => Err(self.unwritten(&self.shared.lock())),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn end(&self, ending: Ending) {
        self.shared.lock().ending = Some(ending);
        self.shared.work.notify_one();
    }

    /// Waits for the thread, which has been asked to end; not for ever, because a disk may hang.
    fn join(&mut self, until: Instant) -> Option<Ended> {
        let thread = self.thread.take()?;
        let mut inner = self.shared.lock();
        while inner.ended.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::error!(file = %self.path.display(), "the disk hangs: the recorder's thread is left behind");
                return None;
            }
            inner = self.shared.done.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let ended = inner.ended.take();
        drop(inner);
        if thread.join().is_err() {
            tracing::error!(file = %self.path.display(), "the recorder's thread had panicked");
        }
        ended
    }

    fn unwritten(&self, inner: &Inner) -> RecordError {
        RecordError::Unwritten(match &inner.state {
            State::Failed { reason, .. } => reason.to_string(),
            State::Ok if inner.ended.is_some() => format!("{}: the recorder has ended", self.path.display()),
            State::Ok => format!("{}: the disk is too slow; what waits is still tried", self.path.display()),
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end(Ending::Leave);
        self.join(Instant::now() + DROP_PATIENCE);
    }
}
