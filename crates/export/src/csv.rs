//! CSV as RFC 4180 has it.

use crate::About;
use crate::error::Failure;
use crate::output::{Draft, Source};
use crate::record::{Record, facts};
use crate::time::{Zone, utc};
use lineside_model::Timestamp;
use std::borrow::Cow;
use std::io::{self, Write};

const HEADER: &str = "kind,tag,source_time,source_time_local,received,received_local,server_time,value,text,unit,\
                      quality,status,gap_until,gap_until_local,gap_reason,gap_lost";

pub(crate) fn write(out: &mut Draft<'_>, about: &About, zone: &Zone, rows: &mut Source<'_>) -> Result<(), Failure> {
    write!(out, "{HEADER}\r\n")?;
    for (tag, text) in facts(about) {
        line(out, &Record { kind: "about", tag, text: text.into(), ..Record::default() }, zone)?;
    }
    for row in rows {
        line(out, &Record::of(&row?, about), zone)?;
    }
    Ok(())
}

fn line(out: &mut Draft<'_>, record: &Record<'_>, zone: &Zone) -> io::Result<()> {
    let shown = |at: Option<Timestamp>| at.map(utc).unwrap_or_default();
    let local = |at: Option<Timestamp>| at.map(|at| zone.local(at).text()).unwrap_or_default();
    let fields = [
        record.kind.into(),
        text(record.tag),
        shown(record.source_time).into(),
        local(record.source_time).into(),
        shown(record.received).into(),
        local(record.received).into(),
        shown(record.server_time).into(),
        record.value.map(|value| value.to_string()).unwrap_or_default().into(),
        text(&record.text),
        text(record.unit),
        record.quality.into(),
        record.status_text().unwrap_or_default().into(),
        shown(record.gap_until).into(),
        local(record.gap_until).into(),
        text(&record.gap_reason),
        record.gap_lost.map(|lost| lost.to_string()).unwrap_or_default().into(),
    ];
    write!(out, "{}\r\n", fields.join(","))
}

/// A text as a field: not to be taken for a formula, and quoted where a separator is in it.
fn text(text: &str) -> Cow<'_, str> {
    let guarded = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']);
    if !guarded && !text.contains([',', '"', '\r', '\n']) {
        return Cow::Borrowed(text);
    }
    let guard = if guarded { "'" } else { "" };
    Cow::Owned(format!("\"{guard}{}\"", text.replace('"', "\"\"")))
}
