//! One session at work: Publish requests parked, sequence numbers checked, silence noticed, values mapped.
//!
//! The library's own publishing is not used: it does not look at sequence numbers and acknowledges what was
//! never delivered in order. Everything here runs in the adapter's own task, so nothing blocks the
//! protocol; deliveries never wait.

pub(crate) mod counters;
pub(crate) mod feed;
mod fetch;
mod outage;
mod overflow;
mod pipeline;
pub(crate) mod sequence;

use crate::connect::Link;
use crate::limits::Capacity;
use crate::service;
use crate::subscribe::{Standing, delete};
use crate::value::timestamp;
use crate::words::{Trouble, code, link_lost, silent, subscription_gone};
use feed::Feed;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use lineside_model::inlet::Closed;
use lineside_model::{GapReason, SubscriptionState};
use opcua::client::services::Publish;
use opcua::client::{Session, UARequest};
use opcua::types::{
    DataChangeNotification, Error, NotificationMessage, PublishResponse, StatusChangeNotification,
    StatusCode as UaStatus, SubscriptionAcknowledgement,
};
use pipeline::Pipeline;
use sequence::Arrival;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often silence is looked for, and what waits is delivered.
const TICK: Duration = Duration::from_millis(250);
/// Refused nodes are asked for again, first after this and then ever less often: a controller's program may bring
/// them.
const ASK_AGAIN: Duration = Duration::from_secs(5);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(60);
/// So many failed Publish requests in a row end the session.
const FAILURES_MAX: u32 = 20;
/// After more answers without any news than this, and this for each subscription, the next tick is waited for: a
/// server that answers without end is not asked without end.
const IDLE_MAX: u32 = 10;
const IDLE_EACH: u32 = 5;
/// Subscriptions that are not ours are deleted, each once, up to so many on one channel.
const STRANGERS_MAX: usize = 1_000;
/// Requests of a channel that is no more have expired at the server by then.
const SHADOW_MAX: Duration = Duration::from_secs(60);
/// How often it is looked for what such requests swallowed.
const SHADOW_LOOK: Duration = Duration::from_millis(500);

type Published = Result<PublishResponse, Error>;

/// Why the flow ended.
pub(crate) enum Ended {
    /// Nobody takes anything any more.
    Closed,
    /// The channel, the session or the network.
    Lost { trouble: Trouble, reason: GapReason, status: UaStatus },
    /// Subscriptions ended at the server; they are out of the standing.
    Gone(Trouble),
    /// The namespaces of the server are not those that its tags were found by.
    Changed,
}

impl From<Closed> for Ended {
    fn from(_: Closed) -> Ended {
        Ended::Closed
    }
}

/// What the flow works with; all of it outlives the flow.
pub(crate) struct Parts<'a> {
    pub(crate) feed: &'a mut Feed,
    pub(crate) standing: &'a mut Standing,
    pub(crate) capacity: &'a mut Capacity,
    pub(crate) namespaces: &'a [String],
    pub(crate) patience: Duration,
}

