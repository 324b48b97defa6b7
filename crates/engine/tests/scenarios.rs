//! Scenarios as text: `scenarios/NAME.txt` is fed to the engine line by line, and what comes out must be
//! `scenarios/NAME.out`. `UPDATE=1` writes the `.out` files anew; read their diff before committing it.
//!
//! A line is `SECOND VERB …`; seconds count from a full minute, `#` begins a comment. Verbs:
//! `sample TAG VALUE [good|bad|uncertain|0xCODE] [@SOURCE] [server=SECOND]` (source time: that of the
//! line, `@-` for none), `link ID up|connecting|down [0xCODE] [text]`, `sub ID live|late|none`,
//! `server ID [STARTED]`, `item TAG 0xCODE`, `gap plant|link:ID|tag:NAME FROM TO REASON`,
//! `shift NAME START END`, `recorder recording|lagging|failed`, `clock SECONDS`, `started [STOPPED]`,
//! `tick` (only advances), `show UNIT|TAG|output|gaps`.

mod plant;

use lineside_engine::{Change, Engine, Notice, scaled, trust};
use lineside_model::state::{Counter, RecorderState, Shift, UnitStatus};
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, Sample, Span, StatusCode, SubscriptionState, TagId,
    Timestamp, Value,
};
use std::fmt::Write;
use std::path::Path;

/// A full minute and a full hour.
const ZERO: Timestamp = Timestamp(1_700_002_800_000_000_000);

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder).expect("folder").map(|e| e.expect("entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    files.sort();
    assert!(!files.is_empty(), "no scenarios in {}", folder.display());
    files.iter().for_each(|path| check(path));
}

fn check(path: &Path) {
    let got = play(&std::fs::read_to_string(path).expect("scenario"));
    let golden = path.with_extension("out");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, &got).expect("write");
    }
    let want = std::fs::read_to_string(&golden).unwrap_or_default();
    let differs = got.lines().zip(want.lines().chain(std::iter::repeat(""))).find(|(got, want)| got != want);
    assert!(got == want, "{}: first difference (got, want): {differs:#?}\n{got}", path.display());
}

fn play(script: &str) -> String {
    let mut engine = Engine::new(plant::config());
    let (mut out, mut seq) = (String::new(), 0);
    for line in script.lines().map(|l| l.split('#').next().unwrap_or_default().trim()).filter(|l| !l.is_empty()) {
        let (second, rest) = line.split_once(' ').expect("SECOND VERB");
        let at = time(second);
        let mut changes = Vec::new();
        writeln!(out, "> {line}").expect("write");
        engine.advance_to(at, &mut changes);
        if let Some(what) = rest.strip_prefix("show ") {
            writeln!(out, "{}", show(&engine, what)).expect("write");
        } else if rest != "tick" {
            seq += 1;
            engine.apply(seq, at, &parse(&engine, at, rest), &mut changes);
        }
        describe(&engine, &changes).iter().for_each(|line| writeln!(out, "    {line}").expect("write"));
    }
    out
}

// ---- reading

fn time(text: &str) -> Timestamp {
    let seconds: f64 = text.parse().unwrap_or_else(|_| panic!("not a time: {text}"));
    ZERO + Span::from_millis((seconds * 1000.0).round() as i64)
}

fn tag(engine: &Engine, name: &str) -> TagId {
    let place = engine.config().tags.iter().position(|t| t.name == name);
    TagId(place.unwrap_or_else(|| panic!("no tag {name}")) as u32)
}

fn code(text: &str) -> StatusCode {
    match text {
        "good" => StatusCode::GOOD,
        "uncertain" => StatusCode(0x4000_0000),
        "bad" => StatusCode(0x8005_0000),
        hex => StatusCode(u32::from_str_radix(hex.trim_start_matches("0x"), 16).expect("status code")),
    }
}

fn connection(text: &str) -> ConnectionId {
    ConnectionId(text.parse().expect("connection"))
}

