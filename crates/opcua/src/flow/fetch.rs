//! What the flow fetches afterwards: notifications that did not come, and nodes that were refused.

use super::{Ended, Flow};
use crate::sequence::{REPUBLISH_MAX, successor};
use crate::service;
use crate::subscribe::{Item, create_items};
use crate::value::timestamp;
use crate::words::code;
use lineside_model::{Input, StatusCode, TagId};
use opcua::client::UARequest;
use opcua::client::services::Republish;
use opcua::types::{NodeId, NotificationMessage, StatusCode as UaStatus};
use std::time::Duration;

const REPUBLISH_TIMEOUT: Duration = Duration::from_secs(5);

impl Flow<'_> {
    /// Fetches what is missing, delivers it in order, and says what is lost for good.
    pub(super) async fn missing(
        &mut self,
        at: usize,
        first: u32,
        count: u32,
        message: NotificationMessage,
    ) -> Result<(), Ended> {
        let id = self.subscriptions[at].id;
        tracing::warn!(id, first, count, "notifications missing");
        let mut lost = count > REPUBLISH_MAX || !self.retransmits;
        let mut number = first;
        for _ in 0..if lost { 0 } else { count } {
            let request = Republish::new(id, number, &self.session).timeout(REPUBLISH_TIMEOUT);
            match request.send(self.session.channel()).await {
                Ok(found) if found.notification_message.sequence_number == number => {
                    self.acknowledge(id, number);
                    self.message(found.notification_message)?;
                }
                // There are servers that answer Good with an empty message where they have none.
                Ok(_) => lost = true,
                Err(error) if code(error.status()) == UaStatus::BadSubscriptionIdInvalid => {
                    return Err(self.gone(error.status()));
                }
                Err(error) => {
                    tracing::warn!(id, number, %error, "notification lost");
                    lost = true;
                }
            }
            number = successor(number);
        }
        if !lost {
            return self.message(message);
        }
        let gap = self.outages.lost_before(timestamp(message.publish_time));
        self.deliver(gap.map(Input::Gap).into_iter().collect())?;
        self.message(message)?;
        self.read_again(at).await
    }

    /// After a loss the last change of a tag may be among what is lost: ask for every value once.
    async fn read_again(&mut self, at: usize) -> Result<(), Ended> {
        let items = &self.subscriptions[at].items;
        let (tags, nodes): (Vec<TagId>, Vec<NodeId>) = items.iter().cloned().unzip();
        match service::read(&self.session, &nodes, &mut self.chunk).await {
            Ok(values) => {
                let inputs = tags.into_iter().zip(values).map(|(tag, value)| self.input(tag, value)).collect();
                self.deliver(inputs)
            }
            Err(status) => Err(self.link_lost(status)),
        }
    }

    /// Asks again for the nodes that were refused.
    pub(super) async fn ask_again(&mut self) -> Result<(), Ended> {
        let Some(last) = self.subscriptions.last_mut() else {
            return Ok(());
        };
        let items: Vec<Item> = self.refused.iter().filter_map(|(tag, node, _)| Some((*tag, node.clone()?))).collect();
        let answers = match create_items(&self.session, last, &items, &mut self.chunk).await {
            Ok(answers) => answers,
            Err(status) => {
                tracing::info!(%status, "refused nodes could not be asked for again");
                return Ok(());
            }
        };
        let accepted = items.into_iter().zip(answers).filter(|(_, status)| !status.is_bad()).map(|(item, _)| item);
        let accepted: Vec<Item> = accepted.collect();
        self.refused.retain(|(tag, _, _)| accepted.iter().all(|(now, _)| now != tag));
        let inputs = accepted.iter().map(|(tag, _)| Input::Item { tag: *tag, status: StatusCode::GOOD }).collect();
        last.items.extend(accepted);
        self.deliver(inputs)
    }
}
