//! A column of integers. Everything that is a number ends here: values, times, indices, lengths.
//!
//! Promise: lossless for every i64 (arithmetic wraps), and safe to read from damaged bytes: the caller says how many
//! numbers there are, and nothing else decides how much memory is taken.
//!
//! A column of no numbers takes no bytes. Otherwise its first byte holds the form (low four bits) and whether a unit
//! follows (bit 7). All numbers are `base + unit * offset`; the offsets are stored as the form says. Few numbers are
//! packed to a fixed width, because a header of `pco` costs more than it saves there.

use crate::codec::bytes::{Source, put_signed, put_varint};
use lineside_model::archive::Malformed;
use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

/// How the offsets are stored.
mod form {
    /// All are zero.
    pub(super) const CONSTANT: u8 = 0;
    /// How many runs, their values as a column, their lengths less one as a column.
    pub(super) const RUNS: u8 = 1;
    /// A width in bits, then the offsets in that width, the lowest bit first.
    pub(super) const PACKED: u8 = 2;
    /// The first, the smallest difference, a width, then the differences to the one before, above the smallest.
    pub(super) const PACKED_DIFFERENCES: u8 = 3;
    /// A pco chunk (wrapped, one page) of u16, u32 or u64.
    pub(super) const PCO_16: u8 = 4;
    pub(super) const PCO_32: u8 = 5;
    pub(super) const PCO_64: u8 = 6;
    /// In the first byte: a unit other than one follows the base.
    pub(super) const UNIT: u8 = 0x80;
}

/// The header that a file of pco's own begins with. It is the same for every column, and so not stored.
const PCO_HEADER: [u8; 2] = [4, 1];
/// Fewer numbers than this are packed.
const PCO_LEAST: usize = 64;
/// Runs are stored as such when they are on average at least so long.
const RUN_LENGTH: usize = 8;
/// The lengths of runs may be runs again, each at most an eighth as long; [`LONGEST`] is 8 to the power of 8.
const RUNS_DEEP: u8 = 8;
/// More numbers than this are no column of ours.
pub(crate) const LONGEST: usize = 1 << 24;

/// Appends `values`, of which there are at most [`LONGEST`].
pub(crate) fn put(out: &mut Vec<u8>, values: &[i64]) {
    let Some(shape) = Shape::of(values) else { return };
    if shape.range == 0 {
        head(out, form::CONSTANT, shape.min, 1);
    } else if values.len() >= RUN_LENGTH * shape.runs {
        put_runs(out, values, shape.runs);
    } else {
        put_offsets(out, values, &shape);
    }
}

/// Reads a column of `n` numbers.
pub(crate) fn take(from: &mut Source<'_>, n: usize) -> Result<Vec<i64>, Malformed> {
    take_as(from, n, Ok)
}

/// Reads a column of `n` numbers, each as `make` has it.
pub(crate) fn take_as<T: Clone>(
    from: &mut Source<'_>,
    n: usize,
    make: impl Fn(i64) -> Result<T, Malformed> + Copy,
) -> Result<Vec<T>, Malformed> {
    take_within(from, n, RUNS_DEEP, make)
}

/// `deep`: so many columns of runs may lie within one another.
fn take_within<T: Clone>(
    from: &mut Source<'_>,
    n: usize,
    deep: u8,
    make: impl Fn(i64) -> Result<T, Malformed> + Copy,
) -> Result<Vec<T>, Malformed> {
    if n == 0 {
        return Ok(Vec::new());
    }
    if n > LONGEST {
        return Err(Malformed("length of a column"));
    }
    let first = from.byte()?;
    if first == form::RUNS {
        return take_runs(from, n, deep, make);
    }
    let base = from.signed()?;
    let unit = if first & form::UNIT == 0 { 1 } else { from.varint()? };
    let number = |offset: u64| make(base.wrapping_add(offset.wrapping_mul(unit) as i64));
    match first & !form::UNIT {
        form::CONSTANT => Ok(vec![make(base)?; n]),
        form::PACKED => each(&take_packed(from, n)?, number),
        form::PACKED_DIFFERENCES => each(&take_differences(from, n)?, number),
        form::PCO_16 => each(&take_pco::<u16>(from, n)?, number),
        form::PCO_32 => each(&take_pco::<u32>(from, n)?, number),
        form::PCO_64 => each(&take_pco::<u64>(from, n)?, number),
        _ => Err(Malformed("form of a column")),
    }
}

/// In one allocation: this is where most of the time of reading goes.
fn each<O: Copy + Into<u64>, T>(
    offsets: &[O],
    number: impl Fn(u64) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut all = Vec::with_capacity(offsets.len());
    for offset in offsets {
        all.push(number((*offset).into())?);
    }
    Ok(all)
}

