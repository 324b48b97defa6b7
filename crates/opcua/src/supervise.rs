//! Climbs the [`Ladder`]: takes the step that it names, and tells it what came of it.
//!
//! What stands at the server (`Standing`), what is known of it (`Facts`, `Capacity`) and what was delivered
//! (`Feed`) outlive links, so that a lost channel costs neither a subscription nor a value.

use crate::connect::{Cause, Failure, Link, PATIENCE, Revival, SESSION_LIFETIME, connect_within};
use crate::counters::Promised;
use crate::feed::Feed;
use crate::flow::{Ended, Flow, Parts};
use crate::isolate::Suspects;
use crate::ladder::{Ladder, Outcome, Step};
use crate::limits::{Capacity, Facts};
use crate::members::Members;
use crate::standby::Ready;
use crate::subscribe::{Item, Plan, Standing};
use crate::words::{Trouble, code, link_lost, refused, service_failed};
use crate::{Settings, beside, endpoint, limits, service, visit};
use lineside_model::config::Connection;
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::{ConnectionId, GapReason, Input, LinkState, PlantConfig, StatusCode, SubscriptionState, TagId};
use opcua::types::{MonitoringMode, NodeId, StatusCode as UaStatus};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How long a server may take to confirm the end of our session.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);
/// A server that is known as slow is given at most so long for an answer.
const PATIENCE_MAX: Duration = Duration::from_secs(20);
/// Values read at once in the search for those that cannot be decoded.
const SUSPECTS_AT_ONCE: usize = 256;

/// Runs until told to stop, or until nobody takes what is delivered.
pub(crate) async fn run(
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    settings: Settings,
    inlet: Inlet,
    (mut stop, retry): (watch::Receiver<bool>, Arc<Notify>),
) {
    let mut supervisor = Supervisor { retry, ..Supervisor::new(config, connection, settings, inlet) };
    tokio::select! {
        () = stopped(&mut stop) => {}
        Closed = supervisor.climb() => {}
    }
    supervisor.leave().await;
}

/// Returns when the adapter is to end, or its handle is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the handle was dropped, which asks for the same.
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the adapter's handle was dropped");
    }
}

struct Supervisor {
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    settings: Settings,
    /// Somebody asks not to wait any longer.
    retry: Arc<Notify>,
    host: String,
    began: Instant,
    ladder: Ladder,
    feed: Feed,
    /// What runs beside the values ends with this.
    _beside: beside::Task,
    members: Members,
    link: Option<Link>,
    facts: Option<Facts>,
    capacity: Capacity,
    standing: Standing,
    /// The search for values that cannot be decoded, while it lasts.
    suspects: Option<Suspects<Item>>,
    /// What this server may take for an answer.
    patience: Duration,
    /// What the link is, in words.
    detail: String,
    /// Why it was down last.
    trouble: String,
    /// The server's answers for the tags were told in this session.
    answered: bool,
}

impl Supervisor {
    fn new(config: Arc<PlantConfig>, connection: ConnectionId, settings: Settings, inlet: Inlet) -> Supervisor {
        let (beside, task) = beside::start(config.clone(), connection, settings.clock, inlet.clone());
        Supervisor {
            host: endpoint::authority(&config.connections[connection.0 as usize].endpoint).to_string(),
            feed: Feed::new(&config, connection, inlet, beside),
            _beside: task,
            members: Members::new(settings.clone(), config.clone(), connection),
            config,
            connection,
            settings,
            retry: Arc::default(),
            began: Instant::now(),
            ladder: Ladder::new(SESSION_LIFETIME),
            link: None,
            facts: None,
            capacity: Capacity::default(),
            standing: Standing::default(),
            suspects: None,
            patience: PATIENCE,
            detail: String::new(),
            trouble: String::new(),
            answered: false,
        }
    }

    async fn climb(&mut self) -> Closed {
        let mut outcome = Outcome::Waited;
        loop {
            let step = self.ladder.next(self.began.elapsed(), outcome, jitter());
            tracing::debug!(connection = self.settings().name, ?outcome, ?step);
            outcome = match self.take(step).await {
                Ok(outcome) => self.fail_over(outcome).await,
                Err(closed) => return closed,
            };
        }
    }

