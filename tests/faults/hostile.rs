//! Servers that do harm, and bytes that were changed on the way: the adapter neither crashes nor hangs, its
//! memory stays bounded, and when the harm ends all is well again.

use crate::stage::Stage;
use lineside_model::LinkState;
use lineside_tests::account::Ledger;
use lineside_tests::hostile::Hostile;
use lineside_tests::peers::Kind;
use lineside_tests::proxy::Cable;
use std::time::{Duration, Instant};

/// One message may have 64 MB, and is held twice while it is put together; the rest is the test itself.
const MEMORY_MAX_MB: u64 = 400;

/// The most memory that this process ever had, in MB (`VmHWM` of `proc(5)`).
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
}

fn bounded(name: &str) {
    let peak = peak_mb();
    eprintln!("{name}: {peak} MB at most");
    assert!(peak < MEMORY_MAX_MB, "{name}: {peak} MB");
}

#[test]
fn servers_that_do_harm() {
    let Some(mut stage) = Stage::new(Kind::AsyncOpcua, |_| {}) else { return };
    // A session that was given up because of such an answer ends by its lifetime.
    stage.orphans = true;
    let mut problems = Vec::new();
    for how in Hostile::ALL {
        problems.extend(stage.check(&format!("{how:?}"), |stage| {
            let before = stage.watch.inputs.len();
            stage.proxy.set(Cable::Hostile(how));
            // Twice down: it was tried again, and came to this server.
            let down = stage.watch.until_link(before, LinkState::Down);
            stage.watch.until_link(down, LinkState::Down);
            stage.mend();
        }));
        bounded(&format!("{how:?}"));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Bytes to the client are changed at random, for a while each, with a fixed seed.
#[test]
fn bytes_changed_on_the_way() {
    let Some(mut stage) = Stage::new(Kind::AsyncOpcua, |_| {}) else { return };
    // What a changed answer made the server keep, nobody may take away from it.
    stage.orphans = true;
    let mut problems = Vec::new();
    for seed in 0..4 {
        stage.proxy.set(Cable::Mutated { share: 0.2, seed });
        let end = Instant::now() + Duration::from_secs(8);
        while Instant::now() < end {
            stage.watch.pump(end);
        }
        problems.extend(stage.check(&format!("seed {seed}"), |stage| {
            stage.mend();
            // Without security nobody can see that a number was changed: the account begins anew.
            stage.let_count(40);
            stage.watch.ledger = Ledger::new(stage.watch.tags());
        }));
        bounded(&format!("seed {seed}"));
    }
    let connections = stage.proxy.connections();
    eprintln!("{connections} connections");
    assert!(connections > 4, "the changes were noticed");
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
