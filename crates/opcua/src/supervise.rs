//! The ladder: connect, subscribe, let values flow, and when it ends for whatever reason, begin again.
//!
//! It never stops trying (1 s, doubled up to 30 s, ±10 %; the first retry at once). Each attempt makes a new
//! session and new subscriptions; those of a session that was lost die at the server by their lifetime.

use crate::connect::{Link, connect};
use crate::flow::{Ended, Flow};
use crate::outage::Outages;
use crate::words::Trouble;
use crate::{Settings, endpoint, limits, subscribe};
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::{ConnectionId, Input, LinkState, PlantConfig, StatusCode, SubscriptionState};
use opcua::client::Session;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const FIRST_RETRY: Duration = Duration::from_millis(200);
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long a server may take to confirm the end of our session.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);
/// The same where it did not even answer before.
const CLOSE_PATIENCE_SILENT: Duration = Duration::from_millis(300);

/// Runs until told to stop, or until nobody takes what is delivered.
pub(crate) async fn run(
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    settings: Settings,
    inlet: Inlet,
    mut stop: watch::Receiver<bool>,
) {
    let mut supervisor =
        Supervisor { config, connection, settings, inlet, outages: Outages::new(connection), failures: 0 };
    while supervisor.attempt(&mut stop).await.is_ok() {
        let delay = supervisor.delay();
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = tokio::time::sleep(delay) => {}
        }
    }
}

/// Returns when the adapter is to end, or its handle is gone.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the handle was dropped, which asks for the same.
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the adapter's handle was dropped");
    }
}

struct Supervisor {
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    settings: Settings,
    inlet: Inlet,
    outages: Outages,
    /// Attempts in a row that brought no value.
    failures: u32,
}

/// The adapter is to end.
struct Finished;

impl From<Closed> for Finished {
    fn from(_: Closed) -> Finished {
        Finished
    }
}

impl Supervisor {
    /// One life of the connection, from the first packet to the last.
    async fn attempt(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), Finished> {
        let config = self.config.clone();
        let settings = &config.connections[self.connection.0 as usize];
        let host = endpoint::authority(&settings.endpoint);
        self.say(LinkState::Connecting, StatusCode::GOOD, format!("Connecting to {host}."))?;
        let connected = tokio::select! {
            () = stopped(stop) => return Err(Finished),
            connected = connect(&self.settings, settings) => connected,
        };
        match connected {
            Ok(link) => self.live(link, host, stop).await,
            Err(trouble) => self.down(trouble),
        }
    }

    fn down(&mut self, trouble: Trouble) -> Result<(), Finished> {
        let name = &self.config.connections[self.connection.0 as usize].name;
        tracing::warn!(connection = name, status = ?trouble.status, "{}", trouble.detail);
        let link = self.link(LinkState::Down, trouble.status, trouble.detail);
        Ok(self.deliver(vec![link, self.subscription(SubscriptionState::None)])?)
    }

    /// A session stands: subscribe, and let values flow until it ends.
    async fn live(&mut self, mut link: Link, host: &str, stop: &mut watch::Receiver<bool>) -> Result<(), Finished> {
        let (session, security) = (link.session.clone(), link.security.clone());
        let prepared = tokio::select! {
            () = stopped(stop) => Err(None),
            status = link.lost() => Err(Some(crate::words::link_lost(host, status))),
            prepared = self.prepare(&session, &security, host) => match prepared {
                Ok(subscribed) => Ok(subscribed),
                Err(Prepare::Trouble(trouble)) => Err(Some(trouble)),
                Err(Prepare::Closed) => Err(None),
            },
        };
        let subscribed = match prepared {
            Ok(subscribed) => subscribed,
            Err(trouble) => {
                link.close(CLOSE_PATIENCE).await;
                return self.down(trouble.ok_or(Finished)?);
            }
        };
        let tags = self.config.tags.len();
        let mut flow = Flow::new(&link, host, self.connection, tags, subscribed, &mut self.outages, &mut self.inlet);
        let ended = flow.run(&mut link, stop).await;
        let alive = flow.brought_values();
        drop(flow);
        self.failures = if alive { 0 } else { self.failures };
        match ended {
            Ended::Stopped => {
                link.close(CLOSE_PATIENCE).await;
                self.deliver(vec![self.subscription(SubscriptionState::None)])?;
                self.say(LinkState::Down, StatusCode::GOOD, "Closed because Lineside ends.".to_string())?;
                Err(Finished)
            }
            Ended::Lost { trouble, reason } => {
                self.outages.began(reason);
                self.down(trouble)?;
                link.close(CLOSE_PATIENCE_SILENT).await;
                Ok(())
            }
        }
    }

