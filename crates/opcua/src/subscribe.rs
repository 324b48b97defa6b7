//! Subscriptions and their items: split by limits, every answer looked at, every tag accounted for.
//!
//! [`Standing`] is what we have at the server; it outlives channels and sessions, so that nothing is made
//! twice.

mod items;

pub(crate) use items::{Created, create_items};

use crate::flow::sequence::Tracker;
use crate::limits::{Capacity, Facts};
use crate::words::code;
use crate::{node, service};
use lineside_model::{ConnectionId, PlantConfig, Span, TagId};
use opcua::client::services::{
    CreateSubscription, DeleteSubscriptions, SetMonitoringMode, SetPublishingMode, TransferSubscriptions,
};
use opcua::client::{Session, UARequest};
use opcua::types::{CreateSubscriptionResponse, DateTime, MonitoringMode, NodeId, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Wanted longest silence of a healthy subscription.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// A subscription without its client frees the server after this: an outage of five minutes still ends with
/// a transfer.
const LIFETIME: Duration = Duration::from_secs(600);
/// A promise of a longer silence, or of a longer interval, is none: the watchdog would never act.
const PROMISE_MAX: Duration = Duration::from_secs(120);
/// Round trip and scheduling, added to the promised keep-alive before silence counts.
const MARGIN: Duration = Duration::from_secs(1);
/// Items of one notification message: a burst of one value each of a whole subscription.
const NOTIFICATIONS_MAX: u32 = 2_000;
/// The fastest changes that a queue must hold for one publishing interval.
const FASTEST_MS: f64 = 10.0;
const QUEUE_MIN: usize = 10;
/// A server that ends with more orphans than this loses track of itself; so do not we.
const ORPHANS_MAX: usize = 1_000;

/// A tag and its node on this server.
pub(crate) type Item = (TagId, NodeId);

/// What the server promised for a subscription (OPC 10000-4 5.14.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Revised {
    pub(crate) publishing_interval_ms: f64,
    pub(crate) keep_alive_count: u32,
    pub(crate) lifetime_count: u32,
}

impl Revised {
    /// The longest silence of the subscription.
    pub(crate) fn keep_alive(&self) -> Duration {
        Duration::try_from_secs_f64(self.publishing_interval_ms / 1e3 * f64::from(self.keep_alive_count))
            .map_or(PROMISE_MAX, |longest| longest.min(PROMISE_MAX))
    }

    /// What a server answered for a subscription that was `wanted` so. What cannot be is taken for what was wanted.
    fn of(answer: &CreateSubscriptionResponse, wanted: Duration) -> Revised {
        let interval = answer.revised_publishing_interval;
        let possible = interval > 0.0 && interval <= PROMISE_MAX.as_secs_f64() * 1e3;
        Revised {
            publishing_interval_ms: if possible { interval.max(1.0) } else { wanted.as_secs_f64() * 1e3 },
            keep_alive_count: answer.revised_max_keep_alive_count.max(1),
            lifetime_count: answer.revised_lifetime_count,
        }
    }
}

/// One subscription at the server.
pub(crate) struct Subscription {
    pub(crate) id: u32,
    pub(crate) tracker: Tracker,
    pub(crate) revised: Revised,
    /// Silence longer than this is not what the server promised.
    pub(crate) patience: Duration,
    pub(crate) heard: Instant,
    /// When the server published the newest of its messages, by its clock.
    pub(crate) newest: Option<DateTime>,
    pub(crate) items: Vec<Item>,
    /// After a transfer: what the server can still repeat.
    pub(crate) available: Option<Vec<u32>>,
    /// Made since the last flow: it has nothing to catch up with.
    pub(crate) fresh: bool,
    queue: u32,
    mode: MonitoringMode,
    /// The server's ids of the items; only where they do not report yet.
    item_ids: Vec<u32>,
}

/// A tag that the server, or its namespace table, refused. With a node where asking again makes sense.
pub(crate) struct Refused {
    pub(crate) tag: TagId,
    pub(crate) node: Option<NodeId>,
    pub(crate) status: StatusCode,
}

/// All that we have at the server.
#[derive(Default)]
pub(crate) struct Standing {
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) refused: Vec<Refused>,
    /// Subscriptions of which we do not know what they hold; to be deleted.
    orphans: BTreeSet<u32>,
    /// Publish requests that may wait at the server, on a channel that is no more.
    pub(crate) parked: usize,
    /// Tags whose values cannot be decoded: never asked for again.
    pub(crate) undecodable: BTreeSet<TagId>,
}

