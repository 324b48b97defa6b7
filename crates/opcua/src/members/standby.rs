//! One of the other servers of a redundant set, kept ready in a task of its own: as the mode asks for only looked
//! at, connected with sleeping items (warm), or with items that sample without publishing (hot).
//!
//! It delivers nothing. What it holds is handed over whole when the choice falls on it.

use crate::beside::health::{Health, Vital};
use crate::connect::endpoint;
use crate::connect::{Link, PATIENCE, connect_within};
use crate::limits::{Capacity, Facts, read};
use crate::subscribe::{Plan, Standing};
use crate::words::Trouble;
use crate::{Settings, service};
use lineside_model::config::{Connection, Redundancy};
use lineside_model::{ConnectionId, PlantConfig};
use opcua::types::{AttributeId, MonitoringMode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// How often its service level is read. Also what keeps its session alive.
const LOOK: Duration = Duration::from_secs(1);
/// The same where nothing but looking is wanted.
const PROBE: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(5);
/// A handover that takes longer is no gain over a new connection.
const HAND_OVER: Duration = Duration::from_secs(1);
const CLOSE: Duration = Duration::from_secs(1);

/// What is seen of the member.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Seen {
    #[default]
    Nothing,
    Up {
        level: Option<u8>,
        leaving: bool,
        /// Connected, with everything created.
        ready: bool,
    },
    Down(String),
}

/// What was prepared.
pub(crate) struct Ready {
    pub(crate) link: Link,
    pub(crate) facts: Facts,
    pub(crate) capacity: Capacity,
    pub(crate) standing: Standing,
    /// Its items did not sample.
    pub(crate) slept: bool,
}

/// How it is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Not at all: it is not even looked at.
    Off,
    /// Looked at now and then.
    Look,
    /// Connected, with items in this mode.
    Keep(MonitoringMode),
}

impl Hold {
    /// How the others are held. `wanting`: the active server is not healthy.
    pub(crate) fn of(redundancy: Redundancy, wanting: bool) -> Hold {
        match redundancy {
            Redundancy::Warm => Hold::Keep(MonitoringMode::Disabled),
            Redundancy::Hot => Hold::Keep(MonitoringMode::Sampling),
            Redundancy::Auto | Redundancy::Cold if wanting => Hold::Look,
            Redundancy::Auto | Redundancy::Cold => Hold::Off,
        }
    }
}

/// The handle of the task; dropping it ends the session.
pub(crate) struct Standby {
    pub(crate) seen: watch::Receiver<Seen>,
    hold: watch::Sender<Hold>,
    hand_over: mpsc::Sender<oneshot::Sender<Ready>>,
    task: JoinHandle<()>,
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Standby {
    /// Begins with `connection`, whose endpoint is that of the member. One that was just left is left alone
    /// for `pause`.
    pub(crate) fn start(of: Of, hold: Hold, pause: Duration) -> Standby {
        let (tell, seen) = watch::channel(Seen::Nothing);
        let (hold, held) = watch::channel(hold);
        let (hand_over, asked) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            Keeper { of, hold: held, tell, asked }.run().await;
        });
        Standby { seen, hold, hand_over, task }
    }

    pub(crate) fn hold(&self, hold: Hold) {
        self.hold.send_if_modified(|before| std::mem::replace(before, hold) != hold);
    }

    /// What is prepared, if it is.
    pub(crate) async fn take(self) -> Option<Ready> {
        if !matches!(*self.seen.borrow(), Seen::Up { ready: true, .. }) {
            return None;
        }
        let (give, given) = oneshot::channel();
        let handed = async {
            self.hand_over.send(give).await.ok()?;
            given.await.ok()
        };
        tokio::time::timeout(HAND_OVER, handed).await.ok().flatten()
    }
}

/// Whose server it is.
#[derive(Clone)]
pub(crate) struct Of {
    pub(crate) settings: Settings,
    pub(crate) config: Arc<PlantConfig>,
    pub(crate) id: ConnectionId,
    pub(crate) connection: Connection,
}

