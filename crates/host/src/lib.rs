//! Puts Lineside together: configuration, recordings, the loop, and the adapters that feed it.
//!
//! Both hosts, the desktop window and the loopback server, start this and carry its [`Api`] to a screen.
//! It is the only crate that knows adapters and runtime at once. Starting never fails: what is wrong is
//! shown on the screen, and what can work, works.

mod args;
mod problems;

pub use args::{Args, start_log};

use lineside_api::{Api, Scene, Stage, wire::Problem};
use lineside_config::Loaded;
use lineside_model::inlet::{Inlet, inlet};
use lineside_model::{ConnectionId, PlantConfig, Span};
use lineside_opcua::{Adapter, Settings};
use lineside_runtime::{Clock, Live, Options, Running, SystemClock};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// A digest of the state is written into the recording this often.
const DIGEST_EVERY: Span = Span::from_secs(10);
/// The whole state is written this often; a start replays no more than what came after.
const KEYFRAME_EVERY: Span = Span::from_secs(600);

/// A running Lineside. Dropping it without [`Host::stop`] leaves sessions to time out on the servers.
pub struct Host {
    api: Arc<Api>,
    adapters: Vec<Adapter>,
    running: Option<Running>,
    /// Held for as long as we write into the data folder.
    _lock: Option<File>,
}

impl Host {
    /// Starts everything that can be started.
    pub fn start(args: &Args, handle: &Handle) -> Host {
        let path = args.plant_path();
        let loaded = path
            .as_deref()
            .ok_or_else(problems::no_plant)
            .and_then(|path| lineside_config::load(path).map_err(|errors| problems::of_config(&errors)));
        match loaded {
            Ok(loaded) => Host::with_plant(loaded, &args.data_dir(), handle),
            Err(problems) => Host::without_plant(path, problems),
        }
    }

    /// What screens talk to.
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.api)
    }

    /// Closes sessions and recordings in order.
    pub async fn stop(mut self) {
        for adapter in self.adapters.drain(..) {
            adapter.stop().await;
        }
        self.running = None;
    }

    fn without_plant(path: Option<PathBuf>, problems: Vec<Problem>) -> Host {
        for problem in &problems {
            tracing::error!("{}: {}; {}", problem.place, problem.problem, problem.remedy);
        }
        let path = path.map(|path| path.display().to_string()).unwrap_or_default();
        let stage = Stage::new(Scene::without_plant(path, problems));
        Host { api: Arc::new(Api::new(stage, None)), adapters: Vec::new(), running: None, _lock: None }
    }

    fn with_plant(loaded: Loaded, data: &Path, handle: &Handle) -> Host {
        let lock = match take_lock(data) {
            Ok(lock) => lock,
            Err(problem) => return Host::without_plant(Some(loaded.path), vec![problem]),
        };
        let config = Arc::new(loaded.config.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let epoch = (clock.now().0 / 1_000_000_000) as u32;
        let live = Live::start(Arc::clone(&config), options(&loaded, data), clock);
        let problems = live.start_problems().iter().map(|text| problems::recording(text)).collect();
        let (door, receiver) = inlet();
        let running = match lineside_runtime::spawn(live, receiver) {
            Ok(running) => running,
            Err(error) => return Host::without_plant(Some(loaded.path), vec![problems::no_thread(&error)]),
        };
        let adapters = connect(&config, data, handle, &door);
        let scene = Scene::live(Arc::clone(running.core()), epoch, loaded.path.display().to_string(), problems);
        Host { api: Arc::new(Api::new(Stage::new(scene), None)), adapters, running: Some(running), _lock: Some(lock) }
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
    }
}

fn connect(config: &Arc<PlantConfig>, data: &Path, handle: &Handle, door: &Inlet) -> Vec<Adapter> {
    let settings = Settings::new(data.join("pki"));
    let ids = (0..config.connections.len() as u32).map(ConnectionId);
    ids.map(|id| lineside_opcua::spawn(handle, Arc::clone(config), id, settings.clone(), door.clone())).collect()
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
