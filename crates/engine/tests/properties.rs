//! What must hold for any inputs: where time is advanced, and where a keyframe is taken, changes
//! nothing; lists keep their promises; nothing panics.

mod plant;

use lineside_engine::{Change, Engine, Trust, trust};
use lineside_model::archive::{decode, encode};
use lineside_model::report::{Fill, FillResult, FilledValue, LinkReport, NodeMeta, ServerState};
use lineside_model::state::{INTERVALS_MAX, RATE_BUCKETS, RecorderState, Shift};
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, PlantState, Sample, Span, StatusCode, SubscriptionState,
    TagId, Timestamp, Value,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::sync::Arc;

const START: Timestamp = Timestamp(1_700_000_003_000_000_000);

/// An input, and how long after the one before it.
type Event = (Span, Input);

fn plausible() -> impl Strategy<Value = Vec<Event>> {
    let pause = prop_oneof![
        6 => 0i64..3_000,
        2 => 0i64..40_000,
        1 => 0i64..4_000_000,
        1 => 0i64..200_000_000, // longer than every list reaches back
        1 => Just(0i64),
        1 => (0i64..9).prop_map(|s| s * 1_000),
    ];
    let event = (pause, input()).prop_map(|(pause, input)| (Span::from_millis(pause), input));
    proptest::collection::vec(event, 1..120).prop_map(|mut events| {
        // Begin connected, or most sequences would never see a current value.
        for id in [0, 1].map(ConnectionId) {
            let up = Input::Link { connection: id, state: LinkState::Up, status: StatusCode::GOOD, detail: "".into() };
            let live = Input::Subscription { connection: id, state: SubscriptionState::Live };
            events.splice(0..0, [(Span::ZERO, up), (Span::ZERO, live)]);
        }
        relative_to_arrival(events)
    })
}

/// Times in the events are drawn relative to their arrival; this makes them absolute.
fn relative_to_arrival(mut events: Vec<Event>) -> Vec<Event> {
    let mut at = START;
    for (pause, input) in &mut events {
        at = at + *pause;
        let absolute = |time: &mut Timestamp| *time = at + Span(time.0);
        match input {
            Input::Sample(sample) => {
                sample.source_time.iter_mut().for_each(absolute);
                sample.server_time.iter_mut().for_each(absolute);
            }
            Input::Gap(gap) => [&mut gap.from, &mut gap.to].into_iter().for_each(absolute),
            Input::Shift(shift) => [&mut shift.start, &mut shift.end].into_iter().for_each(absolute),
            Input::Started { stopped } => stopped.iter_mut().for_each(absolute),
            Input::Server { started, .. } => started.iter_mut().for_each(absolute),
            Input::FillEnded(result) => [&mut result.from, &mut result.to].into_iter().for_each(absolute),
            Input::Link { .. }
            | Input::Fill(_)
            | Input::Meta { .. }
            | Input::Report { .. }
            | Input::Subscription { .. }
            | Input::Item { .. }
            | Input::Recorder(_)
            | Input::ClockStep { .. } => {}
        }
    }
    events
}

fn input() -> impl Strategy<Value = Input> {
    let connection = (0u32..2).prop_map(ConnectionId);
    let link = (connection.clone(), 0usize..4, status()).prop_map(|(connection, state, status)| Input::Link {
        connection,
        state: [LinkState::Down, LinkState::Connecting, LinkState::Up, LinkState::Up][state],
        status,
        detail: "why".into(),
    });
    let subscription = (connection.clone(), 0usize..4).prop_map(|(connection, state)| Input::Subscription {
        connection,
        state: [SubscriptionState::None, SubscriptionState::Late, SubscriptionState::Live, SubscriptionState::Live]
            [state],
    });
    let server = (connection, proptest::option::of(time())).prop_map(|(connection, started)| Input::Server {
        connection,
        product: "server".into(),
        simulated: true,
        started,
    });
    prop_oneof![
        40 => sample(),
        5 => link,
        5 => subscription,
        2 => server,
        2 => (0u32..10, status()).prop_map(|(tag, status)| Input::Item { tag: TagId(tag), status }),
        2 => gap(),
        2 => told(),
        1 => (time(), 0u8..3).prop_map(|(start, name)| Input::Shift(Shift {
            name: format!("{name}").into(), start, end: start + Span::from_secs(28_800), crew: None, scheduled: true,
        })),
        1 => recorder().prop_map(Input::Recorder),
        1 => (-5_000_000i64..5_000_000).prop_map(|by_ns| Input::ClockStep { by_ns }),
        2 => proptest::option::of(time()).prop_map(|stopped| Input::Started { stopped }),
    ]
}

