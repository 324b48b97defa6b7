//! How much a server is asked for at once: what we want, no more than it declares, and less where that failed.
//!
//! Pure. Declared limits are hints: what fails nevertheless is halved, and that is remembered for the life of the
//! adapter.

use super::Declared;
use lineside_model::report::LimitReport;
use std::time::Duration;

/// Items created in one call; small enough for a slow controller to answer in time.
const ITEMS_PER_CALL: usize = 500;
/// Items in one subscription: some servers lose those of larger ones silently.
const ITEMS_PER_SUBSCRIPTION: usize = 2_000;
const NODES_PER_READ: usize = 1_000;
const NODES_PER_TRANSLATE: usize = 1_000;
/// Nodes of one HistoryRead: one answer is at most 10,000 values, at 1,000 of each.
const NODES_PER_HISTORY_READ: usize = 10;
/// Nodes of one Browse, and of one Read of the explorer; enough for speed, and answered in time by a slow controller.
pub(crate) const NODES_PER_BROWSE: usize = 500;
/// Continuation points of Browse held at the same time.
pub(crate) const BROWSE_POINTS: usize = 8;
/// Values that the queues of all items may hold at the server together.
const QUEUED: usize = 200_000;
const QUEUE_MAX: usize = 1_000;

/// Items in a call whose duration is to be learned.
const FIRST_CALL: usize = 50;
/// A call is made no larger than what the server is expected to do in this time.
const CALL_TARGET: Duration = Duration::from_secs(1);
/// No call is waited for longer.
const CALL_MAX: Duration = Duration::from_secs(60);

/// What the server takes: what it declares, what we want, and what was found by failing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Capacity {
    pub(crate) nodes_per_read: usize,
    pub(crate) nodes_per_translate: usize,
    pub(crate) nodes_per_history_read: usize,
    pub(crate) items_per_call: usize,
    items_per_subscription: usize,
    subscriptions: Option<usize>,
    queue: usize,
    /// How long the creation of one item takes; none before the first was measured.
    per_item: Option<Duration>,
}

impl Default for Capacity {
    fn default() -> Capacity {
        Capacity {
            nodes_per_read: NODES_PER_READ,
            nodes_per_translate: NODES_PER_TRANSLATE,
            nodes_per_history_read: NODES_PER_HISTORY_READ,
            items_per_call: ITEMS_PER_CALL,
            items_per_subscription: ITEMS_PER_SUBSCRIPTION,
            subscriptions: None,
            queue: QUEUE_MAX,
            per_item: None,
        }
    }
}

impl Capacity {
    /// Lowers what is known by what the server declares.
    pub(crate) fn obey(&mut self, declared: &Declared) {
        let lower = |known: &mut usize, declared: Option<usize>| *known = least(declared, *known);
        lower(&mut self.nodes_per_read, declared.nodes_per_read);
        lower(&mut self.nodes_per_translate, declared.nodes_per_translate);
        lower(&mut self.nodes_per_history_read, declared.nodes_per_history_read_data);
        // Each node may hold a continuation point.
        lower(&mut self.nodes_per_history_read, declared.history_continuation_points);
        lower(&mut self.items_per_call, declared.items_per_call);
        let calls = [&mut self.nodes_per_read, &mut self.nodes_per_translate, &mut self.nodes_per_history_read];
        for operands in calls.into_iter().chain([&mut self.items_per_call]) {
            lower(operands, declared.array_length);
        }
        lower(&mut self.items_per_subscription, declared.items_per_subscription);
        lower(&mut self.queue, declared.queue_size);
        self.subscriptions = declared.subscriptions_per_session;
    }

