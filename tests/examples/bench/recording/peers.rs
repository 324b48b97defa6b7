//! The same samples in other formats, each as its users would write it. Sizes in bytes of finished files.

use super::load::Recording;
use crate::Outcome;
use lineside_model::{Sample, Timestamp, Value};
use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions, Writer};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

const CHUNK: u64 = 1 << 20;
/// Rows of one transaction.
const ROWS: u64 = 100_000;

/// MCAP with one channel per tag and one message per sample: value, status and server time in the message, its times
/// are the source time and the arrival.
pub(crate) fn mcap_of_samples(recording: &Recording, folder: &Path) -> Outcome<u64> {
    mcap(&folder.join("samples.mcap"), |writer| {
        let channels: Vec<u16> = recording
            .config
            .tags
            .iter()
            .map(|tag| writer.add_channel(0, &tag.name, "value-status-server", &BTreeMap::new()))
            .collect::<Result<_, _>>()?;
        let mut sequence = 0;
        recording.each_scan(|at, samples| {
            for sample in samples {
                sequence += 1;
                let header = MessageHeader {
                    channel_id: channels[sample.tag.0 as usize],
                    sequence,
                    log_time: nanos(Some(at)),
                    publish_time: nanos(sample.source_time),
                };
                let mut message = number(sample).to_le_bytes().to_vec();
                message.extend(sample.status.0.to_le_bytes());
                message.extend(nanos(sample.server_time).to_le_bytes());
                writer.write_to_known_channel(&header, &message)?;
            }
            Ok(())
        })
    })
}

/// MCAP with one message per scan: what has changed, in columns, which compress better than rows.
pub(crate) fn mcap_of_scans(recording: &Recording, folder: &Path) -> Outcome<u64> {
    mcap(&folder.join("scans.mcap"), |writer| {
        let channel_id = writer.add_channel(0, "scan", "columns", &BTreeMap::new())?;
        let mut sequence = 0;
        recording.each_scan(|at, samples| {
            sequence += 1;
            let mut message = Vec::with_capacity(samples.len() * 32);
            message.extend(samples.iter().flat_map(|sample| sample.tag.0.to_le_bytes()));
            message.extend(samples.iter().flat_map(|sample| number(sample).to_le_bytes()));
            message.extend(samples.iter().flat_map(|sample| sample.status.0.to_le_bytes()));
            message.extend(samples.iter().flat_map(|sample| nanos(sample.source_time).to_le_bytes()));
            message.extend(samples.iter().flat_map(|sample| nanos(sample.server_time).to_le_bytes()));
            let header =
                MessageHeader { channel_id, sequence, log_time: nanos(Some(at)), publish_time: nanos(Some(at)) };
            writer.write_to_known_channel(&header, &message)?;
            Ok(())
        })
    })
}

fn mcap(path: &Path, fill: impl FnOnce(&mut Writer<BufWriter<File>>) -> Outcome<()>) -> Outcome<u64> {
    let options = WriteOptions::new().compression(Some(Compression::Zstd)).chunk_size(Some(CHUNK));
    let mut writer = options.create(BufWriter::new(File::create(path)?))?;
    fill(&mut writer)?;
    writer.finish()?;
    drop(writer);
    taken_away(path)
}

/// A row per sample, and the index that a question for one tag needs.
pub(crate) fn sqlite_rows(recording: &Recording, folder: &Path) -> Outcome<u64> {
    let path = folder.join("rows.sqlite");
    let connection = Connection::open(&path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
         CREATE TABLE sample (tag INTEGER, t_source INTEGER, t_server INTEGER, value REAL, status INTEGER);
         CREATE INDEX sample_of_tag ON sample (tag, t_source);
         BEGIN",
    )?;
    let mut rows = 0;
    let mut insert = connection.prepare("INSERT INTO sample VALUES (?1, ?2, ?3, ?4, ?5)")?;
    recording.each_scan(|_, samples| {
        for sample in samples {
            let (source, server) = (sample.source_time.map(|at| at.0), sample.server_time.map(|at| at.0));
            insert.execute(params![sample.tag.0, source, server, value(sample), sample.status.0])?;
            rows += 1;
            if rows % ROWS == 0 {
                connection.execute_batch("COMMIT; BEGIN")?;
            }
        }
        Ok(())
    })?;
    drop(insert);
    connection.execute_batch("COMMIT")?;
    drop(connection);
    taken_away(&path)
}

/// A figure, where the sample has one.
pub(crate) fn value(sample: &Sample) -> Option<f64> {
    match sample.value {
        Value::Bool(on) => Some(f64::from(u8::from(on))),
        _ => sample.value.as_f64(),
    }
}

fn number(sample: &Sample) -> f64 {
    value(sample).unwrap_or(f64::NAN)
}

fn nanos(at: Option<Timestamp>) -> u64 {
    at.unwrap_or_default().0.cast_unsigned()
}

/// The size of a file, which is not needed any more.
fn taken_away(path: &Path) -> Outcome<u64> {
    let bytes = fs::metadata(path)?.len();
    fs::remove_file(path)?;
    Ok(bytes)
}
