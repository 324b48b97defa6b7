//! A damaged file: what is intact reads as written, the rest is named as missing, and nothing panics.

use crate::common::{PATIENCE, assert_as_written, batch, header, rows, short, state};
use lineside_model::Timestamp;
use lineside_recording::{KeyframeKind, Options, Recorder, Row, Sealed, ShiftFile, seal_file};
use proptest::prelude::*;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

/// A closed recording of batches of `n` inputs, with digests and one Resume keyframe after the middle; its inputs lie in
/// the journal, or in two sealed blocks.
fn recording(batches: u64, n: u64, seal: bool) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("temp folder");
    let options = Options { seal, ..Options::default() };
    let mut recorder = Recorder::create_with(dir.path(), header(), &state(0), options).expect("creates");
    let path = recorder.path().to_owned();
    let mut next = 1;
    for i in 0..batches {
        if i == batches / 2 {
            recorder.keyframe(KeyframeKind::Resume, &state(next + 9));
            next += 10;
        }
        recorder.append(batch(next, n));
        next += n;
        recorder.digest(next - 1, Timestamp(1), 7);
    }
    recorder.close(PATIENCE).expect("closes");
    (dir, path)
}

#[test]
fn one_damaged_row_costs_that_row() {
    let check = |damage: &str, expected: &str| {
        let (_dir, path) = recording(4, 3, false);
        assert_eq!(short(&rows(&path, 0)), "b1-3 d3 b4-6 d6 k16 b17-19 d19 b20-22 d22");
        Connection::open(&path).expect("opens").execute_batch(damage).expect("damages");
        let found = rows(&path, 0);
        assert_eq!(short(&found), expected, "{damage}");
        assert_as_written(&found);
        assert!(!ShiftFile::open(&path).expect("opens").verify().expect("verifies").is_intact());
    };
    let others = "b1-3 d3 x4-6 d6 k16 b17-19 d19 b20-22 d22";
    check("UPDATE journal SET body = zeroblob(length(body)) WHERE seq = 4", others);
    check("UPDATE journal SET at = at + 1 WHERE seq = 4", others);
    check("UPDATE journal SET n = 2 WHERE seq = 4", "b1-3 d3 x4-5 d6 x6-6 k16 b17-19 d19 b20-22 d22");
    check("UPDATE journal SET crc = 0 WHERE seq = 4", others);
    check("UPDATE journal SET body = NULL WHERE seq = 20", "b1-3 d3 b4-6 d6 k16 b17-19 d19 x20-20 d22");
    check("UPDATE journal SET body = 'text', n = 9e18 WHERE seq = 20", "b1-3 d3 b4-6 d6 k16 b17-19 d19 x20-20 d22");
    check("DELETE FROM journal WHERE seq = 17", "b1-3 d3 b4-6 d6 k16 d19 x17-19 b20-22 d22");
    check("UPDATE keyframe SET crc = 0 WHERE kind = 1", "b1-3 d3 b4-6 d6 x7-16 b17-19 d19 b20-22 d22");
    check("DELETE FROM journal WHERE seq = 4", "b1-3 d3 d6 x4-6 k16 b17-19 d19 b20-22 d22");
    check("UPDATE keyframe SET crc = 0 WHERE kind = 1; DELETE FROM digest", "b1-3 b4-6 x7-16 b17-19 b20-22");
}

#[test]
fn the_end_is_known_although_the_last_row_is_damaged() {
    let (_dir, path) = recording(4, 3, false);
    let sql = "UPDATE journal SET at = 1 << 60 WHERE seq = 20";
    Connection::open(&path).expect("opens").execute_batch(sql).expect("damages");
    let last = ShiftFile::open(&path).expect("opens").last();
    assert_eq!(last, Some((22, Timestamp(20_000))), "numbers go on after 22; the stamp is that of row 17");
}

/// Pages from which tables begin, counted from 0, and the two that belong to all of them.
fn roots(path: &PathBuf) -> Vec<usize> {
    let connection = Connection::open(path).expect("opens");
    let mut select = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0").expect("a schema");
    let roots = select.query_map([], |row| row.get::<_, u32>(0)).expect("rows");
    [0, 1].into_iter().chain(roots.map(|root| root.expect("a number") as usize - 1)).collect()
}

#[test]
fn a_dead_page_costs_what_is_on_it() {
    let check = |seal: bool, least: usize| {
        let (_dir, path) = recording(40, 900, seal);
        let roots = roots(&path);
        let intact = std::fs::read(&path).expect("reads");
        for page in 0..intact.len() / 8192 {
            let mut bytes = intact.clone();
            bytes[page * 8192..(page + 1) * 8192].fill(0xA5);
            std::fs::write(&path, bytes).expect("writes");
            let file = match ShiftFile::open(&path) {
                Ok(file) => file,
                // Header, tables, start state: without these there is nothing to replay.
                Err(error) => {
                    assert!(roots.contains(&page), "page {page}: {error}");
                    continue;
                }
            };
            let mut found: Vec<Row> = Vec::new();
            let mut broken = false;
            for row in file.rows(0) {
                assert!(!broken, "page {page}: it goes on after an error");
                match row {
                    Ok(row) => found.push(row),
                    Err(_unreadable) => broken = true,
                }
            }
            assert_as_written(&found);
            let read = found.iter().filter(|row| matches!(row, Row::Batch(_))).count();
            let marked = broken || found.iter().any(|row| matches!(row, Row::Damaged { .. }));
            let root = roots.contains(&page);
            assert!(read >= least || root, "page {page}: {read} of 40 batches, {}", short(&found));
            assert!(read == 40 || marked || root, "page {page}: a loss without a mark");
        }
    };
    check(false, 37);
    // All of its tags are of one group: a page costs one of two blocks.
    check(true, 20);
}

