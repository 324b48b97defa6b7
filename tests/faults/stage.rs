//! A peer that counts, a network, and the adapter behind it; and what must hold after a fault.

use lineside_model::config::Security;
use lineside_model::{Input, LinkState};
use lineside_tests::peers::{Counts, Kind, Options, Peer, counters};
use lineside_tests::proxy::{Cable, Proxy};
use lineside_tests::watch::{Watch, endpoint, plant};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const COUNTERS: usize = 20;
/// Within this all values must be back. Three seconds is the target, and is printed beside the measured time; a
/// busy machine may take longer.
const RETURN: Duration = Duration::from_secs(40);
/// Within this the server must have no more than what is in use.
const TIDY: Duration = Duration::from_secs(15);
/// So long values must flow after the return before the account is made.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Everything that a case may hurt.
pub(crate) struct Stage {
    _runtime: Runtime,
    pub(crate) peer: Option<Peer>,
    pub(crate) proxy: Proxy,
    pub(crate) watch: Watch,
    /// What the adapter has at the server when all is well.
    wanted: Counts,
    /// The case left subscriptions at the server that no client can take over or delete.
    pub(crate) orphans: bool,
    _folder: TempDir,
}

impl Stage {
    /// A counting peer, whose values arrive. `None` where it is not installed.
    pub(crate) fn new(kind: Kind, change: impl FnOnce(&mut Options)) -> Option<Stage> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = Options { counters: COUNTERS, ..Options::new(&folder.path().join("theirs")) };
        std::fs::create_dir_all(&options.folder).expect("a folder in a temporary folder");
        change(&mut options);
        let counted = options.counters;
        let mut peer = Peer::start(kind, options)?;
        let proxy = Proxy::start(&runtime, peer.port());
        let watch = connect(&runtime, proxy.port(), counted, &folder.path().join("ours"));
        let wanted = peer.counts();
        let mut stage =
            Stage { _runtime: runtime, peer: Some(peer), proxy, watch, wanted, orphans: false, _folder: folder };
        stage.settled()?;
        Some(stage)
    }

    pub(crate) fn peer(&mut self) -> &mut Peer {
        self.peer.as_mut().expect("the peer runs between the cases")
    }

    /// The last number that the server produced.
    pub(crate) fn round(&self) -> u32 {
        self.peer.as_ref().map_or(0, |peer| peer.rounds().len() as u32)
    }

    /// The rounds of [`AFTERWARDS`].
    fn afterwards(&mut self) -> u32 {
        let interval = self.peer().options.interval;
        AFTERWARDS.div_duration_f64(interval).ceil() as u32
    }

    /// The first values have come; what the adapter made at the server is what there is to be from now on.
    fn settled(&mut self) -> Option<()> {
        let soon = self.round() + self.afterwards();
        self.watch.until_everybody_at(soon, RETURN).expect("the first values");
        let tags = self.watch.tags();
        // Beside the tags the adapter watches how the server is; it asks for that last, so all else is there then.
        let whole = self.peer().until_counts(|counts| counts.items > tags, TIDY);
        self.wanted =
            whole.unwrap_or_else(|counts| panic!("what is watched beside {tags} tags never came: {counts:?}"));
        Some(())
    }

    /// Hurts, mends, and checks what must hold afterwards. The problems found, in words.
    pub(crate) fn check(&mut self, name: &str, hurt: impl FnOnce(&mut Stage)) -> Vec<String> {
        hurt(self);
        let mended = Instant::now();
        let back = self.watch.until_everybody_at(self.round() + 1, RETURN);
        let took = mended.elapsed().as_secs_f64();
        let mut problems: Vec<String> = back.err().into_iter().collect();
        let soon = self.round() + self.afterwards();
        problems.extend(self.watch.until_everybody_at(soon, RETURN).err());
        let wanted = self.wanted;
        if !self.orphans
            && let Err(counts) = self.peer().until_counts(|counts| counts == wanted, TIDY)
        {
            problems.push(format!("the server has {counts:?}, wanted {wanted:?}"));
        }
        let rounds = self.peer().rounds();
        let account = self.watch.ledger.settle(&rounds);
        if account.unexplained_count > 0 {
            let some = &account.unexplained[..account.unexplained.len().min(10)];
            problems.push(format!("missing without a word (counter, number): {some:?}; {account}"));
        }
        let kind = self.peer().kind;
        eprintln!("{kind:?} {name}: values are back {took:.2} s after the mend (target 3); {account}");
        problems.into_iter().map(|problem| format!("{kind:?} {name}: {problem}")).collect()
    }
}

fn connect(runtime: &Runtime, port: u16, counted: usize, pki: &Path) -> Watch {
    Watch::start(runtime, plant(&endpoint(port), Security::None, counters(counted)), pki)
}

/// A case: its name, and what it does to the stage until everything is whole again.
pub(crate) type Case = (&'static str, fn(&mut Stage));

/// Runs `cases` one after the other on one peer; after a failure on a new one.
pub(crate) fn run(kind: Kind, cases: &[Case], change: impl Fn(&mut Options)) {
    let mut problems = Vec::new();
    let mut stage: Option<Stage> = None;
    let only = std::env::var("LINESIDE_CASE").ok();
    for (name, hurt) in cases.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        let Some(mut ready) = stage.take().or_else(|| Stage::new(kind, &change)) else { return };
        let found = ready.check(name, hurt);
        stage = (found.is_empty() && !ready.orphans).then_some(ready);
        problems.extend(found);
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

impl Stage {
    /// Ends the peer's process without a word, and starts it again.
    pub(crate) fn restart(&mut self, change: impl FnOnce(&mut Options)) {
        self.peer = self.peer.take().map(|peer| peer.restart(change));
    }

    /// Lets `rounds` pass at the server.
    pub(crate) fn let_count(&mut self, rounds: u32) {
        let until = self.round() + rounds;
        let deadline = Instant::now() + RETURN;
        while self.round() < until {
            assert!(Instant::now() < deadline, "the peer counts no more");
            std::thread::yield_now();
        }
    }

    /// Waits until the adapter says that the link is not up, from position `from` on.
    pub(crate) fn until_noticed(&mut self, from: usize) {
        let noticed = |input: &Input| matches!(input, Input::Link { state, .. } if *state != LinkState::Up);
        self.watch.until(from, "a word about the link", noticed);
    }

    pub(crate) fn mend(&mut self) {
        self.proxy.set(Cable::Whole);
    }
}
