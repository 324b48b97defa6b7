//! The digest: XXH3-64 over the archive's listing, in blocks, one tag at a time.

use lineside_model::PlantState;
use lineside_model::archive::{Archive, Fields, Malformed};
use xxhash_rust::xxh3::Xxh3;

const BLOCK: usize = 16 * 1024;

/// The digest of a state. `changed_seq` of the tags is for views, and left out.
pub(crate) fn digest(state: &PlantState) -> u64 {
    let mut hash = Hash { hash: Xxh3::new(), block: Vec::with_capacity(2 * BLOCK) };
    hash.take(&mut without_tags(state));
    for tag in &state.tags {
        let mut tag = tag.clone();
        tag.changed_seq = 0;
        hash.take(&mut tag);
    }
    hash.hash.update(&hash.block);
    hash.hash.digest()
}

/// Everything but the tags. All fields are named: a new one is an error until it is here.
fn without_tags(state: &PlantState) -> PlantState {
    PlantState {
        at: state.at,
        seq: state.seq,
        tags: Vec::new(),
        links: state.links.clone(),
        units: state.units.clone(),
        output: state.output.clone(),
        shift: state.shift.clone(),
        recorder: state.recorder.clone(),
        clock_stepped_ns: state.clock_stepped_ns,
        gaps: state.gaps.clone(),
        rate_bucket: state.rate_bucket,
        output_bucket: state.output_bucket,
    }
}

/// Hashes what is written to it.
struct Hash {
    hash: Xxh3,
    block: Vec<u8>,
}

impl Hash {
    fn take(&mut self, fields: &mut impl Fields) {
        let done = fields.fields(self);
        debug_assert!(done.is_ok(), "a writer has no way to fail");
        if self.block.len() >= BLOCK {
            self.hash.update(&self.block);
            self.block.clear();
        }
    }
}

impl Archive for Hash {
    fn bytes(&mut self, bytes: &mut [u8]) -> Result<(), Malformed> {
        self.block.extend_from_slice(bytes);
        Ok(())
    }
    fn blob(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed> {
        self.block.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.block.extend_from_slice(bytes);
        Ok(())
    }
    fn reading(&self) -> bool {
        false
    }
    fn limit(&self) -> usize {
        usize::MAX
    }
}