/// A column of numbers that fit into 32 bits.
pub(crate) fn take_u32(from: &mut Source<'_>, n: usize) -> Result<Vec<u32>, Malformed> {
    take_as(from, n, |v| u32::try_from(v).map_err(|_too_large| Malformed("number in a column")))
}

/// Numbers that fit into 32 bits, and are often all the same.
#[derive(Clone, Debug)]
pub(crate) enum Numbers {
    Same(u32),
    List(Vec<u32>),
}

impl Numbers {
    /// The number at `i`, which must be less than the length.
    pub(crate) fn get(&self, i: usize) -> u32 {
        match self {
            Numbers::Same(number) => *number,
            Numbers::List(list) => list[i],
        }
    }
}

/// A column of numbers that fit into 32 bits, as lean as it is stored.
pub(crate) fn take_numbers(from: &mut Source<'_>, n: usize) -> Result<Numbers, Malformed> {
    let constant = from.0.first().is_some_and(|first| first & !form::UNIT == form::CONSTANT);
    let list = take_u32(from, if constant { n.min(1) } else { n })?;
    Ok(if let (true, [same]) = (constant, list.as_slice()) { Numbers::Same(*same) } else { Numbers::List(list) })
}

/// Appends numbers that fit into 32 bits.
pub(crate) fn put_u32(out: &mut Vec<u8>, values: impl IntoIterator<Item = u32>) {
    put(out, &values.into_iter().map(i64::from).collect::<Vec<_>>());
}

/// About how many bits a number takes when it is stored as a difference of this order to those before it.
pub(crate) fn bits_per_number(values: &[i64], order: usize) -> f64 {
    let size = |v: i64| f64::from(64 - v.unsigned_abs().leading_zeros());
    let n = values.len() as f64;
    match (order, values) {
        (_, [] | [_]) => 64.0,
        (0, [first, ..]) => {
            let from = |v: &i64| v.wrapping_sub(*first) as f64;
            let mean = (values.iter().map(from).sum::<f64>() / n) as i64;
            values.iter().map(|v| size(v.wrapping_sub(*first).wrapping_sub(mean))).sum::<f64>() / n
        }
        (1, [first, .., last]) => {
            let mean = last.wrapping_sub(*first) / (values.len() as i64 - 1);
            let differences = values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]).wrapping_sub(mean));
            differences.map(size).sum::<f64>() / n
        }
        _ => {
            let twice = |w: &[i64]| w[2].wrapping_sub(w[1]).wrapping_sub(w[1].wrapping_sub(w[0]));
            values.windows(3).map(|w| size(twice(w))).sum::<f64>() / n
        }
    }
}

/// What decides how a column is stored.
struct Shape {
    min: i64,
    /// Largest less smallest.
    range: u64,
    runs: usize,
}

impl Shape {
    fn of(values: &[i64]) -> Option<Shape> {
        let mut previous = *values.first()?;
        let (mut min, mut max, mut runs) = (previous, previous, 1);
        for &value in values {
            min = min.min(value);
            max = max.max(value);
            runs += usize::from(value != previous);
            previous = value;
        }
        Some(Shape { min, range: max.wrapping_sub(min) as u64, runs })
    }
}

fn head(out: &mut Vec<u8>, form: u8, base: i64, unit: u64) {
    out.push(if unit == 1 { form } else { form | form::UNIT });
    put_signed(out, base);
    if unit != 1 {
        put_varint(out, unit);
    }
}

fn put_runs(out: &mut Vec<u8>, values: &[i64], runs: usize) {
    let mut lengths = Vec::with_capacity(runs);
    let mut heads = Vec::with_capacity(runs);
    for run in values.chunk_by(|a, b| a == b) {
        heads.push(run[0]);
        lengths.push(run.len() as i64 - 1);
    }
    out.push(form::RUNS);
    put_varint(out, runs as u64);
    put(out, &heads);
    put(out, &lengths);
}

fn take_runs<T: Clone>(
    from: &mut Source<'_>,
    n: usize,
    deep: u8,
    make: impl Fn(i64) -> Result<T, Malformed> + Copy,
) -> Result<Vec<T>, Malformed> {
    let runs = usize::try_from(from.varint()?).unwrap_or(usize::MAX);
    let deep = deep.checked_sub(1).ok_or(Malformed("runs within runs"))?;
    if runs >= n {
        return Err(Malformed("number of runs"));
    }
    let heads = take_within(from, runs, deep, make)?;
    let lengths = take_within(from, runs, deep, Ok)?;
    let mut values = Vec::with_capacity(n);
    for (value, length) in heads.into_iter().zip(lengths) {
        let length = usize::try_from(length).map_err(|_negative| Malformed("length of a run"))?;
        if length >= n - values.len() {
            return Err(Malformed("length of a run"));
        }
        values.resize(values.len() + length + 1, value);
    }
    if values.len() == n { Ok(values) } else { Err(Malformed("length of the runs")) }
}

