//! When the samples of a tag came: clocks that many tags share, and which entries of one a tag has.
//!
//! Tags that are scanned together have the same times again and again. A clock holds each distinct (run, source time,
//! server time) once; a tag only says at which entries it has a value. A run is a stretch of samples of one batch
//! whose tags do not descend (`skeleton.rs`).

use super::column::ints;
use crate::codec::bytes::{Source, put_varint};
use lineside_model::Timestamp;
use lineside_model::archive::Malformed;
use std::borrow::Cow;

/// Entries in the order of their runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Clock {
    /// Number of the run within the block.
    pub(crate) runs: Vec<u32>,
    pub(crate) source: Times,
    pub(crate) server: Times,
}

/// A time for each entry of a clock, where there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Times {
    #[default]
    Absent,
    All(Vec<i64>),
    Some(Vec<Option<i64>>),
}

impl Times {
    pub(crate) fn of(times: Vec<Option<i64>>) -> Times {
        if times.iter().all(Option::is_none) {
            return Times::Absent;
        }
        match times.iter().copied().collect::<Option<Vec<i64>>>() {
            Some(all) => Times::All(all),
            None => Times::Some(times),
        }
    }

    pub(crate) fn get(&self, i: usize) -> Option<Timestamp> {
        match self {
            Times::Absent => None,
            Times::All(times) => Some(Timestamp(times[i])),
            Times::Some(times) => times[i].map(Timestamp),
        }
    }
}

/// What a time is written as a difference to, rounded down to the unit that all times of the column have in common: a
/// stamp has nanoseconds, and a server counts in 100.
mod reference {
    pub(super) const NOTHING: u8 = 0;
    /// The stamp of the batch.
    pub(super) const RECEIVED: u8 = 1;
    /// The source time, or the stamp of the batch where that is absent.
    pub(super) const SOURCE: u8 = 2;
}

/// Which entries have a time.
mod presence {
    pub(super) const NONE: u8 = 0;
    pub(super) const ALL: u8 = 1;
    /// A column of 0 and 1 follows.
    pub(super) const SOME: u8 = 2;
}

/// Appends a clock; `at` gives the stamp of a run.
pub(crate) fn put(out: &mut Vec<u8>, clock: &Clock, at: impl Fn(u32) -> i64) {
    ints::put_u32(out, clock.runs.iter().copied());
    let received: Vec<i64> = clock.runs.iter().map(|run| at(*run)).collect();
    put_times(out, &clock.source, &[(reference::RECEIVED, &received)]);
    let source = source_or(&clock.source, &received);
    put_times(out, &clock.server, &[(reference::SOURCE, &source), (reference::RECEIVED, &received)]);
}

/// Reads a clock of `n` entries; `at` gives the stamp of a run, and `None` for a run that does not exist.
pub(crate) fn take(from: &mut Source<'_>, n: usize, at: impl Fn(u32) -> Option<i64>) -> Result<Clock, Malformed> {
    let runs = ints::take_u32(from, n)?;
    let received = runs.iter().map(|run| at(*run)).collect::<Option<Vec<i64>>>().ok_or(Malformed("run of a clock"))?;
    let source = take_times(from, n, &received, &[])?;
    let server = take_times(from, n, &received, &source_or(&source, &received))?;
    Ok(Clock { runs, source, server })
}

fn source_or<'a>(source: &'a Times, received: &'a [i64]) -> Cow<'a, [i64]> {
    match source {
        Times::Absent => received.into(),
        Times::All(times) => times.into(),
        Times::Some(times) => times.iter().zip(received).map(|(time, at)| time.unwrap_or(*at)).collect(),
    }
}

fn put_times(out: &mut Vec<u8>, times: &Times, references: &[(u8, &[i64])]) {
    let (mode, present): (u8, Vec<usize>) = match times {
        Times::Absent => return out.push(presence::NONE),
        Times::All(times) => (presence::ALL, (0..times.len()).collect()),
        Times::Some(times) => (presence::SOME, (0..times.len()).filter(|i| times[*i].is_some()).collect()),
    };
    out.push(mode);
    if let Times::Some(times) = times {
        ints::put(out, &times.iter().map(|time| i64::from(time.is_some())).collect::<Vec<_>>());
    }
    let plain: Vec<i64> = present.iter().filter_map(|i| times.get(*i)).map(|time| time.0).collect();
    let unit = ints::unit(plain.iter().map(|time| time.unsigned_abs())).min(UNIT_MAX);
    let mut best = (reference::NOTHING, plain.clone());
    let mut least = cost(&best.1);
    for (name, values) in references {
        let difference = |(time, i): (&i64, &usize)| time.wrapping_sub(rounded(values[*i], unit));
        let differences: Vec<i64> = plain.iter().zip(&present).map(difference).collect();
        let cost = cost(&differences);
        if cost < least {
            (least, best) = (cost, (*name, differences));
        }
    }
    out.push(best.0);
    if best.0 != reference::NOTHING {
        put_varint(out, unit);
    }
    ints::put(out, &best.1);
}

