//! The regular small requests of a connection: vital signs, round trip, the server's own diagnostics of us.
//!
//! The vital signs are monitored as well where the server lets them be; the poll is what is left where it
//! does not. Diagnostics are a courtesy: whatever goes wrong with them, they are left alone.

use crate::beside::health::Vital;
use crate::beside::visit::Visit;
use crate::service::attribute;
use crate::value::timestamp;
use lineside_model::report::DiagnosticReport;
use lineside_model::{Span, Timestamp};
use opcua::client::UARequest;
use opcua::client::services::Read;
use opcua::types::{
    AttributeId, DataValue, NodeId, ReadValueId, SessionDiagnosticsDataType, SubscriptionDiagnosticsDataType,
    TimestampsToReturn, Variant,
};
use std::time::Duration;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(5);
/// Diagnostics are read with every so many-th pulse.
const DIAGNOSTICS_EVERY: u32 = 6;
/// Diagnostics during which the link was lost so often are left alone.
const BROKEN_MAX: u32 = 2;
/// More rows than these are not searched for ours.
const ROWS_MAX: usize = 10_000;

const ENABLED_FLAG: u32 = 2294;
const SUBSCRIPTION_DIAGNOSTICS: u32 = 2290;
const SESSION_DIAGNOSTICS: u32 = 3707;

/// The pulse of one connection.
#[derive(Default)]
pub(crate) struct Pulse {
    /// Of this visit.
    count: u32,
    no_diagnostics: bool,
    /// Diagnostics are being read. Where the link is lost meanwhile, they may be what broke it: there are servers
    /// whose diagnostics cannot be decoded.
    asking: bool,
    broken: u32,
}

/// What one pulse brought.
#[derive(Default)]
pub(crate) struct Beat {
    pub(crate) trip: Option<Trip>,
    pub(crate) vitals: Vec<(Vital, DataValue)>,
    /// None: not asked this time, or not answered.
    pub(crate) diagnostics: Option<Diagnostics>,
}

/// A small request, there and back.
pub(crate) struct Trip {
    pub(crate) sent: Timestamp,
    pub(crate) received: Timestamp,
    pub(crate) server: Option<Timestamp>,
    pub(crate) now: Instant,
}

/// What the server counts of us.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Diagnostics {
    pub(crate) rows: Vec<DiagnosticReport>,
    /// As the server revised it; known only from here.
    pub(crate) session_timeout: Option<Span>,
}

impl Pulse {
    /// A visit begins.
    pub(crate) fn restart(&mut self) {
        self.broken += u32::from(std::mem::take(&mut self.asking));
        self.count = 0;
        self.no_diagnostics = self.broken >= BROKEN_MAX;
    }

    /// The next pulse; the first comes at once.
    pub(crate) async fn next(&mut self, visit: &Visit, clock: fn() -> Timestamp) -> Beat {
        if self.count > 0 {
            tokio::time::sleep(EVERY).await;
        }
        let mut beat = vitals(visit, clock).await;
        if self.count % DIAGNOSTICS_EVERY == 1 && !self.no_diagnostics {
            self.asking = true;
            beat.diagnostics = diagnostics(visit).await;
            self.asking = false;
            self.no_diagnostics = beat.diagnostics.is_none();
        }
        self.count = self.count.wrapping_add(1);
        beat
    }
}

async fn vitals(visit: &Visit, clock: fn() -> Timestamp) -> Beat {
    let nodes = Vital::ALL.map(|vital| attribute(&vital.node(), AttributeId::Value));
    let mut beat = Beat::default();
    for (vitals, nodes) in Vital::ALL.chunks(visit.limits.read.max(1)).zip(nodes.chunks(visit.limits.read.max(1))) {
        let sent = clock();
        let Ok((values, server)) = read(visit, nodes).await else { return beat };
        beat.trip.get_or_insert(Trip { sent, received: clock(), server, now: Instant::now() });
        beat.vitals.extend(vitals.iter().copied().zip(values));
    }
    beat
}

