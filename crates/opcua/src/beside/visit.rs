//! What supervision knows, in the form in which what runs beside it needs it.

use crate::beside::report::Sources;
use crate::connect::Link;
use crate::flow::counters::Counters;
use crate::limits::{Capacity, Facts};
use crate::subscribe::Standing;
use lineside_model::report::{FlowReport, SubscriptionReport};
use lineside_model::{Span, TagId, Timestamp};
use opcua::client::Session;
use opcua::sync::Mutex;
use opcua::types::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A session whose subscriptions are at work.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) session: Arc<Session>,
    /// The nodes of the monitored tags; more of them when the server takes what it had refused.
    pub(crate) items: Arc<Mutex<BTreeMap<TagId, NodeId>>>,
    /// When the server started.
    pub(crate) started: Option<Timestamp>,
    pub(crate) subscriptions: Vec<Monitored>,
    /// The subscription on which the vital signs are to be monitored, where they are not already.
    pub(crate) monitor: Option<u32>,
    pub(crate) limits: Limits,
}

/// A subscription of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monitored {
    pub(crate) id: u32,
    pub(crate) items: usize,
    /// Made since the last visit.
    pub(crate) fresh: bool,
}

/// Operands per call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) read: usize,
    pub(crate) translate: usize,
    pub(crate) history: usize,
}

/// The session of `link`, whose subscriptions are about to flow.
pub(crate) fn visit(link: &Link, facts: &Facts, standing: &Standing, capacity: &Capacity) -> Visit {
    let items: BTreeMap<TagId, NodeId> = standing.items().cloned().collect();
    let subscriptions = standing.subscriptions.iter();
    let subscriptions = subscriptions.map(|of| Monitored { id: of.id, items: of.items.len(), fresh: of.fresh });
    Visit {
        session: link.session.clone(),
        items: Arc::new(Mutex::new(items)),
        started: facts.started,
        subscriptions: subscriptions.collect(),
        monitor: None,
        limits: Limits {
            read: capacity.nodes_per_read,
            translate: capacity.nodes_per_translate,
            history: capacity.nodes_per_history_read,
        },
    }
}

/// Puts the revised values of the subscriptions and the limits of the server into the report.
pub(crate) fn report(sources: &mut Sources, standing: &Standing, facts: &Facts, capacity: &Capacity) {
    let subscriptions = standing.subscriptions.iter().map(|of| SubscriptionReport {
        id: of.id,
        publishing: Span((of.revised.publishing_interval_ms * 1e6) as i64),
        keep_alive: of.revised.keep_alive_count,
        lifetime: of.revised.lifetime_count,
        items: number(of.items.len()),
    });
    sources.subscriptions = subscriptions.collect();
    sources.limits = capacity.report(&facts.declared, standing.longest_queue(), standing.subscriptions.len());
}

/// What came through, as the report counts it.
pub(crate) fn flow(counters: &Counters) -> FlowReport {
    FlowReport {
        notifications: counters.notifications,
        values: counters.values,
        lost_links: counters.reconnects,
        sessions_created: counters.sessions_created,
        sessions_reactivated: counters.reactivated,
        subscriptions_transferred: counters.transferred,
        subscriptions_created: counters.created,
        missing: counters.missing,
        republished: counters.republished,
        lost: counters.lost_messages,
        repeated: counters.repeated,
        overflows: counters.overflows,
        late: counters.late,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
