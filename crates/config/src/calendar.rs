//! Which shift an instant belongs to: local wall time and an IANA zone on one side, instants on the other.
//!
//! Promise: shifts are intervals `[start, end)` that tile time without holes and overlaps, and the
//! answer depends on the configuration alone (time zone rules are those bundled with the program, not
//! the computer's). A night shift is as long as the night really was: 22:00 to 06:00 in Berlin lasts
//! 9 h on 26/27 October 2024 and 7 h on 30/31 March 2024.
//!
//! Rules:
//! - Where shifts overlap, the one that started later holds the instant; when it ends inside a longer
//!   one, the longer one goes on as a stretch of its own.
//! - Outside every shift there is an unscheduled stretch without a name. It is cut at each local
//!   midnight, so it is never longer than one local day (25 h when the clocks go back).
//! - A wall time that the clocks skip counts as that much later; one that comes twice, as the first.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span as Days, ToSpan};
use lineside_model::config::ShiftPattern;
use lineside_model::state::Shift;
use lineside_model::{PlantConfig, Text, Timestamp};

/// Local days looked at around an instant, on each side. A shift touches two days; the third is for
/// zones that once skipped or repeated a whole day at the date line.
const REACH_DAYS: i32 = 3;

/// The shift calendar of a plant.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    name: Text,
    crew: Option<Text>,
    shift: ShiftPattern,
}

/// One shift of one day as it lies in time.
struct Occurrence<'c> {
    pattern: &'c Pattern,
    start: i64,
    end: i64,
}

impl Calendar {
    /// The calendar of a configuration. A zone that is not known (impossible after `parse`) is UTC.
    pub fn new(config: &PlantConfig) -> Calendar {
        let zone = TimeZoneDatabase::bundled().get(&config.time_zone);
        Calendar { zone: zone.unwrap_or(TimeZone::UTC), patterns: config.shifts.iter().map(Pattern::new).collect() }
    }

    /// The shift that holds the instant; outside every shift, an unscheduled one without a name.
    ///
    /// The instant is in `[start, end)`, but for the last representable day: an end beyond the
    /// year 2262 is cut to [`Timestamp::MAX`].
    pub fn shift_at(&self, at: Timestamp) -> Shift {
        let today = jiff::Timestamp::from_nanosecond(i128::from(at.0))
            .map(|instant| self.zone.to_datetime(instant).date())
            .unwrap_or(Date::constant(1970, 1, 1));
        let dates: Vec<Date> =
            (-REACH_DAYS..=REACH_DAYS).filter_map(|days| today.checked_add(Days::new().days(days)).ok()).collect();
        let planned = self.occurrences(&dates);
        let midnights = dates.iter().filter_map(|date| self.instant(*date, 0));
        let mut borders: Vec<i64> = planned.iter().flat_map(|o| [o.start, o.end]).collect();
        borders.extend(midnights);
        borders.sort_unstable();
        borders.dedup();
        stretch(&planned, &borders, at.0)
    }

    /// The date of the instant in the plant's zone, as in `2026-11-21`.
    pub fn local_date(&self, at: Timestamp) -> String {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or_default();
        self.zone.to_datetime(instant).date().to_string()
    }

    /// The shifts that start on these days, in the order in which a later one wins over an earlier.
    fn occurrences(&self, dates: &[Date]) -> Vec<Occurrence<'_>> {
        let mut planned: Vec<Occurrence<'_>> =
            dates.iter().flat_map(|date| self.patterns.iter().filter_map(|p| self.occurrence(p, *date))).collect();
        planned.sort_by_key(|occurrence| occurrence.start);
        planned
    }

    /// The shift of this pattern that starts on this day; `None` where it is off, or where the
    /// clocks skip all of it.
    fn occurrence<'c>(&self, pattern: &'c Pattern, date: Date) -> Option<Occurrence<'c>> {
        let shift = &pattern.shift;
        let weekday = date.weekday().to_monday_zero_offset() as usize;
        if !shift.days[weekday] {
            return None;
        }
        let end_date = if shift.end_min <= shift.start_min { date.checked_add(1.day()).ok()? } else { date };
        let start = self.instant(date, shift.start_min)?;
        let end = self.instant(end_date, shift.end_min)?;
        (start < end).then_some(Occurrence { pattern, start, end })
    }

    /// The instant of a wall time, in nanoseconds since 1970.
    fn instant(&self, date: Date, minutes: u16) -> Option<i64> {
        let hour = i8::try_from(minutes / 60).ok().filter(|hour| *hour < 24)?;
        let wall = date.at(hour, (minutes % 60) as i8, 0, 0);
        let instant = self.zone.to_ambiguous_timestamp(wall).compatible().ok()?.as_nanosecond();
        Some(instant.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

impl Pattern {
    fn new(shift: &ShiftPattern) -> Pattern {
        Pattern { name: shift.name.as_str().into(), crew: shift.crew.as_deref().map(Text::from), shift: shift.clone() }
    }
}

/// The stretch around `at` that belongs to one occurrence, or to none.
fn stretch(planned: &[Occurrence<'_>], borders: &[i64], at: i64) -> Shift {
    let owner = |instant: i64| planned.iter().rposition(|o| o.start <= instant && instant < o.end);
    let held_by = owner(at);
    let next = borders.partition_point(|border| *border <= at);
    let mut end = next.min(borders.len().saturating_sub(1));
    let mut first = end.saturating_sub(1);
    if held_by.is_some() {
        while first > 0 && owner(borders[first - 1]) == held_by {
            first -= 1;
        }
        while end + 1 < borders.len() && owner(borders[end]) == held_by {
            end += 1;
        }
    }
    let pattern = held_by.map(|index| planned[index].pattern);
    Shift {
        name: pattern.map_or_else(|| Text::from(""), |p| p.name.clone()),
        start: Timestamp(borders[first]),
        end: Timestamp(borders[end]),
        crew: pattern.and_then(|p| p.crew.clone()),
        scheduled: pattern.is_some(),
    }
}
