//! Instants as people write them: RFC 3339, or what a clock on the plant's wall showed.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use lineside_model::Timestamp;

/// The plant's wall clock, and the stretch in which a time of day is looked for.
pub(crate) struct Wall {
    zone: TimeZone,
    from: Timestamp,
    to: Timestamp,
}

impl Wall {
    /// `zone` is an IANA name; one that is not known is UTC.
    pub(crate) fn new(zone: &str, from: Timestamp, to: Timestamp) -> Wall {
        Wall { zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC), from, to }
    }

    /// `2026-11-21T03:12:07Z`, `2026-11-21T03:12:07+01:00`, `2026-11-21 03:12`, or `03:12`: the first such time of day in
    /// the stretch.
    ///
    /// # Errors
    /// In words: what was expected, or that the instant lies outside the stretch.
    pub(crate) fn read(&self, text: &str) -> Result<Timestamp, String> {
        let at = self.instant(text).ok_or_else(|| {
            format!("`{text}` is not a time: write 2026-11-21T03:12:07Z, 2026-11-21T03:12:07+01:00, or plant time as 2026-11-21T03:12:07 or 03:12:07")
        })?;
        if at < self.from || at > self.to {
            let (from, to) = (self.show(self.from), self.show(self.to));
            return Err(format!("`{text}` is outside the recording, which goes from {from} to {to}"));
        }
        Ok(at)
    }

    /// The instant as the wall clock showed it, with its offset.
    pub(crate) fn show(&self, at: Timestamp) -> String {
        let instant = jiff::Timestamp::from_nanosecond(at.0.into());
        instant.map_or_else(
            |_| at.0.to_string(),
            |instant| instant.display_with_offset(self.zone.to_offset(instant)).to_string(),
        )
    }

    /// Only the time of day, to the second.
    pub(crate) fn time_of_day(&self, at: Timestamp) -> String {
        let instant = jiff::Timestamp::from_nanosecond(at.0.into());
        instant.map_or_else(
            |_| at.0.to_string(),
            |instant| self.zone.to_datetime(instant).strftime("%H:%M:%S").to_string(),
        )
    }

    fn instant(&self, text: &str) -> Option<Timestamp> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return timestamp(instant);
        }
        if let Ok(time) = text.parse::<Time>() {
            return self.on_some_day(time);
        }
        self.of_wall(text.parse::<DateTime>().ok()?)
    }

    fn on_some_day(&self, time: Time) -> Option<Timestamp> {
        let first = jiff::Timestamp::from_nanosecond(self.from.0.into()).ok()?;
        let mut day: Date = self.zone.to_datetime(first).date();
        loop {
            let at = self.of_wall(day.to_datetime(time))?;
            if at >= self.from {
                return Some(at);
            }
            day = day.tomorrow().ok()?;
        }
    }

    fn of_wall(&self, wall: DateTime) -> Option<Timestamp> {
        timestamp(self.zone.to_timestamp(wall).ok()?)
    }
}

fn timestamp(instant: jiff::Timestamp) -> Option<Timestamp> {
    i64::try_from(instant.as_nanosecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let from = Timestamp::from_millis(1_795_294_800_000); // 2026-11-21T21:00:00Z, 22:00 in Berlin
        let to = from + lineside_model::Span::from_secs(8 * 3600);
        let wall = Wall::new("Europe/Berlin", from, to);
        let check = |text: &str, expected: Result<&str, &str>| {
            let got = wall.read(text).map(|at| wall.show(at));
            match expected {
                Ok(at) => assert_eq!(got, Ok(at.to_owned())),
                Err(part) => assert!(got.clone().is_err_and(|error| error.contains(part)), "{text}: {got:?}"),
            }
        };
        check("2026-11-22T02:12:07Z", Ok("2026-11-22T03:12:07+01:00"));
        check("2026-11-22T03:12:07.5+01:00", Ok("2026-11-22T03:12:07.5+01:00"));
        check("2026-11-22T03:12:07", Ok("2026-11-22T03:12:07+01:00"));
        check("2026-11-22 03:12", Ok("2026-11-22T03:12:00+01:00"));
        check("03:12", Ok("2026-11-22T03:12:00+01:00"));
        check("23:59:59", Ok("2026-11-21T23:59:59+01:00"));
        check("22:00", Ok("2026-11-21T22:00:00+01:00"));
        check("12:00", Err("outside the recording"));
        check("2026-11-21T03:12:07Z", Err("from 2026-11-21T22:00:00+01:00"));
        check("ten past three", Err("is not a time"));
        check("", Err("is not a time"));
    }
}
