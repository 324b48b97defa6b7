//! Servers that Lineside's adapter is tried against, each a process of its own: asyncua (Python), node-opcua
//! (JavaScript) and async-opcua (Rust). They take the same options, obey the same commands and are ended
//! with their owner.
//!
//! What is not installed is not run and says so; where `CI` is set that is a failure.

use crate::certificate::Certificate;
use lineside_model::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The namespace of everything that the peers serve.
pub const NAMESPACE: &str = "urn:lineside:peer";
/// The application URI of every peer; their certificates must carry it.
pub const APPLICATION: &str = "urn:lineside:test-server";
pub const USER: &str = "operator";
/// Cargo sets this variable for its tests and examples; its value is the user's password.
pub const PASSWORD_ENV: &str = "CARGO_PKG_NAME";
pub const PASSWORD: &str = "lineside-tests";

/// The first counter's node is `i=1000`.
const FIRST_COUNTER: usize = 1_000;
/// The slowest start (key generation on a busy machine), and the slowest answer.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Asyncua,
    NodeOpcua,
    AsyncOpcua,
}

/// What a peer is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// 0 for any.
    pub port: u16,
    /// For its files, the log of rounds among them: a peer that starts again here goes on counting.
    pub folder: PathBuf,
    /// `None`, `Basic256Sha256`, `Aes128Sha256RsaOaep`, `Aes256Sha256RsaPss`; the last three in both modes.
    pub policies: Vec<&'static str>,
    /// `anonymous`, `name`, `x509`.
    pub tokens: Vec<&'static str>,
    pub certificate: Option<Certificate>,
    /// The only client certificate that is accepted; otherwise every one is.
    pub trusted: Option<PathBuf>,
    /// The user that is accepted with a certificate.
    pub user_certificate: Option<PathBuf>,
    /// Namespaces before ours; another number moves our index.
    pub other_namespaces: u32,
    /// Each round gives all of them the next number, at one source time.
    pub counters: usize,
    pub interval: Duration,
    pub history: bool,
    /// Declared and enforced; 0 for none.
    pub limits: Limits,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub items_per_call: u32,
    pub items_per_subscription: u32,
    pub nodes_per_read: u32,
}

impl Options {
    /// Open to everybody, without counters.
    pub fn new(folder: &Path) -> Options {
        Options {
            port: 0,
            folder: folder.to_path_buf(),
            policies: vec!["None"],
            tokens: vec!["anonymous"],
            certificate: None,
            trusted: None,
            user_certificate: None,
            other_namespaces: 0,
            counters: 0,
            interval: Duration::from_millis(50),
            history: false,
            limits: Limits::default(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "port": self.port,
            "folder": self.folder,
            "policies": self.policies,
            "tokens": self.tokens,
            "user": USER,
            "password": PASSWORD,
            "certificate": self.certificate.as_ref().map(|certificate| &certificate.file),
            "key": self.certificate.as_ref().map(|certificate| &certificate.key),
            "trusted": self.trusted,
            "user_certificate": self.user_certificate,
            "other_namespaces": self.other_namespaces,
            "counters": self.counters,
            "interval_ms": self.interval.as_millis() as u64,
            "rounds": (self.counters > 0).then(|| self.rounds_file()),
            "history": self.history.then(|| self.folder.join("history.sqlite")),
            "limits": {
                "items_per_call": self.limits.items_per_call,
                "items_per_subscription": self.limits.items_per_subscription,
                "nodes_per_read": self.limits.nodes_per_read,
            },
        })
    }

    fn rounds_file(&self) -> PathBuf {
        self.folder.join("rounds")
    }
}

/// What clients have at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub sessions: usize,
    pub subscriptions: usize,
    pub items: usize,
}

/// A running peer; killed when dropped.
pub struct Peer {
    process: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
    pub kind: Kind,
    pub options: Options,
}