    /// Goes to another server of the set where that is better after `outcome`.
    async fn fail_over(&mut self, outcome: Outcome) -> Outcome {
        match outcome {
            _ if !self.members.is_set() => return outcome,
            Outcome::Unreached | Outcome::Broken | Outcome::Refused => self.members.lost(&self.trouble),
            // A server that is only left for a better one is not lost.
            Outcome::Lost { .. } | Outcome::Failed
                if self.members.has_ready() && self.feed.said() == LinkState::Down =>
            {
                self.members.lost(&self.trouble);
            }
            _ => {}
        }
        let chosen = self.members.better();
        self.feed.beside.members(self.members.report());
        let Some((to, promising)) = chosen else {
            return outcome;
        };
        if let Some(link) = self.link.take() {
            // Its end must not delay the beginning of the other.
            tokio::spawn(link.close(CLOSE_PATIENCE));
        }
        self.outage(GapReason::LinkDown);
        self.feed.beside.elsewhere();
        (self.facts, self.suspects, self.answered) = (None, None, false);
        (self.standing, self.capacity, self.patience) = (Standing::default(), Capacity::default(), PATIENCE);
        self.ladder.elsewhere();
        let ready = self.members.change(to).await;
        self.host = endpoint::authority(&self.settings().endpoint).to_string();
        let awake = match ready {
            Some(ready) => self.take_over(ready).await,
            None => false,
        };
        if awake || promising { Outcome::Waited } else { outcome }
    }

    /// Uses what was prepared on a server that stood by; false where it does not work after all.
    async fn take_over(&mut self, mut ready: Ready) -> bool {
        if let Err(status) = ready.standing.wake(&ready.link.session, &ready.capacity).await {
            tracing::warn!(%status, "a server that stood by does not take over");
            return false;
        }
        self.feed.beside.source(false, |sources| sources.link = ready.link.facts(self.members.connection()));
        let items: Vec<(TagId, NodeId)> =
            if ready.slept { ready.standing.items().cloned().collect() } else { Vec::new() };
        let (tags, nodes): (Vec<TagId>, Vec<NodeId>) = items.into_iter().unzip();
        // Items that were asleep may report nothing before their next change; the others have it in their queues.
        let values = service::read(&ready.link.session, &nodes, &mut ready.capacity.nodes_per_read).await;
        self.feed.take_over();
        let session = ready.link.session.clone();
        (self.link, self.facts) = (Some(ready.link), Some(ready.facts));
        (self.standing, self.capacity) = (ready.standing, ready.capacity);
        self.ladder.took_over(self.began.elapsed());
        let told = self.introduce().and_then(|()| match values {
            Ok(values) => self.feed.read(&session, tags.into_iter().zip(values)),
            Err(_) => Ok(()),
        });
        told.is_ok()
    }

