//! A part of a recording, decoded as far as it was asked for: a sealed block, or the journal rows between two keyframes.
//! Both answer the same questions in the same way.

use super::journal::JournalPart;
use super::sealed::{BlockPart, SealedTag};
use crate::Minute;
use crate::block::{Rare, buckets};
use lineside_model::{Input, Sample, TagId, Timestamp};

/// A sample with its number and the time at which it was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub seq: u64,
    pub at: Timestamp,
    pub sample: Sample,
}

/// Inputs that cannot be read, or not all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub first_seq: u64,
    pub last_seq: u64,
    /// No later than the first of them.
    pub at: Timestamp,
    pub reason: String,
}

/// A part of a recording.
pub(crate) enum Part {
    Journal(Box<JournalPart>),
    Block(Box<BlockPart>),
}

/// The samples of one tag in a part, in replay order.
#[derive(Clone, Copy)]
pub(crate) enum TagView<'a> {
    Rows { tag: TagId, all: &'a [Received] },
    Sealed(SealedTag<'a>),
}

impl Part {
    /// Everything that is no sample, in order.
    pub(crate) fn rare(&self) -> &[Rare] {
        match self {
            Part::Journal(part) => &part.rare,
            Part::Block(part) => part.rare(),
        }
    }

    /// What is damaged, as far as it was met.
    pub(crate) fn damaged(&self) -> Vec<Damage> {
        match self {
            Part::Journal(part) => part.damaged.clone(),
            Part::Block(part) => part.damaged(),
        }
    }

    /// The tags that have samples here, as far as they were loaded.
    pub(crate) fn tags(&self) -> Box<dyn Iterator<Item = TagView<'_>> + '_> {
        match self {
            Part::Journal(part) => {
                Box::new(part.tags.iter().map(|(tag, all)| TagView::Rows { tag: *tag, all: all.as_slice() }))
            }
            Part::Block(part) => Box::new(part.tags().map(TagView::Sealed)),
        }
    }

    /// The samples of a tag that was loaded; `None`: there are none.
    pub(crate) fn tag(&self, tag: TagId) -> Option<TagView<'_>> {
        match self {
            Part::Journal(part) => part.tags.get(&tag).map(|all| TagView::Rows { tag, all: all.as_slice() }),
            Part::Block(part) => part.tag(tag).map(TagView::Sealed),
        }
    }

    /// The minutes of a tag whose overview was loaded; `None`: they must be found from its samples.
    pub(crate) fn overview(&self, tag: TagId) -> Option<Vec<Minute>> {
        match self {
            Part::Journal(_) => None,
            Part::Block(part) => part.overview(tag),
        }
    }

    /// The minutes of a tag that was loaded.
    pub(crate) fn minutes(&self, tag: TagId) -> Vec<Minute> {
        let Some(samples) = self.tag(tag) else { return Vec::new() };
        let all: Vec<_> = (0..samples.len()).map(|i| (samples.at(i).0, samples.sample(i))).collect();
        buckets(all.iter().map(|(at, sample)| (*at, sample.status.0, &sample.value)))
    }

    /// The first input of all, if it is `seq`; all tags must have been loaded.
    pub(crate) fn input(&self, seq: u64) -> Option<(u64, Timestamp, Input)> {
        if let Some(rare) = self.rare().first().filter(|rare| rare.seq == seq) {
            return Some((rare.seq, rare.at, rare.input.clone()));
        }
        let found = self.tags().find(|tag| tag.len() > 0 && tag.seq(0) == seq)?;
        Some(found.input(0))
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Part::Journal(part) => part.bytes,
            Part::Block(part) => part.bytes(),
        }
    }
}

