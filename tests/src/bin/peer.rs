//! A foreign OPC UA server for the tests: async-opcua's own, told what to do by lines on stdin.
//!
//! `lineside-test-peer <options as JSON>` prints `UP <port>`, then `OK ...` or `NO <why>` for each command:
//! `set <name> <value>`, `bad <name> <status in hex>`, `counts` (sessions, subscriptions, items of all clients).
//! Options and the log of rounds are those of `Options` in `tests/src/peers.rs`. Stack and address space are
//! async-opcua's.
#![expect(clippy::print_stdout, reason = "the protocol of the peers is lines on standard output")]

use opcua::crypto::SecurityPolicy;
use opcua::server::address_space::Variable;
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::{SimpleNodeManager, simple_node_manager};
use opcua::server::{ANONYMOUS_USER_TOKEN_ID, Limits, ServerBuilder, ServerHandle, ServerUserToken};
use opcua::types::{
    DataValue, DateTime, LocalizedText, MessageSecurityMode, NodeId, QualifiedName, StatusCode, Variant,
};
use serde_json::Value;
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

const URI: &str = "urn:lineside:peer";
const APPLICATION: &str = "urn:lineside:test-server";
const FIRST_COUNTER: u32 = 1_000;
/// Session numbers begin at 1 and are not reused.
const SESSIONS_EVER: u32 = 10_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let options: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("options as JSON")?)?;
    let listener = TcpListener::bind(("127.0.0.1", options["port"].as_u64().unwrap_or(0) as u16)).await?;
    let port = listener.local_addr()?.port();
    let (server, handle) = builder(&options, port)?.build()?;
    let peer = Peer::new(handle)?;
    peer.add(variables().into_iter().map(|(name, value)| (peer.named(name), name.to_string(), value)));
    tokio::spawn(server.run_with(listener));
    if let Some(count) = options["counters"].as_u64().filter(|count| *count > 0) {
        let period = Duration::from_millis(options["interval_ms"].as_u64().unwrap_or(50));
        let path = Path::new(options["rounds"].as_str().ok_or("a log of rounds")?);
        tokio::spawn(peer.clone().count(count as u32, period, path.to_path_buf()));
    }
    println!("UP {port}");
    // Standard input is read in a thread: the runtime's own reader would hold up the end.
    let commands = std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            println!("{}", peer.obey(&line).unwrap_or_else(|error| format!("NO {error}")));
        }
    });
    tokio::task::spawn_blocking(move || commands.join()).await?.map_err(|_panic| "the commands' thread failed")?;
    Ok(())
}

#[derive(Clone)]
struct Peer {
    handle: ServerHandle,
    manager: Arc<SimpleNodeManager>,
    namespace: u16,
}

impl Peer {
    fn new(handle: ServerHandle) -> Outcome<Peer> {
        let manager = handle.node_managers().get_by_name::<SimpleNodeManager>("peer").ok_or("its node manager")?;
        let namespace = handle.get_namespace_index(URI).ok_or("its namespace")?;
        Ok(Peer { handle, manager, namespace })
    }

    fn named(&self, name: &str) -> NodeId {
        NodeId::new(self.namespace, name)
    }

    fn add(&self, variables: impl IntoIterator<Item = (NodeId, String, Variant)>) {
        let variables =
            variables.into_iter().map(|(id, name, value)| Variable::new(&id, name.as_str(), name.as_str(), value));
        self.manager.address_space().write().add_variables(variables.collect(), &NodeId::objects_folder_id());
    }

    fn set(&self, values: &[(NodeId, DataValue)]) -> Result<(), StatusCode> {
        let values = values.iter().map(|(node, value)| (node, None, value.clone()));
        self.manager.set_values(self.handle.subscriptions(), values)
    }

