//! From batches to the rows of a block.

use super::clock::{Clock, Times};
use super::group_of;
use super::overview;
use super::segment::{self, ClockParts, TagParts};
use super::skeleton::{self, Parts};
use crate::codec::rare;
use lineside_model::{Batch, Input, Sample, TagId, Timestamp, Value};
use std::collections::HashMap;

/// A block as it goes into the file.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) seq0: u64,
    pub(crate) seq1: u64,
    pub(crate) at0: Timestamp,
    pub(crate) at1: Timestamp,
    pub(crate) batches: u64,
    pub(crate) skeleton: Vec<u8>,
    pub(crate) segments: Vec<PackedSegment>,
}

impl Packed {
    /// How many bytes its parts take.
    pub(crate) fn bytes(&self) -> usize {
        let segments = self.segments.iter().map(|segment| segment.body.len() + segment.overview.len());
        self.skeleton.len() + segments.sum::<usize>()
    }
}

/// One group of it.
#[derive(Debug)]
pub(crate) struct PackedSegment {
    pub(crate) group: u32,
    pub(crate) n: u64,
    /// Earliest and latest source time.
    pub(crate) source: Option<(i64, i64)>,
    pub(crate) overview: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Takes batches that follow one another without a hole, and makes a block of them.
#[derive(Default)]
pub(crate) struct Builder {
    seq0: u64,
    inputs: u64,
    at: Vec<i64>,
    n: Vec<u32>,
    rare_places: Vec<i64>,
    rare_bytes: Vec<u8>,
    breaks: Vec<i64>,
    run_at: Vec<i64>,
    /// The tag of the sample before, within a run.
    last_tag: Option<u32>,
    /// Distinct times of the samples, run by run; those of one run in the order of their appearance.
    entries: Vec<Entry>,
    /// Those of the present run.
    known: HashMap<(Option<i64>, Option<i64>), u32>,
    /// By tag: its place in `tags`.
    slots: HashMap<u32, usize>,
    tags: Vec<TagRows>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    run: u32,
    source: Option<i64>,
    server: Option<i64>,
}

/// The samples of one tag.
struct TagRows {
    tag: u32,
    entries: Vec<u32>,
    status: Vec<u32>,
    values: Vec<Value>,
}

impl Builder {
    /// Takes the next batch, which has inputs.
    pub(crate) fn push(&mut self, batch: Batch) {
        if self.at.is_empty() {
            self.seq0 = batch.first_seq;
        }
        self.at.push(batch.at.0);
        self.n.push(batch.inputs.len() as u32);
        self.last_tag = None;
        for input in batch.inputs {
            match input {
                Input::Sample(sample) => self.sample(sample, batch.at),
                other => {
                    self.last_tag = None;
                    self.rare_places.push(self.inputs as i64);
                    rare::put(&mut self.rare_bytes, &other);
                }
            }
            self.inputs += 1;
        }
    }

    fn sample(&mut self, sample: Sample, at: Timestamp) {
        let tag = sample.tag.0;
        if self.last_tag.is_none_or(|last| last > tag) {
            if self.last_tag.is_some() {
                self.breaks.push(self.inputs as i64);
            }
            self.run_at.push(at.0);
            self.known.clear();
        }
        self.last_tag = Some(tag);
        let entry = self.entry(sample.source_time.map(|t| t.0), sample.server_time.map(|t| t.0));
        let tags = &mut self.tags;
        let slot = *self.slots.entry(tag).or_insert_with(|| {
            tags.push(TagRows { tag, entries: Vec::new(), status: Vec::new(), values: Vec::new() });
            tags.len() - 1
        });
        let rows = &mut self.tags[slot];
        rows.entries.push(entry);
        rows.status.push(sample.status.0);
        rows.values.push(sample.value);
    }

