//! When the recorder cannot write: clear words, nothing half-written, no silent hole, and it goes on by itself.

use crate::common::{PATIENCE, assert_as_written, batch, header, rows, short, state};
use lineside_model::Timestamp;
use lineside_recording::{Appended, KeyframeKind, OpenError, Options, RecordError, Recorder, ShiftFile, State};
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;

/// Commits only when asked to, so that the tests decide when the disk is met.
fn patient() -> Options {
    Options { commit_every: PATIENCE, queue_inputs: 20_000, retry_after: PATIENCE, ..Options::default() }
}

fn begun(options: Options) -> (TempDir, Recorder) {
    let dir = tempfile::tempdir().expect("temp folder");
    let recorder = Recorder::create_with(dir.path(), header(), &state(0), options).expect("creates");
    (dir, recorder)
}

fn assert_says(error: &dyn std::error::Error, expected: &[&str]) {
    let text = error.to_string();
    assert!(expected.iter().all(|part| text.contains(part)), "{text:?} says not {expected:?}");
}

/// Writing fails with these words; what was committed before stays the whole content.
fn assert_cannot_write(recorder: &Recorder, expected: &[&str]) -> bool {
    let error = recorder.flush(PATIENCE).expect_err("cannot write");
    assert_says(&error, expected);
    match recorder.status().state {
        State::Failed { needs_new_file, since, .. } => {
            assert_eq!(Some(since), recorder.status().oldest_queued);
            needs_new_file
        }
        State::Ok => panic!("the status says it is well"),
    }
}

#[test]
fn a_full_disk_loses_nothing_until_the_queue_is_full_and_never_without_a_mark() {
    let options = patient();
    let limit = options.page_limit.clone();
    let (_dir, mut recorder) = begun(options);
    let path = recorder.path().to_owned();
    recorder.append(batch(1, 100));
    recorder.flush(PATIENCE).expect("flushes");

    limit.store(1, Ordering::Relaxed);
    recorder.append(batch(101, 10_000));
    recorder.digest(10_100, Timestamp(1), 7);
    assert!(!assert_cannot_write(&recorder, &["line-3-2026-11-21-early.shift", "disk is full", "free some space"]));
    assert_eq!(short(&rows(&path, 0)), "b1-100", "nothing of what failed");
    assert_eq!(recorder.append(batch(10_101, 9_000)), Appended::Queued, "there is room");
    assert_eq!(recorder.append(batch(19_101, 2_000)), Appended::Refused, "no room");
    assert_eq!(recorder.append(batch(21_101, 1)), Appended::Refused, "a small one must not slip behind a hole");
    assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(21_101)), Appended::Refused, "cannot write yet");
    assert!(recorder.status().awaiting_resume);
    assert_eq!(recorder.status().committed_seq, 100);
    assert_eq!(recorder.status().queued_samples, 19_000);

    limit.store(0, Ordering::Relaxed);
    recorder.flush(PATIENCE).expect("writes again");
    assert_eq!(recorder.status().state, State::Ok);
    assert_eq!(recorder.append(batch(21_102, 1)), Appended::Refused, "first the state behind the hole");
    recorder.digest(21_102, Timestamp(1), 7);
    assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(21_102)), Appended::Queued);
    assert_eq!(recorder.append(batch(21_103, 5)), Appended::Queued);
    recorder.close(PATIENCE).expect("closes");
    let found = rows(&path, 0);
    assert_eq!(short(&found), "b1-100 b101-10100 d10100 b10101-19100 k21102 b21103-21107");
    assert_as_written(&found);
}

