//! The bytes of one journal row: a stamped batch, without its sequence number and time, which are columns.
//!
//! Promise: lossless for every input (NaN payloads, unknown structures, absent times), and safe to read from
//! damaged bytes: a length or count is believed only as far as bytes are left, so nothing panics and nothing
//! is reserved that is not there.
//!
//! Form 1: a byte with the number of the form, the number of inputs, then the inputs one after another. An
//! input whose first byte has the top bit set is one of the rare kinds (`rare`); any other is a
//! sample (`sample`), written as differences to the sample before it. Integers are LEB128, signed ones
//! zigzag. A reader refuses forms that it does not know; a change of anything here is a new form.

pub(crate) mod bytes;
pub(crate) mod rare;
mod sample;

use bytes::Source;
use lineside_model::archive::Malformed;
use lineside_model::{Batch, Input, Timestamp};
use sample::Previous;

/// The form that [`encode`] writes.
pub(crate) const FORM: u8 = 1;

/// Set in the first byte of every input that is not a sample.
pub(crate) const RARE: u8 = 0x80;

/// Appends the body of `batch` to `out`.
pub(crate) fn encode(batch: &Batch, out: &mut Vec<u8>) {
    out.push(FORM);
    bytes::put_varint(out, batch.inputs.len() as u64);
    let mut previous = Previous::new(batch.at);
    for input in &batch.inputs {
        match input {
            Input::Sample(sample) => sample::put(out, sample, &mut previous),
            other => rare::put(out, other),
        }
    }
}

/// The inputs of a body that [`encode`] made for a batch stamped `at`. All bytes must be used.
pub(crate) fn decode(at: Timestamp, body: &[u8]) -> Result<Vec<Input>, Malformed> {
    let mut source = Source(body);
    if source.byte()? != FORM {
        return Err(Malformed("form of the row: not known to this program"));
    }
    // Every input takes at least two bytes: a forged count cannot make us reserve memory.
    let count = source.count(2)?;
    let mut inputs = Vec::with_capacity(count.min(64 * 1024));
    let mut previous = Previous::new(at);
    for _ in 0..count {
        let head = source.byte()?;
        inputs.push(match head & RARE {
            0 => Input::Sample(sample::take(head, &mut source, &mut previous)?),
            _ => rare::take(head, &mut source)?,
        });
    }
    if source.0.is_empty() { Ok(inputs) } else { Err(Malformed("trailing bytes")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, Bits};
    use proptest::prelude::*;

    fn encoded(batch: &Batch) -> Vec<u8> {
        let mut body = Vec::new();
        encode(batch, &mut body);
        body
    }

    /// Compared as debug text of the raw bits, because a NaN is not equal to itself.
    fn check(batch: &Batch) {
        let inputs = decode(batch.at, &encoded(batch)).expect("what was encoded decodes");
        assert_eq!(Bits(&inputs), Bits(&batch.inputs));
    }

    #[test]
    fn nothing_and_the_extremes_round_trip() {
        check(&Batch { first_seq: 1, at: Timestamp(0), inputs: vec![] });
        for at in [Timestamp::MIN, Timestamp(-1), Timestamp(0), Timestamp::MAX] {
            check(&Batch { first_seq: 1, at, inputs: generate::extremes() });
        }
    }

    #[test]
    fn an_unknown_form_is_refused_in_words() {
        let mut body = encoded(&Batch { first_seq: 1, at: Timestamp(0), inputs: generate::extremes() });
        body[0] = FORM + 1;
        let error = decode(Timestamp(0), &body).expect_err("a form of the future");
        assert!(error.to_string().contains("not known to this program"), "{error}");
    }

    #[test]
    fn a_forged_count_reserves_nothing() {
        let mut body = vec![FORM];
        bytes::put_varint(&mut body, u64::MAX >> 1);
        body.extend_from_slice(&[0; 10]);
        assert!(decode(Timestamp(0), &body).is_err());
    }

    proptest! {
        #[test]
        fn every_batch_round_trips(batch in generate::batch()) {
            check(&batch);
        }

        #[test]
        fn random_bytes_never_panic(at: i64, mut body in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(inputs) = decode(Timestamp(at), &body) {
                prop_assert!(inputs.len() <= body.len());
            }
            if let Some(first) = body.first_mut() {
                *first = FORM;
            }
            if let Ok(inputs) = decode(Timestamp(at), &body) {
                prop_assert!(inputs.len() <= body.len());
            }
        }

        #[test]
        fn damaged_bytes_never_panic(batch in generate::batch(), flips in prop::collection::vec((any::<u16>(), any::<u8>()), 1..5), cut: u16) {
            let mut body = encoded(&batch);
            for (place, value) in flips {
                let len = body.len();
                body[place as usize % len] ^= value;
            }
            prop_assert!(decode(batch.at, &body).map_or(0, |inputs| inputs.len()) <= body.len());
            let cut = &body[..cut as usize % body.len()];
            prop_assert!(decode(batch.at, cut).map_or(0, |inputs| inputs.len()) <= cut.len());
        }
    }
}
