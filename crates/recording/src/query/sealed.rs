//! A sealed block, decoded tag by tag as it is asked for, and kept as lean as it is stored.

use super::cache::Want;
use super::part::Damage;
use crate::Minute;
use crate::block::{
    self, Block, BlockInfo, Column, Fault, GroupRuns, Rare, Run, Segment, Skeleton, TagEntry, group_of,
};
use lineside_model::archive::Malformed;
use lineside_model::{Sample, StatusCode, TagId, Timestamp};
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// What a sample takes in memory: value, status, place.
const SAMPLE_BYTES: usize = 16;
/// Of so many runs the numbers of a group are kept.
const RUNS_KEPT: usize = 64;

/// The minutes of the tags of a group.
type Overview = Vec<(TagId, Vec<Minute>)>;

/// A block.
pub(crate) struct BlockPart {
    info: BlockInfo,
    /// Or why it cannot be read.
    block: Result<Block, String>,
    groups: BTreeMap<u32, Result<Group, String>>,
    /// By group; `None`: damaged.
    overviews: BTreeMap<u32, Option<Overview>>,
    bytes: usize,
}

/// The tags of a segment.
struct Group {
    /// Place among the groups of the skeleton.
    number: usize,
    segment: Segment,
    /// By the places of the entries: as far as they were asked for.
    columns: Vec<Option<Column>>,
    /// By run: the number that the first sample of each column has in it, or would have. The last samples of most tags are
    /// of the same few runs.
    firsts: RefCell<HashMap<usize, Vec<u64>>>,
}

/// One tag of a block.
#[derive(Clone, Copy)]
pub(crate) struct SealedTag<'a> {
    skeleton: &'a Skeleton,
    group: &'a Group,
    number: usize,
    entry: &'a TagEntry,
    column: &'a Column,
}

impl BlockPart {
    /// Reads the skeleton.
    pub(crate) fn open(connection: &Connection, info: BlockInfo) -> rusqlite::Result<BlockPart> {
        let block = damage_apart(Block::open(connection, info.id))?;
        let inputs = block.as_ref().map_or(0, |block| block.skeleton.batches.len() + 3 * block.skeleton.runs.len());
        let bytes = size_of::<BlockPart>() + inputs * size_of::<Run>();
        Ok(BlockPart { info, block, groups: BTreeMap::new(), overviews: BTreeMap::new(), bytes })
    }

    /// Is there something that has not been loaded yet?
    pub(crate) fn lacks(&self, want: Want) -> bool {
        let Ok(block) = &self.block else { return false };
        let complete = |group: u32, columns: &dyn Fn(&Group) -> Range<usize>| match self.groups.get(&group) {
            Some(Ok(group)) => group.columns[columns(group)].iter().all(Option::is_some),
            Some(Err(_)) => true,
            None => block.skeleton.numbers.binary_search(&group).is_err(),
        };
        match want {
            Want::All => !block.skeleton.numbers.iter().all(|group| complete(*group, &|group| 0..group.columns.len())),
            Want::Tag(tag) => !complete(group_of(tag), &|group| group.columns_of(tag, true)),
            Want::Curve(tag) => !complete(group_of(tag), &|group| group.columns_of(tag, false)),
            Want::Overview(tag) => !self.overviews.contains_key(&group_of(tag)),
        }
    }

    /// Makes the samples of a tag known, and their numbers when these are wanted.
    pub(crate) fn load(&mut self, connection: &Connection, tag: TagId, numbered: bool) -> rusqlite::Result<()> {
        let number = group_of(tag);
        self.load_group(connection, number)?;
        let (Ok(block), Some(Ok(group))) = (&self.block, self.groups.get_mut(&number)) else { return Ok(()) };
        let decoded = group.decode(&block.skeleton, group.columns_of(tag, numbered), numbered);
        self.decoded(number, decoded);
        Ok(())
    }

    /// Makes the minutes of a tag known.
    pub(crate) fn load_overview(&mut self, connection: &Connection, tag: TagId) -> rusqlite::Result<()> {
        let group = group_of(tag);
        let found = damage_apart(block::group_overview(connection, &self.info, group))?;
        self.bytes += found.iter().flatten().map(|(_, minutes)| size_of_val(minutes.as_slice())).sum::<usize>();
        self.overviews.insert(group, found.ok());
        Ok(())
    }

    /// The minutes of a tag; `None`: they are not loaded, or damaged.
    pub(crate) fn overview(&self, tag: TagId) -> Option<Vec<Minute>> {
        let tags = self.overviews.get(&group_of(tag))?.as_ref()?;
        Some(tags.iter().find(|(found, _)| *found == tag).map_or_else(Vec::new, |(_, minutes)| minutes.clone()))
    }

