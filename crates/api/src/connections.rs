//! The facts of the connections, and of one value: why it is as it is. Nothing is judged here but the trust, by
//! the engine; the sentences are the screen's.

use crate::sections;
use crate::wire::*;
use lineside_model::report::{
    DiagnosticReport, FlowReport, LimitReport, LinkReport, MemberReport, MemberRole, ServerState, SubscriptionReport,
};
use lineside_model::state::{KnownGap, LinkEvent, LinkHealth};
use lineside_model::{ConnectionId, GapReason, GapScope, PlantConfig, PlantState, Span, TagId, Timestamp};

/// Gaps listed for one connection.
const GAPS_MAX: usize = 100;
/// Refused items listed for one connection.
const REFUSED_MAX: usize = 500;

/// Everything known of every connection.
pub(crate) fn view(config: &PlantConfig, state: &PlantState) -> ConnectionsView {
    let links = sections::links(config, state);
    let ids = (0..).map(ConnectionId);
    let connections = ids.zip(links).map(|(id, link)| connection(config, state, id, link)).collect();
    ConnectionsView { connections, at_ms: state.at.as_millis_f64() }
}

/// The facts about one value; `None` where there is no such tag.
pub(crate) fn explain(config: &PlantConfig, state: &PlantState, id: TagId) -> Option<Explanation> {
    let (tag, now) = (config.tags.get(id.0 as usize)?, state.tags.get(id.0 as usize)?);
    let place = tag.connection.0 as usize;
    let link = sections::links(config, state).into_iter().nth(place)?;
    let server_unit = now.meta.as_ref().map(|meta| meta.unit.to_string());
    Some(Explanation {
        tag: id.0,
        name: tag.name.clone(),
        node: tag.node.clone(),
        connection: tag.connection.0,
        connection_name: link.name.clone(),
        trust: sections::trust(config, state, id),
        status: now.status.0,
        item_status: now.item.0,
        link,
        received_ms: millis(now.received),
        source_ms: millis(now.source_time),
        server_ms: millis(now.server_time),
        max_age_ms: tag.max_age.map(Span::as_millis_f64),
        confirmed: now.confirmed,
        clock_skew_ms: state.links.get(place)?.report.clock_skew.map(Span::as_millis_f64),
        // A configured unit of a scaled value is meant to be another one.
        server_unit: server_unit
            .filter(|unit| !unit.is_empty() && !tag.unit.is_empty() && *unit != tag.unit && tag.scale.is_none()),
        at_ms: state.at.as_millis_f64(),
    })
}

fn connection(config: &PlantConfig, state: &PlantState, id: ConnectionId, link: LinkView) -> ConnectionView {
    let health = &state.links[id.0 as usize];
    let concerning = || state.gaps.iter().rev().filter(|known| concerns(config, known, id));
    let refused = || config.tag_ids().filter(|tag| is_refused(config, state, *tag, id));
    ConnectionView {
        link,
        endpoint: config.connections[id.0 as usize].endpoint.clone(),
        report: health.reported.map(|_| report(&health.report)),
        reported_ms: millis(health.reported),
        server_started_ms: millis(health.server_started),
        history: history(health),
        gaps: concerning().take(GAPS_MAX).map(|known| gap(config, known)).collect(),
        more_gaps: concerning().skip(GAPS_MAX).count() as u32,
        refused: refused().take(REFUSED_MAX).map(|tag| refusal(config, state, tag)).collect(),
        more_refused: refused().skip(REFUSED_MAX).count() as u32,
    }
}

/// When Lineside did not run or record, every connection is concerned.
fn concerns(config: &PlantConfig, known: &KnownGap, id: ConnectionId) -> bool {
    match known.gap.scope {
        GapScope::Plant => true,
        GapScope::Connection(connection) => connection == id,
        GapScope::Tag(tag) => config.tags.get(tag.0 as usize).is_some_and(|tag| tag.connection == id),
    }
}

fn is_refused(config: &PlantConfig, state: &PlantState, tag: TagId, id: ConnectionId) -> bool {
    config.tag(tag).connection == id && state.tags[tag.0 as usize].item.is_bad()
}

fn history(health: &LinkHealth) -> Vec<LinkEventView> {
    let event = |event: &LinkEvent| LinkEventView {
        at_ms: event.at.as_millis_f64(),
        state: sections::link_state(event.state),
        status: event.status.0,
        detail: event.detail.to_string(),
    };
    health.history.iter().rev().map(event).collect()
}

