//! Shifts on real clocks: the published vectors, and that shifts tile time for any calendar and zone.

use jiff::tz::TimeZoneDatabase;
use lineside_config::calendar::Calendar;
use lineside_model::config::ShiftPattern;
use lineside_model::{PlantConfig, Timestamp};
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000_000;
const ALL_DAYS: [bool; 7] = [true; 7];

fn pattern(name: &str, start: &str, end: &str, days: [bool; 7]) -> ShiftPattern {
    let minutes = |time: &str| {
        let (hours, minutes) = time.split_once(':').unwrap();
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    };
    ShiftPattern {
        name: name.to_owned(),
        start_min: minutes(start),
        end_min: minutes(end),
        days,
        crew: Some(format!("crew of {name}")),
    }
}

fn calendar(zone: &str, shifts: Vec<ShiftPattern>) -> Calendar {
    Calendar::new(&PlantConfig { time_zone: zone.to_owned(), shifts, ..PlantConfig::default() })
}

fn instant(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Timestamp(i64::try_from(instant.as_nanosecond()).unwrap())
}

/// The shift at an instant: name, start and end in UTC, whether planned.
fn check(calendar: &Calendar, at: &str, name: &str, start: &str, end: &str) {
    let shift = calendar.shift_at(instant(at));
    let got = (shift.name.as_ref(), shift.start, shift.end, shift.scheduled);
    assert_eq!(got, (name, instant(start), instant(end), !name.is_empty()), "at {at}");
    assert_eq!(shift.crew.is_some(), shift.scheduled);
}

fn minutes(calendar: &Calendar, at: &str) -> i64 {
    let shift = calendar.shift_at(instant(at));
    (shift.end - shift.start).0 / MINUTE
}

/// V-T: the night is as long as the clocks make it.
#[test]
fn night_shift_over_clock_changes() {
    let night = calendar("Europe/Berlin", vec![pattern("Night", "22:00", "06:00", ALL_DAYS)]);
    check(&night, "2024-10-27T00:30:00Z", "Night", "2024-10-26T20:00:00Z", "2024-10-27T05:00:00Z");
    assert_eq!(minutes(&night, "2024-10-27T00:30:00Z"), 540);
    check(&night, "2024-03-31T00:30:00Z", "Night", "2024-03-30T21:00:00Z", "2024-03-31T04:00:00Z");
    assert_eq!(minutes(&night, "2024-03-31T00:30:00Z"), 420);
    assert_eq!(minutes(&night, "2024-06-01T00:30:00Z"), 480);
}

/// V-T: a state from 21:50 to 22:10 over the border at 22:00 falls into two times 10 minutes.
#[test]
fn border_belongs_to_the_shift_that_starts() {
    let shifts = vec![pattern("Late", "14:00", "22:00", ALL_DAYS), pattern("Night", "22:00", "06:00", ALL_DAYS)];
    let calendar = calendar("Europe/Berlin", shifts);
    let (from, to) = (instant("2024-10-26T19:50:00Z"), instant("2024-10-26T20:10:00Z"));
    let late = calendar.shift_at(from);
    let night = calendar.shift_at(late.end);
    assert_eq!((late.name.as_ref(), night.name.as_ref()), ("Late", "Night"));
    assert_eq!(((late.end - from).0 / MINUTE, (to - night.start).0 / MINUTE), (10, 10));
    assert_eq!(calendar.shift_at(Timestamp(late.end.0 - 1)), late);
}

/// V-T: A 06:00-14:15 and B 14:00-22:00 have 480 minutes each.
#[test]
fn later_start_wins_where_shifts_overlap() {
    let shifts = vec![pattern("A", "06:00", "14:15", ALL_DAYS), pattern("B", "14:00", "22:00", ALL_DAYS)];
    let calendar = calendar("Europe/Berlin", shifts);
    assert_eq!(minutes(&calendar, "2024-06-03T08:00:00Z"), 480);
    check(&calendar, "2024-06-03T12:05:00Z", "B", "2024-06-03T12:00:00Z", "2024-06-03T20:00:00Z");
}

#[test]
fn longer_shift_goes_on_after_one_inside_it() {
    let shifts = vec![pattern("Day", "06:00", "18:00", ALL_DAYS), pattern("Test", "10:00", "12:00", ALL_DAYS)];
    let calendar = calendar("UTC", shifts);
    check(&calendar, "2024-06-03T07:00:00Z", "Day", "2024-06-03T06:00:00Z", "2024-06-03T10:00:00Z");
    check(&calendar, "2024-06-03T11:00:00Z", "Test", "2024-06-03T10:00:00Z", "2024-06-03T12:00:00Z");
    check(&calendar, "2024-06-03T13:00:00Z", "Day", "2024-06-03T12:00:00Z", "2024-06-03T18:00:00Z");
}