/// How to subscribe to the tags of one connection.
pub(crate) struct Plan<'a> {
    pub(crate) config: &'a PlantConfig,
    pub(crate) connection: ConnectionId,
    pub(crate) facts: &'a Facts,
    /// How long the server may take for a call.
    pub(crate) patience: Duration,
    /// Reporting; less on a server that only stands by. Then subscriptions do not publish either.
    pub(crate) mode: MonitoringMode,
}

impl Standing {
    /// Another life of the server, which should know nothing of ours; what it has nevertheless is deleted.
    pub(crate) fn forget(&mut self) {
        self.orphan_all();
        (self.refused, self.parked) = (Vec::new(), 0);
    }

    /// The subscription ended at the server, or is not ours any more.
    pub(crate) fn gone(&mut self, id: u32) {
        self.subscriptions.retain(|subscription| subscription.id != id);
    }

    /// The subscription is to be deleted as soon as the server can be asked for it.
    pub(crate) fn orphan(&mut self, id: u32) {
        self.gone(id);
        if self.orphans.len() < ORPHANS_MAX {
            self.orphans.insert(id);
        }
    }

    /// All subscriptions are to be deleted, and made anew.
    pub(crate) fn orphan_all(&mut self) {
        let ids: Vec<u32> = self.subscriptions.iter().map(|subscription| subscription.id).collect();
        ids.into_iter().for_each(|id| self.orphan(id));
    }

