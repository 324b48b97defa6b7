//! The steps by which our subscriptions come to stand at the server: taken over, rid of what cannot be decoded,
//! completed.

use super::ladder::Outcome;
use super::{LOST, Supervisor};
use crate::flow::counters::Promised;
use crate::isolate::Suspects;
use crate::service;
use crate::subscribe::Plan;
use crate::words::{refused, service_failed};
use lineside_model::inlet::Closed;
use lineside_model::{Input, LinkState, StatusCode};
use opcua::types::{MonitoringMode, NodeId};

/// Values read at once in the search for those that cannot be decoded.
const SUSPECTS_AT_ONCE: usize = 256;

impl Supervisor {
    pub(super) async fn transfer(&mut self) -> Result<Outcome, Closed> {
        let Some(link) = &mut self.link else {
            return Ok(LOST);
        };
        match self.standing.transfer(&link.session).await {
            Ok((kept, lost)) => {
                tracing::info!(kept, lost, "subscriptions taken over by the new session");
                self.feed.counters.transferred += u64::try_from(kept).unwrap_or_default();
                Ok(Outcome::Transferred)
            }
            Err(status) => self.failed(service_failed(&self.host, "transfer the subscriptions", status)).await,
        }
    }

    /// One part of the search for values that cannot be decoded; it ends with a lost channel, or with all parts.
    pub(super) async fn isolate(&mut self) -> Result<Outcome, Closed> {
        let Some(link) = &mut self.link else {
            return Ok(LOST);
        };
        let standing = &self.standing;
        let suspects = self.suspects.get_or_insert_with(|| Suspects::new(standing.items().cloned().collect()));
        while let Some(part) = suspects.next(SUSPECTS_AT_ONCE) {
            let nodes: Vec<NodeId> = part.iter().map(|(_, node)| node.clone()).collect();
            // What a closed channel seems to say of sizes is not to be remembered.
            let mut chunk = self.capacity.nodes_per_read;
            let Err(status) = service::read(&link.session, &nodes, &mut chunk).await else {
                suspects.passed();
                continue;
            };
            let outcome = self.failed(service_failed(&self.host, "give the values one by one", status)).await?;
            if let (Outcome::Lost { undecodable: true, .. }, Some(suspects)) = (outcome, &mut self.suspects) {
                suspects.failed();
            }
            return Ok(outcome);
        }
        let found = self.suspects.take().map(|mut suspects| suspects.found()).unwrap_or_default();
        self.standing.leave_out(found.into_iter().map(|(tag, _)| tag).collect());
        Ok(Outcome::Isolated)
    }

    pub(super) async fn create(&mut self) -> Result<Outcome, Closed> {
        let (Some(link), Some(facts)) = (&mut self.link, &self.facts) else {
            return Ok(LOST);
        };
        let config = self.config.clone();
        let plan = Plan {
            config: &config,
            connection: self.connection,
            facts,
            patience: self.patience,
            mode: MonitoringMode::Reporting,
        };
        match self.standing.complete(&link.session, &plan, &mut self.capacity).await {
            Ok(made) => {
                self.feed.counters.created += u64::try_from(made).unwrap_or_default();
                if made > 0 || !self.answered {
                    self.answers()?;
                }
                self.created()?;
                Ok(Outcome::Created)
            }
            Err(status) => self.failed(service_failed(&self.host, "monitor the tags", status)).await,
        }
    }

    /// Tells the server's answer for every tag.
    fn answers(&mut self) -> Result<(), Closed> {
        self.answered = true;
        let accepted = self.standing.items().map(|(tag, _)| Input::Item { tag: *tag, status: StatusCode::GOOD });
        let answers = self.standing.refused.iter();
        let answers =
            answers.map(|refused| Input::Item { tag: refused.tag, status: StatusCode(refused.status.bits()) });
        self.feed.deliver(accepted.chain(answers).collect())
    }

    /// Everything stands: tells so.
    fn created(&mut self) -> Result<(), Closed> {
        let promised = self.standing.subscriptions.iter();
        let promised = promised.map(|of| Promised { id: of.id, revised: of.revised, items: of.items.len() });
        self.feed.counters.subscriptions = promised.collect();
        let first = self.standing.refused.first().map(|first| (self.config.tag(first.tag), first.status));
        let refused = first.map(|(tag, status)| refused(self.standing.refused.len(), &tag.name, &tag.node, status));
        let detail = refused.map_or_else(|| self.detail.clone(), |refused| format!("{} {refused}", self.detail));
        if self.feed.said() != LinkState::Up || !self.standing.refused.is_empty() {
            self.feed.say(LinkState::Up, StatusCode::GOOD, &detail)?;
        }
        Ok(())
    }
}
