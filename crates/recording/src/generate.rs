//! Inputs for tests: each kind, the extremes, and strategies that mix them.

use crate::Header;
use lineside_model::report::*;
use lineside_model::state::{RecorderState, Shift};
use lineside_model::{
    Batch, ConnectionId, Gap, GapReason, GapScope, Input, LinkState, RawValue, Sample, Span, StatusCode,
    SubscriptionState, TagId, Text, Timestamp, Value,
};
use proptest::prelude::*;
use std::sync::Arc;

/// Inputs compared and shown with every bit of their floats.
#[derive(Debug)]
pub(crate) struct Bits<'a>(pub(crate) &'a [Input]);

impl PartialEq for Bits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(other.0).all(|pair| same(pair.0, pair.1))
    }
}

fn same(left: &Input, right: &Input) -> bool {
    match (left, right) {
        (Input::Sample(left), Input::Sample(right)) => match (&left.value, &right.value) {
            (Value::Float(a), Value::Float(b)) => {
                let blank = |sample: &Sample| Sample { value: Value::Empty, ..sample.clone() };
                a.to_bits() == b.to_bits() && blank(left) == blank(right)
            }
            _ => left == right,
        },
        _ => left == right,
    }
}

pub(crate) fn header() -> Header {
    Header {
        writer: "Lineside 0.1.0".into(),
        config_text: "[site]\nname = \"Test\"\n".into(),
        config_path: "plant.toml".into(),
        line: "Line 3".into(),
        time_zone: "Europe/Berlin".into(),
        shift: Shift {
            name: "Early".into(),
            start: Timestamp(1_000),
            end: Timestamp(2_000),
            crew: Some("A".into()),
            scheduled: true,
        },
        date: "2026-11-21".into(),
        clock_source: "operating system".into(),
    }
}

/// Every kind of input and value once or more, at the ends of their ranges.
pub(crate) fn extremes() -> Vec<Input> {
    let raw = RawValue { type_name: "Double[2]".into(), text: "[1, 2]".into(), bytes: vec![0, 255, 7] };
    let values = [
        Value::Empty,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(i64::MAX),
        Value::UInt(u64::MAX),
        Value::Float(f64::from_bits(0x7FF8_0000_DEAD_BEEF)),
        Value::Float(f64::from_bits(0xFFF0_0000_0000_0001)),
        Value::Float(-0.0),
        Value::Text("Füller ∎".into()),
        Value::Time(Timestamp::MIN),
        Value::Raw(Arc::new(raw)),
        Value::Raw(Arc::default()),
    ];
    let times = [None, Some(Timestamp::MIN), Some(Timestamp::MAX), Some(Timestamp(0)), Some(Timestamp(0))];
    let mut inputs = Vec::new();
    for (i, value) in values.into_iter().enumerate() {
        for source_time in times {
            for server_time in times {
                inputs.push(Input::Sample(Sample {
                    tag: TagId(if i % 2 == 0 { u32::MAX } else { i as u32 }),
                    value: value.clone(),
                    status: StatusCode(if i % 3 == 0 { u32::MAX } else { 0 }),
                    source_time,
                    server_time,
                }));
            }
        }
    }
    inputs.extend([Input::ClockStep { by_ns: i64::MIN }, Input::Started { stopped: None }]);
    inputs.extend(GapReason::ALL.map(|reason| {
        Input::Gap(Gap {
            scope: GapScope::Plant,
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            reason,
            lost: Some(u64::MAX),
        })
    }));
    inputs
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), (0i64..1_000).prop_map(|n| n * 100), Just(0)].prop_map(Timestamp)
}

fn text() -> impl Strategy<Value = Text> {
    prop::collection::vec(any::<char>(), 0..6).prop_map(|chars| chars.into_iter().collect::<String>().into())
}

fn value() -> impl Strategy<Value = Value> {
    let raw = (text(), text(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(type_name, text, bytes)| {
        Value::Raw(Arc::new(RawValue { type_name: type_name.to_string(), text: text.to_string(), bytes }))
    });
    prop_oneof![
        Just(Value::Empty),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::UInt),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        text().prop_map(Value::Text),
        time().prop_map(Value::Time),
        raw,
    ]
}

fn sample() -> impl Strategy<Value = Input> {
    let tag = prop_oneof![0u32..20, any::<u32>()];
    let status = prop_oneof![Just(0u32), Just(0x8032_0000), any::<u32>()];
    (tag, value(), status, prop::option::of(time()), prop::option::of(time())).prop_map(
        |(tag, value, status, source_time, server_time)| {
            Input::Sample(Sample { tag: TagId(tag), value, status: StatusCode(status), source_time, server_time })
        },
    )
}

