//! The writer's thread: waits, commits, checkpoints, and keeps trying after a failure.

use crate::RecordError;
use crate::error::words;
use crate::queue::{Commit, Ended, Ending, Inner, Item, Options, Shared, State};
use crate::seal::{self, Packer, Prepared};
use crate::store::{Store, Written};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No pause between attempts is longer than this many times the first.
const RETRY_GROWTH_MAX: u32 = 25;
/// At most so many inputs go into one transaction when a queue is worked off.
const COMMIT_INPUTS_MAX: usize = 100_000;
/// Pause between attempts to make the file one file while somebody reads it.
const CLOSE_RETRY: Duration = Duration::from_millis(20);
/// When so many bytes of rows were committed since, the log is worked into the file before its time.
const CHECKPOINT_BYTES: usize = 16 << 20;

/// Starts the thread.
pub(crate) fn spawn(store: Store, shared: Arc<Shared>, options: Options) -> Result<JoinHandle<()>, RecordError> {
    let seal_until = store.last_seq();
    let writer = Writer {
        store,
        shared,
        options,
        retry: None,
        checkpoint_due: None,
        bytes_since_checkpoint: 0,
        packer: None,
        seal_from: 0,
        seal_until,
    };
    std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run()).map_err(RecordError::Thread)
}

struct Writer {
    store: Store,
    shared: Arc<Shared>,
    options: Options,
    /// After a failure: when to try again, and the pause that led there.
    retry: Option<(Instant, Duration)>,
    /// Set while the log holds something that the file does not.
    checkpoint_due: Option<Instant>,
    bytes_since_checkpoint: usize,
    /// The thread that packs, while it does.
    packer: Option<Packer>,
    /// What is to be sealed: from the one sequence number to the other. Before the first it stays as it is.
    seal_from: u64,
    seal_until: u64,
}

enum Job {
    Commit(Vec<Item>),
    Seal(Option<Prepared>),
    Checkpoint,
    End(Ending),
}

/// Tells those who wait that the thread has ended, however it ended.
struct EndGuard(Arc<Shared>, Ended);

impl Drop for EndGuard {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.ended = Some(std::mem::replace(&mut self.1, Ended::Left));
        if inner.ending.is_none() {
            let reason = "the recorder's thread has ended unexpectedly; begin a new file and report this".into();
            let since = inner.queue.front().map(Item::at).unwrap_or_default();
            inner.state = State::Failed { reason, since, needs_new_file: true };
        }
        drop(inner);
        self.0.done.notify_all();
    }
}

impl Writer {
    fn run(mut self) {
        let mut ended = EndGuard(self.shared.clone(), Ended::Left);
        self.pack();
        loop {
            match self.wait() {
                Job::Commit(items) => self.commit(&items),
                Job::Seal(prepared) => self.seal(prepared),
                Job::Checkpoint => self.checkpoint(),
                Job::End(Ending::Leave) => {
                    self.end_packing();
                    return;
                }
                Job::End(Ending::Close { until }) => {
                    ended.1 = Ended::Closed(self.close(until));
                    return;
                }
            }
        }
    }

    /// Waits until there is something to do.
    fn wait(&self) -> Job {
        let mut inner = self.shared.lock();
        loop {
            let now = Instant::now();
            if let Some(job) = self.due(&mut inner, now) {
                return job;
            }
            inner = self.sleep(inner, now);
        }
    }

    fn due(&self, inner: &mut Inner, now: Instant) -> Option<Job> {
        if let Some(ending) = inner.ending
            && (inner.queue.is_empty() || self.retry.is_some())
        {
            return Some(Job::End(ending));
        }
        // Before commits: these may be due all the time, and the log must not grow without end.
        if self.checkpoint_due.is_some_and(|due| due <= now) {
            return Some(Job::Checkpoint);
        }
        if self.commit_due(inner).is_some_and(|due| due <= now) {
            return Some(Job::Commit(take(inner)));
        }
        let packed = if self.retry.is_none() { inner.packed.take() } else { None };
        packed.map(Job::Seal)
    }

    /// When the head of the queue is to be committed.
    fn commit_due(&self, inner: &Inner) -> Option<Instant> {
        let since = inner.waiting_since?;
        if inner.is_lost() {
            return None;
        }
        if inner.hurry || inner.ending.is_some() {
            return Some(since);
        }
        match self.retry {
            Some((again, _)) => Some(again),
            None if inner.queued_inputs >= self.options.commit_inputs => Some(since),
            None => Some(since + self.options.commit_every),
        }
    }

