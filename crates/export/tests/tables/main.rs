//! Tables as other programs read them: the same rows through all three formats, by readers that are not ours.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod seen;

use lineside_export::{About, Error, Format, Row, SourceError, TagAbout, Written, write};
use lineside_model::config::Scale;
use lineside_model::{ConnectionId, Gap, GapReason, GapScope, RawValue, Sample, StatusCode, TagId, Timestamp, Value};
use proptest::prelude::*;
use seen::{Seen, read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// 2026-10-25T00:59:59.123456700Z: one minute later clocks in Berlin go from 03:00 back to 02:00.
const SUMMER: Timestamp = Timestamp(1_792_889_999_123_456_700);
const WINTER: Timestamp = Timestamp(SUMMER.0 + 3_600_000_000_000);

fn about() -> About {
    let tag = |name: &str, unit: &str| TagAbout { name: name.into(), unit: unit.into(), ..TagAbout::default() };
    let scale = Some(Scale { gain: 0.5, offset: -10.0 });
    let texts = [(6, "Execute".into())].into();
    About {
        line: "Line 1".into(),
        shift: "Early, 2026-10-25".into(),
        time_zone: "Europe/Berlin".into(),
        configuration: "/etc/plant.toml".into(),
        recording: "a.shift".into(),
        program: "Lineside 0.1.0".into(),
        tags: vec![
            tag("Filler.Level", "%"),
            TagAbout { scale, ..tag("Filler.Temp", "°C") },
            TagAbout { texts, ..tag("Filler.State", "") },
            tag("=Odd, \"tag\"", ""),
        ],
        connections: vec!["PLC 1".into()],
    }
}

fn sample(tag: u32, value: Value, at: Timestamp) -> Row {
    with(Sample { tag: TagId(tag), value, status: StatusCode::GOOD, source_time: Some(at), server_time: None })
}

fn with(sample: Sample) -> Row {
    Row::Value { received: Timestamp(SUMMER.0 + 5), sample, fetched: false }
}

fn good(tag: &str, value: Option<f64>, text: &str, unit: &str) -> Seen {
    Seen {
        kind: "value".into(),
        tag: tag.into(),
        source_time: Some(SUMMER.0),
        wall: "2026-10-25T02:59:59.123+02:00".into(),
        received: Some(SUMMER.0 + 5),
        value,
        text: text.into(),
        unit: unit.into(),
        quality: "good".into(),
        status: "0x00000000".into(),
        ..Seen::default()
    }
}

fn export(format: Format, path: &Path, rows: Vec<Row>) -> Result<Written, Error> {
    write(format, path, &about(), &mut rows.into_iter().map(Ok), &AtomicBool::new(false))
}

/// The rows give this table in every format, of the size that is told.
fn check(rows: &[Row], expected: &[Seen]) {
    let folder = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let path = folder.path().join(format!("table.{}", format.extension()));
        let written = export(format, &path, rows.to_vec()).unwrap();
        assert_eq!(written, Written { rows: rows.len() as u64, bytes: path.metadata().unwrap().len() }, "{format:?}");
        assert_eq!(read(format, &path), expected, "{format:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), Format::ALL.len(), "nothing is left beside them");
}

#[test]
fn figures_are_as_shown() {
    let cases = [
        (0, Value::Float(12.25), Some(12.25), ""),
        (1, Value::Int(50), Some(15.0), ""),
        (1, Value::UInt(0), Some(-10.0), ""),
        (0, Value::Bool(true), Some(1.0), "true"),
        (2, Value::UInt(6), Some(6.0), "Execute"),
        (2, Value::UInt(7), Some(7.0), ""),
        (0, Value::Empty, None, ""),
        (0, Value::Text("12".into()), None, "12"),
        (0, Value::Time(SUMMER), None, "2026-10-25T00:59:59.123456700Z"),
        (0, Value::Int(i64::MIN + 1), Some(-9.223_372_036_854_776e18), "-9223372036854775807"),
        (0, Value::UInt(u64::MAX), Some(1.844_674_407_370_955_2e19), "18446744073709551615"),
    ];
    for (tag, value, figure, text) in cases {
        let TagAbout { name, unit, .. } = &about().tags[tag as usize];
        check(&[sample(tag, value, SUMMER)], &[good(name, figure, text, unit)]);
    }
    let raw = RawValue { type_name: "Double[2]".into(), text: "[1, 2]".into(), bytes: vec![1] };
    check(&[sample(0, Value::Raw(Arc::new(raw)), SUMMER)], &[good("Filler.Level", None, "[1, 2]", "%")]);
}

#[test]
fn what_is_no_number_is_said_in_words() {
    for (value, words) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let folder = tempfile::tempdir().unwrap();
        for format in Format::ALL {
            let path = folder.path().join(format.extension());
            export(format, &path, vec![sample(0, Value::Float(value), SUMMER)]).unwrap();
            let seen = read(format, &path);
            assert_eq!(seen[0].text, words, "{format:?}");
            let same = |seen: f64| seen.to_bits() == value.to_bits() || seen.is_nan() && value.is_nan();
            assert_eq!(seen[0].value.is_some_and(same), format != Format::Xlsx, "Excel has no cell for {words}");
        }
    }
}

#[test]
fn quality_and_every_time_is_kept() {
    let source_time = Some(WINTER);
    let sample = |code: u32| Sample {
        tag: TagId(3),
        value: Value::Empty,
        status: StatusCode(code),
        source_time,
        server_time: Some(Timestamp(-1)),
    };
    let expected = |quality: &str, status: &str| Seen {
        quality: quality.into(),
        status: status.into(),
        source_time: Some(WINTER.0),
        wall: "2026-10-25T02:59:59.123+01:00".into(),
        server_time: Some(-1),
        ..good("=Odd, \"tag\"", None, "", "")
    };
    check(&[with(sample(0x8032_0000))], &[expected("bad", "0x80320000")]);
    check(&[with(sample(0x4090_0480))], &[expected("uncertain", "0x40900480")]);
    let fetched = Row::Value { received: Timestamp(SUMMER.0 + 5), sample: sample(0), fetched: true };
    check(&[fetched], &[Seen { kind: "fetched".into(), ..expected("good", "0x00000000") }]);
    let timeless = Sample { source_time: None, server_time: None, ..sample(0) };
    let expected = Seen { source_time: None, wall: String::new(), server_time: None, ..expected("good", "0x00000000") };
    check(&[with(timeless)], &[expected]);
}

#[test]
fn a_gap_is_a_row() {
    let gap = |scope, lost| Row::Gap {
        received: WINTER,
        gap: Gap { scope, from: SUMMER, to: WINTER, reason: GapReason::LinkDown, lost },
    };
    let expected = |tag: &str, text: &str, gap_lost| Seen {
        kind: "gap".into(),
        tag: tag.into(),
        source_time: Some(SUMMER.0),
        wall: "2026-10-25T02:59:59.123+02:00".into(),
        received: Some(WINTER.0),
        text: text.into(),
        gap_until: "2026-10-25T02:59:59.123+01:00".into(),
        gap_reason: "no link to the server".into(),
        gap_lost,
        ..Seen::default()
    };
    let between = sample(0, Value::Float(1.0), SUMMER);
    check(
        &[gap(GapScope::Tag(TagId(0)), Some(7)), between, gap(GapScope::Connection(ConnectionId(0)), None)],
        &[
            expected("Filler.Level", "", Some(7)),
            good("Filler.Level", Some(1.0), "", "%"),
            expected("", "all tags of connection PLC 1", None),
        ],
    );
    check(&[gap(GapScope::Plant, None)], &[expected("", "all tags", None)]);
    let unreadable = Row::Unreadable { at: None, why: "checksum".into() };
    let seen = Seen { kind: "unreadable".into(), gap_reason: "checksum".into(), ..Seen::default() };
    check(&[unreadable], &[seen]);
}

#[test]
fn the_gaps_stand_on_a_sheet_of_their_own_and_the_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let gap = Gap { from: SUMMER, to: WINTER, ..Gap::default() };
    let rows = vec![sample(0, Value::Float(1.0), SUMMER), Row::Gap { received: WINTER, gap }];
    for format in Format::ALL {
        let path = folder.path().join(format.extension());
        export(format, &path, rows.clone()).unwrap();
        let facts = seen::facts(format, &path);
        let told = |name: &str| facts.iter().find(|(known, _)| known == name).map(|(_, content)| content.as_str());
        assert_eq!(told("line"), Some("Line 1"), "{format:?}");
        assert_eq!(told("time_zone"), Some("Europe/Berlin"), "{format:?}");
        assert_eq!(told("configuration"), Some("/etc/plant.toml"), "{format:?}");
    }
    let gaps = seen::sheet(&folder.path().join("xlsx"), "Gaps");
    assert_eq!(gaps.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["gap"]);
}