    /// Each round gives every counter the next number, at one source time, which is logged.
    async fn count(self, counters: u32, period: Duration, path: std::path::PathBuf) {
        let before = File::open(&path).map_or(0, |log| std::io::BufReader::new(log).lines().count());
        let mut log = OpenOptions::new().create(true).append(true).open(path).expect("a folder for the log");
        let nodes: Vec<NodeId> = (0..counters).map(|n| NodeId::new(self.namespace, FIRST_COUNTER + n)).collect();
        let named = |(n, node): (usize, &NodeId)| (node.clone(), format!("c{n}"), Variant::UInt32(before as u32));
        self.add(nodes.iter().enumerate().map(named));
        let mut tick = interval(period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for round in before as u32 + 1.. {
            tick.tick().await;
            let now = DateTime::now();
            let micros = (now.ticks() - UNIX_EPOCH_TICKS) / 10;
            writeln!(log, "{round} {micros}").expect("a log that can be written");
            let value = DataValue {
                value: Some(Variant::UInt32(round)),
                status: Some(StatusCode::Good),
                source_timestamp: Some(now),
                server_timestamp: Some(now),
                ..DataValue::null()
            };
            let values: Vec<_> = nodes.iter().map(|node| (node.clone(), value.clone())).collect();
            self.set(&values).expect("known variables");
        }
    }

    fn obey(&self, line: &str) -> Outcome<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["set", name, value] => {
                let value = match name {
                    "Double" => Variant::Double(value.parse()?),
                    _ => Variant::UInt32(value.parse()?),
                };
                self.set(&[(self.named(name), DataValue::new_now(value))])?;
            }
            ["set", name, value, status, ms] => {
                let mut value = DataValue::new_now(Variant::Double(value.parse()?));
                value.status = Some(StatusCode::from(u32::from_str_radix(status, 16)?));
                value.source_timestamp = Some(DateTime::from(UNIX_EPOCH_TICKS + ms.parse::<i64>()? * 10_000));
                self.set(&[(self.named(name), value)])?;
            }
            ["bad", name, status] => {
                let mut value = DataValue::new_now(Variant::Empty);
                value.status = Some(StatusCode::from(u32::from_str_radix(status, 16)?));
                self.set(&[(self.named(name), value)])?;
            }
            ["counts"] => return Ok(self.counts()),
            _ => return Ok("NO such command".to_string()),
        }
        Ok("OK".to_string())
    }

    fn counts(&self) -> String {
        let of = |session| self.handle.subscriptions().get_session_subscriptions(session);
        let (mut sessions, mut subscriptions, mut items) = (0, 0, 0);
        for session in (0..SESSIONS_EVER).filter_map(of) {
            let session = session.lock();
            let ids = session.subscription_ids();
            sessions += 1;
            subscriptions += ids.len();
            items += ids.iter().filter_map(|id| session.get(*id)).map(|subscription| subscription.len()).sum::<usize>();
        }
        format!("OK {sessions} {subscriptions} {items}")
    }
}

/// 1970 in OPC UA's time, in 100 ns since 1601.
const UNIX_EPOCH_TICKS: i64 = 116_444_736_000_000_000;

fn variables() -> Vec<(&'static str, Variant)> {
    vec![
        ("Boolean", true.into()),
        ("SByte", (-128_i8).into()),
        ("Byte", 255_u8.into()),
        ("Int16", i16::MIN.into()),
        ("UInt16", u16::MAX.into()),
        ("Int32", i32::MIN.into()),
        ("UInt32", u32::MAX.into()),
        ("Int64", i64::MIN.into()),
        ("UInt64", u64::MAX.into()),
        ("Float", 1.5_f32.into()),
        ("Double", (-2.5e300_f64).into()),
        ("String", "Füller".into()),
        ("DateTime", DateTime::from(UNIX_EPOCH_TICKS + 1_709_208_000_250 * 10_000).into()),
        ("LocalizedText", LocalizedText::new("de", "läuft").into()),
        ("QualifiedName", QualifiedName::new(2, "State").into()),
        ("NodeId", NodeId::new(0, 85_u32).into()),
        ("ByteString", opcua::types::ByteString::from(vec![0, 255]).into()),
        ("Array", vec![1.5_f64, -2.0].into()),
        ("counter", 0_u32.into()),
        ("other", 0_u32.into()),
    ]
}