fn gap(config: &PlantConfig, known: &KnownGap) -> GapView {
    let tag = match known.gap.scope {
        GapScope::Tag(tag) => Some(tag),
        GapScope::Connection(_) | GapScope::Plant => None,
    };
    GapView {
        tag: tag.map(|tag| tag.0),
        tag_name: tag.and_then(|tag| config.tags.get(tag.0 as usize)).map(|tag| tag.name.clone()),
        from_ms: known.gap.from.as_millis_f64(),
        to_ms: known.gap.to.as_millis_f64(),
        reason: match known.gap.reason {
            GapReason::LinkDown => GapReasonView::LinkDown,
            GapReason::ServerOverflow => GapReasonView::ServerOverflow,
            GapReason::ClientOverflow => GapReasonView::ClientOverflow,
            GapReason::LostNotification => GapReasonView::LostNotification,
            GapReason::NotRunning => GapReasonView::NotRunning,
            GapReason::NotRecorded => GapReasonView::NotRecorded,
            GapReason::Silent => GapReasonView::Silent,
        },
        lost: known.gap.lost.map(|lost| lost as f64),
        filled: known.filled as f64,
        tags_filled: known.tags,
        tags_without: known.tags_without,
    }
}

fn refusal(config: &PlantConfig, state: &PlantState, id: TagId) -> RefusedView {
    let tag = config.tag(id);
    let status = state.tags[id.0 as usize].item.0;
    RefusedView { tag: id.0, name: tag.name.clone(), node: tag.node.clone(), status }
}

fn report(from: &LinkReport) -> ReportView {
    ReportView {
        endpoint: from.endpoint.to_string(),
        security: from.security.to_string(),
        user: from.user.to_string(),
        server_state: server_state(from.server_state),
        service_level: from.service_level.map(u32::from),
        shutdown_s: from.shutdown_s.map(f64::from),
        shutdown_reason: from.shutdown_reason.to_string(),
        certificate: from.certificate.to_string(),
        certificate_expires_ms: millis(from.certificate_expires),
        own_certificate_expires_ms: millis(from.own_certificate_expires),
        session_timeout_ms: from.session_timeout.as_millis_f64(),
        members: from.members.iter().map(member).collect(),
        subscriptions: from.subscriptions.iter().map(subscription).collect(),
        limits: from.limits.iter().map(limit).collect(),
        diagnostics: from.diagnostics.iter().map(diagnostic).collect(),
        flow: flow(&from.flow),
        clock_skew_ms: from.clock_skew.map(Span::as_millis_f64),
        round_trip_ms: from.round_trip.map(Span::as_millis_f64),
        publish_late_ms: from.publish_late.map(Span::as_millis_f64),
    }
}

fn server_state(state: ServerState) -> ServerStateView {
    match state {
        ServerState::Running => ServerStateView::Running,
        ServerState::Failed => ServerStateView::Failed,
        ServerState::NoConfiguration => ServerStateView::NoConfiguration,
        ServerState::Suspended => ServerStateView::Suspended,
        ServerState::Shutdown => ServerStateView::Shutdown,
        ServerState::Test => ServerStateView::Test,
        ServerState::CommunicationFault => ServerStateView::CommunicationFault,
        ServerState::Unknown => ServerStateView::Unknown,
    }
}

fn member(from: &MemberReport) -> MemberView {
    MemberView {
        endpoint: from.endpoint.to_string(),
        role: match from.role {
            MemberRole::Unknown => MemberRoleView::Unknown,
            MemberRole::Active => MemberRoleView::Active,
            MemberRole::Standby => MemberRoleView::Standby,
            MemberRole::Unreachable => MemberRoleView::Unreachable,
        },
        service_level: from.service_level.map(u32::from),
        detail: from.detail.to_string(),
    }
}

fn subscription(from: &SubscriptionReport) -> SubscriptionView {
    SubscriptionView {
        id: from.id,
        publishing_ms: from.publishing.as_millis_f64(),
        keep_alive: from.keep_alive,
        lifetime: from.lifetime,
        items: from.items,
    }
}

fn limit(from: &LimitReport) -> LimitView {
    LimitView { name: from.name.to_string(), declared: from.declared.map(f64::from), used: from.used.map(f64::from) }
}

fn diagnostic(from: &DiagnosticReport) -> DiagnosticView {
    DiagnosticView { name: from.name.to_string(), value: from.value as f64 }
}

fn flow(from: &FlowReport) -> FlowView {
    FlowView {
        notifications: from.notifications as f64,
        values: from.values as f64,
        lost_links: from.lost_links as f64,
        sessions_created: from.sessions_created as f64,
        sessions_reactivated: from.sessions_reactivated as f64,
        subscriptions_transferred: from.subscriptions_transferred as f64,
        subscriptions_created: from.subscriptions_created as f64,
        missing: from.missing as f64,
        republished: from.republished as f64,
        lost: from.lost as f64,
        repeated: from.repeated as f64,
        overflows: from.overflows as f64,
        late: from.late as f64,
    }
}

fn millis(time: Option<Timestamp>) -> Option<f64> {
    time.map(Timestamp::as_millis_f64)
}
