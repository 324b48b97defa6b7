//! Time series databases as processes, loaded over their own HTTP interface. Sizes are of their data files after
//! they were told to write and merge everything, without logs, indexes of names and preallocation.
//!
//! One that is not installed is told and not measured.

use super::load::Recording;
use super::peers::value;
use crate::Outcome;
use lineside_model::{Sample, Span};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READY: Duration = Duration::from_secs(30);
/// Compaction has ended when the size has not changed for so long.
const STILL: Duration = Duration::from_secs(15);
const COMPACTED: Duration = Duration::from_secs(180);
/// Lines of one request.
const LINES: usize = 20_000;

/// InfluxDB 1.6: value and status as fields, the source time in nanoseconds. It keeps neither server time nor arrival.
pub(crate) fn influx(recording: &Recording, folder: &Path) -> Outcome<Option<u64>> {
    let home = folder.join("influx");
    fs::create_dir_all(&home)?;
    let (http, rpc) = (free_port()?, free_port()?);
    let place = home.display();
    fs::write(
        home.join("influx.conf"),
        format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{rpc}\"\n\
             [meta]\ndir = \"{place}/meta\"\nlogging-enabled = false\n\
             [data]\ndir = \"{place}/data\"\nwal-dir = \"{place}/wal\"\nquery-log-enabled = false\n\
             cache-snapshot-write-cold-duration = \"2s\"\ncompact-full-write-cold-duration = \"4s\"\n\
             [monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"127.0.0.1:{http}\"\nlog-enabled = false\n"
        ),
    )?;
    let mut command = Command::new("influxd");
    command.arg("run").arg("-config").arg(home.join("influx.conf"));
    let Some(server) = Server::start(&mut command, http)? else { return Ok(None) };
    server.ask("POST", "/query?q=CREATE+DATABASE+bench+WITH+DURATION+INF+SHARD+DURATION+52w", b"")?;
    let line = |lines: &mut String, name: &str, sample: &Sample, source: Span| {
        // Writing to a String cannot fail.
        let _infallible = match value(sample) {
            Some(value) => writeln!(lines, "s,tag={name} v={value},q={}i {}", sample.status.0, source.0),
            None => writeln!(lines, "s,tag={name} q={}i {}", sample.status.0, source.0),
        };
    };
    server.load(recording, "/write?db=bench&precision=ns", &line)?;
    let stored = server.ask("GET", "/query?db=bench&q=SELECT+count(v)+FROM+s", b"")?;
    complete("InfluxDB", recording, stored.rsplit_once(',').and_then(|(_, rest)| rest.split(']').next()))?;
    settled(&home.join("data"), ".tsm").map(Some)
}

/// VictoriaMetrics: the value alone, at the source time in milliseconds. It keeps no status and no other time.
pub(crate) fn victoria_metrics(recording: &Recording, folder: &Path) -> Outcome<Option<u64>> {
    let home = folder.join("victoria-metrics");
    let http = free_port()?;
    let mut command = Command::new("victoria-metrics");
    command
        .arg(format!("-storageDataPath={}", home.display()))
        .arg(format!("-httpListenAddr=127.0.0.1:{http}"))
        .arg("-retentionPeriod=100y");
    let Some(server) = Server::start(&mut command, http)? else { return Ok(None) };
    let line = |lines: &mut String, name: &str, sample: &Sample, source: Span| {
        if let Some(value) = value(sample) {
            // Writing to a String cannot fail.
            let _infallible = writeln!(lines, "s,tag={name} v={value} {}", source.0 / 1_000_000);
        }
    };
    server.load(recording, "/write?precision=ms", &line)?;
    server.ask("GET", "/internal/force_flush", b"")?;
    let everything = "/api/v1/query?query=sum(count_over_time(s_v[1d]))&time=1772496000&nocache=1";
    let stored = server.ask("GET", everything, b"")?;
    complete("VictoriaMetrics", recording, stored.rsplit('"').nth(1))?;
    server.ask("GET", "/internal/force_merge", b"")?;
    settled(&home.join("data"), ".bin").map(Some)
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// `None`, and a line that says so, where the program is not installed.
    fn start(command: &mut Command, port: u16) -> Outcome<Option<Server>> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = match quiet.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                eprintln!("{}: not installed", command.get_program().display());
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let server = Server { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        let begin = Instant::now();
        while TcpStream::connect(server.address).is_err() {
            if begin.elapsed() > READY {
                return Err(format!("{} does not listen", command.get_program().display()).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(server))
    }

    /// Sends every sample as a line that `line` writes.
    fn load(&self, recording: &Recording, place: &str, line: &dyn Fn(&mut String, &str, &Sample, Span)) -> Outcome<()> {
        let (mut lines, mut waiting) = (String::new(), 0);
        recording.each_scan(|_, samples| {
            for sample in samples {
                let source = Span(sample.source_time.ok_or("a sample without source time")?.0);
                line(&mut lines, &recording.config.tag(sample.tag).name, sample, source);
                waiting += 1;
            }
            if waiting >= LINES {
                self.ask("POST", place, lines.as_bytes())?;
                (waiting, lines) = (0, String::new());
            }
            Ok(())
        })?;
        self.ask("POST", place, lines.as_bytes())?;
        Ok(())
    }

    /// The answer, head and body.
    fn ask(&self, method: &str, place: &str, body: &[u8]) -> Outcome<String> {
        let mut stream = TcpStream::connect(self.address)?;
        let head = format!(
            "{method} {place} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        if status.starts_with('2') { Ok(answer) } else { Err(format!("{method} {place}: {answer}").into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("ending a database: {error}");
        }
    }
}

/// A database that has not taken every value is not compared. It counts one value of a tag per instant of its clock.
fn complete(name: &str, recording: &Recording, stored: Option<&str>) -> Outcome<()> {
    let mut given = 0_u64;
    recording.each_scan(|_, samples| {
        given += samples.iter().filter(|sample| value(sample).is_some()).count() as u64;
        Ok(())
    })?;
    let stored: u64 = stored.ok_or_else(|| format!("{name} does not say its count"))?.trim().parse()?;
    eprintln!("{name}: {stored} of {given} values stored");
    if stored as f64 > 0.999 * given as f64 { Ok(()) } else { Err(format!("{name} has lost values").into()) }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Bytes of the files whose names end so, once they have stopped changing.
fn settled(folder: &Path, ending: &str) -> Outcome<u64> {
    let begin = Instant::now();
    let (mut bytes, mut since) = (0, Instant::now());
    while bytes == 0 || since.elapsed() < STILL {
        if begin.elapsed() > COMPACTED {
            return Err(format!("{}: still being compacted", folder.display()).into());
        }
        std::thread::sleep(Duration::from_millis(500));
        let now = size(folder, ending)?;
        if now != bytes {
            (bytes, since) = (now, Instant::now());
        }
    }
    Ok(bytes)
}

fn size(folder: &Path, ending: &str) -> Outcome<u64> {
    let mut bytes = 0;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // It was merged away, or is not there yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        bytes += match fs::metadata(&path) {
            Ok(about) if about.is_dir() => size(&path, ending)?,
            Ok(about) if path.to_string_lossy().ends_with(ending) => about.len(),
            _ => 0,
        };
    }
    Ok(bytes)
}
