//! Clocks and delays of a connection: how far the server's clock is from ours, how long a request takes, how
//! late publish responses come.
//!
//! Our wall clock is read for this measurement only, through the function in `Settings`; no value and no
//! gap is stamped with it. Windows are short, and medians do not follow a single delayed message.

use lineside_model::{Span, Timestamp};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Comparisons of the clocks in the window.
const SKEWS: usize = 60;
/// They are at least so far apart, so that the window covers a minute and not one burst.
const SKEW_EVERY: Duration = Duration::from_secs(1);
const TRIPS: usize = 15;
const LATENESSES: usize = 200;

/// The wall clock of this machine.
pub fn wall_clock() -> Timestamp {
    let nanoseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
    };
    Timestamp(nanoseconds)
}

/// What was measured on one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks {
    skews: Window<SKEWS>,
    compared: Option<Instant>,
    trips: Window<TRIPS>,
    latenesses: Window<LATENESSES>,
    /// By subscription: the last response, and the delay of the fastest one.
    last: Option<(u32, Instant)>,
    fastest: Option<Span>,
}

impl Clocks {
    /// A new link: its delays have nothing to do with those of the last one.
    pub(crate) fn restart(&mut self) {
        *self = Clocks::default();
    }

    /// A small request that was sent and answered at these times of our clock; `server`: when it was answered
    /// by the server's.
    pub(crate) fn round_trip(&mut self, sent: Timestamp, received: Timestamp, server: Option<Timestamp>, now: Instant) {
        let trip = received - sent;
        if trip < Span::ZERO {
            // Our clock was set meanwhile.
            return;
        }
        self.trips.push(trip);
        if let Some(server) = server {
            self.compare(server, received, now);
        }
    }

    /// A publish response, stamped by the server at `server`, arrived. `promised` is the longest silence
    /// between two responses of its subscription.
    pub(crate) fn published(&mut self, id: u32, server: Option<Timestamp>, promised: Duration, here: Arrived) {
        let silence = match self.last.replace((id, here.now)) {
            Some((same, before)) if same == id => here.now.saturating_duration_since(before).saturating_sub(promised),
            _ => Duration::ZERO,
        };
        let mut late = Span(i64::try_from(silence.as_nanos()).unwrap_or(i64::MAX));
        if let Some(server) = server {
            let delay = here.wall - server;
            let fastest = self.fastest.map_or(delay, |fastest| fastest.min(delay));
            self.fastest = Some(fastest);
            late = late.max(Span(delay.0.saturating_sub(fastest.0)));
            self.compare(server, here.wall, here.now);
        }
        self.latenesses.push(late);
    }

    /// The server's clock minus ours.
    pub(crate) fn skew(&self) -> Option<Span> {
        self.skews.quantile(0.5)
    }

    /// Median round trip of a small request.
    pub(crate) fn trip(&self) -> Option<Span> {
        self.trips.quantile(0.5)
    }

    /// The 95th percentile of the lateness of publish responses.
    pub(crate) fn lateness(&self) -> Option<Span> {
        self.latenesses.quantile(0.95)
    }

    fn compare(&mut self, server: Timestamp, received: Timestamp, now: Instant) {
        if self.compared.is_some_and(|last| now.saturating_duration_since(last) < SKEW_EVERY) {
            return;
        }
        self.compared = Some(now);
        let half = Span(self.trip().map_or(0, |trip| trip.0 / 2));
        self.skews.push(server - (received - half));
    }
}

/// When something arrived, by our wall clock and by one that is never set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    pub(crate) wall: Timestamp,
    pub(crate) now: Instant,
}

/// The last `N` measurements.
#[derive(Clone, Debug, Default)]
struct Window<const N: usize> {
    values: VecDeque<Span>,
}

impl<const N: usize> Window<N> {
    fn push(&mut self, value: Span) {
        if self.values.len() == N {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    fn quantile(&self, share: f64) -> Option<Span> {
        let mut sorted: Vec<Span> = self.values.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last as f64 * share).round() as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: i64) -> Timestamp {
        Timestamp::from_millis(milliseconds)
    }

    #[test]
    fn the_skew_is_the_median_corrected_by_half_the_round_trip() {
        let start = Instant::now();
        let mut clocks = Clocks::default();
        assert_eq!((clocks.skew(), clocks.trip(), clocks.lateness()), (None, None, None));
        // The server is 3 s ahead; 40 ms there and back; each tenth answer is a second late.
        for second in 0..100_i64 {
            let late = if second % 10 == 0 { 1_000 } else { 0 };
            let (sent, received) = (ms(second * 1_000), ms(second * 1_000 + 40 + late));
            let now = start + Duration::from_secs(second as u64);
            clocks.round_trip(sent, received, Some(ms(second * 1_000 + 20 + 3_000)), now);
        }
        assert_eq!(clocks.skew(), Some(Span::from_millis(3_000)));
        assert_eq!(clocks.trip(), Some(Span::from_millis(40)));
        clocks.round_trip(ms(10), ms(5), Some(ms(0)), start + Duration::from_secs(200));
        assert_eq!(clocks.skew(), Some(Span::from_millis(3_000)), "our clock was set back");
        clocks.restart();
        assert_eq!(clocks.skew(), None);
    }

    #[test]
    fn a_burst_does_not_fill_the_window() {
        let now = Instant::now();
        let mut clocks = Clocks::default();
        for _ in 0..100 {
            clocks.round_trip(ms(0), ms(0), Some(ms(0)), now);
        }
        assert_eq!(clocks.skews.values.len(), 1);
        assert_eq!(clocks.trips.values.len(), TRIPS);
    }

    #[test]
    fn responses_are_late_against_the_fastest_and_against_the_promise() {
        let start = Instant::now();
        let promised = Duration::from_secs(2);
        // (arrived ms, the server's stamp): its clock is 500 ms behind, the way takes 10 ms.
        let check = |responses: &[(u64, Option<i64>)], expected: i64| {
            let mut clocks = Clocks::default();
            for (arrived, server) in responses {
                let now = start + Duration::from_millis(*arrived);
                clocks.published(7, server.map(ms), promised, Arrived { wall: ms(*arrived as i64), now });
            }
            assert_eq!(clocks.lateness(), Some(Span::from_millis(expected)), "{responses:?}");
        };
        check(&[(10, Some(-500)), (1_010, Some(500))], 0);
        check(&[(10, Some(-500)), (1_310, Some(500))], 300);
        check(&[(10, None), (3_010, None)], 1_000);
        check(&[(10, None)], 0);
    }
}
