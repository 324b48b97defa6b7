//! The plant as an OPC UA client sees it: a real client over a real, secured connection.

use lineside_plant::{
    NAMESPACE, PRODUCT_URI, PlantServer, Scenario, ServerOptions, SimulationOptions, UserPassword, catalogue_of,
};
use opcua::client::{Client, ClientBuilder, DataChangeCallback, IdentityToken, Session};
use opcua::crypto::SecurityPolicy;
use opcua::types::{
    AttributeId, BrowseDescription, BrowseDirection, BrowseResultMask, DataChangeFilter, DataChangeTrigger, DataValue,
    DeadbandType, EUInformation, ExtensionObject, MessageSecurityMode, MonitoredItemCreateRequest, MonitoringMode,
    MonitoringParameters, NodeId, Range, ReadValueId, ReferenceTypeId, StatusCode, TimestampsToReturn, UserTokenPolicy,
    VariableId, Variant,
};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

type Change = (String, DataValue);

fn options(folder: &TempDir, scenario: &str) -> ServerOptions {
    let scenario = Scenario::embedded(scenario).expect("comes with the program");
    ServerOptions { trust_clients: true, ..ServerOptions::new(scenario, folder.path().join("plant")) }
}

fn client(folder: &Path) -> Client {
    ClientBuilder::new()
        .application_name("Plant test")
        .application_uri("urn:lineside:plant-test")
        .pki_dir(folder.join("client"))
        .create_sample_keypair(true)
        .trust_server_certs(true)
        .session_retry_initial(Duration::from_millis(100))
        .session_retry_max(Duration::from_millis(200))
        .session_retry_limit(-1)
        .max_message_size(64 << 20)
        .max_chunk_count(2000)
        .max_array_length(200_000)
        .client()
        .expect("a client")
}

async fn connect(client: &mut Client, endpoint: &str, user: IdentityToken) -> Result<Arc<Session>, String> {
    let wanted = (
        endpoint,
        SecurityPolicy::Aes256Sha256RsaPss.to_str(),
        MessageSecurityMode::SignAndEncrypt,
        UserTokenPolicy::anonymous(),
    );
    let (session, event_loop) = client.connect_to_matching_endpoint(wanted, user).await.map_err(|e| e.to_string())?;
    drop(event_loop.spawn());
    match timeout(Duration::from_secs(20), session.wait_for_connection()).await {
        Ok(true) => Ok(session),
        _ => Err("no session".into()),
    }
}

async fn read(session: &Session, node: impl Into<NodeId>) -> DataValue {
    let id = ReadValueId::new(node.into(), AttributeId::Value);
    session.read(&[id], TimestampsToReturn::Both, 0.0).await.expect("a read").remove(0)
}

async fn namespace(session: &Session) -> u16 {
    let Some(Variant::Array(array)) = read(session, VariableId::Server_NamespaceArray).await.value else {
        panic!("no namespaces")
    };
    let position = array.values.iter().position(|uri| uri.to_string() == NAMESPACE);
    position.expect("the plant's namespace") as u16
}

/// Subscribes to tags with a queue that keeps every change, 500 tags to a subscription.
async fn subscribe(session: &Session, namespace: u16, tags: &[String]) -> UnboundedReceiver<Change> {
    let (sender, receiver) = unbounded_channel();
    for part in tags.chunks(500) {
        let sender = sender.clone();
        let callback = DataChangeCallback::new(move |value, item| {
            let name = item.item_to_monitor().node_id.identifier.to_string();
            // A test that has seen enough does not listen any more.
            drop(sender.send((name.trim_start_matches("s=").to_owned(), value)));
        });
        let id = session
            .create_subscription(Duration::from_millis(100), 600, 20, 0, 0, true, callback)
            .await
            .expect("a subscription");
        let items = part.iter().map(|name| item(NodeId::new(namespace, name.as_str()))).collect();
        let created = session.create_monitored_items(id, TimestampsToReturn::Both, items).await.expect("items");
        assert!(
            created
                .iter()
                .all(|item| item.result.status_code == StatusCode::Good && item.result.revised_queue_size == 100)
        );
    }
    receiver
}

