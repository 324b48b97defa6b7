//! What screens are shown: a live plant, or what is wrong. Replaced whole when another configuration comes into
//! force; a screen learns of it by the epoch.

use crate::commands::bad_request;
use crate::plant;
use crate::wire::*;
use lineside_runtime::SharedCore;
use std::sync::{Arc, PoisonError, RwLock};

/// Holds the present scene.
pub struct Stage {
    scene: RwLock<Arc<Scene>>,
}

/// One session of a plant, or the lack of one.
pub struct Scene {
    session: Option<Session>,
    problems: Vec<Problem>,
    config_path: String,
}

pub(crate) struct Session {
    pub(crate) core: Arc<SharedCore>,
    pub(crate) epoch: u32,
    pub(crate) mode: SessionMode,
}

impl Stage {
    /// Begins with this scene.
    pub fn new(scene: Scene) -> Arc<Stage> {
        Arc::new(Stage { scene: RwLock::new(Arc::new(scene)) })
    }

    /// From now on this is shown.
    pub fn show(&self, scene: Scene) {
        *self.scene.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(scene);
    }

    pub(crate) fn scene(&self) -> Arc<Scene> {
        // Nothing panics while the lock is held; the scene is whole in any case.
        Arc::clone(&self.scene.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scene {
    /// A live plant. `epoch` is not 0, and another one than that of any scene before.
    pub fn live(core: Arc<SharedCore>, epoch: u32, config_path: String, problems: Vec<Problem>) -> Scene {
        Scene { session: Some(Session { core, epoch, mode: SessionMode::Live }), problems, config_path }
    }

    /// Nothing to show but what is wrong.
    pub fn without_plant(config_path: String, problems: Vec<Problem>) -> Scene {
        Scene { session: None, problems, config_path }
    }

    /// 0 where there is no plant.
    pub(crate) fn epoch(&self) -> u32 {
        self.session.as_ref().map_or(0, |session| session.epoch)
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.mode == SessionMode::Replay)
    }

    pub(crate) fn session(&self) -> Result<&Session, ApiError> {
        self.session.as_ref().ok_or_else(|| bad_request("no plant is configured".to_owned()))
    }

    pub(crate) fn hello(&self) -> Hello {
        let of_plant = |session: &Session| plant::info(session.core.lock().engine.config(), &self.config_path);
        Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: self.session.as_ref().map_or(SessionMode::Live, |session| session.mode.clone()),
            epoch: self.epoch(),
            plant: self.session.as_ref().map(of_plant),
            problems: self.problems.clone(),
            open: None,
        }
    }
}
