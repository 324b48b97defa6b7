//! The folder of recordings: listing, retention, copies.

use crate::common::{PATIENCE, batch, header, rows, state};
use lineside_model::state::{PlantState, Shift};
use lineside_model::{Batch, Input, Span, Timestamp, Value};
use lineside_recording::library::{
    About, Entry, FileState, Imported, Library, LibraryError, Policy, copy_to, expired, import, remove,
};
use lineside_recording::marks::PIN;
use lineside_recording::{Event, Header, Mark, Options, Recorder, attach, marks, seal_file};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A closed file of `n` inputs, of the shift that starts at `start`.
fn recorded(dir: &Path, start: i64, n: u64) -> PathBuf {
    let recorder = recording(dir, start, n);
    let path = recorder.path().to_owned();
    recorder.close(PATIENCE).expect("closes");
    path
}

fn recording(dir: &Path, start: i64, n: u64) -> Recorder {
    let shift = Shift { start: Timestamp(start), ..header().shift };
    let begin = PlantState { seq: 0, at: Timestamp(0), ..PlantState::default() };
    let mut recorder = Recorder::create(dir, Header { shift, ..header() }, &begin).expect("creates");
    recorder.append(batch(1, n));
    recorder.digest(n, Timestamp(n as i64 * 1_000 + 5_000), 1);
    let event = |(order, kind)| Event { order, kind, ..Event::default() };
    recorder.events((0..).zip([3, 3, 8]).map(event).collect());
    recorder.flush(PATIENCE).expect("writes");
    recorder
}

#[test]
fn a_list_says_what_there_is_and_how_it_was_left() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut library = Library::new(&dir.path().join("none yet"));
    assert_eq!(library.list(None).expect("lists"), []);

    let closed = recorded(dir.path(), 1, 10);
    marks::add(&closed, &Mark::default()).expect("marks");
    marks::add(&closed, &Mark { kind: PIN, ..Mark::default() }).expect("pins");
    attach::add(&closed, "x", "text/plain", b"y").expect("attaches");
    let running = recording(dir.path(), 2, 20);
    let torn = dir.path().join("torn.shift");
    std::fs::write(&torn, b"SQLite format 3\0 and then nothing").expect("writes");
    std::fs::write(dir.path().join("x.txt"), b"").expect("writes");
    // A crash some time ago: a log that nobody writes any more.
    let crashed = dir.path().join("crashed.shift");
    for ending in ["", "-wal"] {
        let copy = format!("{}{ending}", crashed.display());
        std::fs::copy(format!("{}{ending}", running.path().display()), &copy).expect("copies");
        let file = std::fs::File::options().write(true).open(&copy).expect("opens");
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(600)).expect("ages");
    }

    let mut library = Library::new(dir.path());
    let entries = library.list(None).expect("lists");
    let of = |path: &Path| entries.iter().find(|entry| entry.path == path).expect("is listed");
    assert_eq!(entries.len(), 4);
    assert_eq!(of(&closed).state, FileState::Complete);
    assert_eq!(of(running.path()).state, FileState::Recording, "by its log");
    assert_eq!(of(&crashed).state, FileState::Interrupted);
    assert!(matches!(&of(&torn).state, FileState::Damaged(reason) if reason.contains("torn.shift")));
    let About { from, to, last_seq, events, has_all_events, marks, pinned, attachments, header: found, .. } =
        of(&closed).about.clone().expect("is readable");
    assert_eq!((from, to, last_seq), (Timestamp(11_000), Timestamp(15_000), 10));
    assert_eq!((events, has_all_events), (vec![(3, 2), (8, 1)], true));
    assert_eq!((marks, pinned, attachments), (1, true, 1));
    assert_eq!(found, header());
    let readable: Vec<_> = entries.iter().filter_map(|entry| entry.about.as_ref()).map(|about| about.to).collect();
    assert!(readable.is_sorted_by(|newer, older| newer >= older), "newest first");

    assert_eq!(library.list(None).expect("lists"), entries, "nothing has changed");
    marks::add(&closed, &Mark::default()).expect("marks");
    let again = library.list(Some(running.path())).expect("lists");
    let marked = again.iter().find(|entry| entry.path == closed).and_then(|entry| entry.about.clone());
    assert_eq!(marked.expect("is readable").marks, 2);
    remove(&crashed).expect("removes");
    assert_eq!(library.list(None).expect("lists").len(), 3);
    assert!(!dir.path().join("crashed.shift-wal").exists());
    remove(&crashed).expect("is gone already");
}

