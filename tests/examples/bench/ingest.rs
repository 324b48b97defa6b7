//! The whole path (client, stamp, record, apply) under full load, beside the bare client in the same run.
//!
//! Both clients subscribe to every tag of the same plant over an equally secured connection. What the whole path
//! took in is counted in its own recording, where also every loss is.

use crate::bare::Bare;
use crate::rig::{Program, Rig, cpu};
use crate::screen::{Screen, now_ms};
use crate::{Figures, Outcome};
use lineside_model::{Input, Timestamp};
use lineside_recording::{Row, find_newest};
use std::path::Path;
use std::time::{Duration, Instant};

/// Changes of values per second that the plant makes.
const LOAD: &str = "10000";
const SETTLE: Duration = Duration::from_secs(5);
/// The recorder commits about five times a second; after this the measured time is on disk.
const COMMITTED: Duration = Duration::from_secs(3);
const CONNECTED: Duration = Duration::from_secs(60);

/// What both clients have used and taken at one moment.
struct Reading {
    at_ms: f64,
    host: Duration,
    bare: Duration,
    received: u64,
}

pub(crate) fn measure(programs: &Path, seconds: u64) -> Outcome<Figures> {
    let rig = Rig::start(programs, &["--changes-per-second", LOAD], |text| text)?;
    let config = lineside_config::load(&rig.configuration()).map_err(|errors| format!("{errors:?}"))?.config;
    let host = rig.host()?;
    connected(&host)?;
    let bare = Bare::start(&config, &rig.data().join("bare-pki"))?;
    std::thread::sleep(SETTLE);
    let begin = read(&host, &bare)?;
    std::thread::sleep(Duration::from_secs(seconds));
    let end = read(&host, &bare)?;
    std::thread::sleep(COMMITTED);
    drop(host);
    let (taken, lost) = recorded(&rig.data().join("shifts"), begin.at_ms, end.at_ms)?;
    let whole = taken as f64 / (end.host - begin.host).as_secs_f64();
    let bare = (end.received - begin.received) as f64 / (end.bare - begin.bare).as_secs_f64();
    let of_bare = end.received - begin.received;
    eprintln!("{seconds} s: whole path {taken} values at {whole:.0}/CPU-s, bare client {of_bare} at {bare:.0}/CPU-s");
    Ok(vec![
        ("ingest.lost", lost as f64),
        ("ingest.values_per_cpu_s", whole),
        ("ingest.ratio_to_bare_client", whole / bare),
    ])
}

fn read(host: &Program, bare: &Bare) -> Outcome<Reading> {
    Ok(Reading { at_ms: now_ms()?, host: host.cpu()?, bare: cpu("self")?, received: bare.received() })
}

/// Waits until the host has values; its screen is closed again, so that no frames are made while it is measured.
fn connected(host: &Program) -> Outcome<()> {
    let begin = Instant::now();
    let mut screen = Screen::open(&host.address, u32::MAX)?;
    while !screen.frame()?.iter().any(|shown| shown.live) {
        if begin.elapsed() > CONNECTED {
            return Err("the host has no live value".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Values recorded between two instants, and values lost from the first of them to the end of the recording. A gap
/// that does not know its count counts as one.
fn recorded(folder: &Path, from_ms: f64, to_ms: f64) -> Outcome<(u64, u64)> {
    let file = find_newest(folder).newest.ok_or("the host has recorded nothing")?;
    let (from, to) = (stamp(from_ms), stamp(to_ms));
    let (mut taken, mut lost) = (0, 0);
    for row in file.rows(0) {
        let Row::Batch(batch) = row? else { continue };
        for input in batch.inputs.iter().filter(|_| batch.at >= from) {
            match input {
                Input::Sample(_) if batch.at < to => taken += 1,
                Input::Gap(gap) => lost += gap.lost.unwrap_or(1).max(1),
                _ => {}
            }
        }
    }
    Ok((taken, lost))
}

fn stamp(ms: f64) -> Timestamp {
    Timestamp((ms * 1e6) as i64)
}
