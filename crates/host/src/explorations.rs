//! Sessions for looking at servers: a few, and none longer than somebody uses it.

use lineside_opcua::browse::Explorer;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Servers give few sessions; the one that was not used for the longest time makes room.
const OPEN_MAX: usize = 4;
/// Without use, a session is closed after this.
const IDLE: Duration = Duration::from_secs(120);

/// The sessions that are open, by number.
#[derive(Clone)]
pub(crate) struct Explorations {
    handle: Handle,
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    last: u32,
    open: BTreeMap<u32, Exploration>,
}

struct Exploration {
    explorer: Arc<Explorer>,
    used: Instant,
}

impl Explorations {
    pub(crate) fn new(handle: &Handle) -> Explorations {
        Explorations { handle: handle.clone(), table: Arc::default() }
    }

    /// Keeps a session until it is closed or idle; returns its number.
    pub(crate) fn keep(&self, explorer: Arc<Explorer>) -> u32 {
        let mut table = self.table();
        if table.open.len() >= OPEN_MAX {
            let oldest = table.open.iter().min_by_key(|(_, exploration)| exploration.used).map(|(number, _)| *number);
            oldest.and_then(|number| table.open.remove(&number)).into_iter().for_each(|old| self.end(old));
        }
        table.last = table.last.wrapping_add(1);
        let number = table.last;
        table.open.insert(number, Exploration { explorer, used: Instant::now() });
        self.handle.spawn(self.clone().close_when_idle(number));
        number
    }

    /// The session of this number, which is used now; `None` where it was closed.
    pub(crate) fn take(&self, number: u32) -> Option<Arc<Explorer>> {
        let mut table = self.table();
        let exploration = table.open.get_mut(&number)?;
        exploration.used = Instant::now();
        Some(Arc::clone(&exploration.explorer))
    }

    /// Closes a session; one that is closed already is fine.
    pub(crate) fn close(&self, number: u32) {
        let closed = self.table().open.remove(&number);
        closed.into_iter().for_each(|exploration| self.end(exploration));
    }

    /// Closes all of them.
    pub(crate) fn close_all(&self) {
        let all = std::mem::take(&mut self.table().open);
        all.into_values().for_each(|exploration| self.end(exploration));
    }

    async fn close_when_idle(self, number: u32) {
        while let Some(due) = self.due(number) {
            if due <= Instant::now() {
                self.close(number);
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }

    fn due(&self, number: u32) -> Option<Instant> {
        self.table().open.get(&number).map(|exploration| exploration.used + IDLE)
    }

    fn end(&self, exploration: Exploration) {
        self.handle.spawn(async move { exploration.explorer.close().await });
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is held, and each entry stands for itself.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
