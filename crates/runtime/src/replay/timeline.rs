//! What a time bar draws: the states of all units, the gaps, the notices and the marks of a whole recording.
//!
//! From the index of events where the file has all of them, which takes milliseconds. From a pass through the file
//! otherwise, with the function that would have written the index; the pass runs where the caller wants it and can be
//! watched and given up. Nothing here changes a file or a session.

use super::run::{Replay, ReplayError};
use super::seek;
use crate::events::{Chronicle, Strips, notice_of};
use lineside_engine::{Notice, NoticeKind};
use lineside_model::state::{Interval, Shift};
use lineside_model::{Gap, GapReason, GapScope, PlantState, Timestamp};
use lineside_recording::{Event, Mark, ShiftFile};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A recording at a glance.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Timeline {
    pub from: Timestamp,
    pub to: Timestamp,
    pub shift: Shift,
    /// By unit: intervals, oldest first, the first one cut at `from`, the last one open.
    pub units: Vec<Vec<Interval>>,
    /// Beside each interval: when it was learned of, which is where a replay begins to show it.
    pub arrivals: Vec<Vec<Timestamp>>,
    /// Oldest first; all of them.
    pub notices: Arc<Vec<Notice>>,
    /// Stretches without values, as they were told; they may overlap.
    pub gaps: Vec<Gap>,
    pub marks: Vec<Mark>,
    /// False: the file has no index of events, and the pass is not over.
    pub complete: bool,
}

/// How far a long work is, and whether it is still wanted. Shared by who works and who waits.
#[derive(Debug, Default)]
pub struct Progress {
    /// Thousandths.
    done: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// 0 to 1.
    pub fn share(&self) -> f64 {
        self.done.load(Ordering::Relaxed) as f64 / 1000.0
    }

    /// Ends the work at its next step.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Is it not wanted any more?
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// `at` of a work over `from` to `to` has been reached.
    pub(super) fn reach(&self, at: Timestamp, from: Timestamp, to: Timestamp) {
        let whole = (to - from).0.max(1) as f64;
        let share = ((at - from).0 as f64 / whole).clamp(0.0, 1.0);
        self.done.store((share * 1000.0) as u64, Ordering::Relaxed);
    }
}

impl Timeline {
    /// What the file's index tells; `None`: it has none, or not of all its length.
    pub fn of_index(file: &ShiftFile) -> Result<Option<Timeline>, ReplayError> {
        if !file.has_all_events()? {
            return Ok(None);
        }
        let events = file.events(Timestamp::MIN, Timestamp::MAX)?;
        Timeline::of(file, &file.start()?, &events).map(Some)
    }

    /// What a pass through the file finds; `None`: it was given up.
    pub fn of_pass(file: &ShiftFile, progress: &Progress) -> Result<Option<Timeline>, ReplayError> {
        let Some(events) = pass(file, progress)? else { return Ok(None) };
        Timeline::of(file, &file.start()?, &events).map(Some)
    }

    /// Put together from the state that the file begins with and all its events.
    pub(super) fn of(file: &ShiftFile, start: &PlantState, events: &[Event]) -> Result<Timeline, ReplayError> {
        let (from, to) = seek::bounds(file)?;
        let mut strips = Strips::of(start);
        events.iter().for_each(|event| strips.take(event));
        strips.units.iter_mut().zip(&mut strips.arrivals).for_each(|(list, arrivals)| cut(list, arrivals, from));
        let notices: Vec<Notice> = events.iter().filter_map(notice_of).collect();
        let gaps = notices.iter().filter_map(gap_of).collect();
        let shift = file.header().shift.clone();
        let (Strips { units, arrivals }, notices, marks) = (strips, Arc::new(notices), file.marks()?);
        Ok(Timeline { from, to, shift, units, arrivals, notices, gaps, marks, complete: true })
    }
}

/// All events of a file, found by replaying it; `None`: it was given up.
pub(super) fn pass(file: &ShiftFile, progress: &Progress) -> Result<Option<Vec<Event>>, ReplayError> {
    let (from, to) = seek::bounds(file)?;
    let mut replay = Replay::of(file.clone())?;
    let mut chronicle = Chronicle::after(replay.state());
    let mut events = Vec::new();
    replay.watch_while(|engine, changes| {
        events.extend(chronicle.events_of(changes, engine.state()));
        progress.reach(engine.state().at, from, to);
        !progress.is_cancelled()
    })?;
    Ok((!progress.is_cancelled()).then_some(events))
}

/// The gap that a notice tells of. A start of Lineside is one too, if it had been stopped.
pub(super) fn gap_of(notice: &Notice) -> Option<Gap> {
    let reason = notice.kind.gap_reason();
    let stopped = (notice.kind == NoticeKind::Started).then_some(GapReason::NotRunning);
    let (from, to) = (notice.from?, notice.to?);
    let scope = match (notice.tag, notice.connection) {
        (Some(tag), _) => GapScope::Tag(tag),
        (None, Some(connection)) => GapScope::Connection(connection),
        (None, None) => GapScope::Plant,
    };
    reason.or(stopped).filter(|_| from < to).map(|reason| Gap { scope, from, to, reason, lost: notice.lost })
}

/// Drops what ended before `from`.
fn cut(list: &mut Vec<Interval>, arrivals: &mut Vec<Timestamp>, from: Timestamp) {
    let begun = list.partition_point(|interval| interval.start <= from);
    list.drain(..begun.saturating_sub(1));
    arrivals.drain(..begun.saturating_sub(1));
    if let Some(first) = list.first_mut() {
        first.start = first.start.max(from);
    }
}