    fn sleep<'a>(&self, inner: MutexGuard<'a, Inner>, now: Instant) -> MutexGuard<'a, Inner> {
        let next = self.commit_due(&inner).into_iter().chain(self.checkpoint_due).min();
        match next {
            Some(next) => {
                let pause = next.saturating_duration_since(now);
                self.shared.work.wait_timeout(inner, pause).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.shared.work.wait(inner).unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn commit(&mut self, items: &[Item]) {
        match self.store.write(items) {
            Ok(written) => self.committed(items, &written),
            Err(error) => self.failed(items, &error),
        }
    }

    fn committed(&mut self, items: &[Item], written: &Written) {
        if self.retry.take().is_some() {
            tracing::info!(file = %self.store.path().display(), "the recorder writes again");
        }
        self.plan_checkpoint(written.bytes);
        if let Some(seq) = items.iter().rev().find_map(Item::keyframe_seq) {
            self.seal_until = seq;
            self.pack();
        }
        let inputs = items.iter().map(Item::inputs).sum();
        {
            let mut inner = self.shared.lock();
            inner.queue.drain(..items.len());
            inner.queued_inputs -= inputs;
            inner.hurry &= !inner.queue.is_empty();
            inner.waiting_since = if inner.queue.is_empty() { None } else { Some(Instant::now()) };
            inner.state = State::Ok;
            inner.committed_seq = written.last_seq;
            inner.commits += 1;
            inner.bytes += written.bytes as u64;
        }
        self.shared.done.notify_all();
        if let Some(tell) = &self.options.on_commit {
            tell(Commit { committed_seq: written.last_seq, inputs, bytes: written.bytes, took: written.took });
        }
    }

    /// Has the next stretch packed that lies between keyframes on disk.
    fn pack(&mut self) {
        if self.options.seal && self.packer.is_none() && self.seal_from <= self.seal_until {
            let path = self.store.path().to_owned();
            self.packer = Packer::start(path, self.seal_from, self.seal_until, self.shared.clone());
        }
    }

    /// Writes what was packed. Whatever fails here loses nothing: the rows stay in the journal, for the next time.
    fn seal(&mut self, prepared: Option<Prepared>) {
        let ended = self.packer.take().is_none_or(|packer| packer.end(false));
        let Some(Prepared { packed, next }) = prepared.filter(|_prepared| ended) else { return };
        self.seal_from = next;
        if let Some(packed) = packed {
            match self.store.seal(&packed) {
                Ok(true) => self.plan_checkpoint(packed.bytes()),
                Ok(false) => tracing::warn!(first = packed.seq0, "the journal holds other rows than were packed"),
                Err(error) => {
                    tracing::warn!(reason = words(&error), "a stretch of the recording is not sealed yet");
                    self.seal_from = packed.seq0;
                    return;
                }
            }
        }
        self.pack();
    }

    /// What is packed and not yet written is left: it will be packed again.
    fn end_packing(&mut self) {
        if let Some(packer) = self.packer.take()
            && !packer.end(true)
        {
            tracing::error!(file = %self.store.path().display(), "sealing has panicked; the rows stay in the journal");
            self.options.seal = false;
        }
    }

    fn failed(&mut self, items: &[Item], error: &RecordError) {
        let reason = words(error);
        let pause = self.retry.map_or(self.options.retry_after, |(_, pause)| pause * 2);
        let pause = pause.min(self.options.retry_after * RETRY_GROWTH_MAX);
        self.retry = Some((Instant::now() + pause, pause));
        let mut inner = self.shared.lock();
        if inner.state == State::Ok {
            tracing::error!(reason, "the recorder cannot write");
        }
        let since = match &inner.state {
            State::Failed { since, .. } => *since,
            State::Ok => items.first().map(Item::at).unwrap_or_default(),
        };
        inner.state = State::Failed { reason: reason.into(), since, needs_new_file: error.is_final() };
        inner.failures += 1;
        inner.hurry = false;
        drop(inner);
        self.shared.done.notify_all();
    }

    fn plan_checkpoint(&mut self, bytes: usize) {
        self.bytes_since_checkpoint += bytes;
        if self.bytes_since_checkpoint > CHECKPOINT_BYTES {
            self.checkpoint_due = Some(Instant::now());
        }
        self.checkpoint_due.get_or_insert_with(|| Instant::now() + self.options.checkpoint_every);
    }

    /// A failure here loses nothing: the log stays as it is, and the next commit meets the same disk.
    fn checkpoint(&mut self) {
        self.checkpoint_due = None;
        self.bytes_since_checkpoint = 0;
        if let Err(error) = self.store.checkpoint() {
            tracing::warn!(reason = words(&error), "the recording's log could not be worked into the file");
            self.checkpoint_due = Some(Instant::now() + self.options.checkpoint_every);
        }
    }

    fn close(&mut self, until: Instant) -> Result<(), RecordError> {
        self.end_packing();
        if self.options.seal {
            // A part of the time is for making one file.
            let begun = Instant::now();
            let enough = begun + until.saturating_duration_since(begun) * 3 / 4;
            let sealed = seal::seal_rest(&mut self.store, &|| Instant::now() >= enough);
            if let Err(error) = sealed.and_then(|_sealed| self.store.shrink()) {
                tracing::warn!(reason = words(&error), "the recording is not sealed to its end");
            }
        }
        loop {
            match self.store.close() {
                Err(RecordError::Locked(_)) if Instant::now() < until => std::thread::sleep(CLOSE_RETRY),
                Err(RecordError::Locked(path)) => return Err(RecordError::StillRead(path)),
                done => return done,
            }
        }
    }
}

/// Copies the head of the queue; it leaves the queue only when it is on disk.
fn take(inner: &Inner) -> Vec<Item> {
    let mut inputs = 0;
    let fits = |item: &&Item| {
        inputs += item.inputs();
        inputs <= COMMIT_INPUTS_MAX
    };
    let count = inner.queue.iter().take_while(fits).count().max(1);
    inner.queue.iter().take(count).cloned().collect()
}
