//! The recordings in this folder were made by the programs of their time. Every later program opens them, finds all of
//! it, and replays it to the states that were live then.

use lineside_engine::Engine;
use lineside_recording::{ShiftFile, seal_file};
use lineside_runtime::Replay;
use std::path::{Path, PathBuf};

/// What is found in a recording.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    format: u32,
    batches: u64,
    inputs: u64,
    digests: u64,
    /// Of the state at the end.
    last: u64,
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings").join(name)
}

fn content(path: &Path) -> Content {
    let file = ShiftFile::open(path).expect("opens");
    let report = file.verify().expect("verifies");
    assert!(report.is_intact(), "{report:?}");
    let mut replay = Replay::open(path).expect("replays");
    let mut last = 0;
    let done = replay.run(|engine: &Engine| last = engine.digest()).expect("reads").clone();
    assert_eq!((done.mismatches.len(), done.damaged.len()), (0, 0), "{done:?}");
    assert_eq!((done.batches, done.inputs, done.digests_equal), (report.batches, report.inputs, report.digests));
    let bytes = std::fs::read(path).expect("reads");
    let format = u32::from_be_bytes(bytes[60..64].try_into().expect("four bytes")); // SQLite's user_version
    Content { format, batches: report.batches, inputs: report.inputs, digests: report.digests, last }
}

#[test]
fn recordings_of_every_format_replay_as_they_did() {
    let check = |name: &str, expected: Content| assert_eq!(content(&kept(name)), expected, "{name}");
    check(
        "format-1.shift",
        Content { format: 1, batches: 180, inputs: 2678, digests: 180, last: 12_679_972_328_417_732_157 },
    );
    check(
        "format-2.shift",
        Content { format: 2, batches: 63, inputs: 372, digests: 63, last: 12_596_323_468_723_846_392 },
    );
}

#[test]
fn an_old_recording_that_is_sealed_holds_what_it_held() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("old.shift");
    std::fs::copy(kept("format-1.shift"), &path).expect("copies");
    let before = content(&path);
    let sealed = seal_file(&path).expect("seals");
    assert_eq!(sealed.inputs, before.inputs);
    assert_eq!(content(&path), Content { format: 2, ..before });
}
