//! What a server says of itself at each connection: product, start, namespaces, limits.
//!
//! Node ids are of OPC 10000-5 (Server object i=2253). A limit of 0 or one that is missing means none
//! declared; then our own applies. Declared limits are hints: `service` still halves when they lie.

use crate::value::timestamp;
use crate::words::{Trouble, service_failed};
use crate::{SIMULATED_PLANT, service};
use lineside_model::Timestamp;
use opcua::client::Session;
use opcua::types::{DataValue, NodeId, Variant};

/// Items created in one call; small enough for a slow controller to answer in time.
const ITEMS_PER_CALL: usize = 500;
/// Items in one subscription: some servers lose those of larger ones silently.
const ITEMS_PER_SUBSCRIPTION: usize = 2_000;
const NODES_PER_READ: usize = 1_000;

const NAMESPACE_ARRAY: u32 = 2255;
const START_TIME: u32 = 2257;
const PRODUCT_NAME: u32 = 2261;
const PRODUCT_URI: u32 = 2262;
const MAX_NODES_PER_READ: u32 = 11705;
const MAX_ITEMS_PER_CALL: u32 = 11714;
const MAX_SUBSCRIPTIONS_PER_SESSION: u32 = 24098;
const MAX_ITEMS_PER_SUBSCRIPTION: u32 = 24104;

/// Read in this order, and taken apart in this order.
const NODES: [u32; 8] = [
    NAMESPACE_ARRAY,
    START_TIME,
    PRODUCT_NAME,
    PRODUCT_URI,
    MAX_NODES_PER_READ,
    MAX_ITEMS_PER_CALL,
    MAX_SUBSCRIPTIONS_PER_SESSION,
    MAX_ITEMS_PER_SUBSCRIPTION,
];

/// The server at the other end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) product: String,
    pub(crate) simulated: bool,
    pub(crate) started: Option<Timestamp>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) limits: Limits,
}

/// The smaller of what the server declares and what we want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) nodes_per_read: usize,
    pub(crate) items_per_call: usize,
    pub(crate) items_per_subscription: usize,
    pub(crate) subscriptions: Option<usize>,
}

impl Limits {
    /// How many items to put into each subscription so that `items` fit into the subscriptions allowed.
    pub(crate) fn share(&self, items: usize) -> usize {
        let least = self.subscriptions.map_or(0, |most| items.div_ceil(most));
        self.items_per_subscription.max(least)
    }
}

/// Reads it all in one call. Only the namespaces are indispensable.
pub(crate) async fn read(session: &Session, host: &str) -> Result<Facts, Trouble> {
    let nodes = NODES.map(|id| NodeId::new(0, id));
    let mut chunk = nodes.len();
    let values = service::read(session, &nodes, &mut chunk)
        .await
        .map_err(|status| service_failed(host, "tell what it is", status))?;
    let facts = facts(values);
    session
        .read_namespace_array()
        .await
        .map_err(|error| service_failed(host, "tell its namespaces", error.status()))?;
    Ok(facts)
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
    let own = |declared: Variant, own: usize| number(&declared).map_or(own, |declared| declared.min(own));
    Facts {
        simulated: uri == SIMULATED_PLANT,
        product: if name.is_empty() { uri } else { name },
        started,
        namespaces,
        limits: Limits {
            nodes_per_read: own(next(), NODES_PER_READ),
            items_per_call: own(next(), ITEMS_PER_CALL),
            subscriptions: number(&next()),
            items_per_subscription: own(next(), ITEMS_PER_SUBSCRIPTION),
        },
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

    fn limits(declared: [Variant; 4]) -> Limits {
        let first = [Variant::from(vec!["urn:a".to_string()]), Variant::Empty, Variant::Empty, Variant::Empty];
        facts(first.into_iter().chain(declared).map(DataValue::new_now).collect()).limits
    }

    #[test]
    fn declared_limits_lower_ours_and_zero_declares_nothing() {
        let ours =
            Limits { nodes_per_read: 1_000, items_per_call: 500, items_per_subscription: 2_000, subscriptions: None };
        let n = Variant::UInt32;
        assert_eq!(limits([Variant::Empty, Variant::Empty, Variant::Empty, Variant::Empty]), ours);
        assert_eq!(limits([n(0), n(0), n(0), n(0)]), ours);
        assert_eq!(limits([n(u32::MAX), n(9_999), n(0), n(9_999)]), ours);
        let small = limits([n(10), n(20), n(3), n(30)]);
        let expected =
            Limits { nodes_per_read: 10, items_per_call: 20, items_per_subscription: 30, subscriptions: Some(3) };
        assert_eq!(small, expected);
        assert_eq!(small.share(60), 30);
        assert_eq!(small.share(300), 100, "rather too large a subscription than one too many");
    }

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
