//! One listing of the fields of [`PlantState`] for three uses: writing a keyframe, reading it back,
//! and the digest. A field that is forgotten here is forgotten by all three, which the equivalence
//! tests notice at once.
//!
//! The byte form is that of keyframe version [`VERSION`]: little-endian, no padding. A change of the
//! listing is a new version.

use crate::config::TagId;
use crate::input::{Gap, GapReason, GapScope, LinkState, SubscriptionState};
use crate::report::*;
use crate::state::*;
use crate::{ConnectionId, Mode, PackState, RawValue, Span, StatusCode, Text, Timestamp, Value};
use std::collections::VecDeque;
use std::sync::Arc;

/// Version of the listing below.
pub const VERSION: u16 = 2;

/// Where bytes come from or go to. A writer takes what is there, a reader replaces it.
pub trait Archive {
    /// Moves exactly these bytes: a writer reads them, a reader fills them.
    fn bytes(&mut self, bytes: &mut [u8]) -> Result<(), Malformed>;
    /// Moves a byte string of any length, with its length.
    fn blob(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed>;
    /// Is this a reader? Then lists are to be filled to their length.
    fn reading(&self) -> bool;
    /// The most elements that a list can still have, given what is left to read.
    fn limit(&self) -> usize;
}

/// The bytes are not a state: cut short, too long, or with a number outside its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// Something whose fields can be listed.
pub trait Fields {
    /// Moves every field through `a`, in a fixed order.
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed>;
}

/// Appends to a byte vector.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Archive for Writer {
    fn bytes(&mut self, bytes: &mut [u8]) -> Result<(), Malformed> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn blob(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed> {
        (bytes.len() as u64).fields(self)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn reading(&self) -> bool {
        false
    }
    fn limit(&self) -> usize {
        usize::MAX
    }
}

/// Reads from a byte slice, and never past its end.
pub struct Reader<'a>(pub &'a [u8]);

impl Archive for Reader<'_> {
    fn bytes(&mut self, bytes: &mut [u8]) -> Result<(), Malformed> {
        let (head, rest) = self.0.split_at_checked(bytes.len()).ok_or(Malformed("end"))?;
        bytes.copy_from_slice(head);
        self.0 = rest;
        Ok(())
    }
    fn blob(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut len = 0u64;
        len.fields(self)?;
        let len = usize::try_from(len).ok().ok_or(Malformed("length"))?;
        let (head, rest) = self.0.split_at_checked(len).ok_or(Malformed("length"))?;
        *bytes = head.to_vec();
        self.0 = rest;
        Ok(())
    }
    fn reading(&self) -> bool {
        true
    }
    fn limit(&self) -> usize {
        self.0.len()
    }
}

/// Any listed thing as bytes.
pub fn encode<T: Fields + Clone>(thing: &T) -> Vec<u8> {
    let mut writer = Writer::default();
    // A writer only ever appends; it has no way to fail.
    let done = thing.clone().fields(&mut writer);
    debug_assert!(done.is_ok());
    writer.0
}

/// What [`encode`] made. All bytes must be used.
pub fn decode<T: Fields + Default>(bytes: &[u8]) -> Result<T, Malformed> {
    let mut thing = T::default();
    let mut reader = Reader(bytes);
    thing.fields(&mut reader)?;
    if reader.0.is_empty() { Ok(thing) } else { Err(Malformed("trailing bytes")) }
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Fields for $type {
            fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
                let mut bytes = self.to_le_bytes();
                a.bytes(&mut bytes)?;
                *self = <$type>::from_le_bytes(bytes);
                Ok(())
            }
        }
    )*};
}
number!(u8, u32, u64, i64);

impl Fields for f64 {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let mut bits = self.to_bits(); // keeps the payload of a NaN
        bits.fields(a)?;
        *self = f64::from_bits(bits);
        Ok(())
    }
}

impl Fields for bool {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let mut byte = u8::from(*self);
        byte.fields(a)?;
        *self = match byte {
            0 => false,
            1 => true,
            _ => return Err(Malformed("flag")),
        };
        Ok(())
    }
}

impl Fields for Text {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let mut bytes = self.as_bytes().to_vec();
        a.blob(&mut bytes)?;
        if a.reading() {
            *self = String::from_utf8(bytes).ok().ok_or(Malformed("text"))?.into();
        }
        Ok(())
    }
}

impl<T: Fields + Default> Fields for Option<T> {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let mut there = self.is_some();
        there.fields(a)?;
        if a.reading() {
            *self = there.then(T::default);
        }
        self.as_mut().map_or(Ok(()), |inner| inner.fields(a))
    }
}

impl<T: Fields> Fields for Box<T> {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        self.as_mut().fields(a)
    }
}

fn length<A: Archive>(len: usize, a: &mut A) -> Result<usize, Malformed> {
    let mut count = len as u32;
    count.fields(a)?;
    // Each element takes at least one byte: a forged count cannot make us reserve memory.
    if count as usize > a.limit() { Err(Malformed("count")) } else { Ok(count as usize) }
}

macro_rules! list {
    ($($list:ident),*) => {$(
        impl<T: Fields + Default> Fields for $list<T> {
            fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
                let count = length(self.len(), a)?;
                if a.reading() {
                    self.clear();
                    self.resize_with(count, T::default);
                }
                self.iter_mut().try_for_each(|item| item.fields(a))
            }
        }
    )*};
}
list!(Vec, VecDeque);

impl<T: Fields, U: Fields> Fields for (T, U) {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        self.0.fields(a)?;
        self.1.fields(a)
    }
}

