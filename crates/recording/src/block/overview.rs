//! What the values of a tag were, minute by minute of received time: smallest, largest, last, how many and how many of
//! them bad. For time bars and for whole-shift curves, which need no more.
//!
//! A value counts as bad when its status is bad or it is not a number (NaN included); the others make up the
//! extremes. Numbers are exact: decimals as integers, others by their bits.

use super::FORM;
use super::column::{floats, ints};
use crate::codec::bytes::{Source, put_varint};
use lineside_model::archive::Malformed;
use lineside_model::{Span, StatusCode, TagId, Timestamp, Value};

/// Length of a bucket. Buckets begin at whole multiples of it since 1970 UTC.
pub(crate) const BUCKET: Span = Span::from_secs(60);

/// One minute of one tag in which it had samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Where the minute begins.
    pub start: Timestamp,
    /// Samples, the bad ones included.
    pub count: u32,
    /// Of them: bad status, or no number.
    pub bad: u32,
    /// Of the values that are good or uncertain numbers; `None` when there is none.
    pub range: Option<Range>,
}

/// Smallest, largest and last number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub min: f64,
    pub max: f64,
    pub last: f64,
}

/// The buckets of a tag with these samples, in the order of their receipt.
pub(crate) fn buckets<'a>(samples: impl Iterator<Item = (i64, u32, &'a Value)>) -> Vec<Bucket> {
    let mut all: Vec<Bucket> = Vec::new();
    for (at, status, value) in samples {
        let start = Timestamp(at.div_euclid(BUCKET.0).saturating_mul(BUCKET.0));
        let bucket = match all.last_mut() {
            Some(bucket) if bucket.start == start => bucket,
            _ => {
                all.push(Bucket { start, count: 0, bad: 0, range: None });
                let Some(bucket) = all.last_mut() else { continue };
                bucket
            }
        };
        bucket.count += 1;
        match value.as_f64().filter(|number| !number.is_nan() && !StatusCode(status).is_bad()) {
            Some(number) => bucket.range = Some(with(bucket.range, number)),
            None => bucket.bad += 1,
        }
    }
    all
}

fn with(range: Option<Range>, number: f64) -> Range {
    let first = Range { min: number, max: number, last: number };
    range.map_or(first, |range| Range {
        min: if number < range.min { number } else { range.min },
        max: if number > range.max { number } else { range.max },
        last: number,
    })
}

/// The bytes of the overview of a group: its tags in order, each with its buckets. `at0` is the stamp of the block.
pub(crate) fn encode(tags: &[(TagId, Vec<Bucket>)], at0: Timestamp) -> Vec<u8> {
    let mut out = vec![FORM];
    put_varint(&mut out, tags.len() as u64);
    ints::put_u32(&mut out, tags.iter().map(|(tag, _)| tag.0));
    put_varint(&mut out, tags.iter().map(|(_, buckets)| buckets.len() as u64).sum());
    ints::put_u32(&mut out, tags.iter().map(|(_, buckets)| buckets.len() as u32));
    let all = || tags.iter().flat_map(|(_, buckets)| buckets);
    let minute = |bucket: &Bucket| bucket.start.0.wrapping_sub(at0.floor(BUCKET).0) / BUCKET.0;
    ints::put(&mut out, &all().map(minute).collect::<Vec<_>>());
    ints::put_u32(&mut out, all().map(|bucket| bucket.count));
    ints::put_u32(&mut out, all().map(|bucket| bucket.bad));
    put_numbers(&mut out, tags.iter().map(|(_, buckets)| buckets.as_slice()));
    out
}

/// The numbers of each tag in a style of its own; what has a number is told by `count` and `bad`.
fn put_numbers<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = &'a [Bucket]>) {
    let (mut styles, mut bases, mut columns, mut plain) = (vec![], vec![], [const { Vec::new() }; 3], vec![]);
    for buckets in tags {
        let numbers: Vec<f64> = buckets
            .iter()
            .filter_map(|bucket| bucket.range)
            .flat_map(|range| [range.min, range.max, range.last])
            .collect();
        let Some((style, integers)) = floats::decimals(&numbers) else {
            styles.push(floats::NO_DECIMALS);
            plain.extend(numbers);
            continue;
        };
        styles.push(style);
        let base = integers.first().copied().unwrap_or(0);
        bases.push(base);
        for bucket in integers.chunks_exact(3) {
            let numbers = [bucket[0] - base, bucket[1] - bucket[0], bucket[2] - bucket[0]];
            columns.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
        }
    }
    ints::put_u32(out, styles);
    ints::put(out, &bases);
    columns.iter().for_each(|column| ints::put(out, column));
    floats::put(out, &plain);
}

/// What [`encode`] made for a group of so many `samples`.
pub(crate) fn decode(body: &[u8], at0: Timestamp, samples: usize) -> Result<Vec<(TagId, Vec<Bucket>)>, Malformed> {
    let mut from = Source(body);
    if from.byte()? != FORM {
        return Err(Malformed("form of the overview: not known to this program"));
    }
    let wrong = Malformed("overview");
    let limited = |count: u64| usize::try_from(count).ok().filter(|count| *count <= samples).ok_or(wrong);
    let count = limited(from.varint()?)?;
    let tags = ints::take_u32(&mut from, count)?;
    let total = limited(from.varint()?)?;
    let lengths = ints::take_u32(&mut from, count)?;
    let minutes = ints::take(&mut from, total)?;
    let counts = ints::take_u32(&mut from, total)?;
    let bads = ints::take_u32(&mut from, total)?;
    if lengths.iter().map(|len| *len as usize).sum::<usize>() != total || counts.iter().zip(&bads).any(|(n, b)| b > n) {
        return Err(wrong);
    }
    let first = at0.floor(BUCKET);
    let start = |minute: i64| Timestamp(first.0.saturating_add(minute.saturating_mul(BUCKET.0)));
    let bucket = |i: usize| Bucket { start: start(minutes[i]), count: counts[i], bad: bads[i], range: None };
    let mut next = 0;
    let mut all: Vec<(TagId, Vec<Bucket>)> = Vec::with_capacity(count);
    for (tag, len) in tags.into_iter().zip(lengths) {
        let end = next + len as usize;
        all.push((TagId(tag), (next..end).map(bucket).collect()));
        next = end;
    }
    take_numbers(&mut from, &mut all)?;
    if from.0.is_empty() { Ok(all) } else { Err(Malformed("trailing bytes")) }
}

