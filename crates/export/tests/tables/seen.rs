//! What the readers of others see in a table.

use calamine::{Data, Reader, Xlsx, open_workbook};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use lineside_export::Format;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::fs::File;
use std::path::Path;

/// One row. Plant times are RFC 3339 to the millisecond, which is what Excel holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Seen {
    pub(crate) kind: String,
    pub(crate) tag: String,
    pub(crate) source_time: Option<i64>,
    /// The source time in plant time.
    pub(crate) wall: String,
    pub(crate) received: Option<i64>,
    pub(crate) server_time: Option<i64>,
    pub(crate) value: Option<f64>,
    pub(crate) text: String,
    pub(crate) unit: String,
    pub(crate) quality: String,
    pub(crate) status: String,
    pub(crate) gap_until: String,
    pub(crate) gap_reason: String,
    pub(crate) gap_lost: Option<u64>,
}

/// The rows, without those that say what the file is.
pub(crate) fn read(format: Format, path: &Path) -> Vec<Seen> {
    match format {
        Format::Csv => csv_fields(path).iter().filter(|row| row[0] != "about").map(|row| of_csv(row)).collect(),
        Format::Parquet => of_parquet(path),
        Format::Xlsx => sheet(path, "Values"),
    }
}

/// What the file says of itself.
pub(crate) fn facts(format: Format, path: &Path) -> Vec<(String, String)> {
    match format {
        Format::Csv => csv_fields(path)
            .iter()
            .filter(|row| row[0] == "about")
            .map(|row| (unguarded(&row[1]), unguarded(&row[8])))
            .collect(),
        Format::Parquet => {
            let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
            let stored = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
            let fact = |key: &str| key.strip_prefix("lineside.").unwrap_or(key).to_owned();
            stored.into_iter().map(|pair| (fact(&pair.key), pair.value.unwrap_or_default())).collect()
        }
        Format::Xlsx => cells(path, "About").iter().map(|row| (row[0].to_string(), row[1].to_string())).collect(),
    }
}

/// A CSV file's fields, without its header.
pub(crate) fn csv_fields(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().terminator(csv::Terminator::CRLF).from_path(path).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn unguarded(field: &str) -> String {
    field.strip_prefix('\'').unwrap_or(field).to_owned()
}

fn of_csv(row: &[String]) -> Seen {
    Seen {
        kind: row[0].clone(),
        tag: unguarded(&row[1]),
        source_time: instant(&row[2]),
        wall: to_millis(&row[3], instant(&row[2])),
        received: instant(&row[4]),
        server_time: instant(&row[6]),
        value: row[7].parse().ok(),
        text: unguarded(&row[8]),
        unit: unguarded(&row[9]),
        quality: row[10].clone(),
        status: row[11].clone(),
        gap_until: to_millis(&row[13], instant(&row[12])),
        gap_reason: unguarded(&row[14]),
        gap_lost: row[15].parse().ok(),
    }
}

fn instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().and_then(|at| i64::try_from(at.as_nanosecond()).ok())
}

/// `…:59.123456700+02:00` to `…:59.123+02:00`; both texts of an instant are of the same instant.
fn to_millis(text: &str, same: Option<i64>) -> String {
    assert_eq!(instant(text), same, "{text}");
    text.split_once('.').map(|(seconds, rest)| format!("{seconds}.{}{}", &rest[..3], &rest[9..])).unwrap_or_default()
}

fn of_parquet(path: &Path) -> Vec<Seen> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| of_fields(&row.unwrap().into_columns())).collect()
}

fn of_fields(row: &[(String, Field)]) -> Seen {
    let field = |name: &str| row.iter().find(|(known, _)| known == name).map(|(_, field)| field).unwrap();
    let text = |name: &str| match field(name) {
        Field::Str(text) => text.clone(),
        Field::Null => String::new(),
        other => panic!("{name}: {other}"),
    };
    let time = |name: &str| match field(name) {
        Field::Long(at) => Some(*at),
        Field::Null => None,
        other => panic!("{name}: {other:?}"),
    };
    let wall =
        |wall: Option<i64>, at: Option<i64>| wall.map(|wall| shown(wall, wall - at.unwrap())).unwrap_or_default();
    Seen {
        kind: text("kind"),
        tag: text("tag"),
        source_time: time("source_time"),
        wall: wall(time("source_time_local"), time("source_time")),
        received: time("received"),
        server_time: time("server_time"),
        value: if let Field::Double(value) = field("value") { Some(*value) } else { None },
        text: text("text"),
        unit: text("unit"),
        quality: text("quality"),
        status: text("status"),
        gap_until: wall(time("gap_until_local"), time("gap_until")),
        gap_reason: text("gap_reason"),
        gap_lost: if let Field::ULong(lost) = field("gap_lost") { Some(*lost) } else { None },
    }
}

/// Wall time with its offset, both in nanoseconds.
fn shown(wall: i64, offset: i64) -> String {
    let offset = Offset::from_seconds((offset / 1_000_000_000) as i32).unwrap();
    let at = offset.to_timestamp(civil(wall)).unwrap();
    format!("{:.3}", at.display_with_offset(offset))
}

fn civil(wall: i64) -> DateTime {
    Offset::UTC.to_datetime(jiff::Timestamp::from_nanosecond(wall.into()).unwrap())
}

fn cells(path: &Path, sheet: &str) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    book.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
}

/// One sheet of values or gaps.
pub(crate) fn sheet(path: &Path, name: &str) -> Vec<Seen> {
    let rows = cells(path, name);
    assert_eq!(rows[0][0].to_string(), "Time (Europe/Berlin)");
    rows[1..].iter().map(|row| of_cells(row)).collect()
}

fn of_cells(row: &[Data]) -> Seen {
    let text = |column: usize| match &row[column] {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        other => panic!("column {column}: {other:?}"),
    };
    let number = |column: usize| if let Data::Float(number) = row[column] { Some(number) } else { None };
    let date = |column: usize| match &row[column] {
        Data::Empty => None,
        Data::DateTime(at) => Some(wall_ms(at.as_f64())),
        other => panic!("column {column}: {other:?}"),
    };
    let until = date(9).map(|wall| {
        let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        // The later of two: the tests' gaps end after the clocks went back.
        let at = berlin.to_ambiguous_timestamp(civil(wall * 1_000_000)).later().unwrap();
        format!("{:.3}", at.display_with_offset(berlin.to_offset(at)))
    });
    let wall = date(0).map(|wall| format!("{:.3}{}", civil(wall * 1_000_000), text(1)));
    Seen {
        kind: text(8),
        tag: text(2),
        source_time: instant(&text(13)),
        wall: wall.unwrap_or_default(),
        received: instant(&text(14)),
        server_time: instant(&text(15)),
        value: number(3),
        text: text(4),
        unit: text(5),
        quality: text(6),
        status: text(7),
        gap_until: until.unwrap_or_default(),
        gap_reason: text(10),
        gap_lost: number(11).map(|lost| lost as u64),
    }
}

/// Milliseconds since 1970 of an Excel date.
fn wall_ms(serial: f64) -> i64 {
    ((serial - 25_569.0) * 86_400_000.0).floor() as i64
}
