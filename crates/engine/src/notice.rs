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

/// What happened. The numbers stand in recordings: they never change, and new kinds get new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum NoticeKind {
    /// Lineside started; `from` is when it last lived.
    Started = 0,
    LinkUp = 1,
    LinkDown = 2,
    SubscriptionLate = 3,
    SubscriptionLive = 4,
    ServerRestarted = 5,
    ItemRefused = 6,
    ItemAccepted = 7,
    GapLinkDown = 8,
    GapServerOverflow = 9,
    GapClientOverflow = 10,
    GapLostNotification = 11,
    GapNotRunning = 12,
    GapNotRecorded = 13,
    GapSilent = 14,
    /// History was asked for the values of a gap; `lost` is the number of values it gave.
    GapFilled = 15,
    /// A server announced that it will shut down, or said that it does not run as it should.
    ServerNotRunning = 16,
    ServerRunning = 17,
    /// The service level fell below healthy; the detail is the level.
    ServerDegraded = 18,
    ServerHealthy = 19,
    /// Another server of the redundant set serves now; the detail is its endpoint.
    Failover = 20,
    /// The clocks of server and PC differ; the detail is by how many seconds, with sign.
    ClockSkewed = 21,
    ClockAgrees = 22,
    /// The subscription lives, but its heartbeat stands still.
    HeartbeatLost = 23,
    /// A server changed unit, range or texts of a node.
    MetaChanged = 24,
    RecorderLagging = 25,
    RecorderFailed = 26,
    RecorderRecovered = 27,
    ClockStepped = 28,
    ShiftStarted = 29,
}

/// In the index of events of a recording: the start of a stretch of constant state of a unit. Notices have smaller numbers.
pub const UNIT_INTERVAL: u16 = 1_000;

impl NoticeKind {
    /// All kinds; the index is the number in recordings.
    pub const ALL: [NoticeKind; 30] = [
        NoticeKind::Started,
        NoticeKind::LinkUp,
        NoticeKind::LinkDown,
        NoticeKind::SubscriptionLate,
        NoticeKind::SubscriptionLive,
        NoticeKind::ServerRestarted,
        NoticeKind::ItemRefused,
        NoticeKind::ItemAccepted,
        NoticeKind::GapLinkDown,
        NoticeKind::GapServerOverflow,
        NoticeKind::GapClientOverflow,
        NoticeKind::GapLostNotification,
        NoticeKind::GapNotRunning,
        NoticeKind::GapNotRecorded,
        NoticeKind::GapSilent,
        NoticeKind::GapFilled,
        NoticeKind::ServerNotRunning,
        NoticeKind::ServerRunning,
        NoticeKind::ServerDegraded,
        NoticeKind::ServerHealthy,
        NoticeKind::Failover,
        NoticeKind::ClockSkewed,
        NoticeKind::ClockAgrees,
        NoticeKind::HeartbeatLost,
        NoticeKind::MetaChanged,
        NoticeKind::RecorderLagging,
        NoticeKind::RecorderFailed,
        NoticeKind::RecorderRecovered,
        NoticeKind::ClockStepped,
        NoticeKind::ShiftStarted,
    ];

    /// The number in recordings.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The kind with this number; `None` for those of later programs.
    pub fn of_number(number: u16) -> Option<NoticeKind> {
        NoticeKind::ALL.get(usize::from(number)).copied()
    }

    /// Why values are missing, if that is what the notice says.
    pub fn gap_reason(self) -> Option<GapReason> {
        GapReason::ALL.into_iter().find(|reason| NoticeKind::of_gap(*reason) == self)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_kinds_stay() {
        for (number, kind) in (0u16..).zip(NoticeKind::ALL) {
            assert_eq!((kind.number(), NoticeKind::of_number(number)), (number, Some(kind)));
        }
        assert_eq!(NoticeKind::of_number(NoticeKind::ALL.len() as u16), None);
        // Files have these.
        let rows = [(NoticeKind::Started, 0), (NoticeKind::GapLinkDown, 8), (NoticeKind::GapSilent, 14)];
        for (kind, number) in rows.into_iter().chain([(NoticeKind::HeartbeatLost, 23), (NoticeKind::ShiftStarted, 29)])
        {
            assert_eq!(kind.number(), number, "{kind:?}");
        }
        assert_eq!(NoticeKind::GapSilent.gap_reason(), Some(GapReason::Silent));
        assert_eq!(NoticeKind::Started.gap_reason(), None);
    }
}
