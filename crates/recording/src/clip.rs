//! A clip: a stretch of a recording as a recording of its own, of all tags or of some.
//!
//! Promise: it opens and plays like any other file, and says what it is. Of all tags it keeps the numbers and the digests
//! of its source, so that replay of it is proven like replay of the source. Of some tags it is renumbered, has no
//! digests, and knows nothing of the others: neither their values nor their history. What is damaged in the source is
//! missing in the clip, and named as missing there too. Under its name there is the whole clip or none.

use crate::library::{LibraryError, Part};
use crate::marks::{Change, PIN};
use crate::queue::{Item, Keyframe};
use crate::store::{Store, fill};
use crate::{Event, KeyframeKind, OpenError, Row, ShiftFile, edit, query};
use lineside_model::state::{PlantState, TagState};
use lineside_model::{Batch, Input, TagId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// So many inputs go into one transaction.
const COMMIT_INPUTS: usize = 200_000;

/// What a file says of itself when it is a clip.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ClipOf {
    /// Name of the file it was cut from.
    pub source: String,
    pub from: Timestamp,
    pub to: Timestamp,
    /// `None`: all.
    pub tags: Option<Vec<TagId>>,
}

/// What a clip holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Clipped {
    pub inputs: u64,
    pub events: u64,
    pub marks: u64,
    /// Stretches of the source that could not be read.
    pub damaged: u64,
}

/// Cuts what follows `state` up to `to` out of `source`, and writes it to `target`, which is replaced. `state` is the
/// state of `source` at the instant `state.at`, as replay computes it.
///
/// With `tags`, only their samples are in the clip, beside everything that is no sample. What is computed from tags that
/// are left out stands still in it: give the tags of units along with those that are wanted.
pub fn clip(
    source: &ShiftFile,
    state: &PlantState,
    to: Timestamp,
    tags: Option<&[TagId]>,
    target: &Path,
) -> Result<Clipped, LibraryError> {
    let part = Part::beside(target);
    File::create(part.path()).map_err(|source| LibraryError::Copy { path: part.path().to_owned(), source })?;
    let mut cutter = Cutter::new(source, state, to, tags);
    fill(part.path(), source.header(), &cutter.only_known(state, state.seq))?;
    let mut store = Store::open(part.path(), Arc::default())?;
    cutter.cut(&mut store)?;
    store.close()?;
    let name = source.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let of = ClipOf { source: name, from: state.at, to, tags: tags.map(<[TagId]>::to_vec) };
    let all_events = source.has_all_events()?;
    edit::edit(part.path(), |connection| write_of(connection, &of, all_events))?;
    crate::seal_file(part.path())?;
    part.rename(target)?;
    Ok(cutter.clipped)
}

impl ShiftFile {
    /// Is this a clip, and of what?
    pub fn clip_of(&self) -> Result<Option<ClipOf>, OpenError> {
        self.read(read_of)
    }
}

struct Cutter<'a> {
    source: &'a ShiftFile,
    state: &'a PlantState,
    to: Timestamp,
    tags: Option<BTreeSet<TagId>>,
    /// Waits for the next transaction.
    items: Vec<Item>,
    waiting: usize,
    /// The last number in the clip.
    seq: u64,
    /// Numbers of the source, and the last one in the clip up to each; ascending. Empty while they are the same.
    numbers: Vec<(u64, u64)>,
    clipped: Clipped,
}