    fn entry(&mut self, source: Option<i64>, server: Option<i64>) -> u32 {
        let entry = Entry { run: self.run_at.len() as u32 - 1, source, server };
        // Most samples have the times of the one before.
        if self.entries.last() == Some(&entry) {
            return self.entries.len() as u32 - 1;
        }
        let entries = &mut self.entries;
        *self.known.entry((source, server)).or_insert_with(|| {
            entries.push(entry);
            entries.len() as u32 - 1
        })
    }

    /// The block of all batches taken; `None`: told to stop.
    pub(crate) fn finish(mut self, stop: impl Fn() -> bool) -> Option<Packed> {
        self.tags.sort_unstable_by_key(|rows| rows.tag);
        let clocks = Clocks::of(&self.tags, &self.entries);
        let groups: Vec<&[TagRows]> =
            self.tags.chunk_by(|a, b| group_of(TagId(a.tag)) == group_of(TagId(b.tag))).collect();
        let mut first = 0;
        let (mut counts, mut segments) = (Vec::new(), Vec::new());
        for tags in groups {
            if stop() {
                return None;
            }
            let group = group_of(TagId(tags[0].tag));
            let (runs, samples) = self.count(tags);
            counts.push((group, runs, samples));
            segments.push(self.segment(group, tags, &clocks.of_tags[first..first + tags.len()], &clocks));
            first += tags.len();
        }
        let parts = Parts {
            at: &self.at,
            n: &self.n,
            rare_places: &self.rare_places,
            rare_bytes: &self.rare_bytes,
            breaks: &self.breaks,
            run_at: &self.run_at,
            clocks: &clocks.shared,
            groups: &counts,
        };
        let ends = (self.at.first().copied().unwrap_or(0), self.at.last().copied().unwrap_or(0));
        Some(Packed {
            seq0: self.seq0,
            seq1: self.seq0 + self.inputs.saturating_sub(1),
            at0: Timestamp(ends.0),
            at1: Timestamp(ends.1),
            batches: self.at.len() as u64,
            skeleton: skeleton::encode(&parts),
            segments,
        })
    }

    /// In which runs a group has samples, and how many.
    fn count(&self, tags: &[TagRows]) -> (Vec<u32>, Vec<u32>) {
        let mut counts = vec![0u32; self.run_at.len()];
        for entry in tags.iter().flat_map(|rows| &rows.entries) {
            counts[self.entries[*entry as usize].run as usize] += 1;
        }
        (0u32..).zip(counts).filter(|(_, count)| *count > 0).unzip()
    }

    fn segment(&self, group: u32, tags: &[TagRows], numbers: &[Option<usize>], clocks: &Clocks) -> PackedSegment {
        let entry = |i: &u32| self.entries[*i as usize];
        let own: Vec<Option<Clock>> = tags
            .iter()
            .zip(numbers)
            .map(|(rows, number)| number.is_none().then(|| clock(rows.entries.iter().map(entry))))
            .collect();
        let shared: Vec<Vec<u32>> =
            tags.iter().zip(numbers).map(|(rows, number)| clocks.places(rows, *number)).collect();
        let parts: Vec<TagParts<'_>> = (0..tags.len())
            .map(|i| TagParts {
                tag: tags[i].tag,
                clock: match (&own[i], numbers[i]) {
                    (Some(clock), _) => ClockParts::Own(clock),
                    (None, number) => {
                        let number = number.unwrap_or(0);
                        ClockParts::Shared(number, clocks.shared[number].runs.len(), &shared[i])
                    }
                },
                status: &tags[i].status,
                values: &tags[i].values,
                source: tags[i].entries.iter().map(|i| entry(i).source).collect(),
            })
            .collect();
        let sources = || parts.iter().flat_map(|part| part.source.iter().flatten().copied());
        PackedSegment {
            group,
            n: tags.iter().map(|rows| rows.values.len() as u64).sum(),
            source: sources().min().zip(sources().max()),
            overview: self.overview(tags),
            body: segment::encode(&parts, &self.run_at),
        }
    }

