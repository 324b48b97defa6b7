//! Two servers of one set: which is used, when it is changed, and that no value comes twice.

use crate::collect::{Collected, plant};
use crate::peer::{Ground, Peer, Setup, node};
use crate::proxy::{Cable, Proxy};
use lineside_model::config::{Redundancy, Security};
use lineside_model::report::{LinkReport, MemberRole};
use lineside_model::{GapReason, Input, LinkState, Value};
use opcua::types::{DataValue, DateTime, Variant};
use std::time::Duration;

/// A set of two; the first is reached through a cable.
struct Scene {
    ground: Ground,
    first: Peer,
    cable: Proxy,
    second: Peer,
    collected: Collected,
}

fn scene(redundancy: Redundancy) -> Scene {
    scene_with(redundancy, |_| {})
}

fn scene_with(redundancy: Redundancy, prepare: impl FnOnce(&Peer)) -> Scene {
    let ground = Ground::new();
    let start = |value: u32| {
        let variables = [("counter".to_string(), Variant::from(value))];
        Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables)
    };
    let (first, second) = (start(1), start(2));
    prepare(&first);
    let cable = Proxy::start(&ground.runtime, first.port);
    let mut config = plant(&format!("opc.tcp://127.0.0.1:{}/", cable.port()), Security::None, [node("counter")]);
    config.connections[0].redundant = vec![second.endpoint()];
    config.connections[0].redundancy = redundancy;
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(1));
    Scene { ground, first, cable, second, collected }
}

fn set(peer: &Peer, value: u32, time: DateTime) {
    let value = DataValue { source_timestamp: Some(time), ..DataValue::new_now(value) };
    peer.set([("counter".to_string(), value)]);
}

fn roles(report: &LinkReport) -> Vec<MemberRole> {
    report.members.iter().map(|member| member.role).collect()
}

impl Scene {
    fn until_roles(&mut self, from: usize, expected: [MemberRole; 2]) -> usize {
        self.collected.until_report(from, &format!("{expected:?}"), |report| roles(report) == expected)
    }

    /// How often each of the values came, by the server they came from or not.
    fn times(&self, value: u64) -> usize {
        self.collected.samples().filter(|sample| sample.value == Value::UInt(value)).count()
    }
}

#[test]
fn without_its_server_the_other_one_is_used_and_kept() {
    let mut scene = scene(Redundancy::Cold);
    scene.until_roles(0, [MemberRole::Active, MemberRole::Unknown]);
    assert_eq!(scene.second.sessions_made(), 0, "cold is cold");
    scene.cable.set(Cable::Cut);
    let down = scene.collected.until_link(0, LinkState::Down);
    let up = scene.collected.until_link(down, LinkState::Up);
    let at = scene.collected.until_value(up, 0, &Value::UInt(2));
    let endpoint = scene.second.endpoint();
    scene.collected.until_report(at, "its endpoint", |report| *report.endpoint == *endpoint);
    scene.until_roles(at, [MemberRole::Unreachable, MemberRole::Active]);
    let gap = scene.collected.the_one_gap(&[GapReason::LinkDown]);
    assert!(gap.from < gap.to);

    // The first one is back, which is no reason to leave a healthy one; a fall of its level is.
    scene.cable.set(Cable::Whole);
    set(&scene.second, 3, DateTime::now());
    let at = scene.collected.until_value(at, 0, &Value::UInt(3));
    scene.second.handle().set_service_level(100);
    let at = scene.until_roles(at, [MemberRole::Active, MemberRole::Unknown]);
    set(&scene.first, 4, DateTime::now());
    scene.collected.until_value(at, 0, &Value::UInt(4));
}

#[test]
fn a_degraded_server_is_left_for_a_healthy_one_and_not_returned_to() {
    let mut scene = scene(Redundancy::Cold);
    scene.first.handle().set_service_level(150);
    let at = scene.until_roles(0, [MemberRole::Unknown, MemberRole::Active]);
    scene.collected.until_value(0, 0, &Value::UInt(2));
    scene.first.handle().set_service_level(255);
    set(&scene.second, 3, DateTime::now());
    let at = scene.collected.until_value(at, 0, &Value::UInt(3));
    let report = scene.collected.until_report(at, "the next report", |_| true);
    scene.until_roles(report, [MemberRole::Unknown, MemberRole::Active]);
    assert!(scene.collected.inputs[at..].iter().all(|input| !matches!(input, Input::Link { .. })));
}

#[test]
fn a_hot_standby_misses_nothing_and_repeats_nothing() {
    let mut scene = scene(Redundancy::Hot);
    let ready = scene.until_roles(0, [MemberRole::Active, MemberRole::Standby]);
    let begin = DateTime::now().ticks();
    let at = |value: u32| DateTime::from(begin + i64::from(value) * 10_000);
    for value in 11..15 {
        set(&scene.first, value, at(value));
        set(&scene.second, value, at(value));
        scene.collected.until_value(ready, 0, &Value::UInt(value.into()));
    }
    scene.cable.set(Cable::Cut);
    // Before the client knows.
    set(&scene.second, 15, at(15));
    set(&scene.second, 16, at(16));
    let down = scene.collected.until_link(ready, LinkState::Down);
    let up = scene.collected.until_value(down, 0, &Value::UInt(16));
    set(&scene.second, 17, at(17));
    scene.collected.until_value(up, 0, &Value::UInt(17));
    let times: Vec<usize> = (11..18).map(|value| scene.times(value)).collect();
    assert_eq!(times, [1; 7], "the values 11 to 17");
    assert_eq!(scene.times(2), 0, "what the standby had before is not told");
    scene.collected.the_one_gap(&[GapReason::LinkDown]);
}

#[test]
fn a_warm_standby_takes_over_when_the_end_of_the_other_is_announced() {
    let mut scene = scene(Redundancy::Warm);
    let ready = scene.until_roles(0, [MemberRole::Active, MemberRole::Standby]);
    set(&scene.second, 7, DateTime::now());
    {
        let _inside = scene.ground.runtime.enter();
        scene.first.handle().shutdown_after(Duration::from_secs(3_600), "update");
    }
    let moved = scene.collected.until_value(ready, 0, &Value::UInt(7));
    scene.collected.until_report(0, "the first is active no more", |report| {
        report.members.get(1).is_some_and(|member| member.role == MemberRole::Active)
    });
    set(&scene.second, 8, DateTime::now());
    scene.collected.until_value(moved, 0, &Value::UInt(8));
    assert_eq!((scene.times(7), scene.times(8)), (1, 1));
    assert_eq!((scene.second.subscriptions(), scene.second.items()), (1, 1));
}

#[test]
fn how_the_set_is_used_is_asked_of_the_server() {
    const HOT: i32 = 3;
    let mut scene = scene_with(Redundancy::Auto, |first| first.say_redundancy(HOT));
    scene.until_roles(0, [MemberRole::Active, MemberRole::Standby]);
}
