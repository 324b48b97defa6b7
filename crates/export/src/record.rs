//! A row as all formats write it: the figure shown, what is said in words, and what kind of row it is.

use crate::{About, Row, TagAbout, time};
use lineside_model::{Gap, GapReason, GapScope, Sample, Severity, StatusCode, TagId, Timestamp, Value};
use std::borrow::Cow;

/// Largest integer up to which a double holds each one.
const EXACT: i128 = 1 << 53;

/// One row, ready to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record<'a> {
    pub(crate) kind: &'static str,
    pub(crate) tag: &'a str,
    pub(crate) source_time: Option<Timestamp>,
    pub(crate) received: Option<Timestamp>,
    pub(crate) server_time: Option<Timestamp>,
    pub(crate) value: Option<Number>,
    pub(crate) text: Cow<'a, str>,
    pub(crate) unit: &'a str,
    pub(crate) quality: &'static str,
    pub(crate) status: Option<StatusCode>,
    pub(crate) gap_until: Option<Timestamp>,
    pub(crate) gap_reason: Cow<'a, str>,
    pub(crate) gap_lost: Option<u64>,
}

/// A figure as shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Real(real) => real,
        }
    }

    fn is_exact(self) -> bool {
        match self {
            Number::Whole(whole) => whole.abs() <= EXACT,
            Number::Real(real) => real.is_finite(),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Whole(whole) => write!(f, "{whole}"),
            Number::Real(real) => write!(f, "{real}"),
        }
    }
}

impl<'a> Record<'a> {
    pub(crate) fn of(row: &'a Row, about: &'a About) -> Record<'a> {
        match row {
            Row::Value { received, sample, fetched } => value(*received, sample, *fetched, about),
            Row::Gap { received, gap } => gap_of(*received, gap, about),
            Row::Unreadable { at, why } => Record {
                kind: "unreadable",
                source_time: *at,
                received: *at,
                gap_reason: why.as_str().into(),
                ..Record::default()
            },
        }
    }

    /// Not a value, so that it belongs among the gaps.
    pub(crate) fn is_gap(&self) -> bool {
        self.status.is_none()
    }

    pub(crate) fn status_text(&self) -> Option<String> {
        self.status.map(|StatusCode(code)| format!("0x{code:08X}"))
    }
}

/// What the file is: name and content, in the order in which they are shown.
pub(crate) fn facts(about: &About) -> [(&'static str, &str); 6] {
    [
        ("line", &about.line),
        ("shift", &about.shift),
        ("time_zone", &about.time_zone),
        ("recording", &about.recording),
        ("configuration", &about.configuration),
        ("program", &about.program),
    ]
}

fn value<'a>(received: Timestamp, sample: &'a Sample, fetched: bool, about: &'a About) -> Record<'a> {
    let tag = about.tags.get(sample.tag.0 as usize);
    let value = number(&sample.value, tag);
    Record {
        kind: if fetched { "fetched" } else { "value" },
        tag: tag.map_or("", |tag| &tag.name),
        source_time: sample.source_time,
        received: Some(received),
        server_time: sample.server_time,
        text: words(&sample.value, value, tag),
        value,
        unit: tag.map_or("", |tag| &tag.unit),
        quality: match sample.status.severity() {
            Severity::Good => "good",
            Severity::Uncertain => "uncertain",
            Severity::Bad => "bad",
        },
        status: Some(sample.status),
        ..Record::default()
    }
}

fn gap_of<'a>(received: Timestamp, gap: &Gap, about: &'a About) -> Record<'a> {
    let name = |TagId(id): TagId| about.tags.get(id as usize).map_or("", |tag| &*tag.name);
    let (tag, text) = match gap.scope {
        GapScope::Tag(id) => (name(id), "".into()),
        GapScope::Connection(id) => {
            let connection = about.connections.get(id.0 as usize).map_or("?", String::as_str);
            ("", format!("all tags of connection {connection}").into())
        }
        GapScope::Plant => ("", "all tags".into()),
    };
    Record {
        kind: "gap",
        tag,
        source_time: Some(gap.from),
        received: Some(received),
        text,
        gap_until: Some(gap.to),
        gap_reason: reason(gap.reason).into(),
        gap_lost: gap.lost,
        ..Record::default()
    }
}

/// The figure shown. Scaling is of numbers; a Boolean has none.
fn number(value: &Value, tag: Option<&TagAbout>) -> Option<Number> {
    let whole = match value {
        Value::Bool(on) => return Some(Number::Whole(i128::from(*on))),
        Value::Int(whole) => Number::Whole((*whole).into()),
        Value::UInt(whole) => Number::Whole((*whole).into()),
        Value::Float(real) => Number::Real(*real),
        Value::Empty | Value::Text(_) | Value::Time(_) | Value::Raw(_) => return None,
    };
    let scale = tag.and_then(|tag| tag.scale);
    Some(scale.map_or(whole, |scale| Number::Real(whole.as_f64() * scale.gain + scale.offset)))
}

fn words<'a>(value: &'a Value, shown: Option<Number>, tag: Option<&'a TagAbout>) -> Cow<'a, str> {
    let named = value.as_i64().and_then(|whole| tag?.texts.get(&whole));
    if let Some(name) = named {
        return Cow::Borrowed(name);
    }
    match value {
        Value::Empty => "".into(),
        Value::Bool(on) => if *on { "true" } else { "false" }.into(),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Time(at) => time::utc(*at).into(),
        Value::Raw(raw) => Cow::Borrowed(&raw.text),
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => match shown {
            Some(number) if !number.is_exact() => number.to_string().into(),
            _ => "".into(),
        },
    }
}

fn reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::LinkDown => "no link to the server",
        GapReason::ServerOverflow => "the server's queue overflowed",
        GapReason::ClientOverflow => "Lineside's queue was full",
        GapReason::LostNotification => "notifications were lost on the way",
        GapReason::NotRunning => "Lineside was not running",
        GapReason::NotRecorded => "the recorder could not write",
        GapReason::Silent => "the server was silent",
    }
}
