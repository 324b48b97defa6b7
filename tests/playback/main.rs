//! Replay as a screen drives it, on recordings that a live session wrote.

use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, PlantConfig, Sample, Span, StatusCode, SubscriptionState,
    TagId, Timestamp, UnitId, Value,
};
use lineside_recording::{Direction, Mark, Reader, ShiftFile};
use lineside_runtime::replay::{
    Condition, Doubt, Figure, Op, ParameterChange, Progress, Timeline, Wanted, WhatIf, compare, find, parameters,
    what_if,
};
use lineside_runtime::{
    Clock, Command, Live, Options, Player, ReplaySession, SharedCore, SimClock, Speed, SystemClock, spawn,
};
use lineside_tests::world::{self, World};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A Thursday, six hours into the day shift.
const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const PATIENCE: Duration = Duration::from_secs(20);

/// A live session on a clock that stands still by itself.
struct Plant {
    live: Live,
    clock: Arc<SimClock>,
    config: Arc<PlantConfig>,
}

impl Plant {
    fn start(dir: &Path, keyframe_inputs: u64) -> Plant {
        let clock = Arc::new(SimClock::new(START));
        let config = Arc::new(world::plant());
        let live = Live::start(Arc::clone(&config), options(dir, keyframe_inputs), Arc::clone(&clock) as _);
        Plant { live, clock, config }
    }

    /// Seconds pass, then this arrives.
    fn after(&mut self, seconds: f64, inputs: Vec<Input>) {
        let mut left = (seconds * 1e9) as i64;
        while left > 1_000_000_000 {
            self.clock.advance(Span::from_secs(1));
            self.live.take(Vec::new());
            left -= 1_000_000_000;
        }
        self.clock.advance(Span(left));
        self.live.take(inputs);
    }

    fn connect(&mut self) {
        for connection in [ConnectionId(0), ConnectionId(1)] {
            self.after(0.1, vec![link(connection, LinkState::Up), subscription(connection)]);
        }
    }

    fn value(&mut self, seconds: f64, tag: &str, value: i64) {
        let tag = self.tag(tag);
        let time = Some(self.clock.now() + Span((seconds * 1e9) as i64));
        let sample =
            Sample { tag, value: Value::Int(value), status: StatusCode::GOOD, source_time: time, server_time: time };
        self.after(seconds, vec![Input::Sample(sample)]);
    }

