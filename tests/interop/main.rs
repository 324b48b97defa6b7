//! The adapter against a server that we did not write (asyncua from PyPI): values, types, quality, restart,
//! a cut and a stalled cable, lost notifications.
//!
//! Values must resume by themselves, and an outage must be exactly one gap with the right times.

#[path = "../../crates/opcua/tests/it/collect.rs"]
mod collect;
mod foreign;
#[path = "../../crates/opcua/tests/it/proxy.rs"]
mod proxy;

use collect::{Collected, plant};
use foreign::{Foreign, node, python};
use lineside_model::config::Security;
use lineside_model::{GapReason, Input, LinkState, StatusCode, TagId, Timestamp, Value};
use proxy::{Cable, Proxy};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Ground {
    python: PathBuf,
    runtime: Runtime,
    folder: TempDir,
}

impl Ground {
    fn new() -> Option<Ground> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        Some(Ground { python: python()?, runtime, folder: tempfile::tempdir().expect("a folder") })
    }

    fn server(&self, port: u16) -> Foreign {
        Foreign::start(&self.python, port)
    }

    fn collect(&self, port: u16, names: &[&str]) -> Collected {
        let endpoint = format!("opc.tcp://127.0.0.1:{port}/");
        let config = plant(&endpoint, Security::None, names.iter().map(|name| node(name)));
        Collected::start(&self.runtime, config, self.folder.path())
    }
}

#[test]
fn every_type_arrives_with_status_and_times() {
    let Some(ground) = Ground::new() else { return };
    let mut server = ground.server(0);
    let text = |text: &str| Value::Text(text.into());
    let expected = [
        ("Boolean", Value::Bool(true)),
        ("SByte", Value::Int(-128)),
        ("Byte", Value::UInt(255)),
        ("Int16", Value::Int(-32768)),
        ("UInt16", Value::UInt(65535)),
        ("Int32", Value::Int(i64::from(i32::MIN))),
        ("UInt32", Value::UInt(u64::from(u32::MAX))),
        ("Int64", Value::Int(i64::MIN)),
        ("UInt64", Value::UInt(u64::MAX)),
        ("Float", Value::Float(1.5)),
        ("Double", Value::Float(-2.5e300)),
        ("String", text("Füller")),
        ("DateTime", Value::Time(Timestamp::from_millis(1_709_208_000_250))),
        ("LocalizedText", text("läuft")),
        ("QualifiedName", text("State")),
        ("NodeId", text("i=85")),
    ];
    let mut names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    names.extend(["ByteString", "Array", "nowhere"]);
    let mut collected = ground.collect(server.port, &names);
    for (tag, (_, value)) in expected.iter().enumerate() {
        collected.until_value(0, tag as u32, value);
        assert_eq!(collected.item(tag as u32), Some(StatusCode::GOOD));
    }
    for (tag, type_name, text) in [(16, "ByteString", "00ff"), (17, "Double[2]", "[1.5, -2]")] {
        collected.until(0, type_name, |input| {
            matches!(input, Input::Sample(sample) if sample.tag == TagId(tag)
                && matches!(&sample.value, Value::Raw(raw) if raw.type_name == type_name && raw.text == text))
        });
    }
    assert_eq!(collected.item(18), Some(StatusCode::BAD_NODE_ID_UNKNOWN));

    server.tell("set Double 3.5 40930000 1709208000123");
    let double = 10;
    collected.until_value(0, double, &Value::Float(3.5));
    let sample = collected.samples().last().unwrap();
    assert_eq!(sample.status, StatusCode(0x4093_0000));
    assert_eq!(sample.source_time, Some(Timestamp::from_millis(1_709_208_000_123)));
    assert!(sample.server_time > sample.source_time);
    server.tell("bad Double 808c0000");
    collected.until(0, "bad", |input| {
        matches!(input, Input::Sample(sample) if sample.tag == TagId(double)
            && sample.status == StatusCode(0x808C_0000) && sample.value == Value::Empty)
    });
    server.tell("set Double 4.5");
    collected.until_value(0, double, &Value::Float(4.5));
    assert_eq!(collected.gaps(), []);
    let ended = collected.stop(&ground.runtime);
    assert!(matches!(ended.last(), Some(Input::Link { state: LinkState::Down, .. })));
}

