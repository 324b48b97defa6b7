//! From inputs to a stamped, ordered batch, and from a batch to a new state: the same for live and replay.

use crate::clock::Clock;
use lineside_engine::{Change, Engine};
use lineside_model::{Batch, Input, Span, Timestamp};

/// Beyond this a difference between wall clock and monotonic clock is a step, not drift.
const CLOCK_STEP: Span = Span::from_secs(1);
/// A loop at rest asks for the time several times a second. Where it did not for so long, the computer slept.
const SLEPT: Span = Span::from_secs(5);
/// No step works for so long: the computer slept meanwhile.
const SLEPT_AT_WORK: Span = Span::from_secs(60);

/// Gives out stamps: times that never decrease and sequence numbers without holes.
pub struct Stamper {
    next_seq: u64,
    last_at: Timestamp,
    wall: Timestamp,
    monotonic: Span,
    /// Since when nothing has been done.
    resting: Span,
}

/// An instant as it is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: Timestamp,
    /// By how much the wall clock was set since the last one.
    pub clock_step: Option<Span>,
    /// From here to `at` nobody looked: the computer slept.
    pub slept_since: Option<Timestamp>,
}

impl Stamper {
    /// Continues after the input `last_seq`, stamped `last_at`.
    pub fn after(last_seq: u64, last_at: Timestamp, clock: &dyn Clock) -> Stamper {
        let monotonic = clock.monotonic();
        Stamper { next_seq: last_seq + 1, last_at, wall: clock.now(), monotonic, resting: monotonic }
    }

    /// The next stamp.
    ///
    /// While the wall clock is behind the last stamp (it was set back), stamps advance at half the speed
    /// of the monotonic clock: deadlines still fire, and the wall clock catches up.
    pub fn now(&mut self, clock: &dyn Clock) -> Stamp {
        let (wall, monotonic) = (clock.now(), clock.monotonic());
        let elapsed = monotonic - self.monotonic;
        let step = Span((wall - self.wall).0.saturating_sub(elapsed.0));
        (self.wall, self.monotonic) = (wall, monotonic);
        let slept = monotonic - self.resting > SLEPT || elapsed > SLEPT_AT_WORK;
        let before = self.last_at;
        self.last_at = wall.max(self.last_at + Span(elapsed.0.max(0) / 2));
        Stamp {
            at: self.last_at,
            clock_step: (step.0.saturating_abs() > CLOCK_STEP.0).then_some(step),
            slept_since: slept.then_some(before),
        }
    }

    /// What the last stamp was for is done. How long that took is no sleep.
    pub fn rest(&mut self, clock: &dyn Clock) {
        self.resting = clock.monotonic();
    }

    /// The batch of these inputs at `at`: the instant last given out, or one between it and the batch before.
    pub fn batch(&mut self, mut inputs: Vec<Input>, at: Timestamp) -> Batch {
        order(&mut inputs);
        let first_seq = self.next_seq;
        self.next_seq += inputs.len() as u64;
        Batch { first_seq, at, inputs }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimClock;

    #[test]
    fn stamps() {
        let secs = Span::from_secs;
        // time that passes, how the wall clock is set, what the next stamp says: seconds on, step, slept for
        let rows = [
            ("work", secs(6), secs(0), (6, None, None)),
            ("a sleep at work", secs(61), secs(0), (61, None, Some(61))),
            ("a moment", secs(1), secs(0), (1, None, None)),
            ("the clock is put on", secs(1), secs(3600), (3601, Some(3600), None)),
            ("the clock is put back", secs(1), secs(-3600), (0, Some(-3600), None)),
            ("a slow step", secs(5), secs(0), (5, None, None)),
            ("the computer slept", secs(6), secs(0), (6, None, Some(6))),
            ("for a night", secs(30_000), secs(0), (30_000, None, Some(30_000))),
            ("slept, and the clock was set", secs(600), secs(-60), (540, Some(-60), Some(540))),
        ];
        for (name, passes, set, (on, step, slept)) in rows {
            let start = Timestamp(1_000_000_000_000_000);
            let clock = SimClock::new(start);
            let mut stamper = Stamper::after(0, start, &clock);
            clock.advance(passes);
            clock.set_wall(set);
            if name.contains("work") {
                stamper.rest(&clock);
            }
            let stamp = stamper.now(&clock);
            let half = set < secs(-passes.0 / 1_000_000_000); // behind: half the speed of the monotonic clock
            let at = if half { start + Span(passes.0 / 2) } else { start + secs(on) };
            assert_eq!((stamp.at, stamp.clock_step), (at, step.map(secs)), "{name}");
            assert_eq!(stamp.slept_since.map(|since| stamp.at - since), slept.map(secs), "{name}");
        }
    }
}
