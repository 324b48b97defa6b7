//! The OPC UA adapter alone, against async-opcua's own server as a process: how fast it creates items, what it
//! loses under load, how soon it is back, and what a value costs beside the clients of asyncua and node-opcua
//! on the same server at the same time.

use crate::rig::cpu;
use crate::{Figures, Outcome};
use lineside_model::config::Security;
use lineside_model::{Input, LinkState};
use lineside_tests::peers::{self, Counts, Kind, Options, Peer, counters};
use lineside_tests::proxy::{Cable, Proxy};
use lineside_tests::watch::{Watch, endpoint, plant};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(120);
const MANY: usize = 50_000;
/// 1,000 counters ten times a second are 10,000 changes a second.
const COUNTERS: usize = 1_000;
const INTERVAL: Duration = Duration::from_millis(100);
/// Each recovery is tried so often.
const TRIALS: usize = 3;

/// The median of an odd number of runs, or the upper of the middle two.
fn median(mut values: Vec<f64>) -> Outcome<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().ok_or_else(|| "nothing was measured".into())
}

fn start(folder: &Path, counters: usize, interval: Duration) -> Outcome<Peer> {
    std::fs::create_dir_all(folder)?;
    let options = Options { counters, interval, ..Options::new(folder) };
    Peer::start(Kind::AsyncOpcua, options).ok_or_else(|| "the test peer was not built".into())
}

/// `seconds` is how long the load lasts.
pub(crate) fn measure(seconds: u64) -> Outcome<Figures> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    let create = (0..TRIALS).map(|trial| created(&runtime, &folder.path().join(format!("create-{trial}"))));
    let create = median(create.collect::<Outcome<_>>()?)?;
    let recovery = median(recoveries(&runtime, &folder.path().join("recovery"))?)?;
    let mut figures = loaded(&runtime, &folder.path().join("load"), seconds)?;
    figures.extend([("opcua.create_50k_s", create), ("opcua.recovery_s", recovery)]);
    Ok(figures)
}

/// Seconds from the start of the adapter to the server's answer for the last item, with the server's own count
/// of them.
fn created(runtime: &Runtime, folder: &Path) -> Outcome<f64> {
    let mut peer = start(folder, MANY, Duration::from_secs(3_600))?;
    let config = plant(&endpoint(peer.port()), Security::None, counters(MANY));
    let begin = Instant::now();
    let mut watch = Watch::start(runtime, config, &folder.join("ours"));
    watch.forget_samples = true;
    let (mut seen, mut accepted) = (0, 0);
    while accepted < MANY {
        if !watch.pump(begin + PATIENCE) {
            return Err(format!("{accepted} of {MANY} items were created; {}", watch.last_link()).into());
        }
        let new = &watch.inputs[seen..];
        accepted += new.iter().filter(|input| matches!(input, Input::Item { status, .. } if status.is_good())).count();
        seen = watch.inputs.len();
    }
    let took = begin.elapsed().as_secs_f64();
    let counts: Counts = peer.counts();
    // Beside the tags the adapter watches how the server is.
    if counts.items < MANY {
        return Err(format!("the server has {counts:?}").into());
    }
    eprintln!("{MANY} items in {took:.2} s, {} subscriptions", counts.subscriptions);
    watch.stop(runtime);
    Ok(took)
}

/// Seconds from the mend to the last value's return, after a cut cable and after a restart of the server.
fn recoveries(runtime: &Runtime, folder: &Path) -> Outcome<Vec<f64>> {
    let mut peer = start(folder, COUNTERS, INTERVAL)?;
    let proxy = Proxy::start(runtime, peer.port());
    let config = plant(&endpoint(proxy.port()), Security::None, counters(COUNTERS));
    let mut watch = Watch::start(runtime, config, &folder.join("ours"));
    watch.forget_samples = true;
    watch.until_everybody_at(10, PATIENCE)?;
    let mut took = Vec::new();
    for trial in 0..2 * TRIALS {
        let before = watch.inputs.len();
        let restart = trial % 2 == 1;
        if restart {
            peer = peer.restart(|_| {});
        } else {
            proxy.set(Cable::Cut);
            watch.until(
                before,
                "a word about the cut",
                |input| matches!(input, Input::Link { state, .. } if *state != LinkState::Up),
            );
            std::thread::sleep(Duration::from_secs(5));
            proxy.set(Cable::Whole);
        }
        let mended = Instant::now();
        watch.until_everybody_at(peer.rounds().len() as u32 + 1, PATIENCE)?;
        took.push(mended.elapsed().as_secs_f64());
        eprintln!(
            "{}: back after {:.2} s",
            if restart { "restart" } else { "cut of 5 s" },
            mended.elapsed().as_secs_f64()
        );
        watch.until_everybody_at(peer.rounds().len() as u32 + 10, PATIENCE)?;
    }
    watch.stop(runtime);
    Ok(took)
}

