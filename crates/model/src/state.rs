//! What is known of the plant at one moment: plain data, complete, and the same whether it was reached
//! by living through the shift, by replaying it, or by reading a keyframe.
//!
//! The engine changes it; the recording stores it (`archive`); the view shows it.

use crate::config::PlantConfig;
use crate::input::{Gap, LinkState, SubscriptionState};
use crate::report::{LinkReport, NodeMeta};
use crate::{Mode, PackState, Span, StatusCode, Text, Timestamp, Value};
use std::collections::VecDeque;

/// Rates are averaged over buckets of this length for the small curves on the unit cards.
pub const RATE_BUCKET: Span = Span::from_secs(10);
/// How many rate buckets are kept: ten minutes.
pub const RATE_BUCKETS: usize = 60;
/// The line's output is noted once per bucket of this length.
pub const OUTPUT_BUCKET: Span = Span::from_secs(60);
/// State intervals older than this are forgotten; the recording has them.
pub const INTERVAL_HORIZON: Span = Span::from_secs(24 * 3600);
/// Never more intervals than this for one unit, however fast its state flickers.
pub const INTERVALS_MAX: usize = 4_000;
/// Never more gaps or notices than this; the recording has them all.
pub const GAPS_MAX: usize = 500;
/// Never more changes of one link than this; the recording has them all.
pub const LINK_EVENTS_MAX: usize = 50;

/// The whole state of the model.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PlantState {
    /// The instant up to which deadlines have been fired.
    pub at: Timestamp,
    /// Sequence number of the last input applied; 0 before the first.
    pub seq: u64,
    /// Indexed by `TagId`.
    pub tags: Vec<TagState>,
    /// Indexed by `ConnectionId`.
    pub links: Vec<LinkHealth>,
    /// Indexed by `UnitId`.
    pub units: Vec<UnitStatus>,
    pub output: Vec<OutputPoint>,
    pub shift: Option<Shift>,
    pub recorder: RecorderState,
    /// Sum of wall-clock steps met, nanoseconds.
    pub clock_stepped_ns: i64,
    /// Newest last.
    pub gaps: VecDeque<KnownGap>,
    /// Start of the bucket now filling, for rates.
    pub rate_bucket: Timestamp,
    /// Start of the bucket now filling, for the output.
    pub output_bucket: Timestamp,
}

/// A gap, and what was found for it afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KnownGap {
    pub gap: Gap,
    /// Values read from the server's history.
    pub filled: u64,
    /// Tags whose history covered it.
    pub tags: u32,
    /// Tags without a history; 0 with `tags` 0: nothing was asked for, or the answer is not complete yet.
    pub tags_without: u32,
}

/// One change of a link, for its history.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LinkEvent {
    pub at: Timestamp,
    pub state: LinkState,
    pub status: StatusCode,
    pub detail: Text,
}

/// One tag: its last value as received, and what is known about its freshness.
#[derive(Clone, Debug, PartialEq)]
pub struct TagState {
    /// Before scaling, as received.
    pub value: Value,
    /// As received; `BAD_WAITING_FOR_INITIAL_DATA` before the first value.
    pub status: StatusCode,
    pub source_time: Option<Timestamp>,
    pub server_time: Option<Timestamp>,
    /// When Lineside took it in; `None` before the first value.
    pub received: Option<Timestamp>,
    /// The server's answer to our request to monitor the node. Bad: refused.
    pub item: StatusCode,
    /// Not renewed within the age that the configuration expects.
    pub late: bool,
    /// A value has come since the present subscription was made. Until then the value is only the last
    /// one known, however well the link stands.
    pub confirmed: bool,
    /// What the server says of the node; `None` before it was asked.
    pub meta: Option<Box<NodeMeta>>,
    /// Sequence number of the input that last changed anything here; not part of the digest.
    pub changed_seq: u64,
}