fn put_offsets(out: &mut Vec<u8>, values: &[i64], shape: &Shape) {
    let offset = |v: &i64| v.wrapping_sub(shape.min) as u64;
    let unit = unit(values.iter().map(offset));
    let mut offsets: Vec<u64> = values.iter().map(offset).collect();
    if unit > 1 {
        offsets.iter_mut().for_each(|offset| *offset /= unit);
    }
    let width = 64 - (shape.range / unit).leading_zeros();
    if offsets.len() < PCO_LEAST {
        return put_few(out, &offsets, shape.min, unit, width);
    }
    let start = out.len();
    let form = match width {
        0..=16 => form::PCO_16,
        17..=32 => form::PCO_32,
        _ => form::PCO_64,
    };
    head(out, form, shape.min, unit);
    let order = difference_order(&offsets);
    let done = match form {
        form::PCO_16 => put_pco(out, &offsets.iter().map(|v| *v as u16).collect::<Vec<_>>(), order),
        form::PCO_32 => put_pco(out, &offsets.iter().map(|v| *v as u32).collect::<Vec<_>>(), order),
        _ => put_pco(out, &offsets, order),
    };
    if done.is_none() || (out.len() - start) > packed_len(offsets.len(), width) + 11 {
        out.truncate(start);
        head(out, form::PACKED, shape.min, unit);
        out.push(width as u8);
        put_bits(out, &offsets, width);
    }
}

/// The greatest common divisor, at least one: times come in units of their own.
pub(crate) fn unit(offsets: impl Iterator<Item = u64>) -> u64 {
    let mut unit = 0;
    for mut offset in offsets {
        if offset == unit {
            continue;
        }
        while offset != 0 {
            (unit, offset) = (offset, unit % offset);
        }
        if unit == 1 {
            return 1;
        }
    }
    unit.max(1)
}

/// Differences of which order are the smallest?
fn difference_order(offsets: &[u64]) -> usize {
    let signed: Vec<i64> = offsets.iter().map(|v| *v as i64).collect();
    let bits = [0, 1, 2].map(|order| bits_per_number(&signed, order));
    // A difference of noise is larger than the noise; a higher order must be worth it.
    match bits {
        [plain, first, second] if plain <= first + 0.1 && plain <= second + 0.1 => 0,
        [_, first, second] if first <= second + 0.1 => 1,
        _ => 2,
    }
}

fn put_few(out: &mut Vec<u8>, offsets: &[u64], base: i64, unit: u64, width: u32) {
    let differences: Vec<i64> = offsets.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) as i64).collect();
    let shape = Shape::of(&differences).unwrap_or(Shape { min: 0, range: u64::MAX, runs: 1 });
    let narrow = 64 - shape.range.leading_zeros();
    let mut ends = Vec::with_capacity(20);
    put_varint(&mut ends, offsets[0]);
    put_signed(&mut ends, shape.min);
    if packed_len(differences.len(), narrow) + ends.len() < packed_len(offsets.len(), width) {
        head(out, form::PACKED_DIFFERENCES, base, unit);
        out.extend_from_slice(&ends);
        out.push(narrow as u8);
        let above: Vec<u64> = differences.iter().map(|d| d.wrapping_sub(shape.min) as u64).collect();
        put_bits(out, &above, narrow);
    } else {
        head(out, form::PACKED, base, unit);
        out.push(width as u8);
        put_bits(out, offsets, width);
    }
}

fn take_differences(from: &mut Source<'_>, n: usize) -> Result<Vec<u64>, Malformed> {
    let mut value = from.varint()?;
    let least = from.signed()? as u64;
    let mut values = take_packed(from, n - 1)?;
    for difference in &mut values {
        let next = value.wrapping_add(*difference).wrapping_add(least);
        *difference = std::mem::replace(&mut value, next);
    }
    values.push(value);
    Ok(values)
}

fn take_packed(from: &mut Source<'_>, n: usize) -> Result<Vec<u64>, Malformed> {
    let width = u32::from(from.byte()?);
    if width > 64 {
        return Err(Malformed("width of a column"));
    }
    let bytes = from.take(packed_len(n, width))?;
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    let (mut held, mut bits, mut bytes) = (0u128, 0u32, bytes.iter());
    let next = || {
        while bits < width {
            held |= u128::from(*bytes.next().unwrap_or(&0)) << bits;
            bits += 8;
        }
        let value = held as u64 & mask;
        held >>= width;
        bits -= width;
        value
    };
    Ok(std::iter::repeat_with(next).take(n).collect())
}

fn packed_len(n: usize, width: u32) -> usize {
    (n * width as usize).div_ceil(8)
}

