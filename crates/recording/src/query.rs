//! Questions to a recording: the state near an instant and what leads from there to it exactly, the values of a tag, and
//! what a pen draws of it.
//!
//! A [`Reader`] answers from what it has decoded before as far as it can, in bounded memory, so that scrubbing asks the disk
//! only where it has not been. Journal rows and sealed blocks give the same answers. The file may be growing; between two
//! calls no transaction is open, and of a file that is being written not even a connection.

mod cache;
mod journal;
mod lead;
mod part;
mod pen;
mod places;
pub(crate) mod sealed;

pub use lead::Lead;
pub use part::{Damage, Received};
pub use pen::{Column, Line, Pen};

use crate::{Direction, Event, KeyframeKind, Minute, MinuteRange, OpenError, ShiftFile, block, database, events, rows};
use cache::{Cache, Want};
use lineside_model::state::PlantState;
use lineside_model::{Span, TagId, Timestamp};
use part::Part;
use places::{PartPlace, Place};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::Arc;

/// A value that arrives later than this after its own time, or before it, is found among the samples only.
const LATE: Span = Span::from_secs(600);
/// Decoded keyframes that are kept.
const STATES_KEPT: usize = 2;

/// Answers questions to one recording.
pub struct Reader {
    file: ShiftFile,
    /// Kept only while nobody writes: an open connection would keep the writer from closing the file.
    connection: Option<Connection>,
    /// What the disk said when `places` and `parts` were read.
    seen: Option<database::Seen>,
    /// The keyframes, by sequence number.
    places: Vec<Place>,
    /// What lies between them, in order.
    parts: Vec<PartPlace>,
    cache: Cache,
    /// The keyframes decoded last: a pen asks for that of its beginning and for the newest, again and again.
    states: VecDeque<Arc<PlantState>>,
}

impl Reader {
    /// Asks this file.
    pub fn new(file: ShiftFile) -> Reader {
        Reader {
            file,
            connection: None,
            seen: None,
            places: Vec::new(),
            parts: Vec::new(),
            cache: Cache::default(),
            states: VecDeque::new(),
        }
    }

    /// The file.
    pub fn file(&self) -> &ShiftFile {
        &self.file
    }

    /// The newest state at or before `at` that the file holds and that can be read: a keyframe of any kind. Before the
    /// beginning of the file: the state it begins from.
    pub fn keyframe_before(&mut self, at: Timestamp) -> Result<PlantState, OpenError> {
        self.refresh()?;
        Ok(PlantState::clone(&*self.base(at)?))
    }

    /// The states that were noted in passing after the input `after` and up to `to`.
    pub(crate) fn periodic(&mut self, after: u64, to: Timestamp) -> Result<Vec<PlantState>, OpenError> {
        self.refresh()?;
        let passing = |place: &&Place| place.kind == KeyframeKind::Periodic && place.seq > after && place.at <= to;
        let places: Vec<Place> = self.places.iter().filter(passing).copied().collect();
        let mut states = Vec::new();
        for place in places {
            // In the place of one that is damaged comes the one before.
            let state = self.base(place.at)?;
            if state.seq == place.seq {
                states.push(PlantState::clone(&state));
            }
        }
        Ok(states)
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
        let base = Some(self.base(until)?).filter(|base| base.seq > from.seq);
        let from = base.as_deref().unwrap_or(from);
        let mut builder = lead::Builder::new(from, until, needs_every);
        for place in self.parts.clone() {
            if place.until > from.seq && place.from <= until {
                builder.take(self.part(place, Want::All)?);
            }
        }
        let mut lead = builder.finish();
        lead.base = base.map(|base| PlantState::clone(&base));
        Ok(lead)
    }

