//! A column of floats. Measured values are decimals that went through a float: as integers with a common number of
//! decimal places they take a fraction of the room. That is done only for values that come back bit for bit; others
//! are listed beside them, and a column in which that does not pay is stored by its bits.

use super::ints;
use crate::codec::bytes::{Source, put_varint};
use lineside_model::archive::Malformed;

/// How the column is stored: the first byte.
mod form {
    /// `integer / 10^places`. The places follow, then the exceptions, then the integers.
    pub(super) const DECIMAL_64: u8 = 0;
    /// The same, rounded to the nearest f32: what a server sends as Float.
    pub(super) const DECIMAL_32: u8 = 1;
    /// The bits of f32, in the order of the numbers.
    pub(super) const BITS_32: u8 = 2;
    /// The bits of f64, in the order of the numbers.
    pub(super) const BITS_64: u8 = 3;
}

/// More decimal places than this are no decimal.
const PLACES_MAX: usize = 15;
/// A 32-bit float holds fewer.
const PLACES_MAX_32: usize = 7;
/// Powers of ten that a float holds exactly.
const POWERS: [f64; PLACES_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Adding and subtracting this rounds a float below 2^51 to an integer.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// At most one value in so many may be an exception.
const EXCEPTIONS: usize = 16;
/// So many values are looked at to find the decimal places.
const LOOKED_AT: usize = 24;

/// Appends `values`.
pub(crate) fn put(out: &mut Vec<u8>, values: &[f64]) {
    if values.is_empty() {
        return;
    }
    if put_decimals(out, values, form::DECIMAL_64, exact_64) || put_decimals(out, values, form::DECIMAL_32, exact_32) {
        return;
    }
    if values.iter().all(|v| f64::from(*v as f32).to_bits() == v.to_bits()) {
        out.push(form::BITS_32);
        let ordered = |v: &f64| i64::from(order_32((*v as f32).to_bits() as i32));
        ints::put(out, &values.iter().map(ordered).collect::<Vec<_>>());
    } else {
        out.push(form::BITS_64);
        ints::put(out, &values.iter().map(|v| order_64(v.to_bits() as i64)).collect::<Vec<_>>());
    }
}

/// Floats as lean as they are stored: of most, few are ever asked for.
#[derive(Clone, Debug)]
pub(crate) enum Floats {
    Plain(Vec<f64>),
    /// `integer / power`.
    Decimals64(Vec<i64>, f64),
    /// The same, rounded to the nearest f32.
    Decimals32(Vec<i64>, f64),
}

impl Floats {
    /// The value at `i`, which must be less than the length.
    pub(crate) fn get(&self, i: usize) -> f64 {
        match self {
            Floats::Plain(values) => values[i],
            Floats::Decimals64(integers, power) => from_64(integers[i], *power),
            Floats::Decimals32(integers, power) => from_32(integers[i], *power),
        }
    }
}

/// Reads a column of `n` values.
pub(crate) fn take(from: &mut Source<'_>, n: usize) -> Result<Floats, Malformed> {
    if n == 0 {
        return Ok(Floats::Plain(Vec::new()));
    }
    Ok(match from.byte()? {
        form::DECIMAL_64 => take_decimals(from, n, Floats::Decimals64)?,
        form::DECIMAL_32 => take_decimals(from, n, Floats::Decimals32)?,
        form::BITS_32 => {
            let float = |v: i64| {
                let bits = i32::try_from(v).map_err(|_too_large| Malformed("float"))?;
                Ok(f64::from(f32::from_bits(order_32(bits) as u32)))
            };
            Floats::Plain(ints::take_as(from, n, float)?)
        }
        form::BITS_64 => Floats::Plain(ints::take_as(from, n, |v| Ok(f64::from_bits(order_64(v) as u64)))?),
        _ => return Err(Malformed("form of floats")),
    })
}

/// A style of [`decimals`] that says: these are none.
pub(crate) const NO_DECIMALS: u32 = u32::MAX;

/// Values as integers of one style, where all come back bit for bit.
pub(crate) fn decimals(values: &[f64]) -> Option<(u32, Vec<i64>)> {
    [(form::DECIMAL_64, PLACES_MAX, exact_64 as Exact), (form::DECIMAL_32, PLACES_MAX_32, exact_32)]
        .into_iter()
        .find_map(|(form, max, exact)| {
            let mut needed = 0;
            for value in values {
                needed = (needed..=max).find(|places| exact(*value, POWERS[*places]).is_some())?;
            }
            let integers = values.iter().map(|value| exact(*value, POWERS[needed])).collect::<Option<_>>()?;
            Some((u32::from(form) * 16 + needed as u32, integers))
        })
}

/// The value of an integer of [`decimals`].
pub(crate) fn decimal(style: u32, integer: i64) -> Result<f64, Malformed> {
    let power = POWERS[style as usize % 16];
    match u8::try_from(style / 16) {
        Ok(form::DECIMAL_64) => Ok(from_64(integer, power)),
        Ok(form::DECIMAL_32) => Ok(from_32(integer, power)),
        _ => Err(Malformed("form of floats")),
    }
}

type Exact = fn(f64, f64) -> Option<i64>;

fn from_64(integer: i64, power: f64) -> f64 {
    integer as f64 / power
}

fn from_32(integer: i64, power: f64) -> f64 {
    f64::from((integer as f64 / power) as f32)
}

/// The integer that gives this value bit for bit.
fn exact_64(value: f64, power: f64) -> Option<i64> {
    let integer = (value * power + ROUNDER) - ROUNDER;
    // Beyond that, the rounding above is none. A NaN fails here too.
    (integer.abs() < 2e15 && (integer / power).to_bits() == value.to_bits()).then_some(integer as i64)
}

fn exact_32(value: f64, power: f64) -> Option<i64> {
    let integer = (value * power + ROUNDER) - ROUNDER;
    let back = f64::from((integer / power) as f32);
    (integer.abs() < 2e15 && back.to_bits() == value.to_bits()).then_some(integer as i64)
}

/// False, and nothing written: these are no decimals.
fn put_decimals(out: &mut Vec<u8>, values: &[f64], form: u8, exact: Exact) -> bool {
    let Some(places) = places(values, if form == form::DECIMAL_32 { PLACES_MAX_32 } else { PLACES_MAX }, exact) else {
        return false;
    };
    let mut integers = Vec::with_capacity(values.len());
    let mut exceptions = Vec::new();
    for (i, value) in values.iter().enumerate() {
        match exact(*value, POWERS[places]) {
            Some(integer) => integers.push(integer),
            None => {
                exceptions.push((i, value.to_bits()));
                // Stands for nothing: the value before it costs the least.
                integers.push(integers.last().copied().unwrap_or(0));
            }
        }
        if exceptions.len() * EXCEPTIONS > values.len() {
            return false;
        }
    }
    out.push(form);
    out.push(places as u8);
    put_varint(out, exceptions.len() as u64);
    for (i, bits) in exceptions {
        put_varint(out, i as u64);
        out.extend_from_slice(&bits.to_le_bytes());
    }
    ints::put(out, &integers);
    true
}

/// How many decimal places a few of the values need. Several may be exceptions.
fn places(values: &[f64], max: usize, exact: Exact) -> Option<usize> {
    let step = values.len().div_ceil(LOOKED_AT);
    let mut needed = 0;
    let (mut seen, mut failed) = (0, 0);
    for value in values.iter().step_by(step) {
        seen += 1;
        match (needed..=max).find(|places| exact(*value, POWERS[*places]).is_some()) {
            Some(places) => needed = places,
            None => failed += 1,
        }
    }
    (failed * EXCEPTIONS / 2 <= seen).then_some(needed)
}

fn take_decimals(from: &mut Source<'_>, n: usize, form: fn(Vec<i64>, f64) -> Floats) -> Result<Floats, Malformed> {
    let power = *POWERS.get(from.byte()? as usize).ok_or(Malformed("decimal places"))?;
    // An exception takes at least nine bytes.
    let mut exceptions = Vec::new();
    for _ in 0..from.count(9)? {
        let place = usize::try_from(from.varint()?).unwrap_or(usize::MAX);
        let mut bits = [0; 8];
        bits.copy_from_slice(from.take(8)?);
        exceptions.push((place, f64::from_bits(u64::from_le_bytes(bits))));
    }
    let decimals = form(ints::take(from, n)?, power);
    if exceptions.is_empty() {
        return Ok(decimals);
    }
    let mut values: Vec<f64> = (0..n).map(|i| decimals.get(i)).collect();
    for (place, value) in exceptions {
        *values.get_mut(place).ok_or(Malformed("place of a float"))? = value;
    }
    Ok(Floats::Plain(values))
}

/// Bits of a float as an integer in the order of the numbers, and back: negative ones run backwards.
fn order_64(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

fn order_32(bits: i32) -> i32 {
    bits ^ ((bits >> 31) & i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(values: &[f64]) -> usize {
        let mut bytes = Vec::new();
        put(&mut bytes, values);
        let mut source = Source(&bytes);
        let found = take(&mut source, values.len()).expect("what was encoded decodes");
        for (i, value) in values.iter().enumerate() {
            assert_eq!(found.get(i).to_bits(), value.to_bits());
        }
        assert!(source.0.is_empty());
        bytes.len()
    }

    #[test]
    fn every_bit_survives_and_decimals_are_small() {
        let of = |n: i64, f: fn(i64) -> f64| (0..n).map(f).collect::<Vec<_>>();
        let nan = f64::from_bits(0x7FF8_0000_DEAD_BEEF);
        let specials =
            vec![nan, -nan, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 5e-324, f64::MAX];
        let mut spoilt = of(500, |i| (i % 100) as f64 / 10.0);
        (spoilt[7], spoilt[400]) = (nan, -0.0);
        let sizes: [(Vec<f64>, usize); 9] = [
            (vec![], 0),
            (vec![21.5], 6),
            (of(500, |i| (i * 37 % 256) as f64 / 10.0), 530),
            (of(500, |i| f64::from((i * 37 % 256) as f32 / 10.0)), 530),
            (of(500, |i| i as f64 * 1e9), 40),
            (of(500, |i| f64::from((i as f32).sin())), 2_050),
            (of(500, |i| (i as f64).sin()), 4_050),
            (specials, 90),
            (spoilt, 400),
        ];
        for (values, limit) in sizes {
            let len = check(&values);
            assert!(len <= limit, "{len} bytes, not {limit}, for {} floats from {:?}", values.len(), values.first());
        }
    }

    fn floats() -> impl Strategy<Value = Vec<f64>> {
        let decimal = (-100_000i64..100_000, 0usize..6).prop_map(|(v, places)| v as f64 / POWERS[places]);
        let single = any::<u32>().prop_map(|bits| f64::from(f32::from_bits(bits)));
        let any = any::<u64>().prop_map(f64::from_bits);
        let mixed = prop_oneof![20 => decimal.clone(), 1 => any.clone()];
        prop_oneof![
            prop::collection::vec(decimal, 0..200),
            prop::collection::vec(single, 0..200),
            prop::collection::vec(any, 0..200),
            prop::collection::vec(mixed, 0..200),
        ]
    }

    proptest! {
        #[test]
        fn every_column_round_trips(values in floats()) {
            check(&values);
        }

        #[test]
        fn damaged_bytes_never_panic(values in floats(), flips in prop::collection::vec((any::<u16>(), any::<u8>()), 0..4), n in 0usize..500) {
            let mut bytes = Vec::new();
            put(&mut bytes, &values);
            for (place, value) in flips {
                let len = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(place as usize % len) {
                    *byte ^= value;
                }
            }
            if let Ok(found) = take(&mut Source(&bytes), n) {
                let _bits = (0..n).fold(0, |bits, i| bits ^ found.get(i).to_bits());
            }
        }
    }
}
