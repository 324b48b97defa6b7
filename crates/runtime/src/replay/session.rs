//! A replay session in its own thread: what screens drive.
//!
//! The thread sleeps while playback is paused (but for a look a second at a file that is being written), steps about
//! thirty times a second while it plays, and ends when the session is dropped. The type holds a file for reading, an engine and a view: no adapter, no recorder, no
//! executor, so a replay can neither reach the plant nor change a file.

use super::findings::PlaybackState;
use super::playback::Command;
use super::player::Player;
use super::run::ReplayError;
use super::story::Story;
use super::timeline::Timeline;
use crate::clock::{Clock, SystemClock};
use crate::view::SharedCore;
use lineside_model::{PlantConfig, Timestamp};
use lineside_recording::ShiftFile;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two steps while playing.
const TICK: Duration = Duration::from_millis(33);

/// A paused replay looks this often how far the file has grown.
const GROWTH: Duration = Duration::from_secs(1);

/// A recording that is open on a screen.
pub struct ReplaySession {
    core: Arc<SharedCore>,
    config: Arc<PlantConfig>,
    file: ShiftFile,
    story: Arc<Story>,
    orders: Option<Sender<Order>>,
    threads: Vec<JoinHandle<()>>,
}

/// What the thread is to do.
enum Order {
    /// A command, and where its outcome goes.
    Obey(Command, Sender<Result<PlaybackState, ReplayError>>),
    /// All events of a file without an index are known now.
    KnowStory,
}

impl ReplaySession {
    /// Opens a file and stands, paused, at `at`, or at its beginning. `growing`: another session of this program is
    /// still writing it.
    pub fn open(path: &Path, at: Option<Timestamp>, growing: bool) -> Result<ReplaySession, ReplayError> {
        let player = Player::open(path, at, growing, Arc::new(SystemClock::new()))?;
        ReplaySession::spawn(player)
    }

    fn spawn(player: Player) -> Result<ReplaySession, ReplayError> {
        let (core, config, file, story) = (player.core(), player.config(), player.file().clone(), player.story());
        let (orders, received) = channel();
        let mut threads = Vec::new();
        if story.wants_pass() {
            let (story, orders) = (Arc::clone(&story), orders.clone());
            threads.push(thread("replay-pass", move || go_through(&story, &orders))?);
        }
        threads.push(thread("replay", move || run(player, &received))?);
        Ok(ReplaySession { core, config, file, story, orders: Some(orders), threads })
    }

    /// The state, for screens: the same as of a live session, with [`crate::Core::playback`] set.
    pub fn core(&self) -> &Arc<SharedCore> {
        &self.core
    }

    /// The configuration in the file.
    pub fn config(&self) -> &Arc<PlantConfig> {
        &self.config
    }

    /// The file.
    pub fn file(&self) -> &ShiftFile {
        &self.file
    }

    /// Where playback is now.
    pub fn state(&self) -> Option<PlaybackState> {
        self.core.lock().playback.clone()
    }

    /// Does what is asked for, and says where playback is then. Of several seeks that wait, only the last is done.
    pub fn command(&self, command: Command) -> Result<PlaybackState, ReplayError> {
        let (done, outcome) = channel();
        let orders = self.orders.as_ref().ok_or(ReplayError::Ended)?;
        orders.send(Order::Obey(command, done)).map_err(|_unsent| ReplayError::Ended)?;
        outcome.recv().map_err(|_thread_gone| ReplayError::Ended)?
    }

    /// What a time bar draws. Until a file without an index has been gone through it is not complete, and
    /// [`ReplaySession::progress`] says how far that is. Takes as long as reading the events that are new.
    pub fn timeline(&self) -> Result<Timeline, ReplayError> {
        self.story.read_on()?;
        self.story.timeline()
    }

    /// How far the pass through a file without an index is, 0 to 1.
    pub fn progress(&self) -> f64 {
        self.story.progress.share()
    }
}

impl Drop for ReplaySession {
    fn drop(&mut self) {
        self.story.progress.cancel();
        self.orders = None; // the thread ends when nobody can ask any more
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("the replay had ended by a panic");
            }
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ReplayError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(ReplayError::Thread)
}

fn go_through(story: &Story, orders: &Sender<Order>) {
    match story.pass() {
        Ok(true) => tracing::debug!(heard = orders.send(Order::KnowStory).is_ok(), "all events are known"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "the events of the recording could not be found"),
    }
}

fn run(mut player: Player, orders: &Receiver<Order>) {
    let clock = SystemClock::new();
    let mut last = clock.monotonic();
    loop {
        let order = if player.is_playing() {
            match orders.recv_timeout(if player.is_behind() { Duration::ZERO } else { TICK }) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        } else {
            // A file that is being written grows also while the replay stands still.
            let patience = if player.is_growing() { GROWTH } else { Duration::MAX };
            let order = match wait(orders, patience) {
                Ok(order) => order,
                Err(_nobody_can_ask) => return,
            };
            if order.is_none() {
                player.look_on();
            }
            last = clock.monotonic();
            order
        };
        obey(&mut player, order.into_iter().chain(orders.try_iter()).collect());
        let now = clock.monotonic();
        player.tick(now - last);
        last = now;
    }
}

/// The next order, or none within `patience`; an error: there will be none any more.
fn wait(orders: &Receiver<Order>, patience: Duration) -> Result<Option<Order>, RecvTimeoutError> {
    if patience == Duration::MAX {
        return orders.recv().map(Some).map_err(RecvTimeoutError::from);
    }
    match orders.recv_timeout(patience) {
        Err(RecvTimeoutError::Timeout) => Ok(None),
        other => other.map(Some),
    }
}

/// A drag over the time bar asks for many seeks; only where it is now matters.
fn obey(player: &mut Player, orders: Vec<Order>) {
    let mut waiting = orders.into_iter().peekable();
    let mut passed_over = Vec::new();
    while let Some(order) = waiting.next() {
        let Order::Obey(command, done) = order else {
            player.know_story();
            continue;
        };
        let is_seek = |order: &Order| matches!(order, Order::Obey(Command::Seek(_), _));
        if matches!(command, Command::Seek(_)) && waiting.peek().is_some_and(is_seek) {
            passed_over.push(done);
            continue;
        }
        let outcome = player.command(command);
        for done in passed_over.drain(..) {
            tell(&done, Ok(player.state()));
        }
        tell(&done, outcome);
    }
}

fn tell(done: &Sender<Result<PlaybackState, ReplayError>>, outcome: Result<PlaybackState, ReplayError>) {
    if done.send(outcome).is_err() {
        tracing::debug!("who asked has gone");
    }
}
