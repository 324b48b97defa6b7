//! The plant in force: its loop, its recording, its adapters. It can be put into force anew while the program runs.
//!
//! Promise: whatever is wrong, there is a scene that says so; a session that is replaced is closed as at the end of
//! the program, so that its recording is whole. Calls may block for some seconds, while a session ends.

use crate::args::Args;
use crate::problems;
use lineside_api::{Scene, Stage, wire::Problem};
use lineside_config::Loaded;
use lineside_model::config::Retention;
use lineside_model::inlet::{Inlet, inlet};
use lineside_model::{ConnectionId, PlantConfig, Span, Timestamp};
use lineside_opcua::{Adapter, Settings};
use lineside_recording::Mark;
use lineside_runtime::{Clock, Live, MarkError, Options, Running, SystemClock};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// A digest of the state is written into the recording this often.
const DIGEST_EVERY: Span = Span::from_secs(10);
/// The whole state is written this often, or after so many inputs; a start replays no more than what came after.
const KEYFRAME_EVERY: Span = Span::from_secs(900);
const KEYFRAME_INPUTS: u64 = 1_000_000;
/// How long adapters may take to say goodbye to their servers, all together.
const GOODBYE: Duration = Duration::from_secs(10);

/// What runs, and what it needs to run again.
pub(crate) struct Station {
    /// The plant file: that of the command line, or the one in the data folder.
    path: PathBuf,
    /// The command line names it, so it must be there.
    named: bool,
    data: PathBuf,
    handle: Handle,
    stage: Arc<Stage>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    session: Option<Session>,
    /// The configuration that could be read last.
    loaded: Option<Arc<Loaded>>,
    /// Held for as long as we write into the data folder.
    lock: Option<File>,
}

struct Session {
    config: Arc<PlantConfig>,
    /// By connection.
    adapters: Vec<Adapter>,
    door: Inlet,
    running: Running,
}

impl Station {
    /// Nothing runs yet.
    pub(crate) fn new(args: &Args, handle: &Handle) -> Station {
        Station {
            path: args.plant_path(),
            named: args.plant.is_some(),
            data: args.data_dir(),
            handle: handle.clone(),
            stage: Stage::new(Scene::without_plant(String::new(), Vec::new())),
            inner: Mutex::default(),
        }
    }

