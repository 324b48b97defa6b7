//! The binary answer to a pull: header, value columns, JSON tail (`docs/FRAME.md`).

use crate::stage::Session;
use crate::wire::FrameRequest;
use crate::{replay, sections};
use lineside_engine::{Trust, scaled, trust};
use lineside_model::{LinkState, PlantState, SubscriptionState, TagId, Timestamp, Value};
use lineside_runtime::Core;

/// "LSF1"
pub const MAGIC: u32 = 0x3146_534C;
/// Length of the header in bytes.
pub const HEADER: usize = 40;
/// Header flag: these values come from a recording.
pub const REPLAY: u32 = 1;
/// Header flag: a source of these values is a simulation.
pub const SIMULATED: u32 = 2;
/// Text index of a value that has no text.
pub const NO_TEXT: u32 = u32::MAX;
/// Beyond this an integer has more digits than an f64.
const EXACT: u64 = 1 << 53;

/// The columns of one frame, one entry per value.
#[derive(Default)]
struct Columns {
    value: Vec<f64>,
    source: Vec<f64>,
    server: Vec<f64>,
    received: Vec<f64>,
    tag: Vec<u32>,
    status: Vec<u32>,
    flags: Vec<u32>,
    text: Vec<u32>,
    texts: Vec<String>,
}

/// Everything that changed after the cursor, for the tags that are visible.
pub(crate) fn encode(core: &Core, session: &Session, request: &FrameRequest) -> Vec<u8> {
    let cursor = cursor(request);
    let mut columns = Columns::default();
    collect(core, request, cursor, &mut columns);
    let state = core.engine.state();
    let mut flags = if session.replay.is_some() { REPLAY } else { 0 };
    if state.links.iter().any(|link| link.simulated) {
        flags |= SIMULATED;
    }
    let mut tail = sections::tail(core, cursor, std::mem::take(&mut columns.texts));
    tail.replay = session.replay.as_ref().and_then(|replayed| replay::view(core, &replayed.shift));
    // Records of plain fields and finite numbers: serde_json has no way to refuse them.
    let tail = serde_json::to_vec(&tail).unwrap_or_else(|_| b"null".to_vec());
    let header = Header { flags, epoch: session.epoch, at: state.at, seq: core.view.revision };
    write(&header, &columns, &tail)
}

/// The revision up to which the screen has everything.
pub(crate) fn cursor(request: &FrameRequest) -> u64 {
    if request.cursor >= 0.0 { request.cursor as u64 } else { 0 }
}

struct Header {
    flags: u32,
    epoch: u32,
    at: Timestamp,
    seq: u64,
}

fn collect(core: &Core, request: &FrameRequest, cursor: u64, columns: &mut Columns) {
    let config = core.engine.config();
    let state = core.engine.state();
    for id in request.watch.iter().map(|id| TagId(*id)).filter(|id| (id.0 as usize) < config.tags.len()) {
        let connection = config.tag(id).connection;
        if request.fresh || core.view.tag_changed(id, connection, cursor) {
            columns.push(core, state, id);
        }
    }
}

impl Columns {
    fn push(&mut self, core: &Core, state: &PlantState, id: TagId) {
        let config = core.engine.config();
        let tag = &state.tags[id.0 as usize];
        let link = &state.links[config.tag(id).connection.0 as usize];
        let text = shown_text(&tag.value);
        self.value.push(scaled(config, state, id).unwrap_or(f64::NAN));
        self.source.push(millis(tag.source_time));
        self.server.push(millis(tag.server_time));
        self.received.push(millis(tag.received));
        self.tag.push(id.0);
        self.status.push(if tag.item.is_bad() { tag.item.0 } else { tag.status.0 });
        self.flags.push(
            u32::from(tag.value.kind())
                | trust_bits(trust(config, state, id))
                | u32::from(link.state == LinkState::Up) << 8
                | u32::from(link.subscription == SubscriptionState::Live) << 9
                | u32::from(!tag.late) << 10,
        );
        self.text.push(text.map_or(NO_TEXT, |text| {
            self.texts.push(text);
            self.texts.len() as u32 - 1
        }));
    }
}

fn millis(time: Option<Timestamp>) -> f64 {
    time.map_or(f64::NAN, Timestamp::as_millis_f64)
}

fn trust_bits(trust: Trust) -> u32 {
    let number = match trust {
        Trust::Live => 0,
        Trust::Uncertain => 1,
        Trust::Late => 2,
        Trust::Silent => 3,
        Trust::LinkDown => 4,
        Trust::Bad => 5,
        Trust::Refused => 6,
        Trust::Waiting => 7,
        Trust::Absent => 8,
    };
    number << 4
}

pub(crate) fn shown_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Raw(raw) => Some(raw.text.clone()),
        Value::Int(i) if i.unsigned_abs() > EXACT => Some(i.to_string()),
        Value::UInt(u) if *u > EXACT => Some(u.to_string()),
        Value::Time(time) => Some(time.as_millis_f64().to_string()),
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => None,
    }
}

fn write(header: &Header, columns: &Columns, tail: &[u8]) -> Vec<u8> {
    let n = columns.tag.len();
    let mut out = Vec::with_capacity(HEADER + n * 48 + 32 + tail.len());
    for word in [MAGIC, header.flags, header.epoch, n as u32, tail.len() as u32, 0] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for number in [header.at.as_millis_f64(), header.seq as f64] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for column in [&columns.value, &columns.source, &columns.server, &columns.received] {
        column.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }
    for column in [&columns.tag, &columns.status, &columns.flags, &columns.text] {
        column.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.resize(out.len().next_multiple_of(8), 0);
    }
    out.extend_from_slice(tail);
    out
}