#[test]
fn an_import_is_there_once_and_reads_the_same() {
    let (from, to) = (tempfile::tempdir().expect("temp folder"), tempfile::tempdir().expect("temp folder"));
    let to = to.path().join("new");
    let source = recorded(from.path(), 1, 100);
    let Imported::Added(path) = import(&source, &to).expect("imports") else { panic!("it is new") };
    assert_eq!(rows(&path, 0), rows(&source, 0));
    assert_eq!(import(&source, &to).expect("imports"), Imported::AlreadyThere(path.clone()));

    // The same shift, recorded a little further: another file, of the same name with a number.
    let longer = recorded(from.path(), 1, 101);
    let Imported::Added(second) = import(&longer, &to).expect("imports") else { panic!("it is another") };
    assert_ne!(second, path);
    marks::add(&source, &Mark::default()).expect("marks");
    assert!(matches!(import(&source, &to).expect("imports"), Imported::Added(_)), "a mark would be lost otherwise");

    let running = recording(from.path(), 3, 50);
    let Imported::Added(snapshot) = import(running.path(), &to).expect("imports") else { panic!("it is new") };
    assert_eq!(rows(&snapshot, 0), rows(running.path(), 0));
    assert_eq!(std::fs::read_dir(&to).expect("lists").count(), 4, "nothing else is left behind");

    let foreign = from.path().join("foreign.shift");
    std::fs::write(&foreign, b"text").expect("writes");
    assert!(matches!(import(&foreign, &to), Err(LibraryError::Open(_))));
    assert_eq!(std::fs::read_dir(&to).expect("lists").count(), 4);
}

#[test]
fn a_copy_of_a_running_file_is_one_file() {
    let dir = tempfile::tempdir().expect("temp folder");
    let running = recording(dir.path(), 3, 50);
    let target = dir.path().join("sub.copy.shift");
    copy_to(running.path(), &target).expect("copies");
    copy_to(running.path(), &target).expect("replaces");
    assert_eq!(rows(&target, 0), rows(running.path(), 0));
    let parts = std::fs::read_dir(dir.path()).expect("lists").filter_map(Result::ok);
    assert!(parts.into_iter().all(|entry| entry.path().extension().is_some_and(|ending| ending != "part")));
    let nowhere = dir.path().join("none").join("x.shift");
    assert!(copy_to(running.path(), &nowhere).is_err());
}

fn entry() -> impl Strategy<Value = Entry> {
    (0u64..1_000, 0i64..100, 0..4u8, any::<bool>()).prop_map(|(bytes, to, state, pinned)| {
        let about = About {
            header: header(),
            format: 1,
            from: Timestamp(0),
            to: Timestamp(to),
            last_seq: 0,
            events: vec![],
            has_all_events: true,
            marks: 0,
            pinned,
            attachments: 0,
            clip: None,
        };
        let state = match state {
            0 => FileState::Recording,
            1 => FileState::Complete,
            2 => FileState::Interrupted,
            _ => FileState::Damaged("?".into()),
        };
        let about = (!matches!(state, FileState::Damaged(_))).then_some(about);
        Entry { path: PathBuf::new(), bytes, modified: Timestamp(to), state, about }
    })
}

