//! The live session: one consumer of everything that arrives.
//!
//! Order of every step: take in, stamp, record, apply, show. A step never waits for disk, network or
//! screen.

use crate::clock::Clock;
use crate::running::MarkError;
use crate::start::{self, Beginning};
use crate::step::{self, Stamp, Stamper};
use crate::tape::{Origin, Tape};
use crate::view::{Core, SharedCore, View};
use lineside_config::calendar::Calendar;
use lineside_engine::{Change, Engine};
use lineside_model::state::Shift;
use lineside_model::{Gap, GapReason, GapScope, Input, PlantConfig, Span, Timestamp};
use lineside_recording::{Mark, RecordError};
use std::path::PathBuf;
use std::sync::Arc;

/// The loop looks after the recorder and the clock at least this often.
const WAKE_MAX: Span = Span::from_millis(200);

/// What a live session is told besides the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the recordings; `None` records nothing.
    pub dir: Option<PathBuf>,
    /// Program and version, for the files.
    pub writer: String,
    /// The text of `plant.toml` as read, for the files.
    pub config_text: String,
    pub config_path: String,
    /// A digest of the state is recorded this often; zero: after every batch.
    pub digest_every: Span,
    /// The whole state is recorded this often: what a start, or a jump in a replay, has to go through at most.
    pub keyframe_every: Span,
    /// And after so many inputs, if they come sooner.
    pub keyframe_inputs: u64,
}

/// A live session that is driven by calls; [`crate::spawn`] drives one by a thread.
pub struct Live {
    clock: Arc<dyn Clock>,
    dir: Option<PathBuf>,
    core: Arc<SharedCore>,
    stamper: Stamper,
    tape: Tape,
    calendar: Calendar,
    origin: Origin,
    shift: Shift,
    digest_every: Span,
    digest_due: Timestamp,
    keyframe_every: Span,
    keyframe_due: Timestamp,
    keyframe_inputs: u64,
    /// Last input of the last keyframe.
    keyframe_seq: u64,
    changes: Vec<Change>,
    start_problems: Vec<String>,
}

impl Live {
    /// Reads what was recorded last, and goes on from there.
    pub fn start(config: Arc<PlantConfig>, options: Options, clock: Arc<dyn Clock>) -> Live {
        let calendar = Calendar::new(&config);
        let origin = Origin {
            writer: options.writer.clone(),
            config_text: options.config_text.clone(),
            config_path: options.config_path.clone(),
            line: config.line.name.clone(),
            time_zone: config.time_zone.clone(),
        };
        let Beginning { engine, tape, shift, shift_is_new, stopped, problems } =
            start::begin(&config, &calendar, &origin, &options, &*clock);
        let stamper = Stamper::after(engine.state().seq, engine.state().at, &*clock);
        let beginning = engine.state().at.max(clock.now());
        let view = View::new(config.tags.len(), config.connections.len());
        let file = tape.file_name();
        let keyframe_seq = engine.state().seq;
        let mut live = Live {
            clock,
            dir: options.dir.clone(),
            core: Arc::new(SharedCore::new(Core {
                recorder_since: engine.state().at,
                engine,
                view,
                file,
                playback: None,
            })),
            stamper,
            tape,
            calendar,
            origin,
            shift,
            digest_every: options.digest_every,
            digest_due: Timestamp::MIN,
            keyframe_every: options.keyframe_every,
            keyframe_due: beginning + options.keyframe_every,
            keyframe_inputs: options.keyframe_inputs,
            keyframe_seq,
            changes: Vec::new(),
            start_problems: problems,
        };
        live.first_step(shift_is_new, stopped);
        live
    }

    /// Folder of the recordings; `None`: nothing is recorded.
    pub(crate) fn dir(&self) -> Option<PathBuf> {
        self.dir.clone()
    }

    /// The state, for screens.
    pub fn core(&self) -> Arc<SharedCore> {
        Arc::clone(&self.core)
    }

    /// Recordings that could not be used at the start: place, problem and remedy in one sentence each.
    pub fn start_problems(&self) -> &[String] {
        &self.start_problems
    }

    /// Takes in what arrived; with nothing, fires what is due.
    pub fn take(&mut self, inputs: Vec<Input>) {
        let Stamp { at, clock_step, slept_since } = self.stamper.now(&*self.clock);
        let slept_since = slept_since.map(|since| self.sleep_through_shift_end(since, at));
        self.roll_when_due(at);
        let mut all: Vec<Input> = clock_step.map(|step| Input::ClockStep { by_ns: step.0 }).into_iter().collect();
        all.extend(slept_since.map(|since| slept(since, at)));
        let mut core = self.core.lock();
        let of_recorder = self.tape.poll(core.engine.state(), at);
        if !of_recorder.is_empty() {
            core.file = self.tape.file_name(); // another may have taken the place of a lost one
        }
        drop(core);
        all.extend(of_recorder);
        all.extend(inputs);
        self.step(all, at);
        self.stamper.rest(&*self.clock);
    }

