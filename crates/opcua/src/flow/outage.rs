//! When values were missing: from the last sign of life before an outage to the first one after it.
//!
//! Times are the server's publish times, so a gap fits the source times of the values around it. However
//! many attempts lie between, one outage is one gap. Each subscription has a last sign of life of its own: what
//! one published last says nothing of another, whose next message may be the one that was lost.

use lineside_model::{ConnectionId, Gap, GapReason, GapScope, Timestamp};
use std::collections::BTreeMap;

/// What is known of one connection's outages; outlives its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outages {
    connection: ConnectionId,
    /// By the server's id of the subscription.
    last_heard: BTreeMap<u32, Timestamp>,
    /// Values are whole from here on, as far as a subscription said nothing later.
    since: Option<Timestamp>,
    open: Option<(Timestamp, GapReason)>,
}

impl Outages {
    pub(crate) fn new(connection: ConnectionId) -> Outages {
        Outages { connection, last_heard: BTreeMap::new(), since: None, open: None }
    }

    /// The flow of notifications of these subscriptions ended. Before the first one there is nothing to miss.
    pub(crate) fn began(&mut self, reason: GapReason, subscriptions: impl Iterator<Item = u32>) {
        let heard = |subscription| self.last_heard.get(&subscription).copied().or(self.since);
        let from = subscriptions.filter_map(heard).min().or(self.last_heard.values().min().copied());
        self.open = self.open.or(from.map(|from| (from, reason)));
    }

    /// A notification (or keep-alive) was published by the server at `time`: the gap that it ends, if any.
    pub(crate) fn heard(&mut self, subscription: u32, time: Option<Timestamp>) -> Option<Gap> {
        let time = time?;
        self.since.get_or_insert(time);
        let ended = self.open.take();
        if ended.is_some() {
            self.last_heard.clear();
            self.since = Some(time);
        }
        self.last_heard.insert(subscription, time);
        let (from, reason) = ended?;
        Some(self.gap(from, time, reason))
    }

    /// The flow goes on where it ended: every message was there, so nothing was missed.
    pub(crate) fn bridged(&mut self) {
        self.open = None;
    }

    /// A message that came late, of `time`, was fetched; it ends no gap.
    pub(crate) fn fetched(&mut self, subscription: u32, time: Option<Timestamp>) {
        self.last_heard.extend(time.map(|time| (subscription, time)));
    }

    /// Messages between the last one heard and the one of `time` are lost for good.
    pub(crate) fn lost_before(&self, subscription: u32, time: Option<Timestamp>) -> Option<Gap> {
        let heard = self.last_heard.get(&subscription).copied().or(self.since);
        let to = time.or(heard)?;
        Some(self.gap(heard.unwrap_or(to), to, GapReason::LostNotification))
    }

    fn gap(&self, from: Timestamp, to: Timestamp, reason: GapReason) -> Gap {
        // A server whose clock was set back: the gap has no length, but it is there.
        Gap { scope: GapScope::Connection(self.connection), from, to: to.max(from), reason, lost: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(second * 1000))
    }

    fn gap(from: i64, to: i64, reason: GapReason) -> Option<Gap> {
        let scope = GapScope::Connection(ConnectionId(3));
        Some(Gap { scope, from: at(from)?, to: at(to)?, reason, lost: None })
    }

    #[test]
    fn one_outage_is_one_gap_however_many_attempts() {
        let mut outages = Outages::new(ConnectionId(3));
        let began = |outages: &mut Outages, reason| outages.began(reason, [1].into_iter());
        began(&mut outages, GapReason::LinkDown);
        assert_eq!(outages.heard(1, at(10)), None, "nothing was missed before the first value");
        assert_eq!(outages.heard(1, at(11)), None);
        began(&mut outages, GapReason::Silent);
        began(&mut outages, GapReason::LinkDown);
        assert_eq!(outages.heard(1, None), None, "a message without a time ends nothing");
        assert_eq!(outages.heard(1, at(20)), gap(11, 20, GapReason::Silent));
        assert_eq!(outages.heard(1, at(21)), None);
        assert_eq!(outages.lost_before(1, at(23)), gap(21, 23, GapReason::LostNotification));
        began(&mut outages, GapReason::LinkDown);
        assert_eq!(outages.heard(1, at(5)), gap(21, 21, GapReason::LinkDown), "clock set back");
    }

    #[test]
    fn what_one_subscription_said_says_nothing_of_another() {
        let mut outages = Outages::new(ConnectionId(3));
        assert_eq!(outages.heard(1, at(10)), None);
        assert_eq!(outages.heard(2, at(11)), None);
        assert_eq!(outages.heard(1, at(12)), None);
        assert_eq!(outages.lost_before(2, at(13)), gap(11, 13, GapReason::LostNotification));
        outages.began(GapReason::LinkDown, [1, 2].into_iter());
        assert_eq!(outages.heard(7, at(20)), gap(11, 20, GapReason::LinkDown));
        assert_eq!(outages.heard(7, at(25)), None);
        outages.began(GapReason::LinkDown, [7, 8].into_iter());
        assert_eq!(outages.heard(9, at(30)), gap(20, 30, GapReason::LinkDown), "8 had not said anything yet");
    }
}
