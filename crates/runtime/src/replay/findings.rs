//! What playback tells: where it is, how fast it really goes, what it found on its way.

use super::playback::Speed;
use super::run::Mismatch;
use lineside_engine::Engine;
use lineside_model::{Span, Timestamp};
use lineside_recording::Damage;

/// The speed reached is measured over at least this long.
const METER: Span = Span::from_millis(500);
/// Damaged stretches told; how many there are beyond is counted.
const DAMAGE_MAX: usize = 100;

/// What a screen is told of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaybackState {
    pub position: Timestamp,
    pub from: Timestamp,
    pub to: Timestamp,
    pub speed: Speed,
    /// Plant seconds per second, as measured; `None` while paused or not yet known.
    pub effective: Option<f64>,
    pub playing: bool,
    /// At the end of a file that is still being written.
    pub following: bool,
    pub growing: bool,
    pub range: Option<(Timestamp, Timestamp)>,
    /// Grows whenever the state was replaced instead of continued: everything on screen is to be taken anew,
    /// the list of notices included.
    pub jump: u64,
    /// Digests written while live that replay reached too.
    pub digests_equal: u64,
    pub digests_different: u64,
    pub first_mismatch: Option<Mismatch>,
    /// Damaged stretches met so far, oldest first; a hundred at most.
    pub damaged: Vec<Damage>,
    /// Why the state shown may not be what was.
    pub doubt: Doubt,
    /// Why the file could not be read on; playback is paused then.
    pub failure: Option<String>,
}

/// Can the state shown be believed?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Doubt {
    #[default]
    None,
    /// Inputs before it could not be read, and no keyframe has come since.
    Damaged,
    /// Nothing was recorded here, because Lineside did not run or could not write: the state is the last one known.
    NotRecorded,
}

/// What playback found on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) jump: u64,
    pub(super) digests_equal: u64,
    pub(super) digests_different: u64,
    pub(super) first_mismatch: Option<Mismatch>,
    pub(super) damaged: Vec<Damage>,
    pub(super) failure: Option<String>,
}

/// How fast it really goes.
#[derive(Default)]
pub(super) struct Meter {
    elapsed: Span,
    played: Span,
    pub(super) speed: Option<f64>,
}

impl Findings {
    /// A digest was met: does the state have it?
    pub(super) fn compare(&mut self, engine: &Engine, recorded: Mismatch) {
        let replay = engine.digest();
        if replay == recorded.live {
            self.digests_equal += 1;
            return;
        }
        self.digests_different += 1;
        self.first_mismatch.get_or_insert_with(|| {
            tracing::error!(seq = recorded.seq, "replay does not reach the state that was live");
            Mismatch { replay, ..recorded }
        });
    }

    /// Damage that was met; the same is told once.
    pub(super) fn report(&mut self, damage: Damage) {
        let known = self.damaged.iter().any(|other| other.first_seq == damage.first_seq);
        if !known && self.damaged.len() < DAMAGE_MAX {
            self.damaged.push(damage);
        }
    }
}

impl Meter {
    pub(super) fn add(&mut self, elapsed: Span, played: Span) {
        self.elapsed = Span(self.elapsed.0.saturating_add(elapsed.0));
        self.played = Span(self.played.0.saturating_add(played.0));
        if self.elapsed >= METER {
            self.speed = Some(self.played.as_secs_f64() / self.elapsed.as_secs_f64());
            (self.elapsed, self.played) = (Span::ZERO, Span::ZERO);
        }
    }
}
