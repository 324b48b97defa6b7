//! An Excel workbook: what it is, the gaps on a sheet of their own, and the values with the gaps among them.

use crate::About;
use crate::error::Failure;
use crate::output::{Draft, Source};
use crate::record::{Record, facts};
use crate::time::{Zone, utc};
use lineside_model::Timestamp;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use std::borrow::Cow;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows of a sheet, the header among them: Excel's own limit.
const SHEET_ROWS: u32 = 1_048_576;
/// Characters of a cell, counted in UTF-16 as Excel does.
const CELL_LENGTH: usize = 32_767;
/// Days from 1899-12-30, the day 0 of Excel's dates, to 1970-01-01.
const EXCEL_EPOCH: f64 = 25_569.0;
/// Before March 1900 Excel's calendar has a day that did not exist.
const FIRST_DATE: f64 = 61.0;

const ABOUT: usize = 0;
const GAPS: usize = 1;
const VALUES: usize = 2;

/// Title and width. "plant" in a title becomes the plant's time zone.
const COLUMNS: [(&str, f64); 16] = [
    ("Time (plant)", 23.0),
    ("Offset", 8.0),
    ("Tag", 30.0),
    ("Value", 12.0),
    ("Text", 20.0),
    ("Unit", 8.0),
    ("Quality", 10.0),
    ("Status", 12.0),
    ("Kind", 10.0),
    ("Gap until (plant)", 23.0),
    ("Gap reason", 24.0),
    ("Values lost", 11.0),
    ("Received (plant)", 23.0),
    ("Source time (UTC)", 32.0),
    ("Received (UTC)", 32.0),
    ("Server time (UTC)", 32.0),
];

pub(crate) fn write(out: &mut Draft<'_>, about: &About, zone: &Zone, rows: &mut Source<'_>) -> Result<(), Failure> {
    // The library panics where its temporary file cannot be written, as on a full disk.
    let done = catch_unwind(AssertUnwindSafe(|| -> Result<(), Failure> {
        let mut book = Book::new(out, about, zone).map_err(failure)?;
        for row in rows {
            book.push(&Record::of(&row?, about)).map_err(failure)?;
        }
        book.finish().and_then(|mut workbook| workbook.save_to_writer(out)).map_err(failure)
    }));
    done.unwrap_or_else(|_| Err(Failure::Output(io::Error::other("the temporary file could not be written"))))
}

fn failure(error: XlsxError) -> Failure {
    Failure::Output(match error {
        XlsxError::IoError(source) | XlsxError::TempFileError(_, source) => source,
        other => io::Error::other(other),
    })
}

/// The workbook as it grows. Cells go to temporary files in the folder of the target, sheet by sheet.
struct Book<'a> {
    workbook: Workbook,
    about: &'a About,
    zone: &'a Zone,
    date: Format,
    /// The sheet of values that is being filled, and the next row of it.
    values: usize,
    row: u32,
    gap_row: u32,
    /// Gaps beyond the limit of their sheet; they stand among the values all the same.
    gaps_left_out: u64,
    /// Texts that were too long for a cell.
    cut: u64,
}

impl<'a> Book<'a> {
    fn new(out: &Draft<'_>, about: &'a About, zone: &'a Zone) -> Result<Book<'a>, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(out.folder())?;
        workbook.add_worksheet().set_name("About")?;
        let date = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000");
        let mut book =
            Book { workbook, about, zone, date, values: VALUES, row: 1, gap_row: 1, gaps_left_out: 0, cut: 0 };
        book.sheet("Gaps")?;
        book.sheet("Values")?;
        Ok(book)
    }

    /// A further sheet with its header.
    fn sheet(&mut self, name: &str) -> Result<(), XlsxError> {
        let bold = Format::new().set_bold();
        let sheet = self.workbook.add_worksheet_with_constant_memory();
        let sheet = sheet?.set_name(name)?.set_freeze_panes(1, 0)?;
        for (column, (title, width)) in (0..).zip(COLUMNS) {
            sheet.set_column_width(column, width)?;
            sheet.write_string_with_format(0, column, title.replace("plant", &self.about.time_zone), &bold)?;
        }
        Ok(())
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), XlsxError> {
        if record.is_gap() {
            if self.gap_row < SHEET_ROWS {
                self.line(GAPS, self.gap_row, record)?;
                self.gap_row += 1;
            } else {
                self.gaps_left_out += 1;
            }
        }
        if self.row == SHEET_ROWS {
            self.values += 1;
            self.row = 1;
            self.sheet(&format!("Values {}", self.values - VALUES + 1))?;
        }
        self.line(self.values, self.row, record)?;
        self.row += 1;
        Ok(())
    }

