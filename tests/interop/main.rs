//! The adapter against servers that we did not write (asyncua, node-opcua, async-opcua's own): values, types,
//! quality, lost notifications, policies, certificates, users.

mod security;

use lineside_model::config::Security;
use lineside_model::{GapReason, Input, LinkState, StatusCode, TagId, Timestamp, Value};
use lineside_tests::peers::{Kind, Options, Peer, node};
use lineside_tests::watch::{Watch, endpoint, plant};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Ground {
    runtime: Runtime,
    folder: TempDir,
}

impl Ground {
    fn new() -> Ground {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        Ground { runtime, folder: tempfile::tempdir().expect("a folder") }
    }

    fn ours(&self) -> PathBuf {
        self.folder.path().join("ours")
    }

    fn theirs(&self) -> PathBuf {
        self.folder.path().join("theirs")
    }

    fn peer(&self, kind: Kind) -> Option<Peer> {
        Peer::start(kind, Options::new(&self.theirs()))
    }

    fn watch(&self, port: u16, names: &[&str]) -> Watch {
        let config = plant(&endpoint(port), Security::None, names.iter().map(|name| node(name)));
        Watch::start(&self.runtime, config, &self.ours())
    }
}

#[test]
fn every_type_arrives_from_asyncua() {
    check_types(Kind::Asyncua);
}

#[test]
fn every_type_arrives_from_node_opcua() {
    check_types(Kind::NodeOpcua);
}

#[test]
fn every_type_arrives_from_async_opcua() {
    check_types(Kind::AsyncOpcua);
}

/// Every type arrives with status and times, and a node that is not there is refused.
fn check_types(kind: Kind) {
    let ground = Ground::new();
    let Some(mut server) = ground.peer(kind) else { return };
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
    let mut collected = ground.watch(server.port(), &names);
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
    // async-opcua accepts the item of a node that it does not have, and says so in the value.
    collected.until(0, "the unknown node", |input| match input {
        Input::Item { tag, status } => *tag == TagId(18) && *status == StatusCode::BAD_NODE_ID_UNKNOWN,
        Input::Sample(sample) => {
            sample.tag == TagId(18) && sample.status.code() == StatusCode::BAD_NODE_ID_UNKNOWN.code()
        }
        _ => false,
    });

    server.tell("set Double 3.5 40930000 1709208000123");
    let double = 10;
    collected.until_value(0, double, &Value::Float(3.5));
    let sample = collected.samples().last().expect("it came");
    assert_eq!(sample.status, StatusCode(0x4093_0000));
    assert_eq!(sample.source_time, Some(Timestamp::from_millis(1_709_208_000_123)));
    // node-opcua says of both what it was told of one.
    assert!(sample.server_time >= sample.source_time);
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

#[test]
fn a_notification_that_got_lost_is_fetched_and_delivered_in_order() {
    let ground = Ground::new();
    let Some(mut server) = ground.peer(Kind::Asyncua) else { return };
    let mut collected = ground.watch(server.port(), &["counter", "other"]);
    collected.until_value(0, 1, &Value::UInt(0));
    server.tell("hold");
    server.tell("set counter 1");
    server.until_line("WITHHELD");
    server.tell("set other 1");
    let held = collected.until_value(0, 0, &Value::UInt(1));
    let next = collected.until_value(0, 1, &Value::UInt(1));
    assert!(held < next, "in order");
    assert_eq!(collected.gaps(), [], "nothing was lost");
}

#[test]
fn a_notification_that_is_lost_for_good_is_a_gap_and_its_values_are_read() {
    let ground = Ground::new();
    let Some(mut server) = ground.peer(Kind::Asyncua) else { return };
    let mut collected = ground.watch(server.port(), &["counter", "other"]);
    collected.until_value(0, 1, &Value::UInt(0));
    server.tell("lose");
    server.tell("set counter 1");
    server.until_line("WITHHELD");
    server.tell("set other 1");
    let next = collected.until_value(0, 1, &Value::UInt(1));
    collected.until_value(next, 0, &Value::UInt(1));
    collected.the_one_gap(&[GapReason::LostNotification]);
}
