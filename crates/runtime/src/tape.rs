//! The live session's side of the recorder: what to do when it lags, fails, and comes back.
//!
//! Losing the recorder never stops the loop. What was not recorded becomes a gap, and the file goes on
//! with a keyframe, so that replay never guesses.

use crate::events::Chronicle;
use lineside_engine::Change;
use lineside_model::state::{RecorderState, Shift};
use lineside_model::{Batch, Gap, GapReason, GapScope, Input, PlantState, Span, Text, Timestamp};
use lineside_recording::{Appended, Event, Header, KeyframeKind, Mark, RecordError, Recorder, State, Status};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A recorder further behind than this says so.
const LAGGING: Span = Span::from_secs(2);
/// A file that could not be made is tried again after this.
const RETRY: Span = Span::from_secs(5);
/// How long closing a file may hold up the loop.
const CLOSE: Duration = Duration::from_secs(5);
/// How long closing a file may take while another is written.
const CLOSE_ASIDE: Duration = Duration::from_secs(60);

/// What every file of one session says of its origin.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) writer: String,
    pub(crate) config_text: String,
    pub(crate) config_path: String,
    pub(crate) line: String,
    pub(crate) time_zone: String,
}

impl Origin {
    /// The header of the file of this shift, which began on the local `date`.
    pub(crate) fn header(&self, shift: Shift, date: String) -> Header {
        Header {
            writer: self.writer.clone(),
            config_text: self.config_text.clone(),
            config_path: self.config_path.clone(),
            line: self.line.clone(),
            time_zone: self.time_zone.clone(),
            clock_source: "system clock of this computer".to_owned(),
            shift,
            date,
        }
    }
}

/// Records batches, or keeps account of those that it could not.
pub(crate) struct Tape {
    /// None: recording is switched off.
    dir: Option<PathBuf>,
    recorder: Option<Recorder>,
    /// Of the file that is being written, or should be.
    header: Option<Header>,
    retry_at: Timestamp,
    /// Since when nothing is recorded.
    unrecorded: Option<Timestamp>,
    /// What the index of events of the file has.
    chronicle: Chronicle,
    /// Closes the file before: that may seal much, and holds up nobody.
    closing: Option<JoinHandle<()>>,
    told: RecorderState,
    failure: Option<String>,
}

impl Tape {
    /// Records nothing.
    pub(crate) fn off() -> Tape {
        Tape {
            dir: None,
            recorder: None,
            header: None,
            retry_at: Timestamp::MIN,
            unrecorded: None,
            chronicle: Chronicle::default(),
            closing: None,
            told: RecorderState::Off,
            failure: None,
        }
    }

    /// Goes on with a file whose tail has been replayed up to `state`; `events` are those of the tail: the last of them
    /// may be missing in the file.
    pub(crate) fn resume(dir: &Path, path: &Path, header: Header, state: &PlantState, events: Vec<Event>) -> Tape {
        let mut tape = Tape { dir: Some(dir.to_owned()), chronicle: Chronicle::after(state), ..Tape::off() };
        tape.adopt(Recorder::resume(path), header, state.at);
        tape.index(events);
        tape
    }

    /// Begins a file with this state.
    pub(crate) fn create(dir: &Path, header: Header, state: &PlantState, at: Timestamp) -> Tape {
        let mut tape = Tape { dir: Some(dir.to_owned()), ..Tape::off() };
        tape.begin(header, state, at);
        tape
    }

    /// Ends the file and begins the next one with this state.
    pub(crate) fn roll(&mut self, header: Header, state: &PlantState, at: Timestamp) {
        self.close_aside();
        if self.dir.is_some() {
            self.begin(header, state, at);
        }
    }

    /// Notes what happened in a step: `changes` led to `state`.
    pub(crate) fn events(&mut self, changes: &[Change], state: &PlantState) {
        if self.dir.is_none() {
            return;
        }
        if self.recorder.is_some() && self.unrecorded.is_none() {
            let events = self.chronicle.events_of(changes, state);
            self.index(events);
        } else {
            self.chronicle.missed();
        }
    }

    /// Puts a mark into the file and returns its number; `None`: there is no file that takes it now.
    pub(crate) fn mark(&mut self, mark: Mark) -> Option<u64> {
        self.recorder.as_mut()?.mark(mark)
    }

    /// Takes a mark out of the file; false: there is no file that can do so now.
    pub(crate) fn unmark(&mut self, id: u64) -> bool {
        self.recorder.as_mut().is_some_and(|recorder| recorder.unmark(id) == Appended::Queued)
    }