/// Our own rows; none where the server keeps none, or does not show them.
async fn diagnostics(visit: &Visit) -> Option<Diagnostics> {
    let node = |id| attribute(&NodeId::new(0, id), AttributeId::Value);
    let (enabled, _) = read(visit, &[node(ENABLED_FLAG)]).await.ok()?;
    if !matches!(enabled.first()?.value, Some(Variant::Boolean(true))) {
        return None;
    }
    let (subscriptions, _) = read(visit, &[node(SUBSCRIPTION_DIAGNOSTICS)]).await.ok()?;
    let (sessions, _) = read(visit, &[node(SESSION_DIAGNOSTICS)]).await.ok()?;
    let mut found = Diagnostics::default();
    let session = visit.session.server_session_id();
    for row in rows::<SubscriptionDiagnosticsDataType>(&subscriptions) {
        if visit.subscriptions.iter().any(|of| of.id == row.subscription_id) && row.session_id == session {
            of_subscription(row, &mut found.rows);
        }
    }
    if let Some(row) = rows::<SessionDiagnosticsDataType>(&sessions).find(|row| row.session_id == session) {
        found.session_timeout = Some(Span((row.actual_session_timeout.max(0.0) * 1e6) as i64));
        of_session(row, &mut found.rows);
    }
    Some(found)
}

fn rows<T: Send + Sync + 'static>(values: &[DataValue]) -> impl Iterator<Item = &T> {
    let array = values.first().and_then(|value| match &value.value {
        Some(Variant::Array(array)) => Some(array),
        _ => None,
    });
    let rows = array.into_iter().flat_map(|array| &array.values).take(ROWS_MAX);
    rows.filter_map(|row| match row {
        Variant::ExtensionObject(object) => object.inner_as::<T>(),
        _ => None,
    })
}

/// Adds up over our subscriptions.
fn of_subscription(row: &SubscriptionDiagnosticsDataType, report: &mut Vec<DiagnosticReport>) {
    let counts = [
        ("LatePublishRequestCount", row.late_publish_request_count),
        ("MonitoringQueueOverflowCount", row.monitoring_queue_overflow_count),
        ("EventQueueOverFlowCount", row.event_queue_overflow_count),
        ("DiscardedMessageCount", row.discarded_message_count),
        ("UnacknowledgedMessageCount", row.unacknowledged_message_count),
        ("CurrentLifetimeCount", row.current_lifetime_count),
        ("MonitoredItemCount", row.monitored_item_count),
    ];
    for (name, count) in counts {
        match report.iter_mut().find(|known| &*known.name == name) {
            Some(known) => known.value += u64::from(count),
            None => report.push(DiagnosticReport { name: name.into(), value: count.into() }),
        }
    }
}

fn of_session(row: &SessionDiagnosticsDataType, report: &mut Vec<DiagnosticReport>) {
    let counts = [
        ("CurrentSubscriptionsCount", row.current_subscriptions_count),
        ("CurrentPublishRequestsInQueue", row.current_publish_requests_in_queue),
        ("TotalRequestCount", row.total_request_count.total_count),
        ("TotalRequestErrorCount", row.total_request_count.error_count),
        ("UnauthorizedRequestCount", row.unauthorized_request_count),
    ];
    report.extend(counts.map(|(name, count)| DiagnosticReport { name: name.into(), value: count.into() }));
}

/// The values, and when the server answered by its own clock.
async fn read(
    visit: &Visit,
    nodes: &[ReadValueId],
) -> Result<(Vec<DataValue>, Option<Timestamp>), opcua::types::StatusCode> {
    let session = &visit.session;
    let request = Read::new(session).nodes_to_read(nodes.to_vec()).timestamps_to_return(TimestampsToReturn::Neither);
    let response = request.send(session.channel()).await.map_err(|error| error.status())?;
    Ok((response.results.unwrap_or_default(), timestamp(response.response_header.timestamp)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_that_break_the_link_are_left_alone() {
        let mut pulse = Pulse::default();
        for expected in [false, false, true, true] {
            pulse.restart();
            assert_eq!(pulse.no_diagnostics, expected);
            pulse.asking = !expected;
        }
    }

    #[test]
    fn counts_of_several_subscriptions_add_up() {
        let row = SubscriptionDiagnosticsDataType { late_publish_request_count: 2, ..Default::default() };
        let mut report = Vec::new();
        of_subscription(&row, &mut report);
        of_subscription(&row, &mut report);
        assert_eq!(report[0], DiagnosticReport { name: "LatePublishRequestCount".into(), value: 4 });
        assert_eq!(report.len(), 7);
    }
}