#[test]
fn it_tries_again_by_itself() {
    let (tell, committed) = std::sync::mpsc::channel();
    let options = Options {
        commit_every: Duration::ZERO,
        retry_after: Duration::from_millis(5),
        on_commit: Some(std::sync::Arc::new(move |commit| tell.send(commit.committed_seq).expect("test listens"))),
        ..Options::default()
    };
    let limit = options.page_limit.clone();
    let (_dir, mut recorder) = begun(options);
    limit.store(1, Ordering::Relaxed);
    recorder.append(batch(1, 10_000));
    recorder.flush(PATIENCE).expect_err("the disk is full");
    limit.store(0, Ordering::Relaxed);
    assert_eq!(committed.recv_timeout(PATIENCE), Ok(10_000));
    assert_eq!(recorder.status().state, State::Ok);
}

#[test]
fn a_batch_out_of_sequence_opens_a_hole() {
    let (_dir, mut recorder) = begun(patient());
    assert_eq!(recorder.append(batch(1, 5)), Appended::Queued);
    assert_eq!(recorder.append(batch(7, 5)), Appended::Refused);
    assert_eq!(recorder.append(batch(6, 5)), Appended::Refused);
    assert_eq!(recorder.keyframe(KeyframeKind::Start, &state(6)), Appended::Refused, "there is one start");
    assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(4)), Appended::Refused, "lies before what is recorded");
    assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(6)), Appended::Queued);
    assert_eq!(recorder.append(batch(7, 5)), Appended::Queued);
    recorder.flush(PATIENCE).expect("flushes");
    assert_eq!(short(&rows(recorder.path(), 0)), "b1-5 k6 b7-11");
}

#[test]
fn a_file_held_by_another_program_is_written_when_it_lets_go() {
    let (_dir, mut recorder) = begun(patient());
    let other = Connection::open(recorder.path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    recorder.append(batch(1, 5));
    assert!(!assert_cannot_write(&recorder, &["early.shift", "held locked by another program", "close that program"]));
    other.execute_batch("ROLLBACK").expect("unlocks");
    recorder.flush(PATIENCE).expect("writes again");
    drop(other);
    assert_eq!(short(&rows(recorder.path(), 0)), "b1-5");
}

#[test]
fn a_file_removed_or_replaced_while_written_needs_a_new_one() {
    let check = |change: fn(&Path)| {
        let (dir, mut recorder) = begun(patient());
        recorder.append(batch(1, 5));
        recorder.flush(PATIENCE).expect("flushes");
        change(recorder.path());
        recorder.append(batch(6, 5));
        assert!(assert_cannot_write(&recorder, &["early.shift", "removed or replaced", "a new file must be begun"]));
        assert_eq!(recorder.status().committed_seq, 5);
        assert_eq!(recorder.append(batch(11, 5)), Appended::Refused);
        recorder.close(PATIENCE).expect_err("there is nothing to close");
        let mut next = Recorder::create_with(dir.path(), header(), &state(15), patient()).expect("begins a new file");
        assert_eq!(next.append(batch(16, 5)), Appended::Queued);
        next.close(PATIENCE).expect("closes");
    };
    check(|path| std::fs::remove_file(path).expect("removes"));
    check(|path| {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).expect("copies");
        std::fs::rename(copy, path).expect("replaces");
    });
}

#[cfg(unix)]
#[test]
fn a_removed_log_is_noticed_and_nothing_is_lost() {
    let (_dir, mut recorder) = begun(patient());
    recorder.append(batch(1, 5));
    recorder.flush(PATIENCE).expect("flushes");
    let mut log = recorder.path().as_os_str().to_owned();
    log.push("-wal");
    std::fs::remove_file(&log).expect("removes");
    recorder.append(batch(6, 5));
    assert!(!assert_cannot_write(&recorder, &["early.shift", "-wal", "removed"]));
    recorder.flush(PATIENCE).expect("goes on");
    assert_eq!(recorder.status().committed_seq, 10);
    assert_eq!(short(&rows(recorder.path(), 0)), "b1-5 b6-10");
}

