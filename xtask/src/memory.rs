//! Memory of the real window after a while: backend and web view apart.
//!
//! Counted is the proportional set size (`Pss` of `/proc/<pid>/smaps_rollup`): shared pages are
//! divided among those who share them, so that the sum over processes is what they cost together.

use crate::make::Programs;
use crate::plant::{Plant, end};
use crate::run::host;
use crate::screen::Screen;
use crate::shell::{Outcome, Problem, target};
use serde_json::{Map, Value};
use std::fs;
use std::process::Child;
use std::time::Duration;

/// Opens the window on a screen without hardware and reads its memory after `minutes`.
pub(crate) fn measure(programs: &Programs, minutes: f64) -> Outcome<Map<String, Value>> {
    let screen = Screen::start()?;
    let folder = target()?.join("bench-memory");
    fs::remove_dir_all(&folder).or_else(absent).map_err(Problem::file("emptying", &folder))?;
    let plant = Plant::start(programs, &folder)?;
    let mut window = host(programs, "lineside", &plant.configuration, Some(&plant.data))
        .env("DISPLAY", &screen.display)
        .env_remove("WAYLAND_DISPLAY")
        .spawn()
        .map_err(Problem::file("starting", &programs.path("lineside")))?;
    println!("measuring memory for {minutes} min ...");
    std::thread::sleep(Duration::from_secs_f64(minutes * 60.0));
    let read = read(&mut window);
    end(&mut window);
    read
}

fn read(window: &mut Child) -> Outcome<Map<String, Value>> {
    if let Ok(Some(status)) = window.try_wait() {
        return Err(Problem::new(format!("the window ended with {status} before it was measured"), ""));
    }
    let backend = pss_mb(window.id())?;
    let web: Vec<f64> = descendants(window.id()).into_iter().map(pss_mb).collect::<Outcome<_>>()?;
    if web.is_empty() {
        return Err(Problem::new("the window has no web process", "Did it open? Its messages stand above."));
    }
    let rows = [("memory.backend_mb", backend), ("memory.webview_mb", web.iter().sum())];
    Ok(rows.into_iter().map(|(id, value)| (id.to_owned(), Value::from(value))).collect())
}

fn pss_mb(process: u32) -> Outcome<f64> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = fs::read_to_string(&path).map_err(Problem::file("reading", path.as_ref()))?;
    let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| Problem::new(format!("{path} has no Pss"), ""))
}

/// Children, their children, and so on.
fn descendants(process: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process| Some((process, parent(process)?)))
        .collect();
    let mut found = vec![process];
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        found.extend(processes.iter().filter(|(_, parent)| *parent == of).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
