//! What servers do: restart, forget, refuse, jump in time, lose messages, and have small limits.

use crate::stage::{Case, Stage, run};
use lineside_tests::peers::{Kind, Limits, Options};
use std::time::Duration;

const RESTART: Case = ("restart", |stage| {
    let before = stage.watch.inputs.len();
    stage.restart(|_| {});
    stage.until_noticed(before);
});

const OTHER_INDEX: Case = ("restart with the namespaces in another order", |stage| {
    let before = stage.watch.inputs.len();
    stage.restart(|options| options.other_namespaces += 3);
    stage.until_noticed(before);
});

/// A new session takes over the subscriptions of the old one.
const SESSIONS_END: Case = ("sessions end, subscriptions stay", |stage| {
    // node-opcua gives the subscriptions of anybody to nobody, and keeps them until their lifetime is over.
    stage.orphans = stage.peer().kind == Kind::NodeOpcua;
    stage.peer().tell("end sessions");
    stage.let_count(40);
});

const SUBSCRIPTIONS_END: Case = ("sessions and subscriptions end", |stage| {
    stage.peer().tell("end subscriptions");
    stage.let_count(40);
});

const NO_SESSION_LEFT: Case = ("no session left", |stage| {
    let before = stage.watch.inputs.len();
    stage.peer().tell("sessions 0");
    stage.peer().tell("end subscriptions");
    stage.watch.until_down_saying(before, &["session"]);
    stage.peer().tell("sessions 100");
});

const TRANSFER_REFUSED: Case = ("transfer refused", |stage| {
    stage.orphans = true;
    stage.peer().tell("transfer off");
    stage.peer().tell("end sessions");
    stage.let_count(40);
});

fn clock(stage: &mut Stage, seconds: &str) {
    stage.peer().tell(&format!("clock {seconds}"));
    stage.let_count(40);
}

const ASYNCUA: &[Case] = &[
    RESTART,
    OTHER_INDEX,
    SESSIONS_END,
    SUBSCRIPTIONS_END,
    NO_SESSION_LEFT,
    ("the clock goes forward by an hour", |stage| clock(stage, "3600")),
    ("the clock goes back by an hour", |stage| clock(stage, "0")),
    ("a message comes late", |stage| {
        stage.peer().tell("hold");
        stage.peer().until_line("WITHHELD");
    }),
    ("a message is lost", |stage| {
        stage.peer().tell("lose");
        stage.peer().until_line("WITHHELD");
    }),
    TRANSFER_REFUSED,
];

const NODE_OPCUA: &[Case] = &[RESTART, OTHER_INDEX, SESSIONS_END, SUBSCRIPTIONS_END, NO_SESSION_LEFT, TRANSFER_REFUSED];

#[test]
fn asyncua_in_trouble() {
    run(Kind::Asyncua, ASYNCUA, |_| {});
}

#[test]
fn node_opcua_in_trouble() {
    run(Kind::NodeOpcua, NODE_OPCUA, |_| {});
}

#[test]
fn async_opcua_in_trouble() {
    run(Kind::AsyncOpcua, &[RESTART, OTHER_INDEX], |_| {});
}

/// With small limits all values must come, and come again after a restart.
fn check_limits(kind: Kind) {
    let calls = |options: &mut Options| {
        options.counters = 95;
        options.limits = Limits { items_per_call: 10, nodes_per_read: 10, items_per_subscription: 0 };
    };
    run(kind, &[RESTART], calls);
    let subscriptions = |options: &mut Options| {
        options.counters = 2_500;
        options.interval = Duration::from_secs(1);
        options.limits = Limits { items_per_subscription: 1_000, ..Limits::default() };
    };
    run(kind, &[RESTART], subscriptions);
}

#[test]
fn asyncua_with_small_limits() {
    check_limits(Kind::Asyncua);
}

#[test]
fn node_opcua_with_small_limits() {
    check_limits(Kind::NodeOpcua);
}

#[test]
fn async_opcua_with_small_limits() {
    check_limits(Kind::AsyncOpcua);
}

/// What was missed while there was no subscription is read from the history.
fn check_history(kind: Kind) {
    run(kind, &[SUBSCRIPTIONS_END, NO_SESSION_LEFT], |options| options.history = true);
}

#[test]
fn asyncua_with_history() {
    check_history(Kind::Asyncua);
}

#[test]
fn node_opcua_with_history() {
    check_history(Kind::NodeOpcua);
}
