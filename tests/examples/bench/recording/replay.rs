//! How fast a recording is opened, jumped in, played and drawn. All through what the program itself uses.

use super::load::Recording;
use crate::{Figures, Outcome};
use lineside_model::{ConnectionId, Span, TagId, Timestamp};
use lineside_recording::{Pen, Reader, ShiftFile};
use lineside_runtime::clock::{Clock, SystemClock};
use lineside_runtime::{Command, Player, Replay};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::Instant;

/// Tags of one screen.
const VISIBLE: u32 = 60;
const SEEKS: usize = 400;
/// Parts of the file whose seeks are compared.
const PARTS: usize = 8;
/// Width of a time bar or a trend in pixels.
const WIDTH: usize = 1_600;
const SCRUBBED: usize = 600;
const OPENINGS: usize = 10;
const DRAWINGS: usize = 10;
const PENS: u32 = 8;

pub(crate) fn measure(recording: &Recording) -> Outcome<Figures> {
    let mut figures = vec![("replay.open_ms", open(recording)?)];
    figures.extend(seeks(recording)?);
    figures.push(("replay.changes_per_s", play(recording)?));
    figures.push(("trend.m4_8pens_shift_ms", trend(recording)?));
    Ok(figures)
}

/// The slowest of several openings, up to the values of the first picture.
fn open(recording: &Recording) -> Outcome<f64> {
    let mut took = Vec::new();
    for _ in 0..OPENINGS {
        let begin = Instant::now();
        let player = player(recording, None)?;
        look(&player);
        took.push(ms(begin));
    }
    took.sort_by(f64::total_cmp);
    eprintln!("open: {took:.1?} ms");
    Ok(took[OPENINGS - 1])
}

/// Seeks to instants by chance, as a person jumps, and along the bar, as a person drags.
fn seeks(recording: &Recording) -> Outcome<Figures> {
    let mut player = player(recording, None)?;
    let state = player.state();
    let (from, length) = (state.from, (state.to - state.from).0);
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let (mut all, mut visible) = (Vec::new(), Vec::new());
    let mut parts = vec![Vec::new(); PARTS];
    for _ in 0..SEEKS {
        let share: f64 = chance.random();
        let begin = Instant::now();
        player.command(Command::Seek(from + Span((length as f64 * share) as i64)))?;
        all.push(ms(begin));
        parts[(share * PARTS as f64) as usize].push(ms(begin));
        look(&player);
        visible.push(ms(begin));
    }
    let medians: Vec<f64> = parts.into_iter().map(|part| percentile(part, 0.5)).collect::<Outcome<_>>()?;
    let (least, most) = medians.iter().fold((f64::MAX, 0.0_f64), |(a, b), ms| (a.min(*ms), b.max(*ms)));
    eprintln!("seek by part of the file, median ms: {medians:.1?}");
    eprintln!("seek p50 {:.1} ms, p95 {:.1} ms", percentile(all.clone(), 0.5)?, percentile(all.clone(), 0.95)?);
    Ok(vec![
        ("replay.seek_across_file", most / least),
        ("replay.scrub_seeks_per_s", scrub(&mut player, from, length)?),
        ("replay.seek_all_ms_p95", percentile(all, 0.95)?),
        ("replay.seek_visible_ms_p95", percentile(visible, 0.95)?),
    ])
}

/// Dragging from the middle on, pixel by pixel, and back.
fn scrub(player: &mut Player, from: Timestamp, length: i64) -> Outcome<f64> {
    let pixels = (0..SCRUBBED / 2).chain((0..SCRUBBED / 2).rev());
    let begin = Instant::now();
    let mut slowest: f64 = 0.0;
    for pixel in pixels {
        let one = Instant::now();
        let at = from + Span(length / WIDTH as i64 * (WIDTH / 2 + pixel) as i64);
        player.command(Command::Seek(at))?;
        look(player);
        slowest = slowest.max(ms(one));
    }
    eprintln!("scrubbing: slowest {slowest:.1} ms");
    Ok(SCRUBBED as f64 / begin.elapsed().as_secs_f64())
}

/// Changes through the engine per second, from the first to the last; every recorded digest must be met.
fn play(recording: &Recording) -> Outcome<f64> {
    let mut replay = Replay::open(&recording.path)?;
    let begin = Instant::now();
    let report = replay.run(|_| ())?;
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!("played in {seconds:.2} s: {report:?}");
    if !report.mismatches.is_empty() {
        return Err("replay does not reach the states that were live".into());
    }
    Ok(recording.changes as f64 / seconds)
}

/// Pens over the whole shift, with a reader that has read nothing yet; the median of several.
fn trend(recording: &Recording) -> Outcome<f64> {
    let pens: Vec<Pen> = recording
        .config
        .tag_ids()
        .step_by(recording.config.tags.len() / PENS as usize)
        .take(PENS as usize)
        .map(|tag| Pen { tag, connection: ConnectionId(0) })
        .collect();
    let (from, to) = {
        let state = player(recording, None)?.state();
        (state.from, state.to)
    };
    let mut took = Vec::new();
    for _ in 0..DRAWINGS {
        let mut reader = Reader::new(ShiftFile::open(&recording.path)?);
        let begin = Instant::now();
        for pen in &pens {
            reader.pen(*pen, from, to, WIDTH)?;
        }
        took.push(ms(begin));
    }
    eprintln!("eight pens over the shift: {took:.1?} ms");
    percentile(took, 0.5)
}

fn player(recording: &Recording, at: Option<Timestamp>) -> Outcome<Player> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok(Player::open(&recording.path, at, false, clock)?)
}

/// Takes the values that a screen shows.
fn look(player: &Player) {
    let core = player.core();
    let core = core.lock();
    let state = core.engine.state();
    for tag in (0..VISIBLE).map(TagId) {
        std::hint::black_box(lineside_engine::scaled(core.engine.config(), state, tag));
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn percentile(mut values: Vec<f64>, part: f64) -> Outcome<f64> {
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * part) as usize).copied().ok_or_else(|| "nothing was measured".into())
}
