//! From the rows of a block back to its batches, one at a time.

use super::LOST_TAGS;
use super::segment::{Column, Segment};
use super::skeleton::Skeleton;
use lineside_model::archive::Malformed;
use lineside_model::{Batch, Input, Sample, StatusCode, TagId, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;

/// A stretch of a block.
#[derive(Debug)]
pub(crate) enum Piece {
    Batch(Batch),
    /// Samples of a group whose segment is lost.
    Lost {
        first: u64,
        last: u64,
        at: Timestamp,
        reason: Arc<str>,
    },
}

/// The batches of a block in order. A batch from which samples are lost comes in parts, with what is lost between.
#[derive(Debug)]
pub(crate) struct Pieces {
    skeleton: Arc<Skeleton>,
    /// For each sample in order: its column, or, from [`LOST`] on, why it is lost.
    order: Vec<u32>,
    columns: Vec<TagRows>,
    reasons: Vec<Arc<str>>,
    next_sample: usize,
    next_rare: usize,
    next_batch: usize,
    /// Pieces of the last batch that have not been handed out.
    ready: VecDeque<Piece>,
}

/// The columns of a tag, and how many of its samples have been handed out.
#[derive(Debug)]
struct TagRows {
    tag: TagId,
    next: usize,
    column: Column,
}

/// In the order of samples: from here on they are lost.
const LOST: u32 = 1 << 31;

impl Pieces {
    /// `segments`: for each group of the skeleton its segment, or why it cannot be read.
    pub(crate) fn new(skeleton: Arc<Skeleton>, segments: Vec<Result<Segment, String>>) -> Result<Pieces, Malformed> {
        skeleton.groups()?; // without it nothing has its place
        let samples = skeleton.runs.iter().map(|run| run.n as usize).sum();
        let mut starts = Vec::with_capacity(skeleton.runs.len());
        let mut start = 0;
        for run in &skeleton.runs {
            starts.push(start);
            start += run.n as usize;
        }
        let mut pieces = Pieces {
            order: vec![LOST; samples],
            columns: Vec::new(),
            reasons: Vec::new(),
            next_sample: 0,
            next_rare: 0,
            next_batch: 0,
            ready: VecDeque::new(),
            skeleton,
        };
        for (number, segment) in segments.into_iter().enumerate() {
            let taken =
                segment.and_then(|segment| pieces.place(number, &segment, &mut starts).map_err(|m| m.to_string()));
            if let Err(reason) = taken {
                pieces.lose(number, reason, &mut starts)?;
            }
        }
        Ok(pieces)
    }

    /// Puts the samples of the group with this number into their places; `starts` are the next free ones of each run.
    fn place(&mut self, number: usize, segment: &Segment, starts: &mut [usize]) -> Result<(), Malformed> {
        let skeleton = self.skeleton.clone();
        let group = &skeleton.groups()?[number];
        let wrong = Malformed("number of samples in a run");
        if segment.samples() != group.samples() {
            return Err(wrong);
        }
        let columns = segment
            .entries
            .iter()
            .map(|entry| Ok(TagRows { tag: entry.tag, next: 0, column: segment.column(entry, &skeleton)? }))
            .collect::<Result<Vec<_>, Malformed>>()?;
        let mut left = vec![0u32; skeleton.runs.len()];
        group.runs.iter().zip(&group.counts).for_each(|(run, count)| left[run] = *count);
        for rows in &columns {
            let mut before = 0;
            for place in rows.column.places.iter() {
                let run = rows.column.clock.runs[place] as usize;
                if run < before {
                    return Err(Malformed("order of a clock"));
                }
                before = run;
                left[run] = left[run].checked_sub(1).ok_or(wrong)?;
            }
        }
        for rows in columns {
            let column = self.columns.len() as u32;
            for place in rows.column.places.iter() {
                let start = &mut starts[rows.column.clock.runs[place] as usize];
                self.order[*start] = column;
                *start += 1;
            }
            self.columns.push(rows);
        }
        Ok(())
    }

    fn lose(&mut self, number: usize, reason: String, starts: &mut [usize]) -> Result<(), Malformed> {
        let group = &self.skeleton.groups()?[number];
        let mark = LOST + self.reasons.len() as u32;
        for (run, count) in group.runs.iter().zip(&group.counts) {
            self.order[starts[run]..][..*count as usize].fill(mark);
            starts[run] += *count as usize;
        }
        let (tags, info) = (super::tags_of(group.group), &self.skeleton.info);
        self.reasons.push(format!("{LOST_TAGS}{tags} in block {}: {reason}", info.id).into());
        Ok(())
    }

    /// Leaves out what lies up to the input `seq`.
    pub(crate) fn skip_to(&mut self, seq: u64) {
        let skeleton = self.skeleton.clone();
        while let Some(batch) = skeleton.batches.get(self.next_batch)
            && batch.first_seq + u64::from(batch.n) <= seq + 1
        {
            for seq in batch.first_seq..batch.first_seq + u64::from(batch.n) {
                if skeleton.rare.get(self.next_rare).is_some_and(|rare| rare.seq == seq) {
                    self.next_rare += 1;
                    continue;
                }
                if let Some(rows) = self.columns.get_mut(self.order[self.next_sample] as usize) {
                    rows.next += 1;
                }
                self.next_sample += 1;
            }
            self.next_batch += 1;
        }
    }

    /// The first and the last sequence number of the piece that comes next.
    pub(crate) fn peek(&mut self) -> Option<(u64, u64)> {
        self.fill();
        self.ready.front().map(|piece| match piece {
            Piece::Batch(batch) => (batch.first_seq, batch.last_seq()),
            Piece::Lost { first, last, .. } => (*first, *last),
        })
    }

    fn fill(&mut self) {
        if !self.ready.is_empty() {
            return;
        }
        let skeleton = self.skeleton.clone();
        let Some(head) = skeleton.batches.get(self.next_batch) else { return };
        self.next_batch += 1;
        let end = head.first_seq + u64::from(head.n);
        let mut batch = Batch { first_seq: head.first_seq, at: head.at, inputs: Vec::with_capacity(head.n as usize) };
        for seq in head.first_seq..end {
            match self.input(seq, &skeleton) {
                Ok(input) => batch.inputs.push(input),
                Err(reason) => self.lost(seq, &mut batch, reason),
            }
        }
        if !batch.inputs.is_empty() {
            self.ready.push_back(Piece::Batch(batch));
        }
    }

    /// The input with this number; they are asked for one after another.
    fn input(&mut self, seq: u64, skeleton: &Skeleton) -> Result<Input, Arc<str>> {
        if let Some(rare) = skeleton.rare.get(self.next_rare).filter(|rare| rare.seq == seq) {
            self.next_rare += 1;
            return Ok(rare.input.clone());
        }
        let number = self.order[self.next_sample];
        self.next_sample += 1;
        let Some(rows) = self.columns.get_mut(number as usize) else {
            return Err(self.reasons[(number - LOST) as usize].clone());
        };
        let i = rows.next;
        rows.next += 1;
        let Column { clock, places, status, values } = &rows.column;
        let place = places.get(i);
        Ok(Input::Sample(Sample {
            tag: rows.tag,
            value: values.get(i),
            status: StatusCode(status.get(i)),
            source_time: clock.source.get(place),
            server_time: clock.server.get(place),
        }))
    }

    /// Ends the part of the batch so far; what follows begins a new one.
    fn lost(&mut self, seq: u64, batch: &mut Batch, reason: Arc<str>) {
        let next = Batch { first_seq: seq + 1, at: batch.at, inputs: Vec::new() };
        let part = std::mem::replace(batch, next);
        if !part.inputs.is_empty() {
            self.ready.push_back(Piece::Batch(part));
        }
        match self.ready.back_mut() {
            Some(Piece::Lost { last, reason: before, .. }) if *last + 1 == seq && *before == reason => *last = seq,
            _ => self.ready.push_back(Piece::Lost { first: seq, last: seq, at: batch.at, reason }),
        }
    }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        self.fill();
        self.ready.pop_front()
    }
}
