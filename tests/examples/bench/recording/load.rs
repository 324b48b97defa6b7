//! The loads that are recorded: the simulated plant's own signals, scanned as a server scans them, through a live
//! session with its recorder.
//!
//! The plant is seeded: the same load gives the same values and times in every run. What the session observes of its own
//! recorder is the only difference.

use crate::Outcome;
use lineside_config::parse;
use lineside_model::report::LinkReport;
use lineside_model::{
    ConnectionId, Input, LinkState, PlantConfig, Sample, Span, StatusCode, SubscriptionState, TagId, Timestamp, Value,
};
use lineside_plant::{self as plant, Scenario, Simulation, SimulationOptions, plant_toml};
use lineside_recording::{Recorder, Row, ShiftFile};
use lineside_runtime::{Live, Options, SimClock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Monday 2026-03-02 06:00 in the plant's time zone: an eight-hour shift begins.
const BEGIN: Timestamp = Timestamp(1_772_427_600_000_000_000);
const CONNECTION: ConnectionId = ConnectionId(0);
/// As `crates/host` sets up every live session.
const DIGEST_EVERY: Span = Span::from_secs(10);
const KEYFRAME_EVERY: Span = Span::from_secs(900);
const KEYFRAME_INPUTS: u64 = 1_000_000;
/// As `crates/opcua` reports.
const REPORT_EVERY: Span = Span::from_secs(5);
/// Simulated time knows no waiting: after so many inputs the bench lets the recorder catch up.
const AHEAD: usize = 50_000;
/// More than it takes to seal a whole recording.
const SEALED: Duration = Duration::from_secs(300);

/// What is recorded.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) tags: usize,
    pub(crate) changes_per_second: Option<u32>,
    pub(crate) scan: Span,
    pub(crate) lasts: Span,
}

/// 1,000 tags scanned once a second, on change, for one shift.
pub(crate) const REFERENCE: Load = Load {
    name: "reference load",
    tags: 1_000,
    changes_per_second: None,
    scan: Span::from_secs(1),
    lasts: Span::from_secs(8 * 3_600),
};

/// 10,000 changes a second.
pub(crate) const BUSY: Load = Load {
    name: "busy load",
    tags: 1_000,
    changes_per_second: Some(10_000),
    scan: Span::from_millis(100),
    lasts: Span::from_secs(3_600),
};

/// A finished recording.
pub(crate) struct Recording {
    pub(crate) path: PathBuf,
    pub(crate) config: PlantConfig,
    pub(crate) bytes: u64,
    pub(crate) changes: u64,
    /// Tags times scans.
    pub(crate) scan_points: u64,
}

impl Recording {
    /// All samples, scan by scan, as they are in the file.
    pub(crate) fn each_scan(&self, mut take: impl FnMut(Timestamp, &[&Sample]) -> Outcome<()>) -> Outcome<()> {
        let file = ShiftFile::open(&self.path)?;
        let mut taken = 0;
        for row in file.rows(file.start()?.seq) {
            let batch = match row? {
                Row::Batch(batch) => batch,
                Row::Damaged { reason, .. } => return Err(format!("the recording is damaged: {reason}").into()),
                Row::Keyframe { .. } | Row::Digest { .. } => continue,
            };
            let samples: Vec<&Sample> = batch.inputs.iter().filter_map(sample).collect();
            taken += samples.len() as u64;
            take(batch.at, &samples)?;
        }
        if taken == self.changes {
            Ok(())
        } else {
            Err(format!("{taken} of {} changes came back", self.changes).into())
        }
    }
}

fn sample(input: &Input) -> Option<&Sample> {
    if let Input::Sample(sample) = input { Some(sample) } else { None }
}

