//! A column of values of any kinds: usually one kind, stored as that kind is best stored.
//!
//! First byte: the kind of all values ([`Value::kind`]), or [`MIXED`]; then a column of kinds follows, and the values
//! kind by kind. Texts and raw values are a dictionary in the order of their first appearance, and a column of places
//! in it.

use super::{floats, ints};
use crate::codec::bytes::{Source, put_bytes, put_varint};
use lineside_model::archive::Malformed;
use lineside_model::{RawValue, Text, Timestamp, Value};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Instead of a kind: there are several.
const MIXED: u8 = 0xFF;
/// Kinds of values; their numbers are less than this.
const KINDS: usize = 8;

/// Values of one tag in a block.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Empty,
    Bool(Vec<bool>),
    Int(Vec<i64>),
    UInt(Vec<u64>),
    Float(floats::Floats),
    Text(Dictionary<Text>),
    Time(Vec<i64>),
    Raw(Dictionary<Arc<RawValue>>),
    Mixed {
        kinds: Vec<u8>,
        /// Place of each value among those of its kind.
        places: Vec<u32>,
        /// By kind.
        parts: Vec<Values>,
    },
}

/// Distinct things, and which of them each value is.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) index: Vec<u32>,
}

impl Values {
    /// The value at `i`, which must be less than the length.
    pub(crate) fn get(&self, i: usize) -> Value {
        match self {
            Values::Empty => Value::Empty,
            Values::Bool(values) => Value::Bool(values[i]),
            Values::Int(values) => Value::Int(values[i]),
            Values::UInt(values) => Value::UInt(values[i]),
            Values::Float(values) => Value::Float(values.get(i)),
            Values::Text(values) => Value::Text(values.entries[values.index[i] as usize].clone()),
            Values::Time(values) => Value::Time(Timestamp(values[i])),
            Values::Raw(values) => Value::Raw(values.entries[values.index[i] as usize].clone()),
            Values::Mixed { kinds, places, parts } => parts[kinds[i] as usize].get(places[i] as usize),
        }
    }
}

/// Appends `values`.
pub(crate) fn put(out: &mut Vec<u8>, values: &[Value]) {
    let Some(first) = values.first().map(Value::kind) else { return };
    if values.iter().all(|value| value.kind() == first) {
        out.push(first);
        return put_kind(out, first, values.iter());
    }
    out.push(MIXED);
    ints::put(out, &values.iter().map(|value| i64::from(value.kind())).collect::<Vec<_>>());
    for kind in 0..KINDS as u8 {
        put_kind(out, kind, values.iter().filter(|value| value.kind() == kind));
    }
}

/// Reads a column of `n` values.
pub(crate) fn take(from: &mut Source<'_>, n: usize) -> Result<Values, Malformed> {
    if n == 0 {
        return Ok(Values::Empty);
    }
    match from.byte()? {
        MIXED => take_mixed(from, n),
        kind => take_kind(from, kind, n),
    }
}

/// All of `values` are of this kind.
fn put_kind<'a>(out: &mut Vec<u8>, kind: u8, values: impl Iterator<Item = &'a Value>) {
    match kind {
        0 => {}
        4 => {
            let float = |value: &Value| if let Value::Float(v) = value { *v } else { 0.0 };
            floats::put(out, &values.map(float).collect::<Vec<_>>());
        }
        5 => {
            let texts = values.filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None });
            put_dictionary(out, texts, |out, text| put_bytes(out, text.as_bytes()));
        }
        7 => {
            let raws = values.filter_map(|value| if let Value::Raw(raw) = value { Some(Bits(raw)) } else { None });
            put_dictionary(out, raws, |out, Bits(raw)| {
                put_bytes(out, raw.type_name.as_bytes());
                put_bytes(out, raw.text.as_bytes());
                put_bytes(out, &raw.bytes);
            });
        }
        _ => ints::put(out, &values.map(integer).collect::<Vec<_>>()),
    }
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Bool(v) => i64::from(*v),
        Value::Int(v) => *v,
        Value::UInt(v) => *v as i64, // the bits; read back the same way
        Value::Time(v) => v.0,
        Value::Empty | Value::Float(_) | Value::Text(_) | Value::Raw(_) => 0,
    }
}

/// A raw value as a key: by all that it holds.
#[derive(Clone, Copy)]
struct Bits<'a>(&'a RawValue);

impl<'a> Bits<'a> {
    fn key(&self) -> (&'a str, &'a str, &'a [u8]) {
        (&self.0.type_name, &self.0.text, &self.0.bytes)
    }
}

impl PartialEq for Bits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Bits<'_> {}

impl Hash for Bits<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

fn put_dictionary<K: Hash + Eq + Clone>(
    out: &mut Vec<u8>,
    values: impl Iterator<Item = K>,
    put: impl Fn(&mut Vec<u8>, &K),
) {
    let mut known: HashMap<K, u32> = HashMap::new();
    let mut entries = Vec::new();
    let mut index = Vec::new();
    for value in values {
        let next = entries.len() as u32;
        let place = *known.entry(value).or_insert_with_key(|value| {
            entries.push(value.clone());
            next
        });
        index.push(place);
    }
    if !index.is_empty() {
        put_varint(out, entries.len() as u64);
        entries.iter().for_each(|entry| put(out, entry));
        ints::put_u32(out, index);
    }
}

