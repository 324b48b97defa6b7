//! Tables of recorded samples and gaps, for other programs: CSV, Parquet and XLSX.
//!
//! [`write`] takes rows in any order, one at a time, and makes one complete file or none: it writes beside the
//! target and renames at the end. Memory is bounded whatever the length. A gap, and a stretch that could not be read,
//! is a row with its reason in the same table, never silently absent. It does not know how recordings are read.
//!
//! # Columns
//!
//! | column | holds |
//! |---|---|
//! | `kind` | `value` as it came, `fetched` from a server's history afterwards, `gap`, `unreadable`; in CSV `about` as well |
//! | `tag` | the tag's name; empty for a gap of more than one tag |
//! | `source_time`, `source_time_local` | when the value was produced, or where the gap begins: UTC, and plant time |
//! | `received`, `received_local` | when Lineside took it in |
//! | `server_time` | when the server had it, UTC |
//! | `value` | the figure shown: raw * gain + offset; Booleans are 0 and 1; empty where there is none |
//! | `text` | what is not a number: the name of the state, text, time (UTC), integers beyond 2^53, `NaN`; of a gap, what it covers |
//! | `unit`, `quality`, `status` | unit of measure; `good`, `uncertain` or `bad`; the OPC UA status code, 32 bits in hexadecimal |
//! | `gap_until`, `gap_until_local`, `gap_reason`, `gap_lost` | of a gap alone; lost is how many values, where that is known |
//!
//! **CSV** (RFC 4180, UTF-8 without a byte order mark, CRLF): times are RFC 3339 with nine digits, the local ones with
//! the plant's offset. The first rows have the kind `about` and hold name (`tag`) and content (`text`) of what the
//! file is. A text that a spreadsheet would take for a formula (it begins with `=` `+` `-` `@`, a tab or a
//! carriage return), or that begins with `'`, has one `'` put before it; taking one leading `'` away gives the text.
//!
//! **Parquet**: times are INT64 TIMESTAMP(NANOS), adjusted to UTC; the local ones are not adjusted, with their offset
//! from UTC in seconds in `source_utc_offset_s` and `received_utc_offset_s`. What the file is stands in its key-value metadata
//! (`lineside.*`). Snappy, row groups of at most 100,000 rows.
//!
//! **XLSX**: sheets About, Gaps and Values, which goes on in further sheets at Excel's limit of rows. Plant times are
//! real dates (milliseconds are shown), those in UTC are text in full. Texts are cells of type text, which Excel
//! does not compute; one longer than Excel's 32,767 characters is cut, and About says how many were.

mod csv;
mod error;
mod output;
mod parquet;
mod record;
mod time;
mod xlsx;

pub use error::{Error, SourceError};

use lineside_model::config::{self, Scale};
use lineside_model::report::NodeMeta;
use lineside_model::{Gap, Sample, Text, Timestamp};
use output::{Draft, Source};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Parquet,
    Xlsx,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 3] = [Format::Csv, Format::Parquet, Format::Xlsx];

    /// How names of such files end, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Xlsx => "xlsx",
        }
    }
}

/// What the table is of.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub line: String,
    /// Name and begin of the shift, as shown.
    pub shift: String,
    /// IANA time zone of the plant.
    pub time_zone: String,
    /// Path of the configuration in force.
    pub configuration: String,
    /// The recording.
    pub recording: String,
    /// Program and version.
    pub program: String,
    /// By [`lineside_model::TagId`].
    pub tags: Vec<TagAbout>,
    /// Names, by [`lineside_model::ConnectionId`].
    pub connections: Vec<String>,
}

/// How a tag's values are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagAbout {
    pub name: Text,
    pub unit: Text,
    pub scale: Option<Scale>,
    pub texts: BTreeMap<i64, Text>,
}

impl TagAbout {
    /// As configured, and where the configuration is silent as the server says of the node. What it says of the unit
    /// is of the raw value, and so not of a scaled one.
    pub fn of(tag: &config::Tag, meta: Option<&NodeMeta>) -> TagAbout {
        let told = meta.filter(|_| tag.unit.is_empty() && tag.scale.is_none());
        let configured = || tag.texts.iter().map(|(value, text)| (*value, text.as_str().into())).collect();
        let texts = meta.filter(|_| tag.texts.is_empty()).map(|meta| meta.texts.iter().cloned().collect());
        TagAbout {
            name: tag.name.as_str().into(),
            unit: told.map_or_else(|| tag.unit.as_str().into(), |meta| meta.unit.clone()),
            scale: tag.scale,
            texts: texts.unwrap_or_else(configured),
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    Value {
        received: Timestamp,
        sample: Sample,
        /// From the server's history, after the fact.
        fetched: bool,
    },
    Gap {
        received: Timestamp,
        gap: Gap,
    },
    /// A stretch of the recording that cannot be read.
    Unreadable {
        /// Its time, as far as that is known.
        at: Option<Timestamp>,
        why: String,
    },
}

/// What has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows taken from the source.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes all `rows` into the file `path`, which is replaced if it exists. Setting `cancel` ends it within a few
/// thousand rows; neither then nor after an error is anything left behind.
///
/// # Errors
/// The file cannot be written, another export is writing it, the source fails, the time zone is unknown, or it was
/// cancelled. Each says where and what to do.
pub fn write(
    format: Format,
    path: &Path,
    about: &About,
    rows: &mut dyn Iterator<Item = Result<Row, SourceError>>,
    cancel: &AtomicBool,
) -> Result<Written, Error> {
    let zone = time::Zone::new(&about.time_zone)?;
    let mut draft = Draft::create(path, cancel)?;
    let mut source = Source::new(rows, cancel);
    let done = match format {
        Format::Csv => csv::write(&mut draft, about, &zone, &mut source),
        Format::Parquet => parquet::write(&mut draft, about, &zone, &mut source),
        Format::Xlsx => xlsx::write(&mut draft, about, &zone, &mut source),
    };
    match done {
        Ok(()) => Ok(Written { rows: source.taken(), bytes: draft.finish()? }),
        Err(failure) => Err(failure.at(draft.target(), cancel)),
    }
}