    fn tag(&self, name: &str) -> TagId {
        let place = self.config.tags.iter().position(|tag| tag.name == name).expect("the plant has this tag");
        TagId(place as u32)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn options(dir: &Path, keyframe_inputs: u64) -> Options {
    Options {
        dir: Some(dir.to_owned()),
        writer: "tests".to_owned(),
        config_text: world::PLANT.to_owned(),
        config_path: "plant.toml".to_owned(),
        digest_every: Span::ZERO,
        keyframe_every: Span::from_secs(900),
        keyframe_inputs,
    }
}

fn link(connection: ConnectionId, state: LinkState) -> Input {
    let status = if state == LinkState::Up { StatusCode::GOOD } else { StatusCode(0x80AE_0000) };
    Input::Link { connection, state, status, detail: "".into() }
}

fn subscription(connection: ConnectionId) -> Input {
    Input::Subscription { connection, state: SubscriptionState::Live }
}

/// A recording of many kinds of inputs in one file, closed.
fn recorded(dir: &Path, seed: u64, steps: u32) -> PathBuf {
    let mut plant = Plant::start(dir, 200);
    let mut world = World::new(seed, &plant.config);
    plant.connect();
    for _ in 0..steps {
        let inputs = world.arrives(plant.now());
        plant.after(0.4, inputs);
    }
    plant.live.mark(Mark { at: plant.now(), text: "here".into(), ..Mark::default() }).expect("it records");
    plant.live.finish();
    only_file(dir)
}

fn only_file(dir: &Path) -> PathBuf {
    let mut files = files(dir);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn player(path: &Path) -> Player {
    Player::open(path, None, false, Arc::new(SystemClock::new())).expect("the file opens")
}

fn digest(core: &SharedCore) -> u64 {
    core.lock().engine.digest()
}

/// Waits for news until `reached`.
fn until(core: &SharedCore, reached: impl Fn(&lineside_runtime::Core) -> bool) {
    let end = Instant::now() + PATIENCE;
    let mut cursor = 0;
    loop {
        let core = core.lock_news(cursor, Duration::from_millis(200));
        if reached(&core) {
            return;
        }
        cursor = core.view.revision;
        assert!(Instant::now() < end, "still {:?}", core.playback);
    }
}

#[test]
fn a_replay_changes_no_file_and_ends_with_its_session() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = recorded(dir.path(), 1, 300);
    let bytes = || files(dir.path()).into_iter().map(|path| (path.clone(), std::fs::read(path).expect("readable")));
    let before: BTreeMap<PathBuf, Vec<u8>> = bytes().collect();

    let session = ReplaySession::open(&path, None, false).expect("the file opens");
    let begun = session.state().expect("a replay");
    assert!(!begun.playing && begun.position == begun.from);
    session.command(Command::Play(Some(Speed::Max))).expect("plays");
    until(session.core(), |core| core.playback.as_ref().is_some_and(|playback| !playback.playing));
    let ended = session.state().expect("a replay");
    assert_eq!((ended.position, ended.failure, ended.first_mismatch), (ended.to, None, None));
    assert!(ended.digests_equal > 250, "{}", ended.digests_equal);
    let last = digest(session.core());

    let middle = begun.from + Span((begun.to - begun.from).0 / 2);
    let there = session.command(Command::Seek(middle)).expect("seeks");
    assert_eq!((there.position, there.jump > ended.jump), (middle, true));
    let notices: Vec<Timestamp> = session.core().lock().view.notices_after(0).map(|notice| notice.at).collect();
    assert!(!notices.is_empty() && notices.iter().all(|at| *at <= middle), "no notice comes from the future");
    session.command(Command::StepChange { forward: true }).expect("steps");
    session.command(Command::StepChange { forward: false }).expect("steps back");
    session.command(Command::Loop { from: begun.from, to: middle }).expect("loops");
    let progress = Progress::default();
    let timeline = session.timeline().expect("readable");
    let mut reader = Reader::new(session.file().clone());
    let (config, after) = (session.config(), Direction::After);
    let found = find(&mut reader, &timeline, config, &Wanted::Mark, begun.from, after, &progress).expect("finds");
    assert_eq!(found.and_then(|found| found.mark).map(|mark| mark.text.to_string()), Some("here".to_owned()));
    let compared = compare(&mut reader, &timeline, config, begun.from, middle, &progress).expect("readable");
    let compared = compared.expect("to the end");
    assert_eq!(compared.tags.len() + compared.same_tags, config.tags.len());
    drop(reader);
    what_if(session.file(), &[], &progress).expect("runs").expect("to the end");
    session.command(Command::Follow).expect("goes to the end");
    assert_eq!(digest(session.core()), last);
    drop(session);
    assert!(bytes().eq(before), "a file was changed, or one was left beside it");
}

#[test]
fn a_file_that_is_written_is_followed_to_its_end() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut plant = Plant::start(dir.path(), 1_000_000);
    plant.connect();
    plant.live.flush().expect("written");
    let path = dir.path().join(plant.live.core().lock().file.clone());
    let clock = Arc::new(SystemClock::new());
    let mut player = Player::open(&path, None, true, clock).expect("the file opens");
    player.command(Command::Follow).expect("follows");
    for value in 0..5 {
        plant.value(1.0, "A.Speed", 600 + value);
        plant.live.flush().expect("written");
        player.tick(Span::from_millis(250));
        let state = player.state();
        assert_eq!((state.position, state.following, state.jump), (plant.now(), true, 2));
        assert_eq!(digest(&player.core()), digest(&plant.live.core()), "the replay at its end is the plant");
    }
    plant.live.finish();
    player.tick(Span::from_millis(250));
    player.tick(Span::from_millis(250));
    assert!(!player.state().following && !player.is_playing(), "nothing comes any more");
}

/// Whatever byte of a file is not as it was: what is shown without doubt is what was.
#[test]
fn a_damaged_file_is_doubtful_until_its_next_keyframe() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = recorded(dir.path(), 2, 400);
    let mut whole = player(&path);
    let to = whole.state().to;
    whole.command(Command::Seek(to)).expect("seeks");
    let truth = digest(&whole.core());
    let bytes = std::fs::read(&path).expect("readable");
    let (mut damaged, mut doubtful) = (0, 0);
    for place in (100..bytes.len()).step_by(bytes.len() / 60) {
        let mut hurt = bytes.clone();
        hurt[place] ^= 0x55;
        std::fs::write(&path, hurt).expect("writable");
        let Ok(mut player) = Player::open(&path, None, false, Arc::new(SystemClock::new())) else { continue };
        if player.command(Command::Play(Some(Speed::Max))).is_err() {
            continue;
        }
        while player.is_playing() {
            player.tick(Span::from_millis(33));
            doubtful += usize::from(player.state().doubt == Doubt::Damaged);
        }
        let state = player.state();
        damaged += usize::from(!state.damaged.is_empty());
        assert_eq!(state.digests_different, 0, "byte {place}: a digest met without doubt is equal: {state:?}");
        if state.failure.is_none() && state.doubt == Doubt::None && state.position == to {
            assert_eq!(digest(&player.core()), truth, "byte {place}: {state:?}");
        }
    }
    assert!(damaged > 5 && doubtful > 0, "{damaged} files were damaged, {doubtful} steps doubtful: too few");
}

