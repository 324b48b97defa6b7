//! Prints how many samples a second one core applies, and what a digest costs, for 50,000 tags:
//! `cargo run --release -p lineside-engine --example rate`.

use lineside_engine::{Change, Engine};
use lineside_model::config::{Connection, PlantConfig, Security, Tag, User};
use lineside_model::{
    ConnectionId, Input, LinkState, Sample, Span, StatusCode, SubscriptionState, TagId, Timestamp, Value,
};
use std::sync::Arc;

const TAGS: u32 = 50_000;
const ROUNDS: i64 = 100;
/// Samples that are stamped together.
const BATCH: usize = 1_000;
const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

#[expect(clippy::print_stdout, reason = "the figures are for whoever runs it")]
fn main() {
    let config = Arc::new(config());
    let mut engine = Engine::new(Arc::clone(&config));
    let mut changes: Vec<Change> = Vec::new();
    let up =
        Input::Link { connection: ConnectionId(0), state: LinkState::Up, status: StatusCode::GOOD, detail: "".into() };
    let live = Input::Subscription { connection: ConnectionId(0), state: SubscriptionState::Live };
    engine.apply(1, START, &up, &mut changes);
    engine.apply(2, START, &live, &mut changes);

    let mut seq = 2;
    let mut applying = 0.0;
    for round in 1..=ROUNDS {
        let at = START + Span::from_secs(round);
        let inputs: Vec<Input> = (0..TAGS).map(|tag| sample(tag, round, at)).collect();
        applying += seconds(|| {
            for (n, batch) in inputs.chunks(BATCH).enumerate() {
                let at = at + Span::from_millis(n as i64);
                changes.clear();
                engine.advance_to(at, &mut changes);
                for input in batch {
                    seq += 1;
                    engine.apply(seq, at, input, &mut changes);
                }
            }
        });
    }
    let samples = f64::from(TAGS) * ROUNDS as f64;
    println!("{:.1} million samples/s (every second tag with an expected age)", samples / applying / 1e6);

    let mut digest = 0;
    let digesting = (0..20).map(|_| seconds(|| digest = engine.digest())).fold(f64::MAX, f64::min);
    println!("digest {digest:016x} of {TAGS} tags in {:.2} ms, best of 20", digesting * 1e3);
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock; the engine does not")]
fn seconds(work: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn sample(tag: u32, round: i64, at: Timestamp) -> Input {
    Input::Sample(Sample {
        tag: TagId(tag),
        value: Value::Float(f64::from(tag) + round as f64),
        status: StatusCode::GOOD,
        source_time: Some(at - Span::from_millis(50)),
        server_time: Some(at - Span::from_millis(40)),
    })
}

fn config() -> PlantConfig {
    let tag = |n: u32| Tag {
        name: format!("Tag{n}"),
        description: String::new(),
        connection: ConnectionId(0),
        node: format!("ns=1;i={n}"),
        unit: String::new(),
        range: None,
        scale: None,
        max_age: n.is_multiple_of(2).then_some(Span::from_secs(10)),
        texts: Default::default(),
    };
    let connection = Connection {
        name: "c".into(),
        endpoint: "opc.tcp://localhost:4840".into(),
        security: Security::Best,
        user: User::Anonymous,
        publish: Span::from_millis(100),
        redundant: Vec::new(),
        redundancy: Default::default(),
        heartbeat: None,
        backfill: true,
    };
    PlantConfig { connections: vec![connection], tags: (0..TAGS).map(tag).collect(), ..PlantConfig::default() }
}
