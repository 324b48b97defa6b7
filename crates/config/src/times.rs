//! Times in the file: durations, times of day, weekdays, time zones.
//!
//! TOML's own dates and times are not used: a wall time without a zone needs no date, and a duration
//! without a unit is a guess.

use crate::forms::text;
use crate::report::{Report, quote};
use crate::section::Form;
use crate::suggest::{did_you_mean, nearest};
use jiff::tz::TimeZoneDatabase;
use lineside_model::Span;
use serde_json::{Value as Json, json};
use toml_span::Value;

/// A length of time above 0: whole number and unit.
pub(crate) struct Duration(pub(crate) Span);

/// A time of day: minutes after midnight.
pub(crate) struct WallTime(pub(crate) u16);

/// Weekdays, Monday first.
pub(crate) struct Days(pub(crate) [bool; 7]);

/// An IANA time zone.
pub(crate) struct Zone(pub(crate) String);

/// Units of durations in nanoseconds.
const DURATION_UNITS: [(&str, i64); 4] =
    [("ms", 1_000_000), ("s", 1_000_000_000), ("min", 60_000_000_000), ("h", 3_600_000_000_000)];

impl Form for Duration {
    const EXPECTED: &'static str = "a duration above 0: a whole number and ms, s, min or h";
    const EXAMPLE: &'static str = "\"10 s\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let duration = duration(text).map(Duration);
        if duration.is_none() {
            report.malformed::<Self>(key, value, text);
        }
        duration
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^0*[1-9][0-9]* ?(ms|s|min|h)$" })
    }
}

/// `<whole number>[ ]<unit>`; `None` for anything else, for 0 and beyond 292 years.
fn duration(text: &str) -> Option<Span> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, nanos) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
    let span = number.parse::<i64>().ok()?.checked_mul(*nanos)?;
    (span > 0).then_some(Span(span))
}

impl Form for WallTime {
    const EXPECTED: &'static str = "a time of day from 00:00 to 23:59";
    const EXAMPLE: &'static str = "\"06:00\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let time = wall_time(text).map(WallTime);
        if time.is_none() && text == "24:00" {
            let problem = format!("`{key}`: `24:00` is not {}", Self::EXPECTED);
            report.add(report.at(value), problem, "write midnight as \"00:00\"");
        } else if time.is_none() {
            report.malformed::<Self>(key, value, text);
        }
        time
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })
    }
}

fn wall_time(text: &str) -> Option<u16> {
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<u16>().ok() } else { None }
    };
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Form for Days {
    const EXPECTED: &'static str = "a list of weekdays";
    const EXAMPLE: &'static str = "[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        let mut days = [false; 7];
        for item in items {
            let day = item.as_str().unwrap_or_default();
            if let Some(index) = DAYS.iter().position(|known| *known == day) {
                days[index] = true;
            } else {
                let all = || format!("the weekdays are {}", DAYS.join(", "));
                let problem = format!("`{key}`: {} is not a weekday", report.source(item));
                report.add(report.at(item), problem, did_you_mean(day, DAYS, all));
            }
        }
        if items.is_empty() {
            let problem = format!("`{key}` is empty: the shift would never start");
            report.add(report.at(value), problem, "name its days, or leave the key out for all days");
        }
        Some(Days(days))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": { "enum": DAYS }, "minItems": 1 })
    }
}

impl Form for Zone {
    const EXPECTED: &'static str = "an IANA time zone";
    const EXAMPLE: &'static str = "\"Europe/Berlin\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let zones = TimeZoneDatabase::bundled();
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        if names.iter().any(|name| name == text) {
            return Some(Zone(text.to_owned()));
        }
        let city = |name: &&String| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text));
        let near = match names.iter().find(city) {
            Some(name) => Some(name.as_str()),
            None => nearest(text, names.iter().map(String::as_str)),
        };
        let remedy = near.map_or_else(
            || format!("write it like `{key} = {}`", Self::EXAMPLE),
            |name| format!("did you mean `{name}`?"),
        );
        let problem = format!("`{key}`: {} is not {}", quote(text), Self::EXPECTED);
        report.add(report.at(value), problem, remedy);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["Europe/Berlin"] })
    }
}