impl TagView<'_> {
    pub(crate) fn tag(&self) -> TagId {
        match self {
            TagView::Rows { tag, .. } => *tag,
            TagView::Sealed(sealed) => sealed.tag(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            TagView::Rows { all, .. } => all.len(),
            TagView::Sealed(sealed) => sealed.len(),
        }
    }

    pub(crate) fn seq(&self, i: usize) -> u64 {
        match self {
            TagView::Rows { all, .. } => all[i].seq,
            TagView::Sealed(sealed) => sealed.seq(i),
        }
    }

    pub(crate) fn at(&self, i: usize) -> Timestamp {
        match self {
            TagView::Rows { all, .. } => all[i].at,
            TagView::Sealed(sealed) => sealed.at(i),
        }
    }

    pub(crate) fn source_time(&self, i: usize) -> Option<Timestamp> {
        match self {
            TagView::Rows { all, .. } => all[i].sample.source_time,
            TagView::Sealed(sealed) => sealed.source_time(i),
        }
    }

    /// The value as a number that can be drawn.
    pub(crate) fn number(&self, i: usize) -> Option<f64> {
        let (value, status) = match self {
            TagView::Rows { all, .. } => (all[i].sample.value.as_f64(), all[i].sample.status),
            TagView::Sealed(sealed) => (sealed.number(i), sealed.status(i)),
        };
        value.filter(|number| !number.is_nan() && !status.is_bad())
    }

    fn sample(&self, i: usize) -> Sample {
        match self {
            TagView::Rows { all, .. } => all[i].sample.clone(),
            TagView::Sealed(sealed) => sealed.sample(i),
        }
    }

    pub(crate) fn received(&self, i: usize) -> Received {
        match self {
            TagView::Rows { all, .. } => all[i].clone(),
            TagView::Sealed(sealed) => Received { seq: sealed.seq(i), at: sealed.at(i), sample: sealed.sample(i) },
        }
    }

    /// Samples `first` to `end`, the last not included.
    pub(crate) fn range(&self, first: usize, end: usize) -> Vec<Received> {
        /// From so many on, numbers are found in one pass.
        const MANY: usize = 8;
        match self {
            TagView::Sealed(sealed) if end - first >= MANY => {
                let numbers = (first..end).zip(sealed.seqs(first..end));
                numbers.map(|(i, seq)| Received { seq, at: sealed.at(i), sample: sealed.sample(i) }).collect()
            }
            _ => (first..end).map(|i| self.received(i)).collect(),
        }
    }

    pub(crate) fn input(&self, i: usize) -> (u64, Timestamp, Input) {
        let Received { seq, at, sample } = self.received(i);
        (seq, at, Input::Sample(sample))
    }

    /// How many samples come before that fulfil `before`, which no sample does behind one that does not.
    pub(crate) fn count(&self, before: impl Fn(usize) -> bool) -> usize {
        let (mut least, mut most) = (0, self.len());
        while least < most {
            let middle = least + (most - least) / 2;
            if before(middle) { least = middle + 1 } else { most = middle }
        }
        least
    }

    /// How many samples are numbered up to `seq`.
    pub(crate) fn up_to_seq(&self, seq: u64) -> usize {
        match self {
            TagView::Rows { all, .. } => all.partition_point(|received| received.seq <= seq),
            TagView::Sealed(sealed) if sealed.is_behind(seq) => 0,
            TagView::Sealed(sealed) => sealed.up_to_seq(seq, self.count(|i| sealed.run_ends_by(i, seq))),
        }
    }

    /// Do source times run backwards, appear or vanish among these samples?
    pub(crate) fn turns_within(&self, first: usize, end: usize) -> bool {
        let ordered = matches!(self, TagView::Sealed(sealed) if sealed.is_ordered());
        !ordered && (first + 1..end).any(|i| turns(self.source_time(i - 1), self.source_time(i)))
    }
}

/// Do source times run backwards, appear or vanish from one sample to the next?
pub(crate) fn turns(before: Option<Timestamp>, after: Option<Timestamp>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => after < before,
        (before, after) => before.is_some() != after.is_some(),
    }
}
