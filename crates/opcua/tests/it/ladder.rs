//! The rungs of the ladder, one by one: what the server keeps is used again, nothing is made twice, and every
//! value that the server had is there or is in a gap.

use crate::collect::{Collected, plant};
use crate::peer::{Ground, Peer, Setup, node, wait_until};
use crate::proxy::{Cable, Proxy};
use crate::security::trust_all;
use lineside_model::config::Security;
use lineside_model::{GapReason, Input, LinkState, StatusCode, Value};
use opcua::types::{DataValue, Variant};

fn variables() -> Vec<(String, Variant)> {
    vec![("counter".into(), 0_u32.into())]
}

fn count(peer: &Peer, values: impl IntoIterator<Item = u32>) {
    for value in values {
        peer.set([("counter".to_string(), DataValue::new_now(value))]);
    }
}

/// Lets both sides trust each other, as persons would: by one attempt, and by moving the server's certificate.
fn introduce(ground: &Ground, peer: &Peer) {
    let config = plant(&peer.endpoint(), Security::Best, [node("counter")]);
    let mut stranger = Collected::start(&ground.runtime, config, &ground.ours());
    stranger.until_down_saying(0, &["is not trusted yet"]);
    stranger.stop(&ground.runtime);
    trust_all(&ground.ours(), "certs");
}

/// A peer behind a cable, and an adapter that has seen the value 1 of its counter.
struct Scene {
    ground: Ground,
    peer: Peer,
    proxy: Proxy,
    collected: Collected,
    at: usize,
}

impl Scene {
    fn new(setup: &Setup) -> Scene {
        let ground = Ground::new();
        let peer = Peer::start(&ground.runtime, &ground.theirs(), setup, &variables());
        let security = if setup.secure { Security::Best } else { Security::None };
        if setup.secure {
            introduce(&ground, &peer);
        }
        let proxy = Proxy::start(&ground.runtime, peer.port);
        let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), security, [node("counter")]);
        let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
        collected.until_value(0, 0, &Value::UInt(0));
        count(&peer, [1]);
        let at = collected.until_value(0, 0, &Value::UInt(1));
        Scene { ground, peer, proxy, collected, at }
    }

    fn cut(&mut self) {
        self.proxy.set(Cable::Cut);
        self.at = self.collected.until_link(self.at, LinkState::Down);
    }

    fn mend(&mut self) {
        self.proxy.set(Cable::Whole);
        self.at = self.collected.until_link(self.at, LinkState::Up);
    }

    /// The values of the counter in the order in which they came; one that was only told again counts once.
    fn values(&self) -> Vec<u64> {
        let values = self.collected.samples().filter_map(|sample| match sample.value {
            Value::UInt(value) => Some(value),
            _ => None,
        });
        let mut values: Vec<u64> = values.collect();
        values.dedup();
        values
    }

    /// How often each value of the counter up to `last` came.
    fn times(&self, last: u32) -> Vec<usize> {
        let times = |value| self.collected.samples().filter(|sample| sample.value == Value::UInt(value)).count();
        (0..=u64::from(last)).map(times).collect()
    }
}

fn queue(limits: &mut opcua::server::Limits) {
    limits.subscriptions.max_monitored_item_queue_size = 1_000;
}

fn check_reactivation(secure: bool) {
    let mut scene = Scene::new(&Setup { secure, limits: queue, ..Setup::default() });
    let (ids, made) = (scene.peer.subscription_ids(), scene.peer.sessions_made());
    for round in 0..3 {
        let first = 2 + 60 * round;
        scene.cut();
        count(&scene.peer, first..first + 50);
        scene.mend();
        count(&scene.peer, first + 50..first + 60);
        scene.at = scene.collected.until_value(scene.at, 0, &Value::UInt(u64::from(first) + 59));
    }
    assert_eq!(scene.values(), (0..=181).collect::<Vec<_>>(), "every value came, in order");
    assert_eq!(scene.collected.gaps(), [], "nothing was missed");
    assert_eq!((scene.peer.subscription_ids(), scene.peer.items()), (ids, 1));
    assert_eq!((scene.peer.sessions(), scene.peer.sessions_made()), (1, made), "the session is the one of before");
}

