//! Files that are none of ours, or only seem to be: every question is answered with an error or with what is there, none
//! with a panic, and asking changes no byte.

use crate::common::{PATIENCE, batch, header, state};
use lineside_model::{ConnectionId, Span, TagId, Timestamp};
use lineside_recording::library::{FileState, Library, copy_to, import};
use lineside_recording::{
    Direction, KeyframeKind, Mark, Pen, Reader, Recorder, ShiftFile, attach, clip, marks, seal_file,
};
use proptest::prelude::*;
use rusqlite::Connection;
use std::path::Path;
use std::sync::LazyLock;

/// Asks everything that can be asked. True: it opens as a recording.
fn ask(path: &Path) -> bool {
    let listed = Library::new(path.parent().expect("a folder")).list(None).expect("lists");
    assert_eq!(listed.len(), 1);
    let _marks = marks::list(path).map(|marks| marks.len());
    let _list = attach::list(path).map(|list| list.len());
    let _one = attach::read(path, "x");
    let Ok(file) = ShiftFile::open(path) else {
        assert!(matches!(listed[0].state, FileState::Damaged(_)), "what cannot be opened is listed as such");
        return false;
    };
    let _of = file.clip_of();
    let _bounds = file.bounds();
    let _report = file.verify();
    let _rows = file.rows(0).take(1_000).count();
    let mut reader = Reader::new(file.clone());
    for at in [Timestamp::MIN, Timestamp(0), Timestamp(15_000), Timestamp::MAX] {
        let Ok(from) = reader.keyframe_before(at) else { continue };
        let _lead = reader.lead(&from, at, &|tag| tag.0 == 0);
    }
    if let Ok(from) = reader.keyframe_before(Timestamp(0)) {
        let target = path.with_extension("cut");
        let _clip = clip(&file, &from, Timestamp(15_000), Some(&[TagId(1)]), &target);
        let _removed = std::fs::remove_file(target);
    }
    for tag in [0, 1, 51, u32::MAX].map(TagId) {
        let _samples = reader.samples(tag, Timestamp::MIN, Timestamp::MAX).take(1_000).count();
        for direction in [Direction::After, Direction::Before] {
            let _sample = reader.next_sample(tag, Timestamp(15_000), direction);
        }
        let pen = Pen { tag, connection: ConnectionId(0) };
        let _line = reader.pen(pen, Timestamp(0), Timestamp(0) + Span::from_secs(1), 20);
        let _minutes = reader.overview(tag);
    }
    let _events = reader.events(Timestamp::MIN, Timestamp::MAX);
    let _event = reader.next_event(&[1], Timestamp(0), Direction::After, &|_| true);
    true
}

/// Asking changes nothing; what writes refuses a file that is no recording, and leaves it as it is.
fn check(bytes: &[u8]) -> bool {
    let (dir, elsewhere) = (tempfile::tempdir().expect("temp folder"), tempfile::tempdir().expect("temp folder"));
    let path = dir.path().join("x.shift");
    std::fs::write(&path, bytes).expect("writes");
    let opens = ask(&path);
    assert!(std::fs::read(&path).expect("reads") == bytes, "asking has changed the file");
    let written = [
        marks::add(&path, &Mark::default()).is_ok(),
        attach::add(&path, "x", "text/plain", b"y").is_ok(),
        import(&path, elsewhere.path()).is_ok(),
        copy_to(&path, &elsewhere.path().join("copy.shift")).is_ok(),
        seal_file(&path).is_ok(),
    ];
    if !opens {
        assert_eq!(written, [false; 5]);
        assert!(std::fs::read(&path).expect("reads") == bytes, "a file that is none of ours was changed");
    }
    opens
}

/// A closed recording in two blocks, with a mark and an attachment.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
    let path = recorder.path().to_owned();
    recorder.append(batch(1, 10));
    recorder.keyframe(KeyframeKind::Periodic, &state(10));
    recorder.append(batch(11, 10));
    recorder.close(PATIENCE).expect("closes");
    marks::add(&path, &Mark { text: "x".into(), ..Mark::default() }).expect("marks");
    attach::add(&path, "x", "text/plain", b"y").expect("attaches");
    std::fs::read(&path).expect("reads")
});

/// A database as `sql` leaves it, from nothing or from a recording. `None`: the database refuses it.
fn database(begin: Option<&[u8]>, sql: &str) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().expect("temp folder");
    let path = dir.path().join("foreign");
    if let Some(bytes) = begin {
        std::fs::write(&path, bytes).expect("writes");
    }
    Connection::open(&path).expect("opens").execute_batch(sql).ok()?;
    Some(std::fs::read(&path).expect("reads"))
}

#[test]
fn a_whole_recording_opens() {
    assert!(check(&WHOLE));
}

#[test]
fn foreign_databases_are_none() {
    for sql in [
        "CREATE TABLE notes (x)",
        "PRAGMA application_id = 0x53484654; PRAGMA user_version = 2; CREATE TABLE meta (k, v)",
        "PRAGMA application_id = 0x53484654; PRAGMA user_version = 99; CREATE TABLE meta (k, v)",
        "PRAGMA user_version = 2; CREATE TABLE keyframe (seq, kind); INSERT INTO keyframe VALUES (1, 0)",
    ] {
        assert!(!check(&database(None, sql).expect(sql)), "{sql}");
    }
}

#[test]
fn tables_of_another_shape_cost_what_they_would_hold() {
    for table in ["journal", "keyframe", "digest", "block", "seg", "event", "mark", "attach", "meta"] {
        for shape in [
            "".to_owned(),
            format!("CREATE TABLE {table} (x); INSERT INTO {table} VALUES (1)"),
            format!(
                "CREATE VIEW {table} AS SELECT 1 AS seq, 'x' AS at, NULL AS n, -1 AS crc, 2.5 AS id, x'00' AS body"
            ),
        ] {
            check(&database(Some(&WHOLE), &format!("DROP TABLE {table}; {shape}")).expect("is changed"));
        }
        let columns = [
            ("journal", "seq, at, n, crc, body"),
            ("keyframe", "seq, kind, at, after, version, crc, body"),
            ("digest", "seq, at, digest, crc"),
            ("block", "id, seq0, seq1, at0, at1, n, version, head, crc, skeleton"),
            ("seg", "id, n, src_min, src_max, crc, ov_crc, ov, body"),
            ("mark", "id, at, until, kind, author, text, made, crc"),
            ("attach", "name, mime, hash, body"),
            ("meta", "k, v"),
        ];
        let Some((_, columns)) = columns.into_iter().find(|(name, _)| *name == table) else { continue };
        for value in ["NULL", "'text'", "9223372036854775807", "-1"] {
            for column in columns.split(", ") {
                let sql = format!("UPDATE OR IGNORE {table} SET {column} = {value}");
                // A key takes no other type.
                if let Some(bytes) = database(Some(&WHOLE), &sql) {
                    check(&bytes);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn random_bytes_are_none(head in any::<bool>(), bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
        let start: &[u8] = if head { &WHOLE[..100] } else { b"" };
        prop_assert!(!check(&[start, &bytes].concat()));
    }

    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<u32>(), 1u8..), 1..40), keep in prop::option::of(any::<u32>())) {
        let mut bytes = WHOLE.clone();
        let len = bytes.len();
        flips.into_iter().for_each(|(place, flip)| bytes[place as usize % len] ^= flip);
        bytes.truncate(keep.map_or(len, |keep| keep as usize % len));
        check(&bytes);
    }
}
