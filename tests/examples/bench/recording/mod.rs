//! The recording: its size beside other formats on the same data, how fast it is written, and what replay does with it.
//!
//! Everything is measured on files that a live session with the real recorder wrote and closed, from the simulated
//! plant's own signals.

mod load;
mod peers;
mod replay;
mod servers;

use crate::{Figures, Outcome};
use lineside_recording::{Appended, Options, Recorder, Row, ShiftFile};
use load::{BUSY, Load, REFERENCE, Recording};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
/// So many samples are offered to the recorder again.
const APPENDED: u64 = 5_000_000;
/// So many may wait before the bench waits as well.
const AHEAD: usize = 100_000;

/// Writes below `folder`, which decides the disk.
pub(crate) fn measure(folder: &Path) -> Outcome<Figures> {
    let folder = tempfile::tempdir_in(folder)?;
    let folder = folder.path();
    let busy = recorded(&BUSY, folder)?;
    std::fs::remove_file(&busy.path)?;
    let reference = recorded(&REFERENCE, folder)?;
    let mut figures = vec![
        ("recording.bytes_per_change", reference.bytes as f64 / reference.changes as f64),
        ("recording.bytes_per_scan_point", reference.bytes as f64 / reference.scan_points as f64),
        ("recording.append_samples_per_s", append(&reference, folder)?),
    ];
    figures.extend(replay::measure(&reference)?);
    figures.extend(ratios(&reference, folder)?);
    Ok(figures)
}

fn recorded(load: &Load, folder: &Path) -> Outcome<Recording> {
    let begin = Instant::now();
    let recording = load::record(load, folder)?;
    let (changes, points) = (recording.changes as f64, recording.scan_points as f64);
    eprintln!(
        "{}: {:.0} s of plant, {} tags, {changes} changes ({:.1} % of scan points), {} bytes: {:.3} per change, {:.3} \
         per scan point; made and recorded in {:.1} s",
        load.name,
        load.lasts.as_secs_f64(),
        recording.config.tags.len(),
        100.0 * changes / points,
        recording.bytes,
        recording.bytes as f64 / changes,
        recording.bytes as f64 / points,
        begin.elapsed().as_secs_f64(),
    );
    Ok(recording)
}

/// The reference load's own batches, offered as fast as the recorder takes them with its default pace and FULL
/// durability.
fn append(recording: &Recording, folder: &Path) -> Outcome<f64> {
    let file = ShiftFile::open(&recording.path)?;
    let start = file.start()?;
    let (mut batches, mut samples) = (Vec::new(), 0);
    for row in file.rows(start.seq) {
        if let Row::Batch(batch) = row? {
            samples += batch.inputs.len() as u64;
            batches.push(Arc::new(batch));
        }
        if samples >= APPENDED {
            break;
        }
    }
    let folder = folder.join("append");
    let mut recorder = Recorder::create_with(&folder, file.header().clone(), &start, Options::default())?;
    let begin = Instant::now();
    for batch in batches {
        while recorder.status().queued_samples > AHEAD {
            std::thread::sleep(Duration::from_micros(200));
        }
        if recorder.append(batch) == Appended::Refused {
            return Err("refused although there was room".into());
        }
    }
    recorder.flush(PATIENCE)?;
    let rate = samples as f64 / begin.elapsed().as_secs_f64();
    recorder.close(PATIENCE)?;
    std::fs::remove_dir_all(folder)?;
    Ok(rate)
}

/// How many times larger the others are.
fn ratios(recording: &Recording, folder: &Path) -> Outcome<Figures> {
    let peers = [
        ("recording.ratio_to_mcap", Some(peers::mcap_of_samples(recording, folder)?)),
        ("recording.ratio_to_mcap_scan", Some(peers::mcap_of_scans(recording, folder)?)),
        ("recording.ratio_to_sqlite_rows", Some(peers::sqlite_rows(recording, folder)?)),
        ("recording.ratio_to_influx", servers::influx(recording, folder)?),
        ("recording.ratio_to_victoriametrics", servers::victoria_metrics(recording, folder)?),
    ];
    let mut figures = Vec::new();
    for (id, bytes) in peers {
        let Some(bytes) = bytes else { continue };
        eprintln!(
            "{id}: {bytes} bytes, {:.2} per change, {:.2} per scan point",
            bytes as f64 / recording.changes as f64,
            bytes as f64 / recording.scan_points as f64
        );
        figures.push((id, bytes as f64 / recording.bytes as f64));
    }
    eprintln!("InfluxDB keeps the source time and the status, VictoriaMetrics the source time in ms and no status");
    Ok(figures)
}
