//! Seeded chance: a ChaCha stream per concern, and noise by hash for signals.
//!
//! Promise: the same seed gives the same numbers, and the noise of one tag does not depend on how many
//! other tags there are.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance for one concern of the simulation.
#[derive(Clone, Debug)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64, stream: u64) -> Chance {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Chance(rng)
    }

    /// Evenly in `low..high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// Waiting time of a Poisson process with this mean.
    pub(crate) fn waiting(&mut self, mean: f64) -> f64 {
        -(1.0 - self.0.random::<f64>()).ln() * mean
    }

    pub(crate) fn index(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }
}

/// 64 well mixed bits for sample `n` of signal `id` (SplitMix64 finaliser).
pub(crate) fn mixed(seed: u64, id: u64, n: u64) -> u64 {
    let mut z = seed ^ id.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n.wrapping_mul(0xD1B5_4A32_D192_ED03);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Noise of mean 0 and deviation 1, bounded by ±3.5 (sum of four even parts).
pub(crate) fn noise(seed: u64, id: u64, n: u64) -> f64 {
    let bits = mixed(seed, id, n);
    let sum: f64 = (0..4).map(|part| ((bits >> (16 * part)) & 0xFFFF) as f64 / 65536.0).sum();
    (sum - 2.0) * 3f64.sqrt()
}