    /// The limits that we keep to and those that the server declares (`None`: it declares nothing, or 0), each by
    /// its name in OPC 10000-5 and with what we use (`None`: we do not need it). `queue` is the longest in use.
    pub(crate) fn report(&self, declared: &Declared, queue: usize, subscriptions: usize) -> Vec<LimitReport> {
        let used = Declared {
            nodes_per_read: Some(self.nodes_per_read),
            nodes_per_translate: Some(self.nodes_per_translate),
            nodes_per_history_read_data: Some(self.nodes_per_history_read),
            history_continuation_points: Some(self.nodes_per_history_read),
            nodes_per_browse: Some(least(declared.nodes_per_browse, NODES_PER_BROWSE)),
            browse_continuation_points: Some(least(declared.browse_continuation_points, BROWSE_POINTS)),
            items_per_call: Some(self.items_per_call),
            items_per_subscription: Some(self.items_per_subscription),
            subscriptions_per_session: Some(subscriptions),
            queue_size: Some(queue),
            ..Declared::default()
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let all = declared.zip(&used).into_iter();
        let known = all.filter(|(_, declared, used)| declared.is_some() || used.is_some());
        known
            .map(|(name, declared, used)| LimitReport {
                name: name.into(),
                declared: declared.map(number),
                used: used.map(number),
            })
            .collect()
    }

    /// How many items to put into each subscription so that `items` fit into the subscriptions allowed.
    pub(crate) fn share(&self, items: usize) -> usize {
        let least = self.subscriptions.map_or(0, |most| items.div_ceil(most));
        self.items_per_subscription.max(least)
    }

    /// A subscription was full at `accepted` items.
    pub(crate) fn was_full(&mut self, accepted: usize) {
        self.items_per_subscription = accepted.clamp(1, self.items_per_subscription);
    }

    /// The queue of each of `items` items that should hold at least `least` values: longer where few items
    /// share the server's memory, so that a short outage loses nothing.
    pub(crate) fn queue(&self, items: usize, least: usize) -> u32 {
        let queue = (QUEUED / items.max(1)).min(QUEUE_MAX).max(least).min(self.queue.max(1));
        u32::try_from(queue).unwrap_or(u32::MAX)
    }

    /// Items to create in the next call.
    pub(crate) fn call(&self) -> usize {
        let by_time = match self.per_item {
            None => FIRST_CALL,
            Some(each) => (CALL_TARGET.as_nanos() / each.as_nanos().max(1)).try_into().unwrap_or(usize::MAX),
        };
        self.items_per_call.min(by_time).max(1)
    }

    /// Does the server answer fast enough to have several calls under way?
    pub(crate) fn may_pipeline(&self) -> bool {
        self.per_item.is_some_and(|each| each < CALL_TARGET / 5_000)
    }

    /// How long a call that creates `items` may take: far longer than expected, and never less than `patience`.
    pub(crate) fn allowance(&self, items: usize, patience: Duration) -> Duration {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        let expected = self.per_item.unwrap_or_default().saturating_mul(items);
        expected.saturating_mul(4).max(patience).min(CALL_MAX)
    }

    /// A call that created `items` took `time`.
    pub(crate) fn took(&mut self, items: usize, time: Duration) {
        let each = time / u32::try_from(items).unwrap_or(u32::MAX).max(1);
        self.per_item = Some(self.per_item.map_or(each, |before| (before + each) / 2));
    }

    /// A call that creates `items` was not answered within `time`: the next one is smaller and may take longer.
    pub(crate) fn too_slow(&mut self, items: usize, time: Duration) {
        self.took(items, time);
        self.per_item = self.per_item.map(|each| each.max(time / u32::try_from(items).unwrap_or(u32::MAX).max(1)));
    }
}

/// Our own limit, and no more than the server declares.
pub(crate) fn least(declared: Option<usize>, own: usize) -> usize {
    declared.map_or(own, |declared| declared.min(own))
}

#[cfg(test)]
mod tests {
    use super::super::{LIMITS, facts};
    use super::*;
    use opcua::types::{DataValue, Variant};

    /// What a server takes that declares these limits by their node ids.
    fn capacity(declared: &[(u32, u32)]) -> Capacity {
        let first = vec![Variant::from(vec!["urn:a".to_string()]), Variant::Empty, Variant::Empty, Variant::Empty];
        let value = |id: &u32| declared.iter().find(|(of, _)| of == id).map_or(Variant::Empty, |(_, n)| (*n).into());
        let values = first.into_iter().chain(LIMITS.iter().map(value)).map(DataValue::new_now);
        let mut capacity = Capacity::default();
        capacity.obey(&facts(values.collect()).declared);
        capacity
    }

