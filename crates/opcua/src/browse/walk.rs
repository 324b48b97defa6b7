//! Breadth first through everything below a node, each node once, as far as one wants at a time.
//!
//! Promises: circles end (a node is visited once); at most [`NODES_MAX`] nodes are kept; continuation points
//! are followed at once and given back where the walk ends early. The server's own object with its
//! thousands of diagnostics comes last. Types are not entered.

use super::calls::{Calls, Names};
use super::{Failure, below, local, tree::NodeClass};
use opcua::types::{BrowseResult, ByteString, NodeId, ReferenceDescription, ReferenceTypeId, StatusCode};
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::time::Duration;
use tokio::time::Instant;

/// Nodes of one walk.
pub(crate) const NODES_MAX: usize = 200_000;
/// References asked for at once of one node.
pub(crate) const REFERENCES_MAX: u32 = 1_000;
/// Answers about one node; a server that goes on for ever is cut off.
pub(crate) const ANSWERS_MAX: usize = 5_000;
/// A node with very many others below it may take so much longer than the deadline.
const GRACE: Duration = Duration::from_secs(30);
/// Nodes browsed in one call: few enough to stop soon after the deadline.
const BATCH: usize = 100;
/// The Server object (OPC 10000-5, 8.3.2).
const SERVER: u32 = 2253;

/// A node as a reference tells it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: NodeId,
    /// Browse name without its namespace, which is `namespace`.
    pub(crate) name: String,
    pub(crate) namespace: u16,
    pub(crate) display: String,
    pub(crate) class: NodeClass,
    pub(crate) type_definition: NodeId,
    /// It is a property of the node above it.
    pub(crate) property: bool,
    /// Position of the node above it in the walk.
    pub(crate) parent: Option<usize>,
}

impl Seen {
    /// `None`: the node is on another server.
    pub(crate) fn new(names: &Names, reference: ReferenceDescription, parent: Option<usize>) -> Option<Seen> {
        let id = local(names, &reference.node_id)?;
        let name = reference.browse_name.name.to_string();
        let display = reference.display_name.text.to_string();
        Some(Seen {
            id,
            display: if display.is_empty() { name.clone() } else { display },
            name,
            namespace: reference.browse_name.namespace_index,
            class: NodeClass::from(reference.node_class),
            type_definition: local(names, &reference.type_definition).unwrap_or_else(NodeId::null),
            property: reference.reference_type_id == ReferenceTypeId::HasProperty,
            parent,
        })
    }
}

/// A walk that can be continued.
pub(crate) struct Walk {
    pub(crate) names: Names,
    /// Everything found, the root first.
    pub(crate) nodes: Vec<Seen>,
    /// Nodes the server would not browse.
    pub(crate) refused: usize,
    seen: HashSet<NodeId>,
    waiting: VecDeque<usize>,
    last: Vec<usize>,
    batch: usize,
    full: bool,
}

impl Walk {
    pub(crate) fn new(names: Names, root: Seen) -> Walk {
        Walk {
            names,
            seen: HashSet::from([root.id.clone()]),
            nodes: vec![root],
            refused: 0,
            waiting: VecDeque::from([0]),
            last: Vec::new(),
            batch: BATCH,
            full: false,
        }
    }

    /// Nothing is left to visit.
    pub(crate) fn done(&self) -> bool {
        self.waiting.is_empty() && self.last.is_empty()
    }

    /// Everything was visited, and nothing left out for its number.
    pub(crate) fn complete(&self) -> bool {
        self.done() && !self.full && self.refused == 0
    }

    /// Leaves out the Server object, unless the walk began there.
    pub(crate) fn without_server(&mut self) {
        self.last.clear();
    }

    /// Names from below the root down to a node.
    pub(crate) fn path(&self, index: usize) -> Vec<&str> {
        let mut path = Vec::new();
        let mut at = Some(index);
        while let Some(seen) = at.map(|index| &self.nodes[index]) {
            if seen.parent.is_some() {
                path.push(seen.name.as_str());
            }
            at = seen.parent;
        }
        path.reverse();
        path
    }

    /// Browses the next nodes; returns the positions of what was found. What is below one node is taken
    /// whole, unless that takes much longer than `deadline`.
    pub(crate) async fn step(&mut self, calls: &Calls, deadline: Instant) -> Result<Range<usize>, Failure> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.last.drain(..));
        }
        let from = self.nodes.len();
        let count = self.waiting.len().min(self.batch);
        let batch: Vec<usize> = self.waiting.drain(..count).collect();
        if batch.is_empty() {
            return Ok(from..from);
        }
        let asked: Vec<_> = batch.iter().map(|index| below(&self.nodes[*index].id)).collect();
        let results = calls.browse(&self.names, &asked, REFERENCES_MAX).await?;
        for (index, result) in batch.into_iter().zip(results) {
            if result.status_code == StatusCode::BadNoContinuationPoints && self.batch > 1 {
                // Continuation points are scarce here: one node at a time.
                self.batch = 1;
                self.waiting.push_front(index);
                continue;
            }
            self.take_all(calls, index, result, deadline + GRACE).await?;
        }
        Ok(from..self.nodes.len())
    }

    async fn take_all(
        &mut self,
        calls: &Calls,
        index: usize,
        mut result: BrowseResult,
        deadline: Instant,
    ) -> Result<(), Failure> {
        for answers in 1.. {
            if result.status_code.is_bad() {
                self.refused += 1;
                return Ok(());
            }
            self.take(index, result.references.unwrap_or_default());
            let point: ByteString = result.continuation_point;
            if point.is_null_or_empty() {
                return Ok(());
            }
            let enough = self.full || answers >= ANSWERS_MAX || Instant::now() >= deadline;
            result = calls.browse_next(&point, enough).await?;
            if enough {
                self.refused += 1;
                return Ok(());
            }
        }
        Ok(())
    }

    fn take(&mut self, parent: usize, references: Vec<ReferenceDescription>) {
        for reference in references {
            let Some(seen) = Seen::new(&self.names, reference, Some(parent)) else { continue };
            if !matches!(seen.class, NodeClass::Object | NodeClass::Variable) || self.seen.contains(&seen.id) {
                continue;
            }
            if self.nodes.len() >= NODES_MAX {
                self.full = true;
                return;
            }
            self.seen.insert(seen.id.clone());
            let index = self.nodes.len();
            if seen.id == NodeId::new(0, SERVER) {
                self.last.push(index);
            } else if !seen.property {
                self.waiting.push_back(index);
            }
            self.nodes.push(seen);
        }
    }
}
