//! What happens to cables and in networks.

use crate::stage::{Case, Stage, run};
use lineside_tests::peers::Kind;
use lineside_tests::proxy::{Cable, Way};
use std::time::Duration;

const CASES: &[Case] = &[
    ("cut", |stage| {
        let before = stage.watch.inputs.len();
        stage.proxy.set(Cable::Cut);
        stage.until_noticed(before);
        stage.let_count(40);
        stage.mend();
    }),
    ("cut for ten seconds", |stage| {
        let before = stage.watch.inputs.len();
        stage.proxy.set(Cable::Cut);
        stage.until_noticed(before);
        stage.let_count(200);
        stage.mend();
    }),
    ("cut in the middle of a message", |stage| until_noticed(stage, Cable::CutInMessage)),
    ("stall", |stage| until_noticed(stage, Cable::Stalled(None))),
    ("stall to the client", |stage| until_noticed(stage, Cable::Stalled(Some(Way::ToClient)))),
    ("stall to the server", |stage| until_noticed(stage, Cable::Stalled(Some(Way::ToServer)))),
    ("short stall", |stage| {
        stage.proxy.set(Cable::Stalled(None));
        stage.let_count(20);
        stage.mend();
    }),
    ("slow", |stage| {
        stage.proxy.set(Cable::Slow(Duration::from_millis(300)));
        stage.let_count(100);
        stage.mend();
    }),
    ("garbage to the client", |stage| until_noticed(stage, Cable::Garbage(Way::ToClient))),
    ("garbage to the server", |stage| until_noticed(stage, Cable::Garbage(Way::ToServer))),
    ("half-open", |stage| until_noticed(stage, Cable::HalfOpen)),
];

/// Hurts until the adapter says that the link is down.
pub(crate) fn until_noticed(stage: &mut Stage, cable: Cable) {
    let before = stage.watch.inputs.len();
    stage.proxy.set(cable);
    stage.until_noticed(before);
    stage.mend();
}

#[test]
fn asyncua_behind_a_bad_cable() {
    run(Kind::Asyncua, CASES, |_| {});
}

#[test]
fn node_opcua_behind_a_bad_cable() {
    run(Kind::NodeOpcua, CASES, |_| {});
}

#[test]
fn async_opcua_behind_a_bad_cable() {
    run(Kind::AsyncOpcua, CASES, |_| {});
}