#[test]
fn the_next_of_everything_is_found() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut plant = Plant::start(dir.path(), 10);
    plant.connect();
    let begun = plant.now();
    plant.value(1.0, "A.State", 6); // Execute, at 1 s
    plant.value(9.0, "A.Level", 8); // 5.0 shown, at 10 s
    plant.value(10.0, "A.Level", 2); // 2.0 shown, at 20 s
    plant.value(3.0, "A.Level", 2); // 23 s: the same once more
    plant.value(7.0, "A.State", 2); // Stopped, at 30 s
    plant.after(10.0, vec![link(ConnectionId(0), LinkState::Down)]); // 40 s
    plant.after(10.0, vec![link(ConnectionId(0), LinkState::Up), subscription(ConnectionId(0))]); // 50 s
    plant.value(5.0, "A.Level", 2); // 55 s
    let lost =
        Gap { scope: GapScope::Plant, from: begun + Span::from_secs(57), to: begun + Span::from_secs(58), ..gap() };
    plant.after(5.0, vec![Input::Gap(lost)]); // 60 s
    plant.after(40.0, Vec::new()); // 100 s
    plant.value(1.0, "B.Temperature", 1); // 101 s
    let (level, config) = (plant.tag("A.Level"), Arc::clone(&plant.config));
    plant.live.finish();
    let file = ShiftFile::open(only_file(dir.path())).expect("the file opens");
    let timeline = Timeline::of_index(&file).expect("readable").expect("it has an index");
    let mut reader = Reader::new(file);
    let below = |seconds: i64| {
        let for_at_least = Span::from_secs(seconds);
        Wanted::Condition(Condition { tag: level, op: Op::Below, value: 3.0, for_at_least })
    };
    use Direction::{After, Before};
    // what, from which second, which way, at which second
    let rows = [
        (Wanted::Change(level), 0, After, Some(10)),
        (Wanted::Change(level), 10, After, Some(20)),
        (Wanted::Change(level), 20, After, None),
        (Wanted::Change(level), 99, Before, Some(20)),
        (Wanted::Change(level), 20, Before, Some(10)),
        (Wanted::Change(level), 10, Before, None),
        (Wanted::Stop(UnitId(0)), 0, After, Some(30)),
        (Wanted::Stop(UnitId(0)), 30, After, None),
        (Wanted::Stop(UnitId(0)), 99, Before, Some(30)),
        (Wanted::Gap, 0, After, Some(57)),
        (Wanted::Gap, 57, Before, None),
        (below(0), 0, After, Some(20)),
        (below(15), 0, After, Some(35)),
        (below(15), 35, After, Some(73)),
        (below(30), 0, After, Some(88)),
        (below(60), 0, After, None),
        (below(15), 99, Before, Some(73)),
        (below(15), 73, Before, Some(35)),
        (below(15), 35, Before, None),
    ];
    for (wanted, from, direction, expected) in rows {
        let from = begun + Span::from_secs(from);
        let progress = Progress::default();
        let found = find(&mut reader, &timeline, &config, &wanted, from, direction, &progress).expect("readable");
        let second = found.map(|found| (found.at - begun).as_secs_f64());
        assert_eq!(second, expected.map(f64::from), "{wanted:?} from {:?} {direction:?}", (from - begun).as_secs_f64());
    }
}

