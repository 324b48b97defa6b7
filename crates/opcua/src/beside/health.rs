//! The health of a server as it tells it itself, and whether its values still move.
//!
//! A few nodes of the Server object (OPC 10000-5 6.3, 12.10) are watched beside the tags. A heartbeat that
//! stands still while publish responses arrive means that the values are frozen, though they look alive. This
//! file judges; it asks nothing of the server but its monitored items, and it never ends a connection.

use crate::value::timestamp;
use lineside_model::report::{LinkReport, ServerState};
use lineside_model::{StatusCode as Status, Text, Timestamp, Value};
use opcua::client::services::CreateMonitoredItems;
use opcua::client::{Session, UARequest};
use opcua::types::{
    AttributeId, DataValue, ExtensionObject, MonitoredItemCreateRequest, MonitoringMode, MonitoringParameters, NodeId,
    ReadValueId, StatusCode, TimestampsToReturn, Variant,
};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// What is watched of the Server object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vital {
    State,
    CurrentTime,
    StartTime,
    SecondsTillShutdown,
    ShutdownReason,
    ServiceLevel,
}

use Vital::{CurrentTime, SecondsTillShutdown, ServiceLevel, ShutdownReason, StartTime, State};

/// Client handles of these items; far above those of tags.
const HANDLE_BASE: u32 = 0xFFFF_FF00;
/// How often the server samples them.
const SAMPLING_MS: f64 = 1_000.0;
/// Added to the periods that a heartbeat may miss: scheduling on both sides.
const MARGIN: Duration = Duration::from_secs(1);
/// So many periods without a change are too many.
const PERIODS: u32 = 3;
/// The longest of this many past periods counts.
const REMEMBERED: usize = 8;
/// A heartbeat is only believed after so many changes.
const CHANGES_MIN: u32 = 2;
const REASON_MAX: usize = 500;

impl Vital {
    pub(crate) const ALL: [Vital; 6] =
        [State, CurrentTime, StartTime, SecondsTillShutdown, ShutdownReason, ServiceLevel];

    fn id(self) -> u32 {
        match self {
            State => 2259,
            CurrentTime => 2258,
            StartTime => 2257,
            SecondsTillShutdown => 2992,
            ShutdownReason => 2993,
            ServiceLevel => 2267,
        }
    }

    /// Its node on every server.
    pub(crate) fn node(self) -> NodeId {
        NodeId::new(0, self.id())
    }

    fn handle(self) -> u32 {
        HANDLE_BASE + self as u32
    }

    /// The vital sign behind a client handle; none where it is the handle of a tag.
    pub(crate) fn of_handle(handle: u32) -> Option<Vital> {
        Vital::ALL.into_iter().find(|vital| vital.handle() == handle)
    }
}

/// Monitors the vital signs on a subscription. A server that refuses some, or all, still works: what is not
/// monitored is polled by `pulse`.
pub(crate) async fn monitor(session: &Session, subscription: u32) -> Vec<(Vital, StatusCode)> {
    let created = CreateMonitoredItems::new(subscription, session)
        .timestamps_to_return(TimestampsToReturn::Both)
        .items_to_create(Vital::ALL.map(request).into())
        .send(session.channel())
        .await;
    let refused = |status| Vital::ALL.into_iter().map(move |vital| (vital, status));
    let answers: Vec<(Vital, StatusCode)> = match created {
        Ok(created) => {
            let statuses = created.results.iter().map(|item| item.result.status_code);
            Vital::ALL.into_iter().zip(statuses).collect()
        }
        Err(error) => refused(error.status()).collect(),
    };
    for (vital, status) in answers.iter().filter(|(_, status)| status.is_bad()) {
        tracing::debug!(?vital, %status, "the server does not let its own state be monitored");
    }
    answers
}

fn request(vital: Vital) -> MonitoredItemCreateRequest {
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId {
            node_id: vital.node(),
            attribute_id: AttributeId::Value as u32,
            ..ReadValueId::default()
        },
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            client_handle: vital.handle(),
            sampling_interval: SAMPLING_MS,
            filter: ExtensionObject::null(),
            queue_size: 1,
            discard_oldest: true,
        },
    }
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Health {
    pub(crate) state: ServerState,
    pub(crate) service_level: Option<u8>,
    pub(crate) started: Option<Timestamp>,
    seconds: Option<u32>,
    reason: Text,
}

