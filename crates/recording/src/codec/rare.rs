//! Everything that is not a sample: links, gaps, shifts, clock steps. Rare, so plain rather than small.

use super::RARE;
use super::bytes::{Source, put_bytes, put_flag, put_option, put_signed, put_varint};
use lineside_model::archive::{self, Malformed};
use lineside_model::state::{RecorderState, Shift};
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, Span, StatusCode, SubscriptionState, TagId, Timestamp,
};
use std::sync::Arc;

/// The kinds; with [`RARE`] set they are the first byte of the input.
mod kind {
    pub(super) const LINK: u8 = 1;
    pub(super) const SUBSCRIPTION: u8 = 2;
    pub(super) const SERVER: u8 = 3;
    pub(super) const ITEM: u8 = 4;
    pub(super) const GAP: u8 = 5;
    pub(super) const SHIFT: u8 = 6;
    pub(super) const RECORDER: u8 = 7;
    pub(super) const CLOCK_STEP: u8 = 8;
    pub(super) const STARTED: u8 = 9;
    pub(super) const META: u8 = 10;
    pub(super) const REPORT: u8 = 11;
    pub(super) const FILL: u8 = 12;
    pub(super) const FILL_ENDED: u8 = 13;
}

/// Appends an input that is not a sample.
pub(crate) fn put(out: &mut Vec<u8>, input: &Input) {
    match input {
        // `encode` sends samples the other way.
        Input::Sample(_) => {}
        Input::Link { connection, state, status, detail } => {
            head(out, kind::LINK);
            put_id(out, connection.0);
            out.push(*state as u8);
            put_id(out, status.0);
            put_bytes(out, detail.as_bytes());
        }
        Input::Subscription { connection, state } => {
            head(out, kind::SUBSCRIPTION);
            put_id(out, connection.0);
            out.push(*state as u8);
        }
        Input::Server { connection, product, simulated, started } => {
            head(out, kind::SERVER);
            put_id(out, connection.0);
            put_bytes(out, product.as_bytes());
            put_flag(out, *simulated);
            put_option(out, *started, put_time);
        }
        Input::Item { tag, status } => {
            head(out, kind::ITEM);
            put_id(out, tag.0);
            put_id(out, status.0);
        }
        Input::Gap(gap) => {
            head(out, kind::GAP);
            put_gap(out, gap);
        }
        Input::Shift(shift) => {
            head(out, kind::SHIFT);
            put_shift(out, shift);
        }
        Input::Recorder(state) => {
            head(out, kind::RECORDER);
            put_recorder(out, state);
        }
        Input::ClockStep { by_ns } => {
            head(out, kind::CLOCK_STEP);
            put_signed(out, *by_ns);
        }
        Input::Started { stopped } => {
            head(out, kind::STARTED);
            put_option(out, *stopped, put_time);
        }
        Input::Meta { tag, meta } => {
            head(out, kind::META);
            put_id(out, tag.0);
            put_bytes(out, &archive::encode(&**meta));
        }
        Input::Report { connection, report } => {
            head(out, kind::REPORT);
            put_id(out, connection.0);
            put_bytes(out, &archive::encode(&**report));
        }
        Input::Fill(fill) => {
            head(out, kind::FILL);
            put_bytes(out, &archive::encode(&**fill));
        }
        Input::FillEnded(result) => {
            head(out, kind::FILL_ENDED);
            put_bytes(out, &archive::encode(result));
        }
    }
}