    /// Name of the file being written; empty when there is none.
    pub(crate) fn file_name(&self) -> String {
        let name = self.recorder.as_ref().and_then(|recorder| recorder.path().file_name());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Takes a stamped batch. Never blocks.
    pub(crate) fn append(&mut self, batch: &Arc<Batch>) {
        if self.dir.is_none() || self.unrecorded.is_some() {
            return;
        }
        let appended = self.recorder.as_mut().map(|recorder| recorder.append(Arc::clone(batch)));
        if appended != Some(Appended::Queued) {
            self.unrecorded = Some(batch.at);
        }
    }

    /// Notes the digest of the state after input `seq`, at the instant `at`.
    pub(crate) fn digest(&mut self, seq: u64, at: Timestamp, digest: u64) {
        if let (Some(recorder), None) = (&mut self.recorder, self.unrecorded) {
            recorder.digest(seq, at, digest);
        }
    }

    /// Notes the whole state, so that the next start has less to replay.
    pub(crate) fn keyframe(&mut self, state: &PlantState) {
        if let (Some(recorder), None) = (&mut self.recorder, self.unrecorded)
            && recorder.keyframe(KeyframeKind::Periodic, state) == Appended::Refused
        {
            tracing::debug!(seq = state.seq, "no keyframe here; the next start replays a little more");
        }
    }

    /// What the recorder has to tell the engine now: inputs for the next batch.
    pub(crate) fn poll(&mut self, state: &PlantState, at: Timestamp) -> Vec<Input> {
        if self.dir.is_none() {
            return Vec::new();
        }
        self.give_up_lost_file(at);
        let mut inputs = Vec::new();
        if let Some(from) = self.unrecorded
            && self.take_up_again(state, at)
        {
            self.unrecorded = None;
            inputs.push(Input::Gap(Gap {
                scope: GapScope::Plant,
                from,
                to: at,
                reason: GapReason::NotRecorded,
                lost: None,
            }));
        }
        let now = self.state(at);
        if differs(&self.told, &now) {
            self.told = now.clone();
            inputs.push(Input::Recorder(now));
        }
        inputs
    }

    /// Writes out what waits, and leaves files that open on read-only media.
    pub(crate) fn close(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            close(recorder, CLOSE);
        }
        self.await_closed();
    }

    /// Waits until all that was appended is committed, and files that are over are closed.
    pub(crate) fn flush(&mut self) -> Result<(), RecordError> {
        self.await_closed();
        self.recorder.as_ref().map_or(Ok(()), |recorder| recorder.flush(CLOSE))
    }

    fn close_aside(&mut self) {
        self.await_closed(); // a whole shift has passed since
        let Some(recorder) = self.recorder.take() else { return };
        let closing = std::thread::Builder::new().name("close-shift".to_owned());
        match closing.spawn(move || close(recorder, CLOSE_ASIDE)) {
            Ok(thread) => self.closing = Some(thread),
            // The recorder went with the thread: what waited is written, and the file is left as after a crash.
            Err(error) => tracing::error!(%error, "no thread to close the recording of the shift that is over"),
        }
    }

    fn await_closed(&mut self) {
        if let Some(thread) = self.closing.take()
            && thread.join().is_err()
        {
            tracing::error!("closing a recording had ended by a panic");
        }
    }

    fn begin(&mut self, header: Header, state: &PlantState, at: Timestamp) {
        let Some(dir) = self.dir.clone() else { return };
        self.chronicle = Chronicle::after(state);
        self.adopt(Recorder::create(&dir, header.clone(), state), header, at);
    }

    fn index(&mut self, events: Vec<Event>) {
        let kept = self.recorder.as_mut().map(|recorder| recorder.events(events));
        if kept != Some(Appended::Queued) {
            self.chronicle.missed();
        }
    }

    fn adopt(&mut self, recorder: Result<Recorder, RecordError>, header: Header, at: Timestamp) {
        self.header = Some(header);
        match recorder {
            Ok(recorder) => (self.recorder, self.failure) = (Some(recorder), None),
            Err(error) => self.fail(error.to_string(), at),
        }
    }

    fn fail(&mut self, failure: String, since: Timestamp) {
        tracing::error!(failure, "nothing is recorded; trying again");
        self.failure = Some(failure);
        self.recorder = None;
        self.retry_at = since + RETRY;
        self.unrecorded = self.unrecorded.or(Some(since));
    }

    /// A file that was removed or damaged under the recorder is left; another takes its place.
    fn give_up_lost_file(&mut self, at: Timestamp) {
        let status = self.recorder.as_ref().map(Recorder::status);
        if let Some(State::Failed { reason, needs_new_file: true, since }) = status.map(|status| status.state) {
            self.fail(reason.to_string(), since.min(at));
        }
    }

    /// Is recording possible again, from this state on?
    fn take_up_again(&mut self, state: &PlantState, at: Timestamp) -> bool {
        if let Some(recorder) = &mut self.recorder {
            return recorder.status().state == State::Ok
                && recorder.keyframe(KeyframeKind::Resume, state) == Appended::Queued;
        }
        if at >= self.retry_at
            && let Some(header) = self.header.clone()
        {
            self.begin(header, state, at);
        }
        self.recorder.is_some()
    }

    fn state(&self, at: Timestamp) -> RecorderState {
        let Some(recorder) = &self.recorder else {
            return RecorderState::Failed(self.failure.as_deref().unwrap_or_default().into());
        };
        let status = recorder.status();
        match (&status.state, lag(&status, at)) {
            (State::Failed { reason, .. }, _) => RecorderState::Failed(Text::from(&**reason)),
            (State::Ok, Some(lag)) => RecorderState::Lagging(lag),
            (State::Ok, None) => RecorderState::Recording,
        }
    }
}

fn close(recorder: Recorder, patience: Duration) {
    if let Err(error) = recorder.close(patience) {
        tracing::error!(%error, "the recording could not be closed; it will be continued or read as it is");
    }
}

fn lag(status: &Status, at: Timestamp) -> Option<Span> {
    let behind = at - status.oldest_queued?;
    (behind > LAGGING).then_some(behind)
}

/// A lag that merely grows is not news.
fn differs(told: &RecorderState, now: &RecorderState) -> bool {
    !matches!((told, now), (RecorderState::Lagging(_), RecorderState::Lagging(_))) && told != now
}
