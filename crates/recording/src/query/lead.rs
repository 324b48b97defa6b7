//! What leads exactly from a state to a later instant, without what no longer matters there.
//!
//! The rule (docs/REPLAY.md, Exact seek): every input that is no sample counts; every sample counts of a tag that something
//! is computed from; of any other tag only the last sample before the instant counts, because each one that the engine
//! takes replaces the one before completely. The engine takes it for certain as long as source times do not run backwards
//! (`engine/src/tags.rs`): where they do, appear or vanish, every sample of that tag counts.

use super::part::{Damage, Part, TagView, turns};
use lineside_model::state::PlantState;
use lineside_model::{Input, TagId, Timestamp};
use std::collections::BTreeMap;

/// Inputs to apply, in order, and then `advance_to` the instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lead {
    /// A keyframe of the recording lies between: begin from this state instead.
    pub base: Option<PlantState>,
    /// Sequence number, stamp, input; in replay order. Numbers have holes where a sample does not matter.
    pub inputs: Vec<(u64, Timestamp, Input)>,
    /// What cannot be read on the way: the state reached is then not known to be the one that was.
    pub damaged: Vec<Damage>,
}

/// Collects part by part.
pub(crate) struct Builder<'a> {
    from: &'a PlantState,
    until: Timestamp,
    needs_every: &'a dyn Fn(TagId) -> bool,
    lead: Lead,
    /// Source time of the last sample of each tag in the parts before.
    last: BTreeMap<TagId, Option<Timestamp>>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(from: &'a PlantState, until: Timestamp, needs_every: &'a dyn Fn(TagId) -> bool) -> Builder<'a> {
        Builder { from, until, needs_every, lead: Lead::default(), last: BTreeMap::new() }
    }

    /// Takes what counts of a part all of whose tags have been loaded.
    pub(crate) fn take(&mut self, part: &Part) {
        let (after, until) = (self.from.seq, self.until);
        let rare = part.rare().iter().filter(|rare| rare.seq > after && rare.at <= until);
        self.lead.inputs.extend(rare.map(|rare| (rare.seq, rare.at, rare.input.clone())));
        if after == 0 {
            // With the first input time begins.
            self.lead.inputs.extend(part.input(1).filter(|(_, at, _)| *at <= until));
        }
        for samples in part.tags() {
            self.take_tag(samples);
        }
        let met = |damage: &Damage| damage.last_seq > after && damage.at <= until;
        self.lead.damaged.extend(part.damaged().into_iter().filter(met));
    }

    fn take_tag(&mut self, samples: TagView<'_>) {
        let tag = samples.tag();
        let end = samples.count(|i| samples.at(i) <= self.until);
        let first = samples.up_to_seq(self.from.seq);
        if first >= end {
            return;
        }
        let new = samples.source_time(first);
        let begun = match self.last.get(&tag) {
            Some(last) => turns(*last, new),
            // A value without a source time cannot make a sample old.
            None => self.shown(tag).is_some_and(|shown| new.is_some_and(|new| new < shown)),
        };
        let every = begun || (self.needs_every)(tag) || samples.turns_within(first, end);
        let begin = if every { first } else { end - 1 };
        let taken = samples.range(begin, end).into_iter();
        self.lead.inputs.extend(taken.map(|received| (received.seq, received.at, Input::Sample(received.sample))));
        self.last.insert(tag, samples.source_time(end - 1));
    }

    /// The source time of the value that the state shows.
    fn shown(&self, tag: TagId) -> Option<Timestamp> {
        self.from.tags.get(tag.0 as usize).and_then(|tag| tag.source_time)
    }

    pub(crate) fn finish(mut self) -> Lead {
        self.lead.inputs.sort_by_key(|(seq, ..)| *seq);
        self.lead.inputs.dedup_by_key(|(seq, ..)| *seq);
        self.lead
    }
}
