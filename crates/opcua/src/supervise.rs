//! Climbs the [`Ladder`]: takes the step that it names, and tells it what came of it.
//!
//! What stands at the server (`Standing`), what is known of it (`Facts`, `Capacity`) and what was delivered
//! (`Feed`) outlive links, so that a lost channel costs neither a subscription nor a value.

mod ladder;
mod reach;
mod stand;

use crate::beside::visit;
use crate::connect::endpoint;
use crate::connect::{Link, PATIENCE, SESSION_LIFETIME};
use crate::flow::feed::Feed;
use crate::flow::{Ended, Flow, Parts};
use crate::isolate::Suspects;
use crate::limits::{Capacity, Facts};
use crate::members::Members;
use crate::members::standby::Ready;
use crate::subscribe::{Item, Standing};
use crate::words::{Trouble, code, link_lost};
use crate::{Settings, beside, service};
use ladder::{Ladder, Outcome, Step};
use lineside_model::config::Connection;
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::{ConnectionId, GapReason, LinkState, PlantConfig, StatusCode, SubscriptionState, TagId};
use opcua::types::{NodeId, StatusCode as UaStatus};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How long a server may take to confirm the end of our session.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

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