    #[test]
    fn declared_limits_lower_ours_and_zero_declares_nothing() {
        assert_eq!(capacity(&[]), Capacity::default());
        assert_eq!(capacity(&LIMITS.iter().map(|id| (*id, 0)).collect::<Vec<_>>()), Capacity::default());
        assert_eq!(capacity(&[(11705, u32::MAX), (11714, 9_999), (24104, 9_999)]), Capacity::default());
        let small = capacity(&[
            (11705, 10),
            (11712, 15),
            (12165, 8),
            (2737, 3),
            (11714, 20),
            (24098, 3),
            (24104, 30),
            (31916, 7),
        ]);
        let expected = Capacity {
            nodes_per_read: 10,
            nodes_per_translate: 15,
            nodes_per_history_read: 3,
            items_per_call: 20,
            items_per_subscription: 30,
            subscriptions: Some(3),
            queue: 7,
            per_item: None,
        };
        assert_eq!(small, expected);
        assert_eq!(small.share(60), 30);
        assert_eq!(small.share(300), 100, "rather too large a subscription than one too many");
        assert_eq!(small.queue(1, 12), 7);
        assert_eq!(capacity(&[(11702, 15)]).items_per_call, 15, "an array of operands is an array");
    }

    #[test]
    fn the_report_tells_what_we_use_also_where_nothing_is_declared() {
        let declared = Declared { nodes_per_read: Some(10), sessions: Some(5), ..Declared::default() };
        let mut capacity = Capacity::default();
        capacity.obey(&declared);
        let report = capacity.report(&declared, 166, 2);
        let check = |name: &str, expected: Option<(Option<u32>, Option<u32>)>| {
            let found = report.iter().find(|limit| &*limit.name == name);
            assert_eq!(found.map(|limit| (limit.declared, limit.used)), expected, "{name}");
        };
        check("MaxNodesPerRead", Some((Some(10), Some(10))));
        check("MaxMonitoredItemsPerCall", Some((None, Some(500))));
        check("MaxNodesPerTranslateBrowsePathsToNodeIds", Some((None, Some(1_000))));
        check("MaxNodesPerHistoryReadData", Some((None, Some(10))));
        check("MaxSubscriptionsPerSession", Some((None, Some(2))));
        check("MaxMonitoredItemsQueueSize", Some((None, Some(166))));
        check("MaxNodesPerBrowse", Some((None, Some(500))));
        check("MaxSessions", Some((Some(5), None)));
        check("MaxNodesPerWrite", None);
    }

    #[test]
    fn queues_are_long_where_few_items_share_the_memory() {
        let check = |items, least, expected| assert_eq!(Capacity::default().queue(items, least), expected, "{items}");
        check(0, 12, 1_000);
        check(1_200, 12, 166);
        check(50_000, 12, 12);
        check(50_000, 102, 102);
    }

    #[test]
    fn calls_grow_with_what_the_server_does_in_a_second() {
        let patience = Duration::from_secs(5);
        let mut capacity = Capacity::default();
        assert_eq!((capacity.call(), capacity.may_pipeline()), (50, false));
        assert_eq!(capacity.allowance(50, patience), patience);
        capacity.took(50, Duration::from_millis(5));
        assert_eq!((capacity.call(), capacity.may_pipeline()), (500, true));
        let mut capacity = Capacity::default();
        capacity.took(50, Duration::from_secs(4));
        assert_eq!((capacity.call(), capacity.may_pipeline()), (12, false));
        for round in 0..40 {
            let (items, allowed) = (capacity.call(), capacity.allowance(capacity.call(), patience));
            assert!(allowed <= CALL_MAX, "{round}");
            capacity.too_slow(items, allowed);
        }
        assert_eq!((capacity.call(), capacity.allowance(1, patience)), (1, CALL_MAX));
    }
}
