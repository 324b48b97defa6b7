//! What a screen may ask: the state, and since which revision each part of it has been as it is.
//!
//! Values coalesce (the state holds the last one); notices never do. A revision is a step of the loop:
//! it also moves when only a deadline fired, which no sequence number tells.

use crate::replay::PlaybackState;
use lineside_engine::{Change, Engine, Notice};
use lineside_model::{ConnectionId, TagId, Timestamp};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The engine and what screens need beside it, under one lock.
pub struct Core {
    pub engine: Engine,
    pub view: View,
    /// Name of the file being recorded, or replayed.
    pub file: String,
    /// Since when the recorder has been in its present state.
    pub recorder_since: Timestamp,
    /// Where playback is; `None` in a live session.
    pub playback: Option<PlaybackState>,
}

impl Core {
    /// Notes what a step changed, and empties `changes`.
    pub(crate) fn fold(&mut self, changes: &mut Vec<Change>) {
        let before = self.view.recorder;
        self.view.fold(changes);
        if self.view.recorder != before {
            self.recorder_since = self.engine.state().at;
        }
    }
}

/// The core, shared by the loop that changes it and the screens that read it.
pub struct SharedCore {
    core: Mutex<Core>,
    news: Condvar,
}

impl SharedCore {
    pub(crate) fn new(core: Core) -> SharedCore {
        SharedCore { core: Mutex::new(core), news: Condvar::new() }
    }

    /// Holds the loop up: keep it for no longer than reading takes.
    pub fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere while holding the lock left a state that is still the best there is.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`SharedCore::lock`], but waits up to `patience` for a revision after `cursor`.
    pub fn lock_news(&self, cursor: u64, patience: Duration) -> MutexGuard<'_, Core> {
        let waited = self.news.wait_timeout_while(self.lock(), patience, |core| core.view.revision <= cursor);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// There may be a new revision.
    pub(crate) fn announce(&self) {
        self.news.notify_all();
    }
}

/// When each part last changed, as a revision.
#[derive(Default)]
pub struct View {
    pub revision: u64,
    pub units: u64,
    pub strips: u64,
    pub output: u64,
    pub links: u64,
    /// Facts of connections, gaps and fills.
    pub reports: u64,
    /// What servers say of nodes.
    pub meta: u64,
    pub recorder: u64,
    pub shift: u64,
    /// Where playback is; moves with every step of it.
    pub playback: u64,
    tags: Vec<u64>,
    link_tags: Vec<u64>,
    notices: VecDeque<(u64, Notice)>,
    dropped: u64,
}

impl View {
    /// Notices kept for screens that come late or pause; the recording has them all.
    pub const NOTICES_MAX: usize = 2_000;

    /// Everything is new in revision 1.
    pub fn new(tags: usize, connections: usize) -> View {
        View {
            revision: 1,
            units: 1,
            strips: 1,
            output: 1,
            links: 1,
            reports: 1,
            meta: 1,
            recorder: 1,
            shift: 1,
            tags: vec![1; tags],
            link_tags: vec![1; connections],
            ..View::default()
        }
    }

    /// Another state has taken the place of this one: everything is new, and these are the notices up to it.
    pub(crate) fn replace(&mut self, notices: Vec<Notice>) {
        let surplus = notices.len().saturating_sub(View::NOTICES_MAX);
        self.dropped += surplus as u64;
        self.notices = notices.into_iter().skip(surplus).map(|notice| (0, notice)).collect();
        self.renew();
    }

    /// Another state has taken the place of this one; the notices up to it are those that are there.
    pub(crate) fn renew(&mut self) {
        let (tags, links) = (self.tags.len(), self.link_tags.len());
        let revision = self.revision + 1;
        let notices = std::mem::take(&mut self.notices).into_iter().map(|(_, notice)| (revision, notice));
        *self = View {
            revision,
            units: revision,
            strips: revision,
            output: revision,
            links: revision,
            reports: revision,
            meta: revision,
            recorder: revision,
            shift: revision,
            playback: revision,
            tags: vec![revision; tags],
            link_tags: vec![revision; links],
            notices: notices.collect(),
            dropped: self.dropped,
        };
    }

    /// Playback is elsewhere, or was told something.
    pub(crate) fn playback_moved(&mut self) {
        self.revision += 1;
        self.playback = self.revision;
    }

    fn fold(&mut self, changes: &mut Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.revision += 1;
        for change in changes.drain(..) {
            self.note(change);
        }
    }

    fn note(&mut self, change: Change) {
        let revision = self.revision;
        match change {
            Change::Tag(tag) => {
                if let Some(slot) = self.tags.get_mut(tag.0 as usize) {
                    *slot = revision;
                }
            }
            Change::Unit(_) => self.units = revision,
            Change::Strip(_) => self.strips = revision,
            Change::Output => self.output = revision,
            Change::Link(connection) => {
                // The trust in every value of the connection may have changed with it.
                (self.links, self.units, self.reports) = (revision, revision, revision);
                if let Some(slot) = self.link_tags.get_mut(connection.0 as usize) {
                    *slot = revision;
                }
            }
            Change::Report(_) => self.reports = revision,
            Change::Meta(_) => self.meta = revision,
            Change::Recorder => self.recorder = revision,
            Change::Shift => (self.shift, self.units, self.output) = (revision, revision, revision),
            Change::Notice(notice) => self.keep(notice),
        }
    }

    fn keep(&mut self, notice: Notice) {
        if self.notices.len() == View::NOTICES_MAX {
            self.notices.pop_front();
            self.dropped += 1;
        }
        self.notices.push_back((self.revision, notice));
    }

    /// Has the tag, or what is believed of it, changed after `cursor`?
    pub fn tag_changed(&self, tag: TagId, connection: ConnectionId, cursor: u64) -> bool {
        self.tags[tag.0 as usize] > cursor || self.link_tags[connection.0 as usize] > cursor
    }

    /// Notices after `cursor`, oldest first.
    pub fn notices_after(&self, cursor: u64) -> impl Iterator<Item = &Notice> {
        let from = self.notices.partition_point(|(revision, _)| *revision <= cursor);
        self.notices.range(from..).map(|(_, notice)| notice)
    }
}
