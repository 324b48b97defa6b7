//! What a block holds beside the columns of its tags: its batches, the rare inputs in full, the clocks that tags
//! share, and how many samples each group has in each run. With it alone it is known which sequence number belongs to
//! which batch, run and group, also where a segment is lost.
//!
//! A run is a longest stretch of samples within a batch whose tags do not descend. Within it the samples of lower
//! tags come first, and those of one tag in the order of its column.

use super::clock::{self, Clock, Places};
use super::column::ints;
use super::{BlockInfo, FORM};
use crate::codec::bytes::{Source, put_varint};
use crate::codec::{RARE, rare};
use lineside_model::archive::Malformed;
use lineside_model::{Input, Timestamp};
use std::sync::{Arc, OnceLock};

/// Everything of a block but its segments.
#[derive(Debug)]
pub(crate) struct Skeleton {
    pub(crate) info: BlockInfo,
    pub(crate) batches: Vec<BatchHead>,
    /// Inputs that are no samples, in order.
    pub(crate) rare: Vec<Rare>,
    pub(crate) runs: Vec<Run>,
    pub(crate) clocks: Vec<Arc<Clock>>,
    /// The groups that have samples here, ascending.
    pub(crate) numbers: Vec<u32>,
    groups: OnceLock<Result<Vec<GroupRuns>, Malformed>>,
    /// What they are read from.
    rest: Vec<u8>,
}

impl Skeleton {
    /// Samples of all groups.
    pub(crate) fn samples(&self) -> usize {
        self.runs.iter().map(|run| run.n as usize).sum()
    }

    /// What each of `numbers` has in which run. Read only when numbers of samples are asked for: a line is drawn without.
    pub(crate) fn groups(&self) -> Result<&[GroupRuns], Malformed> {
        let read = || take_groups(&mut Source(&self.rest), &self.numbers, &self.runs);
        self.groups.get_or_init(read).as_ref().map(Vec::as_slice).map_err(|malformed| *malformed)
    }
}

/// A batch without its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BatchHead {
    pub(crate) first_seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) n: u32,
}

/// An input that is not a sample.
#[derive(Clone, Debug)]
pub(crate) struct Rare {
    pub(crate) seq: u64,
    /// The stamp of its batch.
    pub(crate) at: Timestamp,
    pub(crate) input: Input,
}

/// A stretch of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) first_seq: u64,
    pub(crate) n: u32,
    pub(crate) at: Timestamp,
}

/// In which runs a group has samples, and how many.
#[derive(Clone, Debug)]
pub(crate) struct GroupRuns {
    pub(crate) group: u32,
    pub(crate) runs: Places,
    pub(crate) counts: Vec<u32>,
}

impl GroupRuns {
    /// Samples of the group in the block.
    pub(crate) fn samples(&self) -> usize {
        self.counts.iter().map(|n| *n as usize).sum()
    }
}

/// The same as [`Skeleton`] on its way into the file.
pub(crate) struct Parts<'a> {
    pub(crate) at: &'a [i64],
    pub(crate) n: &'a [u32],
    /// Places of the rare inputs, counted from the first input of the block.
    pub(crate) rare_places: &'a [i64],
    pub(crate) rare_bytes: &'a [u8],
    /// Places at which a run begins behind another.
    pub(crate) breaks: &'a [i64],
    /// Stamp of each run.
    pub(crate) run_at: &'a [i64],
    pub(crate) clocks: &'a [Clock],
    /// Group, its runs, its samples in each.
    pub(crate) groups: &'a [(u32, Vec<u32>, Vec<u32>)],
}

/// The bytes of a skeleton.
pub(crate) fn encode(parts: &Parts<'_>) -> Vec<u8> {
    let mut out = vec![FORM];
    put_varint(&mut out, parts.at.len() as u64);
    ints::put(&mut out, parts.at);
    ints::put_u32(&mut out, parts.n.iter().copied());
    put_varint(&mut out, parts.rare_places.len() as u64);
    ints::put(&mut out, parts.rare_places);
    out.extend_from_slice(parts.rare_bytes);
    put_varint(&mut out, parts.breaks.len() as u64);
    ints::put(&mut out, parts.breaks);
    put_varint(&mut out, parts.clocks.len() as u64);
    for clock in parts.clocks {
        put_varint(&mut out, clock.runs.len() as u64);
        clock::put(&mut out, clock, |run| parts.run_at[run as usize]);
    }
    put_varint(&mut out, parts.groups.len() as u64);
    ints::put_u32(&mut out, parts.groups.iter().map(|(group, ..)| *group));
    for (_, runs, counts) in parts.groups {
        put_varint(&mut out, runs.len() as u64);
        clock::put_places(&mut out, runs, parts.run_at.len());
        ints::put_u32(&mut out, counts.iter().copied());
    }
    out
}

/// What [`encode`] made for the block `info`.
pub(crate) fn decode(info: BlockInfo, body: &[u8]) -> Result<Skeleton, Malformed> {
    let mut from = Source(body);
    if from.byte()? != FORM {
        return Err(Malformed("form of the block: not known to this program"));
    }
    let n = info.inputs().ok_or(Malformed("number of inputs"))?;
    let batches = take_batches(&mut from, &info, n)?;
    let places = take_counted(&mut from, n)?;
    let rare = take_rare(&mut from, &info, &batches, &places)?;
    let breaks = take_counted(&mut from, n)?;
    let runs = runs(&info, &batches, &places, &breaks)?;
    let samples = n - rare.len();
    let clocks = take_clocks(&mut from, samples, &runs)?;
    let numbers = take_numbers(&mut from, samples)?;
    Ok(Skeleton { info, batches, rare, runs, clocks, numbers, groups: OnceLock::new(), rest: from.0.to_vec() })
}

