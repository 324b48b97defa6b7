//! The tree, one page of one branch at a time.
//!
//! A page that is not the last keeps a continuation point at the server. Servers have few of them
//! (OPC 10000-4, 7.9), so the oldest is given back when they run out; its list is then browsed again from
//! the beginning, up to where it was.

use super::calls::Names;
use super::types::TypeChain;
use super::walk::{ANSWERS_MAX, Seen};
use super::{Explorer, Failure, OBJECTS, UA, below};
use crate::semantics::Recognised;
use opcua::types::{BrowseResult, ByteString, NodeClass as UaClass, NodeId, StatusCode};
use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;

/// Nodes of one page.
const PAGE: u32 = 500;
/// Lists that can be continued at the same time.
const LISTS_MAX: usize = 64;
/// References of one branch; a server that sends more without end is cut off.
const BRANCH_MAX: usize = 200_000;

/// What kind of node it is (OPC 10000-3, 8.29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeClass {
    Object,
    Variable,
    Method,
    ObjectType,
    VariableType,
    ReferenceType,
    DataType,
    View,
}

impl From<UaClass> for NodeClass {
    fn from(class: UaClass) -> NodeClass {
        match class {
            UaClass::Variable => NodeClass::Variable,
            UaClass::Method => NodeClass::Method,
            UaClass::ObjectType => NodeClass::ObjectType,
            UaClass::VariableType => NodeClass::VariableType,
            UaClass::ReferenceType => NodeClass::ReferenceType,
            UaClass::DataType => NodeClass::DataType,
            UaClass::View => NodeClass::View,
            UaClass::Object | UaClass::Unspecified => NodeClass::Object,
        }
    }
}

impl NodeClass {
    /// The name that the standard gives it.
    pub fn name(self) -> &'static str {
        match self {
            NodeClass::Object => "Object",
            NodeClass::Variable => "Variable",
            NodeClass::Method => "Method",
            NodeClass::ObjectType => "ObjectType",
            NodeClass::VariableType => "VariableType",
            NodeClass::ReferenceType => "ReferenceType",
            NodeClass::DataType => "DataType",
            NodeClass::View => "View",
        }
    }
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// `nsu=<uri>;s=…`, as `plant.toml` takes it; `i=…` in the namespace of OPC UA.
    pub node: String,
    /// As the server shows it to people.
    pub name: String,
    /// What programs know it by; unique below the node above it.
    pub browse_name: String,
    /// Namespace URI of the browse name.
    pub namespace: String,
    pub class: NodeClass,
    /// The name of its type definition; empty where it has none.
    pub type_name: String,
    /// `Some(false)`: it certainly has no nodes below it. `None`: not known without browsing.
    pub has_children: Option<bool>,
    pub recognised: Option<Recognised>,
}

/// A part of what is below a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub nodes: Vec<Node>,
    /// Hand this to the next call for the nodes that follow.
    pub more: Option<u64>,
}

/// Lists that are not at their end, by token.
#[derive(Default)]
pub(crate) struct Lists {
    next: u64,
    open: BTreeMap<u64, List>,
}

struct List {
    node: NodeId,
    names: Names,
    /// Taken so far; what comes again after a new start is known by it.
    shown: HashSet<NodeId>,
    /// `None`: given back.
    point: Option<ByteString>,
}

impl Explorer {
    /// The nodes below `node` (the Objects folder by default), by hierarchical references.
    /// `more` continues a list, `node` being ignored then; each token serves once.
    pub async fn children(&self, node: Option<&str>, more: Option<u64>) -> Result<Page, Failure> {
        let (mut list, result) = match more {
            Some(token) => {
                let list = self.take_list(token).ok_or_else(|| Failure::gone("list"))?;
                let result = self.go_on(&list).await?;
                (list, result)
            }
            None => {
                let names = self.calls.names().await?;
                let node = names.resolve(node.unwrap_or(OBJECTS))?;
                let list = List { node, names, shown: HashSet::new(), point: None };
                let result = self.begin(&list).await?;
                (list, result)
            }
        };
        let mut seen = Vec::new();
        self.fill(&mut list, result, &mut seen).await?;
        let nodes = self.nodes(&list.names.clone(), seen).await?;
        let more = if list.point.is_some() { Some(self.keep_list(list).await?) } else { None };
        Ok(Page { nodes, more })
    }