fn put_bits(out: &mut Vec<u8>, values: &[u64], width: u32) {
    let (mut held, mut bits) = (0u128, 0u32);
    for value in values {
        held |= u128::from(*value) << bits;
        bits += width;
        while bits >= 8 {
            out.push(held as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(held as u8);
    }
}

/// `None`: pco does not take these numbers.
fn put_pco<T: Number>(out: &mut Vec<u8>, values: &[T], order: usize) -> Option<()> {
    let delta = if order == 0 { DeltaSpec::NoOp } else { DeltaSpec::TryConsecutive(order) };
    let config = ChunkConfig::default()
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(delta)
        .with_paging_spec(PagingSpec::Exact(vec![values.len()]));
    let mut chunk = FileCompressor::default().chunk_compressor(values, &config).ok()?;
    chunk.write_meta(&mut *out).ok()?;
    chunk.write_page(0, &mut *out).ok()?;
    Some(())
}

fn take_pco<T: Number + Default>(from: &mut Source<'_>, n: usize) -> Result<Vec<T>, Malformed> {
    let mut values = vec![T::default(); n];
    let mut read = || -> pco::errors::PcoResult<bool> {
        let (file, _end) = FileDecompressor::new(&PCO_HEADER[..])?;
        let (mut chunk, rest) = file.chunk_decompressor::<T, _>(from.0)?;
        let mut page = chunk.page_decompressor(rest, n)?;
        let progress = page.read(&mut values)?;
        from.0 = page.into_src();
        Ok(progress.finished && progress.n_processed == n)
    };
    if matches!(read(), Ok(true)) { Ok(values) } else { Err(Malformed("pco column")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(values: &[i64]) -> usize {
        let mut bytes = Vec::new();
        put(&mut bytes, values);
        let mut source = Source(&bytes);
        assert_eq!(take(&mut source, values.len()).expect("what was encoded decodes"), values);
        assert!(source.0.is_empty());
        bytes.len()
    }

    #[test]
    fn the_header_left_out_is_that_of_this_pco() {
        let mut header = Vec::new();
        FileCompressor::default().write_header(&mut header).expect("a vector takes all");
        assert_eq!(header, PCO_HEADER, "a new version of pco's format is a new form of block");
    }

    #[test]
    fn numbers_of_every_shape_come_back_and_stay_small() {
        let of = |n: i64, f: fn(i64) -> i64| (0..n).map(f).collect::<Vec<_>>();
        let sizes: [(Vec<i64>, usize); 12] = [
            (vec![], 0),
            (vec![i64::MIN], 11),
            (of(1_000, |_| 7), 2),
            (of(1_000, |i| i / 100), 12),
            (of(1_000, |i| i * 1_000_000_000), 30),
            (of(63, |i| i * 1_000_000_000), 12),
            (of(30, |i| i % 2), 8),
            (of(900, |i| i * i), 30),
            (of(900, |i| (i * 7_919) % 1_024), 1_200),
            (of(900, |i| i64::MIN + i * 3), 50),
            (vec![i64::MIN, i64::MAX, 0, -1, 1], 60),
            ([i64::MIN, i64::MAX, 0].repeat(100), 2_500),
        ];
        for (values, limit) in sizes {
            let len = check(&values);
            assert!(len <= limit, "{len} bytes, not {limit}, for {} numbers from {:?}", values.len(), values.first());
        }
    }

    fn numbers() -> impl Strategy<Value = Vec<i64>> {
        let one = prop_oneof![any::<i64>(), -5i64..5, (0i64..100).prop_map(|v| v * 1_000_000)];
        let walk = prop::collection::vec(-50i64..50, 0..400).prop_map(|steps| {
            let sums = steps.into_iter().scan(i64::MAX - 100, |sum, step| {
                *sum = sum.wrapping_add(step);
                Some(*sum)
            });
            sums.collect()
        });
        prop_oneof![prop::collection::vec(one, 0..200), walk, prop::collection::vec(0i64..2, 0..200)]
    }

    proptest! {
        #[test]
        fn every_column_round_trips(values in numbers()) {
            check(&values);
        }

        #[test]
        fn damaged_bytes_never_panic(values in numbers(), flips in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4), n in 0usize..500) {
            let mut bytes = Vec::new();
            put(&mut bytes, &values);
            for (place, value) in flips {
                let len = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(place as usize % len) {
                    *byte ^= value;
                }
            }
            if let Ok(found) = take(&mut Source(&bytes), n) {
                prop_assert_eq!(found.len(), n);
            }
        }

        #[test]
        fn random_bytes_never_panic(first in 0u8..8, mut bytes in prop::collection::vec(any::<u8>(), 1..200), n in 0usize..2_000) {
            bytes[0] = first;
            if let Ok(found) = take(&mut Source(&bytes), n) {
                prop_assert_eq!(found.len(), n);
            }
        }
    }
}