    /// The samples of a tag with `from <= at <= to` by the time at which they were taken in, in replay order. Read as it
    /// goes, part by part.
    pub fn samples(&mut self, tag: TagId, from: Timestamp, to: Timestamp) -> Samples<'_> {
        let failed = self.refresh().err();
        let left = self.parts.iter().filter(|place| place.to >= from && place.from <= to);
        let left: Vec<PartPlace> = if failed.is_none() { left.rev().copied().collect() } else { Vec::new() };
        Samples { reader: self, tag, from, to, left, ready: Vec::new().into_iter(), failed }
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
        for place in self.parts.clone().into_iter().rev().filter(|place| place.from < at) {
            let Some(samples) = self.part(place, Want::Tag(tag))?.tag(tag) else { continue };
            if let Some(last) = samples.count(|i| samples.at(i) < at).checked_sub(1) {
                return Ok(Some(samples.received(last)));
            }
        }
        Ok(None)
    }

    /// What a pen draws between `from` and `to` in so many columns of equal width.
    pub fn pen(&mut self, pen: Pen, from: Timestamp, to: Timestamp, columns: usize) -> Result<Line, OpenError> {
        self.refresh()?;
        let until = self.told_until(from, to)?;
        let base = self.base(from - LATE)?;
        let mut points = pen::Points::new(pen, &base);
        for place in self.parts.clone() {
            if place.until > base.seq && place.from <= until {
                points.take(self.part(place, Want::Curve(pen.tag))?);
            }
        }
        Ok(points.line(from, to, columns))
    }

    /// What the values of a tag were, minute by minute of the time at which they were taken in. Minutes without samples are
    /// left out.
    pub fn overview(&mut self, tag: TagId) -> Result<Vec<Minute>, OpenError> {
        self.refresh()?;
        let mut all: Vec<Minute> = Vec::new();
        for place in self.parts.clone() {
            let mut minutes = self.part(place, Want::Overview(tag))?.overview(tag);
            if minutes.is_none() {
                minutes = Some(self.part(place, Want::Curve(tag))?.minutes(tag));
            }
            for minute in minutes.into_iter().flatten() {
                match all.last_mut() {
                    Some(last) if last.start == minute.start => join(last, &minute),
                    _ => all.push(minute),
                }
            }
        }
        Ok(all)
    }

    /// When all has been told of the time between two instants: late values come within [`LATE`], and those that were read
    /// back for a gap come after its end.
    fn told_until(&mut self, from: Timestamp, to: Timestamp) -> Result<Timestamp, OpenError> {
        let newest = self.base(Timestamp::MAX)?;
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

    /// Looks whether the file has changed, and which keyframes and parts there are now.
    fn refresh(&mut self) -> Result<(), OpenError> {
        let now = database::seen(self.file.path());
        if self.seen == Some(now) {
            return Ok(());
        }
        let known = std::mem::take(&mut self.places);
        let (places, parts) = self.ask(|connection| {
            let blocks = block::list(connection)?;
            let places = places::places(connection, &known, &blocks)?;
            let parts = places::parts(connection, &places, &blocks)?;
            Ok((places, parts))
        })?;
        if places.is_empty() {
            return Err(OpenError::damaged(self.file.path(), "the state it begins from is missing"));
        }
        self.cache.keep(&parts)?;
        (self.places, self.parts, self.seen) = (places, parts, Some(now));
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

    /// The newest keyframe at or before `at` that can be read; before the beginning of the file, the first.
    fn base(&mut self, at: Timestamp) -> Result<Arc<PlantState>, OpenError> {
        let newest = self.places.partition_point(|place| place.at <= at);
        if newest == 0 && self.places.first().is_none_or(|first| first.kind != KeyframeKind::Start) {
            return Err(OpenError::damaged(self.file.path(), "the state it begins from cannot be read"));
        }
        let newest = newest.max(1);
        let mut failed = None;
        for place in self.places.iter().take(newest).rev().copied().collect::<Vec<_>>() {
            if let Some(state) = self.states.iter().find(|state| state.seq == place.seq) {
                return Ok(Arc::clone(state));
            }
            let path = self.file.path().to_owned();
            match self.ask(|connection| Ok(rows::keyframe(connection, &path, place.kind, place.seq)))? {
                Ok(state) => {
                    let state = Arc::new(state);
                    self.states.truncate(STATES_KEPT - 1);
                    self.states.push_front(Arc::clone(&state));
                    return Ok(state);
                }
                Err(error) => {
                    tracing::warn!(%error, "a keyframe is passed over");
                    failed = Some(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| OpenError::damaged(self.file.path(), "the state it begins from is missing")))
    }

    /// A part, with what is wanted of it loaded.
    fn part(&mut self, place: PartPlace, want: Want) -> Result<&Part, OpenError> {
        let part = match self.cache.take(&place) {
            Some(part) => part,
            None => self.open(place)?,
        };
        let part = match part {
            Part::Block(mut block) if block.lacks(want) => {
                let loaded = self.ask(|connection| match want {
                    Want::All => block.load_all(connection).map(|()| block),
                    Want::Tag(tag) => block.load(connection, tag, true).map(|()| block),
                    Want::Curve(tag) => block.load(connection, tag, false).map(|()| block),
                    Want::Overview(tag) => block.load_overview(connection, tag).map(|()| block),
                })?;
                Part::Block(loaded)
            }
            loaded => loaded,
        };
        Ok(self.cache.put(place, part))
    }

    fn open(&mut self, place: PartPlace) -> Result<Part, OpenError> {
        Ok(match place.what {
            places::What::Block(info) => {
                Part::Block(Box::new(self.ask(|connection| sealed::BlockPart::open(connection, info))?))
            }
            places::What::Journal => Part::Journal(Box::new(journal::JournalPart::read(&self.file, &place)?)),
            places::What::Missing => Part::Journal(Box::new(journal::JournalPart::missing(&place))),
        })
    }
}

/// A minute that is divided between two parts.
fn join(first: &mut Minute, second: &Minute) {
    first.count += second.count;
    first.bad += second.bad;
    first.range = match (first.range, second.range) {
        (Some(a), Some(b)) => Some(MinuteRange { min: a.min.min(b.min), max: a.max.max(b.max), last: b.last }),
        (a, b) => a.or(b),
    };
}

/// Samples of a tag, read as it goes. After an error it has ended.
pub struct Samples<'a> {
    reader: &'a mut Reader,
    tag: TagId,
    from: Timestamp,
    to: Timestamp,
    /// Parts still to be read, the next one last.
    left: Vec<PartPlace>,
    ready: std::vec::IntoIter<Received>,
    failed: Option<OpenError>,
}

impl Samples<'_> {
    fn read(&mut self, place: PartPlace) -> Result<Vec<Received>, OpenError> {
        let Some(samples) = self.reader.part(place, Want::Tag(self.tag))?.tag(self.tag) else { return Ok(Vec::new()) };
        let first = samples.count(|i| samples.at(i) < self.from);
        let end = samples.count(|i| samples.at(i) <= self.to);
        Ok(samples.range(first, end.max(first)))
    }
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
            let place = self.left.pop()?;
            match self.read(place) {
                Ok(samples) => self.ready = samples.into_iter(),
                Err(error) => {
                    self.left.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}