/// Reads the input that begins with `head`.
pub(crate) fn take(head: u8, from: &mut Source<'_>) -> Result<Input, Malformed> {
    Ok(match head & !RARE {
        kind::LINK => Input::Link {
            connection: ConnectionId(from.u32()?),
            state: take_link(from)?,
            status: StatusCode(from.u32()?),
            detail: from.text()?,
        },
        kind::SUBSCRIPTION => {
            Input::Subscription { connection: ConnectionId(from.u32()?), state: take_subscription(from)? }
        }
        kind::SERVER => Input::Server {
            connection: ConnectionId(from.u32()?),
            product: from.text()?,
            simulated: from.flag()?,
            started: from.option(Source::time)?,
        },
        kind::ITEM => Input::Item { tag: TagId(from.u32()?), status: StatusCode(from.u32()?) },
        kind::GAP => Input::Gap(take_gap(from)?),
        kind::SHIFT => Input::Shift(take_shift(from)?),
        kind::RECORDER => Input::Recorder(take_recorder(from)?),
        kind::CLOCK_STEP => Input::ClockStep { by_ns: from.signed()? },
        kind::STARTED => Input::Started { stopped: from.option(Source::time)? },
        kind::META => Input::Meta { tag: TagId(from.u32()?), meta: Arc::new(archive::decode(from.bytes()?)?) },
        kind::REPORT => {
            Input::Report { connection: ConnectionId(from.u32()?), report: Arc::new(archive::decode(from.bytes()?)?) }
        }
        kind::FILL => Input::Fill(Arc::new(archive::decode(from.bytes()?)?)),
        kind::FILL_ENDED => Input::FillEnded(archive::decode(from.bytes()?)?),
        _ => return Err(Malformed("kind of input")),
    })
}

fn head(out: &mut Vec<u8>, kind: u8) {
    out.push(RARE | kind);
}

fn put_id(out: &mut Vec<u8>, id: u32) {
    put_varint(out, u64::from(id));
}

fn put_time(out: &mut Vec<u8>, at: Timestamp) {
    put_signed(out, at.0);
}

fn take_link(from: &mut Source<'_>) -> Result<LinkState, Malformed> {
    match from.byte()? {
        0 => Ok(LinkState::Down),
        1 => Ok(LinkState::Connecting),
        2 => Ok(LinkState::Up),
        _ => Err(Malformed("link state")),
    }
}

fn take_subscription(from: &mut Source<'_>) -> Result<SubscriptionState, Malformed> {
    SubscriptionState::ALL.get(from.byte()? as usize).copied().ok_or(Malformed("subscription state"))
}

fn put_gap(out: &mut Vec<u8>, gap: &Gap) {
    match gap.scope {
        GapScope::Plant => out.push(0),
        GapScope::Connection(id) => {
            out.push(1);
            put_id(out, id.0);
        }
        GapScope::Tag(id) => {
            out.push(2);
            put_id(out, id.0);
        }
    }
    put_time(out, gap.from);
    put_time(out, gap.to);
    out.push(gap.reason as u8);
    put_option(out, gap.lost, put_varint);
}

fn take_gap(from: &mut Source<'_>) -> Result<Gap, Malformed> {
    let scope = match from.byte()? {
        0 => GapScope::Plant,
        1 => GapScope::Connection(ConnectionId(from.u32()?)),
        2 => GapScope::Tag(TagId(from.u32()?)),
        _ => return Err(Malformed("gap scope")),
    };
    Ok(Gap {
        scope,
        from: from.time()?,
        to: from.time()?,
        reason: *GapReason::ALL.get(from.byte()? as usize).ok_or(Malformed("gap reason"))?,
        lost: from.option(Source::varint)?,
    })
}

fn put_shift(out: &mut Vec<u8>, shift: &Shift) {
    put_bytes(out, shift.name.as_bytes());
    put_time(out, shift.start);
    put_time(out, shift.end);
    put_option(out, shift.crew.as_deref(), |out, crew| put_bytes(out, crew.as_bytes()));
    put_flag(out, shift.scheduled);
}

fn take_shift(from: &mut Source<'_>) -> Result<Shift, Malformed> {
    Ok(Shift {
        name: from.text()?,
        start: from.time()?,
        end: from.time()?,
        crew: from.option(Source::text)?,
        scheduled: from.flag()?,
    })
}

fn put_recorder(out: &mut Vec<u8>, state: &RecorderState) {
    match state {
        RecorderState::Off => out.push(0),
        RecorderState::Recording => out.push(1),
        RecorderState::Lagging(by) => {
            out.push(2);
            put_signed(out, by.0);
        }
        RecorderState::Failed(why) => {
            out.push(3);
            put_bytes(out, why.as_bytes());
        }
    }
}

fn take_recorder(from: &mut Source<'_>) -> Result<RecorderState, Malformed> {
    Ok(match from.byte()? {
        0 => RecorderState::Off,
        1 => RecorderState::Recording,
        2 => RecorderState::Lagging(Span(from.signed()?)),
        3 => RecorderState::Failed(from.text()?),
        _ => return Err(Malformed("recorder state")),
    })
}