fn take_dictionary<T>(
    from: &mut Source<'_>,
    n: usize,
    least: usize,
    take: impl Fn(&mut Source<'_>) -> Result<T, Malformed>,
) -> Result<Dictionary<T>, Malformed> {
    if n == 0 {
        return Ok(Dictionary { entries: Vec::new(), index: Vec::new() });
    }
    let count = from.count(least)?;
    let entries = (0..count).map(|_| take(from)).collect::<Result<Vec<T>, _>>()?;
    let index = ints::take_u32(from, n)?;
    if index.iter().any(|place| *place as usize >= count) {
        return Err(Malformed("place in a dictionary"));
    }
    Ok(Dictionary { entries, index })
}

fn take_kind(from: &mut Source<'_>, kind: u8, n: usize) -> Result<Values, Malformed> {
    Ok(match kind {
        0 => Values::Empty,
        1 => {
            let flag = |v: i64| match v {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(Malformed("flag")),
            };
            Values::Bool(ints::take_as(from, n, flag)?)
        }
        2 => Values::Int(ints::take(from, n)?),
        3 => Values::UInt(ints::take_as(from, n, |v| Ok(v as u64))?),
        4 => Values::Float(floats::take(from, n)?),
        5 => Values::Text(take_dictionary(from, n, 1, |from| from.text())?),
        6 => Values::Time(ints::take(from, n)?),
        7 => Values::Raw(take_dictionary(from, n, 3, |from| {
            let (type_name, text) = (from.str()?.to_owned(), from.str()?.to_owned());
            Ok(Arc::new(RawValue { type_name, text, bytes: from.bytes()?.to_vec() }))
        })?),
        _ => return Err(Malformed("kind of value")),
    })
}

fn take_mixed(from: &mut Source<'_>, n: usize) -> Result<Values, Malformed> {
    let mut counts = [0u32; KINDS];
    let mut kinds = Vec::with_capacity(n);
    let mut places = Vec::with_capacity(n);
    for kind in ints::take(from, n)? {
        let kind = u8::try_from(kind).map_err(|_negative| Malformed("kind of value"))?;
        let count = counts.get_mut(kind as usize).ok_or(Malformed("kind of value"))?;
        kinds.push(kind);
        places.push(*count);
        *count += 1;
    }
    let parts = (0..KINDS).map(|kind| take_kind(from, kind as u8, counts[kind] as usize)).collect::<Result<_, _>>()?;
    Ok(Values::Mixed { kinds, places, parts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;
    use lineside_model::Input;
    use proptest::prelude::*;

    fn check(values: &[Value]) -> usize {
        let mut bytes = Vec::new();
        put(&mut bytes, values);
        let mut source = Source(&bytes);
        let found = take(&mut source, values.len()).expect("what was encoded decodes");
        assert!(source.0.is_empty());
        for (i, value) in values.iter().enumerate() {
            // A NaN is not equal to itself; its text is.
            assert_eq!(format!("{:?}", found.get(i)), format!("{value:?}"));
        }
        bytes.len()
    }

    #[test]
    fn columns_of_one_kind_and_of_several_are_small() {
        let text = |i: usize| Value::Text(["Running", "Stopped", "Held"][i / 100 % 3].into());
        let of = |f: &dyn Fn(usize) -> Value| (0..900).map(f).collect::<Vec<_>>();
        let sizes: [(Vec<Value>, usize); 6] = [
            (of(&|_| Value::Empty), 1),
            (of(&|i| Value::Bool(i / 50 % 2 == 0)), 12),
            (of(&text), 40),
            (of(&|i| Value::UInt(u64::MAX - i as u64)), 40),
            (of(&|i| if i % 300 < 3 { Value::Empty } else { Value::Int(7) }), 20),
            (of(&|i| Value::Time(Timestamp(i as i64 * 1_000_000_000))), 40),
        ];
        for (values, limit) in sizes {
            let len = check(&values);
            assert!(len <= limit, "{len} bytes, not {limit}, for {:?}", values.first());
        }
    }

    fn values() -> impl Strategy<Value = Vec<Value>> {
        prop::collection::vec(generate::batch(), 0..12).prop_map(|batches| {
            let inputs = batches.into_iter().flat_map(|batch| batch.inputs);
            inputs
                .filter_map(|input| if let Input::Sample(sample) = input { Some(sample.value) } else { None })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_column_round_trips(values in values()) {
            check(&values);
        }

        #[test]
        fn random_bytes_never_panic(kind in 0u8..9, mut bytes in prop::collection::vec(any::<u8>(), 1..200), n in 0usize..300) {
            bytes[0] = if kind == 8 { MIXED } else { kind };
            if let Ok(found) = take(&mut Source(&bytes), n) {
                (0..n).for_each(|i| drop(found.get(i)));
            }
        }
    }
}