fn gap() -> impl Strategy<Value = Input> {
    let scope = prop_oneof![
        Just(GapScope::Plant),
        any::<u32>().prop_map(|id| GapScope::Tag(TagId(id))),
        any::<u32>().prop_map(|id| GapScope::Connection(ConnectionId(id))),
    ];
    let reason = prop::sample::select(GapReason::ALL.to_vec());
    (scope, time(), time(), reason, prop::option::of(any::<u64>()))
        .prop_map(|(scope, from, to, reason, lost)| Input::Gap(Gap { scope, from, to, reason, lost }))
}

/// What adapters say of servers and nodes.
fn facts() -> impl Strategy<Value = Input> {
    let meta = (text(), prop::option::of((-1e9..1e9, -1e9..1e9)), prop::collection::vec((any::<i64>(), text()), 0..4));
    let meta = (any::<u32>(), meta, text()).prop_map(|(tag, (unit, range, texts), data_type)| Input::Meta {
        tag: TagId(tag),
        meta: Arc::new(NodeMeta { unit, range, texts, data_type }),
    });
    let state = prop::sample::select(ServerState::ALL.to_vec());
    let report = (any::<u32>(), text(), state, prop::option::of(any::<u8>()), prop::option::of(any::<i64>()));
    let report = report.prop_map(|(id, endpoint, server_state, service_level, skew)| Input::Report {
        connection: ConnectionId(id),
        report: Arc::new(LinkReport {
            endpoint,
            server_state,
            service_level,
            clock_skew: skew.map(Span),
            members: vec![MemberReport::default()],
            subscriptions: vec![SubscriptionReport::default()],
            ..LinkReport::default()
        }),
    });
    prop_oneof![meta, report]
}

fn fill() -> impl Strategy<Value = Input> {
    let one = (text(), any::<u32>(), prop::option::of(time()), prop::option::of(time()));
    let one = one.prop_map(|(text, status, source_time, server_time)| FilledValue {
        value: Value::Text(text),
        status: StatusCode(status),
        source_time,
        server_time,
    });
    let fill = (any::<u32>(), time(), time(), prop::collection::vec(one, 0..5))
        .prop_map(|(tag, from, to, values)| Input::Fill(Arc::new(Fill { tag: TagId(tag), from, to, values })));
    let ended = (any::<u32>(), time(), time(), any::<u64>()).prop_map(|(id, from, to, values)| {
        Input::FillEnded(FillResult { connection: ConnectionId(id), from, to, values, ..FillResult::default() })
    });
    prop_oneof![fill, ended]
}

fn rare() -> impl Strategy<Value = Input> {
    let link = prop::sample::select(vec![LinkState::Down, LinkState::Connecting, LinkState::Up]);
    let flow = prop::sample::select(SubscriptionState::ALL.to_vec());
    let recorder = prop_oneof![
        Just(RecorderState::Off),
        Just(RecorderState::Recording),
        any::<i64>().prop_map(|by| RecorderState::Lagging(Span(by))),
        text().prop_map(RecorderState::Failed),
    ];
    let shift = (text(), time(), time(), prop::option::of(text()), any::<bool>())
        .prop_map(|(name, start, end, crew, scheduled)| Input::Shift(Shift { name, start, end, crew, scheduled }));
    let connection = || any::<u32>().prop_map(ConnectionId);
    let status = || any::<u32>().prop_map(StatusCode);
    prop_oneof![
        (connection(), link, status(), text()).prop_map(|(connection, state, status, detail)| Input::Link {
            connection,
            state,
            status,
            detail
        }),
        (connection(), flow).prop_map(|(connection, state)| Input::Subscription { connection, state }),
        (connection(), text(), any::<bool>(), prop::option::of(time())).prop_map(
            |(connection, product, simulated, started)| Input::Server { connection, product, simulated, started }
        ),
        (any::<u32>(), status()).prop_map(|(tag, status)| Input::Item { tag: TagId(tag), status }),
        gap(),
        shift,
        recorder.prop_map(Input::Recorder),
        any::<i64>().prop_map(|by_ns| Input::ClockStep { by_ns }),
        prop::option::of(time()).prop_map(|stopped| Input::Started { stopped }),
        facts(),
        fill(),
    ]
}

/// A batch of any inputs; its first sequence number is 1.
pub(crate) fn batch() -> impl Strategy<Value = Batch> {
    let input = prop_oneof![3 => sample(), 1 => rare()];
    (time(), prop::collection::vec(input, 1..30)).prop_map(|(at, inputs)| Batch { first_seq: 1, at, inputs })
}