fn parse(engine: &Engine, at: Timestamp, text: &str) -> Input {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["sample", name, value, ref more @ ..] => Input::Sample(sample(tag(engine, name), value, more, at)),
        ["link", id, state, ref why @ ..] => Input::Link {
            connection: connection(id),
            state: match state {
                "up" => LinkState::Up,
                "connecting" => LinkState::Connecting,
                _ => LinkState::Down,
            },
            status: why.first().map_or(StatusCode::GOOD, |c| code(c)),
            detail: why.get(1..).unwrap_or_default().join(" ").into(),
        },
        ["sub", id, state] => Input::Subscription {
            connection: connection(id),
            state: match state {
                "live" => SubscriptionState::Live,
                "late" => SubscriptionState::Late,
                _ => SubscriptionState::None,
            },
        },
        ["server", id, ref started @ ..] => Input::Server {
            connection: connection(id),
            product: "Test server".into(),
            simulated: false,
            started: started.first().map(|t| time(t)),
        },
        ["item", name, status] => Input::Item { tag: tag(engine, name), status: code(status) },
        ["gap", scope, from, to, reason] => Input::Gap(gap(engine, scope, from, to, reason)),
        ["shift", name, start, end] => {
            Input::Shift(Shift { name: name.into(), start: time(start), end: time(end), crew: None, scheduled: true })
        }
        ["recorder", "recording"] => Input::Recorder(RecorderState::Recording),
        ["recorder", "lagging"] => Input::Recorder(RecorderState::Lagging(Span::from_secs(2))),
        ["recorder", "failed"] => Input::Recorder(RecorderState::Failed("disk full".into())),
        ["clock", by] => Input::ClockStep { by_ns: (time(by) - ZERO).0 },
        ["started"] => Input::Started { stopped: None },
        ["started", stopped] => Input::Started { stopped: Some(time(stopped)) },
        _ => panic!("not a line of a scenario: {text}"),
    }
}

fn sample(tag: TagId, value: &str, more: &[&str], at: Timestamp) -> Sample {
    let value = match value {
        "-" => Value::Empty,
        v => v.parse().map(Value::Int).or_else(|_| v.parse().map(Value::Float)).unwrap_or(Value::Text(v.into())),
    };
    let mut sample = Sample { tag, value, status: StatusCode::GOOD, source_time: Some(at), server_time: None };
    for word in more {
        match (word.strip_prefix('@'), word.strip_prefix("server=")) {
            (Some("-"), _) => sample.source_time = None,
            (Some(source), _) => sample.source_time = Some(time(source)),
            (_, Some(server)) => sample.server_time = Some(time(server)),
            _ => sample.status = code(word),
        }
    }
    sample
}

fn gap(engine: &Engine, scope: &str, from: &str, to: &str, reason: &str) -> Gap {
    let scope = match scope.split_once(':') {
        Some(("link", id)) => GapScope::Connection(connection(id)),
        Some((_, name)) => GapScope::Tag(tag(engine, name)),
        None => GapScope::Plant,
    };
    let reason = GapReason::ALL.into_iter().find(|r| format!("{r:?}") == reason).expect("reason");
    Gap { scope, from: time(from), to: time(to), reason, lost: None }
}

// ---- writing

fn second(time: Timestamp) -> String {
    if time == Timestamp::default() { "never".into() } else { format!("{}", (time - ZERO).as_secs_f64()) }
}

