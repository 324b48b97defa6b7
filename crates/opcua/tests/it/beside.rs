//! What runs beside the values: health, frozen values, clocks, reports, metadata, gaps filled from history.

use crate::collect::{Collected, plant};
use crate::liar::Liar;
use crate::peer::{Ground, Peer, Setup, node};
use crate::proxy::{Cable, Proxy};
use lineside_model::config::{Heartbeat, Security};
use lineside_model::report::{FillResult, LinkReport, NodeMeta, ServerState};
use lineside_model::{
    Gap, GapReason, GapScope, Input, LinkState, PlantConfig, Span, SubscriptionState, TagId, Timestamp, Value,
};
use lineside_opcua::{Settings, wall_clock};
use opcua::core::ResponseMessage;
use opcua::types::{
    DataValue, DateTime, EUInformation, ExtensionObject, LocalizedText, Range, ServerState as UaState, StatusCode,
    Variant,
};
use std::collections::BTreeSet;
use std::time::Duration;

const HOUR: Span = Span::from_secs(3_600);

fn variables(names: &[&str]) -> Vec<(String, Variant)> {
    names.iter().map(|name| (name.to_string(), 0_u32.into())).collect()
}

fn start(setup: &Setup, names: &[&str], change: impl FnOnce(&mut PlantConfig)) -> (Ground, Peer, Collected) {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), setup, &variables(names));
    let mut config = plant(&peer.endpoint(), Security::None, names.iter().map(|name| node(name)));
    change(&mut config);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(0));
    (ground, peer, collected)
}

fn value_at(value: u32, time: DateTime) -> DataValue {
    DataValue { source_timestamp: Some(time), ..DataValue::new_now(value) }
}

/// The gaps, the values with which they were filled (by tag), and what was said at the end.
fn filled(collected: &Collected) -> (Vec<Gap>, Vec<(TagId, u64)>, Vec<FillResult>) {
    let fills = collected.inputs.iter().filter_map(|input| match input {
        Input::Fill(fill) => Some(fill),
        _ => None,
    });
    let values = fills
        .flat_map(|fill| fill.values.iter().map(|value| (fill.tag, value.value.as_i64().expect("a number") as u64)));
    let ends = collected.inputs.iter().filter_map(|input| match input {
        Input::FillEnded(result) => Some(result.clone()),
        _ => None,
    });
    (collected.gaps(), values.collect(), ends.collect())
}

#[test]
fn the_server_is_reported_as_it_says_it_is() {
    let (ground, peer, mut collected) = start(&Setup::default(), &["counter"], |_| {});
    let at = collected.until_report(0, "all is well", |report| {
        report.server_state == ServerState::Running && report.service_level == Some(255)
    });
    peer.handle().set_service_level(150);
    let at = collected.until_report(at, "degraded", |report| report.service_level == Some(150));
    peer.handle().set_server_state(UaState::Suspended);
    let at = collected.until_report(at, "suspended", |report| report.server_state == ServerState::Suspended);
    peer.handle().set_server_state(UaState::Running);
    let at = collected.until_report(at, "facts", |report| {
        let subscription = report.subscriptions.first();
        report.server_state == ServerState::Running
            && report.security.as_ref() == "None"
            && report.endpoint.as_ref() == peer.endpoint()
            && subscription.is_some_and(|of| (of.publishing, of.items) == (Span::from_millis(100), 1))
            && report.flow.values > 0
            && report.own_certificate_expires.is_some()
            && report.round_trip.is_some_and(|trip| trip > Span::ZERO)
    });
    assert!(collected.inputs.iter().all(|input| !matches!(input, Input::Link { state: LinkState::Down, .. })));
    let inside = ground.runtime.enter();
    peer.handle().shutdown_after(Duration::from_secs(20), "new program");
    drop(inside);
    collected.until_report(at, "the end is announced", |report| {
        report.shutdown_s.is_some() && report.shutdown_reason.as_ref() == "new program"
    });
}

#[test]
fn a_heartbeat_that_stands_still_makes_values_frozen_and_a_beat_thaws_them() {
    let heartbeat = Heartbeat { tag: TagId(1), within: Span::from_secs(3) };
    let (_ground, peer, mut collected) =
        start(&Setup::default(), &["counter", "beat"], |config| config.connections[0].heartbeat = Some(heartbeat));
    let mut until = |from, wanted| {
        let subscription = |input: &Input| matches!(input, Input::Subscription { state, .. } if *state == wanted);
        collected.until(from, "subscription", subscription)
    };
    let live = until(0, SubscriptionState::Live);
    let frozen = until(live, SubscriptionState::Frozen);
    peer.set([("beat".to_string(), DataValue::new_now(1_u32))]);
    let thawed = until(frozen, SubscriptionState::Live);
    until(thawed, SubscriptionState::Frozen);
}

