//! Events, marks and attachments: what a recording holds besides its inputs.

use crate::common::{PATIENCE, batch, header, rows, state};
use lineside_model::{ConnectionId, StatusCode, TagId, Timestamp, UnitId};
use lineside_recording::marks::{self, BOOKMARK, PIN};
use lineside_recording::{Appended, Direction, Event, KeyframeKind, Mark, RecordError, Recorder, ShiftFile, attach};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn event(at: i64, order: u32, kind: u16) -> Event {
    Event { seq: at as u64 / 1_000, order, at: Timestamp(at), kind, ..Event::default() }
}

/// Every field that there is.
fn full() -> Event {
    Event {
        seq: u64::MAX >> 1,
        order: u32::MAX,
        at: Timestamp(9_000),
        kind: u16::MAX,
        priority: Some(255),
        tag: Some(TagId(u32::MAX)),
        connection: Some(ConnectionId(7)),
        unit: Some(UnitId(0)),
        state: 255,
        mode: 3,
        known: true,
        from: Some(Timestamp::MIN),
        to: Some(Timestamp::MAX),
        lost: Some(u64::MAX),
        status: StatusCode(u32::MAX),
        detail: "Füller ∎".into(),
    }
}

/// A closed file with 30 inputs and these events.
fn recorded(events: Vec<Event>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    for first in [1, 11, 21] {
        assert_eq!(recorder.append(batch(first, 10)), Appended::Queued);
    }
    assert_eq!(recorder.events(events), Appended::Queued);
    recorder.close(PATIENCE).expect("closes");
    (dir, path)
}

fn damage(path: &Path, sql: &str) {
    Connection::open(path).expect("opens").execute_batch(sql).expect("damages");
}

#[test]
fn events_come_back_in_their_order_with_every_field() {
    let all = [event(1_000, 0, 4), event(1_000, 1, 3), event(5_000, 0, 4), full()];
    let mut shuffled = all.to_vec();
    shuffled.reverse();
    let (_dir, path) = recorded(shuffled);
    let file = ShiftFile::open(&path).expect("opens");
    assert!(file.has_all_events().expect("reads"));
    assert_eq!(file.events(Timestamp::MIN, Timestamp::MAX).expect("reads"), all);
    assert_eq!(file.events(Timestamp(1_000), Timestamp(5_000)).expect("reads"), all[..3]);
    assert_eq!(file.events(Timestamp(1_001), Timestamp(4_999)).expect("reads"), []);
}

#[test]
fn the_next_event_is_the_nearest_that_fits() {
    let (_dir, path) = recorded(vec![event(1_000, 0, 4), event(1_000, 1, 3), event(5_000, 0, 4), event(5_000, 1, 4)]);
    let file = ShiftFile::open(&path).expect("opens");
    let check = |kinds: &[u16], at: i64, direction, accept: &dyn Fn(&Event) -> bool, expected: Option<(i64, u32)>| {
        let found = file.next_event(kinds, Timestamp(at), direction, accept).expect("reads");
        assert_eq!(found.map(|e| (e.at.0, e.order)), expected, "{kinds:?} {direction:?} {at}");
    };
    let any = |_: &Event| true;
    check(&[], 0, Direction::After, &any, Some((1_000, 0)));
    check(&[], 1_000, Direction::After, &any, Some((5_000, 0)));
    check(&[3], 0, Direction::After, &any, Some((1_000, 1)));
    check(&[3, 4], 0, Direction::After, &any, Some((1_000, 0)));
    check(&[3], 1_000, Direction::After, &any, None);
    check(&[7], 0, Direction::After, &any, None);
    check(&[], i64::MAX, Direction::Before, &any, Some((5_000, 0)));
    check(&[4, 3], 5_000, Direction::Before, &any, Some((1_000, 0)));
    check(&[], 1_000, Direction::Before, &any, None);
    check(&[4], 0, Direction::After, &|e| e.order == 1, Some((5_000, 1)));
}

#[test]
fn an_event_recorded_again_replaces_itself() {
    let (dir, path) = recorded(vec![event(1_000, 0, 4)]);
    let mut recorder = Recorder::resume(&path).expect("resumes");
    recorder.events(vec![event(1_000, 0, 4), event(2_000, 0, 4)]);
    recorder.close(PATIENCE).expect("closes");
    let file = ShiftFile::open(&path).expect("opens");
    assert_eq!(file.events(Timestamp::MIN, Timestamp::MAX).expect("reads").len(), 2);
    drop(dir);
}