#[test]
fn a_lost_channel_costs_neither_session_nor_subscription_nor_value() {
    check_reactivation(false);
}

#[test]
fn a_session_goes_on_over_a_new_secured_channel() {
    check_reactivation(true);
}

#[test]
fn a_new_session_takes_the_subscriptions_over() {
    // Anonymous users may only take over on a secured channel at this server.
    let setup = Setup { secure: true, limits: queue, session_timeout_ms: 5_000, ..Setup::default() };
    let mut scene = Scene::new(&setup);
    let (ids, made) = (scene.peer.subscription_ids(), scene.peer.sessions_made());
    scene.cut();
    count(&scene.peer, 2..50);
    wait_until("the session ends", || scene.peer.sessions() == 0);
    scene.mend();
    count(&scene.peer, 50..60);
    scene.collected.until_value(scene.at, 0, &Value::UInt(59));
    assert!(scene.times(59).iter().all(|times| *times >= 1), "{:?}", scene.times(59));
    assert_eq!(scene.collected.gaps(), [], "nothing was missed");
    assert_eq!((scene.peer.subscription_ids(), scene.peer.items()), (ids, 1), "the same subscription");
    assert_eq!((scene.peer.sessions(), scene.peer.sessions_made()), (1, made + 1));
}

#[test]
fn what_cannot_be_transferred_is_made_anew_and_the_outage_is_a_gap() {
    let mut scene = Scene::new(&Setup { limits: queue, session_timeout_ms: 5_000, ..Setup::default() });
    let ids = scene.peer.subscription_ids();
    scene.cut();
    count(&scene.peer, 2..50);
    wait_until("the session ends", || scene.peer.sessions() == 0);
    scene.mend();
    scene.collected.until_value(scene.at, 0, &Value::UInt(49));
    count(&scene.peer, 50..60);
    scene.collected.until_value(scene.at, 0, &Value::UInt(59));
    let gap = scene.collected.the_one_gap(&[GapReason::LinkDown]);
    assert!(gap.from < gap.to);
    assert_eq!(scene.times(59)[50..], [1; 10], "from one subscription");
    // The old one dies at the server by its lifetime; nobody can reach it any more.
    let now = scene.peer.subscription_ids();
    assert_eq!(now.iter().filter(|id| !ids.contains(id)).count(), 1, "{now:?}");
}

#[test]
fn a_restart_with_other_namespace_indexes_finds_the_nodes_again() {
    let mut scene = Scene::new(&Setup::default());
    let port = scene.peer.port;
    scene.peer.stop(&scene.ground.runtime);
    scene.at = scene.collected.until_link(scene.at, LinkState::Down);
    let setup = Setup { port, first_namespace: Some("urn:lineside:test-peer:first"), ..Setup::default() };
    scene.peer = Peer::start(&scene.ground.runtime, &scene.ground.theirs(), &setup, &variables());
    scene.at = scene.collected.until_link(scene.at, LinkState::Up);
    scene.collected.until_value(scene.at, 0, &Value::UInt(0));
    count(&scene.peer, [7]);
    scene.collected.until_value(scene.at, 0, &Value::UInt(7));
    assert_eq!(scene.collected.item(0), Some(StatusCode::GOOD));
    assert_eq!((scene.peer.subscriptions(), scene.peer.items()), (1, 1));
    scene.collected.the_one_gap(&[GapReason::LinkDown]);
}