impl Peer {
    /// Starts, and returns when clients can connect. `None` where the peer is not installed.
    pub fn start(kind: Kind, options: Options) -> Option<Peer> {
        let mut command = program(kind)?;
        let mut process = command
            .arg(options.json().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program that was found can be started");
        let commands = process.stdin.take().expect("piped");
        let answers = lines(BufReader::new(process.stdout.take().expect("piped")));
        let mut peer = Peer { process, commands, answers, kind, options };
        let up = peer.until_line("UP");
        peer.options.port = up.parse().expect("UP and a port");
        Some(peer)
    }

    pub fn port(&self) -> u16 {
        self.options.port
    }

    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Gives a command and waits until it is carried out; `false` where this peer cannot.
    pub fn can(&mut self, command: &str) -> bool {
        writeln!(self.commands, "{command}").expect("the peer lives");
        loop {
            // Between the answers there may be warnings of the stack.
            match self.answer().get(..2) {
                Some("OK") => return true,
                Some("NO") => return false,
                _ => {}
            }
        }
    }

    /// Gives a command that this peer can carry out, and waits until it did.
    pub fn tell(&mut self, command: &str) {
        assert!(self.can(command), "{:?} cannot {command}", self.kind);
    }

    /// Waits for a line that begins with `wanted`; returns the rest of it.
    pub fn until_line(&mut self, wanted: &str) -> String {
        loop {
            if let Some(rest) = self.answer().strip_prefix(wanted) {
                return rest.trim().to_string();
            }
        }
    }

    pub fn counts(&mut self) -> Counts {
        writeln!(self.commands, "counts").expect("the peer lives");
        let answer = self.until_line("OK");
        let numbers: Vec<usize> = answer.split(' ').map(|number| number.parse().expect("a number")).collect();
        let [sessions, subscriptions, items] = numbers[..] else { panic!("{answer}") };
        Counts { sessions, subscriptions, items }
    }

    /// Waits until what clients have at the server satisfies `enough`, and returns it.
    ///
    /// # Errors
    /// What they have after `patience`.
    pub fn until_counts(&mut self, enough: impl Fn(Counts) -> bool, patience: Duration) -> Result<Counts, Counts> {
        let deadline = Instant::now() + patience;
        loop {
            let counts = self.counts();
            if enough(counts) {
                return Ok(counts);
            }
            if deadline < Instant::now() {
                return Err(counts);
            }
            std::thread::yield_now();
        }
    }

    /// Ends the process without a word to anybody, and starts it again on the same port with what `change` makes
    /// of its options.
    pub fn restart(self, change: impl FnOnce(&mut Options)) -> Peer {
        let (kind, mut options) = (self.kind, self.options.clone());
        drop(self);
        change(&mut options);
        Peer::start(kind, options).expect("it was installed before")
    }

    /// The source time of every round so far; round `n` is at index `n - 1`.
    pub fn rounds(&self) -> Vec<Timestamp> {
        let text = fs::read_to_string(self.options.rounds_file()).unwrap_or_default();
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let micros = |line: &str| line.split_once(' ').and_then(|(_, micros)| micros.parse::<i64>().ok());
        complete.lines().map(|line| Timestamp(micros(line).expect("number and time") * 1_000)).collect()
    }

    /// The next line that it prints.
    fn answer(&mut self) -> String {
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{:?} says nothing: {error}", self.kind))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait().map(drop)) {
            eprintln!("{:?} could not be ended: {error}", self.kind);
        }
    }
}

/// The node of a variable, as configurations write it.
pub fn node(name: &str) -> String {
    format!("nsu={NAMESPACE};s={name}")
}

/// The nodes of the counters.
pub fn counters(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("nsu={NAMESPACE};i={}", FIRST_COUNTER + number))
}

/// The peer's program, where it is installed.
pub fn program(kind: Kind) -> Option<Command> {
    match kind {
        Kind::Asyncua => python("peer.py"),
        Kind::NodeOpcua => node_js("peer.mjs"),
        Kind::AsyncOpcua => {
            let program = own_program();
            let how = "cargo build -p lineside-tests --bins";
            program.exists().then(|| Command::new(&program)).or_else(|| not_run(&program, how))
        }
    }
}

/// A script of `tests/peers/asyncua`.
pub fn python(script: &str) -> Option<Command> {
    let python = std::env::var_os("LINESIDE_PYTHON").map_or_else(|| here(".venv/bin/python"), PathBuf::from);
    if !python.exists() {
        let how = "python3 -m venv tests/.venv && tests/.venv/bin/pip install -r tests/peers/asyncua/requirements.txt";
        return not_run(&python, how);
    }
    let mut command = Command::new(python);
    command.arg(here("peers/asyncua").join(script));
    Some(command)
}

/// A script of `tests/peers/node`.
pub fn node_js(script: &str) -> Option<Command> {
    let folder = here("peers/node");
    if !folder.join("node_modules/node-opcua").exists() {
        return not_run(&folder.join("node_modules"), "npm --prefix tests/peers/node ci --ignore-scripts");
    }
    let mut command = Command::new("node");
    command.arg(folder.join(script));
    Some(command)
}

/// Beside the test programs in `deps/` or the examples.
fn own_program() -> PathBuf {
    let this = std::env::current_exe().expect("a test has a program");
    let folder = this.parent().and_then(Path::parent).expect("cargo puts programs into target/<profile>/<kind>");
    folder.join("lineside-test-peer")
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn not_run(missing: &Path, how: &str) -> Option<Command> {
    assert!(std::env::var_os("CI").is_none(), "{} is missing; install it with: {how}", missing.display());
    eprintln!("NOT RUN: {} is missing; install it with: {how}", missing.display());
    None
}

/// The lines of a pipe, so that one can wait for the next with a deadline.
fn lines(reader: impl BufRead + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
