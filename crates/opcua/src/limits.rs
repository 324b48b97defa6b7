//! What a server says of itself at each new session: product, start, namespaces, limits.
//!
//! Node ids are of OPC 10000-5 (Server object i=2253). A limit of 0 or one that is missing means none
//! declared; then our own applies (`capacity`, which also remembers what was found by failing).

mod capacity;

pub(crate) use capacity::{BROWSE_POINTS, Capacity, NODES_PER_BROWSE, least};

use crate::value::timestamp;
use crate::words::{Trouble, service_failed};
use crate::{SIMULATED_PLANT, service};
use lineside_model::Timestamp;
use opcua::client::Session;
use opcua::types::{DataValue, NamespaceMap, NodeId, StatusCode, Variant};

const NAMESPACE_ARRAY: u32 = 2255;
const START_TIME: u32 = 2257;
const PRODUCT_NAME: u32 = 2261;
const PRODUCT_URI: u32 = 2262;

/// Declares [`Declared`] and the nodes that are read for it, in the same order.
macro_rules! declared {
    ($($name:ident = $id:literal $standard:literal,)*) => {
        /// What a server declares (OPC 10000-5 6.3.2 ServerCapabilities, 6.3.11 OperationLimits); none where
        /// it declares nothing, or 0.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Declared {
            $(pub(crate) $name: Option<usize>,)*
        }

        /// The nodes of [`Declared`], in its order.
        const LIMITS: &[u32] = &[$($id,)*];

        impl Declared {
            fn from_values(mut next: impl FnMut() -> Variant) -> Declared {
                Declared { $($name: number(&next()),)* }
            }

            /// All of them, by their names in OPC 10000-5, with those of `other`.
            fn zip(&self, other: &Declared) -> Vec<(&'static str, Option<usize>, Option<usize>)> {
                vec![$(($standard, self.$name, other.$name),)*]
            }
        }
    };
}

declared! {
    nodes_per_read = 11705 "MaxNodesPerRead",
    items_per_call = 11714 "MaxMonitoredItemsPerCall",
    items_per_subscription = 24104 "MaxMonitoredItemsPerSubscription",
    subscriptions_per_session = 24098 "MaxSubscriptionsPerSession",
    queue_size = 31916 "MaxMonitoredItemsQueueSize",
    nodes_per_browse = 11710 "MaxNodesPerBrowse",
    nodes_per_translate = 11712 "MaxNodesPerTranslateBrowsePathsToNodeIds",
    nodes_per_history_read_data = 12165 "MaxNodesPerHistoryReadData",
    browse_continuation_points = 2735 "MaxBrowseContinuationPoints",
    history_continuation_points = 2737 "MaxHistoryContinuationPoints",
    array_length = 11702 "MaxArrayLength",
    string_length = 11703 "MaxStringLength",
    sessions = 24095 "MaxSessions",
    subscriptions = 24096 "MaxSubscriptions",
    items = 24097 "MaxMonitoredItems",
    nodes_per_write = 11707 "MaxNodesPerWrite",
    nodes_per_method_call = 11709 "MaxNodesPerMethodCall",
    nodes_per_register = 11711 "MaxNodesPerRegisterNodes",
    nodes_per_history_read_events = 12166 "MaxNodesPerHistoryReadEvents",
    select_clauses = 24099 "MaxSelectClauseParameters",
    where_clauses = 24100 "MaxWhereClauseParameters",
}

const IDENTITY: [u32; 4] = [NAMESPACE_ARRAY, START_TIME, PRODUCT_NAME, PRODUCT_URI];

/// The server at the other end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) product: String,
    pub(crate) simulated: bool,
    pub(crate) started: Option<Timestamp>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) declared: Declared,
}

impl Facts {
    /// Is this the same life of the same server? Ids of subscriptions mean nothing in another one.
    pub(crate) fn same_life(&self, before: &Facts) -> bool {
        self.started == before.started && self.namespaces == before.namespaces && self.product == before.product
    }
}

/// Reads it all in one call where the server takes that. Only the namespaces are indispensable.
pub(crate) async fn read(session: &Session, host: &str, capacity: &mut Capacity) -> Result<Facts, Trouble> {
    let nodes: Vec<NodeId> = IDENTITY.iter().chain(LIMITS).map(|id| NodeId::new(0, *id)).collect();
    let values = service::read(session, &nodes, &mut capacity.nodes_per_read)
        .await
        .map_err(|status| service_failed(host, "tell what it is", status))?;
    let facts = facts(values);
    let names: Vec<Variant> = facts.namespaces.iter().map(|name| name.as_str().into()).collect();
    // The library's own read of them takes for granted that there is an answer.
    match NamespaceMap::new_from_variant_array(&names) {
        Ok(namespaces) if !names.is_empty() => session.set_namespaces(namespaces),
        _ => return Err(service_failed(host, "tell its namespaces", StatusCode::BadNoValue)),
    }
    tracing::info!(product = facts.product, limits = ?facts.declared, "a server and what it declares");
    capacity.obey(&facts.declared);
    Ok(facts)
}

/// The namespaces as they are now.
pub(crate) async fn namespaces(session: &Session) -> Result<Vec<String>, StatusCode> {
    let values = service::read(session, &[NodeId::new(0, NAMESPACE_ARRAY)], &mut 1).await?;
    Ok(values.into_iter().next().and_then(|value| value.value).map(texts).unwrap_or_default())
}

fn facts(values: Vec<DataValue>) -> Facts {
    let mut values = values.into_iter().map(|value| value.value.unwrap_or_default());
    let mut next = || values.next().unwrap_or_default();
    let namespaces = texts(next());
    let started = match next() {
        Variant::DateTime(time) => timestamp(*time),
        _ => None,
    };
    let (name, uri) = (text(&next()), text(&next()));
    Facts {
        simulated: uri == SIMULATED_PLANT,
        product: if name.is_empty() { uri } else { name },
        started,
        namespaces,
        declared: Declared::from_values(next),
    }
}

fn texts(value: Variant) -> Vec<String> {
    match value {
        Variant::Array(array) => array.values.iter().map(text).collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Variant) -> String {
    match value {
        Variant::String(text) => text.as_ref().to_string(),
        _ => String::new(),
    }
}

/// A declared limit; 0 is none.
fn number(value: &Variant) -> Option<usize> {
    let number = match value {
        Variant::Byte(n) => usize::from(*n),
        Variant::UInt16(n) => usize::from(*n),
        Variant::UInt32(n) => usize::try_from(*n).unwrap_or(usize::MAX),
        _ => 0,
    };
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulated_plant_is_known_by_its_product_uri_only() {
        let server = |name: &str, uri: &str| {
            let values = [Variant::Empty, Variant::Empty, name.into(), uri.into()];
            facts(values.map(DataValue::new_now).into())
        };
        assert!(server("x", SIMULATED_PLANT).simulated);
        assert!(!server("urn:lineside:simulated-plant", "urn:else").simulated);
        assert_eq!(server("", "urn:else").product, "urn:else");
        assert_eq!(facts(Vec::new()).namespaces, Vec::<String>::new());
    }
}