fn builder(options: &Value, port: u16) -> Outcome<ServerBuilder> {
    let folder = Path::new(options["folder"].as_str().ok_or("a folder")?);
    let text = |name: &str| options[name].as_str();
    let tokens = |name: &str| options["tokens"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let pki = folder.join("peer-pki");
    let mut builder = ServerBuilder::new()
        .application_name("Test peer")
        .application_uri(APPLICATION)
        .product_uri(APPLICATION)
        .pki_dir(&pki)
        .trust_client_certs(text("trusted").is_none())
        .host("127.0.0.1")
        .port(port)
        .discovery_urls(vec![format!("opc.tcp://127.0.0.1:{port}/")])
        .limits(limits(&options["limits"]));
    for number in 0..options["other_namespaces"].as_u64().unwrap_or(0) {
        let namespace_uri = format!("urn:lineside:other:{number}");
        let namespace = NamespaceMetadata { namespace_uri, ..Default::default() };
        builder = builder.with_node_manager(simple_node_manager(namespace, "other"));
    }
    let namespace = NamespaceMetadata { namespace_uri: URI.into(), ..Default::default() };
    builder = builder.with_node_manager(simple_node_manager(namespace, "peer"));
    builder = match (text("certificate"), text("key")) {
        (Some(certificate), Some(key)) => builder.certificate_path(certificate).private_key_path(key),
        _ => builder.create_sample_keypair(true),
    };
    if let Some(trusted) = text("trusted") {
        std::fs::create_dir_all(pki.join("trusted"))?;
        std::fs::copy(trusted, pki.join("trusted/client.der"))?;
    }
    let mut users = Vec::new();
    if tokens("anonymous") {
        users.push(ANONYMOUS_USER_TOKEN_ID);
    }
    if let (true, Some(name), Some(password)) = (tokens("name"), text("user"), text("password")) {
        builder = builder.add_user_token("name", ServerUserToken::user_pass(name, password));
        users.push("name");
    }
    if let (true, Some(certificate)) = (tokens("x509"), text("user_certificate")) {
        builder = builder.add_user_token("x509", ServerUserToken::x509("engineer", Path::new(certificate)));
        users.push("x509");
    }
    for policy in options["policies"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        builder = endpoints(builder, policy, &users)?;
    }
    builder.config_mut().subscription_poll_interval_ms = 20;
    Ok(builder)
}

fn endpoints(builder: ServerBuilder, policy: &str, users: &[&str]) -> Outcome<ServerBuilder> {
    use MessageSecurityMode as Mode;
    let secured = match policy {
        "None" => return Ok(builder.add_endpoint("none", ("/", SecurityPolicy::None, Mode::None, users))),
        "Basic256Sha256" => SecurityPolicy::Basic256Sha256,
        "Aes128Sha256RsaOaep" => SecurityPolicy::Aes128Sha256RsaOaep,
        "Aes256Sha256RsaPss" => SecurityPolicy::Aes256Sha256RsaPss,
        other => return Err(format!("no policy {other}").into()),
    };
    let endpoint =
        |builder: ServerBuilder, mode| builder.add_endpoint(format!("{policy}-{mode:?}"), ("/", secured, mode, users));
    Ok(endpoint(endpoint(builder, Mode::Sign), Mode::SignAndEncrypt))
}

fn limits(wanted: &Value) -> Limits {
    let mut limits =
        Limits { max_array_length: 100_000, max_message_size: 1 << 26, max_chunk_count: 2_000, ..Limits::default() };
    limits.subscriptions.max_notifications_per_publish = 0;
    limits.subscriptions.min_sampling_interval_ms = 0.0;
    limits.subscriptions.max_monitored_items_per_sub = 100_000;
    let declared = |name: &str| wanted[name].as_u64().filter(|most| *most > 0).map(|most| most as usize);
    if let Some(most) = declared("items_per_call") {
        limits.operational.max_monitored_items_per_call = most;
    }
    if let Some(most) = declared("nodes_per_read") {
        limits.operational.max_nodes_per_read = most;
    }
    if let Some(most) = declared("items_per_subscription") {
        limits.subscriptions.max_monitored_items_per_sub = most;
    }
    limits
}