#[test]
fn clocks_are_compared() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables(&["counter"]));
    let config = plant(&peer.endpoint(), Security::None, [node("counter")]);
    let settings = Settings { clock: || wall_clock() - HOUR, ..Settings::new(ground.ours()) };
    let mut collected = Collected::with(&ground.runtime, config, settings);
    collected.until_report(0, "an hour", |report| {
        let wrong = report.clock_skew.map(|skew| Span((skew.0 - HOUR.0).abs()));
        wrong.is_some_and(|wrong| wrong < Span::from_secs(30)) && report.publish_late.is_some()
    });
}

#[test]
fn units_ranges_and_texts_are_read_and_read_again_when_they_change() {
    let unit =
        |name: &str| ExtensionObject::from_message(EUInformation { display_name: name.into(), ..Default::default() });
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables(&["t", "mode", "known"]));
    peer.describe("t", "EngineeringUnits", unit("°C"));
    peer.describe("t", "EURange", ExtensionObject::from_message(Range { low: -5.0, high: 90.0 }));
    peer.describe("mode", "EnumStrings", vec![LocalizedText::from("manual"), LocalizedText::from("automatic")]);
    let mut config = plant(&peer.endpoint(), Security::None, ["t", "mode", "known"].map(node));
    config.tags[2].unit = "bar".into();
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let mut until = |from, tag, wanted: &dyn Fn(&NodeMeta) -> bool| {
        let meta = |input: &Input| matches!(input, Input::Meta { tag: of, meta } if *of == TagId(tag) && wanted(meta));
        collected.until(from, "metadata", meta)
    };
    let at = until(0, 0, &|meta| {
        (meta.unit.as_ref(), meta.range, meta.data_type.as_ref()) == ("°C", Some((-5.0, 90.0)), "UInt32")
    });
    until(0, 1, &|meta| meta.texts == [(0, "manual".into()), (1, "automatic".into())]);
    peer.set([("t.EngineeringUnits".to_string(), DataValue::new_now(unit("°F")))]);
    let changed = DataValue { status: Some(StatusCode::from(0x4000)), ..DataValue::new_now(1_u32) };
    peer.set([("t".to_string(), changed)]);
    until(at, 0, &|meta| meta.unit.as_ref() == "°F");
    let told =
        |tag| collected.inputs.iter().filter(move |input| matches!(input, Input::Meta { tag: of, .. } if of.0 == tag));
    assert_eq!((told(1).count(), told(2).count()), (1, 0), "once, and never against the configuration");
}

#[test]
fn a_tag_that_is_accepted_later_is_described_and_counted_like_the_others() {
    let unit = EUInformation { display_name: "bar".into(), ..Default::default() };
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables(&["a", "late"]));
    peer.describe("late", "EngineeringUnits", ExtensionObject::from_message(unit));
    let liar = Liar::start(&ground.runtime, peer.port);
    // The first answer refuses the second item.
    liar.lie(|call| {
        let Some(ResponseMessage::CreateMonitoredItems(answer)) = call.answer.filter(|_| call.nth == 0) else {
            return None;
        };
        let mut answer = answer.clone();
        answer.results.as_mut()?.get_mut(1)?.status_code = StatusCode::BadNodeIdUnknown;
        Some(ResponseMessage::CreateMonitoredItems(answer))
    });
    let config = plant(&liar.endpoint(), Security::None, ["a", "late"].map(node));
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    let late =
        |input: &Input, good: bool| matches!(input, Input::Item { tag: TagId(1), status } if status.is_good() == good);
    let refused = collected.until(0, "the refusal", |input| late(input, false));
    let items = |count| move |report: &LinkReport| report.subscriptions.iter().any(|of| of.items == count);
    let refused = collected.until_report(refused, "one item", items(1));
    let accepted = collected.until(refused, "the acceptance", |input| late(input, true));
    collected.until_report(accepted, "two items", items(2));
    collected.until(
        accepted,
        "the unit",
        |input| matches!(input, Input::Meta { tag: TagId(1), meta } if meta.unit.as_ref() == "bar"),
    );
}

/// A server that is restarted, and kept what `tags` were meanwhile, page by page.
fn restarted(
    tags: &[&str],
    page: usize,
    setup: fn(&mut opcua::server::Limits),
) -> (Vec<(TagId, u64)>, FillResult, usize) {
    let setup = Setup { limits: setup, ..Setup::default() };
    let mut names = tags.to_vec();
    names.push("without");
    let (ground, peer, mut collected) = start(&setup, &names, |_| {});
    peer.set([(tags[0].to_string(), DataValue::new_now(1_u32))]);
    collected.until_value(0, 0, &Value::UInt(1));
    let port = peer.port;
    peer.stop(&ground.runtime);
    let down = collected.until_link(0, LinkState::Down);
    // After the last message, which is where the gap begins.
    let begin = DateTime::now().ticks() + 1_000_000;
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { port, ..setup }, &variables(&names));
    peer.history.lock().page = page;
    let at = |value: u32| value_at(value, DateTime::from(begin + i64::from(value)));
    for tag in tags {
        let early = value_at(99, DateTime::from(begin - 36_000_000_000));
        peer.keep(tag, std::iter::once(early).chain((10..20).map(at)).collect());
    }
    collected.until(down, "the end of the filling", |input| matches!(input, Input::FillEnded(_)));
    let (gaps, mut values, ends) = filled(&collected);
    assert_eq!((gaps.len(), ends.len()), (1, 1), "{gaps:?}");
    assert_eq!((gaps[0].from, gaps[0].to), (ends[0].from, ends[0].to));
    assert_eq!(gaps[0].reason, GapReason::LinkDown);
    values.sort_unstable();
    let calls = peer.history.lock().calls.len();
    (values, ends[0].clone(), calls)
}

