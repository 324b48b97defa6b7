//! Where everything of one connection is delivered: the inlet, with what must outlive channels and sessions to
//! tell truly what was missed.

use crate::beside::Beside;
use crate::beside::delivered::Mark;
use crate::beside::health::Vital;
use crate::beside::visit;
use crate::flow::counters::Counters;
use crate::flow::outage::Outages;
use crate::flow::overflow::Overflow;
use crate::value::{sample, timestamp};
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::{ConnectionId, Input, LinkState, PlantConfig, Sample, StatusCode, SubscriptionState, TagId};
use opcua::client::Session;
use opcua::types::{DataChangeNotification, DataValue, DateTime, MonitoredItemNotification};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// The queues of a server that takes over have been emptied after this.
const OVERLAP: Duration = Duration::from_secs(10);

/// The delivering side of one connection.
pub(crate) struct Feed {
    connection: ConnectionId,
    inlet: Inlet,
    /// Sees all that is delivered here.
    pub(crate) beside: Beside,
    pub(crate) outages: Outages,
    /// By tag id; none for the tags of other connections, which this server must not speak of.
    tags: Vec<Option<Known>>,
    messages: u64,
    /// How often values ceased to flow, plus one.
    flow: u64,
    /// Another server of the set took over then; its queues may hold what was told before.
    took_over: Option<Instant>,
    pub(crate) counters: Counters,
    said: LinkState,
    subscription: SubscriptionState,
}

/// What was reported of one tag.
#[derive(Clone, Debug, Default)]
struct Known {
    overflow: Overflow,
    last: Option<Sample>,
    /// The flow, counted from 1 on, in which `last` was told.
    told: u64,
}

impl Feed {
    /// Nothing was said yet.
    pub(crate) fn new(config: &PlantConfig, connection: ConnectionId, inlet: Inlet, beside: Beside) -> Feed {
        let ours = |tag| (config.tag(tag).connection == connection).then(Known::default);
        Feed {
            connection,
            inlet,
            beside,
            outages: Outages::new(connection),
            tags: config.tag_ids().map(ours).collect(),
            messages: 0,
            flow: 1,
            took_over: None,
            counters: Counters::default(),
            said: LinkState::Down,
            subscription: SubscriptionState::None,
        }
    }

    pub(crate) fn deliver(&mut self, inputs: Vec<Input>) -> Result<(), Closed> {
        self.beside.passed(&inputs);
        self.inlet.deliver(inputs)
    }

    /// Delivers what waits because the receiver was busy, and judges whether values that come are current.
    pub(crate) fn deliver_waiting(&mut self) -> Result<(), Closed> {
        self.beside.source(false, |sources| sources.flow = visit::flow(&self.counters));
        if matches!(self.subscription, SubscriptionState::Live | SubscriptionState::Frozen) {
            self.become_state(SubscriptionState::Live)?;
        }
        if self.inlet.has_waiting() { self.inlet.deliver(Vec::new()) } else { Ok(()) }
    }

    /// What was said last of the link.
    pub(crate) fn said(&self) -> LinkState {
        self.said
    }

    /// The input that tells the link's state; to be delivered.
    pub(crate) fn link(&mut self, state: LinkState, status: StatusCode, detail: &str) -> Input {
        self.said = state;
        Input::Link { connection: self.connection, state, status, detail: detail.into() }
    }

    pub(crate) fn say(&mut self, state: LinkState, status: StatusCode, detail: &str) -> Result<(), Closed> {
        let link = self.link(state, status, detail);
        self.deliver(vec![link])
    }

    /// Tells the state of the subscriptions where it changed; true if so. What is live without a heartbeat is
    /// frozen.
    pub(crate) fn become_state(&mut self, state: SubscriptionState) -> Result<bool, Closed> {
        let frozen = state == SubscriptionState::Live && self.beside.is_frozen();
        let state = if frozen { SubscriptionState::Frozen } else { state };
        if std::mem::replace(&mut self.subscription, state) == state {
            return Ok(false);
        }
        self.flow += u64::from(state == SubscriptionState::None);
        self.deliver(vec![Input::Subscription { connection: self.connection, state }])?;
        Ok(true)
    }

    /// Tells that there is no subscription, even where nothing else was ever told.
    pub(crate) fn no_subscription(&mut self) -> Input {
        self.subscription = SubscriptionState::None;
        self.flow += 1;
        Input::Subscription { connection: self.connection, state: SubscriptionState::None }
    }

