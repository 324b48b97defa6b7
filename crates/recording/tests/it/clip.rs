//! Clips: a stretch of a recording as one of its own.

use crate::common::{PATIENCE, assert_as_written, batch, header, rows, short, state};
use lineside_model::state::{PlantState, TagState};
use lineside_model::{Input, TagId, Timestamp, Value};
use lineside_recording::library::Library;
use lineside_recording::marks::PIN;
use lineside_recording::{ClipOf, Event, KeyframeKind, Mark, Recorder, Row, ShiftFile, clip};
use std::path::PathBuf;
use tempfile::TempDir;

/// Batches of ten inputs, the last number of each times 1000 its stamp; a digest after each, a state in passing after the
/// third, and a hole before the sixth: 1-10 … 41-50, Resume at 60, 61-70 …
fn recorded() -> (TempDir, ShiftFile) {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    for first in [1, 11, 21, 31, 41, 61, 71] {
        if first == 61 {
            recorder.keyframe(KeyframeKind::Resume, &full(60));
        }
        recorder.append(batch(first, 10));
        let seq = first + 9;
        recorder.digest(seq, at(seq), seq);
        recorder.events(vec![
            Event { seq, at: at(seq), kind: 1, ..Event::default() },
            Event { seq, at: at(seq), order: 1, kind: 2, tag: Some(TagId(7)), ..Event::default() },
        ]);
        if first == 21 {
            recorder.keyframe(KeyframeKind::Periodic, &full(30));
        }
    }
    for mark in [5, 35, 75].map(|seq| Mark { at: at(seq), text: seq.to_string().into(), ..Mark::default() }) {
        recorder.mark(mark);
    }
    recorder.mark(Mark { kind: PIN, at: at(35), ..Mark::default() });
    recorder.close(PATIENCE).expect("closes");
    let file = ShiftFile::open(path).expect("opens");
    (dir, file)
}

fn at(seq: u64) -> Timestamp {
    Timestamp((seq as i64 + 1) * 1_000)
}

/// A state with values in it.
fn full(seq: u64) -> PlantState {
    let tag = TagState { value: Value::UInt(seq), received: Some(at(seq)), ..TagState::default() };
    PlantState { at: at(seq), tags: vec![tag; 50], ..state(seq) }
}

fn target(dir: &TempDir) -> PathBuf {
    dir.path().join("clip.shift")
}

#[test]
fn a_clip_of_all_tags_keeps_numbers_and_digests() {
    let (dir, source) = recorded();
    let target = target(&dir);
    let clipped = clip(&source, &full(20), at(70), None, &target).expect("clips");
    assert_eq!((clipped.inputs, clipped.events, clipped.marks, clipped.damaged), (40, 10, 1, 0));
    let found = rows(&target, 0);
    assert_eq!(short(&found), "b21-30 d30 b31-40 d40 b41-50 d50 k60 b61-70 d70");
    assert_as_written(&found);
    let file = ShiftFile::open(&target).expect("opens");
    assert_eq!(file.start().expect("reads"), full(20));
    assert_eq!(file.header(), source.header());
    assert!(file.verify().expect("verifies").is_intact());
    assert!(file.has_all_events().expect("reads"));
    assert_eq!(
        file.events(Timestamp::MIN, Timestamp::MAX).expect("reads"),
        source.events(at(20), at(70)).expect("reads")
    );
    assert_eq!(file.marks().expect("reads").iter().map(|mark| mark.text.to_string()).collect::<Vec<_>>(), ["35"]);
    let of = ClipOf { source: name(&source), from: at(20), to: at(70), tags: None };
    assert_eq!(file.clip_of().expect("reads"), Some(of.clone()));
    assert_eq!(source.clip_of().expect("reads"), None);
    let listed = Library::new(dir.path()).list(None).expect("lists");
    assert_eq!(listed.iter().filter_map(|entry| entry.about.clone()?.clip).collect::<Vec<_>>(), [of]);
    assert_eq!(listed.len(), 2, "nothing else is left behind");
    let passing = lineside_recording::Reader::new(file).keyframe_before(at(40)).expect("reads");
    assert_eq!(passing.seq, 30, "states in passing come along");
}

fn name(file: &ShiftFile) -> String {
    file.path().file_name().expect("has a name").to_string_lossy().into_owned()
}

#[test]
fn a_clip_of_some_tags_knows_nothing_of_the_others() {
    let (dir, source) = recorded();
    let target = target(&dir);
    let tags = [TagId(1), TagId(5), TagId(7)];
    let clipped = clip(&source, &full(20), at(70), Some(&tags), &target).expect("clips");
    // The tag is the number modulo 50: nothing from 21 to 50, then 61 to 70 are 11 to 20.
    assert_eq!((clipped.inputs, clipped.events), (0, 10));
    let tags = [TagId(0), TagId(22), TagId(45), TagId(11), TagId(12)];
    clip(&source, &full(20), at(70), Some(&tags), &target).expect("replaces");
    let found = rows(&target, 0);
    assert_eq!(short(&found), "b21-21 b22-23 k23 b24-25", "renumbered, without digests");
    let kept = found.iter().flat_map(|row| match row {
        Row::Batch(batch) => batch.inputs.clone(),
        _ => Vec::new(),
    });
    let values: Vec<_> = kept
        .filter_map(|input| match input {
            Input::Sample(sample) => Some((sample.tag.0, sample.value)),
            _ => None,
        })
        .collect();
    let expected = [(22, 22), (45, 45), (0, 50), (11, 61), (12, 62)].map(|(tag, value)| (tag, Value::UInt(value)));
    assert_eq!(values, expected);
    let file = ShiftFile::open(&target).expect("opens");
    let start = file.start().expect("reads");
    assert_eq!(
        (start.seq, start.tags[22].value.clone(), start.tags[23].value.clone()),
        (20, Value::UInt(20), Value::Empty)
    );
    let events = file.events(Timestamp::MIN, Timestamp::MAX).expect("reads");
    assert!(events.iter().all(|event| event.tag.is_none()), "those of other tags are left out");
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [20, 21, 21, 23, 25], "as the inputs");
    assert!(file.verify().expect("verifies").is_intact());
    assert_eq!(file.clip_of().expect("reads").and_then(|of| of.tags), Some(tags.to_vec()));
}

#[test]
fn what_is_damaged_in_the_source_is_missing_in_the_clip() {
    let check = |tags: Option<&[TagId]>| {
        let (dir, source) = recorded();
        let sql = "UPDATE journal SET crc = 0 WHERE seq = 31; UPDATE block SET crc = 0 WHERE seq0 = 31";
        let connection = rusqlite::Connection::open(source.path()).expect("opens");
        for sql in sql.split(';') {
            connection.execute_batch(sql).unwrap_or_default(); // the table of blocks may not be there
        }
        drop(connection);
        let clipped = clip(&source, &full(20), at(80), tags, &target(&dir)).expect("clips");
        assert!(clipped.damaged > 0);
        let report = ShiftFile::open(target(&dir)).expect("opens").verify().expect("verifies");
        assert_eq!(report.damaged.len(), 1, "{report:?}");
    };
    check(None);
    check(Some(&[TagId(1), TagId(30), TagId(12)]));
}

#[test]
fn what_is_given_up_leaves_nothing_behind() {
    let (dir, source) = recorded();
    let nowhere = dir.path().join("none").join("x.shift");
    assert!(clip(&source, &full(20), at(70), None, &nowhere).is_err());
    std::fs::remove_file(source.path()).expect("removes");
    assert!(clip(&source, &full(20), at(70), None, &target(&dir)).is_err(), "the source is gone");
    assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 0);
}
