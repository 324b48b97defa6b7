//! A small plant for the engine's tests: two connections, three units, one tag of each use.

use lineside_model::config::{Connection, CounterConfig, Line, ModeMap, PlantConfig, Scale, StateMap, Tag, Unit};
use lineside_model::config::{Security, User};
use lineside_model::{ConnectionId, Mode, PackState, Span, TagId, UnitId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name, connection, expected age in seconds.
const TAGS: [(&str, u32, Option<i64>); 10] = [
    ("Filler.State", 0, None),
    ("Filler.Mode", 0, None),
    ("Filler.Speed", 0, Some(30)),
    ("Filler.Good", 0, None),
    ("Filler.Reject", 0, None),
    ("Packer.State", 1, None),
    ("Packer.Good", 1, None),
    ("Filler.Level", 0, Some(5)),
    ("Packer.Recipe", 1, None),
    ("Packer.Heartbeat", 1, Some(2)),
];

pub(crate) fn config() -> Arc<PlantConfig> {
    let tags = TAGS.iter().map(|(name, connection, age)| tag(name, *connection, *age)).collect();
    Arc::new(PlantConfig {
        line: Line { name: "Line 3".into(), output: Some(UnitId(1)), ..Line::default() },
        time_zone: "UTC".into(),
        connections: vec![connection("c0"), connection("c1")],
        units: vec![filler(), packer(), Unit { name: "Bare".into(), ..Unit::default() }],
        tags,
        ..PlantConfig::default()
    })
}

fn filler() -> Unit {
    Unit {
        name: "Filler".into(),
        state: Some(StateMap { tag: TagId(0), numbers: numbers(), names: BTreeMap::new() }),
        mode: Some(ModeMap {
            tag: TagId(1),
            numbers: BTreeMap::from([(1, Mode::Produce), (4, Mode::Changeover)]),
            names: BTreeMap::new(),
        }),
        speed: Some(TagId(2)),
        good: Some(CounterConfig { tag: TagId(3), modulus: Some(32768), max_rate_per_min: 1200.0 }),
        reject: Some(CounterConfig { tag: TagId(4), modulus: None, max_rate_per_min: 1200.0 }),
        ..Unit::default()
    }
}

fn packer() -> Unit {
    let names = PackState::ALL.into_iter().skip(1).map(|s| (s.name().to_owned(), s)).collect();
    Unit {
        name: "Packer".into(),
        state: Some(StateMap { tag: TagId(5), numbers: BTreeMap::new(), names }),
        good: Some(CounterConfig { tag: TagId(6), modulus: None, max_rate_per_min: 600.0 }),
        ..Unit::default()
    }
}

fn numbers() -> BTreeMap<i64, PackState> {
    (1..=17).filter_map(|n| Some((n, PackState::from_number(n)?))).collect()
}

fn connection(name: &str) -> Connection {
    Connection {
        name: name.into(),
        endpoint: "opc.tcp://localhost:4840".into(),
        security: Security::Best,
        user: User::Anonymous,
        publish: Span::from_millis(100),
        redundant: Vec::new(),
        redundancy: Default::default(),
        heartbeat: None,
        backfill: true,
    }
}

fn tag(name: &str, connection: u32, max_age: Option<i64>) -> Tag {
    Tag {
        name: name.into(),
        description: String::new(),
        connection: ConnectionId(connection),
        node: format!("ns=1;s={name}"),
        unit: String::new(),
        range: None,
        scale: (name == "Filler.Speed").then_some(Scale { gain: 0.1, offset: 0.0 }),
        max_age: max_age.map(Span::from_secs),
        texts: BTreeMap::new(),
    }
}
