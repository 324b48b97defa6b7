//! Values, types, refused nodes, limits, large notifications, overflow.

use crate::collect::{Collected, plant};
use crate::peer::{Ground, Peer, Setup, node, wait_until};
use lineside_model::config::Security;
use lineside_model::{Gap, GapReason, GapScope, Input, LinkState, Span, StatusCode, TagId, Timestamp, Value};
use opcua::types::{DataValue, DateTime, LocalizedText, StatusCode as UaStatus, Variant};

fn numbered(count: usize) -> Vec<(String, Variant)> {
    (0..count).map(|index| (format!("v{index}"), Variant::Int32(-1))).collect()
}

fn nodes(variables: &[(String, Variant)]) -> Vec<String> {
    variables.iter().map(|(name, _)| node(name)).collect()
}

fn value_at(value: impl Into<Variant>, ticks: i64, status: u32) -> DataValue {
    DataValue {
        value: Some(value.into()),
        status: Some(UaStatus::from(status)),
        source_timestamp: Some(DateTime::from(ticks)),
        server_timestamp: Some(DateTime::from(ticks + 5)),
        ..DataValue::null()
    }
}

#[test]
fn values_arrive_as_sent_and_refused_nodes_are_named() {
    let ground = Ground::new();
    let variables: Vec<(String, Variant)> = vec![
        ("bool".into(), true.into()),
        ("int".into(), (-5_i16).into()),
        ("uint".into(), u64::MAX.into()),
        ("double".into(), 2.5_f64.into()),
        ("text".into(), "Füller".into()),
        ("localized".into(), Variant::from(LocalizedText::new("de", "läuft"))),
        ("array".into(), vec![1_i32, 2, 3].into()),
    ];
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables);
    let mut wanted = nodes(&variables);
    wanted.extend([node("nowhere"), "nsu=urn:unknown;s=x".into(), "nonsense".into()]);
    let config = plant(&peer.endpoint(), Security::None, wanted);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());

    for (tag, value) in [
        Value::Bool(true),
        Value::Int(-5),
        Value::UInt(u64::MAX),
        Value::Float(2.5),
        Value::Text("Füller".into()),
        Value::Text("läuft".into()),
    ]
    .into_iter()
    .enumerate()
    {
        collected.until_value(0, tag as u32, &value);
        assert_eq!(collected.item(tag as u32), Some(StatusCode::GOOD));
    }
    collected.until(0, "array", |input| {
        matches!(input, Input::Sample(sample) if matches!(&sample.value, Value::Raw(raw)
            if raw.type_name == "Int32[3]" && raw.text == "[1, 2, 3]"))
    });
    // This server accepts the item of a node that it does not have, and says so in the value.
    collected.until(0, "the unknown node", |input| {
        matches!(input, Input::Sample(sample) if sample.tag == TagId(7)
            && sample.status.code() == StatusCode::BAD_NODE_ID_UNKNOWN.code())
    });
    assert_eq!(collected.item(8), Some(StatusCode::BAD_NODE_ID_UNKNOWN));
    assert_eq!(collected.item(9), Some(StatusCode(UaStatus::BadNodeIdInvalid.bits())));
    collected.until(0, "server", |input| {
        matches!(input, Input::Server { product, simulated: false, started: Some(_), .. } if &**product == "Peer")
    });
    collected.until(0, "what was refused", |input| {
        matches!(input, Input::Link { state: LinkState::Up, detail, .. } if detail.contains("2 tags were refused"))
    });

    // Full status, both times to 100 ns, and a change of the status alone.
    let ticks = 133_000_000_000_000_001;
    peer.set([("double".to_string(), value_at(3.5_f64, ticks, 0x4093_0500))]);
    collected.until_value(0, 3, &Value::Float(3.5));
    let sample = collected.samples().last().unwrap();
    let time = Timestamp((ticks - 116_444_736_000_000_000) * 100);
    assert_eq!(sample.status, StatusCode(0x4093_0500));
    assert_eq!(sample.source_time, Some(time));
    assert_eq!(sample.server_time, Some(Timestamp(time.0 + 500)));
    peer.set([("double".to_string(), value_at(3.5_f64, ticks + 10, 0x808C_0000))]);
    collected.until(0, "status", |input| {
        matches!(input, Input::Sample(sample) if sample.tag == TagId(3) && sample.status == StatusCode(0x808C_0000))
    });
    assert_eq!(collected.gaps(), [], "nothing was lost");
}

