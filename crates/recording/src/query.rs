//! Questions to a recording: the state near an instant and what leads from there to it exactly, the values of a tag, and
//! what a pen draws of it.
//!
//! A [`Reader`] answers from what it has decoded before as far as it can, in bounded memory, so that scrubbing asks the disk
//! only where it has not been. The file may be growing; between two calls no transaction is open, and of a file that is
//! being written not even a connection.

mod lead;
mod pen;
mod places;
mod stretch;

pub use lead::Lead;
pub use pen::{Column, Line, Pen};
pub use stretch::{Damage, Received};

use crate::{Direction, Event, OpenError, ShiftFile, database, events, rows};
use lineside_model::state::PlantState;
use lineside_model::{Span, TagId, Timestamp};
use places::Place;
use rusqlite::Connection;
use std::sync::Arc;
use stretch::Stretch;

/// Decoded stretches are let go, the longest unused first, when they take more than this.
const CACHE_BYTES: usize = 256 << 20;

/// A value that arrives later than this after its own time, or before it, is found among the samples only.
const LATE: Span = Span::from_secs(600);

/// Answers questions to one recording.
pub struct Reader {
    file: ShiftFile,
    /// Kept only while nobody writes: an open connection would keep the writer from closing the file.
    connection: Option<Connection>,
    /// What the disk said when `places` was read.
    seen: Option<database::Seen>,
    /// The keyframes, by sequence number: each begins a stretch.
    places: Vec<Place>,
    /// Decoded stretches, most recently used last.
    cache: Vec<Stretch>,
    /// The keyframe decoded last.
    state: Option<Arc<PlantState>>,
}

impl Reader {
    /// Asks this file.
    pub fn new(file: ShiftFile) -> Reader {
        Reader { file, connection: None, seen: None, places: Vec::new(), cache: Vec::new(), state: None }
    }

    /// The file.
    pub fn file(&self) -> &ShiftFile {
        &self.file
    }

    /// The newest state at or before `at` that the file holds and that can be read: a keyframe of any kind. Before the
    /// beginning of the file: the state it begins from.
    pub fn keyframe_before(&mut self, at: Timestamp) -> Result<PlantState, OpenError> {
        self.refresh()?;
        let (_, state) = self.base(at)?;
        Ok(PlantState::clone(&state))
    }

    /// What leads exactly from the state `from` to the state at `until`: see [`Lead`]. `from` is a state of this recording,
    /// from a keyframe or reached by replay. `needs_every` tells the tags of which every sample counts, because
    /// something is computed from them.
    pub fn lead(
        &mut self,
        from: &PlantState,
        until: Timestamp,
        needs_every: &dyn Fn(TagId) -> bool,
    ) -> Result<Lead, OpenError> {
        self.refresh()?;
        let (mut index, base) = self.base(until)?;
        let base = Some(base).filter(|base| base.seq > from.seq);
        if base.is_none() {
            index = self.index_of(from.seq);
        }
        let mut lead = lead::Builder::new(base.as_deref().unwrap_or(from), until, needs_every);
        let begin = index;
        while index < self.places.len() && (index == begin || self.places[index].at <= until) {
            lead.take(self.stretch(index)?);
            index += 1;
        }
        let mut lead = lead.finish();
        lead.base = base.map(|base| PlantState::clone(&base));
        Ok(lead)
    }

