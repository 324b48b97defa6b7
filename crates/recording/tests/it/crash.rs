//! `kill -9` at 200 random moments, in recording, sealing, closing, beginning and exporting: nothing committed is lost,
//! the file opens as it is, recording goes on, and an export is whole or not there.
//!
//! The writing process is this test binary itself, started again for one test that only writes.

use crate::common::{PATIENCE, batch, header, state};
use lineside_model::Timestamp;
use lineside_recording::{Appended, KeyframeKind, OpenError, Options, Recorder, Row, ShiftFile, clip, find_newest};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

const FOLDER: &str = "LINESIDE_CRASH_FOLDER";
const SEED: &str = "LINESIDE_CRASH_SEED";
/// Where clips go, beside the recordings.
const EXPORTS: &str = "exports";
const KILLS: u64 = 200;
/// So many kills hit the same file before a fresh folder is taken, so that creation is hit as well.
const KILLS_PER_FILE: u64 = 20;

/// Marsaglia's xorshift: the same moments in every run.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
#[ignore = "the writing side of the test below, of no use alone"]
fn writing_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let seed = std::env::var(SEED).expect("seed").parse().expect("a number");
    write_until_killed(Path::new(&folder), Moments(seed));
}

/// Appends, marks holes, closes and resumes, and says what is committed: one line only after it is.
fn write_until_killed(folder: &Path, mut moments: Moments) {
    let (tell, told) = mpsc::channel();
    let say = move |commit: lineside_recording::Commit| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "committed {}", commit.committed_seq).and_then(|()| out.flush()).expect("the test listens");
        tell.send(()).expect("this thread listens");
    };
    let options = Options {
        commit_every: Duration::from_millis(2),
        checkpoint_every: Duration::from_millis(15),
        on_commit: Some(Arc::new(say)),
        ..Options::default()
    };
    let found = find_newest(folder).newest;
    let mut next = found.as_ref().and_then(ShiftFile::last).map_or(1, |(seq, _)| seq + 1);
    let mut recorder = match found {
        Some(file) => Recorder::resume_with(file.path(), options.clone()).expect("resumes"),
        None => Recorder::create_with(folder, header(), &state(0), options.clone()).expect("creates"),
    };
    loop {
        let n = 1 + moments.below(300);
        assert_eq!(recorder.append(batch(next, n)), Appended::Queued);
        next += n;
        recorder.digest(next - 1, Timestamp(1), next - 1);
        match moments.below(60) {
            0 => {
                next += 5;
                assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(next - 1)), Appended::Queued);
            }
            1 => {
                let path = recorder.path().to_owned();
                recorder.close(PATIENCE).expect("closes");
                recorder = Recorder::resume_with(&path, options.clone()).expect("resumes");
            }
            // What lies before it is sealed meanwhile.
            2..8 => assert_eq!(recorder.keyframe(KeyframeKind::Periodic, &state(next - 1)), Appended::Queued),
            8..11 => export(recorder.path(), &folder.join(EXPORTS)),
            _ => {}
        }
        while recorder.status().queued_samples > 2_000 {
            told.recv_timeout(PATIENCE).expect("commits");
        }
    }
}

/// A clip of what came after the last keyframe, while the file is being written.
fn export(path: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = ShiftFile::open(path).expect("opens");
    let state = file.latest().expect("a state");
    let target = folder.join(format!("{}.shift", state.seq));
    clip(&file, &state, Timestamp::MAX, None, &target).expect("clips");
}

/// What is there of exports: whole ones, and beginnings that do not look like one.
fn exports(folder: &Path) -> (u64, u64) {
    let Ok(entries) = std::fs::read_dir(folder.join(EXPORTS)) else { return (0, 0) };
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    let (whole, begun): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| path.extension().is_some_and(|ending| ending == "shift"));
    for path in &whole {
        let file = ShiftFile::open(path).expect("an export opens");
        assert!(file.clip_of().expect("reads").is_some() && file.verify().expect("verifies").is_intact(), "{path:?}");
    }
    (whole.len() as u64, begun.len() as u64)
}

