//! A live session in its own thread, and what screens may ask of it.

use crate::live::Live;
use crate::view::SharedCore;
use lineside_model::Input;
use lineside_recording::Mark;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Deliveries taken into one batch at most; the next batch takes the rest.
const DELIVERIES_PER_STEP: usize = 64;

/// Why a mark could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    #[error("nothing is being recorded now, so there is no file for the mark; try again when the recorder writes")]
    NotRecording,
    #[error("the session has ended; open the recording and mark it there")]
    Ended,
}

/// What a screen wants of the file being written.
enum Order {
    Mark(Mark, Sender<Result<Mark, MarkError>>),
    Unmark(u64, Sender<Result<(), MarkError>>),
}

/// A live session in its own thread.
pub struct Running {
    core: Arc<SharedCore>,
    dir: Option<PathBuf>,
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Drives the session by what comes through `receiver` and by its deadlines.
pub fn spawn(live: Live, receiver: Receiver<Vec<Input>>) -> std::io::Result<Running> {
    let (core, dir) = (live.core(), live.dir());
    let (orders, received) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name("plant-loop".to_owned())
        .spawn(move || run(live, &receiver, &received, &stopping))?;
    Ok(Running { core, dir, orders, stop, thread: Some(thread) })
}

impl Running {
    /// The state, for screens.
    pub fn core(&self) -> &Arc<SharedCore> {
        &self.core
    }

    /// The file being written; `None` while there is none.
    pub fn file(&self) -> Option<PathBuf> {
        let name = self.core.lock().file.clone();
        self.dir.as_ref().filter(|_| !name.is_empty()).map(|dir| dir.join(name))
    }

    /// Marks a moment of the running shift. Number and time of making are given here. Waits until the loop has taken
    /// it (a fraction of a second); it is on disk with the next commit.
    pub fn mark(&self, mark: Mark) -> Result<Mark, MarkError> {
        self.order(|done| Order::Mark(mark, done))
    }

    /// Takes a mark of the running shift away.
    pub fn unmark(&self, id: u64) -> Result<(), MarkError> {
        self.order(|done| Order::Unmark(id, done))
    }

    fn order<T>(&self, order: impl FnOnce(Sender<Result<T, MarkError>>) -> Order) -> Result<T, MarkError> {
        let (done, outcome) = channel();
        self.orders.send(order(done)).map_err(|_unsent| MarkError::Ended)?;
        outcome.recv().map_err(|_loop_gone| MarkError::Ended)?
    }
}

impl Drop for Running {
    /// Ends the loop, and with it the file. Takes as long as the recorder needs to write out.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the plant loop had ended by a panic");
        }
    }
}

fn run(mut live: Live, receiver: &Receiver<Vec<Input>>, orders: &Receiver<Order>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        orders.try_iter().for_each(|order| obey(&mut live, order));
        let sleep = Duration::from_nanos(live.may_sleep().0.unsigned_abs());
        match receiver.recv_timeout(sleep) {
            Ok(first) => {
                let rest = receiver.try_iter().take(DELIVERIES_PER_STEP - 1);
                live.take(rest.fold(first, |mut all, more| {
                    all.extend(more);
                    all
                }));
            }
            Err(RecvTimeoutError::Timeout) => live.take(Vec::new()),
            // No adapter is left: time still passes, shifts still end.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::park_timeout(sleep.max(Duration::from_millis(10)));
                live.take(Vec::new());
            }
        }
    }
    live.finish();
}

fn obey(live: &mut Live, order: Order) {
    // Who asked may have gone; what was asked for is done all the same.
    let told = match order {
        Order::Mark(mark, done) => done.send(live.mark(mark)).is_ok(),
        Order::Unmark(id, done) => done.send(live.unmark(id)).is_ok(),
    };
    tracing::debug!(told, "a mark was changed");
}