impl<'a> Cutter<'a> {
    fn new(source: &'a ShiftFile, state: &'a PlantState, to: Timestamp, tags: Option<&[TagId]>) -> Cutter<'a> {
        Cutter {
            source,
            state,
            to,
            tags: tags.map(|tags| tags.iter().copied().collect()),
            items: Vec::new(),
            waiting: 0,
            seq: state.seq,
            numbers: Vec::new(),
            clipped: Clipped::default(),
        }
    }

    fn cut(&mut self, store: &mut Store) -> Result<(), LibraryError> {
        let mut passing = self.passing()?.into_iter().peekable();
        for row in self.source.rows(self.state.seq) {
            match row? {
                Row::Batch(batch) if batch.at > self.to => break,
                Row::Batch(batch) => {
                    let last = batch.last_seq();
                    self.take_batch(batch);
                    while let Some(state) = passing.next_if(|state| state.seq <= last) {
                        self.items.push(Item::Keyframe(Keyframe::new(KeyframeKind::Periodic, &state, state.seq)));
                    }
                }
                Row::Keyframe { state, .. } if state.at > self.to => break,
                Row::Keyframe { seq, state, .. } if seq > self.state.seq => self.take_keyframe(seq, &state),
                Row::Digest { seq, at, digest } if self.tags.is_none() && at <= self.to && at >= self.state.at => {
                    self.items.push(Item::Digest { seq, at, digest });
                }
                Row::Keyframe { .. } | Row::Digest { .. } => {}
                Row::Damaged { first_seq, last_seq, .. } => self.take_damage(first_seq, last_seq),
            }
            if self.waiting >= COMMIT_INPUTS {
                self.write(store)?;
            }
        }
        self.take_events()?;
        self.take_marks()?;
        self.write(store)
    }

    /// The states in passing, from which seeks begin: of all tags they are those of the clip too.
    fn passing(&self) -> Result<Vec<PlantState>, LibraryError> {
        let mut reader = query::Reader::new(self.source.clone());
        Ok(if self.tags.is_none() { reader.periodic(self.state.seq, self.to)? } else { Vec::new() })
    }

    fn take_batch(&mut self, batch: Batch) {
        let (last, at) = (batch.last_seq(), batch.at);
        let first_seq = if self.tags.is_some() { self.seq + 1 } else { batch.first_seq };
        let inputs: Vec<Input> = batch.inputs.into_iter().filter(|input| self.wants(input)).collect();
        if !inputs.is_empty() {
            self.waiting += inputs.len();
            self.clipped.inputs += inputs.len() as u64;
            self.seq = first_seq + inputs.len() as u64 - 1;
            self.items.push(Item::Batch(Arc::new(Batch { first_seq, at, inputs })));
        }
        self.note(last);
    }

    fn take_keyframe(&mut self, seq: u64, state: &PlantState) {
        let after = self.seq;
        if self.tags.is_none() {
            self.seq = seq;
        }
        let state = self.only_known(state, self.seq);
        self.items.push(Item::Keyframe(Keyframe::new(KeyframeKind::Resume, &state, after)));
        self.note(seq);
    }

    /// Leaves a hole in the numbers: readers report it as missing.
    fn take_damage(&mut self, first: u64, last: u64) {
        self.clipped.damaged += 1;
        self.seq = if self.tags.is_some() { self.seq + (last - first + 1) } else { last };
        self.note(last);
    }

    fn note(&mut self, seq: u64) {
        if self.tags.is_some() {
            self.numbers.push((seq, self.seq));
        }
    }

    fn take_events(&mut self) -> Result<(), LibraryError> {
        let mut events = self.source.events(self.state.at, self.to)?;
        events.retain(|event| event.tag.is_none_or(|tag| self.has(tag)));
        if self.tags.is_some() {
            let mut before: Option<(Timestamp, u64, u32)> = None;
            for event in &mut events {
                event.seq = self.number_of(event.seq);
                let order = match before {
                    Some((at, seq, order)) if (at, seq) == (event.at, event.seq) => order + 1,
                    _ => 0,
                };
                event.order = order;
                before = Some((event.at, event.seq, order));
            }
        }
        self.clipped.events = events.len() as u64;
        self.items
            .extend(events.chunks(10_000).map(|events| Item::Events(events.iter().cloned().collect::<Arc<[Event]>>())));
        Ok(())
    }

    fn take_marks(&mut self) -> Result<(), LibraryError> {
        let mut marks = self.source.marks()?;
        let met = |at: Timestamp, until: Timestamp| at <= self.to && until >= self.state.at;
        marks.retain(|mark| mark.kind != PIN && met(mark.at, mark.until.unwrap_or(mark.at)));
        self.clipped.marks = marks.len() as u64;
        self.items.extend(marks.into_iter().map(|mark| Item::Mark(Arc::new(Change::Put(mark)))));
        Ok(())
    }

    /// The number in the clip of the last input up to `seq` of the source.
    fn number_of(&self, seq: u64) -> u64 {
        let up_to = self.numbers.partition_point(|(of_source, _)| *of_source <= seq);
        up_to.checked_sub(1).map_or(self.state.seq, |last| self.numbers[last].1)
    }

    fn wants(&self, input: &Input) -> bool {
        match input {
            Input::Sample(sample) => self.has(sample.tag),
            Input::Fill(fill) => self.has(fill.tag),
            _ => true,
        }
    }

    fn has(&self, tag: TagId) -> bool {
        self.tags.as_ref().is_none_or(|tags| tags.contains(&tag))
    }

    /// The state without the values of the tags that are left out: they would seem to stand still.
    fn only_known(&self, state: &PlantState, seq: u64) -> PlantState {
        let mut state = PlantState { seq, ..state.clone() };
        for (id, tag) in (0..).zip(&mut state.tags) {
            if !self.has(TagId(id)) {
                *tag = TagState { item: tag.item, meta: tag.meta.take(), ..TagState::default() };
            }
        }
        state
    }

    fn write(&mut self, store: &mut Store) -> Result<(), LibraryError> {
        store.write(&self.items)?;
        self.items.clear();
        self.waiting = 0;
        Ok(())
    }
}

/// Keys in the meta table.
const SOURCE: &str = "clip_of";
const FROM: &str = "clip_from";
const TO: &str = "clip_to";
const TAGS: &str = "clip_tags";

fn write_of(connection: &Connection, of: &ClipOf, all_events: bool) -> rusqlite::Result<()> {
    let put = |key: &str, value: String| {
        connection.execute("INSERT OR REPLACE INTO meta (k, v) VALUES (?1, ?2)", params![key, value]).map(drop)
    };
    put(SOURCE, of.source.clone())?;
    put(FROM, of.from.0.to_string())?;
    put(TO, of.to.0.to_string())?;
    if let Some(tags) = &of.tags {
        put(TAGS, tags.iter().map(|tag| tag.0.to_string()).collect::<Vec<_>>().join(" "))?;
    }
    if !all_events {
        crate::events::set_incomplete(connection)?;
    }
    Ok(())
}

pub(crate) fn read_of(connection: &Connection) -> rusqlite::Result<Option<ClipOf>> {
    let value = |key: &str| {
        let found = connection.query_row("SELECT CAST(v AS TEXT) FROM meta WHERE k = ?1", [key], |row| row.get(0));
        Ok::<Option<String>, rusqlite::Error>(found.optional()?.flatten())
    };
    let Some(source) = value(SOURCE)? else { return Ok(None) };
    let number = |text: Option<String>| Timestamp(text.and_then(|text| text.parse().ok()).unwrap_or_default());
    let tags = value(TAGS)?.map(|tags| tags.split(' ').filter_map(|tag| tag.parse().ok()).map(TagId).collect());
    Ok(Some(ClipOf { source, from: number(value(FROM)?), to: number(value(TO)?), tags }))
}
