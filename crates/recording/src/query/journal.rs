//! Journal rows, decoded and sorted by tag.

use super::part::{Damage, Received};
use super::places::PartPlace;
use crate::block::Rare;
use crate::{OpenError, Row, Rows, ShiftFile};
use lineside_model::{Input, TagId, Timestamp};
use std::collections::BTreeMap;

/// The inputs between two sequence numbers.
#[derive(Default)]
pub(crate) struct JournalPart {
    pub(crate) rare: Vec<Rare>,
    pub(crate) tags: BTreeMap<TagId, Vec<Received>>,
    pub(crate) damaged: Vec<Damage>,
    pub(crate) bytes: usize,
    /// Where the file may go on.
    open_end: Option<Rows>,
    /// The last stamp met.
    at: Timestamp,
}

impl JournalPart {
    /// Reads the part at this place.
    pub(crate) fn read(file: &ShiftFile, place: &PartPlace) -> Result<JournalPart, OpenError> {
        let mut part = JournalPart { at: place.from, ..JournalPart::default() };
        let mut rows = file.rows(place.after);
        if part.take(&mut rows, place.after, place.until)? && place.until == u64::MAX {
            part.open_end = Some(rows);
        }
        Ok(part)
    }

    /// Reads what was written meanwhile.
    pub(crate) fn go_on(&mut self) -> Result<(), OpenError> {
        let Some(mut rows) = self.open_end.take() else { return Ok(()) };
        if self.take(&mut rows, u64::MAX, u64::MAX)? {
            self.open_end = Some(rows);
        }
        Ok(())
    }

    /// Takes the rows up to the input `until`. True: there are no more in the file. The keyframe at `after` may come
    /// first; another ends it.
    fn take(&mut self, rows: &mut Rows, after: u64, until: u64) -> Result<bool, OpenError> {
        for row in rows {
            match row? {
                Row::Batch(batch) if batch.first_seq > until => return Ok(false),
                Row::Batch(batch) => {
                    self.at = batch.at;
                    let inputs = (batch.first_seq..=until).zip(batch.inputs);
                    inputs.for_each(|(seq, input)| self.push(seq, batch.at, input));
                }
                Row::Keyframe { seq, .. } if seq != after => return Ok(false),
                Row::Damaged { first_seq, .. } if first_seq > until => return Ok(false),
                Row::Damaged { first_seq, last_seq, reason, .. } => {
                    self.damaged.push(Damage { first_seq, last_seq, at: self.at, reason });
                }
                Row::Keyframe { .. } | Row::Digest { .. } => {}
            }
        }
        Ok(true)
    }

    /// What is not there.
    pub(crate) fn missing(place: &PartPlace) -> JournalPart {
        let reason = "these rows are missing from the file".to_owned();
        let damage = Damage { first_seq: place.after + 1, last_seq: place.until, at: place.from, reason };
        JournalPart { damaged: vec![damage], ..JournalPart::default() }
    }

    fn push(&mut self, seq: u64, at: Timestamp, input: Input) {
        match input {
            Input::Sample(sample) => {
                self.bytes += size_of::<Received>();
                self.tags.entry(sample.tag).or_default().push(Received { seq, at, sample });
            }
            input => {
                self.bytes += size_of::<Rare>();
                self.rare.push(Rare { seq, at, input });
            }
        }
    }
}
