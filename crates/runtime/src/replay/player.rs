//! Playback over a file: applies every change in arrival order up to where playback wants to be, or puts another
//! state in its place.
//!
//! Work per step is bounded in time: a step that cannot keep up leaves the position behind and says how fast it
//! really goes. It never leaves a change out. Driven by calls; [`super::ReplaySession`] drives one by a thread.

use super::findings::{Doubt, Findings, Meter, PlaybackState};
use super::playback::{Command, Goal, Playback};
use super::run::{Mismatch, ReplayError};
use super::seek::{self, Stand};
use super::story::Story;
use crate::clock::Clock;
use crate::step;
use crate::view::{Core, SharedCore, View};
use lineside_engine::{Change, Engine, Notice};
use lineside_model::{PlantConfig, Span, Timestamp};
use lineside_recording::{Damage, Reader, Row, Rows, ShiftFile};
use std::path::Path;
use std::sync::Arc;

/// A step works no longer than this.
const BUDGET: Span = Span::from_millis(20);
/// So many inputs are applied while screens wait.
const CHUNK: usize = 5_000;
/// A file that is being written is asked for its end this often.
const REFRESH: Span = Span::from_millis(200);

/// Plays one file; see the module.
pub struct Player {
    file: ShiftFile,
    reader: Reader,
    clock: Arc<dyn Clock>,
    core: Arc<SharedCore>,
    config: Arc<PlantConfig>,
    playback: Playback,
    rows: Rows,
    /// Read, and not due yet.
    next: Option<Row>,
    findings: Findings,
    /// Last input of the damage that the present state comes after.
    damaged_until: Option<u64>,
    meter: Meter,
    behind: bool,
    since_refresh: Span,
    changes: Vec<Change>,
    story: Arc<Story>,
}

