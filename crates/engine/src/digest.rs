//! The digest: XXH3-64 over the archive's listing, in blocks, one tag at a time.

use lineside_model::PlantState;
use lineside_model::archive::{Archive, Fields, Malformed};
use xxhash_rust::xxh3::Xxh3;

const BLOCK: usize = 16 * 1024;

/// The digest of a state. `changed_seq` of the tags is for views, and left out.
pub(crate) fn digest(state: &PlantState) -> u64 {
    let mut hash = Hash { hash: Xxh3::new(), block: [0; BLOCK], used: 0 };
    hash.take(&mut without_tags(state));
    for tag in &state.tags {
        let mut tag = tag.clone();
        tag.changed_seq = 0;
        hash.take(&mut tag);
    }
    hash.flush();
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

/// Hashes what is written to it. Fields are small, and gathered into blocks.
struct Hash {
    hash: Xxh3,
    block: [u8; BLOCK],
    used: usize,
}

impl Hash {
    fn take(&mut self, fields: &mut impl Fields) {
        let done = fields.fields(self);
        debug_assert!(done.is_ok(), "a writer has no way to fail");
    }

    fn flush(&mut self) {
        self.hash.update(&self.block[..self.used]);
        self.used = 0;
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() > BLOCK - self.used {
            self.flush();
        }
        match self.block.get_mut(self.used..self.used + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.used += bytes.len();
            }
            None => self.hash.update(bytes), // longer than a block, and the block is empty
        }
    }
}

impl Archive for Hash {
    #[inline]
    fn bytes(&mut self, bytes: &mut [u8]) -> Result<(), Malformed> {
        self.put(bytes);
        Ok(())
    }
    fn blob(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed> {
        self.put(&(bytes.len() as u64).to_le_bytes());
        self.put(bytes);
        Ok(())
    }
    fn reading(&self) -> bool {
        false
    }
    fn limit(&self) -> usize {
        usize::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::Timestamp;
    use lineside_model::archive::encode;
    use lineside_model::state::{GAPS_MAX, KnownGap, RecorderState};

    /// Where the digest differs, so do the bytes, and the other way round, except for `changed_seq`.
    #[test]
    fn digests() {
        type Change = fn(&mut PlantState);
        let plain = || PlantState { tags: vec![Default::default(); 3], ..PlantState::default() };
        let rows: [(&str, Change); 6] = [
            ("seq", |s| s.seq = 1),
            ("a tag", |s| s.tags[2].late = true),
            ("one tag more", |s| s.tags.push(Default::default())),
            ("a text longer than a block", |s| s.recorder = RecorderState::Failed("x".repeat(3 * BLOCK).into())),
            ("many blocks", |s| s.gaps = vec![KnownGap::default(); GAPS_MAX].into()),
            ("time", |s| s.at = Timestamp(1)),
        ];
        let mut seen = vec![digest(&plain())];
        for (name, change) in rows {
            let mut state = plain();
            change(&mut state);
            let got = digest(&state);
            assert!(!seen.contains(&got) && encode(&state) != encode(&plain()), "{name}");
            seen.push(got);
            state.tags[0].changed_seq = 9;
            assert_eq!(digest(&state), got, "{name}: changed_seq is left out");
        }
    }
}
