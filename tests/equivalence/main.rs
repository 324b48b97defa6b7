//! Live equals replay, for many seeds. `cargo xtask sim --seed N` runs one of them again, longer.

use lineside_tests::equivalence::prove;

/// Seeds that once failed stay here for ever.
const FIXED: &[u64] = &[1, 2, 3, 5, 8, 13, 21, 34];

/// Of each file; `LINESIDE_INSTANTS` asks for more.
fn instants() -> usize {
    std::env::var("LINESIDE_INSTANTS").ok().and_then(|text| text.parse().ok()).unwrap_or(64)
}

#[test]
fn live_and_replay_reach_the_same_state_at_every_recorded_point() {
    for &seed in FIXED {
        let dir = tempfile::tempdir().expect("a temporary folder");
        match prove(seed, 3, instants(), dir.path()) {
            Ok(proof) => assert!(proof.batches > 500 && proof.files > 1, "seed {seed} proved too little: {proof:?}"),
            Err(error) => panic!("{error}; run it again with `cargo xtask sim --seed {seed}`"),
        }
    }
}
