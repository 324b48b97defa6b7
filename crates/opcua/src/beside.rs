//! What runs beside the values of a connection and never in their way: health, clocks, reports, history, node
//! metadata.
//!
//! One task per connection. The flow tells [`Beside`] what passes, without waiting; the task asks the server
//! during a [`Visit`] (a session whose subscriptions flow), one small request at a time, and delivers through
//! a clone of the inlet. Whatever fails here leaves the connection alone.

mod backfill;
pub(crate) mod clock;
pub(crate) mod delivered;
pub(crate) mod health;
mod history;
mod metadata;
mod pulse;
pub(crate) mod report;
pub(crate) mod visit;

use crate::value::sample;
use backfill::Backfill;
use clock::{Arrived, Clocks};
use health::{Health, Heartbeat, Vital, monitor};
use history::{Filler, Learned};
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::report::{LinkReport, MemberReport};
use lineside_model::{ConnectionId, Input, PlantConfig, Sample, TagId, Timestamp};
use metadata::Catalogue;
use opcua::sync::Mutex;
use opcua::types::{DataValue, NodeId};
use pulse::{Diagnostics, Pulse};
use report::Sources;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use visit::Visit;

/// A report is told at least this often, and at most every `REPORT_MIN`.
const REPORT_EVERY: Duration = Duration::from_secs(5);
const REPORT_MIN: Duration = Duration::from_millis(200);
/// Metadata is read after the values flow, and a change of semantics not more often than this.
const META_EVERY: Duration = Duration::from_secs(2);
/// A server that did not answer is asked again after this.
const META_AGAIN: Duration = Duration::from_secs(60);

/// The end at which the flow tells what passes. Clones are the same.
#[derive(Clone)]
pub(crate) struct Beside {
    inner: Arc<Inner>,
}

/// The task; it ends with this value.
pub(crate) struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Inner {
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    /// The tag that must change; none: the server's own clock.
    heartbeat: Option<TagId>,
    clock: fn() -> Timestamp,
    visit: watch::Sender<Option<Visit>>,
    state: Mutex<State>,
    backfill: Mutex<Backfill>,
    catalogue: Mutex<Catalogue>,
    gap_told: Notify,
    meta_wanted: Notify,
    matters: Notify,
}

struct State {
    health: Health,
    clocks: Clocks,
    heart: Heartbeat,
    /// The subscription with the vital signs.
    monitored: Option<u32>,
    sources: Sources,
}

/// The heartbeat of a subscription that begins now.
fn heartbeat(config: &PlantConfig, connection: ConnectionId) -> Heartbeat {
    let configured = config.connections[connection.0 as usize].heartbeat;
    let within = configured.map(|heartbeat| Duration::from_nanos(heartbeat.within.0.max(0).unsigned_abs()));
    Heartbeat::new(within, Instant::now())
}

/// Starts what runs beside `connection`. `clock` is our wall clock, for the comparison of clocks only.
pub(crate) fn start(
    config: Arc<PlantConfig>,
    connection: ConnectionId,
    clock: fn() -> Timestamp,
    inlet: Inlet,
) -> (Beside, Task) {
    let inner = Arc::new(Inner {
        state: Mutex::new(State {
            health: Health::default(),
            clocks: Clocks::default(),
            heart: heartbeat(&config, connection),
            monitored: None,
            sources: Sources::default(),
        }),
        backfill: Mutex::new(Backfill::new(config.connections[connection.0 as usize].backfill)),
        catalogue: Mutex::default(),
        heartbeat: config.connections[connection.0 as usize].heartbeat.map(|heartbeat| heartbeat.tag),
        config,
        connection,
        clock,
        visit: watch::Sender::new(None),
        gap_told: Notify::new(),
        meta_wanted: Notify::new(),
        matters: Notify::new(),
    });
    let task = tokio::spawn(inner.clone().run(inlet));
    (Beside { inner }, Task(task))
}

