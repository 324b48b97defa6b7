//! A sample as differences to the sample before it in the same batch: a batch is ordered by tag, and most
//! of its samples share status and times.
//!
//! First byte: bits 0-2 kind of value, bits 3-4 source time, bits 5-6 server time, bit 7 clear. Then the
//! difference of the tag with a bit for "status follows", then status, times and value as far as needed.

use super::bytes::{Source, put_bytes, put_signed, put_varint, unzigzag, zigzag};
use lineside_model::archive::Malformed;
use lineside_model::{RawValue, Sample, StatusCode, TagId, Timestamp, Value};
use std::sync::Arc;

/// OPC UA counts time in units of 100 ns.
const UA_TICK: i64 = 100;

/// How a time is written: two bits of the first byte.
mod time {
    pub(super) const ABSENT: u8 = 0;
    pub(super) const SAME: u8 = 1;
    /// Source time: difference in ticks of 100 ns. Server time: equal to the source time.
    pub(super) const SHORT: u8 = 2;
    /// Difference in nanoseconds, wrapping: any time can be written.
    pub(super) const FULL: u8 = 3;
}

/// What the next sample is written as a difference to.
pub(super) struct Previous {
    tag: u32,
    status: u32,
    source: i64,
    server: i64,
}

impl Previous {
    pub(super) fn new(at: Timestamp) -> Previous {
        Previous { tag: 0, status: StatusCode::GOOD.0, source: at.0, server: at.0 }
    }
}

pub(super) fn put(out: &mut Vec<u8>, sample: &Sample, previous: &mut Previous) {
    let (source_mode, source) = source_time(sample, previous);
    let (server_mode, server) = server_time(sample, previous);
    out.push(sample.value.kind() | source_mode << 3 | server_mode << 5);
    let tag = zigzag(i64::from(sample.tag.0) - i64::from(previous.tag));
    let new_status = sample.status.0 != previous.status;
    put_varint(out, tag << 1 | u64::from(new_status));
    if new_status {
        put_varint(out, u64::from(sample.status.0.rotate_left(8)));
    }
    if source_mode >= time::SHORT {
        put_signed(out, source);
    }
    if server_mode == time::FULL {
        put_signed(out, server);
    }
    put_value(out, &sample.value);
    previous.tag = sample.tag.0;
    previous.status = sample.status.0;
    previous.source = sample.source_time.map_or(previous.source, |t| t.0);
    previous.server = sample.server_time.map_or(previous.server, |t| t.0);
}

/// How the source time is written, and the number that goes with it.
fn source_time(sample: &Sample, previous: &Previous) -> (u8, i64) {
    let Some(Timestamp(at)) = sample.source_time else { return (time::ABSENT, 0) };
    let difference = at.wrapping_sub(previous.source);
    match difference {
        0 => (time::SAME, 0),
        ns if ns % UA_TICK == 0 => (time::SHORT, ns / UA_TICK),
        ns => (time::FULL, ns),
    }
}

/// How the server time is written, and the number that goes with it.
fn server_time(sample: &Sample, previous: &Previous) -> (u8, i64) {
    match (sample.server_time, sample.source_time) {
        (None, _) => (time::ABSENT, 0),
        (Some(server), Some(source)) if server == source => (time::SHORT, 0),
        (Some(server), _) if server.0 == previous.server => (time::SAME, 0),
        (Some(server), _) => (time::FULL, server.0.wrapping_sub(previous.server)),
    }
}

pub(super) fn take(head: u8, from: &mut Source<'_>, previous: &mut Previous) -> Result<Sample, Malformed> {
    let tag = from.varint()?;
    let wide = i64::from(previous.tag).wrapping_add(unzigzag(tag >> 1));
    previous.tag = u32::try_from(wide).map_err(|_outside| Malformed("tag"))?;
    if tag & 1 == 1 {
        previous.status = from.u32()?.rotate_right(8);
    }
    let source_time = take_source(head >> 3 & 3, from, previous)?;
    let server_time = take_server(head >> 5 & 3, from, previous, source_time)?;
    Ok(Sample {
        tag: TagId(previous.tag),
        value: take_value(head & 7, from)?,
        status: StatusCode(previous.status),
        source_time,
        server_time,
    })
}

fn take_source(mode: u8, from: &mut Source<'_>, previous: &mut Previous) -> Result<Option<Timestamp>, Malformed> {
    let difference = match mode {
        time::ABSENT => return Ok(None),
        time::SAME => 0,
        time::SHORT => from.signed()?.wrapping_mul(UA_TICK),
        _ => from.signed()?,
    };
    previous.source = previous.source.wrapping_add(difference);
    Ok(Some(Timestamp(previous.source)))
}

fn take_server(
    mode: u8,
    from: &mut Source<'_>,
    previous: &mut Previous,
    source: Option<Timestamp>,
) -> Result<Option<Timestamp>, Malformed> {
    previous.server = match mode {
        time::ABSENT => return Ok(None),
        time::SAME => previous.server,
        time::SHORT => source.ok_or(Malformed("server time"))?.0,
        _ => previous.server.wrapping_add(from.signed()?),
    };
    Ok(Some(Timestamp(previous.server)))
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::Int(v) => put_signed(out, *v),
        Value::UInt(v) => put_varint(out, *v),
        // The bits, not the number: a NaN has a payload.
        Value::Float(v) => out.extend_from_slice(&v.to_bits().to_le_bytes()),
        Value::Text(v) => put_bytes(out, v.as_bytes()),
        Value::Time(v) => put_signed(out, v.0),
        Value::Raw(v) => {
            put_bytes(out, v.type_name.as_bytes());
            put_bytes(out, v.text.as_bytes());
            put_bytes(out, &v.bytes);
        }
    }
}

fn take_value(kind: u8, from: &mut Source<'_>) -> Result<Value, Malformed> {
    Ok(match kind {
        0 => Value::Empty,
        1 => Value::Bool(from.flag()?),
        2 => Value::Int(from.signed()?),
        3 => Value::UInt(from.varint()?),
        4 => Value::Float(take_float(from)?),
        5 => Value::Text(from.text()?),
        6 => Value::Time(from.time()?),
        _ => Value::Raw(Arc::new(RawValue {
            type_name: from.str()?.to_owned(),
            text: from.str()?.to_owned(),
            bytes: from.bytes()?.to_vec(),
        })),
    })
}

fn take_float(from: &mut Source<'_>) -> Result<f64, Malformed> {
    let mut bits = [0; 8];
    bits.copy_from_slice(from.take(8)?);
    Ok(f64::from_bits(u64::from_le_bytes(bits)))
}