    async fn prepare(
        &mut self,
        session: &Session,
        security: &str,
        host: &str,
    ) -> Result<subscribe::Subscribed, Prepare> {
        let facts = limits::read(session, host).await?;
        let product = if facts.product.is_empty() { host.to_string() } else { facts.product.clone() };
        let detail = format!("Connected to {product} at {host}, security {security}.");
        self.deliver(vec![
            Input::Server {
                connection: self.connection,
                product: facts.product.as_str().into(),
                simulated: facts.simulated,
                started: facts.started,
            },
            self.link(LinkState::Up, StatusCode::GOOD, detail.clone()),
        ])?;
        let config = self.config.clone();
        let subscribed = subscribe::subscribe(session, &config, self.connection, &facts).await?;
        self.deliver(self.answers(&subscribed))?;
        if let Some((tag, _, status)) = subscribed.refused.first() {
            let tag = config.tag(*tag);
            let refused = format!(
                "{detail} {} tags were refused, the first is {} ({}: {status}). Correct the node, or the rights of the \
                 user.",
                subscribed.refused.len(),
                tag.name,
                tag.node
            );
            self.say(LinkState::Up, StatusCode::GOOD, refused)?;
        }
        Ok(subscribed)
    }

    /// The server's answer for every tag.
    fn answers(&self, subscribed: &subscribe::Subscribed) -> Vec<Input> {
        let accepted = subscribed.subscriptions.iter().flat_map(|subscription| &subscription.items);
        let accepted = accepted.map(|(tag, _)| Input::Item { tag: *tag, status: StatusCode::GOOD });
        let refused = subscribed.refused.iter();
        let refused = refused.map(|(tag, _, status)| Input::Item { tag: *tag, status: StatusCode(status.bits()) });
        accepted.chain(refused).collect()
    }

    fn deliver(&mut self, inputs: Vec<Input>) -> Result<(), Closed> {
        self.inlet.deliver(inputs)
    }

    fn say(&mut self, state: LinkState, status: StatusCode, detail: String) -> Result<(), Closed> {
        let link = self.link(state, status, detail);
        self.deliver(vec![link])
    }

    fn link(&self, state: LinkState, status: StatusCode, detail: String) -> Input {
        Input::Link { connection: self.connection, state, status, detail: detail.into() }
    }

    fn subscription(&self, state: SubscriptionState) -> Input {
        Input::Subscription { connection: self.connection, state }
    }

    /// How long to wait before the next attempt; grows with every one that brought nothing.
    fn delay(&mut self) -> Duration {
        let delay = backoff(self.failures, jitter());
        self.failures = self.failures.saturating_add(1);
        delay
    }
}

/// Why the preparation of a session ended.
enum Prepare {
    Trouble(Trouble),
    Closed,
}

impl From<Trouble> for Prepare {
    fn from(trouble: Trouble) -> Prepare {
        Prepare::Trouble(trouble)
    }
}

impl From<Closed> for Prepare {
    fn from(_: Closed) -> Prepare {
        Prepare::Closed
    }
}

/// The wait after so many failures in a row; `jitter` is within -1..1 and moves it by up to a tenth.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let steady = match failures {
        0 => FIRST_RETRY,
        n => RETRY_MIN.saturating_mul(1 << (n - 1).min(5)).min(RETRY_MAX),
    };
    steady.mul_f64(1.0 + jitter / 10.0)
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
    fn retries_begin_at_once_and_settle_at_half_a_minute() {
        let seconds: Vec<f64> = (0..9).map(|failures| backoff(failures, 0.0).as_secs_f64()).collect();
        assert_eq!(seconds, [0.2, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(backoff(u32::MAX, 1.0), Duration::from_secs(33));
        assert_eq!(backoff(u32::MAX, -1.0), Duration::from_secs(27));
        assert!((0..100).all(|_| (-1.0..=1.0).contains(&jitter())));
    }
}
