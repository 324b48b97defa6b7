//! Ground of the tests: a scripted shift recorded under a test clock, a Lineside over a data folder, and screens that
//! talk to it as a page does: commands as JSON, frames as bytes.

use lineside_api::Api;
use lineside_api::wire::*;
use lineside_host::{Args, Host};
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, Sample, Span, StatusCode, SubscriptionState, TagId,
    Timestamp, Value,
};
use lineside_runtime::{Live, Options, SimClock};
use lineside_tests::world;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Tuesday, 2023-11-14 12:06:40 in Berlin: in the shift "Day" of `tests/src/plant.toml`.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_699_960_000_000);
/// Seconds of the script.
pub(crate) const SECONDS: i64 = 600;
/// The line stops at this second, and runs again a minute later.
pub(crate) const STOP: i64 = 300;
/// A gap of connection "one" begins at this second, and is ten seconds long.
pub(crate) const GAP: i64 = 400;
/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Tags of `tests/src/plant.toml`.
pub(crate) const STATE: TagId = TagId(0);
pub(crate) const SPEED: TagId = TagId(2);
pub(crate) const GOOD: TagId = TagId(3);
pub(crate) const TEMPERATURE: TagId = TagId(8);

/// The instant `second` seconds after the start of the script, in milliseconds.
pub(crate) fn ms(second: i64) -> f64 {
    (START + Span::from_secs(second)).as_millis_f64()
}

/// "B.Temperature" in this second.
pub(crate) fn temperature(second: i64) -> f64 {
    20.0 + second as f64 / 10.0
}

/// Records the script, beginning at `start`, into a new file in `dir`.
pub(crate) fn record(dir: &Path, start: Timestamp) -> PathBuf {
    let clock = Arc::new(SimClock::new(start));
    let options = Options {
        dir: Some(dir.to_owned()),
        writer: "tests".to_owned(),
        config_text: world::PLANT.to_owned(),
        config_path: "plant.toml".to_owned(),
        digest_every: Span::from_secs(10),
        keyframe_every: Span::from_secs(120),
        keyframe_inputs: 1_000_000,
    };
    let mut live = Live::start(Arc::new(world::plant()), options, Arc::clone(&clock) as _);
    let file = dir.join(live.core().lock().file.clone());
    for connection in [ConnectionId(0), ConnectionId(1)] {
        let up = Input::Link { connection, state: LinkState::Up, status: StatusCode::GOOD, detail: "".into() };
        live.take(vec![up, Input::Subscription { connection, state: SubscriptionState::Live }]);
    }
    for second in 0..=SECONDS {
        live.take(inputs(second, start + Span::from_secs(second)));
        clock.advance(Span::from_secs(1));
    }
    live.finish();
    file
}

fn inputs(second: i64, at: Timestamp) -> Vec<Input> {
    let sample = |tag, value| {
        let (source_time, server_time) = (Some(at), Some(at));
        Input::Sample(Sample { tag, value, status: StatusCode::GOOD, source_time, server_time })
    };
    let stopped = (STOP..STOP + 60).contains(&second);
    let mut inputs = vec![
        sample(SPEED, Value::Float(if stopped { 0.0 } else { 600.0 })),
        sample(GOOD, Value::Int(second * 10)),
        sample(TEMPERATURE, Value::Float(temperature(second))),
    ];
    if [0, STOP, STOP + 60].contains(&second) {
        inputs.push(sample(STATE, Value::Int(if stopped { 2 } else { 6 })));
    }
    if second == GAP + 10 {
        inputs.push(Input::Gap(Gap {
            scope: GapScope::Connection(ConnectionId(0)),
            from: at - Span::from_secs(10),
            to: at,
            reason: GapReason::LostNotification,
            lost: Some(7),
        }));
    }
    inputs
}

/// A running Lineside over a data folder of its own.
pub(crate) struct Ground {
    pub(crate) runtime: Runtime,
    pub(crate) home: TempDir,
    pub(crate) host: Host,
    pub(crate) api: Arc<Api>,
}

impl Ground {
    /// `prepare` fills the data folder, and may change what the program is told.
    pub(crate) fn new(prepare: impl FnOnce(&Path, &mut Args)) -> Ground {
        let runtime = Runtime::new().expect("a runtime");
        let home = tempfile::tempdir().expect("a folder");
        let mut args = Args { data: Some(home.path().to_owned()), ..Args::default() };
        prepare(home.path(), &mut args);
        let host = Host::start(&args, runtime.handle());
        Ground { api: host.api(), runtime, home, host }
    }

