//! What can be asked of a recording: the time bar, the next of something, what differs, what would have been.

use crate::ground::*;
use lineside_api::wire::*;
use serde_json::{Value as Json, json};

#[test]
fn the_time_bar_has_states_gaps_notices_and_marks() {
    let ground = Ground::with_a_recording();
    let epoch = ground.opens(&ground.shift().id);
    let mark: MarkView = ground.gets(
        "mark",
        json!({ "epoch": epoch, "atMs": ms(310), "untilMs": ms(320), "text": "jam at the infeed", "author": "Ada" }),
    );
    let bar: TimelineView = ground.gets("timeline", json!({ "epoch": epoch }));
    assert_eq!((bar.complete, bar.progress, bar.notices_dropped), (true, 1.0, 0));
    assert!(bar.from_ms <= ms(1) && bar.to_ms >= ms(SECONDS));
    let strip: Vec<(&IntervalKind, f64)> =
        bar.strips[0].intervals.iter().map(|interval| (&interval.kind, interval.start_ms)).collect();
    assert!(strip.contains(&(&IntervalKind::Stopped, ms(STOP))), "{strip:?}");
    assert!(strip.contains(&(&IntervalKind::Running, ms(STOP + 60))), "{strip:?}");
    assert!(strip.contains(&(&IntervalKind::Unknown, ms(GAP))), "a gap blanks the states that it covers: {strip:?}");
    let gap = bar.gaps.iter().find(|gap| gap.kind == NoticeKind::GapLostNotification).expect("the gap");
    assert_eq!((gap.from_ms, gap.to_ms, gap.connection, gap.tag), (ms(GAP), ms(GAP + 10), Some(0), None));
    assert!(bar.notices.is_sorted_by_key(|notice| notice.at_ms as i64));
    assert_eq!(bar.marks, std::slice::from_ref(&mark));
    assert_eq!(bar.shift.map(|shift| shift.name), Some("Day".to_owned()));

    let () = ground.gets("unmark", json!({ "epoch": epoch, "mark": mark.id }));
    let bar: TimelineView = ground.gets("timeline", json!({ "epoch": epoch }));
    assert_eq!(bar.marks, []);
    ground.ends();
}

#[test]
fn a_lane_draws_a_tag_in_columns() {
    let ground = Ground::with_a_recording();
    let epoch = ground.opens(&ground.shift().id);
    let ask = |from: i64, to: i64, columns: u32, tag: u32| {
        ground
            .asks("lane", json!({ "epoch": epoch, "tag": tag, "fromMs": ms(from), "toMs": ms(to), "columns": columns }))
    };
    let lane: LaneView = serde_json::from_value(ask(100, 200, 10, TEMPERATURE.0).expect("a lane")).expect("a LaneView");
    assert_eq!(lane.first[0], Some(temperature(100)));
    assert_eq!((lane.min[3], lane.max[3]), (Some(temperature(130)), Some(temperature(139))));
    assert_eq!(lane.last.len(), 10);
    assert!(lane.doubtful.iter().all(|doubt| !doubt), "{lane:?}");
    for (from, to, columns, tag) in [(200, 100, 10, 8), (100, 200, 0, 8), (100, 200, 1_000_000, 8), (100, 200, 10, 99)]
    {
        assert!(ask(from, to, columns, tag).is_err(), "{from} {to} {columns} {tag}");
    }
    ground.ends();
}

#[test]
fn the_next_and_the_last_of_everything_is_found() {
    let ground = Ground::with_a_recording();
    let epoch = ground.opens(&ground.shift().id);
    let _: MarkView =
        ground.gets("mark", json!({ "epoch": epoch, "atMs": ms(310), "untilMs": null, "text": "jam", "author": null }));
    let check = |from: i64, forward: bool, what: &str, more: Json, expected: Option<i64>| {
        let mut request = json!({
            "epoch": epoch, "fromMs": ms(from), "forward": forward, "what": what,
            "kinds": [], "unit": null, "tag": null, "condition": null,
        });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let found: Found = ground.gets("find", request.clone());
        assert_eq!(found.at_ms, expected.map(ms), "{request}");
        found
    };
    let none = || json!({});
    check(0, true, "stop", none(), Some(STOP));
    check(0, true, "stop", json!({ "unit": 0 }), Some(STOP));
    check(STOP, true, "stop", none(), None);
    check(500, false, "stop", none(), Some(STOP));
    check(0, true, "gap", none(), Some(GAP));
    check(500, false, "gap", none(), Some(GAP));
    let found = check(0, true, "mark", none(), Some(310));
    assert_eq!(found.mark.map(|mark| mark.text), Some("jam".to_owned()));
    let lost = json!({ "kinds": ["gapLostNotification"] });
    let found = check(0, true, "notice", lost.clone(), Some(GAP + 10));
    assert_eq!(found.notice.and_then(|notice| notice.lost), Some(7.0));
    check(GAP + 10, true, "notice", lost, None);
    check(10, true, "change", json!({ "tag": SPEED.0 }), Some(STOP));
    check(599, false, "change", json!({ "tag": SPEED.0 }), Some(STOP + 60));
    let above = |value: f64, for_ms: f64| json!({ "condition": { "tag": TEMPERATURE.0, "op": "above", "value": value, "forMs": for_ms } });
    // Above what it is at 200 s: from 201 s on; and five seconds later it has been so for five seconds.
    check(10, true, "condition", above(temperature(200), 0.0), Some(201));
    check(10, true, "condition", above(temperature(200), 5_000.0), Some(206));
    check(10, true, "condition", above(1_000.0, 0.0), None);
    for wrong in [
        json!({ "what": "change", "tag": 99 }),
        json!({ "what": "stop", "unit": 99 }),
        json!({ "what": "condition" }),
        json!({ "what": "everything" }),
    ] {
        let mut request = json!({ "epoch": epoch, "fromMs": ms(0), "forward": true, "kinds": [], "unit": null, "tag": null, "condition": null });
        request.as_object_mut().expect("an object").extend(wrong.as_object().expect("an object").clone());
        assert_eq!(ground.asks("find", request).expect_err("makes no sense").code, ErrorCode::BadRequest, "{wrong}");
    }
    ground.ends();
}