/// What adapters say of servers, nodes and gaps.
fn told() -> impl Strategy<Value = Input> {
    let report = (0u32..3, any::<u8>(), 0usize..8, -5_000i64..5_000).prop_map(|(id, level, state, skew)| {
        let report = LinkReport {
            endpoint: format!("opc.tcp://{}", level % 2).into(),
            server_state: ServerState::ALL[state],
            service_level: Some(level),
            clock_skew: Some(Span::from_millis(skew)),
            ..LinkReport::default()
        };
        Input::Report { connection: ConnectionId(id), report: Arc::new(report) }
    });
    let meta = (0u32..10, 0i64..3).prop_map(|(id, texts)| {
        let texts = (0..texts).map(|n| (n, "text".into())).collect();
        Input::Meta { tag: TagId(id), meta: Arc::new(NodeMeta { texts, ..NodeMeta::default() }) }
    });
    let fill = (0u32..10, time(), time()).prop_map(|(tag, from, to)| {
        Input::Fill(Arc::new(Fill { tag: TagId(tag), from, to, values: vec![FilledValue::default()] }))
    });
    let ended = (0u32..3, time(), time()).prop_map(|(id, from, to)| {
        Input::FillEnded(FillResult { connection: ConnectionId(id), from, to, tags: 1, ..FillResult::default() })
    });
    prop_oneof![report, meta, fill, ended]
}

/// Relative to arrival: mostly just before it, sometimes long before or after.
fn time() -> impl Strategy<Value = Timestamp> {
    let ms = prop_oneof![6 => -300i64..=0, 2 => -20_000i64..=0, 1 => -200_000_000i64..5_000, 1 => Just(0i64)];
    ms.prop_map(Timestamp::from_millis)
}

