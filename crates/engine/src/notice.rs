//! Notable events: what happened to the program or to its data, for the ordered list on the screen.

use crate::{Change, Step};
use lineside_model::{ConnectionId, GapReason, StatusCode, TagId, Text, Timestamp};

/// One notable event. Words for it come from the screen's catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Sequence number of the input that caused it.
    pub seq: u64,
    pub at: Timestamp,
    pub kind: NoticeKind,
    pub connection: Option<ConnectionId>,
    pub tag: Option<TagId>,
    /// The stretch of time it speaks of, where there is one.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// How many values were lost, where that is known.
    pub lost: Option<u64>,
    pub status: StatusCode,
    /// What the cause said of itself: an error, a shift's name, a clock step in seconds.
    pub detail: Text,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Lineside started; `from` is when it last lived.
    Started,
    LinkUp,
    LinkDown,
    SubscriptionLate,
    SubscriptionLive,
    ServerRestarted,
    ItemRefused,
    ItemAccepted,
    GapLinkDown,
    GapServerOverflow,
    GapClientOverflow,
    GapLostNotification,
    GapNotRunning,
    GapNotRecorded,
    GapSilent,
    /// History was asked for the values of a gap; `lost` is the number of values it gave.
    GapFilled,
    /// A server announced that it will shut down, or said that it does not run as it should.
    ServerNotRunning,
    ServerRunning,
    /// The service level fell below healthy; the detail is the level.
    ServerDegraded,
    ServerHealthy,
    /// Another server of the redundant set serves now; the detail is its endpoint.
    Failover,
    /// The clocks of server and PC differ; the detail is by how many seconds, with sign.
    ClockSkewed,
    ClockAgrees,
    /// The subscription lives, but its heartbeat stands still.
    HeartbeatLost,
    /// A server changed unit, range or texts of a node.
    MetaChanged,
    RecorderLagging,
    RecorderFailed,
    RecorderRecovered,
    ClockStepped,
    ShiftStarted,
}

impl NoticeKind {
    pub(crate) fn of_gap(reason: GapReason) -> NoticeKind {
        match reason {
            GapReason::LinkDown => NoticeKind::GapLinkDown,
            GapReason::ServerOverflow => NoticeKind::GapServerOverflow,
            GapReason::ClientOverflow => NoticeKind::GapClientOverflow,
            GapReason::LostNotification => NoticeKind::GapLostNotification,
            GapReason::NotRunning => NoticeKind::GapNotRunning,
            GapReason::NotRecorded => NoticeKind::GapNotRecorded,
            GapReason::Silent => NoticeKind::GapSilent,
        }
    }
}

impl Notice {
    pub(crate) fn on(self, connection: ConnectionId) -> Notice {
        Notice { connection: Some(connection), ..self }
    }

    /// It speaks of the time from `from` until now, if `from` is known.
    pub(crate) fn during(self, from: Option<Timestamp>) -> Notice {
        Notice { from, to: from.map(|_| self.at), ..self }
    }
}

impl Step<'_> {
    /// Notes an event of this step; `fill` adds what is particular to it.
    pub(crate) fn notice(&mut self, kind: NoticeKind, fill: impl FnOnce(Notice) -> Notice) {
        let plain = Notice {
            seq: self.seq,
            at: self.at,
            kind,
            connection: None,
            tag: None,
            from: None,
            to: None,
            lost: None,
            status: StatusCode::GOOD,
            detail: Text::default(),
        };
        self.changes.push(Change::Notice(fill(plain)));
    }
}
