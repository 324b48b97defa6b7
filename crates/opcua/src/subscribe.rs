//! Subscriptions and their items: split by limits, every answer looked at, every tag accounted for.
//!
//! The client handle of an item is its tag id plus one (the library replaces a handle of 0), so a value finds
//! its tag without a search.

use crate::limits::Facts;
use crate::sequence::Tracker;
use crate::words::{Trouble, code, service_failed};
use crate::{endpoint, node, service};
use lineside_model::{ConnectionId, PlantConfig, Span, TagId};
use opcua::client::services::{CreateMonitoredItems, CreateSubscription, DeleteSubscriptions};
use opcua::client::{Session, UARequest};
use opcua::types::{
    AttributeId, DataChangeFilter, DataChangeTrigger, DeadbandType, ExtensionObject, MonitoredItemCreateRequest,
    MonitoringMode, MonitoringParameters, NodeId, ReadValueId, StatusCode, TimestampsToReturn,
};
use std::time::Duration;
use tokio::time::Instant;

/// Wanted longest silence of a healthy subscription.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// A subscription without its client frees the server after this.
const LIFETIME: Duration = Duration::from_secs(60);
/// Round trip and scheduling, added to the promised keep-alive before silence counts.
const MARGIN: Duration = Duration::from_secs(1);
/// Items of one notification message: a burst of one value each of a whole subscription.
const NOTIFICATIONS_MAX: u32 = 2_000;
/// Every change, as fast as the server can see it. With an interval, servers drop what lies within it, and
/// async-opcua's moves source times onto its own grid.
const SAMPLING_MS: f64 = 0.0;
/// The fastest changes that a queue must hold for one publishing interval.
const FASTEST_MS: f64 = 10.0;
const QUEUE_MIN: u32 = 10;

/// A tag and its node on this server.
pub(crate) type Item = (TagId, NodeId);

/// One subscription at the server.
pub(crate) struct Subscription {
    pub(crate) id: u32,
    pub(crate) tracker: Tracker,
    /// Silence longer than this is not what the server promised.
    pub(crate) patience: Duration,
    pub(crate) heard: Instant,
    pub(crate) items: Vec<Item>,
    queue: u32,
}

/// What became of all tags of a connection.
pub(crate) struct Subscribed {
    pub(crate) subscriptions: Vec<Subscription>,
    /// Tags that the server, or the namespace table, refused. A node where asking again makes sense.
    pub(crate) refused: Vec<(TagId, Option<NodeId>, StatusCode)>,
    /// Items per call, as learned.
    pub(crate) chunk: usize,
}

/// Creates what the connection's tags need; at least one subscription, whose keep-alives prove the link.
pub(crate) async fn subscribe(
    session: &Session,
    config: &PlantConfig,
    connection: ConnectionId,
    facts: &Facts,
) -> Result<Subscribed, Trouble> {
    let settings = &config.connections[connection.0 as usize];
    let host = endpoint::authority(&settings.endpoint);
    let mut done = Subscribed { subscriptions: Vec::new(), refused: Vec::new(), chunk: facts.limits.items_per_call };
    let mut waiting = resolve(config, connection, facts, &mut done);
    let mut share = facts.limits.share(waiting.len());
    loop {
        let mut subscription = match create(session, settings.publish).await {
            Ok(subscription) => subscription,
            Err(status) if !done.subscriptions.is_empty() => {
                done.refuse(waiting, status);
                return Ok(done);
            }
            Err(status) => return Err(service_failed(host, "create a subscription", status)),
        };
        let rest = waiting.split_off(share.min(waiting.len()));
        let chunk = done.chunk;
        let answers = create_items(session, &subscription, &waiting, &mut done.chunk)
            .await
            .map_err(|status| service_failed(host, "monitor the tags", status))?;
        let full = subscription.take(waiting, answers, &mut done);
        let accepted = subscription.items.len();
        if accepted == 0 && !done.subscriptions.is_empty() {
            delete(session, subscription.id).await;
            done.refuse(full.into_iter().chain(rest).collect(), StatusCode::BadTooManyMonitoredItems);
            return Ok(done);
        }
        done.subscriptions.push(subscription);
        if !full.is_empty() {
            // An undeclared limit was met. It is of the subscription, not of the call.
            share = accepted.max(1);
            done.chunk = chunk;
        }
        waiting = full.into_iter().chain(rest).collect();
        if waiting.is_empty() {
            return Ok(done);
        }
    }
}

impl Subscribed {
    fn refuse(&mut self, items: Vec<Item>, status: StatusCode) {
        self.refused.extend(items.into_iter().map(|(tag, node)| (tag, Some(node), status)));
    }
}

