//! Recordings as sessions beside the plant: each screen has its own, and none has a way to the plant.

use crate::ground::*;
use lineside_api::wire::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn a_program_without_a_plant_shows_recordings() {
    let ground = Ground::with_a_recording();
    let nothing = ground.hello(None);
    assert_eq!((nothing.epoch, &nothing.plant, &nothing.open), (0, &None, &None));

    let shift = ground.shift();
    assert_eq!((shift.line.as_str(), shift.shift.as_str(), shift.date.as_str()), ("Line 0", "Day", "2023-11-14"));
    assert_eq!(
        (&shift.state, shift.scheduled, shift.outside, shift.pinned),
        (&ShiftState::Complete, true, false, false)
    );
    assert_eq!((shift.gaps, shift.stops, shift.marks, &shift.clip), (Some(1), Some(1), 0, &None));
    assert!(shift.from_ms <= ms(1) && shift.to_ms >= ms(SECONDS), "{shift:?}");

    let epoch = ground.opens(&shift.id);
    let hello = ground.hello(Some(epoch));
    assert_eq!((&hello.mode, hello.epoch), (&SessionMode::Replay, epoch));
    assert_eq!(hello.plant.map(|plant| plant.tag_count), Some(12));
    let tags: TagPage = ground.gets("tags", json!({ "epoch": epoch, "offset": 0, "limit": 100 }));
    assert_eq!(tags.tags[TEMPERATURE.0 as usize].name, "B.Temperature");
    let connections: ConnectionsView = ground.gets("connections", json!({ "epoch": epoch }));
    assert_eq!(connections.connections.len(), 2);

    let frame = ground.frame(epoch, 0.0, &[TEMPERATURE]).expect("open");
    assert_eq!((frame.is_replay, frame.epoch), (true, epoch));
    let view = frame.replay();
    assert_eq!((view.position_ms, view.playing, view.growing), (view.from_ms, false, false));
    assert_eq!((&view.shift, &view.file, &view.doubt), (&shift.id, &shift.file, &ReplayDoubt::None));
    ground.ends();
}

#[test]
fn playing_stepping_and_seeking_reach_the_states_that_were_live() {
    let ground = Ground::with_a_recording();
    let epoch = ground.opens(&ground.shift().id);
    let value = |second: i64| {
        let frame = ground.frame(epoch, 0.0, &[TEMPERATURE]).expect("open");
        assert_eq!((frame.at, frame.replay().position_ms), (ms(second), ms(second)));
        assert_eq!(frame.values, [temperature(second)], "at {second} s");
    };
    for second in [250, 10, 599, 130] {
        let view = ground.plays(epoch, "seek", Some(ms(second)));
        assert_eq!(view.position_ms, ms(second));
        value(second);
    }
    ground.plays(epoch, "step", Some(-30_000.0));
    value(100);
    ground.plays(epoch, "stepChange", Some(1.0));
    value(101);
    ground.plays(epoch, "stepChange", Some(-1.0));
    value(100);

    ground.plays(epoch, "seek", Some(ms(0)));
    ground.plays(epoch, "play", Some(0.0));
    let end = ground.until(epoch, |frame| !frame.replay().playing);
    let view = end.replay();
    assert_eq!((view.position_ms, view.differs_at_ms, view.damaged), (view.to_ms, None, 0));
    assert!(view.digests_equal >= 60, "one every ten seconds: {view:?}");

    let looped: ReplayView =
        ground.gets("play", json!({ "epoch": epoch, "action": "loop", "value": ms(50), "untilMs": ms(60) }));
    assert_eq!((looped.loop_from_ms, looped.loop_to_ms), (Some(ms(50)), Some(ms(60))));
    for wrong in [
        json!({ "action": "seek", "value": null }),
        json!({ "action": "loop", "value": 1.0 }),
        json!({ "action": "rewind" }),
    ] {
        let mut request = json!({ "epoch": epoch, "value": null, "untilMs": null });
        request.as_object_mut().expect("an object").extend(wrong.as_object().expect("an object").clone());
        assert_eq!(ground.asks("play", request).expect_err("makes no sense").code, ErrorCode::BadRequest, "{wrong}");
    }
    ground.ends();
}

