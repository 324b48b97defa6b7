//! From inputs to a stamped, ordered batch, and from a batch to a new state: the same for live and replay.

use crate::clock::Clock;
use lineside_engine::{Change, Engine};
use lineside_model::{Batch, Input, Span, Timestamp};

/// Beyond this a difference between wall clock and monotonic clock is a step, not drift.
const CLOCK_STEP: Span = Span::from_secs(1);

/// Gives out stamps: times that never decrease and sequence numbers without holes.
pub struct Stamper {
    next_seq: u64,
    last_at: Timestamp,
    wall: Timestamp,
    monotonic: Span,
}

impl Stamper {
    /// Continues after the input `last_seq`, stamped `last_at`.
    pub fn after(last_seq: u64, last_at: Timestamp, clock: &dyn Clock) -> Stamper {
        Stamper { next_seq: last_seq + 1, last_at, wall: clock.now(), monotonic: clock.monotonic() }
    }

    /// The next stamp, and by how much the wall clock was set since the last one.
    ///
    /// While the wall clock is behind the last stamp (it was set back), stamps advance at half the speed
    /// of the monotonic clock: deadlines still fire, and the wall clock catches up.
    pub fn now(&mut self, clock: &dyn Clock) -> (Timestamp, Option<Span>) {
        let (wall, monotonic) = (clock.now(), clock.monotonic());
        let elapsed = monotonic - self.monotonic;
        let step = Span((wall - self.wall).0.saturating_sub(elapsed.0));
        (self.wall, self.monotonic) = (wall, monotonic);
        self.last_at = wall.max(self.last_at + Span(elapsed.0.max(0) / 2));
        (self.last_at, (step.0.saturating_abs() > CLOCK_STEP.0).then_some(step))
    }

    /// The batch of these inputs at the instant last given out.
    pub fn batch(&mut self, mut inputs: Vec<Input>) -> Batch {
        order(&mut inputs);
        let first_seq = self.next_seq;
        self.next_seq += inputs.len() as u64;
        Batch { first_seq, at: self.last_at, inputs }
    }
}

/// Orders each run of samples by (tag, source time). Other inputs stay where they are: a link that went
/// down between two samples is between them in the batch too.
fn order(inputs: &mut [Input]) {
    let is_sample = |input: &Input| matches!(input, Input::Sample(_));
    for run in inputs.chunk_by_mut(|a, b| is_sample(a) && is_sample(b)) {
        run.sort_by_key(|input| match input {
            Input::Sample(sample) => (sample.tag.0, sample.source_time),
            _ => (0, None),
        });
    }
}

/// Applies a batch: deadlines up to its instant first, then its inputs in order.
pub fn apply(engine: &mut Engine, batch: &Batch, changes: &mut Vec<Change>) {
    engine.advance_to(batch.at, changes);
    for (seq, input) in (batch.first_seq..).zip(&batch.inputs) {
        engine.apply(seq, batch.at, input, changes);
    }
}
