//! What adapters say of servers and nodes, and what was read afterwards for a gap. No value and no figure
//! follows from it; what a person should know of is noted.

use crate::notice::{Notice, NoticeKind};
use crate::{Change, Engine, Step};
use lineside_model::report::{Fill, FillResult, LinkReport, NodeMeta, SERVICE_LEVEL_HEALTHY, ServerState};
use lineside_model::state::KnownGap;
use lineside_model::{ConnectionId, GapScope, Span, TagId};

/// Clocks that differ by more than this are worth a word: alarm order and KPIs use the source's time.
const SKEW_NOTED: Span = Span::from_secs(2);
/// They agree again below this.
const SKEW_OVER: Span = Span::from_secs(1);

impl Engine {
    pub(crate) fn on_report(&mut self, id: ConnectionId, report: &LinkReport, step: &mut Step) {
        let Some(link) = self.state.links.get_mut(id.0 as usize) else { return };
        let before = std::mem::replace(&mut link.report, report.clone());
        let first = link.reported.replace(step.at).is_none();
        note_server(id, &before, report, step);
        note_skew(id, &before, report, step);
        let moved = !first && before.endpoint != report.endpoint && !before.endpoint.is_empty();
        if moved {
            step.notice(NoticeKind::Failover, |n| Notice { detail: report.endpoint.clone(), ..n.on(id) });
        }
        step.changes.push(Change::Report(id));
    }

    /// What the server says of a node. Told again with another content, it changed while we looked.
    pub(crate) fn on_meta(&mut self, id: TagId, meta: &NodeMeta, step: &mut Step) {
        let Some(tag) = self.state.tags.get_mut(id.0 as usize) else { return };
        let before = tag.meta.replace(Box::new(meta.clone()));
        if before.is_some_and(|before| *before != *meta) {
            let connection = Some(self.config.tag(id).connection);
            step.notice(NoticeKind::MetaChanged, |n| Notice { tag: Some(id), connection, ..n });
        }
        step.changes.push(Change::Meta(id));
    }

    /// Values of the past: they belong to their gap, and never become the present.
    pub(crate) fn on_fill(&mut self, fill: &Fill, step: &mut Step) {
        let Some(tag) = self.config.tags.get(fill.tag.0 as usize) else { return };
        let connection = tag.connection;
        let scopes = [GapScope::Tag(fill.tag), GapScope::Connection(connection)];
        let gap = self.state.gaps.iter_mut().rev().find(|known| is_gap(known, &scopes, fill.from, fill.to));
        if let Some(known) = gap {
            known.filled = known.filled.saturating_add(fill.values.len() as u64);
            step.changes.push(Change::Report(connection));
        }
    }

    pub(crate) fn on_fill_ended(&mut self, result: &FillResult, step: &mut Step) {
        let id = result.connection;
        if self.state.links.get(id.0 as usize).is_none() {
            return;
        }
        let scopes = [GapScope::Connection(id)];
        let gap = self.state.gaps.iter_mut().rev().find(|known| is_gap(known, &scopes, result.from, result.to));
        if let Some(known) = gap {
            (known.tags, known.tags_without) = (result.tags, result.tags_without);
        }
        let (from, to, lost) = (Some(result.from), Some(result.to), Some(result.values));
        step.notice(NoticeKind::GapFilled, |n| Notice { from, to, lost, status: result.status, ..n.on(id) });
        step.changes.push(Change::Report(id));
    }
}

fn is_gap(
    known: &KnownGap,
    scopes: &[GapScope],
    from: lineside_model::Timestamp,
    to: lineside_model::Timestamp,
) -> bool {
    scopes.contains(&known.gap.scope) && (known.gap.from, known.gap.to) == (from, to)
}

fn note_server(id: ConnectionId, before: &LinkReport, now: &LinkReport, step: &mut Step) {
    // Servers that do not say count as running: nothing is known against them.
    let runs = |report: &LinkReport| {
        matches!(report.server_state, ServerState::Running | ServerState::Unknown) && report.shutdown_s.is_none()
    };
    let degraded = |report: &LinkReport| report.service_level.is_some_and(|level| level < SERVICE_LEVEL_HEALTHY);
    match (runs(before), runs(now)) {
        (true, false) => {
            step.notice(NoticeKind::ServerNotRunning, |n| Notice { detail: now.shutdown_reason.clone(), ..n.on(id) });
        }
        (false, true) => step.notice(NoticeKind::ServerRunning, |n| n.on(id)),
        _ => {}
    }
    match (degraded(before), degraded(now)) {
        (false, true) => {
            let detail = now.service_level.map(|level| level.to_string()).unwrap_or_default().into();
            step.notice(NoticeKind::ServerDegraded, |n| Notice { detail, ..n.on(id) });
        }
        (true, false) => step.notice(NoticeKind::ServerHealthy, |n| n.on(id)),
        _ => {}
    }
}

fn note_skew(id: ConnectionId, before: &LinkReport, now: &LinkReport, step: &mut Step) {
    let size = |report: &LinkReport| report.clock_skew.map_or(Span::ZERO, |skew| Span(skew.0.saturating_abs()));
    let (was, is) = (size(before), size(now));
    if is > SKEW_NOTED && was <= SKEW_NOTED {
        let seconds = now.clock_skew.map_or(0.0, Span::as_secs_f64);
        let detail = format!("{seconds:+.3}").into();
        step.notice(NoticeKind::ClockSkewed, |n| Notice { detail, ..n.on(id) });
    } else if was > SKEW_OVER && is <= SKEW_OVER {
        step.notice(NoticeKind::ClockAgrees, |n| n.on(id));
    }
}