    /// Gives back what the server keeps for a list that is not continued.
    pub async fn forget(&self, more: u64) -> Result<(), Failure> {
        if let Some(point) = self.take_list(more).and_then(|list| list.point) {
            self.calls.browse_next(&point, true).await?;
        }
        Ok(())
    }

    /// Takes one result, and further ones as long as they only repeat what was shown before.
    async fn fill(&self, list: &mut List, mut result: BrowseResult, seen: &mut Vec<Seen>) -> Result<(), Failure> {
        let host = crate::connect::endpoint::authority(&self.connection().endpoint);
        for answers in 1.. {
            if result.status_code.is_bad() {
                return Err(Failure::service(host, "browse", result.status_code));
            }
            let found = result.references.unwrap_or_default();
            let found = found.into_iter().filter_map(|reference| Seen::new(&list.names, reference, None));
            seen.extend(found.filter(|seen| list.shown.insert(seen.id.clone())));
            list.point = Some(result.continuation_point).filter(|point| !point.is_null_or_empty());
            let enough = list.shown.len() >= BRANCH_MAX || answers >= ANSWERS_MAX;
            let Some(point) = list.point.as_ref().filter(|_| seen.is_empty() || enough) else { return Ok(()) };
            result = self.calls.browse_next(point, enough).await?;
            if enough {
                list.point = None;
                return Ok(());
            }
        }
        Ok(())
    }

    async fn begin(&self, list: &List) -> Result<BrowseResult, Failure> {
        let results = self.calls.browse(&list.names, &[below(&list.node)], PAGE).await?;
        let result = results.into_iter().next().unwrap_or_default();
        if result.status_code == StatusCode::BadNoContinuationPoints && self.give_back(1).await? {
            let results = self.calls.browse(&list.names, &[below(&list.node)], PAGE).await?;
            return Ok(results.into_iter().next().unwrap_or_default());
        }
        Ok(result)
    }

    async fn go_on(&self, list: &List) -> Result<BrowseResult, Failure> {
        let Some(point) = &list.point else { return self.begin(list).await };
        let result = self.calls.browse_next(point, false).await?;
        if result.status_code == StatusCode::BadContinuationPointInvalid {
            // Given back, or lost with the session.
            return self.begin(list).await;
        }
        Ok(result)
    }

    fn take_list(&self, token: u64) -> Option<List> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&token)
    }

    async fn keep_list(&self, list: List) -> Result<u64, Failure> {
        let token = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            lists.next += 1;
            let token = lists.next;
            lists.open.insert(token, list);
            while lists.open.len() > LISTS_MAX {
                lists.open.pop_first();
            }
            token
        };
        // One point stays free for the next list and for searches.
        let keep = self.calls.continuation_points().await.saturating_sub(1);
        let held = self.held().len();
        if held > keep {
            self.give_back(held - keep).await?;
        }
        Ok(token)
    }

    fn held(&self) -> Vec<u64> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.open.iter().filter(|(_, list)| list.point.is_some()).map(|(token, _)| *token).collect()
    }

    /// Gives back the oldest continuation points; false where there was none.
    async fn give_back(&self, count: usize) -> Result<bool, Failure> {
        let points: Vec<ByteString> = {
            let oldest = self.held();
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            let take = |token: &u64| lists.open.get_mut(token).and_then(|list| list.point.take());
            oldest.iter().take(count).filter_map(take).collect()
        };
        for point in &points {
            self.calls.browse_next(point, true).await?;
        }
        Ok(!points.is_empty())
    }
}

/// Properties and methods have nothing that a tree shows below them.
pub(crate) fn has_children(class: NodeClass, chain: &TypeChain) -> Option<bool> {
    (class == NodeClass::Method || chain.is(UA, "PropertyType")).then_some(false)
}
