//! When a value grows too old, for every tag that has an expected age.
//!
//! A tag stands in the queue at most once. A new value does not move its entry: the entry fires at the
//! old time, finds the value renewed, and moves itself on. So a sample costs no queue operation, and the
//! queue may wake the loop early, which changes nothing.

use crate::index::Index;
use crate::{Change, Engine, Step};
use lineside_model::state::TagState;
use lineside_model::{PlantState, TagId, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Clone)]
pub(crate) struct Deadlines {
    queue: BinaryHeap<Reverse<(Timestamp, TagId)>>,
    queued: Vec<bool>,
}

impl Deadlines {
    /// The deadlines that lie in a state.
    pub(crate) fn of(state: &PlantState, index: &Index) -> Deadlines {
        let mut deadlines = Deadlines { queue: BinaryHeap::new(), queued: vec![false; state.tags.len()] };
        for (id, tag) in (0u32..).map(TagId).zip(&state.tags) {
            if let Some(due) = due(index, id, tag) {
                deadlines.watch(id, due);
            }
        }
        deadlines
    }

    /// Wakes for `tag` at `due`, unless an earlier waking is already planned.
    pub(crate) fn watch(&mut self, tag: TagId, due: Timestamp) {
        if !std::mem::replace(&mut self.queued[tag.0 as usize], true) {
            self.queue.push(Reverse((due, tag)));
        }
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }

    pub(crate) fn pop(&mut self) -> Option<TagId> {
        let Reverse((_, tag)) = self.queue.pop()?;
        self.queued[tag.0 as usize] = false;
        Some(tag)
    }
}

impl Engine {
    /// The planned waking for `tag` has come: it is late, or was renewed and is planned again.
    pub(crate) fn fire_age(&mut self, tag: TagId, step: &mut Step) {
        let state = &mut self.state.tags[tag.0 as usize];
        let Some(due) = due(&self.index, tag, state) else { return };
        if due > step.at {
            self.deadlines.watch(tag, due);
            return;
        }
        state.late = true;
        state.changed_seq = step.seq;
        step.changes.push(Change::Tag(tag));
        let units = self.index.uses(tag).map(|place| Change::Unit(self.index.use_at(place).0));
        step.changes.extend(units);
    }
}

/// When the value that is there grows too old; `None`: never, or it already is.
fn due(index: &Index, id: TagId, tag: &TagState) -> Option<Timestamp> {
    let max_age = index.max_age(id).filter(|_| !tag.late)?;
    Some(tag.received? + max_age)
}