fn take_numbers(from: &mut Source<'_>, tags: &mut [(TagId, Vec<Bucket>)]) -> Result<(), Malformed> {
    let styles = ints::take_u32(from, tags.len())?;
    let is_decimal = |style: &u32| *style != floats::NO_DECIMALS;
    let with_numbers = |buckets: &[Bucket]| buckets.iter().filter(|bucket| bucket.bad < bucket.count).count();
    let mut sizes = [0, 0];
    for ((_, buckets), style) in tags.iter().zip(&styles) {
        sizes[usize::from(is_decimal(style))] += with_numbers(buckets);
    }
    let [plain, decimal] = sizes;
    let mut bases = ints::take(from, styles.iter().filter(|style| is_decimal(style)).count())?.into_iter();
    let (low, high, last) = (ints::take(from, decimal)?, ints::take(from, decimal)?, ints::take(from, decimal)?);
    let mut decimals = low.into_iter().zip(high).zip(last);
    let floats = floats::take(from, 3 * plain)?;
    let mut plain = (0..plain).map(|i| [0, 1, 2].map(|k| floats.get(3 * i + k)));
    for ((_, buckets), style) in tags.iter_mut().zip(&styles) {
        let base = if is_decimal(style) { bases.next().unwrap_or(0) } else { 0 };
        for bucket in buckets.iter_mut().filter(|bucket| bucket.bad < bucket.count) {
            bucket.range = if is_decimal(style) {
                let Some(((low, high), last)) = decimals.next() else { break };
                let low = low.wrapping_add(base);
                let [min, max, last] = [low, low.wrapping_add(high), low.wrapping_add(last)];
                let number = |integer| floats::decimal(*style, integer);
                Some(Range { min: number(min)?, max: number(max)?, last: number(last)? })
            } else {
                plain.next().map(|[min, max, last]| Range { min, max, last })
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = BUCKET.0;

    fn check(tags: &[(TagId, Vec<Bucket>)], at0: Timestamp) -> usize {
        let body = encode(tags, at0);
        let samples = tags.iter().flat_map(|(_, buckets)| buckets).map(|bucket| bucket.count as usize).sum();
        assert_eq!(decode(&body, at0, samples).expect("decodes"), tags);
        body.len()
    }

    #[test]
    fn a_bucket_says_what_was_good_and_what_was_not() {
        let bad = StatusCode::BAD_WAITING_FOR_INITIAL_DATA.0;
        let values = [
            (5, 0, Value::Float(2.5)),
            (6, bad, Value::Float(-9.0)),
            (MINUTE - 1, 0, Value::Float(1.5)),
            (MINUTE, 0, Value::Float(f64::NAN)),
            (3 * MINUTE, 0, Value::Bool(true)),
        ];
        let found = buckets(values.iter().map(|(at, status, value)| (*at, *status, value)));
        let bucket = |minute: i64, count, bad, range| Bucket { start: Timestamp(minute * MINUTE), count, bad, range };
        let range = |min, max, last| Some(Range { min, max, last });
        let expected =
            [bucket(0, 3, 1, range(1.5, 2.5, 1.5)), bucket(1, 1, 1, None), bucket(3, 1, 0, range(1.0, 1.0, 1.0))];
        assert_eq!(found, expected);
    }

    fn tags() -> impl Strategy<Value = Vec<(TagId, Vec<Bucket>)>> {
        let number = prop_oneof![(-900i64..900).prop_map(|v| v as f64 / 10.0), -1e300..1e300];
        let sample = (0i64..9 * MINUTE, prop::option::of(number));
        let tag = prop::collection::vec(sample, 1..40).prop_map(|mut samples| {
            samples.sort_by_key(|(at, _)| *at);
            let values: Vec<_> =
                samples.into_iter().map(|(at, number)| (at, number.map_or(Value::Empty, Value::Float))).collect();
            buckets(values.iter().map(|(at, value)| (*at, 0, value)))
        });
        prop::collection::vec(tag, 0..8)
            .prop_map(|tags| tags.into_iter().enumerate().map(|(i, buckets)| (TagId(i as u32 * 3), buckets)).collect())
    }

    proptest! {
        #[test]
        fn every_overview_round_trips(tags in tags()) {
            check(&tags, Timestamp(77));
        }

        #[test]
        fn damaged_bytes_never_panic(tags in tags(), flips in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
            let mut body = encode(&tags, Timestamp(0));
            for (place, value) in flips {
                let len = body.len();
                body[place as usize % len] ^= value;
            }
            if let Ok(found) = decode(&body, Timestamp(0), 320) {
                prop_assert!(found.iter().map(|(_, buckets)| buckets.len()).sum::<usize>() <= 320);
            }
        }
    }
}
