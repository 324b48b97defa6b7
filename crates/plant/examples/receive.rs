//! Receives everything from a plant server and reports: values per second, gaps of load counters, and
//! processor time of both sides. For measuring the plant itself, apart from Lineside.
//!
//! `receive ENDPOINT SERVER_PID SECONDS [--load]` with the tags of the default plant, or those of
//! `--changes-per-second 10000` with `--load`. The server must trust this client (`--trust-clients`).

use lineside_plant::{NAMESPACE, SimulationOptions, catalogue_of};
use opcua::client::{ClientBuilder, DataChangeCallback, IdentityToken, Session};
use opcua::crypto::SecurityPolicy;
use opcua::types::{
    AttributeId, MessageSecurityMode, MonitoredItemCreateRequest, MonitoringMode, MonitoringParameters, NodeId,
    ReadValueId, TimestampsToReturn, UserTokenPolicy, VariableId, Variant,
};
use std::error::Error;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Counts {
    values: AtomicU64,
    gaps: AtomicU64,
    overflows: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, pid, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("usage: receive ENDPOINT SERVER_PID SECONDS [--load]".into());
    };
    let load = rest.iter().any(|argument| argument == "--load");
    let options = SimulationOptions { changes_per_second: load.then_some(10_000), ..SimulationOptions::default() };
    let pki = tempfile::TempDir::new()?;
    let session = connect(endpoint, pki.path()).await?;
    let counts = Arc::new(Counts::default());
    let began = Instant::now();
    subscribe(&session, &options, &counts).await?;
    report(&format!("subscribed in {:?}", began.elapsed()))?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    measure(&counts, pid, Duration::from_secs(seconds.parse()?)).await
}

async fn measure(counts: &Counts, pid: &str, time: Duration) -> Result<(), Box<dyn Error>> {
    let (values, server, own) = (counts.values.load(Ordering::Relaxed), cpu_seconds(pid)?, cpu_seconds("self")?);
    let began = Instant::now();
    tokio::time::sleep(time).await;
    let passed = began.elapsed().as_secs_f64();
    let values = (counts.values.load(Ordering::Relaxed) - values) as f64;
    let (server, own) = (cpu_seconds(pid)? - server, cpu_seconds("self")? - own);
    let gaps = counts.gaps.load(Ordering::Relaxed);
    let overflows = counts.overflows.load(Ordering::Relaxed);
    report(&format!(
        "{:.1} values/s, {gaps} gaps, {overflows} overflows; server {:.2} % of a core ({:.0} values per CPU-second), client {:.2} %",
        values / passed,
        100.0 * server / passed,
        values / server,
        100.0 * own / passed,
    ))
}

async fn connect(endpoint: &str, pki: &std::path::Path) -> Result<Arc<Session>, Box<dyn Error>> {
    let mut client = ClientBuilder::new()
        .application_name("Plant receiver")
        .application_uri("urn:lineside:plant-receiver")
        .pki_dir(pki)
        .create_sample_keypair(true)
        .trust_server_certs(true)
        .max_message_size(64 << 20)
        .max_chunk_count(2000)
        .max_array_length(200_000)
        .client()
        .map_err(|problems| problems.join(", "))?;
    let wanted = (
        endpoint,
        SecurityPolicy::Aes256Sha256RsaPss.to_str(),
        MessageSecurityMode::SignAndEncrypt,
        UserTokenPolicy::anonymous(),
    );
    let (session, event_loop) = client.connect_to_matching_endpoint(wanted, IdentityToken::Anonymous).await?;
    drop(event_loop.spawn());
    session.wait_for_connection().await;
    Ok(session)
}

async fn subscribe(session: &Session, options: &SimulationOptions, counts: &Arc<Counts>) -> Result<(), Box<dyn Error>> {
    let id = ReadValueId::new(VariableId::Server_NamespaceArray.into(), AttributeId::Value);
    let read = session.read(&[id], TimestampsToReturn::Neither, 0.0).await?;
    let Some(Some(Variant::Array(uris))) = read.first().map(|value| value.value.clone()) else {
        return Err("the server has no namespace array".into());
    };
    let position = uris.values.iter().position(|uri| uri.to_string() == NAMESPACE);
    let namespace = position.ok_or("this is not the simulated plant")? as u16;
    let items: Vec<_> =
        catalogue_of(options).tags().iter().map(|tag| item(NodeId::new(namespace, tag.name.as_str()))).collect();
    for part in items.chunks(1000) {
        let subscription =
            session.create_subscription(Duration::from_millis(100), 600, 20, 0, 0, true, receiver(counts)).await?;
        session.create_monitored_items(subscription, TimestampsToReturn::Both, part.to_vec()).await?;
    }
    Ok(())
}

/// Counts values, and what is missing between two values of a load counter.
fn receiver(counts: &Arc<Counts>) -> DataChangeCallback {
    let counts = counts.clone();
    let last = Mutex::new(std::collections::HashMap::<u32, u32>::new());
    DataChangeCallback::new(move |value, item| {
        counts.values.fetch_add(1, Ordering::Relaxed);
        if value.status().overflow() {
            counts.overflows.fetch_add(1, Ordering::Relaxed);
        }
        let Some(Variant::UInt32(count)) = value.value else { return };
        if !item.item_to_monitor().node_id.identifier.to_string().contains("Load.") {
            return;
        }
        if let Ok(mut last) = last.lock()
            && let Some(before) = last.insert(item.client_handle(), count)
        {
            let missing = u64::from(count.wrapping_sub(before).wrapping_sub(1));
            counts.gaps.fetch_add(missing, Ordering::Relaxed);
        }
    })
}

fn item(node: NodeId) -> MonitoredItemCreateRequest {
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId::new(node, AttributeId::Value),
        monitoring_mode: MonitoringMode::Reporting,
        requested_parameters: MonitoringParameters {
            sampling_interval: 0.0,
            queue_size: 100,
            discard_oldest: true,
            ..Default::default()
        },
    }
}

/// User and system time of a process; Linux counts it in hundredths of a second.
fn cpu_seconds(pid: &str) -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("unexpected form of /proc/PID/stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

fn report(line: &str) -> Result<(), Box<dyn Error>> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