    fn line(&mut self, sheet: usize, row: u32, record: &Record<'_>) -> Result<(), XlsxError> {
        let text = self.fitting(&record.text);
        let reason = self.fitting(&record.gap_reason);
        let offset = record.source_time.map(|at| self.zone.local(at).offset_text());
        let date = |at: Option<Timestamp>| at.map(|at| Cell::Date(self.zone.local(at).wall_ns()));
        let cells = [
            date(record.source_time),
            offset.map(Cell::text),
            Some(Cell::text(record.tag)),
            record.value.map(|value| Cell::Number(value.as_f64())),
            Some(Cell::text(text)),
            Some(Cell::text(record.unit)),
            Some(Cell::text(record.quality)),
            record.status_text().map(Cell::text),
            Some(Cell::text(record.kind)),
            date(record.gap_until),
            Some(Cell::text(reason)),
            record.gap_lost.map(|lost| Cell::Number(lost as f64)),
            date(record.received),
            record.source_time.map(|at| Cell::text(utc(at))),
            record.received.map(|at| Cell::text(utc(at))),
            record.server_time.map(|at| Cell::text(utc(at))),
        ];
        let sheet = self.workbook.worksheet_from_index(sheet)?;
        for (column, cell) in (0..).zip(cells) {
            put(sheet, row, column, cell, &self.date)?;
        }
        Ok(())
    }

    fn fitting<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let (fitting, whole) = fitting(text);
        self.cut += u64::from(!whole);
        fitting
    }

    /// Fills the sheet About, which is kept in memory until now.
    fn finish(mut self) -> Result<Workbook, XlsxError> {
        let mut lines: Vec<(&str, String)> =
            facts(self.about).map(|(name, content)| (name, fitting(content).0.into_owned())).to_vec();
        if self.cut > 0 {
            lines.push(("texts cut to Excel's length", self.cut.to_string()));
        }
        if self.gaps_left_out > 0 {
            lines.push(("gaps only among the values", self.gaps_left_out.to_string()));
        }
        let sheet = self.workbook.worksheet_from_index(ABOUT)?;
        sheet.set_column_width(0, 28)?.set_column_width(1, 80)?;
        for (row, (name, content)) in (0..).zip(lines) {
            sheet.write_string(row, 0, name)?.write_string(row, 1, content)?;
        }
        Ok(self.workbook)
    }
}

enum Cell<'a> {
    Number(f64),
    /// Wall time in nanoseconds since 1970.
    Date(i64),
    Text(Cow<'a, str>),
}

impl<'a> Cell<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
        Cell::Text(text.into())
    }
}

/// What Excel has no cell for (NaN, a date before its calendar) is left empty; it stands in a column of text.
fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: Option<Cell<'_>>, date: &Format) -> Result<(), XlsxError> {
    match cell {
        Some(Cell::Number(number)) if number.is_finite() => sheet.write_number(row, column, number)?,
        Some(Cell::Date(wall)) if serial(wall) >= FIRST_DATE => {
            sheet.write_number_with_format(row, column, serial(wall), date)?
        }
        Some(Cell::Text(text)) if !text.is_empty() => sheet.write_string(row, column, text)?,
        _ => sheet,
    };
    Ok(())
}

/// Days since Excel's day 0, exact to about a microsecond.
fn serial(wall_ns: i64) -> f64 {
    const DAY: i64 = 86_400_000_000_000;
    wall_ns.div_euclid(DAY) as f64 + EXCEL_EPOCH + wall_ns.rem_euclid(DAY) as f64 / DAY as f64
}

/// The text, or as much of it as a cell holds, and whether it is whole.
fn fitting(text: &str) -> (Cow<'_, str>, bool) {
    if text.len() <= CELL_LENGTH || text.encode_utf16().count() <= CELL_LENGTH {
        return (Cow::Borrowed(text), true);
    }
    let mut left = CELL_LENGTH - 1;
    let fits = |char: &char| {
        let room = left.checked_sub(char.len_utf16());
        left = room.unwrap_or_default();
        room.is_some()
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    (Cow::Owned(cut), false)
}