#[test]
fn a_stall_while_items_are_made_leaves_no_double() {
    let ground = Ground::new();
    let many: Vec<(String, Variant)> = (0..3_000).map(|index| (format!("v{index}"), Variant::Int32(-1))).collect();
    let limits = |limits: &mut opcua::server::Limits| limits.operational.max_monitored_items_per_call = 7;
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { limits, ..Setup::default() }, &many);
    let proxy = Proxy::start(&ground.runtime, peer.port);
    let nodes = many.iter().map(|(name, _)| node(name));
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, nodes);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    wait_until("items are made", || peer.items() > 100);
    proxy.set(Cable::Stalled);
    assert!(peer.items() < many.len(), "the stall came too late to test anything");
    let down = collected.until_down_saying(0, &["failed to monitor the tags"]);
    proxy.set(Cable::Whole);
    let up = collected.until_link(down, LinkState::Up);
    for tag in 0..many.len() as u32 {
        collected.until_value(up, tag, &Value::Int(-1));
    }
    wait_until("the rest is deleted", || peer.items() == many.len());
    peer.set((0..many.len()).map(|index| (format!("v{index}"), DataValue::new_now(5))));
    for tag in 0..many.len() as u32 {
        collected.until_value(up, tag, &Value::Int(5));
    }
    let fives = collected.samples().filter(|sample| sample.value == Value::Int(5)).count();
    assert_eq!(fives, many.len(), "every value came once");
    assert_eq!((peer.sessions(), peer.sessions_made()), (1, 1));
}

#[test]
fn a_server_without_a_free_session_is_asked_until_there_is_one() {
    let ground = Ground::new();
    let setup = Setup { limits: |limits| limits.max_sessions = 1, ..Setup::default() };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables());
    let start = || {
        let config = plant(&peer.endpoint(), Security::None, [node("counter")]);
        Collected::start(&ground.runtime, config, &ground.ours())
    };
    let mut first = start();
    first.until_value(0, 0, &Value::UInt(0));
    let mut second = start();
    let refused = second.until_down_saying(0, &["no session left", "Close other clients"]);
    first.stop(&ground.runtime);
    second.until_value(refused, 0, &Value::UInt(0));
    assert_eq!(peer.sessions(), 1);
}

#[test]
fn a_server_that_takes_ten_nodes_per_call_and_few_items_per_subscription_is_obeyed() {
    let ground = Ground::new();
    let many: Vec<(String, Variant)> = (0..250).map(|index| (format!("v{index}"), Variant::Int32(-1))).collect();
    let limits = |limits: &mut opcua::server::Limits| {
        limits.operational.max_nodes_per_read = 10;
        limits.operational.max_monitored_items_per_call = 10;
        limits.subscriptions.max_monitored_items_per_sub = 100;
    };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { limits, ..Setup::default() }, &many);
    let proxy = Proxy::start(&ground.runtime, peer.port);
    let nodes = many.iter().map(|(name, _)| node(name));
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, nodes);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let mut at = 0;
    for round in 0..3 {
        peer.set((0..many.len()).map(|index| (format!("v{index}"), DataValue::new_now(round))));
        for tag in 0..many.len() as u32 {
            collected.until_value(at, tag, &Value::Int(round.into()));
        }
        assert_eq!((peer.subscriptions(), peer.items()), (3, many.len()));
        proxy.set(Cable::Cut);
        at = collected.until_link(at, LinkState::Down);
        proxy.set(Cable::Whole);
        at = collected.until_link(at, LinkState::Up);
    }
    let refused = collected.inputs.iter().any(|input| matches!(input, Input::Item { status, .. } if status.is_bad()));
    assert!(!refused, "the server took every item");
}

#[test]
fn garbage_and_torn_messages_cost_nothing_that_the_server_kept() {
    let mut scene = Scene::new(&Setup { limits: queue, ..Setup::default() });
    let ids = scene.peer.subscription_ids();
    for (round, fault) in (1..).zip([Cable::Garbage, Cable::Torn, Cable::Garbage]) {
        scene.proxy.set(fault);
        count(&scene.peer, [10 * round]);
        scene.at = scene.collected.until_link(scene.at, LinkState::Down);
        count(&scene.peer, [10 * round + 1]);
        scene.mend();
        scene.at = scene.collected.until_value(scene.at, 0, &Value::UInt(u64::from(10 * round) + 1));
    }
    assert_eq!(scene.values(), [0, 1, 10, 11, 20, 21, 30, 31]);
    assert_eq!(scene.collected.gaps(), [], "nothing was missed");
    assert_eq!((scene.peer.subscription_ids(), scene.peer.items()), (ids, 1));
}