/// Records `load` into a new folder below `folder`.
pub(crate) fn record(load: &Load, folder: &Path) -> Outcome<Recording> {
    let size = SimulationOptions { seed: 1, tags: load.tags, changes_per_second: load.changes_per_second };
    let text = plant_toml("opc.tcp://127.0.0.1:4840", &size, "none");
    let config = parse(&text, Path::new("plant.toml")).map_err(|errors| format!("{errors:?}"))?;
    let folder = folder.join(load.name.replace(' ', "-"));
    let clock = Arc::new(SimClock::new(BEGIN));
    let mut live = Live::start(Arc::new(config.clone()), options(&folder, text), clock.clone());
    live.take(connected(config.tags.len()));
    let mut server = Server::new(&size)?;
    let (mut changes, mut ahead) = (0, 0);
    let scans = load.lasts.0 / load.scan.0;
    for scan in 0..scans {
        let inputs = server.scan(load.scan, scan);
        changes += inputs.iter().filter_map(sample).count();
        ahead += inputs.len();
        // What is scanned arrives some milliseconds later, never twice the same.
        let due = BEGIN + Span(load.scan.0 * scan) + Span(2_000_000 + jitter(scan, 9_000_000));
        clock.advance(due - lineside_runtime::Clock::now(&*clock));
        live.take(inputs);
        if ahead > AHEAD {
            live.flush()?;
            ahead = 0;
        }
    }
    live.finish();
    let file = lineside_recording::find_newest(&folder).newest.ok_or("nothing was recorded")?;
    let path = file.path().to_owned();
    // The plant's hours have passed in seconds: sealing comes after, as it does for what a crash left.
    Recorder::resume(&path)?.close(SEALED)?;
    if std::fs::read_dir(&folder)?.count() != 1 {
        return Err("the recording was not closed into one file".into());
    }
    let bytes = std::fs::metadata(&path)?.len();
    let scan_points = config.tags.len() as u64 * scans.unsigned_abs();
    Ok(Recording { path, config, bytes, changes: changes as u64, scan_points })
}

fn options(folder: &Path, config_text: String) -> Options {
    Options {
        dir: Some(folder.to_owned()),
        writer: "Lineside bench".to_owned(),
        config_text,
        config_path: "plant.toml".to_owned(),
        digest_every: DIGEST_EVERY,
        keyframe_every: KEYFRAME_EVERY,
        keyframe_inputs: KEYFRAME_INPUTS,
    }
}

/// What the adapter says before the first value.
fn connected(tags: usize) -> Vec<Input> {
    let mut inputs = vec![
        Input::Link { connection: CONNECTION, state: LinkState::Up, status: StatusCode::GOOD, detail: "".into() },
        Input::Subscription { connection: CONNECTION, state: SubscriptionState::Live },
    ];
    inputs.extend((0..tags as u32).map(|tag| Input::Item { tag: TagId(tag), status: StatusCode::GOOD }));
    inputs
}

/// The plant behind a server that is scanned.
struct Server {
    simulation: Simulation,
    reported: Span,
}

impl Server {
    fn new(size: &SimulationOptions) -> Outcome<Server> {
        let scenario = Scenario::embedded("calm-shift").map_err(|problem| problem.to_string())?;
        let simulation = Simulation::new(size, &scenario).map_err(|problem| problem.to_string())?;
        Ok(Server { simulation, reported: Span::ZERO })
    }

    /// What has changed since the scan before, each tag once.
    fn scan(&mut self, scan: Span, number: i64) -> Vec<Input> {
        if number > 0 {
            self.simulation.advance(Duration::from_nanos(scan.0.unsigned_abs()));
        }
        let changes = self.simulation.take_changes();
        let mut inputs: Vec<Input> =
            changes.into_iter().map(|(index, sample)| Input::Sample(received(index, &sample))).collect();
        let now = Span(scan.0 * number);
        if now - self.reported >= REPORT_EVERY {
            self.reported = now;
            inputs.push(Input::Report { connection: CONNECTION, report: Arc::new(report(number)) });
        }
        inputs
    }
}

/// As the plant's server stamps it: the source time is that of the plant's step, the server time when the server was
/// given the values of that step.
fn received(index: usize, sample: &plant::Sample) -> Sample {
    let time = sample.time.as_nanos() as i64;
    let source = BEGIN + Span(time);
    let server = source + Span(100 * (500 + jitter(time, 20_000)));
    Sample {
        tag: TagId(index as u32),
        value: sample.value.map_or(Value::Empty, |value| match value {
            plant::Value::Bool(value) => Value::Bool(value),
            plant::Value::UInt16(value) => Value::UInt(value.into()),
            plant::Value::UInt32(value) => Value::UInt(value.into()),
            plant::Value::Float(value) => Value::Float(value.into()),
            plant::Value::Double(value) => Value::Float(value),
        }),
        status: StatusCode(sample.quality.code()),
        source_time: Some(source),
        server_time: Some(server),
    }
}

fn report(number: i64) -> LinkReport {
    LinkReport {
        endpoint: "opc.tcp://127.0.0.1:4840".into(),
        security: "None".into(),
        service_level: Some(255),
        round_trip: Some(Span(300_000 + jitter(number, 400_000))),
        ..LinkReport::default()
    }
}

/// A number below `bound` that looks like chance (SplitMix64's finaliser).
fn jitter(seed: i64, bound: i64) -> i64 {
    let mut mixed = seed.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) % bound.unsigned_abs()).cast_signed()
}