#[test]
fn limits_split_calls_and_subscriptions_and_every_tag_is_there() {
    let ground = Ground::new();
    let variables = numbered(50);
    let setup = Setup {
        limits: |limits| {
            limits.operational.max_monitored_items_per_call = 7;
            limits.operational.max_nodes_per_read = 3;
            limits.subscriptions.max_monitored_items_per_sub = 20;
        },
        ..Setup::default()
    };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables);
    let config = plant(&peer.endpoint(), Security::None, nodes(&variables));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    for tag in 0..50 {
        collected.until_value(0, tag, &Value::Int(-1));
        assert_eq!(collected.item(tag), Some(StatusCode::GOOD));
    }
    assert_eq!(peer.subscriptions(), 3);
    peer.set((0..50).map(|index| (format!("v{index}"), DataValue::new_now(index))));
    for tag in 0..50 {
        collected.until_value(0, tag, &Value::Int(tag.into()));
    }
}

#[test]
fn notifications_of_any_size_arrive_whole() {
    let ground = Ground::new();
    let variables = numbered(5_000);
    let setup =
        Setup { limits: |limits| limits.subscriptions.max_monitored_items_per_sub = 100_000, ..Setup::default() };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables);
    let config = plant(&peer.endpoint(), Security::None, nodes(&variables));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let mut from = 0;
    for tag in 0..5_000 {
        from = from.max(collected.until_value(0, tag, &Value::Int(-1)));
    }
    for (round, size) in [999, 1_000, 1_001, 5_000].into_iter().enumerate() {
        let round = round as i32;
        peer.set((0..size).map(|index| (format!("v{index}"), DataValue::new_now(round))));
        let start = collected.inputs.len();
        collected.until(
            start,
            "last of the round",
            |input| matches!(input, Input::Sample(sample) if sample.tag == TagId(size as u32 - 1)),
        );
        for tag in 0..size {
            collected.until_value(start, tag as u32, &Value::Int(round.into()));
        }
    }
    assert_eq!(collected.gaps(), []);
    assert!(!collected.inputs.iter().any(|input| matches!(input, Input::Link { state: LinkState::Down, .. })));
}

#[test]
fn an_overflow_of_the_servers_queue_is_a_gap_before_the_value() {
    let ground = Ground::new();
    let variables = numbered(1);
    let setup = Setup { limits: |limits| limits.subscriptions.max_monitored_item_queue_size = 3, ..Setup::default() };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables);
    let mut config = plant(&peer.endpoint(), Security::None, nodes(&variables));
    // Long enough that all ten values meet in one interval.
    config.connections[0].publish = Span::from_secs(2);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::Int(-1));
    let start = DateTime::now().ticks();
    for index in 0..10 {
        peer.set([("v0".to_string(), value_at(index, start + i64::from(index) * 10_000, 0))]);
    }
    let at = collected.until_value(0, 0, &Value::Int(9));
    let overflows: Vec<Gap> = collected.gaps();
    assert_eq!(overflows.len(), 1, "{overflows:?}");
    assert_eq!(overflows[0].scope, GapScope::Tag(TagId(0)));
    assert_eq!(overflows[0].reason, GapReason::ServerOverflow);
    assert!(overflows[0].from < overflows[0].to);
    let position = collected.inputs[..at].iter().position(|input| matches!(input, Input::Gap(_))).unwrap();
    let Input::Sample(first) = &collected.inputs[position + 1] else { panic!("no value after the gap") };
    assert_ne!(first.status.0 & 0x80, 0, "the status is kept as sent");
    assert_eq!(first.source_time, Some(overflows[0].to));
}

#[test]
fn the_end_deletes_what_was_made_at_the_server() {
    let ground = Ground::new();
    let variables = numbered(3);
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables);
    let config = plant(&peer.endpoint(), Security::None, nodes(&variables));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::Int(-1));
    assert_eq!(peer.subscriptions(), 1);
    let inputs = collected.stop(&ground.runtime);
    wait_until("subscriptions are deleted", || peer.subscriptions() == 0);
    assert!(matches!(inputs.last(), Some(Input::Link { state: LinkState::Down, .. })), "{:?}", inputs.last());
}