    /// A message of the server was published at `time`; the gap that it ends is delivered.
    pub(crate) fn heard(&mut self, subscription: u32, time: DateTime) -> Result<(), Closed> {
        match self.outages.heard(subscription, timestamp(time)) {
            Some(gap) => self.deliver(vec![Input::Gap(gap)]),
            None => Ok(()),
        }
    }

    /// Messages before the one of `time` are lost for good.
    pub(crate) fn lost_before(&mut self, subscription: u32, time: DateTime) -> Result<(), Closed> {
        let gap = self.outages.lost_before(subscription, timestamp(time));
        self.deliver(gap.map(Input::Gap).into_iter().collect())
    }

    /// Another server of the set takes over.
    pub(crate) fn take_over(&mut self) {
        self.took_over = Some(Instant::now());
    }

    /// Which of the values of a server that took over were told before it did. The newest of each tag is told
    /// again where nothing else was told of it since: it is what holds now.
    fn told_before(&mut self, items: &[MonitoredItemNotification]) -> BTreeSet<usize> {
        if self.took_over.take_if(|since| since.elapsed() > OVERLAP).is_some() || self.took_over.is_none() {
            return BTreeSet::new();
        }
        let newest: BTreeMap<u32, usize> = items.iter().enumerate().map(|(at, of)| (of.client_handle, at)).collect();
        let told = items.iter().enumerate().filter(|(at, item)| {
            let tag = item.client_handle.wrapping_sub(1);
            let Some(Some(known)) = self.tags.get(tag as usize) else { return false };
            let Some(last) = &known.last else { return false };
            let sample = sample(TagId(tag), item.value.clone(), |_encode| {});
            let same = Mark::of(&sample) == Mark::of(last);
            let older = last.source_time.is_some() && sample.source_time < last.source_time;
            if newest.get(&item.client_handle) == Some(at) { same && known.told == self.flow } else { same || older }
        });
        told.map(|(at, _)| at).collect()
    }

    /// Maps the values of one notification in one pass.
    pub(crate) fn changes(&mut self, session: &Session, change: DataChangeNotification) -> Result<(), Closed> {
        let items = change.monitored_items.unwrap_or_default();
        self.messages += 1;
        let mut inputs = Vec::with_capacity(items.len());
        let told = self.told_before(&items);
        for (_, item) in items.into_iter().enumerate().filter(|(at, _)| !told.contains(at)) {
            let tag = item.client_handle.wrapping_sub(1);
            let Some(Some(known)) = self.tags.get_mut(tag as usize) else {
                if let Some(vital) = Vital::of_handle(item.client_handle) {
                    self.beside.vital(vital, &item.value);
                }
                continue;
            };
            let sample = sample(TagId(tag), item.value, |encode| encode(&session.encoding_context().read().context()));
            if let Some(gap) = known.overflow.gap(&sample, self.messages) {
                self.counters.overflows += 1;
                inputs.push(Input::Gap(gap));
            }
            self.counters.values += 1;
            known.last = Some(sample.clone());
            known.told = self.flow;
            inputs.push(Input::Sample(sample));
        }
        if inputs.is_empty() { Ok(()) } else { self.deliver(inputs) }
    }

    /// Tells the last values of `tags` again, where they were not told since the outage: the server's subscription
    /// went on, so they are what it holds now.
    pub(crate) fn confirm(&mut self, tags: impl Iterator<Item = TagId>) -> Result<(), Closed> {
        let mut inputs = Vec::new();
        for tag in tags {
            let Some(Some(known)) = self.tags.get_mut(tag.0 as usize) else { continue };
            if known.told != self.flow {
                known.told = self.flow;
                inputs.extend(known.last.clone().map(Input::Sample));
            }
        }
        self.deliver(inputs)
    }

    /// Values that were read rather than reported.
    pub(crate) fn read(
        &mut self,
        session: &Session,
        values: impl Iterator<Item = (TagId, DataValue)>,
    ) -> Result<(), Closed> {
        let mut inputs = Vec::new();
        for (tag, value) in values {
            let sample = sample(tag, value, |encode| encode(&session.encoding_context().read().context()));
            if let Some(Some(known)) = self.tags.get_mut(tag.0 as usize) {
                known.last = Some(sample.clone());
                known.told = self.flow;
            }
            inputs.push(Input::Sample(sample));
        }
        self.deliver(inputs)
    }
}