impl Default for TagState {
    fn default() -> TagState {
        TagState {
            value: Value::Empty,
            status: StatusCode::BAD_WAITING_FOR_INITIAL_DATA,
            source_time: None,
            server_time: None,
            received: None,
            item: StatusCode::GOOD,
            late: false,
            confirmed: false,
            meta: None,
            changed_seq: 0,
        }
    }
}

/// A connection to a server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LinkHealth {
    pub state: LinkState,
    pub since: Timestamp,
    /// Why it is down; Good while it is up.
    pub status: StatusCode,
    pub detail: Text,
    pub subscription: SubscriptionState,
    pub subscription_since: Timestamp,
    /// The server's own name, once it said so.
    pub product: Text,
    pub simulated: bool,
    pub server_started: Option<Timestamp>,
    /// The last facts told.
    pub report: LinkReport,
    /// When they were told; `None` before the first.
    pub reported: Option<Timestamp>,
    /// Changes of the link, newest last.
    pub history: VecDeque<LinkEvent>,
}

/// What the recorder says of itself.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum RecorderState {
    /// Nothing is recorded (a replay session, or recording is switched off).
    #[default]
    Off,
    Recording,
    /// It writes, but is behind by this much.
    Lagging(Span),
    /// It cannot write. The text is for people.
    Failed(Text),
}

/// A shift as it really lies in time.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shift {
    pub name: Text,
    pub start: Timestamp,
    pub end: Timestamp,
    pub crew: Option<Text>,
    /// Planned in the calendar; otherwise this stretch lies outside every shift.
    pub scheduled: bool,
}

/// One machine of the line.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnitStatus {
    pub state: PackState,
    /// The value was there and good, but outside the mapping.
    pub unmapped: bool,
    pub state_since: Timestamp,
    pub mode: Mode,
    pub mode_since: Timestamp,
    /// Products per minute, scaled; `None` while not known.
    pub rate_per_min: Option<f64>,
    pub good: Counter,
    pub reject: Counter,
    /// Means of the speed in the last buckets, oldest first; `None`: not known in that bucket.
    pub rates: VecDeque<Option<f64>>,
    /// Sum of rate x seconds, and seconds known, in the bucket now filling.
    pub rate_sum: f64,
    pub rate_secs: f64,
    /// Since when `rate_per_min` holds; what `rate_sum` has counted up to.
    pub rate_from: Timestamp,
    /// Finished and current intervals of (state, mode), oldest first, without holes.
    pub intervals: VecDeque<Interval>,
}

/// A stretch of constant state. It ends where the next begins; the last is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Interval {
    pub start: Timestamp,
    pub state: PackState,
    pub mode: Mode,
    /// False: nothing is known of this stretch, whatever `state` was before it.
    pub known: bool,
}

/// A counter of products: what the machine counted, made fit for adding up.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Counter {
    /// Last raw reading that was believed, and its source time.
    pub base: Option<(i64, Timestamp)>,
    /// The last reading that was not believed, until a later one confirms or contradicts its level.
    pub doubted: Option<(i64, Timestamp)>,
    /// Products since the start of the shift.
    pub total: u64,
    /// Part of `total` that was counted across an outage: how many is known, when is not.
    pub across_gaps: u64,
    /// Resets and rollovers met in this shift.
    pub resets: u32,
    /// Readings not believed in this shift (implausible jump, time running backwards).
    pub rejected: u32,
    /// The current reading cannot be used (bad quality, wrong type, link down).
    pub unusable: bool,
}

/// The line's output at one moment of the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct OutputPoint {
    pub at: Timestamp,
    /// Products since the start of the shift; `None`: not known at that moment.
    pub total: Option<u64>,
}

impl PlantState {
    /// Nothing known yet, for this plant.
    pub fn new(config: &PlantConfig) -> PlantState {
        PlantState {
            tags: vec![TagState::default(); config.tags.len()],
            links: vec![LinkHealth::default(); config.connections.len()],
            units: vec![UnitStatus::default(); config.units.len()],
            ..PlantState::default()
        }
    }
}
