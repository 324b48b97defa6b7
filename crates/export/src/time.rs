//! Instants as text and as wall time of the plant.

use crate::Error;
use jiff::tz::{Offset, TimeZone};
use lineside_model::Timestamp;

/// The plant's time zone.
pub(crate) struct Zone(TimeZone);

/// Plant time at an instant.
pub(crate) struct Local {
    at: jiff::Timestamp,
    offset: Offset,
}

impl Zone {
    pub(crate) fn new(name: &str) -> Result<Zone, Error> {
        TimeZone::get(name).map(Zone).map_err(|source| Error::Zone { name: name.to_owned(), source })
    }

    pub(crate) fn local(&self, at: Timestamp) -> Local {
        let at = instant(at);
        Local { at, offset: self.0.to_offset(at) }
    }
}

impl Local {
    /// RFC 3339 with nine digits and the plant's offset.
    pub(crate) fn text(&self) -> String {
        format!("{:.9}", self.at.display_with_offset(self.offset))
    }

    /// Nanoseconds that a clock on the wall shows, counted from 1970-01-01T00:00 on that clock.
    pub(crate) fn wall_ns(&self) -> i64 {
        let shifted = self.at.as_nanosecond() + i128::from(self.offset.seconds()) * 1_000_000_000;
        // Beyond the year 2262 there are no 64 bits of nanoseconds.
        shifted.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    pub(crate) fn offset_s(&self) -> i32 {
        self.offset.seconds()
    }

    /// `+02:00`
    pub(crate) fn offset_text(&self) -> String {
        let seconds = self.offset.seconds();
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        format!("{}{hours:02}:{minutes:02}", if seconds < 0 { '-' } else { '+' })
    }
}

/// RFC 3339 with nine digits.
pub(crate) fn utc(at: Timestamp) -> String {
    format!("{:.9}", instant(at))
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(at.0.into()).expect("64 bits of nanoseconds lie within the years 1677 to 2262")
}
