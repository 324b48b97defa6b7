//! What the flow fetches afterwards: notifications that did not come, and nodes that were refused.

use super::{Ended, Flow, IDLE_MAX, SHADOW_LOOK, SHADOW_MAX};
use crate::flow::sequence::{REPUBLISH_MAX, predecessor, successor};
use crate::subscribe::{Item, create_items};
use crate::value::timestamp;
use crate::words::{code, subscription_gone};
use crate::{limits, service};
use lineside_model::{Input, StatusCode, SubscriptionState, TagId};
use opcua::client::UARequest;
use opcua::client::services::Republish;
use opcua::types::{NodeId, NotificationMessage, StatusCode as UaStatus};
use std::time::Duration;
use tokio::time::Instant;

/// How long a silent server may think about one question; its silence is judged by other means.
const QUESTION: Duration = Duration::from_secs(1);

/// What became of the question for one message.
enum Fetched {
    Message(NotificationMessage),
    /// The server does not have it, or cannot repeat anything.
    NotAvailable {
        proves_life: bool,
    },
}

impl Flow<'_> {
    /// After a channel or a session was lost: fetches what the subscriptions that stand have published since.
    /// Where nothing is missing, the outage was none for the values.
    pub(super) async fn catch_up(&mut self) -> Result<(), Ended> {
        let anew = self.parts.standing.subscriptions.iter().any(|subscription| subscription.fresh);
        let mut whole = !anew;
        for at in 0..self.parts.standing.subscriptions.len() {
            if std::mem::take(&mut self.parts.standing.subscriptions[at].fresh) {
                continue;
            }
            if self.catch_up_one(at).await? {
                let items = &self.parts.standing.subscriptions[at].items;
                self.parts.feed.confirm(items.iter().map(|(tag, _)| *tag))?;
            } else {
                whole = false;
                self.read_again(at).await?;
            }
        }
        if whole {
            self.parts.feed.outages.bridged();
            self.alive = true;
            self.become_state(SubscriptionState::Live)?;
        }
        Ok(())
    }

    /// Fetches from the next number on; true where the server shows that it lives and nothing is missing.
    async fn catch_up_one(&mut self, at: usize) -> Result<bool, Ended> {
        let subscription = &mut self.parts.standing.subscriptions[at];
        let id = subscription.id;
        let known = subscription.available.take().map(|numbers| subscription.tracker.ahead(&numbers));
        // After a transfer the server has said that the subscription lives.
        let mut whole = known.is_some();
        for step in 0..REPUBLISH_MAX as usize {
            let next = self.parts.standing.subscriptions[at].tracker.next();
            let number = match &known {
                Some(numbers) => match numbers.get(step) {
                    Some(number) => *number,
                    None => return Ok(whole),
                },
                None => next,
            };
            match self.fetch(id, number, self.parts.patience).await? {
                Fetched::Message(message) => {
                    if number != next {
                        whole = false;
                        self.parts.feed.lost_before(id, message.publish_time)?;
                    }
                    self.fetched(at, message)?;
                }
                Fetched::NotAvailable { proves_life } if known.is_none() => return Ok(proves_life),
                Fetched::NotAvailable { .. } => whole = false,
            }
        }
        Ok(whole)
    }

    fn fetched(&mut self, at: usize, message: NotificationMessage) -> Result<(), Ended> {
        let subscription = &mut self.parts.standing.subscriptions[at];
        let (id, number) = (subscription.id, message.sequence_number);
        // It was not there when it was due, or it would not have had to be fetched.
        self.parts.feed.counters.missing += 1;
        self.parts.feed.counters.republished += 1;
        subscription.tracker.expect(successor(number));
        subscription.newest = subscription.newest.max(Some(message.publish_time));
        self.parts.feed.outages.fetched(id, timestamp(message.publish_time));
        self.notifications(id, message)?;
        self.acknowledge(id, number);
        Ok(())
    }

    /// Requests of a lost channel may still wait at the server, and swallow what it publishes; until one of ours
    /// is answered, the messages are fetched.
    pub(super) async fn look_behind_shadow(&mut self, since: Instant) -> Result<(), Ended> {
        for at in 0..self.parts.standing.subscriptions.len() {
            if self.catch_up_one(at).await? {
                self.heard(at)?;
            }
        }
        let over = since.elapsed() > SHADOW_MAX;
        self.shadow = (!over).then_some((since, Instant::now() + SHADOW_LOOK));
        Ok(())
    }

    /// A silent subscription: asks, briefly, for a message that we have. What the server refuses to know is gone, and
    /// one that does not answer this either is silent altogether; any other answer proves nothing, because it should
    /// have published. (The next message is not asked for: there are servers that forget it with the answer, and
    /// the answer may not arrive.)
    pub(super) async fn ask_whether_gone(&mut self, at: usize) -> Result<(), Ended> {
        let subscription = &self.parts.standing.subscriptions[at];
        let (id, number, heard) = (subscription.id, predecessor(subscription.tracker.next()), subscription.heard);
        match self.fetch(id, number, QUESTION.min(self.parts.patience)).await {
            Err(Ended::Lost { status, .. }) if code(status) == UaStatus::BadTimeout => {
                Err(self.silent(heard.elapsed()))
            }
            answered => answered.map(|_known| ()),
        }
    }

    async fn fetch(&mut self, id: u32, number: u32, patience: Duration) -> Result<Fetched, Ended> {
        if !self.retransmits {
            return Ok(Fetched::NotAvailable { proves_life: false });
        }
        let request = Republish::new(id, number, &self.session).timeout(patience);
        match request.send(self.session.channel()).await {
            Ok(found) if found.notification_message.sequence_number == number => {
                Ok(Fetched::Message(found.notification_message))
            }
            // There are servers that answer Good with an empty message where they have none.
            Ok(_) => Ok(Fetched::NotAvailable { proves_life: true }),
            Err(error) => match code(error.status()) {
                UaStatus::BadMessageNotAvailable => Ok(Fetched::NotAvailable { proves_life: true }),
                UaStatus::BadSubscriptionIdInvalid | UaStatus::BadNoSubscription => Err(self.gone(id, error.status())),
                status if service::is_of_link(status) => Err(self.link_lost(status)),
                status => {
                    tracing::info!(id, number, %status, "the server repeats no message");
                    Ok(Fetched::NotAvailable { proves_life: false })
                }
            },
        }
    }

    /// Fetches what is missing, delivers it in order, and says what is lost for good.
    pub(super) async fn missing(
        &mut self,
        at: usize,
        first: u32,
        count: u32,
        message: NotificationMessage,
    ) -> Result<(), Ended> {
        let id = self.parts.standing.subscriptions[at].id;
        tracing::warn!(id, first, count, "notifications missing");
        self.parts.feed.counters.missing += u64::from(count);
        let after = self.parts.standing.subscriptions[at].tracker;
        let mut lost = if count > REPUBLISH_MAX { count } else { 0 };
        let (mut number, mut told) = (first, 0);
        for _ in 0..if lost > 0 { 0 } else { count } {
            // Should the link be lost meanwhile, it goes on from here.
            self.parts.standing.subscriptions[at].tracker.expect(number);
            match self.fetch(id, number, self.parts.patience).await? {
                Fetched::Message(found) => {
                    // What is lost lies before this one; after it, nobody would look for it.
                    if std::mem::replace(&mut told, lost) < lost {
                        self.parts.feed.lost_before(id, found.publish_time)?;
                    }
                    self.parts.feed.counters.republished += 1;
                    self.message(id, found)?;
                    self.acknowledge(id, number);
                }
                Fetched::NotAvailable { .. } => lost += 1,
            }
            number = successor(number);
        }
        self.parts.standing.subscriptions[at].tracker = after;
        if lost == 0 {
            return self.message(id, message);
        }
        self.idle += lost.clamp(IDLE_MAX, REPUBLISH_MAX);
        self.parts.feed.counters.lost_messages += u64::from(lost);
        if told < lost {
            self.parts.feed.lost_before(id, message.publish_time)?;
        }
        self.message(id, message)?;
        self.read_again(at).await
    }

    /// The numbers of the server began anew, or were wrong before: what was missed in between is not known.
    pub(super) async fn renumbered(&mut self, at: usize, message: NotificationMessage) -> Result<(), Ended> {
        let subscription = &mut self.parts.standing.subscriptions[at];
        let (id, number) = (subscription.id, message.sequence_number);
        tracing::warn!(id, number, expected = subscription.tracker.next(), "the server numbers its messages anew");
        subscription.tracker.expect(successor(number));
        self.idle += IDLE_MAX;
        self.heard(at)?;
        self.parts.feed.lost_before(id, message.publish_time)?;
        self.message(id, message)?;
        self.read_again(at).await
    }

    /// After a loss the last change of a tag may be among what is lost: ask for every value once.
    async fn read_again(&mut self, at: usize) -> Result<(), Ended> {
        let items = &self.parts.standing.subscriptions[at].items;
        let (tags, nodes): (Vec<TagId>, Vec<NodeId>) = items.iter().cloned().unzip();
        match service::read(&self.session, &nodes, &mut self.parts.capacity.nodes_per_read).await {
            Ok(values) => {
                let session = self.session.clone();
                Ok(self.parts.feed.read(&session, tags.into_iter().zip(values))?)
            }
            Err(status) => Err(self.link_lost(status)),
        }
    }

    /// Asks again for the nodes that were refused, where the namespaces are still those that they were looked up in.
    pub(super) async fn ask_again(&mut self) -> Result<(), Ended> {
        let standing = &mut *self.parts.standing;
        if standing.refused.iter().all(|refused| standing.undecodable.contains(&refused.tag)) {
            return Ok(());
        }
        match limits::namespaces(&self.session).await {
            Ok(namespaces) if !namespaces.is_empty() && namespaces != self.parts.namespaces => {
                return Err(Ended::Changed);
            }
            Err(status) if service::is_of_link(status) => return Err(self.link_lost(status)),
            Ok(_) | Err(_) => {}
        }
        let standing = &mut *self.parts.standing;
        let items: Vec<Item> =
            standing.refused.iter().filter_map(|refused| Some((refused.tag, refused.node.clone()?))).collect();
        let Some(last) = standing.subscriptions.last_mut() else {
            return Ok(());
        };
        let asked = create_items(&self.session, last, &items, self.parts.capacity, self.parts.patience).await;
        let answers = match asked {
            Ok(answers) => answers,
            Err(status) => {
                // Which of them exist now is not known where the answer is missing, or makes no sense.
                let id = last.id;
                tracing::info!(%status, "refused nodes could not be asked for again");
                return match code(status) {
                    status if service::is_of_link(status) => {
                        standing.orphan(id);
                        Err(self.link_lost(status))
                    }
                    // The wrong number of answers.
                    UaStatus::BadUnexpectedError | UaStatus::BadUnknownResponse => {
                        standing.orphan(id);
                        Err(Ended::Gone(subscription_gone(&self.host, status)))
                    }
                    _ => Ok(()),
                };
            }
        };
        let accepted: Vec<Item> =
            items.into_iter().zip(answers).filter(|(_, made)| !made.status.is_bad()).map(|(item, _)| item).collect();
        standing.refused.retain(|refused| accepted.iter().all(|(now, _)| *now != refused.tag));
        let inputs = accepted.iter().map(|(tag, _)| Input::Item { tag: *tag, status: StatusCode::GOOD }).collect();
        if !accepted.is_empty() {
            self.parts.feed.beside.accepted(last.id, &accepted);
        }
        last.items.extend(accepted);
        Ok(self.parts.feed.deliver(inputs)?)
    }
}
