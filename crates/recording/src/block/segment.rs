//! The columns of the tags of one group, each of which can be read without the others.
//!
//! A directory comes first: which tags there are, how many samples each has, whether its source times are in order,
//! the first and the last of them, and how many bytes its columns take. Then, tag by tag: its clock (0: one of its own,
//! which follows; otherwise one of the block's, and the places in it), its status codes, its values.

use super::FORM;
use super::clock::{self, Clock, Places};
use super::column::{ints, values};
use super::skeleton::Skeleton;
use crate::codec::bytes::{Source, put_varint};
use lineside_model::archive::Malformed;
use lineside_model::{TagId, Value};
use std::sync::Arc;

/// What is known of a tag's source times.
mod flag {
    /// They do not descend and none is absent, or all are absent.
    pub(super) const ORDERED: i64 = 1;
    /// The first and the last sample have one.
    pub(super) const TIMED: i64 = 2;
}

/// What the directory says of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TagEntry {
    pub(crate) tag: TagId,
    /// Samples, at least one.
    pub(crate) n: usize,
    /// Its source times do not descend and none is absent, or all are absent.
    pub(crate) ordered: bool,
    /// Source times of the first and the last sample, where both have one.
    pub(crate) ends: Option<(i64, i64)>,
    start: usize,
    len: usize,
}

/// A segment whose directory has been read.
#[derive(Debug)]
pub(crate) struct Segment {
    body: Vec<u8>,
    /// By tag.
    pub(crate) entries: Vec<TagEntry>,
}

/// The columns of one tag, as lean as they are stored.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) clock: Arc<Clock>,
    pub(crate) places: Places,
    pub(crate) status: ints::Numbers,
    pub(crate) values: values::Values,
}

/// A tag on its way into the file.
pub(crate) struct TagParts<'a> {
    pub(crate) tag: u32,
    pub(crate) clock: ClockParts<'a>,
    pub(crate) status: &'a [u32],
    pub(crate) values: &'a [Value],
    /// Source time of each sample.
    pub(crate) source: Vec<Option<i64>>,
}

/// When its samples came.
pub(crate) enum ClockParts<'a> {
    Own(&'a Clock),
    /// Number of the block's clock, how many entries it has, and the places in it.
    Shared(usize, usize, &'a [u32]),
}

/// The bytes of a segment; `run_at` gives the stamp of each run.
pub(crate) fn encode(tags: &[TagParts<'_>], run_at: &[i64]) -> Vec<u8> {
    let mut columns = Vec::new();
    let mut directory = [const { Vec::new() }; 6];
    for tag in tags {
        let start = columns.len();
        put_tag(&mut columns, tag, run_at);
        let (flags, first, last) = times(&tag.source);
        let numbers = [i64::from(tag.tag), tag.values.len() as i64, flags, first, last, (columns.len() - start) as i64];
        directory.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
    }
    let mut out = vec![FORM];
    put_varint(&mut out, tags.len() as u64);
    directory.iter().for_each(|column| ints::put(&mut out, column));
    out.append(&mut columns);
    out
}

fn put_tag(out: &mut Vec<u8>, tag: &TagParts<'_>, run_at: &[i64]) {
    match tag.clock {
        ClockParts::Own(clock) => {
            put_varint(out, 0);
            clock::put(out, clock, |run| run_at[run as usize]);
        }
        ClockParts::Shared(number, entries, places) => {
            put_varint(out, number as u64 + 1);
            clock::put_places(out, places, entries);
        }
    }
    ints::put_u32(out, tag.status.iter().copied());
    values::put(out, tag.values);
}

/// The flags of these source times, the first, and the last less the first.
fn times(source: &[Option<i64>]) -> (i64, i64, i64) {
    let all = source.iter().all(Option::is_some);
    let in_order = source.iter().all(Option::is_none) || (all && source.is_sorted());
    let ordered = if in_order { flag::ORDERED } else { 0 };
    match (source.first(), source.last()) {
        (Some(Some(first)), Some(Some(last))) => (ordered | flag::TIMED, *first, last.wrapping_sub(*first)),
        _ => (ordered, 0, 0),
    }
}

impl Segment {
    /// Reads the directory of what [`encode`] made.
    pub(crate) fn open(body: Vec<u8>) -> Result<Segment, Malformed> {
        let mut from = Source(&body);
        if from.byte()? != FORM {
            return Err(Malformed("form of the segment: not known to this program"));
        }
        // Each tag takes at least four bytes: clock, status, kind of value, and one for its times.
        let count = from.count(2)?;
        let mut column = || ints::take(&mut from, count);
        let (tags, n, flags) = (column()?, column()?, column()?);
        let (first, span, len) = (column()?, column()?, column()?);
        let mut start = body.len() - from.0.len();
        let mut entries: Vec<TagEntry> = Vec::with_capacity(count);
        for i in 0..count {
            let tag = u32::try_from(tags[i]).map(TagId).map_err(|_too_large| Malformed("tag"))?;
            let size = |v: i64| usize::try_from(v).map_err(|_negative| Malformed("length of a tag"));
            let (n, len) = (size(n[i])?, size(len[i])?);
            if n == 0 || n > ints::LONGEST || len > body.len() - start || entries.last().is_some_and(|e| e.tag >= tag) {
                return Err(Malformed("directory of the segment"));
            }
            let ends = (flags[i] & flag::TIMED != 0).then(|| (first[i], first[i].wrapping_add(span[i])));
            entries.push(TagEntry { tag, n, ordered: flags[i] & flag::ORDERED != 0, ends, start, len });
            start += len;
        }
        if start == body.len() { Ok(Segment { body, entries }) } else { Err(Malformed("trailing bytes")) }
    }

    /// Samples of all tags.
    pub(crate) fn samples(&self) -> usize {
        self.entries.iter().map(|entry| entry.n).sum()
    }

    /// What the directory says of `tag`, and its number in it.
    pub(crate) fn find(&self, tag: TagId) -> Option<(usize, &TagEntry)> {
        let i = self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok()?;
        self.entries.get(i).map(|entry| (i, entry))
    }

    /// The columns of the tag with this directory entry.
    pub(crate) fn column(&self, entry: &TagEntry, skeleton: &Skeleton) -> Result<Column, Malformed> {
        let mut from = Source(&self.body[entry.start..entry.start + entry.len]);
        let (clock, places) = take_clock(&mut from, entry.n, skeleton)?;
        let status = ints::take_numbers(&mut from, entry.n)?;
        let values = values::take(&mut from, entry.n)?;
        if from.0.is_empty() { Ok(Column { clock, places, status, values }) } else { Err(Malformed("trailing bytes")) }
    }
}

fn take_clock(from: &mut Source<'_>, n: usize, skeleton: &Skeleton) -> Result<(Arc<Clock>, Places), Malformed> {
    let number = usize::try_from(from.varint()?).unwrap_or(usize::MAX);
    let Some(shared) = number.checked_sub(1) else {
        let at = |run: u32| skeleton.runs.get(run as usize).map(|run| run.at.0);
        return Ok((Arc::new(clock::take(from, n, at)?), Places::All(n as u32)));
    };
    let clock = skeleton.clocks.get(shared).ok_or(Malformed("number of a clock"))?;
    let places = clock::take_places(from, n, clock.runs.len())?;
    Ok((clock.clone(), places))
}
