//! From OPC UA values to the model's: nothing is lost, nothing is interpreted.
//!
//! Scalars widen without loss. Arrays, structures and byte strings are kept as their OPC UA binary
//! encoding with a short text; of a value larger than a megabyte only the text is kept. Timestamps keep the 100 ns resolution of the wire (OPC 10000-6 5.2.2.5).

use lineside_model::{RawValue, Sample, StatusCode, TagId, Text, Timestamp, Value};
use opcua::types::{
    BinaryEncodable, ByteStringBody, Context, DataValue, DateTime, ExtensionObject, NodeId, UAString, Variant,
    VariantScalarTypeId, VariantTypeId,
};
use std::fmt::{self, Write};
use std::sync::Arc;

/// The text of a raw value is never longer than this, in characters.
const TEXT_MAX: usize = 200;
/// No more bytes of one value are kept: a server must not fill the memory with a single tag.
const BYTES_MAX: usize = 1 << 20;
/// The data type of Decimal (OPC 10000-6 5.1.10), which servers use as the type of its encoding, too.
const DECIMAL: u32 = 50;

/// Maps a data value as received. `context` is only asked for values that must be encoded again.
pub(crate) fn sample(tag: TagId, data: DataValue, context: impl FnOnce(&mut dyn FnMut(&Context<'_>))) -> Sample {
    Sample {
        tag,
        value: data.value.map_or(Value::Empty, |variant| value(variant, context)),
        status: StatusCode(data.status.map_or(0, |status| status.bits())),
        source_time: data.source_timestamp.and_then(timestamp),
        server_time: data.server_timestamp.and_then(timestamp),
    }
}

/// An OPC UA instant; `None` for the null value. Instants outside 1677..2262 are held at the ends.
pub(crate) fn timestamp(time: DateTime) -> Option<Timestamp> {
    match time.as_chrono().timestamp_nanos_opt() {
        Some(ns) => Some(Timestamp(ns)),
        None if time.is_null() => None,
        None if time.as_chrono().timestamp() < 0 => Some(Timestamp::MIN),
        None => Some(Timestamp::MAX),
    }
}

fn value(variant: Variant, context: impl FnOnce(&mut dyn FnMut(&Context<'_>))) -> Value {
    match variant {
        Variant::Empty => Value::Empty,
        Variant::Boolean(v) => Value::Bool(v),
        Variant::SByte(v) => Value::Int(v.into()),
        Variant::Int16(v) => Value::Int(v.into()),
        Variant::Int32(v) => Value::Int(v.into()),
        Variant::Int64(v) => Value::Int(v),
        Variant::Byte(v) => Value::UInt(v.into()),
        Variant::UInt16(v) => Value::UInt(v.into()),
        Variant::UInt32(v) => Value::UInt(v.into()),
        Variant::UInt64(v) => Value::UInt(v),
        Variant::Float(v) => Value::Float(v.into()),
        Variant::Double(v) => Value::Float(v),
        Variant::String(v) => text(&v),
        Variant::XmlElement(v) => Value::Text(Text::from(v.to_string())),
        Variant::LocalizedText(v) => text(&v.text),
        Variant::QualifiedName(v) => text(&v.name),
        Variant::NodeId(v) => Value::Text(Text::from(v.to_string())),
        Variant::ExpandedNodeId(v) => Value::Text(Text::from(v.to_string())),
        Variant::Guid(v) => Value::Text(Text::from(v.to_string())),
        Variant::StatusCode(v) => Value::Text(Text::from(v.to_string())),
        Variant::DateTime(v) => timestamp(*v).map_or(Value::Empty, Value::Time),
        Variant::Variant(v) => value(*v, context),
        raw @ (Variant::Array(_)
        | Variant::ByteString(_)
        | Variant::ExtensionObject(_)
        | Variant::DataValue(_)
        | Variant::DiagnosticInfo(_)) => Value::Raw(Arc::new(raw_value(&raw, context))),
    }
}

fn text(text: &UAString) -> Value {
    let text = text.as_ref();
    if text.len() <= BYTES_MAX {
        return Value::Text(Text::from(text));
    }
    let shown = text.chars().take(TEXT_MAX).chain(['…']).collect();
    Value::Raw(Arc::new(RawValue { type_name: "String".to_string(), text: shown, bytes: Vec::new() }))
}

fn raw_value(variant: &Variant, context: impl FnOnce(&mut dyn FnMut(&Context<'_>))) -> RawValue {
    let mut bytes = Kept(Vec::new());
    context(&mut |context| {
        // A structure that cannot be encoded again, or is too large, is still shown; its bytes are then unknown.
        if let Err(error) = variant.encode(&mut bytes, context) {
            tracing::debug!(%error, "raw value without bytes");
            bytes.0 = Vec::new();
        }
    });
    RawValue { type_name: type_name(variant), text: shown(variant), bytes: bytes.0 }
}

/// How a value is shown, cut after some 200 characters.
pub(crate) fn shown(variant: &Variant) -> String {
    let mut shown = Bounded { text: String::new(), left: TEXT_MAX };
    if show(variant, &mut shown).is_err() {
        shown.text.push('…');
    }
    shown.text
}

fn type_name(variant: &Variant) -> String {
    match variant {
        Variant::Array(array) => {
            let lengths = match &array.dimensions {
                Some(dimensions) if dimensions.len() > 1 => dimensions.clone(),
                _ => vec![array.values.len() as u32],
            };
            let lengths: Vec<String> = lengths.iter().map(u32::to_string).collect();
            format!("{}[{}]", scalar_name(array.value_type), lengths.join(","))
        }
        Variant::ExtensionObject(object) => structure_name(object),
        other => match other.type_id() {
            VariantTypeId::Scalar(scalar) => scalar_name(scalar),
            _ => "unknown".to_string(),
        },
    }
}

fn scalar_name(scalar: VariantScalarTypeId) -> String {
    format!("{scalar:?}")
}

/// The structure's name where its type is known to us, its encoding id otherwise.
fn structure_name(object: &ExtensionObject) -> String {
    if object.is_null() {
        return "Structure (empty)".to_string();
    }
    if is_decimal(object) {
        return "Decimal".to_string();
    }
    match object.type_name() {
        Some(name) if !name.contains("ByteStringBody") && !name.contains("XmlBody") => {
            name.rsplit("::").next().unwrap_or(name).to_string()
        }
        _ => format!("Structure {}", object.binary_type_id()),
    }
}

fn show(variant: &Variant, out: &mut Bounded) -> fmt::Result {
    match variant {
        Variant::Array(array) => {
            out.write_char('[')?;
            for (index, element) in array.values.iter().enumerate() {
                if index > 0 {
                    out.write_str(", ")?;
                }
                show(element, out)?;
            }
            out.write_char(']')
        }
        Variant::ByteString(bytes) => bytes.as_ref().iter().try_for_each(|byte| write!(out, "{byte:02x}")),
        Variant::LocalizedText(text) => out.write_str(text.text.as_ref()),
        Variant::QualifiedName(name) => out.write_str(name.name.as_ref()),
        Variant::StatusCode(status) => write!(out, "{status}"),
        Variant::ExtensionObject(object) => match (decimal(object), &object.body) {
            (Some(decimal), _) => out.write_str(&decimal),
            (None, Some(body)) => write!(out, "{body:?}"),
            (None, None) => Ok(()),
        },
        other => write!(out, "{other}"),
    }
}

fn is_decimal(object: &ExtensionObject) -> bool {
    object.binary_type_id().node_id == NodeId::new(0, DECIMAL)
}

/// A Decimal in digits: a scale of 16 bits, then a signed integer of any length, both little-endian. None where it
/// is no Decimal, or has more digits than are shown.
fn decimal(object: &ExtensionObject) -> Option<String> {
    let body = object.inner_as::<ByteStringBody>().filter(|_| is_decimal(object))?;
    let (scale, number) = body.raw_body().as_ref().split_at_checked(2)?;
    let scale = i16::from_le_bytes(scale.try_into().ok()?);
    let sign = number.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if sign { 0xFF } else { 0 }; 16];
    wide.get_mut(..number.len())?.copy_from_slice(number);
    let number = i128::from_le_bytes(wide);
    let places = usize::try_from(scale).ok().filter(|places| *places > 0 && *places < TEXT_MAX);
    let Some(places) = places else {
        return Some(if scale == 0 { number.to_string() } else { format!("{number}E{}", -i32::from(scale)) });
    };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    Some(format!("{}{whole}.{rest}", if number < 0 { "-" } else { "" }))
}

/// Keeps what is written up to `BYTES_MAX`, and refuses a value that is larger.
struct Kept(Vec<u8>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > BYTES_MAX {
            return Err(std::io::Error::other("the value is too large to be kept"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Takes so many characters and then refuses, so that a huge value costs no more than a short one.
struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{Array, ByteString, ContextOwned, Guid, LocalizedText, QualifiedName};

    fn map(variant: Variant) -> Value {
        let owned = ContextOwned::default();
        value(variant, |encode| encode(&owned.context()))
    }

    #[test]
    fn scalars_widen_without_loss() {
        let check = |variant: Variant, expected: Value| assert_eq!(map(variant.clone()), expected, "{variant:?}");
        let words = |text: &str| Value::Text(text.into());
        check(Variant::Empty, Value::Empty);
        check(Variant::Boolean(true), Value::Bool(true));
        check(Variant::SByte(-128), Value::Int(-128));
        check(Variant::Int16(i16::MIN), Value::Int(-32768));
        check(Variant::Int32(i32::MIN), Value::Int(i64::from(i32::MIN)));
        check(Variant::Int64(i64::MIN), Value::Int(i64::MIN));
        check(Variant::Byte(255), Value::UInt(255));
        check(Variant::UInt16(65535), Value::UInt(65535));
        check(Variant::UInt32(u32::MAX), Value::UInt(u64::from(u32::MAX)));
        check(Variant::UInt64(u64::MAX), Value::UInt(u64::MAX));
        check(Variant::Float(0.1), Value::Float(f64::from(0.1_f32)));
        check(Variant::Double(-2.5e300), Value::Float(-2.5e300));
        check(Variant::String("Füller".into()), words("Füller"));
        check(Variant::from(LocalizedText::new("de", "läuft")), words("läuft"));
        check(Variant::from(QualifiedName::new(2, "State")), words("State"));
        check(Variant::from(NodeId::new(2, "a;b")), words("ns=2;s=a;b"));
        check(Variant::from(Guid::null()), words("00000000-0000-0000-0000-000000000000"));
        check(Variant::StatusCode(opcua::types::StatusCode::BadTimeout), words("BadTimeout"));
        check(Variant::Variant(Box::new(Variant::Int32(7))), Value::Int(7));
        check(Variant::from(DateTime::null()), Value::Empty);
        let tick = DateTime::from(133_000_000_000_000_001_i64);
        check(Variant::from(tick), Value::Time(Timestamp((133_000_000_000_000_001 - 116_444_736_000_000_000) * 100)));
    }

    #[test]
    fn instants_outside_of_nanoseconds_are_held_at_the_ends() {
        assert_eq!(timestamp(DateTime::null()), None);
        assert_eq!(timestamp(DateTime::from(1)), Some(Timestamp::MIN));
        assert_eq!(timestamp(DateTime::endtimes()), Some(Timestamp::MAX));
    }

    #[test]
    fn what_is_not_scalar_is_kept_byte_for_byte_with_a_short_text() {
        let check = |variant: Variant, type_name: &str, text: &str| {
            let Value::Raw(raw) = map(variant.clone()) else { panic!("{variant:?} is not raw") };
            assert_eq!((raw.type_name.as_str(), raw.text.as_str()), (type_name, text));
            let owned = ContextOwned::default();
            assert_eq!(raw.bytes, variant.encode_to_vec(&owned.context()));
        };
        check(Variant::from(vec![1.5_f64, -2.0]), "Double[2]", "[1.5, -2]");
        check(Variant::from(ByteString::from(vec![0_u8, 255])), "ByteString", "00ff");
        check(Variant::from(Vec::<i32>::new()), "Int32[0]", "[]");
        let argument = opcua::types::Range { low: 1.0, high: 2.0 };
        let structure = Variant::from(ExtensionObject::from_message(argument));
        check(structure, "Range", "Range { low: 1.0, high: 2.0 }");
        let Value::Raw(long) = map(Variant::from(vec![0_u8; 10_000])) else { panic!("not raw") };
        assert_eq!(long.text.chars().count(), TEXT_MAX + 1);
        assert!(long.text.ends_with('…'));
    }

    #[test]
    fn decimals_are_shown_in_digits() {
        let check = |scale: i16, number: &[u8], expected: &str| {
            let body = [&scale.to_le_bytes()[..], number].concat();
            let body = ByteStringBody::new(ByteString::from(body), NodeId::new(0, DECIMAL));
            let Value::Raw(raw) = map(Variant::from(ExtensionObject::new(body))) else { panic!("not raw") };
            assert_eq!((raw.type_name.as_str(), raw.text.as_str()), ("Decimal", expected));
        };
        check(2, &[0x39, 0x30], "123.45");
        check(3, &[0xFB], "-0.005");
        check(0, &[0x05], "5");
        check(-3, &[0x05], "5E3");
        check(1, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00], "1844674407370955161.5");
    }

    #[test]
    fn structures_in_arrays_and_matrices_are_kept() {
        let range = |low| ExtensionObject::from_message(opcua::types::Range { low, high: 9.0 });
        let Value::Raw(raw) = map(Variant::from(vec![range(1.0), range(2.0)])) else { panic!("not raw") };
        assert_eq!(raw.type_name, "ExtensionObject[2]");
        assert_eq!(raw.text, "[Range { low: 1.0, high: 9.0 }, Range { low: 2.0, high: 9.0 }]");
        let numbers: Vec<Variant> = (0..6).map(Variant::Int32).collect();
        let matrix = Array::new_multi(VariantScalarTypeId::Int32, numbers, vec![2, 3]).unwrap();
        let Value::Raw(raw) = map(Variant::from(matrix)) else { panic!("not raw") };
        assert_eq!((raw.type_name.as_str(), raw.text.as_str()), ("Int32[2,3]", "[0, 1, 2, 3, 4, 5]"));
    }

    #[test]
    fn a_huge_value_is_shown_and_not_kept() {
        let Value::Raw(raw) = map(Variant::from(vec![0_u8; BYTES_MAX + 1])) else { panic!("not raw") };
        assert!(raw.bytes.is_empty() && raw.text.ends_with('…'));
        let Value::Raw(raw) = map(Variant::from("x".repeat(BYTES_MAX + 1))) else { panic!("not raw") };
        assert_eq!((raw.type_name.as_str(), raw.text.chars().count()), ("String", TEXT_MAX + 1));
    }
}