    /// What screens are shown.
    pub(crate) fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    /// Where tasks run.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Where the configuration is, or would be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What adapters need beside the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings::new(self.data.join("pki"))
    }

    /// The configuration in force, or the one that was read and could not be brought into force.
    pub(crate) fn loaded(&self) -> Option<Arc<Loaded>> {
        self.inner().loaded.clone()
    }

    /// The time of this computer.
    pub(crate) fn now(&self) -> Timestamp {
        SystemClock::new().now()
    }

    /// The file being written; `None` while there is none.
    pub(crate) fn recording(&self) -> Option<PathBuf> {
        // Asked of the stage, which nobody holds while a session ends.
        let (core, _) = self.stage.plant()?;
        let name = core.lock().file.clone();
        (!name.is_empty()).then(|| self.data.join("shifts").join(name))
    }

    /// What is kept of the recordings of the plant in force; everything where there is none.
    pub(crate) fn retention(&self) -> Retention {
        self.stage.plant().map(|(core, _)| core.lock().engine.config().retention).unwrap_or_default()
    }

    /// Puts a mark into the running shift.
    pub(crate) fn mark(&self, mark: Mark) -> Result<Mark, MarkError> {
        self.inner().session.as_ref().ok_or(MarkError::Ended)?.running.mark(mark)
    }

    /// Takes a mark out of the running shift.
    pub(crate) fn unmark(&self, id: u64) -> Result<(), MarkError> {
        self.inner().session.as_ref().ok_or(MarkError::Ended)?.running.unmark(id)
    }

    /// An epoch for a session that begins now.
    pub(crate) fn new_epoch(&self) -> u32 {
        self.stage.new_epoch((self.now().0 / 1_000_000_000) as u32) // seconds since 1970 fit until 2106
    }

    /// Puts the file as it is now into force, whatever ran before.
    pub(crate) fn begin(&self) {
        let mut inner = self.inner();
        self.end_session(&mut inner);
        let scene = self.open(&mut inner).unwrap_or_else(|problems| {
            for problem in &problems {
                tracing::error!("{}: {}; {}", problem.place, problem.problem, problem.remedy);
            }
            Scene::without_plant(self.path.display().to_string(), problems)
        });
        self.stage.show(scene);
    }

    /// Closes sessions and recordings in order.
    pub(crate) fn end(&self) {
        let mut inner = self.inner();
        self.end_session(&mut inner);
        inner.lock = None;
    }

    /// Connections that wait for their next attempt make it at once.
    pub(crate) fn retry_now(&self) {
        self.inner().session.iter().flat_map(|session| &session.adapters).for_each(Adapter::retry_now);
    }

    /// Connections whose server has this certificate, and those of whom it is not known, begin again from the start;
    /// `None`: all of them. Trust that was withdrawn ends what was built on it.
    pub(crate) fn reconnect(&self, thumbprint: Option<&str>) {
        let mut inner = self.inner();
        let Some(session) = inner.session.take() else { return };
        let Session { config, adapters, door, running } = session;
        let concerned = |core: &lineside_runtime::Core, id: usize| {
            let known = &core.engine.state().links[id].report.certificate;
            thumbprint.is_none_or(|thumbprint| known.is_empty() || known.eq_ignore_ascii_case(thumbprint))
        };
        let core = running.core().lock();
        let concerned: Vec<bool> = (0..adapters.len()).map(|id| concerned(&core, id)).collect();
        drop(core);
        let mut kept = Vec::with_capacity(adapters.len());
        let mut ended = Vec::new();
        for (adapter, ends) in adapters.into_iter().zip(&concerned) {
            if *ends {
                ended.push(adapter);
                kept.push(None);
            } else {
                kept.push(Some(adapter));
            }
        }
        self.say_goodbye(ended);
        let again = |(id, adapter): (u32, Option<Adapter>)| {
            adapter.unwrap_or_else(|| self.connect(&config, ConnectionId(id), &door))
        };
        let adapters = (0..).zip(kept).map(again).collect();
        inner.session = Some(Session { config, adapters, door, running });
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held left a session that still runs, or none: both can be gone on with.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, inner: &mut Inner) -> Result<Scene, Vec<Problem>> {
        inner.loaded = None;
        if !self.named && !self.path.exists() {
            return Err(Vec::new()); // nothing is wrong yet: screens open on Setup
        }
        let loaded = lineside_config::load(&self.path).map_err(|errors| problems::of_config(&errors))?;
        let loaded = Arc::clone(inner.loaded.insert(Arc::new(loaded)));
        if inner.lock.is_none() {
            inner.lock = Some(take_lock(&self.data).map_err(|problem| vec![problem])?);
        }
        let config = Arc::new(loaded.config.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let epoch = self.new_epoch();
        let live = Live::start(Arc::clone(&config), options(&loaded, &self.data), clock);
        let problems = live.start_problems().iter().map(|text| problems::recording(text)).collect();
        let (door, receiver) = inlet();
        let running = lineside_runtime::spawn(live, receiver).map_err(|error| vec![problems::no_thread(&error)])?;
        let ids = (0..config.connections.len() as u32).map(ConnectionId);
        let adapters = ids.map(|id| self.connect(&config, id, &door)).collect();
        let scene = Scene::live(Arc::clone(running.core()), epoch, self.path.display().to_string(), problems);
        inner.session = Some(Session { config, adapters, door, running });
        Ok(scene)
    }

    fn connect(&self, config: &Arc<PlantConfig>, id: ConnectionId, door: &Inlet) -> Adapter {
        lineside_opcua::spawn(&self.handle, Arc::clone(config), id, self.settings(), door.clone())
    }

    /// The adapters first: what they say in the end belongs into the recording.
    fn end_session(&self, inner: &mut Inner) {
        if let Some(Session { adapters, running, .. }) = inner.session.take() {
            self.say_goodbye(adapters);
            drop(running);
        }
    }

    fn say_goodbye(&self, adapters: Vec<Adapter>) {
        let (waits, ended) = channel::<()>();
        for adapter in adapters {
            let waits = waits.clone();
            self.handle.spawn(async move {
                adapter.stop().await;
                drop(waits);
            });
        }
        drop(waits);
        // Nothing is ever sent: the last one to leave closes the channel.
        if ended.recv_timeout(GOODBYE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a server did not let us go in time; its session ends by itself");
        }
    }
}

fn options(loaded: &Loaded, data: &Path) -> Options {
    Options {
        dir: Some(data.join("shifts")),
        writer: format!("Lineside {}", env!("CARGO_PKG_VERSION")),
        config_text: loaded.text.clone(),
        config_path: loaded.path.display().to_string(),
        digest_every: DIGEST_EVERY,
        keyframe_every: KEYFRAME_EVERY,
        keyframe_inputs: KEYFRAME_INPUTS,
    }
}

/// Two programs writing into the same recordings would lose both.
fn take_lock(data: &Path) -> Result<File, Problem> {
    std::fs::create_dir_all(data.join("shifts")).map_err(|error| problems::data_folder(data, &error))?;
    let file = File::create(data.join("lineside.lock")).map_err(|error| problems::data_folder(data, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(problems::data_in_use(data)),
        Err(TryLockError::Error(error)) => Err(problems::data_folder(data, &error)),
    }
}