fn sample() -> impl Strategy<Value = Input> {
    let time = || proptest::option::weighted(0.9, time());
    (0u32..10, value(), status(), time(), time()).prop_map(|(tag, value, status, source_time, server_time)| {
        Input::Sample(Sample { tag: TagId(tag), value, status, source_time, server_time })
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        10 => (0i64..40).prop_map(Value::Int),
        3 => (32_700i64..32_768).prop_map(Value::Int),
        5 => (0u64..200).prop_map(Value::UInt),
        5 => (0.0f64..700.0).prop_map(Value::Float),
        5 => prop_oneof![Just("Execute"), Just("Held"), Just("Nonsense")].prop_map(|s| Value::Text(s.into())),
        1 => Just(Value::Empty),
        1 => Just(Value::Float(f64::NAN)),
        1 => any::<bool>().prop_map(Value::Bool),
    ]
}

fn status() -> impl Strategy<Value = StatusCode> {
    prop_oneof![
        12 => Just(0u32),
        1 => Just(0x4000_0000u32),
        1 => Just(0x4090_0000u32),
        1 => Just(0x8005_0000u32),
        1 => Just(0x0000_0480u32),
    ]
    .prop_map(StatusCode)
}

fn gap() -> impl Strategy<Value = Input> {
    let scope = prop_oneof![
        Just(GapScope::Plant),
        (0u32..2).prop_map(|c| GapScope::Connection(ConnectionId(c))),
        (0u32..10).prop_map(|t| GapScope::Tag(TagId(t))),
    ];
    (scope, time(), time(), 0usize..7, any::<Option<u64>>()).prop_map(|(scope, from, to, reason, lost)| {
        Input::Gap(Gap { scope, from, to, reason: GapReason::ALL[reason], lost })
    })
}

fn recorder() -> impl Strategy<Value = RecorderState> {
    prop_oneof![
        Just(RecorderState::Recording),
        Just(RecorderState::Lagging(Span::from_secs(3))),
        Just(RecorderState::Failed("disk full".into())),
    ]
}

/// Numbers from the edges of their types, ids outside of the configuration.
fn hostile() -> impl Strategy<Value = Vec<(Timestamp, Input)>> {
    let edge = || prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1), any::<i64>()].prop_map(Timestamp);
    let value = prop_oneof![
        Just(Value::Float(f64::NAN)),
        Just(Value::Float(f64::INFINITY)),
        Just(Value::Float(-1e308)),
        Just(Value::Int(i64::MIN)),
        Just(Value::Int(i64::MAX)),
        Just(Value::UInt(u64::MAX)),
        any::<i64>().prop_map(Value::Int),
    ];
    let sample = (0u32..14, value, any::<u32>(), proptest::option::of(edge()), proptest::option::of(edge())).prop_map(
        |(tag, value, status, source_time, server_time)| {
            let status = StatusCode(if status % 2 == 0 { 0 } else { status });
            Input::Sample(Sample { tag: TagId(tag), value, status, source_time, server_time })
        },
    );
    let gap = (edge(), edge(), 0u32..14, 0u8..3).prop_map(|(from, to, id, kind)| {
        let scope = match kind {
            0 => GapScope::Plant,
            1 => GapScope::Tag(TagId(id)),
            _ => GapScope::Connection(ConnectionId(id)),
        };
        Input::Gap(Gap { scope, from, to, reason: GapReason::NotRunning, lost: None })
    });
    let lost =
        (0u32..9).prop_map(|c| Input::Subscription { connection: ConnectionId(c), state: SubscriptionState::Live });
    let up = (0u32..9).prop_map(|c| Input::Link {
        connection: ConnectionId(c),
        state: LinkState::Up,
        status: StatusCode(u32::MAX),
        detail: "".into(),
    });
    let started = (0u32..9, edge()).prop_map(|(c, at)| Input::Server {
        connection: ConnectionId(c),
        product: "".into(),
        simulated: false,
        started: Some(at),
    });
    let shift = (edge(), edge()).prop_map(|(start, end)| Input::Shift(Shift { start, end, ..Shift::default() }));
    let any_input = prop_oneof![
        8 => sample,
        2 => gap,
        2 => lost,
        2 => up,
        1 => started,
        1 => shift,
        1 => any::<i64>().prop_map(|by_ns| Input::ClockStep { by_ns }),
        1 => proptest::option::of(edge()).prop_map(|stopped| Input::Started { stopped }),
        1 => any::<u32>().prop_map(|tag| Input::Item { tag: TagId(tag), status: StatusCode(0x8034_0000) }),
    ];
    proptest::collection::vec((edge(), any_input), 1..40)
}

/// Digest and changes of each event, by the shortest way.
fn plain_run(events: &[Event]) -> Result<Vec<(u64, Vec<Change>)>, TestCaseError> {
    let mut engine = Engine::new(plant::config());
    let mut at = START;
    let mut run = Vec::new();
    for (seq, (pause, input)) in (1u64..).zip(events) {
        at = at + *pause;
        let mut changes = Vec::new();
        engine.advance_to(at, &mut changes);
        engine.apply(seq, at, input, &mut changes);
        lists_keep_their_promises(engine.state())?;
        run.push((engine.digest(), changes));
    }
    Ok(run)
}