    /// Everything that is subscribed.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.subscriptions.iter().flat_map(|subscription| &subscription.items)
    }

    /// Of the queues of all items.
    pub(crate) fn longest_queue(&self) -> usize {
        self.subscriptions.iter().map(|subscription| subscription.queue as usize).max().unwrap_or_default()
    }

    /// Leaves these tags alone from now on. All subscriptions are made anew, because what cannot be decoded
    /// may wait in any of them to be repeated.
    pub(crate) fn leave_out(&mut self, tags: Vec<TagId>) {
        self.undecodable.extend(tags);
        self.orphan_all();
    }

    /// Takes the subscriptions over into the session (OPC 10000-4 5.14.7). Returns (kept, lost).
    pub(crate) async fn transfer(&mut self, session: &Session) -> Result<(usize, usize), StatusCode> {
        let ours = self.subscriptions.iter().map(|subscription| subscription.id);
        let ids: Vec<u32> = ours.chain(self.orphans.iter().copied()).collect();
        if ids.is_empty() {
            return Ok((0, 0));
        }
        let request = TransferSubscriptions::new(session).subscription_ids(ids.clone()).send_initial_values(true);
        let results = match request.send(session.channel()).await {
            Ok(response) => response.results.unwrap_or_default(),
            Err(error) if service::is_of_link(error.status()) => return Err(error.status()),
            Err(error) => {
                tracing::info!(%error, "the server transfers no subscription");
                Vec::new()
            }
        };
        let mut results: BTreeMap<u32, _> = ids.into_iter().zip(results).collect();
        let before = self.subscriptions.len();
        self.subscriptions.retain_mut(|subscription| match results.remove(&subscription.id) {
            Some(result) if result.status_code.is_good() => {
                subscription.available = Some(result.available_sequence_numbers.unwrap_or_default());
                true
            }
            Some(result) => is_ours(result.status_code),
            None => false,
        });
        self.orphans.retain(|id| results.get(id).is_some_and(|result| is_ours(result.status_code)));
        let kept = self.subscriptions.len();
        Ok((kept, before - kept))
    }

    /// What stood by is to report from now on (OPC 10000-4 6.6.2.4.5): items first, so that nothing is published
    /// before they do.
    pub(crate) async fn wake(&mut self, session: &Session, capacity: &Capacity) -> Result<(), StatusCode> {
        for subscription in &mut self.subscriptions {
            if subscription.mode == MonitoringMode::Reporting {
                continue;
            }
            for part in subscription.item_ids.chunks(capacity.items_per_call.max(1)) {
                let request = SetMonitoringMode::new(subscription.id, MonitoringMode::Reporting, session);
                let answer = request.monitored_item_ids(part.to_vec()).send(session.channel()).await;
                answer.map_err(|error| error.status())?;
            }
            let request = SetPublishingMode::new(true, session).subscription(subscription.id);
            request.send(session.channel()).await.map_err(|error| error.status())?;
            subscription.mode = MonitoringMode::Reporting;
            subscription.item_ids = Vec::new();
        }
        Ok(())
    }

    /// Deletes what we have lost track of.
    async fn tidy(&mut self, session: &Session) -> Result<(), StatusCode> {
        while let Some(id) = self.orphans.first().copied() {
            let deleted = DeleteSubscriptions::new(session).subscription(id).send(session.channel()).await;
            if let Err(error) = deleted
                && service::is_of_link(error.status())
            {
                return Err(error.status());
            }
            self.orphans.remove(&id);
        }
        Ok(())
    }

    /// Creates what is missing of the connection's tags; at least one subscription, whose keep-alives prove
    /// the link. Returns how many subscriptions it made.
    pub(crate) async fn complete(
        &mut self,
        session: &Session,
        plan: &Plan<'_>,
        capacity: &mut Capacity,
    ) -> Result<usize, StatusCode> {
        self.tidy(session).await?;
        let mut waiting = self.resolve(plan);
        let publish = plan.config.connections[plan.connection.0 as usize].publish;
        let tags = self.subscriptions.iter().map(|of| of.items.len()).sum::<usize>() + waiting.len();
        let before = self.subscriptions.len();
        while !waiting.is_empty() || self.subscriptions.is_empty() {
            let mut subscription = match create(session, publish, plan.mode).await {
                Ok(subscription) => subscription,
                Err(status) if !self.subscriptions.is_empty() && !service::is_of_link(status) => {
                    let rest = self.spread(session, plan, capacity, waiting).await?;
                    self.refuse(rest, status);
                    break;
                }
                Err(status) => return Err(status),
            };
            subscription.queue = capacity.queue(tags, subscription.least_queue());
            let rest = waiting.split_off(capacity.share(waiting.len()).min(waiting.len()));
            let full = self.fill(session, plan, capacity, subscription, waiting).await?;
            if let Some(full) = full {
                waiting = full.into_iter().chain(rest).collect();
            } else {
                break;
            }
        }
        self.tidy(session).await?;
        Ok(self.subscriptions.len() - before)
    }

    /// Puts `items` into a new `subscription`. Returns those for which it was full, or none where it took
    /// nothing at all, which refuses them.
    async fn fill(
        &mut self,
        session: &Session,
        plan: &Plan<'_>,
        capacity: &mut Capacity,
        mut subscription: Subscription,
        items: Vec<Item>,
    ) -> Result<Option<Vec<Item>>, StatusCode> {
        let calls = capacity.items_per_call;
        let asked = create_items(session, &subscription, &items, capacity, plan.patience).await;
        let Ok(answers) = asked else {
            // Which of its items exist is not known.
            self.orphan(subscription.id);
            return asked.map(|_answers| None);
        };
        let full = subscription.take(items, answers, &mut self.refused);
        let accepted = subscription.items.len();
        if accepted == 0 && !self.subscriptions.is_empty() {
            self.orphan(subscription.id);
            self.refuse(full, StatusCode::BadTooManyMonitoredItems);
            return Ok(None);
        }
        self.subscriptions.push(subscription);
        if !full.is_empty() {
            // An undeclared limit was met. It is of the subscription, not of the call.
            capacity.was_full(accepted);
            capacity.items_per_call = calls;
        }
        Ok(Some(full))
    }

    /// No further subscription is to be had: those that stand take of `items` what they can. Returns the others.
    async fn spread(
        &mut self,
        session: &Session,
        plan: &Plan<'_>,
        capacity: &mut Capacity,
        mut items: Vec<Item>,
    ) -> Result<Vec<Item>, StatusCode> {
        let calls = capacity.items_per_call;
        let share = items.len().div_ceil(self.subscriptions.len().max(1));
        let mut full = Vec::new();
        for at in 0..self.subscriptions.len() {
            let rest = items.split_off(share.min(items.len()));
            let part = std::mem::replace(&mut items, rest);
            let asked = create_items(session, &self.subscriptions[at], &part, capacity, plan.patience).await;
            let Ok(answers) = asked else {
                // Which of its items exist is not known.
                self.orphan(self.subscriptions[at].id);
                return asked.map(|_answers| full);
            };
            full.extend(self.subscriptions[at].take(part, answers, &mut self.refused));
            capacity.items_per_call = calls;
        }
        Ok(full)
    }

    fn refuse(&mut self, items: Vec<Item>, status: StatusCode) {
        self.refused.extend(items.into_iter().map(|(tag, node)| Refused { tag, node: Some(node), status }));
    }

    /// The tags that are neither in a subscription nor refused, with their nodes on this server.
    fn resolve(&mut self, plan: &Plan<'_>) -> Vec<Item> {
        let subscribed = self.subscriptions.iter().flat_map(|of| &of.items).map(|(tag, _)| *tag);
        let known: BTreeSet<TagId> = subscribed.chain(self.refused.iter().map(|refused| refused.tag)).collect();
        let config = plan.config;
        let ours = config.tag_ids().filter(|tag| config.tag(*tag).connection == plan.connection);
        let mut items = Vec::new();
        for tag in ours.filter(|tag| !known.contains(tag)) {
            if self.undecodable.contains(&tag) {
                self.refused.push(Refused { tag, node: None, status: StatusCode::BadDecodingError });
                continue;
            }
            match node::resolve(&config.tag(tag).node, &plan.facts.namespaces) {
                Ok(node) => items.push((tag, node)),
                Err(status) => self.refused.push(Refused { tag, node: None, status }),
            }
        }
        items
    }
}