#[test]
fn two_moments_are_compared() {
    let ground = Ground::with_a_recording();
    let epoch = ground.opens(&ground.shift().id);
    let compared: Comparison = ground.gets("compare", json!({ "epoch": epoch, "aMs": ms(290), "bMs": ms(330) }));
    assert_eq!((compared.a_ms, compared.b_ms), (ms(290), ms(330)));
    let unit = compared.units.iter().find(|unit| unit.unit == 0).expect("unit A stopped");
    assert_eq!((unit.a_state.as_str(), unit.b_state.as_str()), ("Execute", "Stopped"));
    assert_eq!(unit.first_changed_ms, Some(ms(STOP)));
    let tag = |id: u32| compared.tags.iter().find(|tag| tag.tag == id);
    let speed = tag(SPEED.0).expect("the speed differs");
    assert_eq!((speed.a.value, speed.b.value, speed.first_changed_ms), (Some(600.0), Some(0.0), Some(ms(STOP))));
    let warmth = tag(TEMPERATURE.0).expect("the temperature differs");
    assert_eq!((warmth.first_changed_ms, warmth.samples), (Some(ms(291)), 40.0));
    assert_eq!(compared.same_tags + compared.more_tags + compared.tags.len() as u32, 12);
    let same: Comparison = ground.gets("compare", json!({ "epoch": epoch, "aMs": ms(290), "bMs": ms(290) }));
    assert_eq!((same.units.len(), same.tags.len(), same.same_tags), (0, 0, 12));
    ground.ends();
}

#[test]
fn a_what_if_says_what_would_have_been() {
    let ground = Ground::with_a_recording();
    let epoch = ground.opens(&ground.shift().id);
    let all: WhatIfParameters = ground.gets("parameters", json!({ "epoch": epoch }));
    let minor = all.parameters.iter().find(|parameter| parameter.kind == ParameterKind::MinorStopS).expect("one");
    assert_eq!((minor.subject.as_str(), minor.value), ("", Some(120.0)));
    let run = |value: f64| -> WhatIfResult {
        ground.gets("what_if", json!({ "epoch": epoch, "changes": [{ "path": minor.path, "value": value }] }))
    };
    let short = |result: &WhatIfResult| {
        let pair = result.figures.iter().find(|pair| pair.kind == FigureKind::ShortStops && pair.recorded.is_some());
        pair.map(|pair| (pair.recorded, pair.what_if)).expect("a figure of stops")
    };
    assert_eq!(short(&run(120.0)), (Some(1.0), Some(1.0)), "as it was");
    assert_eq!(short(&run(30.0)), (Some(1.0), Some(0.0)), "a minute is no short stop any more");
    for wrong in [json!({ "path": "no/such", "value": 1.0 }), json!({ "path": minor.path, "value": -1.0 })] {
        let error = ground.asks("what_if", json!({ "epoch": epoch, "changes": [wrong] })).expect_err("makes no sense");
        assert_eq!(error.code, ErrorCode::Refused);
    }
    ground.ends();
}

/// The running shift answers as an opened recording does, and is marked through its recorder.
#[test]
fn the_running_shift_has_a_time_bar_and_takes_marks() {
    let ground = Ground::with_a_plant("");
    let epoch = ground.hello(None).epoch;
    let now = ground.until(epoch, |frame| frame.at > 0.0).at;
    let request = json!({ "epoch": epoch, "atMs": now - 15_000.0, "untilMs": null, "text": "seen", "author": null });
    let mark: MarkView = ground.gets("mark", request);
    assert!(mark.id > 0.0 && mark.made_ms >= now, "{mark:?}");
    // It is in the file with the next commit.
    let deadline = std::time::Instant::now() + PATIENCE;
    let bar = loop {
        let bar: TimelineView = ground.gets("timeline", json!({ "epoch": epoch }));
        if bar.marks == [mark.clone()] {
            break bar;
        }
        assert!(std::time::Instant::now() < deadline, "{:?}", bar.marks);
        ground.frame(epoch, ground.frame(epoch, 0.0, &[]).expect("live").cursor, &[]).expect("live");
    };
    assert!(bar.notices.iter().any(|notice| notice.kind == NoticeKind::Started));

    let running = ground.shifts().shifts.into_iter().find(|shift| shift.state == ShiftState::Recording);
    let running = running.expect("the running shift is in the list");
    let replay = ground.opens(&running.id);
    assert!(ground.frame(replay, 0.0, &[]).expect("open").replay().growing);
    let list: ShiftList = ground.gets("pin", json!({ "shift": running.id, "pinned": true }));
    assert!(list.shifts.iter().any(|shift| shift.id == running.id));
    let () = ground.gets("unmark", json!({ "epoch": replay, "mark": mark.id }));
    ground.ends();
}
