//! A seeded world: inputs as bad as adapters, networks and clocks can make them.

use lineside_config::parse;
use lineside_model::inlet::Inlet;
use lineside_model::report::{
    Fill, FillResult, FilledValue, FlowReport, LinkReport, MemberReport, MemberRole, NodeMeta, ServerState,
    SubscriptionReport,
};
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, PlantConfig, Sample, Span, StatusCode, SubscriptionState,
    TagId, Timestamp, Value,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// A plant of two servers, three units and eighteen tags, every kind of mapping among them.
pub const PLANT: &str = include_str!("plant.toml");

/// The configuration of [`PLANT`].
pub fn plant() -> PlantConfig {
    parse(PLANT, Path::new("plant.toml")).expect("the plant of the tests is valid")
}

/// Makes inputs from a seed, and nothing else.
pub struct World {
    random: ChaCha8Rng,
    tags: u32,
    connections: u32,
    counters: Vec<i64>,
    last: Vec<Option<Sample>>,
    /// Told so far.
    gaps: Vec<Gap>,
}

impl World {
    /// The world of this seed around this plant.
    pub fn new(seed: u64, config: &PlantConfig) -> World {
        let tags = config.tags.len();
        World {
            random: ChaCha8Rng::seed_from_u64(seed),
            tags: tags as u32,
            connections: config.connections.len() as u32,
            counters: vec![0; tags],
            last: vec![None; tags],
            gaps: Vec::new(),
        }
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    /// How long until something arrives again: mostly fractions of a second, sometimes hours.
    pub fn pause(&mut self) -> Span {
        match self.random.random_range(0..100) {
            0..80 => Span::from_millis(self.random.random_range(0..500)),
            80..97 => Span::from_secs(self.random.random_range(1..90)),
            _ => Span::from_secs(self.random.random_range(600..20_000)),
        }
    }

    /// By how much somebody sets the clock.
    pub fn clock_step(&mut self) -> Span {
        Span::from_secs(self.random.random_range(-4000..4000))
    }

    /// What arrives at `now`.
    pub fn arrives(&mut self, now: Timestamp) -> Vec<Input> {
        let count = self.random.random_range(1..12);
        (0..count).map(|_| self.input(now)).collect()
    }

    /// Delivers until the door refuses for want of room, and a few times beyond.
    pub fn flood(&mut self, door: &mut Inlet, now: Timestamp) {
        for _ in 0..lineside_model::inlet::DELIVERIES_MAX + 20 {
            let inputs = vec![self.input(now)];
            door.deliver(inputs).expect("the run holds the other end");
        }
    }

    fn input(&mut self, now: Timestamp) -> Input {
        match self.random.random_range(0..100) {
            0..78 => Input::Sample(self.sample(now)),
            78..84 => self.link(),
            84..89 => Input::Subscription { connection: self.connection(), state: self.subscription() },
            89..92 => Input::Item { tag: self.tag(), status: self.status() },
            92..93 => Input::Server {
                connection: self.connection(),
                product: "World".into(),
                simulated: self.chance(50),
                started: Some(now.floor(Span::from_secs(3600))),
            },
            93..94 => Input::Report { connection: self.connection(), report: self.report(now).into() },
            94..95 => Input::Meta { tag: self.tag(), meta: self.meta().into() },
            95..96 => Input::Fill(self.fill(now).into()),
            96..97 => Input::FillEnded(self.fill_ended(now)),
            _ => {
                let gap = self.gap(now);
                self.gaps.push(gap);
                Input::Gap(gap)
            }
        }
    }

    /// Facts as a server may state them, and as it may not.
    fn report(&mut self, now: Timestamp) -> LinkReport {
        let endpoints = ["opc.tcp://a:4840/", "opc.tcp://b:4840/"];
        LinkReport {
            endpoint: endpoints[self.random.random_range(0..2)].into(),
            security: "Basic256Sha256/SignAndEncrypt".into(),
            server_state: ServerState::ALL[self.random.random_range(0..ServerState::ALL.len())],
            service_level: self.chance(80).then(|| self.random.random()),
            shutdown_s: self.chance(10).then(|| self.random.random()),
            certificate_expires: self.chance(50).then(|| now + Span::from_secs(86_400)),
            members: vec![MemberReport {
                endpoint: endpoints[1].into(),
                role: MemberRole::Standby,
                ..Default::default()
            }],
            subscriptions: vec![SubscriptionReport {
                id: self.random.random(),
                items: self.tags,
                ..Default::default()
            }],
            flow: FlowReport { values: self.random.random(), ..Default::default() },
            clock_skew: self.chance(70).then(|| Span(self.random.random_range(-5_000_000_000..5_000_000_000))),
            ..LinkReport::default()
        }
    }

    fn meta(&mut self) -> NodeMeta {
        let units = ["°C", "K", ""];
        NodeMeta {
            unit: units[self.random.random_range(0..3)].into(),
            range: self.chance(50).then_some((0.0, 100.0)),
            texts: if self.chance(30) { vec![(0, "Off".into()), (1, "On".into())] } else { Vec::new() },
            data_type: "Double".into(),
        }
    }

    /// Values for a gap that was told, or for one that nobody knows.
    fn fill(&mut self, now: Timestamp) -> Fill {
        let gap = self.known_gap(now);
        let tag = match gap.scope {
            GapScope::Tag(tag) => tag,
            GapScope::Connection(_) | GapScope::Plant => self.tag(),
        };
        let count = self.random.random_range(0..5);
        let values = (0..count).map(|_| FilledValue {
            value: self.value(tag),
            status: self.status(),
            source_time: Some(gap.from),
            server_time: None,
        });
        Fill { tag, from: gap.from, to: gap.to, values: values.collect() }
    }

    fn fill_ended(&mut self, now: Timestamp) -> FillResult {
        let gap = self.known_gap(now);
        let connection = match gap.scope {
            GapScope::Connection(connection) => connection,
            GapScope::Tag(_) | GapScope::Plant => self.connection(),
        };
        let (tags, tags_without) = (self.random.random_range(0..20), self.random.random_range(0..20));
        FillResult { connection, from: gap.from, to: gap.to, tags, tags_without, values: 7, status: self.status() }
    }

    fn known_gap(&mut self, now: Timestamp) -> Gap {
        match self.gaps.len() {
            0 => self.gap(now),
            known => self.gaps[self.random.random_range(0..known)],
        }
    }

    fn sample(&mut self, now: Timestamp) -> Sample {
        let tag = self.tag();
        if self.chance(8)
            && let Some(repeated) = self.last[tag.0 as usize].clone()
        {
            return repeated;
        }
        let sample = Sample {
            tag,
            value: self.value(tag),
            status: self.status(),
            source_time: self.source_time(now),
            server_time: self.chance(90).then_some(now),
        };
        self.last[tag.0 as usize] = Some(sample.clone());
        sample
    }

    fn value(&mut self, tag: TagId) -> Value {
        let counter = &mut self.counters[tag.0 as usize];
        *counter = match self.random.random_range(0..100) {
            0..90 => counter.saturating_add(self.random.random_range(0..9)),
            90..94 => 0,
            94..97 => self.random.random_range(0..70_000),
            _ => i64::MAX - self.random.random_range(0..3),
        };
        match self.random.random_range(0..100) {
            0..40 => Value::Int(self.random.random_range(0..20)),
            40..75 => Value::UInt(counter.unsigned_abs()),
            75..90 => Value::Float(self.random.random_range(-50.0..900.0)),
            90..92 => Value::Float(f64::NAN),
            92..94 => Value::Text("Execute".into()),
            94..96 => Value::Bool(true),
            96..98 => Value::Empty,
            _ => Value::Raw(lineside_model::RawValue::default().into()),
        }
    }

    fn status(&mut self) -> StatusCode {
        StatusCode(match self.random.random_range(0..100) {
            0..80 => 0,
            80..86 => 0x4090_0000, // uncertain, last usable value
            86..92 => 0x808C_0000, // bad, sensor failure
            92..96 => 0x0000_0480, // good, but the queue overflowed
            _ => 0x8034_0000,      // bad, node id unknown
        })
    }

    fn source_time(&mut self, now: Timestamp) -> Option<Timestamp> {
        let late = match self.random.random_range(0..100) {
            0..80 => Span::from_millis(self.random.random_range(0..300)),
            80..92 => Span::from_secs(self.random.random_range(1..120)),
            92..95 => Span::from_secs(-self.random.random_range(1..4000)), // a server clock that is ahead
            95..97 => Span(i64::MAX),
            _ => return None,
        };
        Some(now - late)
    }

    fn link(&mut self) -> Input {
        let state = [LinkState::Down, LinkState::Connecting, LinkState::Up, LinkState::Up];
        let state = state[self.random.random_range(0..4)];
        let status = if state == LinkState::Up { StatusCode::GOOD } else { self.status() };
        Input::Link { connection: self.connection(), state, status, detail: "as the world wants".into() }
    }

    fn subscription(&mut self) -> SubscriptionState {
        match self.random.random_range(0..5) {
            0 => SubscriptionState::None,
            1 => SubscriptionState::Late,
            2 => SubscriptionState::Frozen,
            _ => SubscriptionState::Live,
        }
    }

    fn gap(&mut self, now: Timestamp) -> Gap {
        let scope = match self.random.random_range(0..3) {
            0 => GapScope::Plant,
            1 => GapScope::Connection(self.connection()),
            _ => GapScope::Tag(self.tag()),
        };
        let reason = GapReason::ALL[self.random.random_range(0..GapReason::ALL.len())];
        let from = now - Span::from_millis(self.random.random_range(0..90_000));
        Gap { scope, from, to: now, reason, lost: self.chance(50).then_some(3) }
    }

    fn tag(&mut self) -> TagId {
        TagId(self.random.random_range(0..self.tags))
    }

    fn connection(&mut self) -> ConnectionId {
        ConnectionId(self.random.random_range(0..self.connections))
    }
}
