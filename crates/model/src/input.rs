//! What happens to the plant model: a closed list of causes. Live and replay enter through it.

use crate::report::{Fill, FillResult, LinkReport, NodeMeta};
use crate::state::{RecorderState, Shift};
use crate::{ConnectionId, StatusCode, TagId, Text, Timestamp, Value};
use std::sync::Arc;

/// One value of one tag, as the server sent it, before scaling.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub tag: TagId,
    pub value: Value,
    pub status: StatusCode,
    /// When the value was produced at its origin; what charts and KPIs use.
    pub source_time: Option<Timestamp>,
    /// When the server got it or knew it to be valid.
    pub server_time: Option<Timestamp>,
}

/// Is there a session with the server?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum LinkState {
    /// No connection, and the next attempt is due later.
    #[default]
    Down = 0,
    /// An attempt is under way.
    Connecting = 1,
    /// Session active.
    Up = 2,
}

/// Do notifications flow? A link that is up proves nothing about the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum SubscriptionState {
    /// There is no subscription.
    #[default]
    None = 0,
    /// Publish responses arrive in time.
    Live = 1,
    /// Nothing, not even a keep-alive, for longer than the server promised.
    Late = 2,
    /// Publish responses arrive, but the heartbeat stands still: what comes is not current.
    Frozen = 3,
}

impl SubscriptionState {
    /// All states; the index is the number in recordings.
    pub const ALL: [SubscriptionState; 4] =
        [SubscriptionState::None, SubscriptionState::Live, SubscriptionState::Late, SubscriptionState::Frozen];
}

/// What a gap covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum GapScope {
    Tag(TagId),
    Connection(ConnectionId),
    /// All of the plant: Lineside did not run or did not record.
    #[default]
    Plant,
}

/// Why values are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum GapReason {
    /// The link to the server was down.
    #[default]
    LinkDown = 0,
    /// The server's queue for the item overflowed.
    ServerOverflow = 1,
    /// Our own queue was full.
    ClientOverflow = 2,
    /// Sequence numbers were missing and Republish did not bring them.
    LostNotification = 3,
    /// Lineside was not running.
    NotRunning = 4,
    /// Lineside ran, but the recorder could not write.
    NotRecorded = 5,
    /// The subscription went silent while the link was up.
    Silent = 6,
}

impl GapReason {
    /// All reasons; the index is the number in recordings.
    pub const ALL: [GapReason; 7] = [
        GapReason::LinkDown,
        GapReason::ServerOverflow,
        GapReason::ClientOverflow,
        GapReason::LostNotification,
        GapReason::NotRunning,
        GapReason::NotRecorded,
        GapReason::Silent,
    ];
}

/// A stretch of time in which values are missing. Never drawn through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Gap {
    pub scope: GapScope,
    pub from: Timestamp,
    pub to: Timestamp,
    pub reason: GapReason,
    /// How many values, where that is known.
    pub lost: Option<u64>,
}

/// One cause of change.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Sample(Sample),
    /// The link to a server changed. `status` and `detail` say why.
    Link {
        connection: ConnectionId,
        state: LinkState,
        status: StatusCode,
        detail: Text,
    },
    /// The flow of notifications from a server changed.
    Subscription {
        connection: ConnectionId,
        state: SubscriptionState,
    },
    /// A server said who it is. `simulated` is true only for Lineside's own simulated plant.
    Server {
        connection: ConnectionId,
        product: Text,
        simulated: bool,
        started: Option<Timestamp>,
    },
    /// The server accepted (Good) or refused the monitored item of a tag.
    Item {
        tag: TagId,
        status: StatusCode,
    },
    /// What a server says of the node of a tag.
    Meta {
        tag: TagId,
        meta: Arc<NodeMeta>,
    },
    /// Facts of a connection: at every change that matters, and every few seconds.
    Report {
        connection: ConnectionId,
        report: Arc<LinkReport>,
    },
    Gap(Gap),
    /// Values for a gap that was told before.
    Fill(Arc<Fill>),
    /// All that there is for a gap has been told.
    FillEnded(FillResult),
    /// A shift began. Boundaries are computed outside and recorded, so that replay needs no time zone rules.
    Shift(Shift),
    Recorder(RecorderState),
    /// The wall clock was set, by this many nanoseconds.
    ClockStep {
        by_ns: i64,
    },
    /// Lineside started; it last lived at `stopped`. All links are down from then on.
    Started {
        stopped: Option<Timestamp>,
    },
}

/// Inputs that were stamped together. Input `i` has sequence number `first_seq + i`.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub first_seq: u64,
    /// When Lineside took them in. Never decreases from batch to batch.
    pub at: Timestamp,
    pub inputs: Vec<Input>,
}

impl Batch {
    /// The sequence number of the last input.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + (self.inputs.len() as u64).saturating_sub(1)
    }
}
