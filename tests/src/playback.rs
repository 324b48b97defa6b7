//! Every way to an instant of a recording ends in the same state: living through it, playing at any speed, jumping
//! there, stepping back. Equality of digests proves it.

use crate::equivalence::States;
use lineside_engine::{Change, Engine};
use lineside_model::{Span, Timestamp};
use lineside_recording::{Row, Rows};
use lineside_runtime::replay::{Progress, Timeline};
use lineside_runtime::{Command, Player, Replay, Speed, SystemClock};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;

/// Plant seconds per second, and how long a step is. (The last: as fast as it can.)
const SPEEDS: [(Speed, Span); 4] = [
    (Speed::Times(50.0), Span::from_millis(1000)),
    (Speed::Times(300.0), Span::from_millis(333)),
    (Speed::Times(1000.0), Span::from_millis(33)),
    (Speed::Max, Span::from_millis(33)),
];

/// So many instants of one file are a close look.
const CLOSELY: usize = 50;

/// Plays a file row by row and knows the digest at any instant that is asked for in order.
struct Oracle {
    rows: Rows,
    next: Option<Row>,
    engine: Engine,
    changes: Vec<Change>,
}

impl Oracle {
    fn open(path: &Path) -> Result<Oracle, String> {
        let replay = Replay::open(path).map_err(|error| error.to_string())?;
        let rows = replay.file().rows(replay.state().seq);
        Ok(Oracle { rows, next: None, engine: replay.into_engine(), changes: Vec::new() })
    }

    fn digest_at(&mut self, at: Timestamp) -> Result<u64, String> {
        loop {
            if self.next.is_none() {
                self.next = self.rows.next().transpose().map_err(|error| error.to_string())?;
            }
            match self.next.take() {
                Some(Row::Batch(batch)) if batch.at <= at => {
                    lineside_runtime::step::apply(&mut self.engine, &batch, &mut self.changes);
                }
                Some(Row::Keyframe { state, .. }) if state.at <= at => {
                    self.engine = Engine::from_state(Arc::clone(self.engine.config()), state);
                }
                Some(Row::Digest { at: noted, .. }) if noted <= at => {}
                Some(Row::Damaged { reason, .. }) => return Err(reason),
                later => {
                    self.next = later;
                    break;
                }
            }
            self.changes.clear();
        }
        self.engine.advance_to(at, &mut self.changes);
        Ok(self.engine.digest())
    }
}

/// The index of events that was written while live says what a pass through the file finds.
pub fn prove_index(path: &Path) -> Result<(), String> {
    let text = |error: lineside_runtime::replay::ReplayError| error.to_string();
    let replay = Replay::open(path).map_err(text)?;
    let index = Timeline::of_index(replay.file()).map_err(text)?.ok_or("there is no index of events")?;
    let pass = Timeline::of_pass(replay.file(), &Progress::default()).map_err(text)?.ok_or("given up")?;
    if index == pass {
        return Ok(());
    }
    let (a, b) = (format!("{index:#?}"), format!("{pass:#?}"));
    let differs = a.lines().zip(b.lines()).enumerate().find(|(_, (a, b))| a != b);
    Err(format!("the index of events is not what a pass finds, from line {differs:?}"))
}

/// Goes to `times` random instants of the file in every way, and plays it at one speed or at all four. Returns how many states were
/// compared.
pub fn prove(path: &Path, live: &States, times: usize, seed: u64) -> Result<u64, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut player = open(path)?;
    let (from, to) = (player.state().from, player.state().to);
    let points: Vec<Timestamp> = live.keys().map(|(_, at)| *at).filter(|at| (from..=to).contains(at)).collect();
    let mut instants: Vec<Timestamp> = (0..times).map(|_| instant(&mut random, &points, from, to)).collect();
    instants.sort();
    let mut oracle = Oracle::open(path)?;
    let truth = instants.iter().map(|at| Ok((*at, oracle.digest_at(*at)?))).collect::<Result<Vec<_>, String>>()?;

    // In any order.
    for _ in 0..times {
        let (at, digest) = truth[random.random_range(0..truth.len())];
        player.command(Command::Seek(at)).map_err(|error| error.to_string())?;
        compare(&player, at, digest, live, "a seek")?;
    }
    // Backwards, and forwards again: step by step.
    for (at, digest) in truth.iter().rev().chain(&truth) {
        let by = *at - player.state().position;
        player.command(Command::Step(by)).map_err(|error| error.to_string())?;
        compare(&player, *at, *digest, live, "a step")?;
    }
    let mut compared = 3 * times as u64;
    // Over many files every speed has its turn; a run that looks closely takes all of them at each.
    let one = random.random_range(0..SPEEDS.len());
    let speeds = if times < CLOSELY { &SPEEDS[one..=one] } else { &SPEEDS };
    for (speed, tick) in speeds.iter().copied() {
        compared += play(path, speed, tick, &mut random)?;
    }
    Ok(compared)
}

/// One half exactly where something was live, the other half anywhere.
fn instant(random: &mut ChaCha8Rng, points: &[Timestamp], from: Timestamp, to: Timestamp) -> Timestamp {
    if points.is_empty() || random.random_range(0..2) == 0 {
        return Timestamp(random.random_range(from.0..=to.0));
    }
    points[random.random_range(0..points.len())]
}

fn open(path: &Path) -> Result<Player, String> {
    Player::open(path, None, false, Arc::new(SystemClock::new())).map_err(|error| error.to_string())
}

fn play(path: &Path, speed: Speed, tick: Span, random: &mut ChaCha8Rng) -> Result<u64, String> {
    let mut player = open(path)?;
    let mut oracle = Oracle::open(path)?;
    player.command(Command::Play(Some(speed))).map_err(|error| error.to_string())?;
    let mut compared = 0;
    while player.is_playing() {
        player.tick(tick);
        if random.random_range(0..100) == 0 || !player.is_playing() {
            let at = player.state().position;
            compare(&player, at, oracle.digest_at(at)?, &States::new(), "playing")?;
            compared += 1;
        }
    }
    let state = player.state();
    match (state.first_mismatch, state.failure) {
        (Some(mismatch), _) => Err(format!("{speed:?}: {mismatch:?}")),
        (_, Some(failure)) => Err(failure),
        _ if state.position != state.to => Err(format!("{speed:?}: ended at {:?}, not {:?}", state.position, state.to)),
        _ if state.digests_equal == 0 => Err(format!("{speed:?}: no digest was compared")),
        _ => Ok(compared + state.digests_equal),
    }
}

fn compare(player: &Player, at: Timestamp, truth: u64, live: &States, way: &str) -> Result<(), String> {
    let core = player.core();
    let core = core.lock();
    let (state, digest) = (core.engine.state(), core.engine.digest());
    if state.at.max(at) != at || core.playback.as_ref().is_none_or(|playback| playback.position != at) {
        return Err(format!("{way} to {at:?} ends at {:?}", state.at));
    }
    if digest != truth {
        return Err(format!("the state after {way} to {at:?} (input {}) is not the one of replay", state.seq));
    }
    match live.get(&(state.seq, at)) {
        Some(was) if *was != digest => Err(format!("the state after {way} to {at:?} is not the one that was live")),
        _ => Ok(()),
    }
}