#[test]
fn a_value_that_cannot_be_decoded_is_left_out_and_the_others_live() {
    let ground = Ground::new();
    let mut many: Vec<(String, Variant)> = (0..40).map(|index| (format!("v{index}"), Variant::Int32(-1))).collect();
    // One element more than any array may have.
    many.insert(17, ("endless".into(), Variant::from(vec![false; 1_000_001])));
    let limits = |limits: &mut opcua::server::Limits| limits.max_array_length = 2_000_000;
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { limits, ..Setup::default() }, &many);
    let config = plant(&peer.endpoint(), Security::None, many.iter().map(|(name, _)| node(name)));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let found = collected.until(0, "the one tag is refused", |input| {
        matches!(input, Input::Link { state: LinkState::Up, detail, .. }
            if detail.contains("1 tags were refused, the first is") && detail.contains("endless") && detail.contains("left out"))
    });
    assert_eq!(collected.item(17).map(|status| status.code()), Some(0x8007_0000), "BadDecodingError");
    peer.set((0..40).map(|index| (format!("v{index}"), DataValue::new_now(5))));
    for tag in (0..=40).filter(|tag| *tag != 17) {
        collected.until_value(found, tag, &Value::Int(5));
    }
    wait_until("nothing is there twice", || peer.items() == 40);
    assert_eq!(peer.sessions(), 1);
}

#[test]
fn fifty_thousand_items_are_made_and_verified() {
    const ITEMS: usize = 50_000;
    let ground = Ground::new();
    let many: Vec<(String, Variant)> = (0..ITEMS).map(|index| (format!("v{index}"), Variant::Int32(-1))).collect();
    let limits = |limits: &mut opcua::server::Limits| {
        limits.subscriptions.max_monitored_items_per_sub = 2_000;
        limits.subscriptions.max_subscriptions_per_session = 100;
    };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { limits, ..Setup::default() }, &many);
    let config = plant(&peer.endpoint(), Security::None, many.iter().map(|(name, _)| node(name)));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let accepted = collected.until(0, "the last item", |input| {
        matches!(input, Input::Item { tag, status } if tag.0 as usize == ITEMS - 1 && *status == StatusCode::GOOD)
    });
    let accepted = collected.inputs[..accepted].iter().filter(|input| matches!(input, Input::Item { .. })).count();
    assert_eq!((accepted, peer.items(), peer.subscriptions()), (ITEMS, ITEMS, 25));
}

/// The server takes no more subscriptions than it says nowhere; those that stand take the rest at once.
#[test]
fn a_limit_of_subscriptions_that_is_met_only_by_asking_refuses_no_tag() {
    const ITEMS: usize = 9_000;
    let ground = Ground::new();
    let many: Vec<(String, Variant)> = (0..ITEMS).map(|index| (format!("v{index}"), Variant::Int32(-1))).collect();
    let limits = |limits: &mut opcua::server::Limits| {
        limits.subscriptions.max_monitored_items_per_sub = 5_000;
        limits.subscriptions.max_subscriptions_per_session = 3;
    };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { limits, ..Setup::default() }, &many);
    let config = plant(&peer.endpoint(), Security::None, many.iter().map(|(name, _)| node(name)));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let first = collected.until(0, "an answer for an item", |input| matches!(input, Input::Item { .. }));
    let item = |input: &Input| matches!(input, Input::Item { .. });
    let answered = collected.until(first, "the first value", |input| matches!(input, Input::Sample(_)));
    let refused = |input: &&Input| matches!(input, Input::Item { status, .. } if status.is_bad());
    assert_eq!(collected.inputs[..answered].iter().filter(refused).count(), 0);
    assert_eq!(collected.inputs[..answered].iter().filter(|input| item(input)).count(), ITEMS);
    assert_eq!((peer.items(), peer.subscriptions()), (ITEMS, 3));
}