#[test]
fn a_second_writer_is_noticed() {
    let (_dir, mut first) = begun(patient());
    let mut second = Recorder::resume_with(first.path(), patient()).expect("opens");
    first.append(batch(1, 5));
    first.flush(PATIENCE).expect("flushes");
    second.append(batch(1, 5));
    assert!(assert_cannot_write(&second, &["early.shift", "another program has written into this file"]));
    first.append(batch(6, 5));
    first.flush(PATIENCE).expect("the first goes on");
    assert_eq!(short(&rows(first.path(), 0)), "b1-5 b6-10");
}

#[test]
fn a_reader_that_stays_keeps_the_log_but_no_data() {
    let (_dir, mut recorder) = begun(patient());
    let path = recorder.path().to_owned();
    recorder.append(batch(1, 5));
    let reader = Connection::open(&path).expect("opens");
    reader.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0)).expect("reads");
    let error = recorder.close(Duration::from_millis(100)).expect_err("the file is still read");
    assert_says(&error, &["early.shift", "complete, but another program reads it"]);
    drop(reader);
    assert_eq!(short(&rows(&path, 0)), "b1-5");
    Recorder::resume(&path).expect("resumes").close(PATIENCE).expect("now it is one file");
}

#[test]
fn places_that_cannot_hold_a_recording_are_named() {
    let dir = tempfile::tempdir().expect("temp folder");
    let file = dir.path().join("file");
    std::fs::write(&file, "x").expect("writes");
    for place in [file.clone(), file.join("below")] {
        let error = Recorder::create(&place, header(), &state(0)).err().expect("no folder");
        assert!(matches!(error, RecordError::Folder { .. }), "{error:?}");
        assert_says(&error, &["file", "cannot create a recording in this folder"]);
    }
    let error = Recorder::resume(&dir.path().join("none.shift")).err().expect("missing");
    assert!(matches!(error, RecordError::Open(OpenError::Missing(_))), "{error:?}");
    assert!(!dir.path().join("none.shift").exists(), "nothing is made by asking");
}

#[test]
fn files_that_are_no_recordings_are_refused_in_words_and_left_alone() {
    let check = |expected: &[&str], make: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().expect("temp folder");
        let path = dir.path().join("x.shift");
        make(&path);
        let before = std::fs::read(&path).ok();
        let error = ShiftFile::open(&path).expect_err("is no recording");
        assert_says(&error, expected);
        assert!(Recorder::resume(&path).is_err());
        assert_eq!(std::fs::read(&path).ok(), before, "not changed");
    };
    let sql = |path: &Path, statements: &str| {
        Connection::open(path).expect("opens").execute_batch(statements).expect("executes");
    };
    let recording = |path: &Path| {
        let dir = path.parent().expect("has a parent");
        let recorder = Recorder::create(dir, header(), &state(0)).expect("creates");
        let made = recorder.path().to_owned();
        recorder.close(PATIENCE).expect("closes");
        std::fs::rename(made, path).expect("renames");
    };
    check(&["there is no such file"], &|_path| {});
    check(&["this is a folder"], &|path| std::fs::create_dir(path).expect("makes"));
    check(&["creation of this file was cut short"], &|path| std::fs::write(path, "").expect("writes"));
    check(&["not a Lineside shift file"], &|path| std::fs::write(path, [7; 20_000]).expect("writes"));
    check(&["not a Lineside shift file"], &|path| sql(path, "CREATE TABLE other (x)"));
    check(&["made by a newer Lineside", "format 3", "reads up to 2"], &|path| {
        recording(path);
        sql(path, "PRAGMA user_version = 3");
    });
    check(&["damaged", "header does not match its checksum"], &|path| {
        recording(path);
        sql(path, "UPDATE meta SET v = 'x' WHERE k = 'config_text'");
    });
    check(&["damaged", "the header has no \"line\""], &|path| {
        recording(path);
        sql(path, "DELETE FROM meta WHERE k = 'line'");
    });
    check(&["damaged", "state it begins from is missing"], &|path| {
        recording(path);
        sql(path, "DELETE FROM keyframe");
    });
}
