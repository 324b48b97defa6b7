//! One session at work: Publish requests parked, sequence numbers checked, silence noticed, values mapped.
//!
//! The library's own publishing is not used: it does not look at sequence numbers and acknowledges what was
//! never delivered in order. Everything here runs in the adapter's own task, so nothing blocks the
//! protocol; deliveries never wait.

mod fetch;

use crate::connect::Link;
use crate::outage::Outages;
use crate::overflow::Overflow;
use crate::pipeline::Pipeline;
use crate::sequence::Arrival;
use crate::subscribe::{Subscribed, Subscription, delete};
use crate::supervise::stopped;
use crate::value::{sample, timestamp};
use crate::wire::Wire;
use crate::words::{Trouble, code, link_lost, silent, subscription_gone};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::{ConnectionId, GapReason, Input, SubscriptionState, TagId};
use opcua::client::services::Publish;
use opcua::client::{Session, UARequest};
use opcua::types::{
    DataChangeNotification, DataValue, Error, NodeId, NotificationMessage, PublishResponse, StatusChangeNotification,
    StatusCode as UaStatus, SubscriptionAcknowledgement,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often silence is looked for, and what waits is delivered.
const TICK: Duration = Duration::from_millis(250);
/// Refused nodes are asked for again this often: a controller's program may bring them.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// So many failed Publish requests in a row end the session.
const FAILURES_MAX: u32 = 20;

type Published = Result<PublishResponse, Error>;

/// Why the flow ended.
pub(crate) enum Ended {
    /// We were told to.
    Stopped,
    Lost {
        trouble: Trouble,
        reason: GapReason,
    },
}

impl From<Closed> for Ended {
    fn from(_: Closed) -> Ended {
        Ended::Stopped
    }
}

/// The state of one session's subscriptions.
pub(crate) struct Flow<'a> {
    session: Arc<Session>,
    wire: Wire,
    host: String,
    connection: ConnectionId,
    outages: &'a mut Outages,
    inlet: &'a mut Inlet,
    subscriptions: Vec<Subscription>,
    refused: Vec<(TagId, Option<NodeId>, UaStatus)>,
    chunk: usize,
    ask_again: Instant,
    pipeline: Pipeline,
    in_flight: FuturesUnordered<BoxFuture<'static, Published>>,
    acknowledge: Vec<SubscriptionAcknowledgement>,
    /// The server keeps sent messages until they are acknowledged.
    retransmits: bool,
    failures: u32,
    state: SubscriptionState,
    /// By tag id.
    overflows: Vec<Overflow>,
    messages: u64,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(
        link: &Link,
        host: &str,
        connection: ConnectionId,
        tags: usize,
        subscribed: Subscribed,
        outages: &'a mut Outages,
        inlet: &'a mut Inlet,
    ) -> Flow<'a> {
        let now = Instant::now();
        let mut subscriptions = subscribed.subscriptions;
        // Creating many items takes time; the server's promise counts from the first Publish request.
        subscriptions.iter_mut().for_each(|subscription| subscription.heard = now);
        Flow {
            session: link.session.clone(),
            wire: link.wire.clone(),
            host: host.to_string(),
            connection,
            outages,
            inlet,
            pipeline: Pipeline::new(subscriptions.len()),
            subscriptions,
            refused: subscribed.refused,
            chunk: subscribed.chunk,
            ask_again: now + ASK_AGAIN,
            in_flight: FuturesUnordered::new(),
            acknowledge: Vec::new(),
            retransmits: true,
            failures: 0,
            state: SubscriptionState::None,
            overflows: vec![Overflow::default(); tags],
            messages: 0,
        }
    }

    /// Did at least one notification or keep-alive arrive?
    pub(crate) fn brought_values(&self) -> bool {
        self.state != SubscriptionState::None
    }

    /// Lets values flow until the session ends.
    pub(crate) async fn run(&mut self, link: &mut Link, stop: &mut watch::Receiver<bool>) -> Ended {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.park();
            let step = tokio::select! {
                () = stopped(stop) => return Ended::Stopped,
                status = link.lost() => Err(self.link_lost(status)),
                Some(published) = self.in_flight.next() => self.published(published).await,
                _ = tick.tick() => self.tick().await,
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    /// Keeps the pipeline filled.
    fn park(&mut self) {
        while self.failures < FAILURES_MAX && self.pipeline.send() {
            let request = Publish::new(&self.session).acks(std::mem::take(&mut self.acknowledge));
            let session = self.session.clone();
            self.in_flight.push(async move { request.send(session.channel()).await }.boxed());
        }
    }

    async fn published(&mut self, published: Published) -> Result<(), Ended> {
        self.wire.keep_token_on_our_clock();
        match published {
            Ok(response) => {
                self.pipeline.returned();
                self.failures = 0;
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
            UaStatus::BadNoSubscription => return Err(self.gone(status)),
            UaStatus::BadSessionIdInvalid | UaStatus::BadSessionClosed => {
                return Err(self.link_lost(status));
            }
            // A request that the server held until it expired; the watchdog judges silence.
            UaStatus::BadTimeout => {}
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
        if message.publish_time.is_null() {
            message.publish_time = response.response_header.timestamp;
        }
        let Some(at) = self.subscriptions.iter().position(|subscription| subscription.id == id) else {
            tracing::warn!(id, "deleting a subscription that is not ours");
            delete(&self.session, id).await;
            return Ok(());
        };
        self.heard(at)?;
        let empty = message.notification_data.as_ref().is_none_or(Vec::is_empty);
        let tracker = &mut self.subscriptions[at].tracker;
        let arrival =
            if empty { tracker.keep_alive(message.sequence_number) } else { tracker.data(message.sequence_number) };
        if !empty {
            self.acknowledge(id, message.sequence_number);
        }
        match arrival {
            Arrival::Repeated => Ok(()),
            Arrival::InOrder => self.message(message),
            Arrival::Missing { first, count } => self.missing(at, first, count, message).await,
        }
    }

    /// Maps one notification message in one pass.
    fn message(&mut self, message: NotificationMessage) -> Result<(), Ended> {
        let gap = self.outages.heard(timestamp(message.publish_time));
        let mut inputs: Vec<Input> = gap.map(Input::Gap).into_iter().collect();
        for notification in message.notification_data.into_iter().flatten() {
            if notification.inner_is::<DataChangeNotification>() {
                if let Some(change) = notification.into_inner_as::<DataChangeNotification>() {
                    self.changes(*change, &mut inputs);
                }
            } else if let Some(change) = notification.inner_as::<StatusChangeNotification>() {
                let status = change.status;
                self.deliver(inputs)?;
                return Err(self.gone(status));
            }
        }
        if inputs.is_empty() { Ok(()) } else { self.deliver(inputs) }
    }

    fn changes(&mut self, change: DataChangeNotification, inputs: &mut Vec<Input>) {
        let items = change.monitored_items.unwrap_or_default();
        self.messages += 1;
        inputs.reserve(items.len());
        for item in items {
            let tag = item.client_handle.wrapping_sub(1);
            let Some(overflow) = self.overflows.get_mut(tag as usize) else { continue };
            let session = &self.session;
            let sample = sample(TagId(tag), item.value, |encode| encode(&session.encoding_context().read().context()));
            inputs.extend(overflow.gap(&sample, self.messages).map(Input::Gap));
            inputs.push(Input::Sample(sample));
        }
    }

    fn input(&self, tag: TagId, value: DataValue) -> Input {
        Input::Sample(sample(tag, value, |encode| encode(&self.session.encoding_context().read().context())))
    }

    async fn tick(&mut self) -> Result<(), Ended> {
        // After a pause of this process answers wait to be seen; they come before any judgement on silence.
        while let Some(Some(published)) = self.in_flight.next().now_or_never() {
            self.published(published).await?;
        }
        self.wire.keep_token_on_our_clock();
        if self.inlet.has_waiting() {
            self.deliver(Vec::new())?;
        }
        if !self.refused.is_empty() && self.ask_again <= Instant::now() {
            self.ask_again = Instant::now() + ASK_AGAIN;
            self.ask_again().await?;
        }
        self.watch()
    }

    /// Late after what the server promised; given up after twice that.
    fn watch(&mut self) -> Result<(), Ended> {
        let silences =
            self.subscriptions.iter().map(|subscription| (subscription.heard.elapsed(), subscription.patience));
        let worst = silences.map(|(silence, patience)| (silence.div_duration_f64(patience), silence));
        let (share, silence) = worst.fold((0.0, Duration::ZERO), |a, b| if b.0 > a.0 { b } else { a });
        if share > 2.0 {
            let trouble = silent(&self.host, silence);
            return Err(Ended::Lost { trouble, reason: GapReason::Silent });
        }
        if share > 1.0 { self.become_state(SubscriptionState::Late) } else { Ok(()) }
    }

    fn heard(&mut self, at: usize) -> Result<(), Ended> {
        self.subscriptions[at].heard = Instant::now();
        if self.state == SubscriptionState::Live {
            return Ok(());
        }
        let late = self.subscriptions.iter().any(|subscription| subscription.heard.elapsed() > subscription.patience);
        if late { Ok(()) } else { self.become_state(SubscriptionState::Live) }
    }

    fn become_state(&mut self, state: SubscriptionState) -> Result<(), Ended> {
        if std::mem::replace(&mut self.state, state) == state {
            return Ok(());
        }
        self.deliver(vec![Input::Subscription { connection: self.connection, state }])
    }

    fn acknowledge(&mut self, subscription_id: u32, sequence_number: u32) {
        if self.retransmits {
            self.acknowledge.push(SubscriptionAcknowledgement { subscription_id, sequence_number });
        }
    }

    fn deliver(&mut self, inputs: Vec<Input>) -> Result<(), Ended> {
        // Nobody takes anything any more: that is the end.
        Ok(self.inlet.deliver(inputs)?)
    }

    fn link_lost(&self, status: UaStatus) -> Ended {
        Ended::Lost { trouble: link_lost(&self.host, status), reason: GapReason::LinkDown }
    }

    fn gone(&self, status: UaStatus) -> Ended {
        Ended::Lost { trouble: subscription_gone(&self.host, status), reason: GapReason::Silent }
    }
}

/// GoodRetransmissionQueueNotSupported (OPC 10000-6 A.2), which the library does not name.
const RETRANSMISSION_NOT_SUPPORTED: UaStatus = UaStatus::GoodRetransmissionQueueNotSupported;