/// No clock counts in larger steps.
const UNIT_MAX: u64 = 1_000_000_000;

fn rounded(time: i64, unit: u64) -> i64 {
    // Both fit: the unit is limited.
    time.wrapping_sub(time.rem_euclid(unit as i64))
}

/// About how many bits a time takes.
fn cost(times: &[i64]) -> f64 {
    [0, 1, 2].map(|order| ints::bits_per_number(times, order)).into_iter().fold(64.0, f64::min)
}

fn take_times(from: &mut Source<'_>, n: usize, received: &[i64], source: &[i64]) -> Result<Times, Malformed> {
    let present: Option<Vec<usize>> = match from.byte()? {
        presence::NONE => return Ok(Times::Absent),
        presence::ALL => None,
        presence::SOME => {
            let flags = ints::take(from, n)?;
            Some((0..n).filter(|i| flags[*i] != 0).collect())
        }
        _ => return Err(Malformed("presence of times")),
    };
    let wrong = Malformed("reference of times");
    let reference = match from.byte()? {
        reference::NOTHING => &[],
        reference::RECEIVED => received,
        reference::SOURCE if source.len() == n => source,
        _ => return Err(wrong),
    };
    let unit = if reference.is_empty() { 1 } else { from.varint()? };
    if unit == 0 || unit > UNIT_MAX {
        return Err(wrong);
    }
    let mut times = ints::take(from, present.as_ref().map_or(n, Vec::len))?;
    let Some(present) = present else {
        let whole = times.iter_mut().zip(reference);
        whole.for_each(|(time, reference)| *time = time.wrapping_add(rounded(*reference, unit)));
        return Ok(Times::All(times));
    };
    let mut all = vec![None; n];
    for (i, time) in present.into_iter().zip(times) {
        all[i] = Some(time.wrapping_add(reference.get(i).map_or(0, |reference| rounded(*reference, unit))));
    }
    Ok(Times::Some(all))
}

/// Which entries of a clock a tag has, in the order of its samples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Places {
    /// Each of so many, once.
    All(u32),
    List(Vec<u32>),
}

impl Places {
    pub(crate) fn len(&self) -> usize {
        match self {
            Places::All(n) => *n as usize,
            Places::List(list) => list.len(),
        }
    }

