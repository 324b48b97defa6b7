//! A recorder that cannot write, seen from the session: it goes on, says so, and leaves a gap instead of a guess.

use lineside_model::state::RecorderState;
use lineside_model::{GapReason, Input, Sample, Span, StatusCode, TagId, Timestamp, Value};
use lineside_runtime::{Live, Options, Replay, SimClock};
use lineside_tests::world;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

struct Session {
    live: Live,
    clock: Arc<SimClock>,
}

impl Session {
    fn start(dir: &Path) -> Session {
        let clock = Arc::new(SimClock::new(START));
        let options = Options {
            dir: Some(dir.to_owned()),
            writer: "tests".to_owned(),
            config_text: world::PLANT.to_owned(),
            config_path: "plant.toml".to_owned(),
            digest_every: Span::ZERO,
            keyframe_every: Span::from_secs(5),
            keyframe_inputs: 1_000_000,
        };
        Session { live: Live::start(Arc::new(world::plant()), options, Arc::clone(&clock) as _), clock }
    }

    /// A second passes, and a value arrives.
    fn second(&mut self) {
        self.clock.advance(Span::from_secs(1));
        let value = Value::Int(self.state(|state| state.seq as i64));
        let time = Some(lineside_runtime::Clock::now(&*self.clock));
        self.live.take(vec![Input::Sample(Sample {
            tag: TagId(3),
            value,
            status: StatusCode::GOOD,
            source_time: time,
            server_time: time,
        })]);
    }

    /// Seconds pass until the recorder is as wanted; how it was at the last, if it never is.
    fn until(&mut self, wanted: fn(&RecorderState) -> bool) -> RecorderState {
        for _ in 0..60 {
            self.second();
            // A failure that is not lasting shows in the flush; the recorder's state tells it.
            drop(self.live.flush());
            let now = self.state(|state| state.recorder.clone());
            if wanted(&now) {
                return now;
            }
        }
        panic!("the recorder stays {:?}", self.state(|state| state.recorder.clone()));
    }

    fn state<T>(&self, read: impl FnOnce(&lineside_model::PlantState) -> T) -> T {
        read(self.live.core().lock().engine.state())
    }

    fn not_recorded(&self) -> Vec<(Timestamp, Timestamp)> {
        let gaps = |state: &lineside_model::PlantState| {
            let gaps = state.gaps.iter().map(|known| known.gap).filter(|gap| gap.reason == GapReason::NotRecorded);
            gaps.map(|gap| (gap.from, gap.to)).collect()
        };
        self.state(gaps)
    }
}

fn failed(state: &RecorderState) -> bool {
    matches!(state, RecorderState::Failed(_))
}

fn recording(state: &RecorderState) -> bool {
    *state == RecorderState::Recording
}

/// Every file in the folder replays to the states that were live; how many there are.
fn all_replay(dir: &Path) -> usize {
    let files: Vec<PathBuf> =
        fs::read_dir(dir).expect("the folder is there").flatten().map(|entry| entry.path()).collect();
    let files: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|e| e == "shift")).collect();
    for path in &files {
        let mut replay = Replay::open(path).expect("it opens");
        let report = replay.run(|_| ()).expect("it can be read");
        assert_eq!((report.mismatches.len(), report.damaged.len()), (0, 0), "{}", path.display());
        assert!(report.digests_equal > 0, "{} proves nothing", path.display());
    }
    files.len()
}

#[test]
fn a_folder_that_cannot_be_made_is_said_and_recording_begins_when_it_can() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("shifts");
    fs::write(&dir, "a file where the folder should be").unwrap();
    let mut session = Session::start(&dir);
    let RecorderState::Failed(words) = session.until(failed) else { unreachable!("just checked") };
    assert!(words.contains("shifts"), "the place is named: {words}");
    let value = session.state(|state| state.tags[3].value.clone());
    assert_ne!(value, Value::Empty, "values go on without a recorder");

    fs::remove_file(&dir).unwrap();
    session.until(recording);
    assert_eq!(session.not_recorded().len(), 1, "what was missed is one gap");
    assert_eq!(session.not_recorded()[0].0, START);
    session.second();
    session.live.finish();
    assert_eq!(all_replay(&dir), 1);
}

#[test]
fn a_file_that_is_taken_away_is_followed_by_another() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("shifts");
    let mut session = Session::start(&dir);
    session.until(recording);
    for entry in fs::read_dir(&dir).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    session.until(failed);
    session.until(recording);
    let gaps = session.not_recorded();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    session.second();
    session.live.finish();
    assert_eq!(all_replay(&dir), 1);
}

#[test]
fn a_recording_that_cannot_be_read_is_named_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut session = Session::start(home.path());
    session.second();
    session.live.finish();
    let path = fs::read_dir(home.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes()); // SQLite's user_version: the format
    fs::write(&path, &bytes).unwrap();

    let mut session = Session::start(home.path());
    let problems = session.live.start_problems().join("\n");
    assert!(problems.contains("newer Lineside") && problems.contains(".shift"), "{problems}");
    session.until(recording);
    session.live.finish();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the file is as it was");
}