/// A supervisor's replay changes nothing on the operator's screen, nor on that of another supervisor.
#[test]
fn two_screens_look_at_one_file_while_the_plant_goes_on() {
    let ground = Ground::with_a_plant("");
    let live = ground.hello(None);
    assert!(live.epoch > 0 && live.plant.is_some());
    let asked = live.open.expect("the program was started with a file");
    assert!(ground.shifts().shifts.iter().any(|shift| shift.id == asked && shift.outside));

    let (one, other) = (ground.opens(&asked), ground.opens(&asked));
    assert!(one != other && one != live.epoch && other != live.epoch);
    assert_eq!(ground.hello(None).open, None, "it is open now");
    let before = ground.frame(live.epoch, 0.0, &[]).expect("the plant is there");
    assert!(!before.is_replay && before.tail.replay.is_none());

    ground.plays(one, "seek", Some(ms(100)));
    ground.plays(other, "seek", Some(ms(500)));
    let at = |epoch| ground.frame(epoch, 0.0, &[TEMPERATURE]).expect("open").values;
    assert_eq!((at(one), at(other)), (vec![temperature(100)], vec![temperature(500)]));
    let after = ground.until(live.epoch, |frame| frame.at > before.at);
    assert!(!after.is_replay);

    let () = ground.gets("close", json!({ "epoch": one }));
    assert_eq!(ground.frame(one, 0.0, &[]).err().map(|error| error.code), Some(ErrorCode::Stale));
    assert_eq!(at(other), [temperature(500)]);
    assert!(ground.frame(live.epoch, 0.0, &[]).is_ok());
    // Setup belongs to the plant, whatever somebody looks at.
    assert!(ground.asks("certificates", Json::Null).is_ok());
    ground.ends();
}

#[test]
fn what_names_a_session_that_is_over_is_told_so() {
    let ground = Ground::with_a_recording();
    let shift = ground.shift().id;
    let first = ground.opens(&shift);
    for _ in 0..6 {
        ground.opens(&shift); // the one unused for the longest time makes room
    }
    let mut condition = json!({ "epoch": first, "fromMs": 0.0, "forward": true, "what": "gap", "kinds": [] });
    condition["unit"] = Json::Null;
    let requests = [
        ("hello", json!({ "epoch": first })),
        ("tags", json!({ "epoch": first, "offset": 0, "limit": 1 })),
        ("connections", json!({ "epoch": first })),
        ("explain", json!({ "epoch": first, "tag": 0 })),
        ("play", json!({ "epoch": first, "action": "pause", "value": null, "untilMs": null })),
        ("timeline", json!({ "epoch": first })),
        ("lane", json!({ "epoch": first, "tag": 0, "fromMs": ms(0), "toMs": ms(1), "columns": 1 })),
        ("find", condition),
        ("compare", json!({ "epoch": first, "aMs": ms(0), "bMs": ms(1) })),
        ("mark", json!({ "epoch": first, "atMs": ms(0), "untilMs": null, "text": "", "author": null })),
        ("unmark", json!({ "epoch": first, "mark": 1 })),
        ("parameters", json!({ "epoch": first })),
        ("what_if", json!({ "epoch": first, "changes": [] })),
    ];
    for (command, request) in requests {
        assert_eq!(ground.asks(command, request).expect_err("over").code, ErrorCode::Stale, "{command}");
    }
    let () = ground.gets("close", json!({ "epoch": first })); // closed already is fine
    for path in ["../plant.toml", "/etc/passwd", "a/b.shift", "outside:1", "imported:x.shift", ""] {
        let error = ground.asks("open", json!({ "shift": path, "atMs": null })).expect_err("no recording");
        assert_eq!(error.code, ErrorCode::Refused, "{path}");
    }
    ground.ends();
}

/// Replay cannot write. By type: `ReplaySession` is made of a file for reading, an engine and a view; it has no adapter,
/// no recorder and no executor, and nothing in the api hands it one, so there is no seam at which a test could even wait
/// for a request to a server. What can be seen from outside is shown here: a file with values, a gap, a stop and a mark in it
/// is played, searched, compared and run again, in a program that has no plant and so no connection at all, and not a
/// byte of any file below the data folder is another afterwards.
#[test]
fn a_replay_writes_nothing_anywhere() {
    let ground = Ground::with_a_recording();
    let shift = ground.shift().id;
    let epoch = ground.opens(&shift);
    let _: MarkView = ground
        .gets("mark", json!({ "epoch": epoch, "atMs": ms(310), "untilMs": null, "text": "why?", "author": null }));
    let before = contents(ground.home.path());
    assert_eq!(before.len(), 1, "one recording: {:?}", before.keys());

    ground.plays(epoch, "seek", Some(ms(0)));
    ground.plays(epoch, "play", Some(0.0));
    ground.until(epoch, |frame| !frame.replay().playing);
    ground.plays(epoch, "seek", Some(ms(200)));
    let _: TimelineView = ground.gets("timeline", json!({ "epoch": epoch }));
    let _: Comparison = ground.gets("compare", json!({ "epoch": epoch, "aMs": ms(10), "bMs": ms(590) }));
    let _: WhatIfResult =
        ground.gets("what_if", json!({ "epoch": epoch, "changes": [{ "path": "line/minor_stop", "value": 10.0 }] }));
    let _: VerifyView = ground.gets("verify", json!({ "shift": shift }));
    let () = ground.gets("close", json!({ "epoch": epoch }));
    assert!(before == contents(ground.home.path()), "a file was changed");
    ground.ends();
}

/// Every file below a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            all.extend(contents(&entry));
        } else {
            all.insert(entry.clone(), std::fs::read(&entry).expect("a file"));
        }
    }
    all
}