struct Keeper {
    of: Of,
    hold: watch::Receiver<Hold>,
    tell: watch::Sender<Seen>,
    asked: mpsc::Receiver<oneshot::Sender<Ready>>,
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let hold = *self.hold.borrow_and_update();
            if hold == Hold::Off {
                if self.hold.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let pause = match self.keep(hold).await {
                Ok(()) => PROBE,
                Err(Gone::HandedOver) => return,
                Err(Gone::Trouble(trouble)) => {
                    self.tell.send_replace(Seen::Down(trouble.detail));
                    RETRY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Connects and holds the member until it is lost or held in another way.
    async fn keep(&mut self, hold: Hold) -> Result<(), Gone> {
        let connected = connect_within(&self.of.settings, &self.of.connection, PATIENCE).await;
        let link = connected.map_err(|failure| Gone::Trouble(failure.trouble))?;
        match hold {
            Hold::Off | Hold::Look => {
                let looked = look(&link).await;
                link.close(CLOSE).await;
                let (level, leaving) = looked?;
                self.tell.send_replace(Seen::Up { level, leaving, ready: false });
                Ok(())
            }
            Hold::Keep(mode) => {
                let ready = self.prepare(link, mode).await?;
                self.wait(ready, hold).await
            }
        }
    }

    async fn prepare(&self, link: Link, mode: MonitoringMode) -> Result<Ready, Gone> {
        let host = endpoint::authority(&self.of.connection.endpoint);
        let mut capacity = Capacity::default();
        let facts = read(&link.session, host, &mut capacity).await.map_err(Gone::Trouble)?;
        let plan = Plan { config: &self.of.config, connection: self.of.id, facts: &facts, patience: PATIENCE, mode };
        let mut standing = Standing::default();
        let made = standing.complete(&link.session, &plan, &mut capacity).await;
        made.map_err(|status| Gone::Trouble(crate::words::service_failed(host, "monitor the tags", status)))?;
        Ok(Ready { link, facts, capacity, standing, slept: mode == MonitoringMode::Disabled })
    }

    async fn wait(&mut self, mut ready: Ready, hold: Hold) -> Result<(), Gone> {
        loop {
            let (level, leaving) = look(&ready.link).await?;
            self.tell.send_replace(Seen::Up { level, leaving, ready: true });
            let host = endpoint::authority(&self.of.connection.endpoint);
            tokio::select! {
                status = ready.link.lost() => {
                    return Err(Gone::Trouble(crate::words::link_lost(host, status)));
                }
                give = self.asked.recv() => {
                    if give.is_some_and(|give| give.send(ready).is_err()) {
                        tracing::debug!("the handover came too late");
                    }
                    return Err(Gone::HandedOver);
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            if *self.hold.borrow() != hold {
                ready.link.close(CLOSE).await;
                return Ok(());
            }
        }
    }
}

enum Gone {
    Trouble(Trouble),
    HandedOver,
}

impl From<Trouble> for Gone {
    fn from(trouble: Trouble) -> Gone {
        Gone::Trouble(trouble)
    }
}

/// Service level, and whether the server announced its end.
async fn look(link: &Link) -> Result<(Option<u8>, bool), Trouble> {
    let vitals = [Vital::ServiceLevel, Vital::State, Vital::SecondsTillShutdown];
    let nodes = vitals.map(|vital| service::attribute(&vital.node(), AttributeId::Value));
    let values = service::read_beside(&link.session, &nodes, &mut nodes.len()).await;
    let values = values.map_err(|status| Trouble::new(status, "It does not tell its service level."))?;
    let mut health = Health::default();
    for (vital, value) in vitals.into_iter().zip(&values) {
        health.take(vital, value);
    }
    Ok((health.service_level, health.shutdown_s().is_some()))
}