/// Lets an outage happen between value 1 and value 2, and checks that it is one gap between them.
fn check_outage(
    reasons: &[GapReason],
    through_proxy: bool,
    outage: impl Fn(&Ground, &mut Foreign, Option<&Proxy>, &mut Collected),
) {
    let Some(ground) = Ground::new() else { return };
    let mut server = ground.server(0);
    let proxy = through_proxy.then(|| Proxy::start(&ground.runtime, server.port));
    let port = proxy.as_ref().map_or(server.port, Proxy::port);
    let mut collected = ground.collect(port, &["counter"]);
    collected.until_value(0, 0, &Value::UInt(0));
    server.tell("set counter 1");
    let before = collected.until_value(0, 0, &Value::UInt(1));
    outage(&ground, &mut server, proxy.as_ref(), &mut collected);
    let up = collected.until_link(before, LinkState::Up);
    collected.until(up, "live", |input| matches!(input, Input::Sample(_)));
    server.tell("set counter 3");
    collected.until_value(up, 0, &Value::UInt(3));
    let gap = collected.the_one_gap(reasons);
    let time = |value| {
        collected
            .samples()
            .find(|sample| sample.value == Value::UInt(value))
            .and_then(|sample| sample.source_time)
            .expect("it came, with its time")
    };
    assert!(time(1) <= gap.from && gap.to <= time(3), "{gap:?} {:?} {:?}", time(1), time(3));
    assert_eq!(collected.samples().filter(|sample| sample.value == Value::UInt(3)).count(), 1, "nothing is doubled");
}

#[test]
fn a_restart_of_the_server_is_one_gap() {
    check_outage(&[GapReason::LinkDown], false, |ground, server, _, collected| {
        let port = server.port;
        *server = {
            // The old process must be gone before the new one can have its port.
            let old = std::mem::replace(server, ground.server(0));
            drop(old);
            ground.server(port)
        };
        collected.until_link(0, LinkState::Down);
    });
}

#[test]
fn a_cut_cable_is_one_gap() {
    check_outage(&[GapReason::LinkDown], true, |_, server, proxy, collected| {
        let proxy = proxy.expect("asked for");
        proxy.set(Cable::Cut);
        collected.until_link(0, LinkState::Down);
        server.tell("set counter 2");
        proxy.set(Cable::Whole);
    });
}

#[test]
fn a_stalled_cable_is_one_gap() {
    check_outage(&[GapReason::Silent], true, |_, server, proxy, collected| {
        let proxy = proxy.expect("asked for");
        proxy.set(Cable::Stalled);
        collected.until_down_saying(0, &["was silent for"]);
        server.tell("set counter 2");
        proxy.set(Cable::Whole);
    });
}

#[test]
fn a_notification_that_got_lost_is_fetched_and_delivered_in_order() {
    let Some(ground) = Ground::new() else { return };
    let mut server = ground.server(0);
    let mut collected = ground.collect(server.port, &["counter", "other"]);
    collected.until_value(0, 1, &Value::UInt(0));
    server.tell("hold");
    server.tell("set counter 1");
    server.until("WITHHELD");
    server.tell("set other 1");
    let held = collected.until_value(0, 0, &Value::UInt(1));
    let next = collected.until_value(0, 1, &Value::UInt(1));
    assert!(held < next, "in order");
    assert_eq!(collected.gaps(), [], "nothing was lost");
}

#[test]
fn a_notification_that_is_lost_for_good_is_a_gap_and_its_values_are_read() {
    let Some(ground) = Ground::new() else { return };
    let mut server = ground.server(0);
    let mut collected = ground.collect(server.port, &["counter", "other"]);
    collected.until_value(0, 1, &Value::UInt(0));
    server.tell("lose");
    server.tell("set counter 1");
    server.until("WITHHELD");
    server.tell("set other 1");
    let next = collected.until_value(0, 1, &Value::UInt(1));
    collected.until_value(next, 0, &Value::UInt(1));
    collected.the_one_gap(&[GapReason::LostNotification]);
}