    /// Makes the samples of all tags known.
    pub(crate) fn load_all(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Ok(block) = &self.block else { return Ok(()) };
        for number in block.skeleton.numbers.clone() {
            self.load_group(connection, number)?;
            let (Ok(block), Some(Ok(group))) = (&self.block, self.groups.get_mut(&number)) else { continue };
            let decoded = group.decode(&block.skeleton, 0..group.columns.len(), true);
            self.decoded(number, decoded);
        }
        Ok(())
    }

    fn load_group(&mut self, connection: &Connection, number: u32) -> rusqlite::Result<()> {
        let Ok(block) = &self.block else { return Ok(()) };
        let Ok(place) = block.skeleton.numbers.binary_search(&number) else { return Ok(()) };
        if self.groups.contains_key(&number) {
            return Ok(());
        }
        let group = damage_apart(block.segment(connection, number))?.and_then(|segment| {
            let segment = segment.ok_or("no such segment")?;
            let columns = segment.entries.iter().map(|_| None).collect();
            Ok(Group { number: place, segment, columns, firsts: RefCell::default() })
        });
        self.groups.insert(number, group);
        Ok(())
    }

    fn decoded(&mut self, number: u32, decoded: Result<usize, String>) {
        match decoded {
            Ok(samples) => self.bytes += samples * SAMPLE_BYTES,
            Err(reason) => drop(self.groups.insert(number, Err(reason))),
        }
    }

    pub(crate) fn rare(&self) -> &[Rare] {
        self.block.as_ref().map_or(&[], |block| &block.skeleton.rare)
    }

    pub(crate) fn damaged(&self) -> Vec<Damage> {
        let BlockInfo { id, seq0, seq1, at0, .. } = self.info;
        let damage = |reason: String| Damage { first_seq: seq0, last_seq: seq1, at: at0, reason };
        let whole = self.block.as_ref().err().map(|reason| damage(format!("block {id}: {reason}")));
        let groups = self.groups.iter().filter_map(|(group, read)| read.as_ref().err().map(|reason| (group, reason)));
        let groups = groups.map(|(group, why)| damage(format!("tags {} in block {id}: {why}", block::tags_of(*group))));
        whole.into_iter().chain(groups).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn tags(&self) -> impl Iterator<Item = SealedTag<'_>> {
        let groups = self.groups.values().flatten();
        groups.flat_map(move |group| (0..group.columns.len()).filter_map(move |number| self.at(group, number)))
    }

    pub(crate) fn tag(&self, tag: TagId) -> Option<SealedTag<'_>> {
        let group = self.groups.get(&group_of(tag))?.as_ref().ok()?;
        self.at(group, group.segment.find(tag)?.0)
    }

    fn at<'a>(&'a self, group: &'a Group, number: usize) -> Option<SealedTag<'a>> {
        let skeleton = &self.block.as_ref().ok()?.skeleton;
        let (entry, column) = (group.segment.entries.get(number)?, group.columns.get(number)?.as_ref()?);
        Some(SealedTag { skeleton, group, number, entry, column })
    }
}

impl Group {
    /// The columns needed for a tag: its own, and for the numbers of its samples those of lower tags.
    fn columns_of(&self, tag: TagId, numbered: bool) -> Range<usize> {
        match self.segment.find(tag) {
            Some((place, _)) if numbered => 0..place + 1,
            Some((place, _)) => place..place + 1,
            None => 0..0,
        }
    }

    /// Decodes columns; how many samples were added is told.
    fn decode(&mut self, skeleton: &Skeleton, columns: Range<usize>, numbered: bool) -> Result<usize, String> {
        if numbered {
            let groups = skeleton.groups().map_err(|malformed| malformed.to_string())?;
            if groups[self.number].samples() != self.segment.samples() {
                return Err(Malformed("number of samples").to_string());
            }
        }
        self.firsts.get_mut().clear();
        let mut samples = 0;
        for (entry, column) in self.segment.entries[columns.clone()].iter().zip(&mut self.columns[columns]) {
            if column.is_none() {
                *column = Some(self.segment.column(entry, skeleton).map_err(|malformed| malformed.to_string())?);
                samples += entry.n;
            }
        }
        Ok(samples)
    }
}