/// What a comparison says of two moments is what two seeks show, in either order.
#[test]
fn two_moments_differ_in_what_is_seen_at_them() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = recorded(dir.path(), 3, 200);
    let file = ShiftFile::open(&path).expect("the file opens");
    let timeline = Timeline::of_index(&file).expect("readable").expect("it has an index");
    let (from, whole) = (timeline.from, timeline.to - timeline.from);
    let (mut player, mut reader) = (player(&path), Reader::new(file.clone()));
    let config = player.config();
    let mut see = |at: Timestamp| {
        player.command(Command::Seek(at)).expect("seeks");
        player.core().lock().engine.state().clone()
    };
    for (a, b) in [(0, 10), (3, 7), (7, 3), (5, 5), (2, 9)] {
        let (a, b) = (from + Span(whole.0 / 10 * a), from + Span(whole.0 / 10 * b));
        let got = compare(&mut reader, &timeline, &config, a, b, &Progress::default()).expect("readable");
        let got = got.expect("to the end");
        let (at_a, at_b) = (see(a), see(b));
        assert_eq!(got.tags.len() + got.same_tags, config.tags.len());
        for tag in &got.tags {
            let place = tag.tag.0 as usize;
            let (was, is) = (&at_a.tags[place], &at_b.tags[place]);
            let same = |seen: &Value, told: &Value| seen == told || seen.as_f64().is_some_and(f64::is_nan);
            assert!(same(&was.value, &tag.a.value) && same(&is.value, &tag.b.value), "{tag:?}");
            if let Some(first) = tag.first_changed {
                let (before, after) = (see((first - Span(1)).max(a.min(b))), see(first));
                assert!(first > a.min(b) && first <= a.max(b), "{tag:?}");
                assert_ne!(before.tags[place].received, after.tags[place].received, "{tag:?}");
            }
        }
        let units = (0..config.units.len()).filter(|unit| at_a.units[*unit].state != at_b.units[*unit].state);
        for unit in units {
            assert!(got.units.iter().any(|difference| difference.unit == UnitId(unit as u32)), "{unit} {got:?}");
        }
        assert!(got.notices.iter().all(|notice| notice.at > a.min(b) && notice.at <= a.max(b)));
        assert_eq!(a == b, got.tags.is_empty() && got.units.is_empty());
    }
}

fn gap() -> Gap {
    Gap { reason: GapReason::LostNotification, ..Gap::default() }
}