/// A client of another stack, which counts.
struct Foreign {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Foreign {
    fn start(command: Option<Command>, url: &str) -> Outcome<Foreign> {
        let mut command = command.ok_or("a foreign client is not installed: cargo xtask test installs it")?;
        command.args([url, &COUNTERS.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let commands = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let mut foreign = Foreign { process, commands, answers };
        foreign.until("UP")?;
        Ok(foreign)
    }

    /// Values received so far.
    fn received(&mut self) -> Outcome<u64> {
        writeln!(self.commands, "count")?;
        Ok(self.until("OK ")?.parse()?)
    }

    fn until(&mut self, wanted: &str) -> Outcome<String> {
        loop {
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                return Err("a foreign client ended".into());
            }
            if let Some(rest) = line.trim().strip_prefix(wanted) {
                return Ok(rest.to_string());
            }
        }
    }

    fn reading(&mut self) -> Outcome<Reading> {
        Ok(Reading { values: self.received()?, cpu: cpu(&self.process.id().to_string())? })
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("ending a foreign client: {error}");
        }
    }
}

/// Values received and processor time used so far.
struct Reading {
    values: u64,
    cpu: Duration,
}

impl Reading {
    fn per_cpu_second_since(&self, before: &Reading) -> f64 {
        (self.values - before.values) as f64 / (self.cpu - before.cpu).as_secs_f64()
    }
}

/// Three clients at one server: ours alone is asked for its losses.
fn loaded(runtime: &Runtime, folder: &Path, seconds: u64) -> Outcome<Figures> {
    let peer = start(folder, COUNTERS, INTERVAL)?;
    let url = endpoint(peer.port());
    let mut watch = Watch::start(runtime, plant(&url, Security::None, counters(COUNTERS)), &folder.join("ours"));
    watch.forget_samples = true;
    let mut asyncua = Foreign::start(peers::python("client.py"), &url)?;
    let mut node_opcua = Foreign::start(peers::node_js("client.mjs"), &url)?;
    watch.until_everybody_at(peer.rounds().len() as u32 + 50, PATIENCE)?;
    let ours = |watch: &Watch| Outcome::Ok(Reading { values: watch.ledger.delivered(), cpu: cpu("self")? });
    let before = (ours(&watch)?, asyncua.reading()?, node_opcua.reading()?);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        watch.pump(end);
    }
    let after = (ours(&watch)?, asyncua.reading()?, node_opcua.reading()?);
    watch.until_everybody_at(peer.rounds().len() as u32, PATIENCE)?;
    let account = watch.ledger.settle(&peer.rounds());
    let rates = [
        after.0.per_cpu_second_since(&before.0),
        after.1.per_cpu_second_since(&before.1),
        after.2.per_cpu_second_since(&before.2),
    ];
    eprintln!("{seconds} s: {account}");
    for (name, rate, values) in [
        ("Lineside", rates[0], after.0.values - before.0.values),
        ("asyncua", rates[1], after.1.values - before.1.values),
        ("node-opcua", rates[2], after.2.values - before.2.values),
    ] {
        eprintln!("{name}: {values} values, {rate:.0} per CPU-second");
    }
    watch.stop(runtime);
    Ok(vec![
        ("opcua.lost", (account.unexplained_count + account.in_gaps) as f64),
        ("opcua.ratio_to_asyncua", rates[0] / rates[1]),
        ("opcua.ratio_to_node_opcua", rates[0] / rates[2]),
    ])
}