#[test]
fn filling_goes_on_after_another_loss_of_the_link() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables(&["a"]));
    let port = peer.port;
    let proxy = Proxy::start(&ground.runtime, port);
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, [node("a")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_value(0, 0, &Value::UInt(0));
    peer.stop(&ground.runtime);
    let down = collected.until_link(0, LinkState::Down);
    let begin = DateTime::now().ticks() + 1_000_000;
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { port, ..Setup::default() }, &variables(&["a"]));
    peer.history.lock().page = 1;
    let at = |value: u32| value_at(value, DateTime::from(begin + i64::from(value)));
    peer.keep("a", (10..1_010).map(at).collect());
    collected.until(down, "the first page", |input| matches!(input, Input::Fill(_)));
    proxy.set(Cable::Cut);
    let cut = collected.until_link(down + 1, LinkState::Up);
    let again = collected.until_link(cut, LinkState::Down);
    let early = collected.inputs[..again].iter().any(|input| matches!(input, Input::FillEnded(_)));
    assert!(!early, "the link was lost too late to test anything");
    proxy.set(Cable::Whole);
    collected.until(again, "the end of the filling", |input| matches!(input, Input::FillEnded(_)));
    let (_, values, ends) = filled(&collected);
    assert_eq!(values, (10..1_010).map(|value| (TagId(0), value)).collect::<Vec<_>>());
    assert_eq!((ends[0].values, ends[0].tags, ends[0].status.0), (1_000, 1, 0));
}

fn ten_of_each(tags: u32) -> Vec<(TagId, u64)> {
    (0..tags).flat_map(|tag| (10..20).map(move |value| (TagId(tag), value))).collect()
}

#[test]
fn a_gap_is_filled_from_the_history_of_the_server() {
    let (values, end, calls) = restarted(&["a", "b", "c"], 0, |_| {});
    assert_eq!(values, ten_of_each(3));
    assert_eq!((end.tags, end.tags_without, end.values, end.status.0), (3, 1, 30, 0));
    assert_eq!(calls, 1);
}

#[test]
fn a_history_comes_in_pages() {
    let (values, end, calls) = restarted(&["a", "b", "c"], 3, |_| {});
    assert_eq!(values, ten_of_each(3));
    assert_eq!((end.tags, end.values, end.status.0), (3, 30, 0));
    assert_eq!(calls, 4);
}

#[test]
fn with_too_few_continuation_points_tags_are_read_one_after_the_other() {
    let (values, end, _) = restarted(&["a", "b", "c"], 3, |limits| limits.max_history_continuation_points = 1);
    assert_eq!(values, ten_of_each(3));
    assert_eq!((end.tags, end.values, end.status.0), (3, 30, 0));
}

#[test]
fn the_limit_of_nodes_per_history_read_is_obeyed() {
    let (values, _, calls) =
        restarted(&["a", "b", "c"], 0, |limits| limits.operational.max_nodes_per_history_read_data = 2);
    assert_eq!(values, ten_of_each(3));
    assert_eq!(calls, 2);
}

#[test]
fn an_overflow_is_filled_and_no_value_comes_twice() {
    let setup = Setup { limits: |limits| limits.subscriptions.max_monitored_item_queue_size = 3, ..Setup::default() };
    // Long enough that all values meet in one interval.
    let (_ground, peer, mut collected) =
        start(&setup, &["counter"], |config| config.connections[0].publish = Span::from_secs(2));
    let begin = DateTime::now().ticks();
    let values: Vec<DataValue> = (1..=10).map(|n| value_at(n, DateTime::from(begin + i64::from(n) * 10_000))).collect();
    peer.keep("counter", values.clone());
    for value in values {
        peer.set([("counter".to_string(), value)]);
    }
    collected.until(0, "the end of the filling", |input| matches!(input, Input::FillEnded(_)));
    let (gaps, fills, ends) = filled(&collected);
    assert_eq!(gaps.iter().map(|gap| gap.scope).collect::<BTreeSet<_>>(), BTreeSet::from([GapScope::Tag(TagId(0))]));
    assert_eq!((ends[0].tags, ends[0].tags_without), (1, 0));
    let live = collected.samples().filter_map(|sample| Some((sample.source_time?, sample.value.as_i64()? as u64)));
    let first = Timestamp((begin - 116_444_736_000_000_000) * 100);
    let live = live.filter(|(time, _)| *time > first).map(|(_, value)| value);
    let mut all: Vec<u64> = live.chain(fills.iter().map(|(_, value)| *value)).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=10).collect::<Vec<u64>>());
}