#[test]
fn inside_a_hole_events_are_refused_and_marks_are_not() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    assert_eq!(recorder.append(batch(5, 1)), Appended::Refused, "a hole");
    assert_eq!(recorder.events(vec![event(1, 0, 1)]), Appended::Refused);
    assert_eq!(recorder.mark(Mark { text: "here".into(), ..Mark::default() }), Some(1));
    assert!(recorder.status().awaiting_resume, "neither ends the hole");
    assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(5)), Appended::Queued);
    assert_eq!(recorder.events(vec![event(5_000, 0, 1)]), Appended::Queued);
    recorder.close(PATIENCE).expect("closes");
    let file = ShiftFile::open(&path).expect("opens");
    assert_eq!(file.events(Timestamp::MIN, Timestamp::MAX).expect("reads"), [event(5_000, 0, 1)]);
    assert_eq!(marks::list(&path).expect("reads").len(), 1);
}

#[test]
fn marks_are_made_changed_and_removed_live_and_afterwards() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    let mark = |id, at, text: &str| Mark {
        id,
        at: Timestamp(at),
        until: Some(Timestamp(at + 5)),
        kind: BOOKMARK,
        author: Some("Köhler".into()),
        text: text.into(),
        made: Timestamp(77),
    };
    assert_eq!(recorder.mark(mark(0, 900, "a")), Some(1));
    assert_eq!(recorder.mark(mark(0, 500, "b")), Some(2));
    assert_eq!(recorder.mark(mark(1, 900, "changed")), Some(1));
    recorder.flush(PATIENCE).expect("writes");
    assert_eq!(marks::list(&path).expect("reads"), [mark(2, 500, "b"), mark(1, 900, "changed")]);
    assert!(matches!(marks::add(&path, &mark(0, 1, "c")), Err(RecordError::InUse(_))), "the recorder has it");
    recorder.unmark(1);
    recorder.close(PATIENCE).expect("closes");

    let pin = Mark { id: 0, kind: PIN, ..Mark::default() };
    assert_eq!(marks::add(&path, &pin).expect("adds"), 3);
    assert!(!dir.path().join(format!("{}-wal", path.display())).exists(), "one file again");
    assert!(marks::remove(&path, 2).expect("removes"));
    assert!(!marks::remove(&path, 2).expect("removes"), "there is none");
    assert_eq!(marks::list(&path).expect("reads"), [Mark { id: 3, ..pin }]);

    let mut recorder = Recorder::resume(&path).expect("resumes");
    assert_eq!(recorder.mark(mark(0, 1, "d")), Some(4), "numbers go on");
    recorder.close(PATIENCE).expect("closes");
    let entries = std::fs::read_dir(dir.path()).expect("lists").count();
    assert_eq!(entries, 1, "one file again");
}

#[test]
fn a_mark_on_a_file_left_by_a_crash_makes_it_one_file() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    recorder.append(batch(1, 10));
    recorder.flush(PATIENCE).expect("writes");
    // What a crash leaves is what stands there now.
    let copy = dir.path().join("copy.shift");
    for ending in ["", "-wal"] {
        std::fs::copy(format!("{}{ending}", path.display()), format!("{}{ending}", copy.display())).expect("copies");
    }
    marks::add(&copy, &Mark::default()).expect("adds");
    assert!(!dir.path().join("copy.shift-wal").exists());
    assert_eq!(rows(&copy, 0).len(), 1);
    assert_eq!(marks::list(&copy).expect("reads").len(), 1);
}

#[cfg(unix)]
#[test]
fn on_read_only_media_a_mark_is_refused_in_words() {
    let (_dir, path) = recorded(vec![event(1, 0, 1)]);
    let mut rights = std::fs::metadata(&path).expect("examines").permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&path, rights).expect("protects");
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        return; // this user may write everything
    }
    let error = marks::add(&path, &Mark::default()).expect_err("write-protected");
    assert!(matches!(error, RecordError::NotWritable { .. }), "{error}");
}

