//! What supervision knows, in the form in which what runs beside it needs it.

use crate::beside::{self, Visit};
use crate::connect::Link;
use crate::counters::Counters;
use crate::limits::{Capacity, Facts};
use crate::report::Sources;
use crate::subscribe::Standing;
use lineside_model::report::{FlowReport, LimitReport, SubscriptionReport};
use lineside_model::{Span, TagId};
use opcua::types::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Operands of calls for which the server declares no limit (OPC 10000-5 6.3.11).
const OPERANDS: usize = 1_000;

/// The session of `link`, whose subscriptions are about to flow.
pub(crate) fn visit(link: &Link, facts: &Facts, standing: &Standing, capacity: &Capacity) -> Visit {
    let items: BTreeMap<TagId, NodeId> = standing.items().cloned().collect();
    let subscriptions = standing.subscriptions.iter();
    let subscriptions = subscriptions.map(|of| beside::Standing { id: of.id, items: of.items.len(), fresh: of.fresh });
    let least = |declared: Option<usize>| declared.map_or(OPERANDS, |declared| declared.min(OPERANDS));
    Visit {
        session: link.session.clone(),
        items: Arc::new(items),
        started: facts.started,
        subscriptions: subscriptions.collect(),
        monitor: None,
        limits: beside::Limits {
            read: capacity.nodes_per_read,
            translate: least(facts.declared.nodes_per_translate),
            history: least(facts.declared.nodes_per_history_read_data),
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
    let declared = facts.declared.list();
    let limits = declared.into_iter().map(|(name, declared)| LimitReport {
        name: standard_name(name).into(),
        declared: Some(number(declared)),
        used: match name {
            "nodes_per_read" => Some(number(capacity.nodes_per_read)),
            "items_per_call" => Some(number(capacity.items_per_call)),
            _ => None,
        },
    });
    sources.limits = limits.collect();
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

/// The name of a limit in OPC 10000-5.
fn standard_name(name: &str) -> &str {
    match name {
        "nodes_per_read" => "MaxNodesPerRead",
        "nodes_per_write" => "MaxNodesPerWrite",
        "nodes_per_method_call" => "MaxNodesPerMethodCall",
        "nodes_per_browse" => "MaxNodesPerBrowse",
        "nodes_per_register" => "MaxNodesPerRegisterNodes",
        "nodes_per_translate" => "MaxNodesPerTranslateBrowsePathsToNodeIds",
        "items_per_call" => "MaxMonitoredItemsPerCall",
        "nodes_per_history_read_data" => "MaxNodesPerHistoryReadData",
        "nodes_per_history_read_events" => "MaxNodesPerHistoryReadEvents",
        "sessions" => "MaxSessions",
        "subscriptions" => "MaxSubscriptions",
        "items" => "MaxMonitoredItems",
        "subscriptions_per_session" => "MaxSubscriptionsPerSession",
        "select_clauses" => "MaxSelectClauseParameters",
        "where_clauses" => "MaxWhereClauseParameters",
        "items_per_subscription" => "MaxMonitoredItemsPerSubscription",
        "queue_size" => "MaxMonitoredItemsQueueSize",
        "array_length" => "MaxArrayLength",
        "string_length" => "MaxStringLength",
        "browse_continuation_points" => "MaxBrowseContinuationPoints",
        "history_continuation_points" => "MaxHistoryContinuationPoints",
        other => other,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