#[test]
fn no_committed_batch_is_lost_by_a_kill() {
    let mut moments = Moments(0x5348_4654);
    let (mut committed_kills, mut early_kills, mut blocks) = (0, 0, 0);
    let (mut exported, mut cut_short) = (0, 0);
    for _ in 0..KILLS / KILLS_PER_FILE {
        let dir = tempfile::tempdir().expect("temp folder");
        let mut seen = Seen { committed: 0, read: 0, blocks: 0 };
        for kill in 0..KILLS_PER_FILE {
            // The first kills come early, while the file is being made.
            let within = if kill < 4 { 15_000 } else { 120_000 };
            let pause = Duration::from_micros(moments.below(within));
            let committed = run_and_kill(dir.path(), moments.below(u64::MAX) | 1, pause);
            committed_kills += u64::from(committed.is_some());
            early_kills += u64::from(committed.is_none());
            seen.committed = committed.unwrap_or(seen.committed);
            let whole = kill + 1 == KILLS_PER_FILE;
            seen.check(dir.path(), whole);
            blocks += new_blocks(dir.path(), &mut seen.blocks);
        }
        let (whole, begun) = exports(dir.path());
        (exported, cut_short) = (exported + whole, cut_short + begun);
    }
    assert!(committed_kills > KILLS / 3, "only {committed_kills} kills hit a process that had committed");
    assert!(exported > KILLS / 40, "only {exported} exports came to their end");
    assert!(cut_short > 0, "no kill hit an export");
    assert!(blocks > KILLS / 10, "only {blocks} blocks were sealed between kills");
    assert!(early_kills > 5, "only {early_kills} kills hit a process that had not yet committed");
}

/// Starts the writing process, kills it after `pause`, and returns the last sequence number that it called committed.
fn run_and_kill(folder: &Path, seed: u64, pause: Duration) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().expect("own path"))
        .args(["--exact", "crash::writing_process", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    // Not waiting for anything: the moment is random.
    std::thread::sleep(pause);
    child.kill().expect("kills");
    let mut said = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut said).expect("reads");
    let status = child.wait().expect("ends");
    assert!(!status.success() && status.code().is_none(), "it ended by itself: {status}, {said}");
    said.split_inclusive('\n')
        .filter_map(|line| line.strip_prefix("committed ")?.strip_suffix('\n')?.parse().ok())
        .next_back()
}

/// How many blocks the file has gained.
fn new_blocks(folder: &Path, known: &mut u64) -> u64 {
    let Some(file) = find_newest(folder).newest else { return 0 };
    let connection = rusqlite::Connection::open(file.path()).expect("opens");
    // Before the first there is no such table.
    let now = connection.query_row("SELECT count(*) FROM block", [], |row| row.get(0)).unwrap_or(0u32);
    let gained = u64::from(now) - *known;
    *known = now.into();
    gained
}

/// What must be in the file, and how far it has been read and compared.
struct Seen {
    committed: u64,
    read: u64,
    blocks: u64,
}

impl Seen {
    fn check(&mut self, folder: &Path, whole: bool) {
        let found = find_newest(folder);
        // A creation that was cut short is told from damage.
        for error in &found.unreadable {
            assert!(matches!(error, OpenError::Unfinished(_)), "{error}");
        }
        let Some(file) = found.newest else {
            assert_eq!(self.committed, 0, "the file is gone");
            return;
        };
        let (last, _) = file.last().expect("has an end");
        assert!(last >= self.committed, "{last} in the file, {} committed", self.committed);
        let from = if whole { 0 } else { self.read };
        let mut covered = from;
        for row in file.rows(from) {
            covered = assert_row(&row.expect("reads"), covered);
        }
        assert_eq!(covered, last);
        self.read = last;
        if whole {
            self.finish(&file, folder);
        }
    }

    /// The last process may be followed by one more, which leaves one file.
    fn finish(&self, file: &ShiftFile, folder: &Path) {
        let mut recorder = Recorder::resume(file.path()).expect("resumes");
        assert_eq!(recorder.append(batch(self.read + 1, 10)), Appended::Queued);
        recorder.close(PATIENCE).expect("closes");
        assert!(file.verify().expect("verifies").is_intact());
        assert_eq!(file.last().map(|(seq, _)| seq), Some(self.read + 10));
        let names = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut left: Vec<String> =
            std::fs::read_dir(folder).expect("folder").map(|entry| names(entry.expect("entry").path())).collect();
        left.retain(|name| name.starts_with(&names(file.path().to_owned())));
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

/// The row follows what is covered so far and is as it was written; returns what is covered with it.
fn assert_row(row: &Row, covered: u64) -> u64 {
    match row {
        Row::Batch(found) => {
            assert_eq!(found.first_seq, covered + 1);
            assert_eq!(found.inputs, batch(found.first_seq, found.inputs.len() as u64).inputs);
            found.last_seq()
        }
        Row::Keyframe { kind, seq, state: found } => {
            assert_eq!((*kind, *seq, found), (KeyframeKind::Resume, covered + 5, &state(covered + 5)));
            *seq
        }
        Row::Digest { seq, digest, .. } => {
            assert_eq!((*seq, *digest), (covered, covered));
            covered
        }
        Row::Damaged { .. } => panic!("{row:?} after {covered}"),
    }
}