#[test]
fn many_rows_come_in_order() {
    let rows: Vec<Row> = (0..100_002).map(|n| sample(0, Value::Int(n), Timestamp(SUMMER.0 + n * 1_000_000))).collect();
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Csv, Format::Parquet] {
        let path = folder.path().join(format.extension());
        export(format, &path, rows.clone()).unwrap();
        let seen = read(format, &path);
        assert_eq!(seen.len(), rows.len(), "{format:?}");
        let in_order = (0..)
            .zip(&seen)
            .all(|(n, row)| row.value == Some(n as f64) && row.source_time == Some(SUMMER.0 + n * 1_000_000));
        assert!(in_order, "{format:?}");
    }
}

#[test]
fn a_spreadsheet_takes_no_text_for_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'quoted"] {
        export(Format::Csv, &path, vec![sample(3, Value::Text(text.into()), SUMMER)]).unwrap();
        let raw = seen::csv_fields(&path);
        assert_eq!(raw.last().map(|row| row[8].as_str()), Some(format!("'{text}").as_str()));
        assert_eq!(raw.last().map(|row| row[1].as_str()), Some("'=Odd, \"tag\""));
    }
}

#[test]
fn a_text_that_excel_has_no_room_for_is_cut_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let long = "𝄞".repeat(20_000);
    export(Format::Xlsx, &path, vec![sample(0, Value::Text(long.as_str().into()), SUMMER)]).unwrap();
    let text = &read(Format::Xlsx, &path)[0].text;
    assert_eq!(text.strip_suffix('…'), Some("𝄞".repeat(16_383).as_str()));
    assert!(seen::facts(Format::Xlsx, &path).contains(&("texts cut to Excel's length".into(), "1".into())));
}

