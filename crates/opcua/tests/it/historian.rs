//! A node manager whose variables keep a history, as a test sets it.

use async_trait::async_trait;
use opcua::server::ContinuationPoint;
use opcua::server::address_space::AddressSpace;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{InMemoryNodeManagerImpl, InMemoryNodeManagerImplBuilder};
use opcua::server::node_manager::{HistoryNode, RequestContext, ServerContext};
use opcua::sync::Mutex;
use opcua::types::{DataValue, HistoryData, NodeId, ReadRawModifiedDetails, StatusCode, TimestampsToReturn};
use std::collections::HashMap;
use std::sync::Arc;

/// What is kept, and how it is given.
#[derive(Default)]
pub(crate) struct History {
    /// Oldest first.
    pub(crate) values: HashMap<NodeId, Vec<DataValue>>,
    /// No more values of a node in one answer; 0: no limit.
    pub(crate) page: usize,
    /// How many nodes each call asked for.
    pub(crate) calls: Vec<usize>,
}

pub(crate) struct Historian {
    namespace: NamespaceMetadata,
    name: &'static str,
    history: Arc<Mutex<History>>,
}

impl Historian {
    pub(crate) fn builder(
        namespace: &'static str,
        name: &'static str,
        history: Arc<Mutex<History>>,
    ) -> impl InMemoryNodeManagerImplBuilder<Impl = Historian> + 'static {
        move |context: ServerContext, space: &mut AddressSpace| {
            let index = context.type_tree.write().namespaces_mut().add_namespace(namespace);
            space.add_namespace(namespace, index);
            let namespace = NamespaceMetadata {
                namespace_uri: namespace.into(),
                namespace_index: index,
                ..NamespaceMetadata::default()
            };
            Historian { namespace, name, history }
        }
    }
}

#[async_trait]
impl InMemoryNodeManagerImpl for Historian {
    async fn init(&self, _space: &mut AddressSpace, _context: ServerContext) {}

    fn name(&self) -> &str {
        self.name
    }

    fn namespaces(&self) -> Vec<NamespaceMetadata> {
        vec![self.namespace.clone()]
    }

    async fn history_read_raw_modified(
        &self,
        _context: &RequestContext,
        details: &ReadRawModifiedDetails,
        nodes: &mut [&mut &mut HistoryNode],
        _timestamps_to_return: TimestampsToReturn,
    ) -> Result<(), StatusCode> {
        let mut history = self.history.lock();
        history.calls.push(nodes.len());
        for node in nodes {
            let Some(values) = history.values.get(node.node_id()) else {
                node.set_status(StatusCode::BadHistoryOperationUnsupported);
                continue;
            };
            let time = |value: &DataValue| value.source_timestamp.unwrap_or_default();
            let range = details.start_time..details.end_time;
            let inside: Vec<DataValue> = values.iter().filter(|value| range.contains(&time(value))).cloned().collect();
            let begin = node.continuation_point().and_then(|point| point.get::<usize>().copied()).unwrap_or(0);
            let limits = [history.page, details.num_values_per_node as usize].into_iter().filter(|limit| *limit > 0);
            let end = inside.len().min(limits.min().map_or(usize::MAX, |limit| begin + limit));
            node.set_status(if inside.is_empty() { StatusCode::GoodNoData } else { StatusCode::Good });
            node.set_result(HistoryData { data_values: Some(inside[begin..end].to_vec()) });
            if end < inside.len() {
                node.set_next_continuation_point(Some(ContinuationPoint::new(Box::new(end))));
            }
        }
        Ok(())
    }
}
