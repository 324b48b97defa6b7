//! The only place that reads the time of the operating system.

use lineside_model::{Span, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A wall clock, and beside it one that never steps.
pub trait Clock: Send + Sync {
    /// The wall clock. May be set forwards or backwards by people and time servers.
    fn now(&self) -> Timestamp;
    /// Time since some fixed instant, the time counted during which the computer slept. Only differences mean anything.
    fn monotonic(&self) -> Span;
}

/// The clocks of this computer.
#[derive(Default)]
pub struct SystemClock(());

impl SystemClock {
    /// The clocks of this computer.
    pub fn new() -> SystemClock {
        SystemClock(())
    }
}

/// `Instant` stands still on Linux while the computer sleeps; this clock goes on.
#[cfg(target_os = "linux")]
fn monotonic() -> Span {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Span(now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec))
}

/// `Instant` goes on while the computer sleeps (Windows: the performance counter).
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock for stamps")]
fn monotonic() -> Span {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let origin = ORIGIN.get_or_init(std::time::Instant::now);
    Span(i64::try_from(origin.elapsed().as_nanos()).unwrap_or(i64::MAX))
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Span {
        monotonic()
    }
}

/// A clock that moves only when told to.
pub struct SimClock {
    wall: AtomicI64,
    monotonic: AtomicI64,
}

impl SimClock {
    /// Stands at `start`.
    pub fn new(start: Timestamp) -> SimClock {
        SimClock { wall: AtomicI64::new(start.0), monotonic: AtomicI64::new(0) }
    }

    /// Time passes.
    pub fn advance(&self, by: Span) {
        self.wall.fetch_add(by.0, Ordering::SeqCst);
        self.monotonic.fetch_add(by.0, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set_wall(&self, by: Span) {
        self.wall.fetch_add(by.0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Span {
        Span(self.monotonic.load(Ordering::SeqCst))
    }
}