#[test]
fn files_of_earlier_programs_take_events_and_marks_and_say_that_the_index_is_not_complete() {
    let (_dir, path) = recorded(vec![event(1_000, 0, 4)]);
    damage(&path, "DROP TABLE event; DELETE FROM meta WHERE k = 'events'");
    let file = ShiftFile::open(&path).expect("opens");
    assert!(!file.has_all_events().expect("reads"));
    assert_eq!(file.events(Timestamp::MIN, Timestamp::MAX).expect("reads"), []);
    assert_eq!(file.next_event(&[], Timestamp(0), Direction::After, &|_| true).expect("reads"), None);
    assert_eq!(marks::list(&path).expect("reads"), []);
    assert_eq!(attach::list(&path).expect("reads"), []);
    assert_eq!(attach::read(&path, "x").expect("reads"), None);

    let mut recorder = Recorder::resume(&path).expect("resumes");
    recorder.events(vec![event(9_000, 0, 4)]);
    assert_eq!(recorder.mark(Mark::default()), Some(1));
    recorder.close(PATIENCE).expect("closes");
    attach::add(&path, "x", "text/plain", b"y").expect("adds");
    assert_eq!(file.events(Timestamp::MIN, Timestamp::MAX).expect("reads").len(), 1);
    assert_eq!(file.marks().expect("reads").len(), 1);
    assert!(!file.has_all_events().expect("reads"), "what lies before is not in it");
}

#[test]
fn attachments_come_back_whole_or_not_at_all() {
    let (_dir, path) = recorded(vec![]);
    let picture: Vec<u8> = (0..100_000u32).map(|n| (n * 7) as u8).collect();
    attach::add(&path, "a.png", "image/png", &picture).expect("adds");
    attach::add(&path, "note", "text/plain", b"old").expect("adds");
    attach::add(&path, "note", "text/plain", b"new").expect("replaces");
    let list = attach::list(&path).expect("reads");
    assert_eq!(list.iter().map(|a| (a.name.as_str(), a.bytes)).collect::<Vec<_>>(), [("a.png", 100_000), ("note", 3)]);
    assert_eq!(attach::read(&path, "a.png").expect("reads"), Some(picture));
    assert_eq!(attach::read(&path, "note").expect("reads").as_deref(), Some(&b"new"[..]));
    assert_eq!(attach::read(&path, "none").expect("reads"), None);
    let large = vec![0; attach::SIZE_MAX + 1];
    assert!(matches!(attach::add(&path, "x", "", &large), Err(RecordError::TooLarge { .. })));
    damage(&path, "UPDATE attach SET body = zeroblob(3) WHERE name = 'note'");
    assert!(attach::read(&path, "note").is_err());
    let report = ShiftFile::open(&path).expect("opens").verify().expect("verifies");
    assert_eq!(report.attachments, 2);
    assert_eq!(report.beside.len(), 1, "{report:?}");
    assert!(report.beside[0].contains("note"), "{report:?}");
}

#[test]
fn a_damaged_row_is_left_out() {
    let check = |sql: &str, events: usize, marks_left: usize| {
        let (_dir, path) = recorded(vec![event(1_000, 0, 4), event(2_000, 0, 4)]);
        marks::add(&path, &Mark { text: "a".into(), ..Mark::default() }).expect("adds");
        damage(&path, sql);
        let file = ShiftFile::open(&path).expect("opens");
        assert_eq!(file.events(Timestamp::MIN, Timestamp::MAX).expect("reads").len(), events, "{sql}");
        assert_eq!(file.marks().expect("reads").len(), marks_left, "{sql}");
        let report = file.verify().expect("verifies");
        assert_eq!((report.events, report.marks, report.inputs), (2, 1, 30), "{sql}: {report:?}");
        assert_eq!(report.is_intact(), events + marks_left == 3, "{sql}: {report:?}");
    };
    check("SELECT 1", 2, 1);
    check("UPDATE event SET kind = 5 WHERE at = 1000", 1, 1);
    check("UPDATE event SET kind = 'x', tag = -1 WHERE at = 1000", 1, 1);
    check("UPDATE event SET detail = x'FF' WHERE at = 1000", 1, 1);
    check("UPDATE event SET lost = 3", 0, 1);
    check("UPDATE mark SET text = 'b'", 2, 0);
    check("UPDATE mark SET made = NULL", 2, 0);
}
