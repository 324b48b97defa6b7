//! The plant as a pure state machine: stamped inputs in, state and changes out.
//!
//! The state is a function of the configuration, the state begun with, and the inputs with their
//! stamps. Nothing here reads a clock, draws a random number or depends on the order of a hash map, so
//! living through a shift, replaying it, and going on from a keyframe end in the same state. Bad input
//! is a state, never an error: ids that the configuration does not have are passed over.
//!
//! The engine does no I/O, keeps no history beyond what [`PlantState`] lists, and formats nothing.

mod buckets;
mod counter;
mod deadlines;
mod digest;
mod index;
mod intervals;
mod life;
mod links;
mod notice;
mod reports;
mod tags;
mod trust;
mod units;

pub use counter::{Delta, delta};
pub use notice::{Notice, NoticeKind, UNIT_INTERVAL};
pub use trust::{Trust, scaled, trust};

use deadlines::Deadlines;
use index::Index;
use lineside_model::{ConnectionId, Input, PlantConfig, PlantState, Span, TagId, Timestamp, UnitId};
use std::sync::Arc;

/// What a step changed, for views. The same inputs give the same changes in the same order.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Value, quality, times, lateness or acceptance of a tag.
    Tag(TagId),
    /// State, mode, rate or counters of a unit.
    Unit(UnitId),
    /// The intervals of a unit.
    Strip(UnitId),
    /// The list of output points.
    Output,
    /// Health of a connection; the trust of all of its tags may have changed with it.
    Link(ConnectionId),
    /// Facts of a connection, gaps and what filled them; no value and no trust changed.
    Report(ConnectionId),
    /// What a server says of a node: unit, range, texts.
    Meta(TagId),
    Recorder,
    Shift,
    /// Something notable happened. The state does not keep it.
    Notice(Notice),
}

/// The state machine: configuration, state, and what is derived from the two.
#[derive(Clone)]
pub struct Engine {
    config: Arc<PlantConfig>,
    state: PlantState,
    index: Arc<Index>,
    deadlines: Deadlines,
}

/// The step under way: what changes are stamped with, and where they go.
struct Step<'a> {
    seq: u64,
    at: Timestamp,
    changes: &'a mut Vec<Change>,
}

impl Engine {
    /// Begins with nothing known.
    pub fn new(config: Arc<PlantConfig>) -> Engine {
        let state = PlantState::new(&config);
        Engine::from_state(config, state)
    }

    /// Goes on from `state`, e.g. a keyframe. Lists that do not fit the configuration are cut or filled
    /// with "nothing known"; deadlines are found again from the state.
    pub fn from_state(config: Arc<PlantConfig>, mut state: PlantState) -> Engine {
        state.tags.resize_with(config.tags.len(), Default::default);
        state.links.resize_with(config.connections.len(), Default::default);
        state.units.resize_with(config.units.len(), Default::default);
        let index = Arc::new(Index::new(&config));
        let deadlines = Deadlines::of(&state, &index);
        Engine { config, state, index, deadlines }
    }

    /// Fires what is due up to and including `at`, each at its own time, in order. An `at` before the
    /// state's own does nothing. Where the calls fall between two inputs changes nothing.
    pub fn advance_to(&mut self, at: Timestamp, changes: &mut Vec<Change>) {
        if at <= self.state.at {
            return;
        }
        if self.state.seq == 0 {
            self.begin_buckets(at); // nothing is known yet: no bucket before the first input
        }
        while let Some(due) = self.next_deadline().filter(|due| *due <= at) {
            self.fire(due, at, changes);
        }
        self.state.at = at;
    }

    /// Applies one input. `seq` counts from 1 without holes. If `at` is later than the state's own,
    /// deadlines are fired up to it first; if it is earlier, the state's own is used.
    pub fn apply(&mut self, seq: u64, at: Timestamp, input: &Input, changes: &mut Vec<Change>) {
        self.advance_to(at, changes);
        self.state.seq = seq;
        let mut step = Step { seq, at: self.state.at, changes };
        match input {
            Input::Sample(sample) => self.on_sample(sample, &mut step),
            Input::Item { tag, status } => self.on_item(*tag, *status, &mut step),
            Input::Link { connection, state, status, detail } => {
                self.on_link(*connection, *state, *status, detail, &mut step);
            }
            Input::Subscription { connection, state } => self.on_subscription(*connection, *state, &mut step),
            Input::Server { connection, product, simulated, started } => {
                self.on_server(*connection, product, *simulated, *started, &mut step);
            }
            Input::Meta { tag, meta } => self.on_meta(*tag, meta, &mut step),
            Input::Report { connection, report } => self.on_report(*connection, report, &mut step),
            Input::Gap(gap) => self.on_gap(*gap, &mut step),
            Input::Fill(fill) => self.on_fill(fill, &mut step),
            Input::FillEnded(result) => self.on_fill_ended(result, &mut step),
            Input::Shift(shift) => self.on_shift(shift, &mut step),
            Input::Recorder(state) => self.on_recorder(state, &mut step),
            Input::ClockStep { by_ns } => self.on_clock_step(*by_ns, &mut step),
            Input::Started { stopped } => self.on_started(*stopped, &mut step),
        }
    }

    /// When something may be due next. It may name a time at which nothing will have changed; it never
    /// names one too late.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.state.seq == 0 {
            return None;
        }
        let rates = buckets::end_of_rates(&self.state);
        let output = buckets::end_of_output(&self.state);
        [self.deadlines.next(), rates, output].into_iter().flatten().min()
    }

    /// All that is known now.
    pub fn state(&self) -> &PlantState {
        &self.state
    }

    /// The configuration in force.
    pub fn config(&self) -> &Arc<PlantConfig> {
        &self.config
    }

    /// Does every sample of the tag count for the state, or only the last one? (Of a tag that nothing is computed from,
    /// the state keeps the last value; see `tags` for which one is the last.)
    pub fn needs_every(&self, tag: TagId) -> bool {
        !self.index.uses(tag).is_empty()
    }

    /// XXH3-64 over all fields of the state in the order of the archive, without `changed_seq` of the
    /// tags. Equal states have equal digests on every machine.
    pub fn digest(&self) -> u64 {
        digest::digest(&self.state)
    }

    /// Fires what falls on `due`; `horizon` is how far time will advance now.
    fn fire(&mut self, due: Timestamp, horizon: Timestamp, changes: &mut Vec<Change>) {
        self.state.at = self.state.at.max(due);
        let mut step = Step { seq: self.state.seq, at: self.state.at, changes };
        if buckets::end_of_rates(&self.state) == Some(due) {
            self.end_rate_bucket(due, horizon, &mut step);
        } else if buckets::end_of_output(&self.state) == Some(due) {
            self.end_output_bucket(due, horizon, &mut step);
        } else if let Some(tag) = self.deadlines.pop() {
            self.fire_age(tag, &mut step);
        }
    }
}

/// Is `source` a believable time for something that was heard of at `at` and came after `floor`? If
/// not, it happened when it was heard of. Clocks of machines are often wrong; order never is.
fn believed(source: Option<Timestamp>, at: Timestamp, floor: Timestamp) -> Timestamp {
    const OLDEST: Span = Span::from_secs(24 * 3600);
    source.filter(|s| *s <= at && *s >= floor && at - *s <= OLDEST).unwrap_or(at)
}