    async fn take(&mut self, step: Step) -> Result<Outcome, Closed> {
        match step {
            Step::Wait(wait) => {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = self.retry.notified() => {}
                }
                Ok(Outcome::Waited)
            }
            Step::Connect => self.connect().await,
            Step::Resume => self.resume().await,
            Step::Inspect => self.inspect().await,
            Step::Flow => self.flow().await,
            Step::Learn => self.learn().await,
            Step::Transfer => self.transfer().await,
            Step::Isolate => self.isolate().await,
            Step::Create => self.create().await,
        }
    }

    fn settings(&self) -> &Connection {
        self.members.connection()
    }

    async fn connect(&mut self) -> Result<Outcome, Closed> {
        if let Some(link) = self.link.take() {
            link.close(CLOSE_PATIENCE).await;
        }
        self.connecting()?;
        match connect_within(&self.settings, self.settings(), self.patience).await {
            Ok(link) => {
                self.feed.beside.source(false, |sources| sources.link = link.facts(self.settings()));
                self.patience = patience_for(link.wire.longest());
                self.link = Some(link);
                self.feed.counters.sessions_created += 1;
                Ok(Outcome::Connected)
            }
            // There is no session to be kept: a channel that broke is the same as a server that is not there.
            Err(Failure { cause: Cause::Broken, trouble }) => {
                self.down(trouble)?;
                Ok(Outcome::Unreached)
            }
            Err(failure) => self.not_opened(failure),
        }
    }

    async fn resume(&mut self) -> Result<Outcome, Closed> {
        self.connecting()?;
        let Some(link) = &mut self.link else {
            return Ok(Outcome::Refused);
        };
        match link.again().await {
            Ok(Revival::Same) => {
                self.feed.counters.reactivated += 1;
                Ok(Outcome::Reactivated)
            }
            Ok(Revival::New) => {
                self.feed.counters.sessions_created += 1;
                Ok(Outcome::Replaced)
            }
            Err(failure) => self.not_opened(failure),
        }
    }

    fn not_opened(&mut self, failure: Failure) -> Result<Outcome, Closed> {
        self.down(failure.trouble)?;
        Ok(match failure.cause {
            Cause::Unreached => Outcome::Unreached,
            Cause::Broken => Outcome::Broken,
            Cause::Slow => {
                self.patience = (self.patience * 2).min(PATIENCE_MAX);
                Outcome::Unreached
            }
            Cause::Refused => {
                self.link = None;
                Outcome::Refused
            }
        })
    }

    async fn inspect(&mut self) -> Result<Outcome, Closed> {
        let Some(link) = &self.link else {
            return Ok(Outcome::OtherServer);
        };
        match link.is_unchanged(self.settings()).await {
            Ok(true) => Ok(Outcome::SameServer),
            Ok(false) => Ok(Outcome::OtherServer),
            Err(trouble) => {
                self.down(trouble)?;
                Ok(Outcome::Unreached)
            }
        }
    }

    async fn learn(&mut self) -> Result<Outcome, Closed> {
        let Some(link) = &mut self.link else {
            return Ok(LOST);
        };
        let read = limits::read(&link.session, &self.host, &mut self.capacity).await;
        let facts = match read {
            Ok(facts) => facts,
            Err(trouble) => return self.failed(trouble).await,
        };
        let same = self.facts.as_ref().is_some_and(|before| facts.same_life(before));
        if !same {
            self.standing.forget();
        }
        // A new session may have other rights, and another life of the server other nodes.
        self.standing.refused.clear();
        self.answered = false;
        // Requests of the last session died with it.
        self.standing.parked = 0;
        self.facts = Some(facts);
        self.introduce()?;
        Ok(Outcome::Learned { same })
    }

    /// Tells who is at the other end.
    fn introduce(&mut self) -> Result<(), Closed> {
        let (Some(link), Some(facts)) = (&self.link, &self.facts) else {
            return Ok(());
        };
        let product = if facts.product.is_empty() { &self.host } else { &facts.product };
        self.detail = format!("Connected to {product} at {}, security {}.", self.host, link.security);
        let server = Input::Server {
            connection: self.connection,
            product: facts.product.as_str().into(),
            simulated: facts.simulated,
            started: facts.started,
        };
        let up = self.feed.link(LinkState::Up, StatusCode::GOOD, &self.detail);
        self.feed.deliver(vec![server, up])
    }

    async fn transfer(&mut self) -> Result<Outcome, Closed> {
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
    async fn isolate(&mut self) -> Result<Outcome, Closed> {
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

    async fn create(&mut self) -> Result<Outcome, Closed> {
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

    async fn flow(&mut self) -> Result<Outcome, Closed> {
        let (Some(link), Some(facts)) = (&mut self.link, &self.facts) else {
            return Ok(LOST);
        };
        let beside = self.feed.beside.clone();
        beside.source(true, |sources| visit::report(sources, &self.standing, facts, &self.capacity));
        beside.visit(visit::visit(link, facts, &self.standing, &self.capacity));
        let parts = Parts {
            feed: &mut self.feed,
            standing: &mut self.standing,
            capacity: &mut self.capacity,
            namespaces: &facts.namespaces,
            patience: self.patience,
        };
        let mut flow = Flow::new(link, &self.host, parts);
        let session = link.session.clone();
        let ended = tokio::select! {
            ended = flow.run(link) => Some(ended),
            () = self.members.moved(&session, &beside) => None,
        };
        let alive = flow.is_alive();
        drop(flow);
        beside.leave();
        let Some(ended) = ended else {
            self.feed.become_state(SubscriptionState::None)?;
            return Ok(LOST);
        };
        match ended {
            Ended::Closed => Err(Closed),
            Ended::Gone(trouble) => {
                self.outage(GapReason::Silent);
                self.feed.become_state(SubscriptionState::None)?;
                self.feed.say(LinkState::Up, StatusCode::GOOD, &trouble.detail)?;
                Ok(Outcome::Gone { alive })
            }
            Ended::Changed => {
                tracing::warn!(connection = self.settings().name, "the server's namespaces changed: all begins anew");
                self.outage(GapReason::Silent);
                self.feed.become_state(SubscriptionState::None)?;
                Ok(Outcome::Changed)
            }
            Ended::Lost { trouble, reason, status } => {
                self.outage(reason);
                self.feed.counters.reconnects += 1;
                tracing::info!(connection = self.settings().name, "{}", self.feed.counters.summary());
                self.down(trouble)?;
                let status = self.hang_up().await.unwrap_or(status);
                Ok(Outcome::Lost { alive, undecodable: is_undecodable(status) })
            }
        }
    }

    /// The values of all subscriptions are missing from now on.
    fn outage(&mut self, reason: GapReason) {
        let subscriptions = self.standing.subscriptions.iter().map(|subscription| subscription.id);
        self.feed.outages.began(reason, subscriptions);
    }

    /// A service failed. Where it is the link that failed, the next one is tried.
    async fn failed(&mut self, trouble: Trouble) -> Result<Outcome, Closed> {
        let status = UaStatus::from(trouble.status.0);
        let lost = match &mut self.link {
            Some(link) => link.is_lost(),
            None => Some(status),
        };
        if lost.is_none() && !service::is_of_link(status) {
            self.down(trouble)?;
            return Ok(Outcome::Failed);
        }
        self.outage(GapReason::LinkDown);
        let status = self.hang_up().await.or(lost).unwrap_or(status);
        let timeout = is_timeout(&trouble);
        self.down(if timeout { trouble } else { link_lost(&self.host, status) })?;
        Ok(Outcome::Lost { alive: false, undecodable: is_undecodable(status) })
    }

    /// Makes sure that the channel is dropped; the session stays at the server. Returns why the channel had
    /// ended, if it had.
    async fn hang_up(&mut self) -> Option<UaStatus> {
        let link = self.link.as_mut()?;
        let before = link.is_lost();
        if before.is_none() {
            link.wire.hang_up();
            link.lost().await;
        }
        before
    }

    fn connecting(&mut self) -> Result<(), Closed> {
        let detail = format!("Connecting to {}.", self.host);
        self.feed.say(LinkState::Connecting, StatusCode::GOOD, &detail)
    }

    fn down(&mut self, trouble: Trouble) -> Result<(), Closed> {
        tracing::warn!(connection = self.settings().name, status = ?trouble.status, "{}", trouble.detail);
        let link = self.feed.link(LinkState::Down, trouble.status, &trouble.detail);
        let subscription = self.feed.no_subscription();
        self.trouble = trouble.detail;
        self.feed.deliver(vec![link, subscription])
    }

    async fn leave(&mut self) {
        if let Some(link) = self.link.take() {
            link.close(CLOSE_PATIENCE).await;
        }
        let subscription = self.feed.no_subscription();
        let link = self.feed.link(LinkState::Down, StatusCode::GOOD, "Closed because Lineside ends.");
        if self.feed.deliver(vec![subscription, link]).is_err() {
            tracing::debug!("nobody waits for the end of the connection");
        }
    }
}

const LOST: Outcome = Outcome::Lost { alive: false, undecodable: false };

/// How long a server may take for an answer that took `longest` at its longest so far.
fn patience_for(longest: Duration) -> Duration {
    (longest * 4).clamp(PATIENCE, PATIENCE_MAX)
}

fn is_timeout(trouble: &Trouble) -> bool {
    code(UaStatus::from(trouble.status.0)) == UaStatus::BadTimeout
}

/// Did the channel end because of a message that cannot be decoded?
fn is_undecodable(status: UaStatus) -> bool {
    matches!(code(status), UaStatus::BadDecodingError | UaStatus::BadEncodingLimitsExceeded)
}

/// A number within -1..1, so that many clients do not return to a restarted server in step. The keys of the
/// standard library's hasher are random; nothing that is recorded depends on it.
fn jitter() -> f64 {
    let random = std::hash::RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64 * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_bounds() {
        assert!((0..100).all(|_| (-1.0..=1.0).contains(&jitter())));
    }
}