impl Health {
    /// Nothing is known yet of a server that started then.
    pub(crate) fn of_life(started: Option<Timestamp>) -> Health {
        Health { started, ..Health::default() }
    }

    /// Takes a value; true where something changed that a person should know at once.
    pub(crate) fn take(&mut self, vital: Vital, data: &DataValue) -> bool {
        let before = self.clone();
        let good = data.status.is_none_or(|status| !status.is_bad());
        let value = data.value.as_ref().filter(|_| good);
        match (vital, value) {
            (State, value) => self.state = value.map_or(ServerState::Unknown, state),
            (ServiceLevel, Some(Variant::Byte(level))) => self.service_level = Some(*level),
            (StartTime, Some(Variant::DateTime(time))) => self.started = timestamp(**time),
            (SecondsTillShutdown, Some(Variant::UInt32(seconds))) => self.seconds = Some(*seconds),
            (SecondsTillShutdown, _) => self.seconds = None,
            (ShutdownReason, Some(Variant::LocalizedText(text))) => {
                self.reason = text.text.as_ref().chars().take(REASON_MAX).collect::<String>().into();
            }
            _ => {}
        }
        *self != before
    }

    /// Seconds until an announced shutdown. Most servers say 0 as long as none is announced.
    pub(crate) fn shutdown_s(&self) -> Option<u32> {
        match (self.state, self.seconds) {
            (ServerState::Shutdown, seconds) => Some(seconds.unwrap_or(0)),
            (_, seconds) => seconds.filter(|seconds| *seconds > 0),
        }
    }

    /// Puts what is known into a report.
    pub(crate) fn fill(&self, report: &mut LinkReport) {
        report.server_state = self.state;
        report.service_level = self.service_level;
        report.shutdown_s = self.shutdown_s();
        report.shutdown_reason = if report.shutdown_s.is_some() { self.reason.clone() } else { Text::default() };
    }
}