proptest! {
    #[test]
    fn retention_keeps_what_must_stay_and_lets_go_the_oldest(
        entries in prop::collection::vec(entry(), 0..20),
        max_age in prop::option::of(0i64..100),
        max_bytes in prop::option::of(0u64..5_000),
    ) {
        let policy = Policy { max_age: max_age.map(Span), max_bytes };
        let now = Timestamp(100);
        let gone = expired(&entries, policy, now);
        let stays = |entry: &Entry| entry.state == FileState::Recording || entry.about.as_ref().is_none_or(|a| a.pinned);
        prop_assert!(gone.iter().all(|index| !stays(&entries[*index])));
        prop_assert!(gone.is_sorted_by_key(|index| entries[*index].end()), "oldest first");
        let kept: Vec<_> = (0..entries.len()).filter(|index| !gone.contains(index)).collect();
        let loose: Vec<_> = kept.iter().map(|index| &entries[*index]).filter(|entry| !stays(entry)).collect();
        prop_assert!(loose.iter().all(|entry| max_age.is_none_or(|age| (now - entry.end()).0 <= age)), "none is too old");
        let left: u64 = kept.iter().map(|index| entries[*index].bytes).sum();
        prop_assert!(loose.is_empty() || max_bytes.is_none_or(|bytes| left <= bytes), "none too many");
        // No more than needed: with the newest of those that went, it would be too much, or that one is too old.
        if let Some(newest) = gone.last().map(|index| &entries[*index]) {
            let too_old = max_age.is_some_and(|age| (now - newest.end()).0 > age);
            prop_assert!(too_old || max_bytes.is_some_and(|bytes| left + newest.bytes > bytes));
        }
        if policy == Policy::default() {
            prop_assert!(gone.is_empty());
        }
    }
}

#[test]
fn a_state_before_the_first_input_does_not_make_a_file_older() {
    let dir = tempfile::tempdir().expect("temp folder");
    let options = Options { seal: false, ..Options::default() };
    let mut recorder = Recorder::create_with(dir.path(), header(), &state(5), options).expect("creates");
    recorder.append(batch(6, 1));
    let path = recorder.path().to_owned();
    recorder.close(PATIENCE).expect("closes");
    let about = || Library::new(dir.path()).list(None).expect("lists").remove(0).about.expect("is readable");
    assert_eq!((about().format, about().from), (1, Timestamp(7_000)), "of its first input");
    let before = about();
    seal_file(&path).expect("seals");
    assert_eq!(about(), About { format: 2, ..before }, "the same when all of it is sealed");
}

#[test]
fn another_content_under_the_same_head_is_another_recording() {
    for seal in [false, true] {
        let (from, to) = (tempfile::tempdir().expect("temp folder"), tempfile::tempdir().expect("temp folder"));
        for value in [1, 2] {
            let options = Options { seal, ..Options::default() };
            let mut recorder = Recorder::create_with(from.path(), header(), &state(0), options).expect("creates");
            let mut batch = Batch::clone(&batch(1, 9));
            if let Input::Sample(sample) = &mut batch.inputs[4] {
                sample.value = Value::UInt(value);
            }
            recorder.append(Arc::new(batch));
            let path = recorder.path().to_owned();
            recorder.close(PATIENCE).expect("closes");
            assert!(
                matches!(import(&path, to.path()).expect("imports"), Imported::Added(_)),
                "{value}, sealed: {seal}"
            );
            assert!(matches!(import(&path, to.path()).expect("imports"), Imported::AlreadyThere(_)));
        }
    }
}

#[test]
fn what_killed_copies_left_is_cleared_away_and_nothing_else() {
    let dir = tempfile::tempdir().expect("temp folder");
    let old = SystemTime::now() - Duration::from_secs(2 * 3_600);
    let made = |name: &str, modified: SystemTime| {
        let file = std::fs::File::create_new(dir.path().join(name)).expect("makes");
        file.set_modified(modified).expect("ages");
    };
    let gone = ["import.77-0.part", "import.77-0.part-wal", "a b.shift.1-22.part", "x.shift.1-22.part-shm"];
    let stay = ["x.part", "x.1-.part", "x.1-2.part.shift", "my.notes-2.part", "x.shift"];
    gone.iter().chain(&stay).for_each(|name| made(name, old));
    made("import.78-0.part", SystemTime::now());
    let _library = Library::new(dir.path());
    let left = std::fs::read_dir(dir.path()).expect("lists").map(|entry| entry.expect("reads").file_name());
    let left: BTreeSet<_> = left.map(|name| name.into_string().expect("text")).collect();
    assert_eq!(left, stay.into_iter().chain(["import.78-0.part"]).map(str::to_owned).collect());
}