fn lists_keep_their_promises(state: &PlantState) -> Result<(), TestCaseError> {
    for unit in &state.units {
        prop_assert!(unit.intervals.len() <= INTERVALS_MAX && unit.rates.len() <= RATE_BUCKETS);
        for (a, b) in unit.intervals.iter().zip(unit.intervals.iter().skip(1)) {
            prop_assert!(a.start < b.start, "{a:?} {b:?}");
            prop_assert!((a.state, a.mode, a.known) != (b.state, b.mode, b.known), "{a:?} {b:?}");
        }
        for counter in [&unit.good, &unit.reject] {
            prop_assert!(counter.across_gaps <= counter.total, "{counter:?}");
        }
    }
    for (a, b) in state.output.iter().zip(state.output.iter().skip(1)) {
        prop_assert!(a.at < b.at);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_time_is_advanced_changes_nothing(
        events in plausible(),
        cuts in proptest::collection::vec(0.0f64..1.0, 1..8),
        by_deadline in any::<bool>(),
    ) {
        let run = plain_run(&events)?;
        let mut engine = Engine::new(plant::config());
        let (mut at, mut changes) = (START, Vec::new());
        for (seq, ((pause, input), (digest, _))) in (1u64..).zip(events.iter().zip(&run)) {
            let next = at + *pause;
            if by_deadline {
                while let Some(due) = engine.next_deadline().filter(|due| *due < next) {
                    engine.advance_to(due, &mut changes);
                    prop_assert!(engine.next_deadline().is_none_or(|later| later > due), "stuck at {due:?}");
                }
            } else {
                for cut in &cuts {
                    engine.advance_to(at + Span((pause.0 as f64 * cut) as i64), &mut changes);
                }
            }
            engine.apply(seq, next, input, &mut changes); // advances the rest by itself
            prop_assert_eq!(engine.digest(), *digest, "after {:?}: {:?}", input, engine.state());
            at = next;
        }
    }

    #[test]
    fn a_keyframe_goes_on_as_if_nothing_had_been(events in plausible(), place in any::<proptest::sample::Index>()) {
        let run = plain_run(&events)?;
        let once = place.index(events.len());
        let mut often = Engine::new(plant::config());
        let mut seldom = often.clone();
        let mut at = START;
        for (n, ((pause, input), (digest, changes))) in events.iter().zip(&run).enumerate() {
            at = at + *pause;
            for (engine, reload) in [(&mut often, true), (&mut seldom, n == once)] {
                if reload {
                    let state = decode(&encode(engine.state())).expect("own bytes");
                    *engine = Engine::from_state(plant::config(), state);
                }
                let mut got = Vec::new();
                engine.apply(n as u64 + 1, at, input, &mut got);
                prop_assert_eq!(engine.digest(), *digest, "after {:?}", input);
                prop_assert!(got == *changes, "after {:?}: {:?}\n{:?}", input, got, changes);
            }
        }
    }

    #[test]
    fn hostile_inputs_are_only_states(events in hostile(), late_start in any::<bool>()) {
        let mut engine = Engine::new(plant::config());
        let mut changes = Vec::new();
        if late_start {
            engine.advance_to(START, &mut changes);
        }
        for (seq, (at, input)) in (1u64..).zip(&events) {
            engine.advance_to(*at, &mut changes);
            engine.apply(seq, *at, input, &mut changes);
            for tag in (0..14).map(TagId) {
                let absent = trust(engine.config(), engine.state(), tag) == Trust::Absent;
                prop_assert_eq!(absent, tag.0 >= 10);
            }
            lists_keep_their_promises(engine.state())?;
            let state = decode(&encode(engine.state())).expect("own bytes");
            engine = Engine::from_state(plant::config(), state);
        }
    }

    #[test]
    fn a_state_of_another_plant_is_fitted(
        events in hostile(),
        tags in 0usize..20,
        units in 0usize..6,
        links in 0usize..4,
        bucket in any::<i64>(),
    ) {
        let mut state = PlantState { seq: 7, at: Timestamp(bucket), ..PlantState::default() };
        state.tags.resize_with(tags, Default::default);
        state.tags.iter_mut().for_each(|tag| tag.received = Some(Timestamp(bucket)));
        state.units.resize_with(units, Default::default);
        state.links.resize_with(links, Default::default);
        (state.rate_bucket, state.output_bucket) = (Timestamp(bucket), Timestamp(bucket.wrapping_neg()));
        let mut engine = Engine::from_state(plant::config(), state);
        let mut changes = Vec::new();
        for (seq, (at, input)) in (8u64..).zip(&events) {
            engine.apply(seq, *at, input, &mut changes);
        }
        prop_assert_eq!(engine.state().tags.len(), 10);
        prop_assert_eq!((engine.state().units.len(), engine.state().links.len()), (3, 2));
    }
}