    pub(crate) fn get(&self, i: usize) -> usize {
        match self {
            Places::All(_) => i,
            Places::List(list) => list[i] as usize,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}

/// How places are stored.
mod shape {
    pub(super) const ALL: u8 = 0;
    /// A bit for each entry, the lowest first.
    pub(super) const BITMAP: u8 = 1;
    /// A column.
    pub(super) const LIST: u8 = 2;
    /// How many are missing, and a column of those.
    pub(super) const MISSING: u8 = 3;
}

/// A place in a list takes about so many bits.
const LIST_BITS: usize = 10;

/// Appends the places of a tag in a clock of `entries`.
pub(crate) fn put_places(out: &mut Vec<u8>, places: &[u32], entries: usize) {
    let ascending = places.windows(2).all(|pair| pair[0] < pair[1]);
    let missing = entries.saturating_sub(places.len());
    if ascending && missing == 0 {
        out.push(shape::ALL);
    } else if ascending && missing * LIST_BITS < entries && missing < places.len() {
        out.push(shape::MISSING);
        put_varint(out, missing as u64);
        let mut present = places.iter().copied().peekable();
        ints::put_u32(out, (0..entries as u32).filter(|entry| present.next_if_eq(entry).is_none()));
    } else if ascending && places.len() * LIST_BITS > entries {
        out.push(shape::BITMAP);
        let mut bitmap = vec![0u8; entries.div_ceil(8)];
        for place in places {
            bitmap[*place as usize / 8] |= 1 << (place % 8);
        }
        out.extend_from_slice(&bitmap);
    } else {
        out.push(shape::LIST);
        ints::put_u32(out, places.iter().copied());
    }
}

/// Reads `n` places in a clock of `entries`.
pub(crate) fn take_places(from: &mut Source<'_>, n: usize, entries: usize) -> Result<Places, Malformed> {
    let wrong = Err(Malformed("places in a clock"));
    let list = match from.byte()? {
        shape::ALL if n == entries => return Ok(Places::All(n as u32)),
        shape::BITMAP => take_bitmap(from, n, entries)?,
        shape::LIST => ints::take_u32(from, n)?,
        shape::MISSING => {
            let missing = usize::try_from(from.varint()?).unwrap_or(usize::MAX);
            if missing.checked_add(n) != Some(entries) || missing > n {
                return wrong;
            }
            let mut missing = ints::take_u32(from, missing)?.into_iter().peekable();
            (0..entries as u32).filter(|entry| missing.next_if_eq(entry).is_none()).collect()
        }
        _ => return wrong,
    };
    if list.len() != n || list.iter().any(|place| *place as usize >= entries) {
        return wrong;
    }
    Ok(Places::List(list))
}

fn take_bitmap(from: &mut Source<'_>, n: usize, entries: usize) -> Result<Vec<u32>, Malformed> {
    let bitmap = from.take(entries.div_ceil(8))?;
    let mut list = Vec::with_capacity(n.min(entries));
    for (i, bytes) in (0u32..).zip(bitmap.chunks(8)) {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let mut word = u64::from_le_bytes(word);
        while word != 0 {
            list.push(i * 64 + word.trailing_zeros());
            word &= word - 1;
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(clock: &Clock) {
        let at = |run: u32| 1_000 * i64::from(run);
        let mut bytes = Vec::new();
        put(&mut bytes, clock, at);
        let mut source = Source(&bytes);
        assert_eq!(&take(&mut source, clock.runs.len(), |run| Some(at(run))).expect("decodes"), clock);
        assert!(source.0.is_empty());
    }

    fn check_places(places: &[u32], entries: usize) -> usize {
        let mut bytes = Vec::new();
        put_places(&mut bytes, places, entries);
        let mut source = Source(&bytes);
        let found = take_places(&mut source, places.len(), entries).expect("decodes");
        assert_eq!(found.iter().map(|place| place as u32).collect::<Vec<_>>(), places);
        assert!(source.0.is_empty());
        bytes.len()
    }

    #[test]
    fn places_take_as_little_as_they_can() {
        let every = |step: usize| (0..900u32).step_by(step).collect::<Vec<_>>();
        let without_some = (0..900u32).filter(|i| i % 300 != 7).collect::<Vec<_>>();
        let sizes: [(&[u32], usize); 6] =
            [(&[], 1), (&every(1), 1), (&every(2), 114), (&every(90), 8), (&[5, 5, 3], 6), (&without_some, 8)];
        for (places, limit) in sizes {
            let len = check_places(places, 900);
            assert!(len <= limit, "{len} bytes, not {limit}, for {} places", places.len());
        }
    }

    fn times(n: usize) -> impl Strategy<Value = Times> {
        let any = prop_oneof![any::<i64>(), (0i64..90).prop_map(|n| n * 100)];
        let some = prop::option::of(any.clone());
        prop_oneof![
            prop::collection::vec(any, n).prop_map(|times| Times::of(times.into_iter().map(Some).collect())),
            prop::collection::vec(some, n).prop_map(Times::of),
        ]
    }

    proptest! {
        #[test]
        fn every_clock_round_trips((runs, source, server) in (0usize..150).prop_flat_map(|n| (prop::collection::vec(0u32..50, n), times(n), times(n)))) {
            check(&Clock { runs, source, server });
        }

        #[test]
        fn all_places_round_trip(places in prop::collection::vec(0u32..300, 0..300), sorted: bool) {
            let mut places = places;
            if sorted {
                places.sort_unstable();
                places.dedup();
            }
            check_places(&places, 300);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), n in 0usize..400, entries in 0usize..400) {
            let mut source = Source(&bytes);
            if let Ok(clock) = take(&mut source, n, |run| (run < 9).then_some(5)) {
                prop_assert_eq!(clock.runs.len(), n);
            }
            if let Ok(places) = take_places(&mut Source(&bytes), n, entries) {
                prop_assert!(places.len() == n && places.iter().all(|place| place < entries));
            }
        }
    }
}
