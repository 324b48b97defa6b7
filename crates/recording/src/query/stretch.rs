//! What lies between one keyframe and the next, decoded and sorted by tag.

use super::places::Place;
use crate::{OpenError, Row, ShiftFile};
use lineside_model::{Input, Sample, TagId, Timestamp};
use std::collections::BTreeMap;

/// A sample with its number and the time at which it was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub seq: u64,
    pub at: Timestamp,
    pub sample: Sample,
}

/// Inputs that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub first_seq: u64,
    pub last_seq: u64,
    /// The last stamp before them that is known.
    pub at: Timestamp,
    pub reason: String,
}

/// A stretch of a recording.
pub(crate) struct Stretch {
    after: u64,
    /// Sequence number of the keyframe that ends it; `None`: it goes as far as the file did.
    until: Option<u64>,
    /// The very first input: time begins with it in a state that nothing is known of.
    first: Option<(u64, Timestamp, Input)>,
    /// Everything that is no sample.
    rare: Vec<(u64, Timestamp, Input)>,
    tags: BTreeMap<TagId, TagSamples>,
    damaged: Vec<Damage>,
    bytes: usize,
}

/// The samples of one tag, in replay order.
#[derive(Default)]
pub(crate) struct TagSamples {
    pub(crate) all: Vec<Received>,
    /// Places at which source times run backwards, appear or vanish, against the sample before.
    turns: Vec<usize>,
}

impl Stretch {
    /// Reads what follows the input `after`, up to the keyframe at `until`.
    pub(crate) fn read(file: &ShiftFile, after: u64, until: Option<u64>) -> Result<Stretch, OpenError> {
        let mut stretch = Stretch {
            after,
            until,
            first: None,
            rare: Vec::new(),
            tags: BTreeMap::new(),
            damaged: Vec::new(),
            bytes: size_of::<Stretch>(),
        };
        let end = until.unwrap_or(u64::MAX);
        let mut at = Timestamp::MIN;
        for row in file.rows(after) {
            match row? {
                Row::Batch(batch) if batch.first_seq > end => break,
                Row::Batch(batch) => {
                    at = batch.at;
                    for (seq, input) in (batch.first_seq..).zip(batch.inputs) {
                        stretch.push(seq, at, input);
                    }
                }
                // The keyframe of the stretch itself comes first, the next one ends it.
                Row::Keyframe { seq, .. } if seq > after => break,
                Row::Damaged { first_seq, .. } if first_seq > end => break,
                Row::Damaged { first_seq, last_seq, at: noted, reason } => {
                    stretch.damaged.push(Damage { first_seq, last_seq, at: noted.unwrap_or(at).max(at), reason });
                }
                Row::Keyframe { .. } | Row::Digest { .. } => {}
            }
        }
        Ok(stretch)
    }

    fn push(&mut self, seq: u64, at: Timestamp, input: Input) {
        if self.first.is_none() {
            self.first = Some((seq, at, input.clone()));
        }
        match input {
            Input::Sample(sample) => {
                self.bytes += size_of::<Received>();
                self.tags.entry(sample.tag).or_default().push(Received { seq, at, sample });
            }
            other => {
                self.bytes += size_of::<(u64, Timestamp, Input)>();
                self.rare.push((seq, at, other));
            }
        }
    }

    /// The sequence number that it follows.
    pub(crate) fn after(&self) -> u64 {
        self.after
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Does it still end where the next of these keyframes stands?
    pub(crate) fn is_whole(&self, places: &[Place]) -> bool {
        let next = places.iter().find(|place| place.seq > self.after).map(|place| place.seq);
        self.until.is_some() && self.until == next
    }

    pub(crate) fn first(&self) -> Option<&(u64, Timestamp, Input)> {
        self.first.as_ref()
    }

    pub(crate) fn rare(&self) -> &[(u64, Timestamp, Input)] {
        &self.rare
    }

    pub(crate) fn damaged(&self) -> &[Damage] {
        &self.damaged
    }

    pub(crate) fn tags(&self) -> impl Iterator<Item = (TagId, &TagSamples)> {
        self.tags.iter().map(|(tag, samples)| (*tag, samples))
    }

    pub(crate) fn samples(&self, tag: TagId) -> &[Received] {
        self.tags.get(&tag).map_or(&[], |samples| &samples.all)
    }
}

impl TagSamples {
    fn push(&mut self, received: Received) {
        if self.all.last().is_some_and(|last| turns(last.sample.source_time, received.sample.source_time)) {
            self.turns.push(self.all.len());
        }
        self.all.push(received);
    }

    /// Is there a turn behind the place `first` and before the place `end`?
    pub(crate) fn turns_within(&self, first: usize, end: usize) -> bool {
        let next = self.turns.partition_point(|turn| *turn <= first);
        self.turns.get(next).is_some_and(|turn| *turn < end)
    }
}

/// Do source times run backwards, appear or vanish from one sample to the next?
pub(crate) fn turns(before: Option<Timestamp>, after: Option<Timestamp>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => after < before,
        (before, after) => before.is_some() != after.is_some(),
    }
}