#[test]
fn a_what_if_shows_what_the_change_alone_does() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut plant = Plant::start(dir.path(), 1_000_000);
    plant.connect();
    plant.value(1.0, "A.State", 6);
    plant.value(1.0, "A.Good", 1000);
    plant.value(1.0, "A.Level", 1);
    plant.value(57.0, "A.Good", 1100); // 100 in 57 s: more than 50 per minute, less than 200
    plant.value(1.0, "A.State", 2);
    plant.value(90.0, "A.State", 6); // a stop of 90 s
    plant.value(10.0, "A.Speed", 500);
    plant.live.finish();
    let file = ShiftFile::open(only_file(dir.path())).expect("the file opens");
    let run = |changes: &[(&str, Option<f64>)]| -> WhatIf {
        let change = |(path, value): &(&str, Option<f64>)| ParameterChange { path: (*path).to_owned(), value: *value };
        let changes: Vec<ParameterChange> = changes.iter().map(change).collect();
        what_if(&file, &changes, &Progress::default()).expect("runs").expect("to the end")
    };
    let pair = |result: &WhatIf, figure: Figure, unit: Option<u32>| {
        let found = result.figures.iter().find(|pair| pair.figure == figure && pair.unit == unit.map(UnitId));
        found.map(|pair| (pair.recorded, pair.what_if)).expect("there is this figure")
    };
    let same = run(&[]);
    assert!(same.figures.iter().all(|pair| pair.recorded == pair.what_if), "{:?}", same.figures);
    assert_eq!((same.gone.len(), same.new.len()), (0, 0));
    assert!(same.same > 0 && same.inputs > 10);
    assert_eq!(pair(&same, Figure::Good, Some(0)), (Some(100.0), Some(100.0)));
    assert_eq!(pair(&same, Figure::Stops, Some(0)), (Some(1.0), Some(1.0)));
    assert_eq!(pair(&same, Figure::ShortStops, Some(0)), (Some(1.0), Some(1.0)));

    let stop = run(&[("line/minor_stop", Some(60.0))]);
    assert_eq!(pair(&stop, Figure::ShortStops, Some(0)), (Some(1.0), Some(0.0)));
    let rate = run(&[("unit/A/good.max_rate", Some(50.0))]);
    assert_eq!(pair(&rate, Figure::Good, Some(0)), (Some(100.0), Some(0.0)));
    let age = run(&[("tag/A.Level/max_age", None)]);
    // 158 s after the value, of which 10 s were its age; the speed came last.
    assert_eq!(pair(&age, Figure::Late, None), (Some(148.0), Some(0.0)));
    assert!(parameters(&world::plant()).iter().any(|parameter| parameter.path == "tag/A.Level/max_age"));
}

#[test]
fn a_computer_that_sleeps_beyond_the_end_of_the_shift_leaves_both_files_with_a_gap() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut plant = Plant::start(dir.path(), 1_000_000);
    plant.connect();
    plant.value(1.0, "A.State", 6);
    let slept = plant.now();
    let end = plant.live.core().lock().engine.state().shift.as_ref().expect("a shift").end;
    plant.clock.advance(Span::from_secs(12 * 3600));
    plant.live.take(Vec::new());
    let woke = plant.now();
    plant.live.finish();
    let gaps: Vec<Vec<Gap>> = files(dir.path())
        .iter()
        .map(|path| ShiftFile::open(path).expect("opens"))
        .map(|file| Timeline::of_index(&file).expect("readable").expect("indexed").gaps)
        .collect();
    let gap = |from, to| Gap { scope: GapScope::Plant, from, to, reason: GapReason::NotRunning, lost: None };
    assert_eq!(gaps, [vec![gap(slept, end)], vec![gap(end, woke)]]);
}

#[test]
fn a_mark_of_the_running_shift_is_in_its_file() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let live = Live::start(Arc::new(world::plant()), options(dir.path(), 1_000_000), clock);
    let (door, receiver) = lineside_model::inlet::inlet();
    let running = spawn(live, receiver).expect("a thread");
    let wanted = Mark { at: START, until: Some(START + Span::from_secs(15)), text: "jam".into(), ..Mark::default() };
    let first = running.mark(wanted.clone()).expect("it records");
    let second = running.mark(wanted).expect("it records");
    running.unmark(first.id).expect("it records");
    let path = running.file().expect("there is a file");
    drop(running);
    drop(door);
    let marks = ShiftFile::open(path).expect("opens").marks().expect("readable");
    assert_eq!(marks, [second]);
}