#[test]
fn outside_shifts_time_is_unscheduled_and_cut_at_midnight() {
    let workdays = [true, true, true, true, true, false, false];
    let calendar = calendar("Europe/Berlin", vec![pattern("Day", "06:00", "18:00", workdays)]);
    // Friday evening, Saturday, Sunday, Monday morning of the first week of June 2024.
    check(&calendar, "2024-06-07T17:00:00Z", "", "2024-06-07T16:00:00Z", "2024-06-07T22:00:00Z");
    check(&calendar, "2024-06-08T10:00:00Z", "", "2024-06-07T22:00:00Z", "2024-06-08T22:00:00Z");
    check(&calendar, "2024-06-09T10:00:00Z", "", "2024-06-08T22:00:00Z", "2024-06-09T22:00:00Z");
    check(&calendar, "2024-06-10T03:59:59Z", "", "2024-06-09T22:00:00Z", "2024-06-10T04:00:00Z");
    check(&calendar, "2024-06-10T04:00:00Z", "Day", "2024-06-10T04:00:00Z", "2024-06-10T16:00:00Z");
}

#[test]
fn without_shifts_days_are_unscheduled() {
    let calendar = calendar("America/New_York", vec![]);
    check(&calendar, "2024-06-03T12:00:00Z", "", "2024-06-03T04:00:00Z", "2024-06-04T04:00:00Z");
    assert_eq!(minutes(&calendar, "2024-11-03T12:00:00Z"), 25 * 60);
    assert_eq!(minutes(&calendar, "2024-03-10T12:00:00Z"), 23 * 60);
}

#[test]
fn shift_of_a_whole_day_follows_the_clocks() {
    let calendar = calendar("Europe/Berlin", vec![pattern("Day", "06:00", "06:00", ALL_DAYS)]);
    assert_eq!(minutes(&calendar, "2024-10-26T10:00:00Z"), 25 * 60);
    assert_eq!(minutes(&calendar, "2024-03-30T10:00:00Z"), 23 * 60);
}

/// Samoa had no 30 December 2011.
#[test]
fn a_day_that_never_was_has_no_shifts() {
    let calendar = calendar("Pacific/Apia", vec![pattern("Day", "06:00", "18:00", ALL_DAYS)]);
    check(&calendar, "2011-12-30T03:00:00Z", "Day", "2011-12-29T16:00:00Z", "2011-12-30T04:00:00Z");
    check(&calendar, "2011-12-30T05:00:00Z", "", "2011-12-30T04:00:00Z", "2011-12-30T10:00:00Z");
    check(&calendar, "2011-12-30T12:00:00Z", "", "2011-12-30T10:00:00Z", "2011-12-30T16:00:00Z");
    check(&calendar, "2011-12-30T17:00:00Z", "Day", "2011-12-30T16:00:00Z", "2011-12-31T04:00:00Z");
}

#[test]
fn ends_of_time_do_not_panic() {
    let calendar = calendar("Pacific/Kiritimati", vec![pattern("Day", "06:00", "18:00", ALL_DAYS)]);
    for at in [Timestamp::MIN, Timestamp(i64::MIN + 1), Timestamp(i64::MAX - 1), Timestamp::MAX] {
        let shift = calendar.shift_at(at);
        assert!(shift.start <= at && at <= shift.end, "{shift:?}");
    }
}

fn patterns() -> impl Strategy<Value = Vec<ShiftPattern>> {
    // Round times meet each other and the clock changes more often than random ones.
    let time = || prop_oneof![(0u16..24).prop_map(|hour| hour * 60), 0u16..24 * 60];
    let pattern = (time(), time(), any::<[bool; 7]>()).prop_map(|(start_min, end_min, days)| ShiftPattern {
        name: format!("{start_min}-{end_min}"),
        start_min,
        end_min,
        days,
        crew: None,
    });
    prop::collection::vec(pattern, 0..6)
}

fn zone() -> impl Strategy<Value = String> {
    let db = TimeZoneDatabase::bundled();
    let zones: Vec<String> = db.available().map(|name| name.to_string()).collect();
    prop::sample::select(zones)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// From 1900 to 2100: the shift holds its instant, gives the same answer at its first and last
    /// instant, and the next one begins where it ends.
    #[test]
    fn shifts_tile_time(
        zone in zone(),
        shifts in patterns(),
        at in -2_208_988_800i64..4_102_444_800,
    ) {
        let calendar = calendar(&zone, shifts);
        let mut at = Timestamp(at * 1_000_000_000);
        for _ in 0..20 {
            let shift = calendar.shift_at(at);
            prop_assert!(shift.start <= at && at < shift.end, "{shift:?} does not hold {at:?}");
            prop_assert_eq!(&calendar.shift_at(shift.start), &shift);
            prop_assert_eq!(&calendar.shift_at(Timestamp(shift.end.0 - 1)), &shift);
            prop_assert_eq!(calendar.shift_at(shift.end).start, shift.end);
            prop_assert!(shift.scheduled || (shift.end - shift.start).0 <= 49 * 60 * MINUTE);
            at = shift.end;
        }
    }
}