fn take_batches(from: &mut Source<'_>, info: &BlockInfo, n: usize) -> Result<Vec<BatchHead>, Malformed> {
    let count = take_count(from, n)?;
    let at = ints::take(from, count)?;
    let sizes = ints::take_u32(from, count)?;
    let mut first_seq = info.seq0;
    let mut batches = Vec::with_capacity(count);
    for (at, n) in at.into_iter().zip(sizes) {
        let left = info.seq1 + 1 - first_seq;
        if n == 0 || u64::from(n) > left {
            return Err(Malformed("number of inputs of a batch"));
        }
        batches.push(BatchHead { first_seq, at: Timestamp(at), n });
        first_seq += u64::from(n);
    }
    if first_seq == info.seq1 + 1 { Ok(batches) } else { Err(Malformed("number of inputs of a batch")) }
}

fn take_count(from: &mut Source<'_>, most: usize) -> Result<usize, Malformed> {
    let count = usize::try_from(from.varint()?).unwrap_or(usize::MAX);
    if count > most { Err(Malformed("count")) } else { Ok(count) }
}

/// Places within a block of `n`, ascending.
fn take_counted(from: &mut Source<'_>, n: usize) -> Result<Vec<i64>, Malformed> {
    let count = take_count(from, n)?;
    let places = ints::take(from, count)?;
    let within = places.iter().all(|place| (0..n as i64).contains(place));
    if within && places.windows(2).all(|pair| pair[0] < pair[1]) { Ok(places) } else { Err(Malformed("place")) }
}

fn take_rare(
    from: &mut Source<'_>,
    info: &BlockInfo,
    batches: &[BatchHead],
    places: &[i64],
) -> Result<Vec<Rare>, Malformed> {
    let mut all = Vec::new();
    for place in places {
        let seq = info.seq0 + *place as u64;
        let behind = batches.partition_point(|batch| batch.first_seq <= seq);
        let at = batches.get(behind.wrapping_sub(1)).ok_or(Malformed("place"))?.at;
        let head = from.byte()?;
        if head & RARE == 0 {
            return Err(Malformed("kind of input"));
        }
        all.push(Rare { seq, at, input: rare::take(head, from)? });
    }
    Ok(all)
}

/// The runs follow from where batches, rare inputs and breaks lie.
fn runs(info: &BlockInfo, batches: &[BatchHead], rare: &[i64], breaks: &[i64]) -> Result<Vec<Run>, Malformed> {
    let mut rare = rare.iter().map(|place| info.seq0 + *place as u64).peekable();
    let mut breaks = breaks.iter().map(|place| info.seq0 + *place as u64).peekable();
    let mut runs = Vec::new();
    for batch in batches {
        let mut first_seq = batch.first_seq;
        let end = first_seq + u64::from(batch.n);
        while first_seq < end {
            if rare.next_if_eq(&first_seq).is_some() {
                first_seq += 1;
                continue;
            }
            let next_rare = rare.peek().copied().unwrap_or(end);
            let next_break = breaks.next_if(|place| *place > first_seq && *place < end.min(next_rare));
            let next = next_break.unwrap_or(end.min(next_rare));
            runs.push(Run { first_seq, n: (next - first_seq) as u32, at: batch.at });
            first_seq = next;
        }
    }
    // A break where no run is, or at its beginning.
    if breaks.next().is_some() { Err(Malformed("place of a run")) } else { Ok(runs) }
}

fn take_clocks(from: &mut Source<'_>, samples: usize, runs: &[Run]) -> Result<Vec<Arc<Clock>>, Malformed> {
    // Every entry of a clock is the time of a sample, and every sample has one clock.
    let mut left = samples;
    let mut clocks = Vec::new();
    for _ in 0..take_count(from, samples)? {
        let entries = take_count(from, left)?;
        left -= entries;
        let at = |run: u32| runs.get(run as usize).map(|run| run.at.0);
        clocks.push(Arc::new(clock::take(from, entries, at)?));
    }
    Ok(clocks)
}

fn take_numbers(from: &mut Source<'_>, samples: usize) -> Result<Vec<u32>, Malformed> {
    let count = take_count(from, samples.min(super::GROUPS as usize))?;
    let numbers = ints::take_u32(from, count)?;
    if !numbers.windows(2).all(|pair| pair[0] < pair[1]) || numbers.last().is_some_and(|last| *last >= super::GROUPS) {
        return Err(Malformed("number of a group"));
    }
    Ok(numbers)
}

fn take_groups(from: &mut Source<'_>, numbers: &[u32], runs: &[Run]) -> Result<Vec<GroupRuns>, Malformed> {
    let mut groups = Vec::with_capacity(numbers.len());
    let mut free: Vec<u32> = runs.iter().map(|run| run.n).collect();
    let mut left: usize = runs.iter().map(|run| run.n as usize).sum();
    for group in numbers.iter().copied() {
        let n = take_count(from, left.min(runs.len()))?;
        let places = clock::take_places(from, n, runs.len())?;
        let counts = ints::take_u32(from, n)?;
        for (run, count) in places.iter().zip(&counts) {
            // No run has more samples than its groups together.
            free[run] = free[run].checked_sub(*count).ok_or(Malformed("number of samples"))?;
            left = left.checked_sub(*count as usize).ok_or(Malformed("number of samples"))?;
        }
        groups.push(GroupRuns { group, runs: places, counts });
    }
    if left > 0 {
        return Err(Malformed("number of samples"));
    }
    if from.0.is_empty() { Ok(groups) } else { Err(Malformed("trailing bytes")) }
}