    /// How long the loop may sleep if nothing arrives.
    pub fn may_sleep(&self) -> Span {
        let due = self.core.lock().engine.next_deadline().unwrap_or(Timestamp::MAX).min(self.shift.end);
        (due - self.clock.now()).clamp(Span::ZERO, WAKE_MAX)
    }

    /// Puts a mark into the file being written, and returns it with its number and the time at which it was made.
    pub fn mark(&mut self, mark: Mark) -> Result<Mark, MarkError> {
        let mark = Mark { made: self.clock.now(), ..mark };
        let id = self.tape.mark(mark.clone()).ok_or(MarkError::NotRecording)?;
        Ok(Mark { id, ..mark })
    }

    /// Takes a mark out of the file being written.
    pub fn unmark(&mut self, id: u64) -> Result<(), MarkError> {
        if self.tape.unmark(id) { Ok(()) } else { Err(MarkError::NotRecording) }
    }

    /// Waits until everything taken in so far is on disk.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.tape.flush()
    }

    /// Ends the session and closes its file.
    pub fn finish(mut self) {
        self.digest_due = Timestamp::MIN;
        self.digest_when_due();
        self.tape.close();
    }

    fn first_step(&mut self, shift_is_new: bool, stopped: Option<Timestamp>) {
        let mut inputs = vec![Input::Started { stopped }];
        if shift_is_new {
            inputs.push(Input::Shift(self.shift.clone()));
        }
        self.take(inputs);
    }

    /// Records, applies and shows a batch.
    fn step(&mut self, inputs: Vec<Input>, at: Timestamp) {
        if inputs.is_empty() {
            let mut core = self.core.lock();
            core.engine.advance_to(at, &mut self.changes);
            self.tape.events(&self.changes, core.engine.state());
            core.fold(&mut self.changes);
            drop(core);
            self.core.announce();
            return;
        }
        let batch = Arc::new(self.stamper.batch(inputs, at));
        self.tape.append(&batch);
        let mut core = self.core.lock();
        step::apply(&mut core.engine, &batch, &mut self.changes);
        self.tape.events(&self.changes, core.engine.state());
        core.fold(&mut self.changes);
        drop(core);
        self.core.announce();
        self.digest_when_due();
    }

    fn digest_when_due(&mut self) {
        let core = self.core.lock();
        let state = core.engine.state();
        if state.at < self.digest_due {
            return;
        }
        self.digest_due = state.at + self.digest_every;
        self.tape.digest(state.seq, state.at, core.engine.digest());
        if state.at >= self.keyframe_due || state.seq - self.keyframe_seq >= self.keyframe_inputs {
            self.keyframe_due = state.at + self.keyframe_every;
            self.keyframe_seq = state.seq;
            self.tape.keyframe(state);
        }
    }

    /// The computer slept beyond the end of the shift: what is unknown of the shift that is over belongs into its file.
    /// Returns since when the rest of the sleep counts.
    fn sleep_through_shift_end(&mut self, since: Timestamp, at: Timestamp) -> Timestamp {
        let end = self.shift.end;
        if since < end && end <= at {
            self.step(vec![slept(since, end)], end);
        }
        since.max(end.min(at))
    }

    /// One shift, one file: at the end of a shift the file is closed with a last digest, and the next
    /// begins with the state as it is.
    fn roll_when_due(&mut self, at: Timestamp) {
        if at < self.shift.end {
            return;
        }
        self.step(Vec::new(), self.shift.end);
        self.digest_due = Timestamp::MIN;
        self.digest_when_due();
        self.shift = self.calendar.shift_at(at);
        let header = self.origin.header(self.shift.clone(), self.calendar.local_date(self.shift.start));
        let mut core = self.core.lock();
        self.tape.roll(header, core.engine.state(), at);
        core.file = self.tape.file_name();
        // The file starts from this keyframe; so does the session that writes it.
        core.engine = Engine::from_state(Arc::clone(core.engine.config()), core.engine.state().clone());
        (self.keyframe_due, self.keyframe_seq) = (at + self.keyframe_every, core.engine.state().seq);
        drop(core);
        self.step(vec![Input::Shift(self.shift.clone())], at);
    }
}

/// Nobody looked from `since` on.
fn slept(since: Timestamp, to: Timestamp) -> Input {
    Input::Gap(Gap { scope: GapScope::Plant, from: since, to, reason: GapReason::NotRunning, lost: None })
}