/// Each thing that changed once, in the order of its first change.
fn describe(engine: &Engine, changes: &[Change]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for change in changes {
        let line = match change {
            Change::Tag(id) => show(engine, &engine.config().tags[id.0 as usize].name),
            Change::Unit(id) => unit(engine, id.0 as usize),
            Change::Strip(id) => strip(engine, id.0 as usize),
            Change::Notice(notice) => describe_notice(notice),
            Change::Link(id) => link(engine, id.0 as usize),
            Change::Output => "output".into(),
            Change::Report(id) => report(engine, id.0 as usize),
            Change::Meta(id) => format!("meta {:?}", engine.state().tags[id.0 as usize].meta),
            Change::Recorder => format!("recorder {:?}", engine.state().recorder),
            Change::Shift => format!("shift {:?}", engine.state().shift.as_ref().map(|s| s.name.clone())),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Facts of a connection, and what was filled of its gaps.
fn report(engine: &Engine, place: usize) -> String {
    let report = &engine.state().links[place].report;
    let fills = engine.state().gaps.iter().filter(|known| known.tags + known.tags_without > 0);
    let fills: Vec<String> =
        fills.map(|known| format!("{} of {} tags", known.filled, known.tags + known.tags_without)).collect();
    format!(
        "report {} {:?} level {:?} skew {:?} filled [{}]",
        report.endpoint,
        report.server_state,
        report.service_level,
        report.clock_skew.map(|skew| skew.as_secs_f64()),
        fills.join(", ")
    )
}

fn show(engine: &Engine, what: &str) -> String {
    let state = engine.state();
    if let Some(place) = engine.config().units.iter().position(|u| u.name == what) {
        let rates: Vec<String> = state.units[place].rates.iter().map(|r| figure(*r)).collect();
        return format!("{}\n{}\nrates {}", unit(engine, place), strip(engine, place), rates.join(" "));
    }
    match what {
        "output" => {
            let point = |p: &lineside_model::state::OutputPoint| {
                format!("{}={}", second(p.at), p.total.map_or("?".into(), |t| t.to_string()))
            };
            format!("output {}", state.output.iter().map(point).collect::<Vec<_>>().join(" "))
        }
        "gaps" => {
            let gap = |g: &Gap| format!("{:?} [{}, {}) {:?}", g.scope, second(g.from), second(g.to), g.reason);
            format!("gaps {}", state.gaps.iter().map(|known| gap(&known.gap)).collect::<Vec<_>>().join(", "))
        }
        name => tag_line(engine, tag(engine, name)),
    }
}

fn tag_line(engine: &Engine, id: TagId) -> String {
    let tag = &engine.state().tags[id.0 as usize];
    let name = &engine.config().tags[id.0 as usize].name;
    let source = tag.source_time.map_or("-".into(), second);
    let shown = scaled(engine.config(), engine.state(), id).map_or(String::new(), |v| format!(" = {v}"));
    let trust = trust(engine.config(), engine.state(), id);
    format!("{name} {:?}{shown} {:?} @{source} {trust:?}", tag.value, tag.status)
}

fn figure(value: Option<f64>) -> String {
    value.map_or("?".into(), |v| format!("{}", (v * 1000.0).round() / 1000.0))
}

fn unit(engine: &Engine, place: usize) -> String {
    let UnitStatus { state, unmapped, state_since, mode, rate_per_min, good, reject, .. } =
        &engine.state().units[place];
    let mark = if *unmapped { " (unmapped)" } else { "" };
    format!(
        "{}: {state:?}{mark} since {}, {mode:?}, rate {}, good {}, reject {}",
        engine.config().units[place].name,
        second(*state_since),
        figure(*rate_per_min),
        counter(good),
        counter(reject)
    )
}

fn counter(counter: &Counter) -> String {
    let mut text = if counter.base.is_some() { counter.total.to_string() } else { "?".into() };
    let parts = [
        ("across gaps", counter.across_gaps),
        ("resets", counter.resets.into()),
        ("rejected", counter.rejected.into()),
    ];
    for (name, n) in parts.iter().filter(|(_, n)| *n > 0) {
        write!(text, " ({n} {name})").expect("write");
    }
    text + if counter.unusable { " unusable" } else { "" }
}

fn strip(engine: &Engine, place: usize) -> String {
    let interval = |i: &lineside_model::state::Interval| {
        let what = if i.known { format!("{:?}/{:?}", i.state, i.mode) } else { "?".into() };
        format!("{}={what}", second(i.start))
    };
    let list: Vec<String> = engine.state().units[place].intervals.iter().map(interval).collect();
    format!("strip {}: {}", engine.config().units[place].name, list.join(" "))
}

fn link(engine: &Engine, place: usize) -> String {
    let link = &engine.state().links[place];
    format!(
        "link {place}: {:?} since {} {:?} {:?}, subscription {:?} since {}",
        link.state,
        second(link.since),
        link.status,
        link.detail,
        link.subscription,
        second(link.subscription_since)
    )
}

fn describe_notice(notice: &Notice) -> String {
    let mut text = format!("notice {:?} at {}", notice.kind, second(notice.at));
    let mut add = |name: &str, value: Option<String>| {
        value.into_iter().for_each(|value| write!(text, " {name}={value}").expect("write"));
    };
    add("link", notice.connection.map(|c| c.0.to_string()));
    add("tag", notice.tag.map(|t| t.0.to_string()));
    add("from", notice.from.map(second));
    add("to", notice.to.map(second));
    add("status", Some(notice.status).filter(|s| *s != StatusCode::GOOD).map(|s| format!("{s:?}")));
    add("detail", Some(notice.detail.to_string()).filter(|d| !d.is_empty()));
    text
}