impl Subscription {
    /// Values that come within one publishing interval at the fastest.
    fn least_queue(&self) -> usize {
        QUEUE_MIN.max((self.revised.publishing_interval_ms / FASTEST_MS).ceil() as usize + 2)
    }

    /// Sorts the server's answers; returns the items for which this subscription was full.
    fn take(&mut self, items: Vec<Item>, answers: Vec<Created>, refused: &mut Vec<Refused>) -> Vec<Item> {
        let mut full = Vec::new();
        for ((tag, node), Created { status, id }) in items.into_iter().zip(answers) {
            if !status.is_bad() {
                if self.mode != MonitoringMode::Reporting {
                    self.item_ids.push(id);
                }
                self.items.push((tag, node));
            } else if code(status) == StatusCode::BadTooManyMonitoredItems {
                full.push((tag, node));
            } else {
                refused.push(Refused { tag, node: Some(node), status });
            }
        }
        full
    }
}

/// Is a subscription with this result of a transfer with our session now? Some servers say BadNothingToDo
/// where it was with it already.
fn is_ours(transferred: StatusCode) -> bool {
    transferred.is_good() || code(transferred) == StatusCode::BadNothingToDo
}

async fn create(session: &Session, publish: Span, mode: MonitoringMode) -> Result<Subscription, StatusCode> {
    let wanted = Duration::from_nanos(u64::try_from(publish.0).unwrap_or_default()).max(Duration::from_millis(1));
    let cycles =
        |time: Duration| u32::try_from(time.as_millis().div_ceil(wanted.as_millis().max(1))).unwrap_or(u32::MAX);
    let keep_alive = cycles(KEEP_ALIVE);
    let created = CreateSubscription::new(session)
        .publishing_interval(wanted)
        .max_keep_alive_count(keep_alive)
        .max_lifetime_count(cycles(LIFETIME).max(keep_alive.saturating_mul(3)))
        .max_notifications_per_publish(NOTIFICATIONS_MAX)
        .priority(100)
        .publishing_enabled(mode == MonitoringMode::Reporting)
        .send(session.channel())
        .await
        .map_err(|error| error.status())?;
    let revised = Revised::of(&created, wanted);
    Ok(Subscription {
        id: created.subscription_id,
        tracker: Tracker::new(),
        revised,
        patience: revised.keep_alive() + MARGIN,
        heard: Instant::now(),
        newest: None,
        items: Vec::new(),
        available: None,
        fresh: true,
        queue: 0,
        mode,
        item_ids: Vec::new(),
    })
}

/// Deletes a subscription that nobody needs; a server that does not answer lets it die by itself.
pub(crate) async fn delete(session: &Session, id: u32) {
    let deleted = DeleteSubscriptions::new(session).subscription(id).send(session.channel()).await;
    if let Err(error) = deleted {
        tracing::debug!(%error, id, "subscription not deleted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_that_cannot_be_is_none() {
        let check = |interval: f64, keep_alive: u32, expected_interval_ms: f64, expected_silence: Duration| {
            let answer = CreateSubscriptionResponse {
                revised_publishing_interval: interval,
                revised_max_keep_alive_count: keep_alive,
                ..CreateSubscriptionResponse::default()
            };
            let revised = Revised::of(&answer, Duration::from_millis(100));
            assert_eq!(revised.publishing_interval_ms, expected_interval_ms, "{interval} {keep_alive}");
            assert_eq!(revised.keep_alive(), expected_silence, "{interval} {keep_alive}");
        };
        check(500.0, 4, 500.0, Duration::from_secs(2));
        check(60_000.0, 1, 60_000.0, Duration::from_secs(60));
        for absurd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -5.0, 0.0, 1e300] {
            check(absurd, 20, 100.0, Duration::from_secs(2));
        }
        check(f64::MIN_POSITIVE, 0, 1.0, Duration::from_millis(1));
        check(1_000.0, u32::MAX, 1_000.0, PROMISE_MAX);
    }
}