/// One session's subscriptions at work.
pub(crate) struct Flow<'a> {
    session: Arc<Session>,
    host: String,
    parts: Parts<'a>,
    /// When refused nodes are asked for again, and how long after that.
    ask_again: (Instant, Duration),
    pipeline: Pipeline,
    in_flight: FuturesUnordered<BoxFuture<'static, Published>>,
    errands: FuturesUnordered<BoxFuture<'static, ()>>,
    acknowledge: Vec<SubscriptionAcknowledgement>,
    /// The server keeps sent messages until they are acknowledged.
    retransmits: bool,
    failures: u32,
    /// Answers without news, and questions for lost messages, since the last tick.
    idle: u32,
    strangers: BTreeSet<u32>,
    /// Requests of the last channel may swallow messages: since when, and when to look next.
    shadow: Option<(Instant, Instant)>,
    state: SubscriptionState,
    alive: bool,
    /// The server was asked during this silence whether it still has the subscription.
    asked: bool,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(link: &Link, host: &str, parts: Parts<'a>) -> Flow<'a> {
        let now = Instant::now();
        let parked = std::mem::take(&mut parts.standing.parked);
        for subscription in &mut parts.standing.subscriptions {
            // Creating many items takes time; the server's promise counts from the first Publish request, and
            // requests of the last channel are answered before ours.
            let swallowed = subscription.revised.keep_alive().min(SHADOW_MAX) * u32::try_from(parked).unwrap_or(0);
            subscription.heard = now + swallowed.min(SHADOW_MAX);
        }
        Flow {
            session: link.session.clone(),
            host: host.to_string(),
            pipeline: Pipeline::new(parts.standing.subscriptions.len()),
            parts,
            ask_again: (now + ASK_AGAIN, 2 * ASK_AGAIN),
            in_flight: FuturesUnordered::new(),
            errands: FuturesUnordered::new(),
            acknowledge: Vec::new(),
            retransmits: true,
            failures: 0,
            idle: 0,
            strangers: BTreeSet::new(),
            shadow: (parked > 0).then_some((now, now + SHADOW_LOOK)),
            state: SubscriptionState::None,
            alive: false,
            asked: false,
        }
    }

    /// Did the server show that its subscriptions live?
    pub(crate) fn is_alive(&self) -> bool {
        self.alive
    }

    /// Fetches what was published meanwhile, then lets values flow until that ends.
    pub(crate) async fn run(&mut self, link: &mut Link) -> Ended {
        let ended = match self.catch_up().await {
            Ok(()) => self.go_on(link).await,
            Err(ended) => ended,
        };
        self.parts.standing.parked = self.pipeline.outstanding();
        ended
    }

    async fn go_on(&mut self, link: &mut Link) -> Ended {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.park();
            let step = tokio::select! {
                status = link.lost() => Err(self.link_lost(status)),
                Some(published) = self.in_flight.next() => self.published(published).await,
                Some(()) = self.errands.next() => Ok(()),
                _ = tick.tick() => self.tick().await,
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    /// Keeps the pipeline filled.
    fn park(&mut self) {
        let subscriptions = u32::try_from(self.parts.standing.subscriptions.len()).unwrap_or(u32::MAX);
        let most = subscriptions.saturating_mul(IDLE_EACH).saturating_add(IDLE_MAX);
        while self.failures < FAILURES_MAX && self.idle < most && self.pipeline.send() {
            let request = Publish::new(&self.session).acks(std::mem::take(&mut self.acknowledge));
            let session = self.session.clone();
            self.in_flight.push(async move { request.send(session.channel()).await }.boxed());
        }
    }

    async fn published(&mut self, published: Published) -> Result<(), Ended> {
        match published {
            Ok(response) => {
                self.pipeline.returned();
                self.failures = 0;
                self.shadow = None;
                self.response(response).await
            }
            Err(error) => self.publish_failed(error.status()),
        }
    }

    fn publish_failed(&mut self, status: UaStatus) -> Result<(), Ended> {
        match code(status) {
            UaStatus::BadTooManyPublishRequests => {
                self.pipeline.too_many();
                return Ok(());
            }
            UaStatus::BadNoSubscription => return Err(self.all_gone(status)),
            // A request that the server held until it expired; the watchdog judges silence.
            UaStatus::BadTimeout => self.idle += 1,
            _ if service::is_of_link(status) => return Err(self.link_lost(status)),
            _ => self.failures += 1,
        }
        self.pipeline.returned();
        if self.failures < FAILURES_MAX { Ok(()) } else { Err(self.link_lost(status)) }
    }

    async fn response(&mut self, response: PublishResponse) -> Result<(), Ended> {
        if response.results.iter().flatten().any(|result| code(*result) == RETRANSMISSION_NOT_SUPPORTED) {
            self.retransmits = false;
        }
        let id = response.subscription_id;
        let mut message = response.notification_message;
        let published = message.publish_time;
        if message.publish_time.is_null() {
            message.publish_time = response.response_header.timestamp;
        }
        let Some(at) = self.parts.standing.subscriptions.iter().position(|subscription| subscription.id == id) else {
            self.stranger(id);
            return Ok(());
        };
        let promised = self.parts.standing.subscriptions[at].revised.keep_alive();
        self.parts.feed.beside.published(id, timestamp(message.publish_time), promised);
        let empty = message.notification_data.as_ref().is_none_or(Vec::is_empty);
        let number = message.sequence_number;
        let subscription = &mut self.parts.standing.subscriptions[at];
        let arrival = if empty { subscription.tracker.keep_alive(number) } else { subscription.tracker.data(number) };
        let newer = subscription.newest.replace(published.max(subscription.newest.unwrap_or(published)));
        if arrival != Arrival::Repeated {
            self.heard(at)?;
        }
        self.idle += u32::from(empty || arrival == Arrival::Repeated);
        let arrived = match arrival {
            // A repeated message carries its first time.
            Arrival::Repeated if newer.is_some_and(|newest| newest < published) => self.renumbered(at, message).await,
            Arrival::Repeated => {
                self.parts.feed.counters.repeated += 1;
                Ok(())
            }
            Arrival::InOrder => self.message(id, message),
            Arrival::Missing { first, count } => self.missing(at, first, count, message).await,
        };
        if arrived.is_ok() && !empty {
            self.acknowledge(id, number);
        }
        arrived
    }

    fn stranger(&mut self, id: u32) {
        if self.strangers.len() < STRANGERS_MAX && self.strangers.insert(id) {
            tracing::warn!(id, "deleting a subscription that is not ours");
            let session = self.session.clone();
            self.errands.push(async move { delete(&session, id).await }.boxed());
        }
        self.idle += 1;
    }

    /// Maps one notification message in one pass.
    fn message(&mut self, id: u32, message: NotificationMessage) -> Result<(), Ended> {
        // The end of a subscription says nothing of the values that still waited in it.
        let mut notifications = message.notification_data.iter().flatten();
        if !notifications.any(|notification| notification.inner_is::<StatusChangeNotification>()) {
            self.parts.feed.heard(id, message.publish_time)?;
        }
        self.notifications(id, message)
    }

    fn notifications(&mut self, id: u32, message: NotificationMessage) -> Result<(), Ended> {
        for notification in message.notification_data.into_iter().flatten() {
            self.parts.feed.counters.notifications += 1;
            if notification.inner_is::<DataChangeNotification>() {
                if let Some(change) = notification.into_inner_as::<DataChangeNotification>() {
                    self.parts.feed.changes(&self.session, *change)?;
                }
            } else if let Some(change) = notification.inner_as::<StatusChangeNotification>() {
                // GoodSubscriptionTransferred, BadTimeout: whatever it says, the subscription is not ours any more.
                return Err(self.gone(id, change.status));
            }
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), Ended> {
        self.idle = 0;
        self.pipeline.tick();
        // After a pause of this process answers wait to be seen; they come before any judgement on silence.
        while let Some(Some(published)) = self.in_flight.next().now_or_never() {
            self.published(published).await?;
        }
        self.parts.feed.deliver_waiting()?;
        if let Some((since, next)) = self.shadow
            && next <= Instant::now()
        {
            self.look_behind_shadow(since).await?;
        }
        let (next, then) = self.ask_again;
        if next <= Instant::now() {
            self.ask_again = (Instant::now() + then, (2 * then).min(ASK_AGAIN_MAX));
            self.ask_again().await?;
        }
        self.watch().await
    }

    /// Late after what the server promised; then it is asked once whether it still has the subscription, since there
    /// are servers that drop it, or the session, without a word. Given up after twice the promise.
    async fn watch(&mut self) -> Result<(), Ended> {
        let subscriptions = self.parts.standing.subscriptions.iter().enumerate();
        let silences =
            subscriptions.map(|(at, subscription)| (subscription.heard.elapsed(), subscription.patience, at));
        let worst = silences.map(|(silence, patience, at)| (silence.div_duration_f64(patience), silence, at));
        let (share, silence, at) = worst.fold((0.0, Duration::ZERO, 0), |a, b| if b.0 > a.0 { b } else { a });
        if share > 2.0 {
            return Err(self.silent(silence));
        }
        if share <= 1.0 {
            self.asked = false;
            return Ok(());
        }
        self.become_state(SubscriptionState::Late)?;
        if !std::mem::replace(&mut self.asked, true) {
            self.ask_whether_gone(at).await?;
        }
        Ok(())
    }

    fn heard(&mut self, at: usize) -> Result<(), Ended> {
        self.alive = true;
        let subscription = &mut self.parts.standing.subscriptions[at];
        let lateness = subscription.heard.elapsed().saturating_sub(subscription.revised.keep_alive());
        subscription.heard = Instant::now();
        self.parts.feed.counters.late_by(lateness);
        if self.state == SubscriptionState::Live {
            return Ok(());
        }
        let mut all = self.parts.standing.subscriptions.iter();
        let late = all.any(|subscription| subscription.heard.elapsed() > subscription.patience);
        if late { Ok(()) } else { self.become_state(SubscriptionState::Live) }
    }

    fn become_state(&mut self, state: SubscriptionState) -> Result<(), Ended> {
        self.state = state;
        let changed = self.parts.feed.become_state(state)?;
        self.parts.feed.counters.late += u64::from(changed && state == SubscriptionState::Late);
        Ok(())
    }

    fn acknowledge(&mut self, subscription_id: u32, sequence_number: u32) {
        if self.retransmits {
            self.acknowledge.push(SubscriptionAcknowledgement { subscription_id, sequence_number });
        }
    }

    fn silent(&self, silence: Duration) -> Ended {
        let (trouble, status) = (silent(&self.host, silence), UaStatus::BadNoCommunication);
        Ended::Lost { trouble, reason: GapReason::Silent, status }
    }

    fn link_lost(&self, status: UaStatus) -> Ended {
        Ended::Lost { trouble: link_lost(&self.host, status), reason: GapReason::LinkDown, status }
    }

    fn gone(&mut self, id: u32, status: UaStatus) -> Ended {
        // Should it be there nevertheless, it must not stay beside the one that takes its place.
        self.parts.standing.orphan(id);
        Ended::Gone(subscription_gone(&self.host, status))
    }

    fn all_gone(&mut self, status: UaStatus) -> Ended {
        self.parts.standing.orphan_all();
        Ended::Gone(subscription_gone(&self.host, status))
    }
}

/// GoodRetransmissionQueueNotSupported (OPC 10000-6 A.2), which the library does not name.
const RETRANSMISSION_NOT_SUPPORTED: UaStatus = UaStatus::GoodRetransmissionQueueNotSupported;