#[test]
fn a_damaged_branch_of_the_tree_does_not_lead_in_circles() {
    let (_dir, path) = recording(40, 900, false);
    let connection = Connection::open(&path).expect("opens");
    let root = "SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'journal'";
    let root: u32 = connection.query_row(root, [], |row| row.get(0)).expect("the journal");
    drop(connection);
    let intact = std::fs::read(&path).expect("reads");
    // The keys there lead to the leaves.
    let used = (root as usize * 8192..(root as usize + 1) * 8192).filter(|place| intact[*place] != 0);
    for place in used.step_by(15) {
        let mut bytes = intact.clone();
        bytes[place] ^= 4;
        std::fs::write(&path, bytes).expect("writes");
        let Ok(file) = ShiftFile::open(&path) else { continue };
        assert!(file.rows(0).take(1_000).count() < 200, "byte {place}");
    }
}

#[test]
fn damage_of_a_block_costs_what_is_damaged() {
    let check = |damage: &str, expected: &str, reasons: &[&str]| {
        let (_dir, path) = recording(4, 3, true);
        assert_eq!(short(&rows(&path, 0)), "b1-3 d3 b4-6 d6 k16 b17-19 d19 b20-22 d22");
        Connection::open(&path).expect("opens").execute_batch(damage).expect("damages");
        let found = rows(&path, 0);
        assert_eq!(short(&found), expected, "{damage}");
        assert_as_written(&found);
        let report = ShiftFile::open(&path).expect("opens").verify().expect("verifies");
        let words: Vec<&str> = report.damaged.iter().map(|(.., reason)| reason.as_str()).collect();
        assert_eq!(words, reasons, "{damage}");
    };
    let lost = "x1-3 d3 x4-6 d6 k16 b17-19 d19 b20-22 d22";
    let segment = "tags 0 to 99 in block 1: the segment does not match its checksum";
    check("UPDATE seg SET body = zeroblob(length(body)) WHERE id = 4096", lost, &[segment]);
    check("UPDATE seg SET n = n + 1 WHERE id = 4096", lost, &[segment]);
    check("DELETE FROM seg WHERE id = 4096", lost, &["tags 0 to 99 in block 1: the segment is missing"]);
    check("UPDATE seg SET ov = zeroblob(5)", "b1-3 d3 b4-6 d6 k16 b17-19 d19 b20-22 d22", &[]);
    let block = "block 2: the block does not match its checksum";
    let second = "b1-3 d3 b4-6 d6 k16 d19 x17-22 d22";
    check("UPDATE block SET skeleton = zeroblob(9) WHERE id = 2", second, &[block]);
    let missing = "these rows are missing from the file";
    let first = "d3 d6 x1-6 k16 b17-19 d19 b20-22 d22";
    check("UPDATE block SET seq1 = seq1 + 99 WHERE id = 1", first, &[missing]);
    check("DELETE FROM block WHERE id = 1", first, &[missing]);
    check("UPDATE block SET seq0 = 'text' WHERE id = 1", first, &[missing]);
}

#[test]
fn damaged_rows_stay_and_what_lies_around_them_is_sealed() {
    let check = |damage: &str, expected: &str, blocks: u64, left: u64| {
        let (_dir, path) = recording(6, 3, false);
        assert_eq!(short(&rows(&path, 0)), "b1-3 d3 b4-6 d6 b7-9 d9 k19 b20-22 d22 b23-25 d25 b26-28 d28");
        let sql = |sql: &str| Connection::open(&path).expect("opens").execute_batch(sql).expect("executes");
        sql(damage);
        let sealed = seal_file(&path).expect("seals");
        assert_eq!((sealed.blocks, sealed.inputs), (blocks, 18 - left), "{damage}");
        assert_eq!(short(&rows(&path, 0)), expected, "{damage}");
        assert_as_written(&rows(&path, 0));
        assert_eq!(seal_file(&path).expect("seals"), Sealed::default(), "a second time there is nothing to seal");
        let file = ShiftFile::open(&path).expect("opens");
        assert_eq!(file.last().map(|(seq, _)| seq), Some(28));
        // Parts of batches are asked for after any input.
        assert_eq!(
            short(&rows(&path, 20)),
            expected.split_once("k19 ").map_or("", |(_, rest)| rest).replace("b20-22", "b21-22")
        );
    };
    let all = "b1-3 d3 b4-6 d6 b7-9 d9 k19 b20-22 d22 b23-25 d25 b26-28 d28";
    check("", all, 2, 0);
    let lost = "b1-3 d3 x4-6 d6 b7-9 d9 k19 b20-22 d22 b23-25 d25 b26-28 d28";
    check("UPDATE journal SET crc = 0 WHERE seq = 4", lost, 3, 3);
    check("UPDATE journal SET body = NULL WHERE seq = 4", &lost.replace("x4-6 d6", "x4-4 d6 x5-6"), 3, 3);
    check("DELETE FROM journal WHERE seq = 4", &lost.replace("x4-6 d6", "d6 x4-6"), 3, 3);
    let last = "b1-3 d3 b4-6 d6 b7-9 d9 k19 b20-22 d22 b23-25 d25 x26-28 d28";
    check("UPDATE journal SET at = at - 1 WHERE seq = 26", last, 2, 3);
}

