//! The value of a tag, as the server sent it.

use crate::Timestamp;
use std::sync::Arc;

/// Shared text: cloning a sample must not copy strings.
pub type Text = Arc<str>;

/// A value without its quality. Integer widths are widened without loss; the server's own type is
/// metadata of the tag, not of each value.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// The server sent no value (bad status, or a null variant).
    #[default]
    Empty,
    /// Boolean.
    Bool(bool),
    /// Any signed integer.
    Int(i64),
    /// Any unsigned integer.
    UInt(u64),
    /// Float or Double. A NaN is kept as it came.
    Float(f64),
    /// String, localized text, GUID, node id: anything that is shown as text.
    Text(Text),
    /// DateTime.
    Time(Timestamp),
    /// Arrays, structures and types unknown to us: kept byte for byte, never interpreted.
    Raw(Arc<RawValue>),
}

/// A value that Lineside keeps and shows but does not compute with.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RawValue {
    /// The OPC UA type in words, e.g. `Double[24]` or the structure's name.
    pub type_name: String,
    /// How it is shown.
    pub text: String,
    /// OPC UA binary encoding of the variant.
    pub bytes: Vec<u8>,
}

impl Value {
    /// The number of the kind of value, the same in recordings and in frames: 0 empty, 1 Boolean, 2 signed,
    /// 3 unsigned, 4 float, 5 text, 6 time, 7 raw.
    pub fn kind(&self) -> u8 {
        match self {
            Value::Empty => 0,
            Value::Bool(_) => 1,
            Value::Int(_) => 2,
            Value::UInt(_) => 3,
            Value::Float(_) => 4,
            Value::Text(_) => 5,
            Value::Time(_) => 6,
            Value::Raw(_) => 7,
        }
    }

    /// The value as a number, where it is one; a Boolean counts as 0 or 1.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Int(i) => Some(*i as f64),
            Value::UInt(u) => Some(*u as f64),
            Value::Float(f) => Some(*f),
            Value::Empty | Value::Text(_) | Value::Time(_) | Value::Raw(_) => None,
        }
    }

    /// The value as an integer, where nothing is lost by it (counters, states).
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Int(i) => Some(*i),
            Value::UInt(u) => i64::try_from(*u).ok(),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(*f as i64),
            Value::Float(_) | Value::Empty | Value::Text(_) | Value::Time(_) | Value::Raw(_) => None,
        }
    }
}
