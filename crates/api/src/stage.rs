//! What screens are shown: a live plant, or what is wrong, and beside it the recordings that screens opened.
//!
//! The plant's scene is replaced whole when another configuration comes into force. Every session has an epoch of its
//! own: requests name it, and a screen learns by it that what it knows is void. Replays belong to the screens that opened
//! them: a few at most, and none longer than somebody uses it. Nothing here closes one by itself; the host asks for it
//! with [`Stage::close_unused`].

use crate::commands::{bad_request, stale};
use crate::plant;
use crate::wire::*;
use lineside_recording::Reader;
use lineside_runtime::{ReplaySession, SharedCore};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Each replay has an engine and a thread; the one that was not used for the longest time makes room.
const REPLAYS_MAX: usize = 6;

/// Holds the present scene and the opened replays.
pub struct Stage {
    scene: RwLock<Arc<Scene>>,
    replays: Mutex<BTreeMap<u32, Opening>>,
    last_epoch: AtomicU32,
    /// The recording that the program was asked to open, until a screen does.
    asked: Mutex<Option<String>>,
}

/// One session of a plant, or the lack of one.
pub struct Scene {
    session: Option<Arc<Session>>,
    problems: Vec<Problem>,
    config_path: String,
}

/// A recording that a screen opened.
pub struct Replayed {
    pub session: ReplaySession,
    /// The recording, as requests name it.
    pub shift: String,
    /// Answers questions about the same file; it remembers what it decoded.
    pub reader: Arc<Mutex<Reader>>,
}

struct Opening {
    session: Arc<Session>,
    used: Instant,
}

/// A plant or a replay, for whoever asks by its epoch.
pub(crate) struct Session {
    pub(crate) core: Arc<SharedCore>,
    pub(crate) epoch: u32,
    /// None: the plant itself.
    pub(crate) replay: Option<Arc<Replayed>>,
}