fn state(value: &Variant) -> ServerState {
    let number = match value {
        Variant::Int32(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    number.and_then(|number| ServerState::ALL.get(number)).copied().unwrap_or_default()
}

/// A value that must change, and how long it may stand still.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    /// Configured; without it the beat's own period counts, once it is known.
    within: Option<Duration>,
    last: Option<Value>,
    /// Since the last change, as far as publish responses arrived: a silent link says nothing of the values.
    silence: Duration,
    heard: Instant,
    periods: VecDeque<Duration>,
    changes: u32,
}

impl Heartbeat {
    /// The beat of a subscription that begins at `now`.
    pub(crate) fn new(within: Option<Duration>, now: Instant) -> Heartbeat {
        Heartbeat { within, last: None, silence: Duration::ZERO, heard: now, periods: VecDeque::new(), changes: 0 }
    }

    /// A value came. Bad values, and the same value with another time, are no beat.
    pub(crate) fn beat(&mut self, value: &Value, status: Status) {
        if status.is_bad() || *value == Value::Empty || self.last.as_ref() == Some(value) {
            return;
        }
        if self.last.replace(value.clone()).is_some() {
            self.changes = self.changes.saturating_add(1);
            self.periods.push_back(self.silence);
            if self.periods.len() > REMEMBERED {
                self.periods.pop_front();
            }
        }
        self.silence = Duration::ZERO;
    }

    /// A publish response arrived, of a subscription that is never to be silent for longer than `promised`.
    pub(crate) fn heard(&mut self, now: Instant, promised: Duration) {
        let since = now.saturating_duration_since(std::mem::replace(&mut self.heard, now));
        if since <= promised.saturating_add(MARGIN) {
            self.silence += since;
        }
    }

    /// Do the values stand still though publish responses arrive?
    pub(crate) fn stands_still(&self) -> bool {
        self.allowed().is_some_and(|allowed| self.silence > allowed)
    }

    /// How long it may stand still; none as long as that is not known.
    fn allowed(&self) -> Option<Duration> {
        let longest = self.periods.iter().max().filter(|_| self.changes >= CHANGES_MIN);
        self.within.or_else(|| Some(longest?.saturating_mul(PERIODS) + MARGIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{DateTime, LocalizedText};

    #[test]
    fn a_server_is_described_by_what_it_says() {
        let mut health = Health::default();
        let take = |health: &mut Health, vital, value: Variant| health.take(vital, &DataValue::new_now(value));
        assert_eq!(health.state, ServerState::Unknown);
        assert!(take(&mut health, State, 0_i32.into()));
        assert!(!take(&mut health, State, 0_i32.into()), "no news");
        assert!(take(&mut health, ServiceLevel, 199_u8.into()));
        assert!(take(&mut health, SecondsTillShutdown, 0_u32.into()));
        assert_eq!((health.state, health.service_level, health.shutdown_s()), (ServerState::Running, Some(199), None));
        assert!(!take(&mut health, CurrentTime, DateTime::now().into()), "the clock is no news");
        take(&mut health, ShutdownReason, LocalizedText::new("en", "update").into());
        take(&mut health, SecondsTillShutdown, 30_u32.into());
        let mut report = LinkReport::default();
        health.fill(&mut report);
        assert_eq!((report.shutdown_s, &*report.shutdown_reason), (Some(30), "update"));
        take(&mut health, State, 4_i32.into());
        take(&mut health, SecondsTillShutdown, Variant::Empty);
        assert_eq!((health.state, health.shutdown_s()), (ServerState::Shutdown, Some(0)));
        take(&mut health, State, 99_i32.into());
        assert_eq!((health.state, health.shutdown_s()), (ServerState::Unknown, None));
    }

    #[test]
    fn handles_of_vital_signs_are_none_of_tags() {
        for vital in Vital::ALL {
            assert_eq!(Vital::of_handle(vital.handle()), Some(vital));
        }
        assert_eq!(Vital::of_handle(1), None);
    }

    /// A response each second but within `stalled`; the value changes at the seconds of `beats`. From which
    /// second on does it stand still?
    fn check(within: Option<u64>, beats: &[u64], stalled: std::ops::Range<u64>, expected: Option<u64>) {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(within.map(Duration::from_secs), start);
        let mut frozen = None;
        for second in (0..100).filter(|second| !stalled.contains(second)) {
            heartbeat.heard(start + Duration::from_secs(second), Duration::from_secs(2));
            if beats.contains(&second) {
                heartbeat.beat(&Value::UInt(second), Status::GOOD);
                frozen = None;
            }
            frozen = frozen.or_else(|| heartbeat.stands_still().then_some(second));
        }
        assert_eq!(frozen, expected, "{within:?} {beats:?} {stalled:?}");
    }

    #[test]
    fn a_heartbeat_is_judged_by_its_own_period() {
        check(None, &[], 0..0, None);
        check(None, &[0, 1], 0..0, None);
        check(None, &[0, 1, 2], 0..0, Some(7));
        check(None, &[0, 1, 2], 3..60, Some(65));
        check(None, &[0, 1, 2, 62], 3..60, Some(70));
        check(None, &[0, 1, 6], 0..0, Some(23));
        check(Some(10), &[], 0..0, Some(11));
        check(Some(10), &[0, 8], 0..0, Some(19));
    }

    #[test]
    fn bad_values_and_repeated_ones_do_not_beat() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Some(Duration::from_secs(5)), start);
        heartbeat.beat(&Value::UInt(7), Status::GOOD);
        heartbeat.heard(start + Duration::from_secs(6), Duration::from_secs(9));
        heartbeat.beat(&Value::UInt(8), Status(0x808A_0000));
        heartbeat.beat(&Value::UInt(7), Status::GOOD);
        heartbeat.beat(&Value::Empty, Status::GOOD);
        assert!(heartbeat.stands_still());
        heartbeat.beat(&Value::UInt(8), Status::GOOD);
        assert!(!heartbeat.stands_still());
    }
}
