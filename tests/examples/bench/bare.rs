//! The measure of all ingest: async-opcua's own client with the same subscriptions, which counts
//! what arrives and does nothing else. It runs in the bench's own process.

use crate::Outcome;
use lineside_model::PlantConfig;
use opcua::client::{ClientBuilder, DataChangeCallback, IdentityToken, Session};
use opcua::types::{
    DataValue, MessageSecurityMode, MonitoredItemCreateRequest, MonitoringMode, MonitoringParameters, NodeId,
    ReadValueId, TimestampsToReturn, UserTokenPolicy, VariableId, Variant,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What `crates/opcua` asks for as well.
const QUEUE: u32 = 10;
const ITEMS_PER_CALL: usize = 500;
const ITEMS_PER_SUBSCRIPTION: usize = 1_000;

/// A subscribed client on a runtime of its own.
pub(crate) struct Bare {
    received: Arc<AtomicU64>,
    _session: Arc<Session>,
    _runtime: tokio::runtime::Runtime,
}

impl Bare {
    /// Connects with the strongest security that async-opcua has and subscribes to every tag of `config`.
    pub(crate) fn start(config: &PlantConfig, pki: &Path) -> Outcome<Self> {
        let [connection] = config.connections.as_slice() else { return Err("the bench has one connection".into()) };
        let publish = Duration::from_secs_f64(connection.publish.as_secs_f64());
        let runtime = tokio::runtime::Runtime::new()?;
        let received = Arc::new(AtomicU64::new(0));
        let session = runtime.block_on(subscribe(config, &connection.endpoint, publish, pki, &received))?;
        Ok(Self { received, _session: session, _runtime: runtime })
    }

    /// Values received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

async fn subscribe(
    config: &PlantConfig,
    endpoint: &str,
    publish: Duration,
    pki: &Path,
    received: &Arc<AtomicU64>,
) -> Outcome<Arc<Session>> {
    let session = connect(endpoint, pki).await?;
    let namespaces = namespaces(&session).await?;
    let nodes: Vec<NodeId> = config.tags.iter().map(|tag| node(&tag.node, &namespaces)).collect::<Outcome<_>>()?;
    for of_subscription in nodes.chunks(ITEMS_PER_SUBSCRIPTION) {
        let counter = Arc::clone(received);
        let count = DataChangeCallback::new(move |_, _| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let id = session.create_subscription(publish, 600, 20, 0, 0, true, count).await?;
        for of_call in of_subscription.chunks(ITEMS_PER_CALL) {
            let items = of_call.iter().map(|node| item(node, publish)).collect();
            session.create_monitored_items(id, TimestampsToReturn::Both, items).await?;
        }
    }
    Ok(session)
}

async fn connect(endpoint: &str, pki: &Path) -> Outcome<Arc<Session>> {
    let mut client = ClientBuilder::new()
        .application_name("Lineside bench")
        .application_uri("urn:lineside:bench")
        .pki_dir(pki)
        .create_sample_keypair(true)
        .trust_server_certs(true)
        .max_array_length(100_000)
        .max_message_size(1 << 26)
        .client()
        .map_err(|errors| errors.join("; "))?;
    let policy = "Aes256-Sha256-RsaPss";
    let wanted = (endpoint, policy, MessageSecurityMode::SignAndEncrypt, UserTokenPolicy::anonymous());
    let (session, event_loop) = client.connect_to_matching_endpoint(wanted, IdentityToken::Anonymous).await?;
    drop(event_loop.spawn());
    if !session.wait_for_connection().await {
        return Err("the bare client could not connect".into());
    }
    Ok(session)
}

async fn namespaces(session: &Session) -> Outcome<Vec<String>> {
    let read = ReadValueId::from(NodeId::from(VariableId::Server_NamespaceArray));
    let values: Vec<DataValue> = session.read(&[read], TimestampsToReturn::Neither, 0.0).await?;
    match values.into_iter().next().and_then(|value| value.value) {
        Some(Variant::Array(array)) => Ok(array.values.iter().map(ToString::to_string).collect()),
        other => Err(format!("the namespace array is {other:?}").into()),
    }
}

/// `nsu=<uri>;s=<name>`, as `plant.toml` writes it, in this server's numbers.
fn node(text: &str, namespaces: &[String]) -> Outcome<NodeId> {
    let (uri, identifier) =
        text.strip_prefix("nsu=").and_then(|rest| rest.split_once(';')).ok_or_else(|| format!("node {text}"))?;
    let index =
        namespaces.iter().position(|namespace| namespace == uri).ok_or_else(|| format!("no namespace {uri}"))?;
    format!("ns={index};{identifier}").parse().map_err(|error| format!("node {text}: {error:?}").into())
}

fn item(node: &NodeId, publish: Duration) -> MonitoredItemCreateRequest {
    let parameters = MonitoringParameters {
        sampling_interval: publish.as_secs_f64() * 1000.0,
        queue_size: QUEUE,
        discard_oldest: true,
        ..Default::default()
    };
    MonitoredItemCreateRequest::new(node.clone().into(), MonitoringMode::Reporting, parameters)
}
