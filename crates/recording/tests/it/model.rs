//! The recorder against a plain model of it, under random sequences of calls, full disks and restarts: what it says it
//! took is in the file, in order, all or nothing, and no hole is without its mark.

use crate::common::{PATIENCE, batch, header, rows, short, state};
use lineside_model::Timestamp;
use lineside_recording::{Appended, KeyframeKind, Options, Recorder, State};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

const QUEUE: u64 = 20_000;

#[derive(Clone, Debug)]
enum Op {
    /// So many inputs, the first this far from where it belongs.
    Append {
        n: u64,
        off: u64,
    },
    /// A state this far ahead.
    Keyframe {
        ahead: u64,
    },
    Digest,
    DiskFull(bool),
    Flush,
    Drop,
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        // Large enough to need new pages, so that a full disk is felt.
        8 => (4_000u64..9_000).prop_map(|n| Op::Append { n, off: 0 }),
        1 => (1u64..5).prop_map(|off| Op::Append { n: 10, off }),
        4 => (0u64..4).prop_map(|ahead| Op::Keyframe { ahead }),
        2 => Just(Op::Digest),
        2 => any::<bool>().prop_map(Op::DiskFull),
        3 => Just(Op::Flush),
        1 => Just(Op::Drop),
        1 => Just(Op::Close),
    ]
}

/// Rows by their place in replay order.
type Content = BTreeMap<(u64, u8), String>;

#[derive(Default)]
struct Model {
    committed: Content,
    queued: Content,
    queued_inputs: u64,
    next: u64,
    awaiting: bool,
    /// Where the live state is: inputs that were refused happened all the same.
    live: u64,
}

impl Model {
    fn with_queue(&self) -> Content {
        self.committed.clone().into_iter().chain(self.queued.clone()).collect()
    }

    fn all_committed(&mut self) {
        self.committed = self.with_queue();
        self.queued = Content::new();
        self.queued_inputs = 0;
    }

    fn append(&mut self, first: u64, n: u64) -> Appended {
        let full = !self.queued.is_empty() && self.queued_inputs + n > QUEUE;
        self.live = self.live.max(first + n - 1);
        if self.awaiting || first != self.next || full {
            self.awaiting = true;
            return Appended::Refused;
        }
        self.next = first + n;
        self.queued.insert((self.next - 1, 0), format!("b{first}-{}", self.next - 1));
        self.queued_inputs += n;
        Appended::Queued
    }

    fn keyframe(&mut self, seq: u64, failed: bool) -> Appended {
        if failed {
            return Appended::Refused;
        }
        self.awaiting = false;
        self.next = seq + 1;
        self.queued.insert((seq, 2), format!("k{seq}"));
        Appended::Queued
    }

    fn digest(&mut self) {
        if !self.awaiting {
            self.queued.insert((self.next - 1, 1), format!("d{}", self.next - 1));
        }
    }

    /// The file has been let go of: it holds what was committed, with or without all of what waited.
    fn restarted(&mut self, path: &Path) {
        let found = short(&rows(path, 0));
        if found == text(&self.with_queue()) {
            self.all_committed();
        } else {
            assert_eq!(found, text(&self.committed), "neither with what waited nor without");
            *self = Model { committed: std::mem::take(&mut self.committed), live: self.live, ..Model::default() };
        }
        self.awaiting = false;
        self.next = self.committed.keys().next_back().map_or(1, |(seq, _)| seq + 1);
    }
}

fn text(content: &Content) -> String {
    content.values().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn check(ops: Vec<Op>) {
    let dir = tempfile::tempdir().expect("temp folder");
    // Commits only when asked, so that the queue is known.
    let options = Options {
        commit_every: PATIENCE,
        retry_after: PATIENCE,
        commit_inputs: usize::MAX,
        queue_inputs: QUEUE as usize,
        ..Options::default()
    };
    let limit = options.page_limit.clone();
    let mut model = Model { next: 1, ..Model::default() };
    let mut recorder = Recorder::create_with(dir.path(), header(), &state(0), options.clone()).expect("creates");
    let path = recorder.path().to_owned();
    for op in ops {
        let failed = recorder.status().state != State::Ok;
        match op {
            Op::Append { n, off } => {
                let first = model.next + off;
                assert_eq!(recorder.append(batch(first, n)), model.append(first, n));
            }
            Op::Keyframe { ahead } => {
                let seq = model.live.max(model.next - 1) + ahead;
                assert_eq!(recorder.keyframe(KeyframeKind::Resume, &state(seq)), model.keyframe(seq, failed));
            }
            Op::Digest => {
                recorder.digest(model.next - 1, Timestamp(1), 7);
                model.digest();
            }
            Op::DiskFull(full) => limit.store(u32::from(full), Ordering::Relaxed),
            Op::Flush => {
                if recorder.flush(PATIENCE).is_ok() {
                    model.all_committed();
                }
                assert_eq!(short(&rows(&path, 0)), text(&model.committed));
            }
            Op::Drop | Op::Close => {
                match op {
                    Op::Close => drop(recorder.close(PATIENCE)),
                    _ => drop(recorder),
                }
                model.restarted(&path);
                recorder = Recorder::resume_with(&path, options.clone()).expect("resumes");
            }
        }
        assert_eq!(recorder.status().awaiting_resume, model.awaiting);
    }
    limit.store(0, Ordering::Relaxed);
    recorder.flush(PATIENCE).expect("the disk has room again");
    model.all_committed();
    assert_eq!(short(&rows(&path, 0)), text(&model.committed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn it_behaves_as_its_model(ops in prop::collection::vec(op(), 1..50)) {
        check(ops);
    }
}
