//! Lost and stalled connections: values resume by themselves, one outage is one gap, nothing is doubled.

use crate::collect::{Collected, plant};
use crate::peer::{Ground, Peer, Setup, node, wait_until};
use crate::proxy::{Cable, Proxy};
use lineside_model::config::Security;
use lineside_model::{Gap, GapReason, Input, LinkState, SubscriptionState, TagId, Value};
use opcua::types::{DataValue, Variant};

fn variables() -> Vec<(String, Variant)> {
    vec![("counter".into(), 0_u32.into())]
}

fn count(peer: &Peer, value: u32) {
    peer.set([("counter".to_string(), DataValue::new_now(value))]);
}

/// The gap must lie between the last value before the outage and the first one made after it.
fn check_times(collected: &Collected, gap: Gap, last_before: u64, first_after: u64) {
    let time = |value| {
        let sample = collected.samples().find(|sample| sample.value == Value::UInt(value)).expect("the value came");
        assert_eq!(sample.tag, TagId(0));
        sample.source_time.expect("the peer stamps")
    };
    assert!(time(last_before) <= gap.from, "{gap:?} begins before the last value {:?}", time(last_before));
    assert!(gap.from < time(first_after), "{gap:?} begins after what was missed {:?}", time(first_after));
}

fn until_subscription(collected: &mut Collected, from: usize, wanted: SubscriptionState) -> usize {
    collected.until(
        from,
        "subscription",
        |input| matches!(input, Input::Subscription { state, .. } if *state == wanted),
    )
}

#[test]
fn a_server_that_restarts_is_found_again() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables());
    let port = peer.port;
    let config = plant(&peer.endpoint(), Security::None, [node("counter")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(0));
    count(&peer, 1);
    collected.until_value(0, 0, &Value::UInt(1));
    peer.stop(&ground.runtime);
    let down = collected.until_link(0, LinkState::Down);
    let refused = collected.until_down_saying(down, &["refuses the connection", "Start the server"]);

    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { port, ..Setup::default() }, &variables());
    let up = collected.until_link(refused, LinkState::Up);
    collected.until(up - 2, "who it is", |input| matches!(input, Input::Server { .. }));
    collected.until_value(up, 0, &Value::UInt(0));
    count(&peer, 2);
    collected.until_value(up, 0, &Value::UInt(2));
    let gap = collected.the_one_gap(&[GapReason::LinkDown]);
    check_times(&collected, gap, 1, 2);
    assert_eq!(peer.subscriptions(), 1);
}

#[test]
fn a_cut_cable_costs_nothing_that_the_server_kept() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables());
    let proxy = Proxy::start(&ground.runtime, peer.port);
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, [node("counter")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(0));
    count(&peer, 1);
    let before = collected.until_value(0, 0, &Value::UInt(1));

    proxy.set(Cable::Cut);
    let down = collected.until_link(before, LinkState::Down);
    collected.until_link(down, LinkState::Connecting);
    let again = collected.until_link(down, LinkState::Down);
    count(&peer, 2);
    proxy.set(Cable::Whole);
    let up = collected.until_link(again, LinkState::Up);
    collected.until_value(up, 0, &Value::UInt(2));
    count(&peer, 3);
    collected.until_value(up, 0, &Value::UInt(3));
    assert_eq!(collected.gaps(), [], "session and subscription went on");
    let missed = collected.samples().filter(|sample| sample.value == Value::UInt(2)).count();
    assert_eq!(missed, 1, "one subscription, one value");
}

#[test]
fn silence_is_noticed_though_the_connection_stands() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables());
    let proxy = Proxy::start(&ground.runtime, peer.port);
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, [node("counter")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    count(&peer, 1);
    let before = collected.until_value(0, 0, &Value::UInt(1));
    let live = until_subscription(&mut collected, 0, SubscriptionState::Live);

    proxy.set(Cable::Stalled);
    let late = until_subscription(&mut collected, live, SubscriptionState::Late);
    let down = collected.until_down_saying(late.max(before), &["was silent for"]);
    until_subscription(&mut collected, late, SubscriptionState::None);
    count(&peer, 2);
    proxy.set(Cable::Whole);
    let up = collected.until_link(down, LinkState::Up);
    collected.until_value(up, 0, &Value::UInt(2));
    count(&peer, 3);
    collected.until_value(up, 0, &Value::UInt(3));
    assert_eq!(collected.gaps(), [], "session and subscription went on");
    for value in [2, 3] {
        let times = collected.samples().filter(|sample| sample.value == Value::UInt(value)).count();
        assert_eq!(times, 1, "value {value} came once, from one subscription");
    }
}

#[test]
fn a_short_silence_loses_nothing_and_is_no_gap() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables());
    let proxy = Proxy::start(&ground.runtime, peer.port);
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, [node("counter")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(0));
    let live = until_subscription(&mut collected, 0, SubscriptionState::Live);
    proxy.set(Cable::Stalled);
    count(&peer, 1);
    let late = until_subscription(&mut collected, live, SubscriptionState::Late);
    proxy.set(Cable::Whole);
    until_subscription(&mut collected, late, SubscriptionState::Live);
    collected.until_value(0, 0, &Value::UInt(1));
    count(&peer, 2);
    collected.until_value(0, 0, &Value::UInt(2));
    assert_eq!(collected.gaps(), []);
    wait_until("one subscription", || peer.subscriptions() == 1);
}

#[test]
fn the_host_that_a_server_tells_need_not_exist() {
    let ground = Ground::new();
    let setup = Setup { host: "no-such-host.invalid", ..Setup::default() };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables());
    let config = plant(&peer.endpoint(), Security::None, [node("counter")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(0));
}

#[test]
fn an_address_that_leads_nowhere_is_explained() {
    let ground = Ground::new();
    let check = |endpoint: &str, words: &[&str]| {
        let config = plant(endpoint, Security::None, [node("counter")]);
        let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
        collected.until_down_saying(0, words);
    };
    check("opc.tcp://no-such-host.invalid:4840/", &["no-such-host.invalid:4840", "cannot be resolved"]);
    check("opc.tcp://127.0.0.1:1/", &["127.0.0.1:1", "refuses the connection"]);
    check("http://127.0.0.1:1/", &["Write opc.tcp://"]);
}