impl Subscription {
    /// Sorts the server's answers; returns the items for which this subscription was full.
    fn take(&mut self, items: Vec<Item>, answers: Vec<StatusCode>, done: &mut Subscribed) -> Vec<Item> {
        let mut full = Vec::new();
        for ((tag, node), status) in items.into_iter().zip(answers) {
            if !status.is_bad() {
                self.items.push((tag, node));
            } else if code(status) == StatusCode::BadTooManyMonitoredItems {
                full.push((tag, node));
            } else {
                done.refused.push((tag, Some(node), status));
            }
        }
        full
    }
}

fn resolve(config: &PlantConfig, connection: ConnectionId, facts: &Facts, done: &mut Subscribed) -> Vec<Item> {
    let mut items = Vec::new();
    for tag in config.tag_ids().filter(|tag| config.tag(*tag).connection == connection) {
        match node::resolve(&config.tag(tag).node, &facts.namespaces) {
            Ok(node) => items.push((tag, node)),
            Err(status) => done.refused.push((tag, None, status)),
        }
    }
    items
}

async fn create(session: &Session, publish: Span) -> Result<Subscription, StatusCode> {
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
        .publishing_enabled(true)
        .send(session.channel())
        .await
        .map_err(|error| error.status())?;
    let interval_ms = created.revised_publishing_interval.max(1.0);
    let promised = Duration::from_secs_f64(interval_ms / 1e3 * f64::from(created.revised_max_keep_alive_count.max(1)));
    Ok(Subscription {
        id: created.subscription_id,
        tracker: Tracker::new(),
        patience: promised + MARGIN,
        heard: Instant::now(),
        items: Vec::new(),
        queue: QUEUE_MIN.max((interval_ms / FASTEST_MS).ceil() as u32 + 2),
    })
}

/// Asks for `items` in `subscription`; one answer for each, in order. Where a server takes no filter, its
/// default is what we ask for anyway, so the item is asked for again without.
pub(crate) async fn create_items(
    session: &Session,
    subscription: &Subscription,
    items: &[Item],
    chunk: &mut usize,
) -> Result<Vec<StatusCode>, StatusCode> {
    let mut answers = ask(session, subscription, items, chunk, true).await?;
    let plain: Vec<usize> = (0..answers.len()).filter(|at| is_about_filter(answers[*at])).collect();
    let again: Vec<Item> = plain.iter().map(|at| items[*at].clone()).collect();
    let second = ask(session, subscription, &again, chunk, false).await?;
    for (at, answer) in plain.into_iter().zip(second) {
        answers[at] = answer;
    }
    Ok(answers)
}

async fn ask(
    session: &Session,
    subscription: &Subscription,
    items: &[Item],
    chunk: &mut usize,
    filter: bool,
) -> Result<Vec<StatusCode>, StatusCode> {
    let mut answers = Vec::with_capacity(items.len());
    while answers.len() < items.len() {
        let rest = &items[answers.len()..];
        let part: Vec<_> = rest.iter().take(*chunk).map(|item| request(subscription, item, filter)).collect();
        let operands = part.len();
        let created = CreateMonitoredItems::new(subscription.id, session)
            .timestamps_to_return(TimestampsToReturn::Both)
            .items_to_create(part)
            .send(session.channel())
            .await;
        match created {
            Ok(created) => answers.extend(created.results.iter().map(|item| item.result.status_code)),
            Err(error) if service::halve(chunk, operands, error.status()) => {}
            Err(error) if service::is_too_much(error.status()) => answers.push(error.status()),
            Err(error) => return Err(error.status()),
        }
    }
    Ok(answers)
}

fn is_about_filter(status: StatusCode) -> bool {
    matches!(
        code(status),
        StatusCode::BadMonitoredItemFilterUnsupported
            | StatusCode::BadMonitoredItemFilterInvalid
            | StatusCode::BadFilterNotAllowed
    )
}

fn request(subscription: &Subscription, (tag, node): &Item, filter: bool) -> MonitoredItemCreateRequest {
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId {
            node_id: node.clone(),
            attribute_id: AttributeId::Value as u32,
            ..ReadValueId::default()
        },
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            client_handle: tag.0 + 1,
            sampling_interval: SAMPLING_MS,
            filter: if filter { every_change() } else { ExtensionObject::null() },
            queue_size: subscription.queue,
            discard_oldest: true,
        },
    }
}

/// A change of the value or of the status. The standard's default (OPC 10000-4 7.22.2), yet there are
/// servers that without it overlook a change of the status alone.
fn every_change() -> ExtensionObject {
    ExtensionObject::from_message(DataChangeFilter {
        trigger: DataChangeTrigger::StatusValue,
        deadband_type: DeadbandType::None as u32,
        deadband_value: 0.0,
    })
}

/// Deletes a subscription that nobody needs; a server that does not answer lets it die by itself.
pub(crate) async fn delete(session: &Session, id: u32) {
    let deleted = DeleteSubscriptions::new(session).subscription(id).send(session.channel()).await;
    if let Err(error) = deleted {
        tracing::debug!(%error, id, "subscription not deleted");
    }
}
