//! Parquet: one row group at a time in memory, column by column.

use crate::About;
use crate::error::Failure;
use crate::output::{Draft, Source};
use crate::record::{Record, facts};
use crate::time::{Local, Zone};
use lineside_model::Timestamp;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use std::io::{self, Write};
use std::sync::Arc;

const SCHEMA: &str = "message samples {
    required binary kind (STRING);
    required binary tag (STRING);
    optional int64 source_time (TIMESTAMP(NANOS,true));
    optional int64 source_time_local (TIMESTAMP(NANOS,false));
    optional int32 source_utc_offset_s;
    optional int64 received (TIMESTAMP(NANOS,true));
    optional int64 received_local (TIMESTAMP(NANOS,false));
    optional int32 received_utc_offset_s;
    optional int64 server_time (TIMESTAMP(NANOS,true));
    optional double value;
    optional binary text (STRING);
    required binary unit (STRING);
    optional binary quality (STRING);
    optional binary status (STRING);
    optional int64 gap_until (TIMESTAMP(NANOS,true));
    optional int64 gap_until_local (TIMESTAMP(NANOS,false));
    optional binary gap_reason (STRING);
    optional int64 gap_lost (INTEGER(64,false));
}";

/// Times differ from row to row by little; a dictionary of them would only be in the way.
const TIMES: [&str; 5] = ["source_time", "source_time_local", "received", "received_local", "server_time"];

/// A row group is complete at so many rows, or at so many bytes of text.
const GROUP_ROWS: usize = 100_000;
const GROUP_TEXT: usize = 64 << 20;

pub(crate) fn write(out: &mut Draft<'_>, about: &About, zone: &Zone, rows: &mut Source<'_>) -> Result<(), Failure> {
    let schema = parse_message_type(SCHEMA).map_err(failure)?;
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties(about))).map_err(failure)?;
    let mut group = Group::default();
    for row in rows {
        group.push(&Record::of(&row?, about), zone);
        if group.is_complete() {
            group.flush(&mut file).map_err(failure)?;
        }
    }
    if !group.kind.levels.is_empty() {
        group.flush(&mut file).map_err(failure)?;
    }
    file.close().map_err(failure)?;
    Ok(())
}

fn properties(about: &About) -> WriterProperties {
    let fact = |(name, content): (&str, &str)| KeyValue::new(format!("lineside.{name}"), content.to_owned());
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(about.program.clone())
        .set_key_value_metadata(Some(facts(about).map(fact).to_vec()));
    for name in TIMES {
        let column = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

fn failure(error: ParquetError) -> Failure {
    Failure::Output(match error {
        ParquetError::External(source) => io::Error::other(source),
        other => io::Error::other(other),
    })
}

/// One column of a row group.
struct Column<T: DataType> {
    values: Vec<T::T>,
    /// 1 where there is a value.
    levels: Vec<i16>,
}

impl<T: DataType> Default for Column<T> {
    fn default() -> Column<T> {
        Column { values: vec![], levels: vec![] }
    }
}

impl<T: DataType> Column<T> {
    fn push(&mut self, value: Option<T::T>) {
        self.levels.push(value.is_some().into());
        self.values.extend(value);
    }

    fn flush<W: Write + Send>(&mut self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let ended = || ParquetError::General("the schema has fewer columns".to_owned());
        let mut column = group.next_column()?.ok_or_else(ended)?;
        // A required column takes no levels, and has a value in every row.
        column.typed::<T>().write_batch(&self.values, Some(&self.levels), None)?;
        column.close()?;
        self.values.clear();
        self.levels.clear();
        Ok(())
    }
}

/// The columns in the order of the schema.
#[derive(Default)]
struct Group {
    kind: Column<ByteArrayType>,
    tag: Column<ByteArrayType>,
    source: Moments,
    received: Moments,
    server_time: Column<Int64Type>,
    value: Column<DoubleType>,
    text: Column<ByteArrayType>,
    unit: Column<ByteArrayType>,
    quality: Column<ByteArrayType>,
    status: Column<ByteArrayType>,
    gap_until: Column<Int64Type>,
    gap_until_local: Column<Int64Type>,
    gap_reason: Column<ByteArrayType>,
    gap_lost: Column<Int64Type>,
    text_bytes: usize,
}

/// An instant in UTC, in plant time, and what lies between.
#[derive(Default)]
struct Moments {
    utc: Column<Int64Type>,
    local: Column<Int64Type>,
    offset: Column<Int32Type>,
}

impl Moments {
    fn push(&mut self, at: Option<Timestamp>, zone: &Zone) {
        let local = at.map(|at| zone.local(at));
        self.utc.push(at.map(|at| at.0));
        self.local.push(local.as_ref().map(Local::wall_ns));
        self.offset.push(local.as_ref().map(Local::offset_s));
    }

    fn flush<W: Write + Send>(&mut self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        self.utc.flush(group)?;
        self.local.flush(group)?;
        self.offset.flush(group)
    }
}

impl Group {
    fn push(&mut self, record: &Record<'_>, zone: &Zone) {
        let there = |text: &str| (!text.is_empty()).then(|| ByteArray::from(text));
        self.text_bytes += record.text.len() + record.gap_reason.len();
        self.kind.push(Some(record.kind.into()));
        self.tag.push(Some(record.tag.into()));
        self.source.push(record.source_time, zone);
        self.received.push(record.received, zone);
        self.server_time.push(record.server_time.map(|at| at.0));
        self.value.push(record.value.map(crate::record::Number::as_f64));
        self.text.push(there(&record.text));
        self.unit.push(Some(record.unit.into()));
        self.quality.push(there(record.quality));
        self.status.push(record.status_text().as_deref().map(ByteArray::from));
        self.gap_until.push(record.gap_until.map(|at| at.0));
        self.gap_until_local.push(record.gap_until.map(|at| zone.local(at).wall_ns()));
        self.gap_reason.push(there(&record.gap_reason));
        // The bits of an unsigned number, as the schema says.
        self.gap_lost.push(record.gap_lost.map(u64::cast_signed));
    }

    fn is_complete(&self) -> bool {
        self.kind.levels.len() >= GROUP_ROWS || self.text_bytes >= GROUP_TEXT
    }

    fn flush<W: Write + Send>(&mut self, file: &mut SerializedFileWriter<W>) -> Result<()> {
        let mut group = file.next_row_group()?;
        self.kind.flush(&mut group)?;
        self.tag.flush(&mut group)?;
        self.source.flush(&mut group)?;
        self.received.flush(&mut group)?;
        self.server_time.flush(&mut group)?;
        self.value.flush(&mut group)?;
        self.text.flush(&mut group)?;
        self.unit.flush(&mut group)?;
        self.quality.flush(&mut group)?;
        self.status.flush(&mut group)?;
        self.gap_until.flush(&mut group)?;
        self.gap_until_local.flush(&mut group)?;
        self.gap_reason.flush(&mut group)?;
        self.gap_lost.flush(&mut group)?;
        self.text_bytes = 0;
        group.close()?;
        Ok(())
    }
}