    /// The samples of a tag with `from <= at <= to` by the time at which they were taken in, in replay order. Read as it
    /// goes, stretch by stretch.
    pub fn samples(&mut self, tag: TagId, from: Timestamp, to: Timestamp) -> Samples<'_> {
        // Inputs of one instant may stand on both sides of a keyframe.
        let begun = self.refresh().map(|()| self.first_stretch(from - Span(1)));
        let (index, failed) = match begun {
            Ok(index) => (index, None),
            Err(error) => (usize::MAX, Some(error)),
        };
        Samples { reader: self, tag, from, to, index, ready: Vec::new().into_iter(), failed }
    }

    /// The nearest sample of a tag strictly after or before `at`, by the time at which it was taken in.
    pub fn next_sample(
        &mut self,
        tag: TagId,
        at: Timestamp,
        direction: Direction,
    ) -> Result<Option<Received>, OpenError> {
        if direction == Direction::After {
            return self.samples(tag, Timestamp(at.0.saturating_add(1)), Timestamp::MAX).next().transpose();
        }
        self.refresh()?;
        for index in (0..=self.first_stretch(at)).rev() {
            let samples = self.stretch(index)?.samples(tag);
            let before = samples.partition_point(|sample| sample.at < at);
            if let Some(found) = before.checked_sub(1) {
                return Ok(samples.get(found).cloned());
            }
        }
        Ok(None)
    }

    /// What a pen draws between `from` and `to` in so many columns of equal width.
    pub fn pen(&mut self, pen: Pen, from: Timestamp, to: Timestamp, columns: usize) -> Result<Line, OpenError> {
        self.refresh()?;
        let until = self.told_until(from, to)?;
        let (first, base) = self.base(from - LATE)?;
        let mut points = pen::Points::new(pen, &base);
        for index in first..self.places.len() {
            if index == first || self.places[index].at <= until {
                points.take(self.stretch(index)?);
            }
        }
        Ok(points.line(from, to, columns))
    }

    /// When all has been told of the time between two instants: late values come within [`LATE`], and those that were read
    /// back for a gap come after its end.
    fn told_until(&mut self, from: Timestamp, to: Timestamp) -> Result<Timestamp, OpenError> {
        let (_, newest) = self.base(Timestamp::MAX)?;
        let gaps = newest.gaps.iter().map(|known| known.gap).filter(|gap| gap.from <= to && gap.to >= from);
        Ok(gaps.map(|gap| gap.to).fold(to, Timestamp::max) + LATE)
    }

    /// As [`ShiftFile::events`].
    pub fn events(&mut self, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, OpenError> {
        self.ask(|connection| events::between(connection, from..=to))
    }

    /// As [`ShiftFile::next_event`].
    pub fn next_event(
        &mut self,
        kinds: &[u16],
        at: Timestamp,
        direction: Direction,
        accept: &dyn Fn(&Event) -> bool,
    ) -> Result<Option<Event>, OpenError> {
        self.ask(|connection| events::next(connection, kinds, at, direction, accept))
    }

    /// Looks whether the file has changed, and which stretches there are now.
    fn refresh(&mut self) -> Result<(), OpenError> {
        let now = database::seen(self.file.path());
        if self.seen == Some(now) {
            return Ok(());
        }
        let known = std::mem::take(&mut self.places);
        let places = self.ask(|connection| places::places(connection, &known))?;
        if places.is_empty() {
            return Err(OpenError::damaged(self.file.path(), "the state it begins from is missing"));
        }
        // What ended where the file ended may go on now, or have been divided by a keyframe.
        self.cache.retain(|stretch| stretch.is_whole(&places));
        (self.places, self.seen) = (places, Some(now));
        Ok(())
    }

    /// One read. The connection stays only while there is no log beside the file.
    fn ask<T>(&mut self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
        let path = self.file.path();
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => database::connect_for_reading(path)?,
        };
        let answer = read(&connection).map_err(|source| OpenError::sqlite(path, source))?;
        if !crate::store::beside(path, "-wal").exists() {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    /// The newest keyframe at or before `at` that can be read, and the stretch that it begins.
    fn base(&mut self, at: Timestamp) -> Result<(usize, Arc<PlantState>), OpenError> {
        let newest = self.first_stretch(at);
        let mut index = newest;
        loop {
            let place = self.places[index];
            if let Some(state) = self.state.as_ref().filter(|state| state.seq == place.seq) {
                return Ok((index, Arc::clone(state)));
            }
            let path = self.file.path().to_owned();
            let read = self.ask(|connection| Ok(rows::keyframe(connection, &path, place.kind, place.seq)))?;
            match read {
                Ok(state) => {
                    let state = Arc::new(state);
                    self.state = Some(Arc::clone(&state));
                    return Ok((index, state));
                }
                Err(error) if index == 0 => return Err(error),
                Err(error) => tracing::warn!(%error, "a keyframe is passed over"),
            }
            index -= 1;
        }
    }

    /// The stretch in which `at` lies.
    fn first_stretch(&self, at: Timestamp) -> usize {
        self.places.partition_point(|place| place.at <= at).saturating_sub(1)
    }

    /// The stretch in which the input after `seq` lies.
    fn index_of(&self, seq: u64) -> usize {
        self.places.partition_point(|place| place.seq <= seq).saturating_sub(1)
    }

    /// A stretch, decoded; it is the most recently used then.
    fn stretch(&mut self, index: usize) -> Result<&Stretch, OpenError> {
        let first = self.places[index].seq;
        let next = self.places.get(index + 1).map(|place| place.seq);
        let stretch = match self.cache.iter().position(|stretch| stretch.after() == first) {
            Some(cached) => self.cache.remove(cached),
            None => Stretch::read(&self.file, first, next)?,
        };
        self.cache.push(stretch);
        let mut bytes = 0;
        let keep = self.cache.iter().rev().take_while(|stretch| {
            bytes += stretch.bytes();
            bytes <= CACHE_BYTES
        });
        let surplus = self.cache.len() - keep.count().max(1);
        self.cache.drain(..surplus);
        self.cache.last().ok_or_else(|| OpenError::damaged(self.file.path(), "a stretch is missing"))
    }
}

/// Samples of a tag, read as it goes. After an error it has ended.
pub struct Samples<'a> {
    reader: &'a mut Reader,
    tag: TagId,
    from: Timestamp,
    to: Timestamp,
    index: usize,
    ready: std::vec::IntoIter<Received>,
    failed: Option<OpenError>,
}

impl Iterator for Samples<'_> {
    type Item = Result<Received, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        loop {
            if let Some(sample) = self.ready.next() {
                return Some(Ok(sample));
            }
            if self.reader.places.get(self.index).is_none_or(|place| place.at > self.to && self.index > 0) {
                return None;
            }
            let (from, to) = (self.from, self.to);
            let read = self.reader.stretch(self.index).map(|stretch| {
                let samples = stretch.samples(self.tag).iter();
                samples.filter(|sample| (from..=to).contains(&sample.at)).cloned().collect::<Vec<_>>()
            });
            match read {
                Ok(samples) => (self.ready, self.index) = (samples.into_iter(), self.index + 1),
                Err(error) => {
                    self.index = usize::MAX;
                    return Some(Err(error));
                }
            }
        }
    }
}
