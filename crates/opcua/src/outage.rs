//! When values were missing: from the last sign of life before an outage to the first one after it.
//!
//! Times are the server's publish times, so a gap fits the source times of the values around it. However
//! many attempts lie between, one outage is one gap.

use lineside_model::{ConnectionId, Gap, GapReason, GapScope, Timestamp};

/// What is known of one connection's outages; outlives its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outages {
    connection: ConnectionId,
    last_heard: Option<Timestamp>,
    open: Option<(Timestamp, GapReason)>,
}

impl Outages {
    pub(crate) fn new(connection: ConnectionId) -> Outages {
        Outages { connection, last_heard: None, open: None }
    }

    /// The flow of notifications ended. Before the first one there is nothing to miss.
    pub(crate) fn began(&mut self, reason: GapReason) {
        self.open = self.open.or(self.last_heard.map(|from| (from, reason)));
    }

    /// A notification (or keep-alive) was published by the server at `time`: the gap that it ends, if any.
    pub(crate) fn heard(&mut self, time: Option<Timestamp>) -> Option<Gap> {
        let time = time?;
        self.last_heard = Some(time);
        let (from, reason) = self.open.take()?;
        Some(self.gap(from, time, reason))
    }

    /// The flow goes on where it ended: every message was there, so nothing was missed.
    pub(crate) fn bridged(&mut self) {
        self.open = None;
    }

    /// Are values missing, and nothing came since?
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// A message that came late, of `time`, was fetched; it ends no gap.
    pub(crate) fn fetched(&mut self, time: Option<Timestamp>) {
        self.last_heard = time.or(self.last_heard);
    }

    /// Messages between the last one heard and the one of `time` are lost for good.
    pub(crate) fn lost_before(&self, time: Option<Timestamp>) -> Option<Gap> {
        let to = time.or(self.last_heard)?;
        Some(self.gap(self.last_heard.unwrap_or(to), to, GapReason::LostNotification))
    }

    fn gap(&self, from: Timestamp, to: Timestamp, reason: GapReason) -> Gap {
        // A server whose clock was set back: the gap has no length, but it is there.
        Gap { scope: GapScope::Connection(self.connection), from, to: to.max(from), reason, lost: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outage_is_one_gap_however_many_attempts() {
        let at = |second: i64| Some(Timestamp::from_millis(second * 1000));
        let mut outages = Outages::new(ConnectionId(3));
        let gap = |from: i64, to: i64, reason| {
            Some(Gap {
                scope: GapScope::Connection(ConnectionId(3)),
                from: Timestamp::from_millis(from * 1000),
                to: Timestamp::from_millis(to * 1000),
                reason,
                lost: None,
            })
        };
        outages.began(GapReason::LinkDown);
        assert_eq!(outages.heard(at(10)), None, "nothing was missed before the first value");
        assert_eq!(outages.heard(at(11)), None);
        outages.began(GapReason::Silent);
        outages.began(GapReason::LinkDown);
        assert_eq!(outages.heard(None), None, "a message without a time ends nothing");
        assert_eq!(outages.heard(at(20)), gap(11, 20, GapReason::Silent));
        assert_eq!(outages.heard(at(21)), None);
        assert_eq!(outages.lost_before(at(23)), gap(21, 23, GapReason::LostNotification));
        outages.began(GapReason::LinkDown);
        assert_eq!(outages.heard(at(5)), gap(21, 21, GapReason::LinkDown), "clock set back");
    }
}
