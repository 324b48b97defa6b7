//! What leads exactly from a state to a later instant, without what no longer matters there.
//!
//! The rule (docs/REPLAY.md, Exact seek): every input that is no sample counts; every sample counts of a tag that something
//! is computed from; of any other tag only the last sample before the instant counts, because each one that the engine
//! takes replaces the one before completely. The engine takes it for certain as long as source times do not run backwards
//! (`engine/src/tags.rs`): where they do, appear or vanish, every sample of that tag counts.

use super::stretch::{Damage, Stretch, TagSamples, turns};
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

/// Collects stretch by stretch.
pub(crate) struct Builder<'a> {
    from: &'a PlantState,
    until: Timestamp,
    needs_every: &'a dyn Fn(TagId) -> bool,
    lead: Lead,
    /// Source time of the last sample of each tag in the stretches before.
    last: BTreeMap<TagId, Option<Timestamp>>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(from: &'a PlantState, until: Timestamp, needs_every: &'a dyn Fn(TagId) -> bool) -> Builder<'a> {
        Builder { from, until, needs_every, lead: Lead::default(), last: BTreeMap::new() }
    }

    pub(crate) fn take(&mut self, stretch: &Stretch) {
        let (after, until) = (self.from.seq, self.until);
        let counts = |(seq, at, _): &&(u64, Timestamp, Input)| *seq > after && *at <= until;
        self.lead.inputs.extend(stretch.rare().iter().filter(counts).cloned());
        if stretch.after() == 0 {
            self.lead.inputs.extend(stretch.first().filter(counts).cloned()); // with it time begins
        }
        for (tag, samples) in stretch.tags() {
            self.take_tag(tag, samples);
        }
        let met = |damage: &&Damage| damage.last_seq > after && damage.at <= until;
        self.lead.damaged.extend(stretch.damaged().iter().filter(met).cloned());
    }

    fn take_tag(&mut self, tag: TagId, samples: &TagSamples) {
        let all = &samples.all;
        let first = all.partition_point(|received| received.seq <= self.from.seq);
        let end = all.partition_point(|received| received.at <= self.until);
        if first >= end {
            return;
        }
        let begun = match self.last.get(&tag) {
            Some(last) => turns(*last, all[first].sample.source_time),
            // A value without a source time cannot make a sample old.
            None => self.shown(tag).is_some_and(|shown| all[first].sample.source_time.is_some_and(|new| new < shown)),
        };
        let every = begun || samples.turns_within(first, end) || (self.needs_every)(tag);
        let begin = if every { first } else { end - 1 };
        let taken = all[begin..end].iter();
        let taken = taken.map(|received| (received.seq, received.at, Input::Sample(received.sample.clone())));
        self.lead.inputs.extend(taken);
        self.last.insert(tag, all[end - 1].sample.source_time);
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
