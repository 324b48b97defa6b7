//! What happened in a recording that is open: its events, kept while the session lasts and read on as the file grows.
//!
//! From the file's index, or, where it has none, from a pass in a thread of its own. Until that is over the story is
//! not complete, and says so.

use super::run::ReplayError;
use super::timeline::{Progress, Timeline, gap_of, pass};
use crate::events::notice_of;
use lineside_engine::Notice;
use lineside_model::{Gap, GapScope, PlantState, Timestamp};
use lineside_recording::{Event, ShiftFile};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by the player, who lists notices, and by the time bar.
pub(super) struct Story {
    file: ShiftFile,
    start: PlantState,
    /// The file has an index of all its events.
    indexed: bool,
    told: Mutex<Told>,
    pub(super) progress: Progress,
}

#[derive(Default)]
struct Told {
    events: Vec<Event>,
    notices: Arc<Vec<Notice>>,
    /// Of the whole plant.
    gaps: Vec<Gap>,
    complete: bool,
}

impl Story {
    /// Reads the index, if the file has one.
    pub(super) fn open(file: &ShiftFile) -> Result<Story, ReplayError> {
        let (start, indexed) = (file.start()?, file.has_all_events()?);
        let file = file.clone();
        let story = Story { file, start, indexed, told: Mutex::default(), progress: Progress::default() };
        story.read_on()?;
        Ok(story)
    }

    /// Is a pass through the file needed?
    pub(super) fn wants_pass(&self) -> bool {
        !self.indexed && !self.told().complete
    }

    /// Goes through the file. Returns false if it was given up.
    pub(super) fn pass(&self) -> Result<bool, ReplayError> {
        let Some(events) = pass(&self.file, &self.progress)? else { return Ok(false) };
        self.take(events, true);
        Ok(true)
    }

    /// Reads what the index has got since the last time.
    pub(super) fn read_on(&self) -> Result<(), ReplayError> {
        if !self.indexed {
            return Ok(());
        }
        let place = |event: &Event| (event.at, event.seq, event.order);
        let known = self.told().events.last().map(place);
        let mut events = self.file.events(known.map_or(Timestamp::MIN, |(at, ..)| at), Timestamp::MAX)?;
        events.retain(|event| known.is_none_or(|known| place(event) > known));
        self.take(events, true);
        Ok(())
    }

    /// The last `count` notices up to and with `at`; `None`: not all are known yet.
    pub(super) fn notices_until(&self, at: Timestamp, count: usize) -> Option<Vec<Notice>> {
        let notices = self.notices()?;
        let end = notices.partition_point(|notice| notice.at <= at);
        Some(notices[end.saturating_sub(count)..end].to_vec())
    }

    /// Was nothing recorded of the plant at `at`?
    pub(super) fn is_blank(&self, at: Timestamp) -> bool {
        self.told().gaps.iter().any(|gap| gap.from <= at && at < gap.to)
    }

    /// All notices in order; `None`: not all are known yet.
    fn notices(&self) -> Option<Arc<Vec<Notice>>> {
        let told = self.told();
        told.complete.then(|| Arc::clone(&told.notices))
    }

    /// What is known so far, for the time bar.
    pub(super) fn timeline(&self) -> Result<Timeline, ReplayError> {
        let (events, complete) = {
            let told = self.told();
            (told.events.clone(), told.complete)
        };
        let timeline = Timeline::of(&self.file, &self.start, &events)?;
        Ok(Timeline { complete, ..timeline })
    }

    fn take(&self, events: Vec<Event>, complete: bool) {
        let mut told = self.told();
        told.complete = complete;
        let notices: Vec<Notice> = events.iter().filter_map(notice_of).collect();
        told.gaps.extend(notices.iter().filter_map(gap_of).filter(|gap| gap.scope == GapScope::Plant));
        Arc::make_mut(&mut told.notices).extend(notices);
        told.events.extend(events);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // Lists that were extended, or were not: both can be gone on with.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