#[test]
fn a_file_cut_short_never_passes_as_whole() {
    let (_dir, path) = recording(40, 900, true);
    let intact = std::fs::read(&path).expect("reads");
    for len in (0..intact.len()).step_by(3_333) {
        std::fs::write(&path, &intact[..len]).expect("writes");
        let Ok(file) = ShiftFile::open(&path) else { continue };
        let found: Vec<Row> = file.rows(0).map_while(Result::ok).collect();
        assert_as_written(&found);
        assert!(!file.verify().is_ok_and(|report| report.is_intact()), "{len} of {} bytes", intact.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn flipped_bytes_anywhere_never_pass_as_data(places in prop::collection::vec((any::<u32>(), 1u8..), 1..12), seal: bool) {
        type Bytes = LazyLock<Vec<u8>>;
        static JOURNAL: Bytes = LazyLock::new(|| std::fs::read(recording(40, 900, false).1).expect("reads"));
        static BLOCKS: Bytes = LazyLock::new(|| std::fs::read(recording(40, 900, true).1).expect("reads"));
        let dir = tempfile::tempdir().expect("temp folder");
        let path = dir.path().join("x.shift");
        let mut bytes = if seal { BLOCKS.clone() } else { JOURNAL.clone() };
        for (place, flip) in places {
            let len = bytes.len();
            bytes[place as usize % len] ^= flip;
        }
        std::fs::write(&path, bytes).expect("writes");
        let Ok(file) = ShiftFile::open(&path) else { return Ok(()) };
        let mut next = 1;
        for row in file.rows(0) {
            match row {
                Ok(Row::Batch(batch)) => {
                    prop_assert!(batch.first_seq == next, "{} after {next}", batch.first_seq);
                    next = batch.last_seq() + 1;
                    assert_as_written(&[Row::Batch(batch)]);
                }
                Ok(Row::Damaged { first_seq, last_seq, .. }) => {
                    prop_assert!(first_seq <= last_seq && first_seq >= next, "{first_seq} to {last_seq} after {next}");
                    next = last_seq + 1;
                }
                Ok(Row::Keyframe { seq, state, .. }) => {
                    prop_assert_eq!(seq, state.seq);
                    next = seq + 1;
                }
                Ok(Row::Digest { digest, .. }) => prop_assert_eq!(digest, 7),
                Err(_unreadable) => break,
            }
        }
        // Whatever it finds: it comes to an end.
        prop_assert!(file.verify().map_or(true, |report| report.inputs <= 36_000));
    }
}

#[test]
fn damage_beside_the_inputs_is_named_by_a_check() {
    let check = |damage: &str, expected: &[&str]| {
        let dir = tempfile::tempdir().expect("temp folder");
        let mut recorder = Recorder::create(dir.path(), header(), &state(0)).expect("creates");
        let path = recorder.path().to_owned();
        recorder.append(batch(1, 3));
        recorder.keyframe(KeyframeKind::Periodic, &state(3));
        recorder.digest(3, Timestamp(1), 7);
        recorder.close(PATIENCE).expect("closes");
        Connection::open(&path).expect("opens").execute_batch(damage).expect("damages");
        let file = ShiftFile::open(&path).expect("opens");
        let report = file.verify().expect("verifies");
        assert_eq!(
            (report.beside.iter().map(String::as_str).collect::<Vec<_>>(), report.keyframes),
            (expected.to_vec(), 2),
            "{damage}"
        );
        assert_eq!(report.is_intact(), expected.is_empty(), "{damage}");
        assert_eq!(
            file.latest().expect("a state").seq,
            if expected.len() == 1 && damage.contains("kind") { 0 } else { 3 }
        );
    };
    check("", &[]);
    let checksum = "keyframe 3: does not match its checksum";
    check("UPDATE keyframe SET body = zeroblob(20) WHERE kind = 2", &[checksum]);
    check("UPDATE keyframe SET at = at + 1 WHERE kind = 2", &[checksum]);
    check("UPDATE digest SET digest = digest + 1", &["fingerprints: 1 cannot be read"]);
}
