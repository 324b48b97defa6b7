//! What one connection has seen since the program started: the numbers behind "how healthy is this link?".
//!
//! Plain data; the report is made elsewhere.

use crate::subscribe::Revised;
use std::collections::VecDeque;
use std::time::Duration;

/// So many measurements of lateness are kept.
const LATENESS: usize = 60;

/// Counts since the adapter started, and what the server promised last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sessions_created: u64,
    /// Channels that were lost after a session had stood.
    pub(crate) reconnects: u64,
    /// Sessions that went on over a new channel.
    pub(crate) reactivated: u64,
    /// Subscriptions taken over by a new session.
    pub(crate) transferred: u64,
    /// Subscriptions made, the first ones and those in place of lost ones.
    pub(crate) created: u64,
    pub(crate) notifications: u64,
    pub(crate) values: u64,
    /// Messages that came twice.
    pub(crate) repeated: u64,
    /// Messages that were not there when they were due: a number was skipped, or the link was away.
    pub(crate) missing: u64,
    /// Of those, the ones that Republish brought.
    pub(crate) republished: u64,
    /// And the ones that are lost for good.
    pub(crate) lost_messages: u64,
    /// Overflows of a queue at the server.
    pub(crate) overflows: u64,
    /// Times that a subscription was silent for longer than promised.
    pub(crate) late: u64,
    lateness: VecDeque<Duration>,
    /// The subscriptions that stand.
    pub(crate) subscriptions: Vec<Promised>,
}

/// One subscription as the server revised it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Promised {
    pub(crate) id: u32,
    pub(crate) revised: Revised,
    pub(crate) items: usize,
}

impl Counters {
    /// A message came so much later than the subscription's publishing interval, or keep-alive, allows.
    pub(crate) fn late_by(&mut self, lateness: Duration) {
        if self.lateness.len() == LATENESS {
            self.lateness.pop_front();
        }
        self.lateness.push_back(lateness);
    }

    /// The last measurements of lateness, oldest first.
    pub(crate) fn lateness(&self) -> impl Iterator<Item = Duration> {
        self.lateness.iter().copied()
    }

    /// One line for the log of a link that ended.
    pub(crate) fn summary(&self) -> String {
        let latest = self.lateness().max().unwrap_or_default();
        format!(
            "{} sessions, {} reconnects, {} reactivated, {} transferred, {} created; {} notifications with {} values, \
             {} repeated, {} missing of which {} republished and {} lost; {} overflows, {} times late, at most {latest:?}; \
             {:?}",
            self.sessions_created,
            self.reconnects,
            self.reactivated,
            self.transferred,
            self.created,
            self.notifications,
            self.values,
            self.repeated,
            self.missing,
            self.republished,
            self.lost_messages,
            self.overflows,
            self.late,
            self.subscriptions,
        )
    }
}
