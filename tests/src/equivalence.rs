//! One seeded run: a live session in a bad world, killed and started again, and every file it left
//! replayed. Live digest = replay digest, at every recorded point.

use crate::playback;
use crate::world::{self, World};
use lineside_engine::Engine;
use lineside_model::inlet::{Inlet, inlet};
use lineside_model::{Input, PlantConfig, Span, Timestamp};
use lineside_runtime::{Live, Options, Replay, SimClock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// Somewhere in November 2026, on a Thursday.
const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
/// One run in so many steps is a life between two kills.
const STEPS_PER_LIFE: u32 = 400;

/// A loop that wakes more seldom than this has slept.
const LOOK: Span = Span::from_secs(4);

/// Digests by (sequence number, instant).
pub type States = BTreeMap<(u64, Timestamp), u64>;

/// What a run proved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub files: usize,
    pub lives: u32,
    pub batches: u64,
    pub digests: u64,
    /// States reached by seeking, stepping and playing.
    pub ways: u64,
}

/// Runs the world of `seed` through `lives` lives in `dir`, and compares; goes to `instants` random instants of each file in
/// every way there is.
pub fn prove(seed: u64, lives: u32, instants: usize, dir: &Path) -> Result<Proof, String> {
    let config = Arc::new(world::plant());
    let clock = Arc::new(SimClock::new(START));
    let mut world = World::new(seed, &config);
    let mut live_digests = States::new();
    let mut disk = dir.join("0");
    for life in 1..=lives {
        let live = live_one_life(&config, &clock, &mut world, &disk, &mut live_digests)?;
        if world.chance(30) {
            live.finish();
        } else {
            disk = kill(live, &disk, dir.join(life.to_string()))?;
        }
    }
    let mut proof = Proof { lives, ..Proof::default() };
    for path in files(&disk)? {
        let about = |what| format!("seed {seed}: {}: {what}", path.display());
        compare(&path, &live_digests, &mut proof).map_err(about)?;
        playback::prove_index(&path).map_err(about)?;
        proof.ways += playback::prove(&path, &live_digests, instants, seed + proof.files as u64).map_err(about)?;
    }
    let expected = live_digests.len() as u64;
    if proof.digests < expected {
        return Err(format!("seed {seed}: {expected} states were live, {} were found in the files", proof.digests));
    }
    Ok(proof)
}

fn live_one_life(
    config: &Arc<PlantConfig>,
    clock: &Arc<SimClock>,
    world: &mut World,
    dir: &Path,
    digests: &mut States,
) -> Result<Live, String> {
    let mut live = Live::start(Arc::clone(config), options(dir), Arc::clone(clock) as _);
    let (mut door, arrivals) = inlet();
    for _ in 0..STEPS_PER_LIFE {
        pass_time(world, clock, &mut live);
        let inputs = next_inputs(world, clock, &mut door, &arrivals);
        let something = !inputs.is_empty();
        live.take(inputs);
        if something {
            let core = live.core();
            let engine = &core.lock().engine;
            digests.insert((engine.state().seq, engine.state().at), engine.digest());
        }
        // Commits fall anywhere; each costs the disk's time, so not at every step.
        if world.chance(1) {
            live.flush().map_err(|error| error.to_string())?;
        }
    }
    live.flush().map_err(|error| error.to_string())?;
    Ok(live)
}

/// Nothing is closed: no last digest, no checkpoint. What a killed process leaves is what its disk holds; a copy of
/// the disk, because the locks of a session in this process would outlive it.
fn kill(live: Live, disk: &Path, copy: PathBuf) -> Result<PathBuf, String> {
    let copied = || -> std::io::Result<()> {
        std::fs::create_dir(&copy)?;
        for entry in std::fs::read_dir(disk)? {
            let path = entry?.path();
            // The shared-memory index is rebuilt from the log, as after a restart of the computer.
            if !path.to_string_lossy().ends_with("-shm") {
                std::fs::copy(&path, copy.join(path.file_name().unwrap_or_default()))?;
            }
        }
        Ok(())
    };
    copied().map_err(|error| error.to_string())?;
    std::mem::forget(live);
    Ok(copy)
}

/// Until something arrives. In minutes of silence the loop goes on looking at the clock; in hours the computer sleeps.
fn pass_time(world: &mut World, clock: &SimClock, live: &mut Live) {
    let mut left = world.pause();
    while left > LOOK && left < Span::from_secs(600) {
        clock.advance(LOOK);
        left = Span(left.0 - LOOK.0);
        live.take(Vec::new());
    }
    clock.advance(left);
}

fn next_inputs(world: &mut World, clock: &SimClock, door: &mut Inlet, arrivals: &Receiver<Vec<Input>>) -> Vec<Input> {
    if world.chance(1) {
        clock.set_wall(world.clock_step());
    }
    let now = lineside_runtime::Clock::now(clock);
    if world.chance(1) {
        world.flood(door, now);
    } else if world.chance(90) {
        let inputs = world.arrives(now);
        door.deliver(inputs).unwrap_or_default();
    }
    arrivals.try_iter().flatten().collect()
}

fn options(dir: &Path) -> Options {
    Options {
        dir: Some(dir.to_owned()),
        writer: "Lineside tests".to_owned(),
        config_text: world::PLANT.to_owned(),
        config_path: "plant.toml".to_owned(),
        digest_every: Span::ZERO,
        keyframe_every: Span::from_secs(120),
        keyframe_inputs: 300,
    }
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).map_err(|error| error.to_string())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "shift"));
    files.sort();
    Ok(files)
}

/// Replays one file and holds every state against the one that was live.
fn compare(path: &Path, live: &States, proof: &mut Proof) -> Result<(), String> {
    let mut replay = Replay::open(path).map_err(|error| error.to_string())?;
    let mut seen = States::new();
    let see = |engine: &Engine| {
        seen.insert((engine.state().seq, engine.state().at), engine.digest());
    };
    let report = replay.run(see).map_err(|error| error.to_string())?.clone();
    let differs = seen.iter().find(|(point, digest)| live.get(point).is_some_and(|live| live != *digest));
    proof.files += 1;
    proof.batches += report.batches;
    proof.digests += seen.keys().filter(|point| live.contains_key(point)).count() as u64;
    match (differs, report.mismatches.first(), report.damaged.first()) {
        (_, Some(mismatch), _) => Err(format!("recorded and replayed digest differ: {mismatch:?}")),
        (Some(((seq, at), _)), ..) => Err(format!("live and replayed state differ after input {seq} at {at:?}")),
        (.., Some(damaged)) => Err(format!("damaged: {damaged}")),
        (None, None, None) if report.digests_equal == 0 => Err("no digest was compared".to_owned()),
        (None, None, None) => Ok(()),
    }
}