    fn overview(&self, tags: &[TagRows]) -> Vec<u8> {
        let at = |entry: u32| self.run_at[self.entries[entry as usize].run as usize];
        let buckets = |rows: &TagRows| {
            let samples = rows.entries.iter().zip(&rows.status).zip(&rows.values);
            overview::buckets(samples.map(|((entry, status), value)| (at(*entry), *status, value)))
        };
        let all: Vec<_> = tags.iter().map(|rows| (TagId(rows.tag), buckets(rows))).collect();
        overview::encode(&all, Timestamp(self.at.first().copied().unwrap_or(0)))
    }
}

fn clock(entries: impl Iterator<Item = Entry> + Clone) -> Clock {
    Clock {
        runs: entries.clone().map(|entry| entry.run).collect(),
        source: Times::of(entries.clone().map(|entry| entry.source).collect()),
        server: Times::of(entries.map(|entry| entry.server).collect()),
    }
}

/// Which tags share a clock, and those clocks.
struct Clocks {
    shared: Vec<Clock>,
    /// For each tag, in the order of their numbers; `None`: it has a clock of its own.
    of_tags: Vec<Option<usize>>,
    /// Place of each entry in the clock of the key.
    places: Vec<HashMap<u32, u32>>,
}

/// A tag joins the clock that has at least so large a part of its entries.
const COMMON_PART: usize = 16;

impl Clocks {
    /// The tags with the most samples come first, so that a clock grows around those that know it best.
    fn of(tags: &[TagRows], entries: &[Entry]) -> Clocks {
        let mut order: Vec<usize> = (0..tags.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(tags[*i].entries.len()));
        // The clock that an entry was first seen in, and the clock of each tag.
        let mut owner: Vec<Option<usize>> = vec![None; entries.len()];
        let mut members: Vec<Vec<usize>> = Vec::new();
        for tag in order {
            let clock = most_common(&tags[tag].entries, &owner).unwrap_or_else(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[clock].push(tag);
            for entry in &tags[tag].entries {
                owner[*entry as usize].get_or_insert(clock);
            }
        }
        let mut clocks = Clocks { shared: Vec::new(), of_tags: vec![None; tags.len()], places: Vec::new() };
        for members in members.into_iter().filter(|members| members.len() > 1) {
            clocks.add(&members, tags, entries);
        }
        clocks
    }

    fn add(&mut self, members: &[usize], tags: &[TagRows], entries: &[Entry]) {
        let mut used: Vec<u32> = members.iter().flat_map(|tag| &tags[*tag].entries).copied().collect();
        used.sort_unstable();
        used.dedup();
        // Numbers ascend from run to run; within one, times are in order.
        used.sort_by_key(|entry| entries[*entry as usize]);
        for tag in members {
            self.of_tags[*tag] = Some(self.shared.len());
        }
        self.shared.push(clock(used.iter().map(|entry| entries[*entry as usize])));
        self.places.push(used.into_iter().zip(0u32..).collect());
    }

    fn places(&self, rows: &TagRows, number: Option<usize>) -> Vec<u32> {
        let Some(places) = number.map(|number| &self.places[number]) else { return Vec::new() };
        rows.entries.iter().map(|entry| places[entry]).collect()
    }
}

/// The clock that most of these entries belong to, if enough do.
fn most_common(entries: &[u32], owner: &[Option<usize>]) -> Option<usize> {
    let mut votes: Vec<(usize, usize)> = Vec::new();
    for clock in entries.iter().filter_map(|entry| owner[*entry as usize]) {
        match votes.iter_mut().find(|(voted, _)| *voted == clock) {
            Some((_, count)) => *count += 1,
            None => votes.push((clock, 1)),
        }
    }
    let (clock, count) = votes.into_iter().max_by_key(|(clock, count)| (*count, std::cmp::Reverse(*clock)))?;
    (count * COMMON_PART >= entries.len()).then_some(clock)
}