impl Player {
    /// Opens a file and stands, paused, at `at`, or at its beginning. The clock only bounds the work of a step.
    pub fn open(
        path: &Path,
        at: Option<Timestamp>,
        growing: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Player, ReplayError> {
        let file = ShiftFile::open(path)?;
        let header = file.header();
        let config =
            lineside_config::parse(&header.config_text, Path::new(&header.config_path)).map_err(ReplayError::Config)?;
        let config = Arc::new(config);
        let story = Arc::new(Story::open(&file)?);
        let (from, to) = seek::bounds(&file)?;
        let playback = Playback::new(from, to, growing);
        let at = at.unwrap_or(from).clamp(from, to);
        let mut reader = Reader::new(file.clone());
        let stand = seek::stand(&mut reader, &config, at)?;
        let rows = file.rows(stand.engine.state().seq);
        let name = file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let core = Core {
            engine: Engine::new(Arc::clone(&config)),
            view: View::new(config.tags.len(), config.connections.len()),
            file: name,
            recorder_since: from,
            playback: None,
        };
        let mut player = Player {
            file,
            reader,
            clock,
            core: Arc::new(SharedCore::new(core)),
            config,
            playback,
            rows,
            next: None,
            findings: Findings::default(),
            damaged_until: None,
            meter: Meter::default(),
            behind: false,
            since_refresh: Span::ZERO,
            changes: Vec::new(),
            story,
        };
        player.take_stand(stand, at);
        player.publish();
        Ok(player)
    }

    /// The state, for screens.
    pub fn core(&self) -> Arc<SharedCore> {
        Arc::clone(&self.core)
    }

    /// The configuration in the file.
    pub fn config(&self) -> Arc<PlantConfig> {
        Arc::clone(&self.config)
    }

    /// The file.
    pub fn file(&self) -> &ShiftFile {
        &self.file
    }

    /// Does time have to pass for it?
    pub fn is_playing(&self) -> bool {
        self.playback.playing
    }

    /// The last step did not come as far as it should: the next one is wanted at once.
    pub fn is_behind(&self) -> bool {
        self.behind && self.playback.playing
    }

    /// Is the file still being written?
    pub(super) fn is_growing(&self) -> bool {
        self.playback.growing
    }

    /// Looks how far the file reaches now, without anybody asking.
    pub(super) fn look_on(&mut self) {
        self.refresh();
        let done = self.story.read_on();
        self.settle(done.err().as_ref());
    }

    /// Where playback is now.
    pub fn state(&self) -> PlaybackState {
        let (playback, findings) = (&self.playback, &self.findings);
        PlaybackState {
            position: playback.position,
            from: playback.from,
            to: playback.to,
            speed: playback.speed,
            effective: self.meter.speed.filter(|_| playback.playing),
            playing: playback.playing,
            following: playback.following,
            growing: playback.growing,
            range: playback.range,
            jump: findings.jump,
            digests_equal: findings.digests_equal,
            digests_different: findings.digests_different,
            first_mismatch: findings.first_mismatch,
            damaged: findings.damaged.clone(),
            doubt: self.doubt(),
            failure: findings.failure.clone(),
        }
    }

    /// Does what is asked for. When this returns, the state is the one at the new position.
    pub fn command(&mut self, command: Command) -> Result<PlaybackState, ReplayError> {
        let done = self.obey(command);
        self.meter = Meter::default();
        self.settle(done.as_ref().err());
        done.map(|()| self.state())
    }

    /// So much time has passed for the person who watches.
    pub fn tick(&mut self, elapsed: Span) {
        if !self.playback.playing {
            return;
        }
        let done = self.refresh_when_due(elapsed).and_then(|()| {
            let before = self.playback.position;
            match self.playback.advance(elapsed) {
                Goal::Stay => {}
                Goal::Jump(at) => return self.jump(at),
                Goal::PlayTo(at) => self.play_to(at, Some(BUDGET))?,
            }
            self.meter.add(elapsed, self.playback.position - before);
            Ok(())
        });
        self.settle(done.err().as_ref());
    }

    /// The pass through a file without an index is over: the list of notices is complete now.
    pub(super) fn know_story(&mut self) {
        if let Some(notices) = self.story.notices_until(self.playback.position, View::NOTICES_MAX) {
            self.core.lock().view.replace(notices);
            self.findings.jump += 1;
            self.publish();
        }
    }

    pub(super) fn story(&self) -> Arc<Story> {
        Arc::clone(&self.story)
    }

    fn obey(&mut self, command: Command) -> Result<(), ReplayError> {
        if self.playback.growing || command == Command::Refresh {
            self.refresh();
            self.story.read_on()?;
        }
        let command = match command {
            Command::StepChange { forward } => {
                self.playback.take(Command::Pause);
                match self.change_beside(forward)? {
                    Some(at) => Command::Step(at - self.playback.position),
                    None => return Ok(()),
                }
            }
            other => other,
        };
        match self.playback.take(command) {
            Goal::Stay => Ok(()),
            Goal::Jump(at) => self.jump(at),
            Goal::PlayTo(at) => self.play_to(at, None),
        }
    }

    /// The instant of the next or the previous row.
    fn change_beside(&mut self, forward: bool) -> Result<Option<Timestamp>, ReplayError> {
        if !forward {
            return seek::change_before(&mut self.reader, self.playback.position);
        }
        let position = self.playback.position;
        Ok(self.peek()?.and_then(stamp).map(|at| at.max(position)))
    }

    fn settle(&mut self, error: Option<&ReplayError>) {
        if let Some(error) = error {
            self.findings.failure = Some(chain(error));
            self.playback.take(Command::Pause);
        } else {
            self.findings.failure = None;
        }
        self.publish();
    }

    fn publish(&mut self) {
        let state = self.state();
        let mut core = self.core.lock();
        if core.playback.as_ref() != Some(&state) {
            core.playback = Some(state);
            core.view.playback_moved();
        }
        drop(core);
        self.core.announce();
    }

    fn refresh_when_due(&mut self, elapsed: Span) -> Result<(), ReplayError> {
        self.since_refresh = Span(self.since_refresh.0.saturating_add(elapsed.0));
        if self.playback.growing && self.since_refresh >= REFRESH {
            self.refresh();
            self.story.read_on()?;
        }
        Ok(())
    }

    fn refresh(&mut self) {
        self.since_refresh = Span::ZERO;
        // A file is written as long as its log stands beside it; the end is read after that was looked for.
        let mut log = self.file.path().as_os_str().to_owned();
        log.push("-wal");
        let growing = self.playback.growing && Path::new(&log).exists();
        if let Some((_, to)) = self.file.last() {
            self.playback.reaches(to);
        }
        self.playback.growing = growing;
    }

    /// Puts the state at `at` in the place of the present one.
    fn jump(&mut self, at: Timestamp) -> Result<(), ReplayError> {
        let stand = seek::stand(&mut self.reader, &self.config, at)?;
        self.rows = self.file.rows(stand.engine.state().seq);
        self.next = None;
        self.take_stand(stand, at);
        Ok(())
    }

    fn take_stand(&mut self, stand: Stand, at: Timestamp) {
        self.damaged_until = stand.damaged.last().map(|damage| damage.last_seq);
        stand.damaged.into_iter().for_each(|damage| self.findings.report(damage));
        let notices = self.story.notices_until(at, View::NOTICES_MAX).unwrap_or(stand.notices);
        self.findings.jump += 1;
        self.playback.arrived(at);
        self.behind = false;
        let mut core = self.core.lock();
        core.engine = stand.engine;
        core.view.replace(notices);
        core.recorder_since = recorder_since(&core, self.playback.from);
    }

    /// Applies everything up to `goal`, in order, or as much of it as the budget allows.
    fn play_to(&mut self, goal: Timestamp, budget: Option<Span>) -> Result<(), ReplayError> {
        let begun = self.clock.monotonic();
        loop {
            let rows = self.take_rows(goal)?;
            let done = rows.is_empty();
            self.apply(rows)?;
            if done {
                break;
            }
            if budget.is_some_and(|budget| self.clock.monotonic() - begun > budget) {
                let reached = self.core.lock().engine.state().at;
                self.playback.arrived(reached.max(self.playback.position).min(goal));
                self.behind = true;
                return Ok(());
            }
        }
        let mut core = self.core.lock();
        core.engine.advance_to(goal, &mut self.changes);
        core.fold(&mut self.changes);
        drop(core);
        self.playback.arrived(goal);
        self.behind = false;
        Ok(())
    }

    /// The next rows up to `goal`; about [`CHUNK`] inputs, and never a part of those with one stamp.
    fn take_rows(&mut self, goal: Timestamp) -> Result<Vec<Row>, ReplayError> {
        let (mut rows, mut inputs, mut last) = (Vec::new(), 0, None);
        while let Some(row) = self.peek()? {
            let at = stamp(row);
            let enough = inputs >= CHUNK && at.is_some() && at != last;
            if enough || at.is_some_and(|at| at > goal) {
                break;
            }
            inputs += if let Row::Batch(batch) = row { batch.inputs.len() } else { 1 };
            last = at.or(last);
            rows.extend(self.next.take());
        }
        Ok(rows)
    }

    fn peek(&mut self) -> Result<Option<&Row>, ReplayError> {
        if self.next.is_none() {
            self.next = self.rows.next().transpose()?;
        }
        Ok(self.next.as_ref())
    }

    fn apply(&mut self, rows: Vec<Row>) -> Result<(), ReplayError> {
        let core = Arc::clone(&self.core);
        let mut core = core.lock();
        for row in rows {
            self.apply_row(&mut core, row);
        }
        core.fold(&mut self.changes);
        drop(core);
        self.leave_damage_behind()
    }

    fn apply_row(&mut self, core: &mut Core, row: Row) {
        match row {
            Row::Batch(batch) => step::apply(&mut core.engine, &batch, &mut self.changes),
            Row::Keyframe { state, .. } => {
                core.engine = Engine::from_state(Arc::clone(&self.config), state);
                self.changes.clear();
                core.view.renew();
                self.damaged_until = None;
                self.findings.jump += 1;
            }
            Row::Digest { seq, at, digest } => {
                core.engine.advance_to(at, &mut self.changes);
                self.playback.reaches(at);
                // One that is out of its place (the file is damaged there) has no state to be compared with.
                if self.damaged_until.is_none() && core.engine.state().seq == seq {
                    self.findings.compare(&core.engine, Mismatch { seq, at, live: digest, replay: 0 });
                }
            }
            Row::Damaged { first_seq, last_seq, reason, .. } => {
                let at = core.engine.state().at;
                self.damaged_until = Some(last_seq);
                self.findings.report(Damage { first_seq, last_seq, at, reason });
            }
        }
    }

    /// Behind damaged inputs the first keyframe after them is the truth again.
    fn leave_damage_behind(&mut self) -> Result<(), ReplayError> {
        let Some(last_seq) = self.damaged_until else { return Ok(()) };
        let at = self.core.lock().engine.state().at;
        if let Some(stand) = seek::stand_behind(&mut self.reader, &self.config, at, last_seq)? {
            self.rows = self.file.rows(stand.engine.state().seq);
            self.next = None;
            self.take_stand(stand, at);
        }
        Ok(())
    }

    fn doubt(&self) -> Doubt {
        match self.damaged_until {
            Some(_) => Doubt::Damaged,
            None if self.story.is_blank(self.playback.position) => Doubt::NotRecorded,
            None => Doubt::None,
        }
    }
}

/// When a row is due; damage is met where it lies.
pub(super) fn stamp(row: &Row) -> Option<Timestamp> {
    match row {
        Row::Batch(batch) => Some(batch.at),
        Row::Keyframe { state, .. } => Some(state.at),
        Row::Digest { at, .. } => Some(*at),
        Row::Damaged { .. } => None,
    }
}

/// Since when the recorder has been as it is, as far as the notices tell.
fn recorder_since(core: &Core, from: Timestamp) -> Timestamp {
    use lineside_engine::NoticeKind::{RecorderFailed, RecorderLagging, RecorderRecovered};
    let of_recorder = |notice: &&Notice| matches!(notice.kind, RecorderLagging | RecorderFailed | RecorderRecovered);
    core.view.notices_after(0).filter(of_recorder).last().map_or(from, |notice| notice.at)
}

/// An error with all of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text} ({cause})"))
}
