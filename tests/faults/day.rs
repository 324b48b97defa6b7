//! A day in a hurry: faults drawn with a fixed seed, one after the other. Memory stays flat, and nothing is missing
//! without a word, however often the cable is hurt.

use crate::cable::until_noticed;
use crate::stage::Stage;
use lineside_tests::peers::Kind;
use lineside_tests::proxy::{Cable, Way};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// One for every second hour; `LINESIDE_FAULTS` asks for another number.
const FAULTS: usize = 12;
/// After so many the caches are full, and the memory is what it is to stay.
const SETTLED: usize = 4;
/// What the allocator and this test's own books may take.
const GROWTH_MAX_MB: u64 = 48;

const CABLES: [Cable; 6] = [
    Cable::Cut,
    Cable::CutInMessage,
    Cable::Garbage(Way::ToClient),
    Cable::Garbage(Way::ToServer),
    Cable::Stalled(None),
    Cable::HalfOpen,
];

/// The memory of this process now, in MB (`VmRSS` of `proc(5)`).
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
}

#[test]
fn a_day_of_faults_leaves_memory_flat() {
    let Some(mut stage) = Stage::new(Kind::AsyncOpcua, |_| {}) else { return };
    stage.watch.forget_samples = true;
    let faults = std::env::var("LINESIDE_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FAULTS);
    let mut random = ChaCha8Rng::seed_from_u64(24);
    let mut settled = 0;
    for fault in 0..faults {
        let cable = CABLES[random.random_range(0..CABLES.len())];
        let problems = stage.check(&format!("fault {fault}, {cable:?}"), |stage| until_noticed(stage, cable));
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
        if fault + 1 == SETTLED {
            settled = resident_mb();
        }
    }
    let end = resident_mb();
    eprintln!("{faults} faults: {settled} MB after the first {SETTLED}, {end} MB at the end");
    assert!(end <= settled + GROWTH_MAX_MB, "memory grew from {settled} MB to {end} MB");
}