/// The export fails with this, the file that was there before is untouched, and nothing else is there.
fn check_failure(expected: &str, rows: &mut dyn Iterator<Item = Result<Row, SourceError>>, cancel: &AtomicBool) {
    let mut rows: Vec<_> = rows.collect();
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        std::fs::write(&path, "before").unwrap();
        let mut source = rows.iter_mut().map(|row| match row {
            Ok(row) => Ok(row.clone()),
            Err(error) => Err(error.to_string().into()),
        });
        let error = write(format, &path, &about(), &mut source, cancel).unwrap_err();
        assert!(error.to_string().contains(expected), "{format:?}: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{format:?}");
    }
}

#[test]
fn what_fails_leaves_nothing() {
    let rows = || vec![Ok(sample(0, Value::Float(1.0), SUMMER))].into_iter();
    check_failure("stopped", &mut rows(), &AtomicBool::new(true));
    let broken = std::iter::once(Err(SourceError::from("the drive was removed")));
    check_failure("reading", &mut rows().chain(broken), &AtomicBool::new(false));
}

#[test]
fn it_can_be_stopped_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let cancel = AtomicBool::new(false);
        let mut taken = 0;
        let mut rows = std::iter::repeat_with(|| {
            taken += 1;
            cancel.store(taken == 3_000, Ordering::Relaxed);
            Ok(sample(0, Value::Float(1.0), SUMMER))
        });
        let stopped = write(format, &folder.path().join("a"), &about(), &mut rows, &cancel);
        assert!(matches!(stopped, Err(Error::Cancelled)), "{format:?}: {stopped:?}");
        assert_eq!(taken, 3_000, "{format:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn errors_say_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = export(Format::Csv, &folder.path().join("no/a.csv"), vec![]).unwrap_err();
    assert!(missing.to_string().contains("a.csv: cannot be made here; choose another folder"), "{missing}");
    let zoneless = About { time_zone: "Mars/Olympus".into(), ..about() };
    let none = &mut std::iter::empty();
    let zone = write(Format::Csv, &folder.path().join("a"), &zoneless, none, &AtomicBool::new(false)).unwrap_err();
    assert!(zone.to_string().contains("`Mars/Olympus`"), "{zone}");
    let target = folder.path().join("a.csv");
    let mut inner = None;
    let mut rows = std::iter::once_with(|| {
        inner = Some(export(Format::Csv, &target, vec![]));
        Ok(sample(0, Value::Float(1.0), SUMMER))
    });
    write(Format::Csv, &target, &about(), &mut rows, &AtomicBool::new(false)).unwrap();
    assert!(matches!(inner, Some(Err(Error::Busy { .. }))), "{inner:?}");
    assert_eq!(read(Format::Csv, &target).len(), 1, "the first is untouched by the second");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every text comes back, whatever is in it.
    #[test]
    fn texts_come_back(texts in prop::collection::vec("(\\PC|[=+@'\",\r\n\t\u{0}\u{1}\u{1f} _x-]){0,20}", 1..8)) {
        let rows: Vec<Row> =
            texts.iter().map(|text| sample(0, Value::Text(text.as_str().into()), SUMMER)).collect();
        let expected: Vec<Seen> = texts.iter().map(|text| good("Filler.Level", None, text, "%")).collect();
        check(&rows, &expected);
    }

    /// Every figure and every instant comes back to the last bit, in the formats that are exact. (Before 1893 the
    /// offsets of zones have seconds, for which RFC 3339 has no digits.)
    #[test]
    fn figures_and_instants_come_back(value in prop::num::f64::NORMAL | prop::num::f64::ZERO, at in 0..i64::MAX) {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Csv, Format::Parquet] {
            let path = folder.path().join("a");
            export(format, &path, vec![sample(0, Value::Float(value), Timestamp(at))]).unwrap();
            let seen = read(format, &path);
            prop_assert_eq!(seen[0].value.map(f64::to_bits), Some(value.to_bits()));
            prop_assert_eq!(seen[0].source_time, Some(at));
        }
    }
}
