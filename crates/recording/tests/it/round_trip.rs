//! What is recorded is read back: while it is written, after closing, after dropping, and after a restart.

use crate::common::{PATIENCE, assert_as_written, batch, header, rows, short, state};
use lineside_model::Timestamp;
use lineside_recording::{Appended, KeyframeKind, Recorder, Row, ShiftFile, State, find_newest};

#[test]
fn a_file_is_read_in_replay_order_while_written_and_after_closing() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(10)).expect("creates");
    let path = recorder.path().to_owned();
    assert_eq!(path.file_name().and_then(|n| n.to_str()), Some("line-3-2026-11-21-early.shift"));
    for first in [11, 14, 17] {
        assert_eq!(recorder.append(batch(first, 3)), Appended::Queued);
        recorder.digest(first + 2, Timestamp(1), 7);
    }
    assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(30)), Appended::Queued);
    assert_eq!(recorder.append(batch(31, 2)), Appended::Queued);
    recorder.flush(PATIENCE).expect("flushes");
    let expected = "b11-13 d13 b14-16 d16 b17-19 d19 k30 b31-32";
    assert_eq!(short(&rows(&path, 0)), expected);
    assert_eq!(recorder.status().committed_seq, 32);
    assert_eq!(recorder.status().state, State::Ok);

    recorder.close(PATIENCE).expect("closes");
    assert_eq!(short(&rows(&path, 0)), expected);
    assert_eq!(short(&rows(&path, 14)), "b15-16 d16 b17-19 d19 k30 b31-32");
    assert_eq!(short(&rows(&path, 19)), "k30 b31-32");
    assert_eq!(short(&rows(&path, 32)), "");
    assert_as_written(&rows(&path, 12));
    let file = ShiftFile::open(&path).expect("opens");
    assert_eq!(file.header(), &header());
    assert_eq!(file.start().expect("start"), state(10));
    assert_eq!(file.last(), Some((32, Timestamp(33_000))));
    assert!(file.verify().expect("verifies").is_intact());
    assert_eq!(std::fs::read_dir(dir.path()).expect("folder").count(), 1, "one file");
}

#[test]
fn a_reader_follows_a_file_that_is_being_written() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let mut follow = ShiftFile::open(recorder.path()).expect("opens").rows(0);
    assert!(follow.next().is_none());
    for first in [1, 4] {
        recorder.append(batch(first, 3));
        recorder.flush(PATIENCE).expect("flushes");
        assert!(matches!(follow.next(), Some(Ok(Row::Batch(batch))) if batch.first_seq == first));
        assert!(follow.next().is_none());
    }
    recorder.close(PATIENCE).expect("a reader that waits does not hinder closing");
    assert!(follow.next().is_none());
}

#[test]
fn a_recording_is_continued_after_closing_and_after_dropping() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    recorder.append(batch(1, 5));
    drop(recorder);
    for (first, close) in [(6, true), (11, false), (16, true)] {
        let mut recorder = Recorder::resume(&path).expect("resumes");
        assert_eq!(recorder.status().committed_seq, first - 1);
        assert_eq!(recorder.append(batch(first, 5)), Appended::Queued);
        if close {
            recorder.close(PATIENCE).expect("closes");
        }
    }
    assert_eq!(short(&rows(&path, 0)), "b1-5 b6-10 b11-15 b16-20");
}

#[test]
fn the_newest_file_is_found_and_unreadable_ones_are_named() {
    let dir = tempfile::tempdir().expect("temp folder");
    assert!(find_newest(&dir.path().join("none")).newest.is_none());
    for (start, seq) in [(5, 0), (9, 100), (9, 50), (7, 0)] {
        let mut header = header();
        header.shift.start = Timestamp(start);
        Recorder::create(dir.path(), header, &state(seq)).expect("creates").close(PATIENCE).expect("closes");
    }
    std::fs::write(dir.path().join("empty.shift"), "").expect("writes");
    std::fs::write(dir.path().join("text.shift"), "not a database, but long enough to be looked at".repeat(9))
        .expect("writes");
    let found = find_newest(dir.path());
    let newest = found.newest.expect("there is one");
    assert_eq!((newest.header().shift.start, newest.last()), (Timestamp(9), Some((100, Timestamp(100_000)))));
    let words: Vec<String> = found.unreadable.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(words[0].contains("empty.shift: the creation of this file was cut short"), "{words:?}");
    assert!(words[1].contains("text.shift: this is not a Lineside shift file"), "{words:?}");
}

#[test]
fn long_files_stream_in_portions() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let mut next = 1;
    for _ in 0..150 {
        assert_eq!(recorder.append(batch(next, 2_000)), Appended::Queued);
        next += 2_000;
        recorder.digest(next - 1, Timestamp(1), next);
    }
    recorder.flush(PATIENCE).expect("flushes");
    let all = rows(recorder.path(), 0);
    assert_eq!(all.len(), 300);
    let order: Vec<u64> = all
        .iter()
        .map(|row| match row {
            Row::Batch(batch) => batch.last_seq() * 2,
            Row::Digest { seq, .. } => seq * 2 + 1,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_as_written(&all);
}