impl Stage {
    /// Begins with this scene.
    pub fn new(scene: Scene) -> Arc<Stage> {
        Arc::new(Stage {
            last_epoch: AtomicU32::new(scene.epoch()),
            scene: RwLock::new(Arc::new(scene)),
            replays: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// From now on this is shown.
    pub fn show(&self, scene: Scene) {
        self.last_epoch.fetch_max(scene.epoch(), Ordering::Relaxed);
        *self.scene.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(scene);
    }

    /// An epoch that was never used before, and is not 0. `seconds` since 1970: after a restart of the program no epoch
    /// comes again either.
    pub fn new_epoch(&self, seconds: u32) -> u32 {
        let next = |last: u32| last.wrapping_add(1).max(seconds).max(1);
        let last = self.last_epoch.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_else(|last| last))
    }

    /// Keeps a replay under this epoch until it is closed or unused.
    pub fn open(&self, replay: Replayed, epoch: u32) {
        let core = Arc::clone(replay.session.core());
        let session = Arc::new(Session { core, epoch, replay: Some(Arc::new(replay)) });
        let mut replays = self.replays();
        let oldest = replays.iter().min_by_key(|(_, opening)| opening.used).map(|(epoch, _)| *epoch);
        let closed = oldest.filter(|_| replays.len() >= REPLAYS_MAX).and_then(|oldest| replays.remove(&oldest));
        replays.insert(epoch, Opening { session, used: Instant::now() });
        drop(replays);
        drop(closed); // its thread is waited for, which must hold up nobody else
    }

    /// The replay of this epoch, which is used now.
    ///
    /// # Errors
    /// `Stale`: it was closed. `BadRequest`: the epoch is that of the plant.
    pub fn replay(&self, epoch: u32) -> Result<Arc<Replayed>, ApiError> {
        let session = self.session(epoch)?;
        session.replay.clone().ok_or_else(|| bad_request("this is the plant itself, not a recording".to_owned()))
    }

    /// The plant's core and epoch, where there is a plant.
    pub fn plant(&self) -> Option<(Arc<SharedCore>, u32)> {
        self.scene().session.as_ref().map(|session| (Arc::clone(&session.core), session.epoch))
    }

    /// Is this recording open on some screen?
    pub fn is_open(&self, shift: &str) -> bool {
        let is = |opening: &Opening| opening.session.replay.as_ref().is_some_and(|replay| replay.shift == shift);
        self.replays().values().any(is)
    }

    /// Closes a replay; one that is closed already is fine.
    pub fn close(&self, epoch: u32) {
        let closed = self.replays().remove(&epoch);
        drop(closed);
    }

    /// Closes the replays that nobody asked anything for so long.
    pub fn close_unused(&self, idle: Duration) {
        let mut replays = self.replays();
        let unused = |_: &u32, opening: &mut Opening| opening.used.elapsed() >= idle;
        let closed: Vec<_> = replays.extract_if(.., unused).collect();
        drop(replays);
        drop(closed);
    }

    /// The next screen that says hello is asked to open this recording.
    pub fn ask_to_open(&self, shift: String) {
        *self.asked() = Some(shift);
    }

    /// A screen opened this recording: nobody is asked for it any more.
    pub fn has_opened(&self, shift: &str) {
        self.asked().take_if(|asked| asked == shift);
    }

    pub(crate) fn scene(&self) -> Arc<Scene> {
        // Nothing panics while the lock is held; the scene is whole in any case.
        Arc::clone(&self.scene.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The plant or the replay of this epoch; a replay is used now.
    pub(crate) fn session(&self, epoch: u32) -> Result<Arc<Session>, ApiError> {
        let scene = self.scene();
        if epoch == scene.epoch() {
            return scene.session.clone().ok_or_else(|| bad_request("no plant is configured".to_owned()));
        }
        let mut replays = self.replays();
        let opening = replays.get_mut(&epoch).ok_or_else(stale)?;
        opening.used = Instant::now();
        Ok(Arc::clone(&opening.session))
    }

    /// What a screen asks first, of the plant, or of the session of this epoch.
    pub(crate) fn hello(&self, epoch: Option<u32>) -> Result<Hello, ApiError> {
        let scene = self.scene();
        match epoch {
            None => Ok(scene.hello(self.asked().clone())),
            Some(epoch) if epoch == scene.epoch() => Ok(scene.hello(self.asked().clone())),
            Some(epoch) => Ok(self.session(epoch)?.hello()),
        }
    }

    fn replays(&self) -> MutexGuard<'_, BTreeMap<u32, Opening>> {
        // Nothing panics while it is held, and each entry stands for itself.
        self.replays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, Option<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scene {
    /// A live plant. `epoch` is not 0, and another one than that of any scene or replay before ([`Stage::new_epoch`]).
    pub fn live(core: Arc<SharedCore>, epoch: u32, config_path: String, problems: Vec<Problem>) -> Scene {
        Scene { session: Some(Arc::new(Session { core, epoch, replay: None })), problems, config_path }
    }

    /// Nothing to show but what is wrong.
    pub fn without_plant(config_path: String, problems: Vec<Problem>) -> Scene {
        Scene { session: None, problems, config_path }
    }

    /// 0 where there is no plant.
    pub(crate) fn epoch(&self) -> u32 {
        self.session.as_ref().map_or(0, |session| session.epoch)
    }

    fn hello(&self, open: Option<String>) -> Hello {
        let of_plant = |session: &Arc<Session>| plant::info(session.core.lock().engine.config(), &self.config_path);
        Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: SessionMode::Live,
            epoch: self.epoch(),
            plant: self.session.as_ref().map(of_plant),
            problems: self.problems.clone(),
            open,
        }
    }
}

impl Session {
    /// Of a replay: the plant as it was configured then.
    fn hello(&self) -> Hello {
        let replay = self.replay.as_ref();
        let config_path = replay.map(|replay| replay.session.file().header().config_path.clone()).unwrap_or_default();
        Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: SessionMode::Replay,
            epoch: self.epoch,
            plant: Some(plant::info(self.core.lock().engine.config(), &config_path)),
            problems: Vec::new(),
            open: None,
        }
    }
}
