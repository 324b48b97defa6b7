//! From the source time of a value to the arrival of the frame that shows it, at the UI's own pace.

use crate::rig::Rig;
use crate::screen::{Screen, now_ms};
use crate::{Figures, Outcome};
use std::path::Path;
use std::time::{Duration, Instant};

/// `PACE_MS` of ui/src/session/puller.ts: the least time between two requests.
const PACE: Duration = Duration::from_millis(100);
/// As many tags as fit on a screen.
const WATCHED: u32 = 100;
const SETTLE: Duration = Duration::from_secs(5);
const MEASURE: Duration = Duration::from_secs(30);

/// The 95th percentile over every value that changed. Plant and screen share this machine's clock.
pub(crate) fn measure(programs: &Path) -> Outcome<Figures> {
    let rig = Rig::start(programs, &[], published_at_100_ms)?;
    let host = rig.host()?;
    let mut screen = Screen::open(&host.address, WATCHED)?;
    let mut latencies = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < SETTLE + MEASURE {
        let asked = Instant::now();
        let shown = screen.frame()?;
        let now = now_ms()?;
        if begin.elapsed() > SETTLE {
            latencies.extend(shown.iter().filter(|shown| shown.live).map(|shown| now - shown.source_ms));
        }
        std::thread::sleep(PACE.saturating_sub(asked.elapsed()));
    }
    latencies.sort_by(f64::total_cmp);
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied();
    eprintln!("{} values: p50 {:.0?} ms, p95 {:.0?} ms, p99 {:.0?} ms", latencies.len(), at(0.5), at(0.95), at(0.99));
    Ok(vec![("frame.source_to_frame_ms_p95", at(0.95).ok_or("no value changed")?)])
}

fn published_at_100_ms(text: String) -> String {
    let without: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("publish")).collect();
    without.join("\n").replacen("[[connection]]", "[[connection]]\npublish = \"100 ms\"", 1)
}
