//! How fast the journal takes samples durably: batches of 1,000 samples for five seconds, offered as fast as the
//! recorder takes them, with its default pace and FULL durability. Prints one JSON line.
//!
//! `journal_rate [FOLDER]`: the folder decides the disk; without it, the system's temporary folder.
//! `bytes_per_sample` is the size of the finished file divided by its samples.

use lineside_model::state::{PlantState, Shift};
use lineside_model::{Batch, Input, Sample, StatusCode, TagId, Timestamp, Value};
use lineside_recording::{Appended, Commit, Header, Options, Recorder};
use std::error::Error;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

const RUN: Duration = Duration::from_secs(5);
const BATCH: u64 = 1_000;
/// So many samples may wait before the bench waits as well.
const AHEAD: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::print_stdout, reason = "the line is what this program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(folder)?;
    let (tell, commits) = mpsc::channel();
    let on_commit = Arc::new(move |commit: Commit| {
        // The receiver lives as long as the recorder.
        tell.send(commit).unwrap_or_default();
    });
    let options = Options { on_commit: Some(on_commit), ..Options::default() };
    let mut recorder = Recorder::create_with(dir.path(), header(), &PlantState::default(), options)?;
    let path = recorder.path().to_owned();
    let begun = Instant::now();
    let mut took: Vec<Duration> = Vec::new();
    let mut next = 1;
    while begun.elapsed() < RUN {
        while recorder.status().queued_samples > AHEAD {
            took.push(commits.recv_timeout(PATIENCE)?.took);
        }
        if recorder.append(Arc::new(batch(next))) == Appended::Refused {
            return Err("refused although there was room".into());
        }
        next += BATCH;
    }
    recorder.flush(PATIENCE)?;
    let seconds = begun.elapsed().as_secs_f64();
    recorder.close(PATIENCE)?;
    took.extend(commits.try_iter().map(|commit| commit.took));
    took.sort();
    let samples = (next - 1) as f64;
    println!(
        "{{\"samples_per_s\":{:.0},\"p50_commit_ms\":{:.3},\"p99_commit_ms\":{:.3},\"bytes_per_sample\":{:.2}}}",
        samples / seconds,
        at(&took, 50),
        at(&took, 99),
        std::fs::metadata(&path)?.len() as f64 / samples,
    );
    Ok(())
}

/// Percentile in milliseconds.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}

/// One scan of 1,000 tags: noisy and slow analogue values, states and counters, some of them uncertain.
fn batch(first_seq: u64) -> Batch {
    let scan = (first_seq / BATCH) as i64;
    let at = 1_790_000_000_000_000_000 + scan * 1_000_000;
    let inputs = (0..BATCH as i64).map(|tag| {
        let noise = (tag.wrapping_mul(0x9E37_79B9) ^ scan.wrapping_mul(0x85EB_CA6B)) & 0xFFFF;
        let value = match tag % 10 {
            0..=5 => Value::Float(noise as f64 / 100.0),
            6 | 7 => Value::Int(noise % 17),
            _ => Value::UInt((scan + tag) as u64),
        };
        Input::Sample(Sample {
            tag: TagId(tag as u32),
            value,
            status: if tag % 100 == 0 { StatusCode(0x4000_0000) } else { StatusCode::GOOD },
            source_time: Some(Timestamp(at - 50_000_000 + tag / 50 * 10_000)),
            server_time: Some(Timestamp(at - 40_000_000)),
        })
    });
    Batch { first_seq, at: Timestamp(at), inputs: inputs.collect() }
}

fn header() -> Header {
    Header {
        writer: concat!("journal_rate ", env!("CARGO_PKG_VERSION")).into(),
        config_text: String::new(),
        config_path: String::new(),
        line: "bench".into(),
        time_zone: "Etc/UTC".into(),
        shift: Shift::default(),
        date: "1970-01-01".into(),
        clock_source: "none".into(),
    }
}