    /// No plant is configured; the scripted shift is in the library.
    pub(crate) fn with_a_recording() -> Ground {
        Ground::new(|data, _| drop(record(&data.join("shifts"), START)))
    }

    /// A plant whose servers do not answer; the scripted shift lies elsewhere, and is to be opened.
    pub(crate) fn with_a_plant(more: &str) -> Ground {
        Ground::new(|data, args| {
            args.open = Some(record(&data.join("elsewhere"), START));
            write_plant(data, more);
        })
    }

    pub(crate) fn asks(&self, command: &str, request: Json) -> Result<Json, ApiError> {
        self.api.call(command, request)
    }

    pub(crate) fn gets<T: DeserializeOwned>(&self, command: &str, request: Json) -> T {
        let answer = self.asks(command, request).unwrap_or_else(|error| panic!("{command}: {error:?}"));
        serde_json::from_value(answer).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub(crate) fn hello(&self, epoch: Option<u32>) -> Hello {
        self.gets("hello", json!({ "epoch": epoch }))
    }

    pub(crate) fn shifts(&self) -> ShiftList {
        self.gets("shifts", Json::Null)
    }

    /// The only recording in the list.
    pub(crate) fn shift(&self) -> ShiftInfo {
        let mut list = self.shifts();
        assert_eq!((list.shifts.len(), list.unreadable.len()), (1, 0), "{list:?}");
        list.shifts.remove(0)
    }

    pub(crate) fn opens(&self, shift: &str) -> u32 {
        let opened: Opened = self.gets("open", json!({ "shift": shift, "atMs": null }));
        opened.epoch
    }

    pub(crate) fn plays(&self, epoch: u32, action: &str, value: Option<f64>) -> ReplayView {
        self.gets("play", json!({ "epoch": epoch, "action": action, "value": value, "untilMs": null }))
    }

    pub(crate) fn frame(&self, epoch: u32, cursor: f64, watch: &[TagId]) -> Result<Frame, ApiError> {
        let watch = watch.iter().map(|tag| tag.0).collect();
        let fresh = cursor == 0.0;
        self.api.frame(&FrameRequest { epoch, cursor, watch, fresh }).map(|bytes| Frame::of(&bytes))
    }

    /// Pulls frames until one is as wanted. A frame is held until there is news.
    pub(crate) fn until(&self, epoch: u32, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let deadline = Instant::now() + PATIENCE;
        let mut frame = self.frame(epoch, 0.0, &[]).expect("the epoch is right");
        while !wanted(&frame) {
            assert!(Instant::now() < deadline, "it never came to that: {:?}", frame.tail);
            frame = self.frame(epoch, frame.cursor, &[]).expect("the epoch is right");
        }
        frame
    }

    /// Sends a whole file in pieces, and ends the import.
    pub(crate) fn imports(&self, name: &str, bytes: &[u8]) -> Result<Imported, ApiError> {
        let ticket: ImportTicket = self.gets("import", json!({ "name": name, "bytes": bytes.len() }));
        for (number, piece) in bytes.chunks(100_000).enumerate() {
            self.api.put(ticket.import, number as u64 * 100_000, piece)?;
        }
        let answer = self.asks("import_end", json!({ "import": ticket.import }))?;
        Ok(serde_json::from_value(answer).expect("an Imported"))
    }

    pub(crate) fn ends(self) {
        self.runtime.block_on(self.host.stop());
    }
}

/// A plant.toml with the plant of the tests, at ports where nobody listens.
pub(crate) fn write_plant(data: &Path, more: &str) {
    let text = world::PLANT.replace(":4840/", ":9/").replace(":4841/", ":9/");
    std::fs::write(data.join("plant.toml"), format!("{text}\n{more}")).expect("a file in a temporary folder");
}

/// What the tests look at in a frame (`docs/FRAME.md`).
pub(crate) struct Frame {
    pub(crate) is_replay: bool,
    pub(crate) epoch: u32,
    pub(crate) at: f64,
    pub(crate) cursor: f64,
    pub(crate) values: Vec<f64>,
    pub(crate) tail: FrameTail,
}

impl Frame {
    fn of(bytes: &[u8]) -> Frame {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let number = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let (n, tail) = (word(12) as usize, word(16) as usize);
        Frame {
            is_replay: word(4) & 1 == 1,
            epoch: word(8),
            at: number(24),
            cursor: number(32),
            values: (0..n).map(|i| number(40 + i * 8)).collect(),
            tail: serde_json::from_slice(&bytes[bytes.len() - tail..]).expect("the tail is a FrameTail"),
        }
    }

    pub(crate) fn replay(&self) -> &ReplayView {
        self.tail.replay.as_ref().expect("a replay says where it stands")
    }
}