impl Beside {
    /// The subscriptions of a session begin to flow.
    pub(crate) fn visit(&self, mut visit: Visit) {
        {
            let mut state = self.inner.state.lock();
            state.clocks.restart();
            // They are of a session that may be no more; the next ones come within seconds.
            state.sources.diagnostics = Diagnostics::default();
            state.heart = heartbeat(&self.inner.config, self.inner.connection);
            let stands = |id: &u32| visit.subscriptions.iter().any(|of| of.id == *id && !of.fresh);
            let least = visit.subscriptions.iter().min_by_key(|of| of.items).map(|of| of.id);
            visit.monitor = if state.monitored.as_ref().is_some_and(stands) { None } else { least };
            state.monitored = visit.monitor.or(state.monitored);
            if state.health.started != visit.started {
                state.health = Health::of_life(visit.started);
            }
        }
        let tags: Vec<TagId> = visit.items.lock().keys().copied().collect();
        self.inner.catalogue.lock().visit(&self.inner.config, tags.into_iter(), visit.started);
        self.inner.visit.send_replace(Some(visit));
        self.inner.matters.notify_one();
    }

    /// The server takes these items into `subscription` now, which it had refused when the visit began.
    pub(crate) fn accepted(&self, subscription: u32, items: &[(TagId, NodeId)]) {
        if let Some(visit) = &*self.inner.visit.borrow() {
            visit.items.lock().extend(items.iter().cloned());
        }
        let tags = || items.iter().map(|(tag, _)| *tag);
        self.inner.catalogue.lock().accepted(&self.inner.config, tags());
        self.inner.meta_wanted.notify_one();
        if self.inner.backfill.lock().accepted(tags(), Instant::now()) {
            self.inner.gap_told.notify_one();
        }
        self.source(true, |sources| {
            for of in sources.subscriptions.iter_mut().filter(|of| of.id == subscription) {
                of.items = of.items.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
            }
        });
    }

    /// The flow ended.
    pub(crate) fn leave(&self) {
        self.inner.visit.send_replace(None);
        self.inner.matters.notify_one();
    }

    /// These are about to be delivered.
    pub(crate) fn passed(&self, inputs: &[Input]) {
        if self.inner.backfill.lock().passed(inputs, Instant::now()) {
            self.inner.gap_told.notify_one();
        }
        let mut changed = false;
        for input in inputs {
            match input {
                Input::Sample(sample) => {
                    self.beat(sample);
                    changed |= sample.status.0 & metadata::CHANGED != 0 && self.inner.catalogue.lock().passed(sample);
                }
                Input::Link { .. } | Input::Subscription { .. } => self.inner.matters.notify_one(),
                _ => {}
            }
        }
        if changed {
            self.inner.meta_wanted.notify_one();
        }
    }

    /// A value of the server's own state came with the values.
    pub(crate) fn vital(&self, vital: Vital, data: &DataValue) {
        let sample = sample(TagId::default(), data.clone(), |_encode| {});
        let mut state = self.inner.state.lock();
        if vital == Vital::CurrentTime && self.inner.heartbeat.is_none() {
            state.heart.beat(&sample.value, sample.status);
        }
        if state.health.take(vital, data) {
            self.inner.matters.notify_one();
        }
    }

    /// A publish response arrived for a subscription that is never to be silent for longer than `promised`;
    /// `published` is the server's stamp on it.
    pub(crate) fn published(&self, subscription: u32, published: Option<Timestamp>, promised: Duration) {
        let here = Arrived { wall: (self.inner.clock)(), now: Instant::now() };
        let mut state = self.inner.state.lock();
        state.clocks.published(subscription, published, promised, here);
        state.heart.heard(here.now, promised);
    }

    /// Do the values stand still though publish responses arrive?
    pub(crate) fn is_frozen(&self) -> bool {
        self.inner.state.lock().heart.stands_still()
    }

    /// The service level of the server, and whether it announced its end.
    pub(crate) fn level(&self) -> (Option<u8>, bool) {
        let state = self.inner.state.lock();
        (state.health.service_level, state.health.shutdown_s().is_some())
    }

    /// Another server is used: nothing is known of its health, and no subscription has vital signs yet.
    pub(crate) fn elsewhere(&self) {
        let mut state = self.inner.state.lock();
        state.health = Health::default();
        state.monitored = None;
    }

    /// How the servers of the set are; told at once where that changed.
    pub(crate) fn members(&self, members: Vec<MemberReport>) {
        let changed = std::mem::replace(&mut self.inner.state.lock().sources.members, members.clone()) != members;
        if changed {
            self.inner.matters.notify_one();
        }
    }

    /// Changes what the report is made of. `matters`: it is told at once.
    pub(crate) fn source(&self, matters: bool, change: impl FnOnce(&mut Sources)) {
        change(&mut self.inner.state.lock().sources);
        if matters {
            self.inner.matters.notify_one();
        }
    }

