//! Looking at a server: the tree of its nodes, what each is, what it says now, and finding one by name.
//!
//! Promises: nothing is written, subscribed or trusted; every call is bounded in time, in nodes and in
//! memory; the server's operation limits are obeyed; nodes are named by namespace URI, so that what was
//! picked is found again after the server's namespaces changed their order. It does not know `plant.toml`;
//! what nodes mean for a plant is [`crate::semantics`].

mod attributes;
pub(crate) mod calls;
mod failure;
pub(crate) mod meta;
mod preview;
mod search;
mod tree;
pub(crate) mod types;
pub(crate) mod walk;

pub use crate::data_access::EngineeringUnit;
pub use attributes::{Details, Row};
pub use failure::Failure;
pub use meta::Meta;
pub use preview::{PREVIEW_MAX, Reading};
pub use search::{Branch, Found, Search, SearchPage};
pub use tree::{Node, NodeClass, Page};

use crate::Settings;
use crate::semantics::Recognised;
use crate::value::shown;
use calls::{Calls, Names};
use lineside_model::config::Connection;
use opcua::types::{BrowseDescription, BrowseDirection, ExpandedNodeId, NodeId, ReadValueId, ReferenceTypeId};
use std::sync::Mutex;
use types::Types;

/// All fields of a reference (OPC 10000-4, 7.6).
pub(crate) const MASK_ALL: u32 = 63;
/// The Objects folder, where browsing begins (OPC 10000-5, 8.2.4).
pub const OBJECTS: &str = "i=85";
/// Server_ServerStatus_BuildInfo_ProductName (OPC 10000-5, 12.4).
const PRODUCT_NAME: u32 = 2261;
/// The namespace of OPC UA itself.
pub(crate) const UA: &str = "http://opcfoundation.org/UA/";

/// A person's view of one server. It has a session of its own, which is opened again when it was lost.
/// Calls may be made at the same time; they take turns. Dropped within a tokio runtime it ends its session in
/// the background; [`Explorer::close`] waits for that.
pub struct Explorer {
    pub(crate) calls: Calls,
    pub(crate) types: Types,
    lists: Mutex<tree::Lists>,
    searches: Mutex<search::Searches>,
    metas: Mutex<meta::Metas>,
}

/// Who answers, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Server_ServerStatus_BuildInfo_ProductName; empty where the server does not say it.
    pub product: String,
    /// `Basic256Sha256/SignAndEncrypt`, or `None`.
    pub security: String,
    /// Namespace URIs in the order of the server.
    pub namespaces: Vec<String>,
}

impl Explorer {
    /// Connects as `connection` says, with the certificates of `settings`.
    pub async fn open(settings: &Settings, connection: &Connection) -> Result<Explorer, Failure> {
        Ok(Explorer {
            calls: Calls::open(settings.clone(), connection.clone()).await?,
            types: Types::default(),
            lists: Mutex::default(),
            searches: Mutex::default(),
            metas: Mutex::default(),
        })
    }

    /// The connection that is looked at.
    pub fn connection(&self) -> &Connection {
        self.calls.connection()
    }

    /// Who answers, and how.
    pub async fn about(&self) -> Result<About, Failure> {
        let names = self.calls.names().await?;
        let product = self.calls.read(&names, &[ReadValueId::from(NodeId::new(0, PRODUCT_NAME))]).await?;
        let product = product.first().and_then(|answer| answer.value.as_ref()).map(shown).unwrap_or_default();
        Ok(About { product, security: self.calls.security().await?, namespaces: names.uris().to_vec() })
    }

    /// Ends the session at the server. A call after this opens another one.
    pub async fn close(&self) {
        self.calls.close().await;
    }

    pub(crate) async fn nodes(&self, names: &Names, references: Vec<walk::Seen>) -> Result<Vec<Node>, Failure> {
        let chains =
            self.types.chains(&self.calls, names, references.iter().map(|seen| seen.type_definition.clone())).await?;
        let node = |seen: walk::Seen| {
            let chain = chains.get(&seen.type_definition).cloned().unwrap_or_default();
            Node {
                node: names.portable(&seen.id),
                has_children: tree::has_children(seen.class, &chain),
                recognised: Recognised::of(&chain),
                type_name: chain.name().to_string(),
                namespace: names.uri(seen.namespace).to_string(),
                name: seen.display,
                browse_name: seen.name,
                class: seen.class,
            }
        };
        Ok(references.into_iter().map(node).collect())
    }
}

impl std::fmt::Debug for Explorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explorer").field("connection", &self.connection().name).finish_non_exhaustive()
    }
}

/// Asks for what is below `node`, of all kinds.
pub(crate) fn below(node: &NodeId) -> BrowseDescription {
    references(node, ReferenceTypeId::HierarchicalReferences, BrowseDirection::Forward)
}

pub(crate) fn references(node: &NodeId, kind: ReferenceTypeId, direction: BrowseDirection) -> BrowseDescription {
    BrowseDescription {
        node_id: node.clone(),
        browse_direction: direction,
        reference_type_id: kind.into(),
        include_subtypes: true,
        node_class_mask: 0,
        result_mask: MASK_ALL,
    }
}

/// The node id, where the node is on this server.
pub(crate) fn local(names: &Names, id: &ExpandedNodeId) -> Option<NodeId> {
    if id.server_index != 0 || id.node_id.is_null() {
        return None;
    }
    if id.namespace_uri.is_null() || id.namespace_uri.is_empty() {
        return Some(id.node_id.clone());
    }
    let namespace = names.index(id.namespace_uri.as_ref())?;
    Some(NodeId { namespace, identifier: id.node_id.identifier.clone() })
}