impl SealedTag<'_> {
    pub(crate) fn tag(&self) -> TagId {
        self.entry.tag
    }

    pub(crate) fn len(&self) -> usize {
        self.column.places.len()
    }

    /// Do its source times never run backwards, appear or vanish within the block?
    pub(crate) fn is_ordered(&self) -> bool {
        self.entry.ordered
    }

    pub(crate) fn at(&self, i: usize) -> Timestamp {
        self.run(i).at
    }

    pub(crate) fn source_time(&self, i: usize) -> Option<Timestamp> {
        self.column.clock.source.get(self.column.places.get(i))
    }

    pub(crate) fn status(&self, i: usize) -> StatusCode {
        StatusCode(self.column.status.get(i))
    }

    pub(crate) fn number(&self, i: usize) -> Option<f64> {
        self.column.values.get(i).as_f64()
    }

    pub(crate) fn sample(&self, i: usize) -> Sample {
        Sample {
            tag: self.entry.tag,
            value: self.column.values.get(i),
            status: self.status(i),
            source_time: self.source_time(i),
            server_time: self.column.clock.server.get(self.column.places.get(i)),
        }
    }

    /// Its number, when it was loaded with numbers: a sample comes in its run after those of lower groups, of lower tags of its group, and of its tag before it.
    pub(crate) fn seq(&self, i: usize) -> u64 {
        let run = run_of(self.column, i);
        let mut firsts = self.group.firsts.borrow_mut();
        if firsts.len() >= RUNS_KEPT {
            firsts.clear();
        }
        let firsts = firsts.entry(run).or_insert_with(|| self.firsts(run));
        firsts[self.number] + i.saturating_sub(run_begin(self.column, run)) as u64
    }

    /// The number of the first sample in the run for each column of the group.
    fn firsts(&self, run: usize) -> Vec<u64> {
        let in_group = |group: &GroupRuns| u64::from(samples_in(&group.runs, &group.counts, run));
        let mut next = self.skeleton.runs[run].first_seq + self.lower_groups().iter().map(in_group).sum::<u64>();
        let number = |column: &Option<Column>| {
            let first = next;
            next += column.as_ref().map_or(0, |column| in_run(column, run)) as u64;
            first
        };
        self.group.columns.iter().map(number).collect()
    }

    fn lower_groups(&self) -> &[GroupRuns] {
        self.skeleton.groups().map_or(&[], |groups| &groups[..self.group.number])
    }

    /// The numbers of many samples, in one pass over what comes before them in their runs.
    pub(crate) fn seqs(&self, range: Range<usize>) -> Vec<u64> {
        let mut next: Vec<u64> = self.skeleton.runs.iter().map(|run| run.first_seq).collect();
        for group in self.lower_groups() {
            group.runs.iter().zip(&group.counts).for_each(|(run, count)| next[run] += u64::from(*count));
        }
        for column in self.group.columns[..self.number].iter().flatten() {
            (0..column.places.len()).for_each(|i| next[run_of(column, i)] += 1);
        }
        let number = |i| {
            let next = &mut next[run_of(self.column, i)];
            *next += 1;
            *next - 1
        };
        (0..range.end).map(number).skip(range.start).collect()
    }

    /// Does the whole block come after the input `seq`?
    pub(crate) fn is_behind(&self, seq: u64) -> bool {
        self.skeleton.info.seq0 > seq
    }

    /// Does the run of the sample end no later than with the input `seq`?
    pub(crate) fn run_ends_by(&self, i: usize, seq: u64) -> bool {
        let run = self.run(i);
        run.first_seq + u64::from(run.n) <= seq.saturating_add(1)
    }

    /// How many samples are numbered up to `seq`, when so many of them are of runs that end by then.
    pub(crate) fn up_to_seq(&self, seq: u64, whole_runs: usize) -> usize {
        (whole_runs..self.len()).find(|i| self.seq(*i) > seq).unwrap_or(self.len())
    }

    fn run(&self, i: usize) -> &Run {
        &self.skeleton.runs[run_of(self.column, i)]
    }
}

fn run_of(column: &Column, i: usize) -> usize {
    column.clock.runs[column.places.get(i)] as usize
}

/// The first sample of the column in this run or a later one.
fn run_begin(column: &Column, run: usize) -> usize {
    let (mut least, mut most) = (0, column.places.len());
    while least < most {
        let middle = least + (most - least) / 2;
        if run_of(column, middle) < run { least = middle + 1 } else { most = middle }
    }
    least
}

/// Samples of the column in this run.
fn in_run(column: &Column, run: usize) -> usize {
    let begin = run_begin(column, run);
    (begin..column.places.len()).take_while(|i| run_of(column, *i) == run).count()
}

/// Samples of a group in a run.
fn samples_in(runs: &block::Places, counts: &[u32], run: usize) -> u32 {
    let (mut least, mut most) = (0, runs.len());
    while least < most {
        let middle = least + (most - least) / 2;
        if runs.get(middle) < run { least = middle + 1 } else { most = middle }
    }
    if least < runs.len() && runs.get(least) == run { counts[least] } else { 0 }
}

/// Damage costs a part of the block; anything else is a failure to read.
fn damage_apart<T>(read: Result<T, Fault>) -> rusqlite::Result<Result<T, String>> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(Fault::Damaged(reason)) => Ok(Err(reason)),
        Err(Fault::Sqlite(error)) => Err(error),
    }
}