macro_rules! newtype {
    ($($type:ty),*) => {$(
        impl Fields for $type {
            fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
                self.0.fields(a)
            }
        }
    )*};
}
newtype!(Timestamp, Span, StatusCode, TagId, ConnectionId);

macro_rules! numbered {
    ($($type:ty, $all:expr, $what:literal;)*) => {$(
        impl Fields for $type {
            fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
                let mut number = *self as u8;
                number.fields(a)?;
                *self = *$all.get(number as usize).ok_or(Malformed($what))?;
                Ok(())
            }
        }
    )*};
}
numbered! {
    PackState, PackState::ALL, "state";
    Mode, Mode::ALL, "mode";
    LinkState, [LinkState::Down, LinkState::Connecting, LinkState::Up], "link state";
    SubscriptionState, SubscriptionState::ALL, "subscription state";
    ServerState, ServerState::ALL, "server state";
    MemberRole, MemberRole::ALL, "member role";
    GapReason, GapReason::ALL, "gap reason";
}

macro_rules! listed {
    ($($type:ty { $($field:ident),* $(,)? })*) => {$(
        impl Fields for $type {
            fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
                // Every field is named here once; a new field of the struct is an error until it is.
                let Self { $($field),* } = self;
                $($field.fields(a)?;)*
                Ok(())
            }
        }
    )*};
}
listed! {
    PlantState {
        at, seq, tags, links, units, output, shift, recorder, clock_stepped_ns, gaps, rate_bucket, output_bucket,
    }
    TagState { value, status, source_time, server_time, received, item, late, confirmed, meta, changed_seq }
    LinkHealth {
        state, since, status, detail, subscription, subscription_since, product, simulated, server_started, report,
        reported, history,
    }
    LinkEvent { at, state, status, detail }
    KnownGap { gap, filled, tags, tags_without }
    LinkReport {
        endpoint, security, user, server_state, service_level, shutdown_s, shutdown_reason, certificate,
        certificate_expires, own_certificate_expires, session_timeout, members, subscriptions, limits, diagnostics, flow,
        clock_skew, round_trip, publish_late,
    }
    MemberReport { endpoint, role, service_level, detail }
    SubscriptionReport { id, publishing, keep_alive, lifetime, items }
    LimitReport { name, declared, used }
    DiagnosticReport { name, value }
    FlowReport {
        notifications, values, lost_links, sessions_created, sessions_reactivated, subscriptions_transferred,
        subscriptions_created, missing, republished, lost, repeated, overflows, late,
    }
    Fill { tag, from, to, values }
    FilledValue { value, status, source_time, server_time }
    FillResult { connection, from, to, tags, tags_without, values, status }
    NodeMeta { unit, range, texts, data_type }
    Shift { name, start, end, crew, scheduled }
    UnitStatus {
        state, unmapped, state_since, mode, mode_since, rate_per_min, good, reject, rates, rate_sum, rate_secs,
        rate_from, intervals,
    }
    Interval { start, state, mode, known }
    Counter { base, doubted, total, across_gaps, resets, rejected, unusable }
    OutputPoint { at, total }
    Gap { scope, from, to, reason, lost }
}

impl Fields for RecorderState {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let mut kind = match self {
            RecorderState::Off => 0u8,
            RecorderState::Recording => 1,
            RecorderState::Lagging(_) => 2,
            RecorderState::Failed(_) => 3,
        };
        kind.fields(a)?;
        if a.reading() {
            *self = match kind {
                0 => RecorderState::Off,
                1 => RecorderState::Recording,
                2 => RecorderState::Lagging(Span::ZERO),
                3 => RecorderState::Failed(Text::default()),
                _ => return Err(Malformed("recorder state")),
            };
        }
        match self {
            RecorderState::Off | RecorderState::Recording => Ok(()),
            RecorderState::Lagging(by) => by.fields(a),
            RecorderState::Failed(why) => why.fields(a),
        }
    }
}

impl Fields for GapScope {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let (mut kind, mut id) = match self {
            GapScope::Plant => (0u8, 0u32),
            GapScope::Connection(id) => (1, id.0),
            GapScope::Tag(id) => (2, id.0),
        };
        kind.fields(a)?;
        id.fields(a)?;
        *self = match kind {
            0 => GapScope::Plant,
            1 => GapScope::Connection(ConnectionId(id)),
            2 => GapScope::Tag(TagId(id)),
            _ => return Err(Malformed("gap scope")),
        };
        Ok(())
    }
}

impl Fields for Value {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        let mut kind = self.kind();
        kind.fields(a)?;
        if a.reading() {
            *self = match kind {
                0 => Value::Empty,
                1 => Value::Bool(false),
                2 => Value::Int(0),
                3 => Value::UInt(0),
                4 => Value::Float(0.0),
                5 => Value::Text(Text::default()),
                6 => Value::Time(Timestamp::default()),
                7 => Value::Raw(Arc::default()),
                _ => return Err(Malformed("value kind")),
            };
        }
        match self {
            Value::Empty => Ok(()),
            Value::Bool(v) => v.fields(a),
            Value::Int(v) => v.fields(a),
            Value::UInt(v) => v.fields(a),
            Value::Float(v) => v.fields(a),
            Value::Text(v) => v.fields(a),
            Value::Time(v) => v.fields(a),
            Value::Raw(v) => Arc::make_mut(v).fields(a),
        }
    }
}

impl Fields for RawValue {
    fn fields<A: Archive>(&mut self, a: &mut A) -> Result<(), Malformed> {
        for text in [&mut self.type_name, &mut self.text] {
            let mut bytes = std::mem::take(text).into_bytes();
            a.blob(&mut bytes)?;
            *text = String::from_utf8(bytes).ok().ok_or(Malformed("text"))?;
        }
        a.blob(&mut self.bytes)
    }
}