    fn beat(&self, sample: &Sample) {
        if self.inner.heartbeat == Some(sample.tag) {
            self.inner.state.lock().heart.beat(&sample.value, sample.status);
        }
    }
}

impl Inner {
    async fn run(self: Arc<Self>, inlet: Inlet) {
        tokio::select! {
            Closed = self.report(inlet.clone()) => {}
            Closed = self.visits(inlet) => {}
        }
    }

    /// Works through one visit after the other; one that ends leaves its requests unanswered.
    async fn visits(&self, inlet: Inlet) -> Closed {
        let mut visits = self.visit.subscribe();
        let mut learned = (None, Learned::default());
        let mut pulse = Pulse::default();
        loop {
            let visit = visits.borrow_and_update().clone();
            let Some(visit) = visit else {
                if visits.changed().await.is_err() {
                    return Closed;
                }
                continue;
            };
            if learned.0 != visit.started || visit.started.is_none() {
                learned = (visit.started, Learned::default());
            }
            tokio::select! {
                changed = visits.changed() => if changed.is_err() { return Closed },
                closed = self.work(&visit, &mut learned.1, &mut pulse, &inlet) => return closed,
            }
        }
    }

    async fn work(&self, visit: &Visit, learned: &mut Learned, pulse: &mut Pulse, inlet: &Inlet) -> Closed {
        let filler = Filler {
            connection: self.connection,
            visit,
            backfill: &self.backfill,
            told: &self.gap_told,
            learned,
            inlet: inlet.clone(),
        };
        let pulse = async {
            if let Some(subscription) = visit.monitor {
                monitor(&visit.session, subscription).await;
            }
            self.pulse(visit, pulse).await
        };
        tokio::select! {
            closed = filler.run() => closed,
            closed = self.metadata(visit, inlet.clone()) => closed,
            closed = pulse => closed,
        }
    }

    async fn pulse(&self, visit: &Visit, pulse: &mut Pulse) -> Closed {
        pulse.restart();
        loop {
            let beat = pulse.next(visit, self.clock).await;
            let mut state = self.state.lock();
            if let Some(trip) = &beat.trip {
                state.clocks.round_trip(trip.sent, trip.received, trip.server, trip.now);
            }
            let news = beat.vitals.iter().filter(|(vital, value)| state.health.take(*vital, value)).count();
            if let Some(diagnostics) = beat.diagnostics {
                state.sources.diagnostics = diagnostics;
            }
            if news > 0 {
                self.matters.notify_one();
            }
        }
    }

    async fn metadata(&self, visit: &Visit, mut inlet: Inlet) -> Closed {
        loop {
            tokio::time::sleep(META_EVERY).await;
            loop {
                let tags = self.catalogue.lock().next();
                if tags.is_empty() {
                    break;
                }
                let read = metadata::read(visit, &self.catalogue, &tags).await;
                self.catalogue.lock().answered(read.is_err());
                let read = match read {
                    Ok(read) => read,
                    Err(status) => {
                        tracing::info!(%status, "the server does not say what its nodes are");
                        tokio::time::sleep(META_AGAIN).await;
                        continue;
                    }
                };
                let mut news = Vec::new();
                for (tag, meta) in read {
                    let meta = Arc::new(meta);
                    if self.catalogue.lock().learn(tag, &meta) {
                        news.push(Input::Meta { tag, meta });
                    }
                }
                if !news.is_empty() && inlet.deliver(news).is_err() {
                    return Closed;
                }
            }
            self.meta_wanted.notified().await;
        }
    }

    async fn report(&self, mut inlet: Inlet) -> Closed {
        loop {
            let report = self.build();
            if inlet.deliver(vec![Input::Report { connection: self.connection, report: Arc::new(report) }]).is_err() {
                return Closed;
            }
            tokio::time::sleep(REPORT_MIN).await;
            // The time that passes is no error here: it is what is waited for.
            match tokio::time::timeout(REPORT_EVERY.saturating_sub(REPORT_MIN), self.matters.notified()).await {
                Ok(()) | Err(_) => {}
            }
        }
    }

    fn build(&self) -> LinkReport {
        let state = self.state.lock();
        let mut report = state.sources.report();
        report.clock_skew = state.clocks.skew();
        report.round_trip = state.clocks.trip();
        report.publish_late = state.clocks.lateness();
        if self.visit.borrow().is_some() {
            state.health.fill(&mut report);
        }
        report
    }
}