fn item(node: NodeId) -> MonitoredItemCreateRequest {
    let filter = DataChangeFilter {
        trigger: DataChangeTrigger::StatusValue,
        deadband_type: DeadbandType::None as u32,
        deadband_value: 0.0,
    };
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId::new(node, AttributeId::Value),
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            sampling_interval: 0.0,
            queue_size: 100,
            discard_oldest: true,
            filter: ExtensionObject::from_message(filter),
            ..Default::default()
        },
    }
}

/// Waits for a change that fits.
async fn until(changes: &mut UnboundedReceiver<Change>, what: &str, mut fits: impl FnMut(&Change) -> bool) -> Change {
    let wait = async {
        loop {
            let change = changes.recv().await.expect("changes go on");
            if fits(&change) {
                return change;
            }
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what} is not seen"))
}

fn names(options: &SimulationOptions) -> Vec<String> {
    catalogue_of(options).tags().iter().map(|tag| tag.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_the_plant_live() {
    let folder = TempDir::new().expect("a folder");
    let server = PlantServer::start(options(&folder, "steady")).await.expect("a plant");
    let session =
        connect(&mut client(folder.path()), server.endpoint(), IdentityToken::Anonymous).await.expect("a session");
    let uri = read(&session, VariableId::Server_ServerStatus_BuildInfo_ProductUri).await.value;
    assert_eq!(uri, Some(Variant::from(PRODUCT_URI)));

    let namespace = namespace(&session).await;
    let tags = names(&SimulationOptions::default());
    assert_eq!((tags.len(), server.tags()), (1200, 1200));
    let mut changes = subscribe(&session, namespace, &tags).await;
    let mut first: HashMap<String, DataValue> = HashMap::new();
    until(&mut changes, "a first value of each tag", |(name, value)| {
        first.insert(name.clone(), value.clone());
        first.len() == tags.len()
    })
    .await;
    assert!(
        first.values().all(|value| value.status() == StatusCode::Good
            && value.value.is_some()
            && value.source_timestamp.is_some())
    );
    assert_eq!(first["Filler.State"].value, Some(Variant::UInt32(6)), "Execute");

    let asked = Instant::now();
    server.command("jam Capper 20 s").await.expect("a command");
    until(&mut changes, "the stop", |(name, value)| {
        name == "Capper.State" && matches!(value.value, Some(Variant::UInt32(10 | 11)))
    })
    .await;
    // A second is the promise; what a loaded test machine adds is not the plant's.
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    until(&mut changes, "the blocked filler", |(name, value)| {
        name == "Filler.State" && value.value == Some(Variant::UInt32(5))
    })
    .await;

    server.command("quality Capper.Head04.Torque BadSensorFailure for 2 s").await.expect("a command");
    let (_, bad) = until(&mut changes, "the bad sensor", |(name, value)| {
        name == "Capper.Head04.Torque" && value.status().is_bad()
    })
    .await;
    assert_eq!((bad.status(), bad.value.unwrap_or_default()), (StatusCode::BadSensorFailure, Variant::Empty));
    until(&mut changes, "the good sensor", |(name, value)| name == "Capper.Head04.Torque" && value.status().is_good())
        .await;
    let wrong = server.command("jam Caper").await.expect_err("no such machine");
    assert_eq!(wrong.to_string(), "The command is wrong");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_units_ranges_and_texts_are_there() {
    let folder = TempDir::new().expect("a folder");
    let server = PlantServer::start(options(&folder, "steady")).await.expect("a plant");
    let session =
        connect(&mut client(folder.path()), server.endpoint(), IdentityToken::Anonymous).await.expect("a session");
    let namespace = namespace(&session).await;
    let node = |id: &str| NodeId::new(namespace, id);
    let objects = browse(&session, NodeId::objects_folder_id()).await;
    assert!(objects.contains_key("Line3"), "{objects:?}");
    let line = browse(&session, objects["Line3"].clone()).await;
    assert!(
        ["Filler", "Capper", "Labeller", "Packer", "Palletizer", "Line", "IO"]
            .iter()
            .all(|name| line.contains_key(*name)),
        "{line:?}"
    );
    let filler = browse(&session, line["Filler"].clone()).await;
    assert_eq!(filler["Speed"], node("Filler.Speed"));
    let properties = browse(&session, node("Filler.Speed")).await;
    let range = body::<Range>(read(&session, properties["EURange"].clone()).await);
    assert_eq!((range.low, range.high), (0.0, 704.0));
    let unit = body::<EUInformation>(read(&session, properties["EngineeringUnits"].clone()).await);
    assert_eq!((unit.unit_id, unit.display_name.text.to_string()), (4_405_556, "1/min".to_owned()));
    let texts = browse(&session, node("Filler.State")).await;
    let Some(Variant::Array(texts)) = read(&session, texts["EnumStrings"].clone()).await.value else {
        panic!("no texts")
    };
    assert_eq!((texts.values.len(), texts.values[6].to_string().contains("Execute")), (18, true));
    let level = ReadValueId::new(node("Filler.Speed"), AttributeId::AccessLevel);
    let level = session.read(&[level], TimestampsToReturn::Neither, 0.0).await.expect("a read").remove(0);
    assert_eq!(level.value, Some(Variant::Byte(1)), "read only");
    server.stop().await;
}

fn body<T: Clone + Send + Sync + 'static>(value: DataValue) -> T {
    match value.value {
        Some(Variant::ExtensionObject(object)) => object.inner_as::<T>().cloned().expect("the type of the property"),
        other => panic!("a structure is expected, not {other:?}"),
    }
}

async fn browse(session: &Session, node: NodeId) -> HashMap<String, NodeId> {
    let description = BrowseDescription {
        node_id: node,
        browse_direction: BrowseDirection::Forward,
        reference_type_id: ReferenceTypeId::HierarchicalReferences.into(),
        include_subtypes: true,
        node_class_mask: 0,
        result_mask: BrowseResultMask::All as u32,
    };
    let results = session.browse(&[description], 0, None).await.expect("a browse");
    let references = results.into_iter().next().and_then(|result| result.references).unwrap_or_default();
    references.into_iter().map(|r| (r.browse_name.name.to_string(), r.node_id.node_id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_drops_the_session_and_comes_back_with_a_new_start_time() {
    let folder = TempDir::new().expect("a folder");
    let server = PlantServer::start(options(&folder, "steady")).await.expect("a plant");
    let address = server.endpoint().trim_start_matches("opc.tcp://").trim_end_matches('/').to_owned();
    let session =
        connect(&mut client(folder.path()), server.endpoint(), IdentityToken::Anonymous).await.expect("a session");
    let started = read(&session, VariableId::Server_ServerStatus_StartTime).await.value;
    let beats = beat(&session).await;
    server.command("restart server 3 s").await.expect("a command");
    while_away(&address).await;
    let back = async {
        loop {
            let id = ReadValueId::new(VariableId::Server_ServerStatus_StartTime.into(), AttributeId::Value);
            match session.read(&[id], TimestampsToReturn::Both, 0.0).await {
                Ok(mut values) if values[0].value.is_some() && values[0].value != started => return values.remove(0),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(PATIENCE, back).await.expect("the server is back with a new start time");
    assert!(beat(&session).await >= beats + 3, "the line went on meanwhile");
    server.stop().await;
    assert!(tokio::net::TcpStream::connect(&address).await.is_err(), "the port is free after the end");
}

async fn beat(session: &Session) -> u32 {
    let namespace = namespace(session).await;
    match read(session, NodeId::new(namespace, "Line.Heartbeat")).await.value {
        Some(Variant::UInt32(beats)) => beats,
        other => panic!("the heartbeat is {other:?}"),
    }
}

async fn while_away(address: &str) {
    let gone = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the port is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_wrong_passwords_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let users = vec![UserPassword { name: "operator".into(), password: "right".into() }];
    let mut strict = ServerOptions { trust_clients: false, users, ..options(&folder, "steady") };
    let server = PlantServer::start(strict.clone()).await.expect("a plant");
    let mut client = client(folder.path());
    let endpoint = server.endpoint().to_owned();
    let offered = client.get_server_endpoints_from_url(endpoint.as_str()).await.expect("endpoints");
    assert_eq!(offered.len(), 6);
    assert!(offered.iter().all(|e| e.security_mode != MessageSecurityMode::None), "no endpoint without security");
    let refused = connect_within(&mut client, &endpoint, IdentityToken::Anonymous).await;
    assert!(!refused, "a client that is not trusted gets no session");
    server.stop().await;

    strict.trust = vec![folder.path().join("client/own/cert.der")];
    let server = PlantServer::start(strict).await.expect("a plant");
    let password = |text: &str| IdentityToken::UserName("operator".into(), text.into());
    assert!(connect_within(&mut client, server.endpoint(), IdentityToken::Anonymous).await);
    assert!(connect_within(&mut client, server.endpoint(), password("right")).await);
    assert!(!connect_within(&mut client, server.endpoint(), password("wrong")).await);
    server.stop().await;
}

/// One attempt: whether there is a session at its end.
async fn connect_within(client: &mut Client, endpoint: &str, user: IdentityToken) -> bool {
    let wanted = (
        endpoint,
        SecurityPolicy::Basic256Sha256.to_str(),
        MessageSecurityMode::SignAndEncrypt,
        UserTokenPolicy::anonymous(),
    );
    let (session, event_loop) = client.connect_to_matching_endpoint(wanted, user).await.expect("an endpoint");
    let task = event_loop.spawn();
    let connected = timeout(Duration::from_secs(5), session.wait_for_connection()).await.unwrap_or(false);
    task.abort();
    connected
}

#[tokio::test(flavor = "multi_thread")]
async fn load_counters_arrive_without_a_gap() {
    let folder = TempDir::new().expect("a folder");
    let options = ServerOptions { changes_per_second: Some(2000), tags: 1, ..options(&folder, "steady") };
    let tags: Vec<String> = names(&options.simulation()).into_iter().filter(|name| name.starts_with("Load.")).collect();
    assert_eq!(tags.len(), 200);
    let server = PlantServer::start(options).await.expect("a plant");
    let session =
        connect(&mut client(folder.path()), server.endpoint(), IdentityToken::Anonymous).await.expect("a session");
    let namespace = namespace(&session).await;
    let mut changes = subscribe(&session, namespace, &tags).await;
    let mut last: HashMap<String, u32> = HashMap::new();
    let mut seen = 0;
    until(&mut changes, "6,000 changes", |(name, value)| {
        let Some(Variant::UInt32(count)) = value.value else { panic!("a counter shows {value:?}") };
        assert!(!value.status().overflow(), "{name} overflows");
        if let Some(before) = last.insert(name.clone(), count) {
            assert_eq!(count, before + 1, "{name}");
            seen += 1;
        }
        seen == 6000
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_start_says_what_to_do() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("a file");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let good = options(&folder, "steady");
    let unknown = Scenario::parse("s.txt", "at 00:00:01 freeze Filler.Nothing 1 s").expect("well formed");
    let cases = [
        (ServerOptions { port, ..good.clone() }, "Choose another port with --port"),
        (ServerOptions { speed: 0.0, ..good.clone() }, "Choose more than 0"),
        (ServerOptions { pki: file.clone(), ..good.clone() }, "Choose a folder that can be written"),
        (ServerOptions { trust: vec![file], ..good.clone() }, "Give a file in DER form"),
        (ServerOptions { scenario: unknown, ..good }, "The scenario cannot run"),
    ];
    for (options, expected) in cases {
        let error = PlantServer::start(options).await.expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
