//! Questions to a recording: exact leads, samples and pens, the same from a file that grows and from a closed one.

use crate::common::{PATIENCE, header};
use lineside_model::report::{Fill, FilledValue};
use lineside_model::state::{LinkHealth, PlantState, TagState};
use lineside_model::{
    Batch, ConnectionId, Gap, GapReason, GapScope, Input, LinkState, Sample, StatusCode, TagId, Timestamp, Value,
};
use lineside_recording::{Direction, KeyframeKind, Options, Pen, Reader, Recorder, ShiftFile};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// Of several groups of columns.
const TAGS: [u32; 5] = [0, 1, 3, 60, 170];
/// Of this tag every sample counts.
const COUNTED: TagId = TagId(3);

/// What the engine does with samples and with answers to monitoring requests, by the same rule (engine/src/tags.rs), and
/// nothing else: a plain model to compare leads with.
fn apply(state: &mut PlantState, seq: u64, at: Timestamp, input: &Input) {
    (state.seq, state.at) = (seq, at);
    match input {
        Input::Sample(sample) => {
            let tag = &mut state.tags[sample.tag.0 as usize];
            let later = matches!((sample.server_time, tag.server_time), (Some(new), Some(old)) if new > old);
            let older = matches!((sample.source_time, tag.source_time),
                (Some(new), Some(old)) if new < old && old <= at && tag.confirmed && !later);
            if sample.tag == COUNTED {
                state.clock_stepped_ns += 1;
            }
            if older {
                return;
            }
            *tag = TagState {
                value: sample.value.clone(),
                status: sample.status,
                source_time: sample.source_time,
                server_time: sample.server_time,
                received: Some(at),
                confirmed: true,
                item: tag.item,
                ..TagState::default()
            };
        }
        Input::Item { tag, status } => {
            let tag = &mut state.tags[tag.0 as usize];
            (tag.item, tag.confirmed) = (*status, false);
        }
        _ => {}
    }
}

fn blank() -> PlantState {
    PlantState { tags: vec![TagState::default(); 171], ..PlantState::default() }
}

#[derive(Clone, Debug)]
enum Op {
    Batch(Vec<Input>),
    Periodic,
    Hole,
}

fn input() -> impl Strategy<Value = Input> {
    let source = prop_oneof![6 => (0i64..3).prop_map(Some), 1 => (-40i64..0).prop_map(Some), 1 => Just(None)];
    let server = prop::option::of(0i64..50);
    let tag = || prop::sample::select(TAGS.to_vec());
    let sample = (tag(), any::<u8>(), source, server).prop_map(|(tag, value, source, server)| {
        Input::Sample(Sample {
            tag: TagId(tag),
            value: Value::UInt(value.into()),
            status: StatusCode::GOOD,
            // Relative to the stamp until the batch has one.
            source_time: source.map(Timestamp),
            server_time: server.map(Timestamp),
        })
    });
    let item = (tag(), any::<bool>()).prop_map(|(tag, bad)| Input::Item {
        tag: TagId(tag),
        status: if bad { StatusCode(0x8000_0000) } else { StatusCode::GOOD },
    });
    prop_oneof![12 => sample, 1 => item]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        10 => prop::collection::vec(input(), 1..8).prop_map(Op::Batch),
        2 => Just(Op::Periodic),
        1 => Just(Op::Hole),
    ];
    prop::collection::vec(op, 1..40)
}

/// How the inputs lie in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Journal,
    Blocks,
    /// The first half in blocks.
    Both,
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![Form::Journal, Form::Blocks, Form::Both])
}

/// Lives through the operations, records them, and notes every state on the way.
struct Lived {
    _dir: TempDir,
    path: PathBuf,
    states: Vec<PlantState>,
}

fn live(ops: Vec<Op>, form: Form) -> Lived {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut state = blank();
    let options = |seal| Options { seal, ..Options::default() };
    let mut recorder =
        Recorder::create_with(dir.path(), header(), &state, options(form != Form::Journal)).expect("creates");
    let half = ops.len() / 2;
    let path = recorder.path().to_owned();
    let mut states = vec![state.clone()];
    for (i, op) in ops.into_iter().enumerate() {
        let at = Timestamp(100 + i as i64 / 2 * 10); // some stamps twice
        if i == half && form == Form::Both {
            recorder.close(PATIENCE).expect("closes");
            recorder = Recorder::resume_with(&path, options(false)).expect("resumes");
        }
        match op {
            Op::Batch(mut inputs) => {
                for input in &mut inputs {
                    if let Input::Sample(sample) = input {
                        sample.source_time = sample.source_time.map(|source| Timestamp(at.0 + source.0));
                    }
                }
                let batch = Batch { first_seq: state.seq + 1, at, inputs };
                for (seq, input) in (batch.first_seq..).zip(&batch.inputs) {
                    apply(&mut state, seq, at, input);
                }
                recorder.append(Arc::new(batch));
            }
            Op::Periodic => {
                recorder.keyframe(KeyframeKind::Periodic, &state);
            }
            Op::Hole => {
                let seq = state.seq + 5;
                apply(&mut state, seq, at, &Input::Started { stopped: None });
                state.tags[0].value = Value::UInt(i as u64);
                recorder.keyframe(KeyframeKind::Resume, &state);
            }
        }
        states.push(state.clone());
    }
    recorder.close(PATIENCE).expect("closes");
    Lived { _dir: dir, path, states }
}

/// `seek` through the reader, from `from` if there is one, else from the keyframe before.
fn seek(reader: &mut Reader, from: Option<&PlantState>, until: Timestamp) -> (PlantState, usize) {
    let keyframe = reader.keyframe_before(until).expect("reads");
    let from = from.unwrap_or(&keyframe);
    let lead = reader.lead(from, until, &|tag| tag == COUNTED).expect("reads");
    assert_eq!(lead.damaged, []);
    let count = lead.inputs.len();
    let mut state = lead.base.unwrap_or_else(|| from.clone());
    for (seq, at, input) in lead.inputs {
        assert!(seq > state.seq && at >= state.at, "in replay order");
        apply(&mut state, seq, at, &input);
    }
    (state, count)
}

/// The last state lived through at or before `at`.
fn lived(states: &[PlantState], at: Timestamp) -> &PlantState {
    states.iter().rev().find(|state| state.at <= at).unwrap_or(&states[0])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_lead_ends_in_the_state_that_was_lived(ops in ops(), form in form()) {
        let Lived { _dir, path, states } = live(ops, form);
        let mut reader = Reader::new(ShiftFile::open(&path).expect("opens"));
        for at in (90..320).step_by(10).map(Timestamp) {
            let (found, _) = seek(&mut reader, None, at);
            prop_assert_eq!(&found, lived(&states, at), "at {:?}", at);
            for from in states.iter().filter(|state| state.at <= at).step_by(5) {
                let (found, _) = seek(&mut reader, Some(from), at);
                prop_assert_eq!(&found, lived(&states, at), "at {:?} from {}", at, from.seq);
            }
        }
    }

    #[test]
    fn journal_and_blocks_give_the_same_answers(ops in ops(), from in 90i64..300, length in 0i64..200) {
        let forms = [Form::Journal, Form::Blocks, Form::Both].map(|form| {
            let lived = live(ops.clone(), form);
            let mut reader = Reader::new(ShiftFile::open(&lived.path).expect("opens"));
            let answers = TAGS.map(TagId).map(|tag| {
                let pen = Pen { tag, connection: ConnectionId(0) };
                let line = reader.pen(pen, Timestamp(from), Timestamp(from + length), 7).expect("reads");
                (reader.overview(tag).expect("reads"), line)
            });
            let lead = reader.lead(&blank(), Timestamp(from), &|_| true).expect("reads");
            let every = all_samples(reader.file(), TagId(1)).len() as u32;
            prop_assert_eq!(answers[1].0.iter().map(|minute| minute.count).sum::<u32>(), every);
            Ok((answers, lead))
        });
        let [journal, blocks, both] = forms;
        let journal = journal?;
        prop_assert_eq!(&journal, &blocks?);
        prop_assert_eq!(&journal, &both?);
    }

    #[test]
    fn samples_are_those_that_were_recorded(
        ops in ops(),
        form in form(),
        from in 90i64..300,
        length in 0i64..200,
        tag in prop::sample::select(TAGS.to_vec()).prop_map(TagId),
    ) {
        let (from, to) = (Timestamp(from), Timestamp(from + length));
        let lived = live(ops, form);
        let file = ShiftFile::open(&lived.path).expect("opens");
        let all: Vec<_> = all_samples(&file, tag);
        let mut reader = Reader::new(file);
        let found: Vec<_> = reader.samples(tag, from, to).map(|s| s.expect("reads").seq).collect();
        let within = |at: Timestamp| at >= from && at <= to;
        let expected: Vec<_> = all.iter().filter(|(_, at)| within(*at)).map(|(seq, _)| *seq).collect();
        prop_assert_eq!(found, expected);
        let next = reader.next_sample(tag, to, Direction::After).expect("reads").map(|s| s.seq);
        prop_assert_eq!(next, all.iter().find(|(_, at)| *at > to).map(|(seq, _)| *seq));
        let before = reader.next_sample(tag, from, Direction::Before).expect("reads").map(|s| s.seq);
        prop_assert_eq!(before, all.iter().rev().find(|(_, at)| *at < from).map(|(seq, _)| *seq));
    }
}

/// A fixed file of both forms, with states in passing and a hole, and what was lived through.
static WHOLE: LazyLock<(Vec<u8>, Vec<PlantState>)> = LazyLock::new(|| {
    let sample = |n: u32| {
        Input::Sample(Sample {
            tag: TagId(TAGS[n as usize % 5]),
            value: Value::UInt(n.into()),
            status: StatusCode::GOOD,
            source_time: Some(Timestamp(i64::from(n % 7))),
            server_time: None,
        })
    };
    let op = |n: u32| match n % 10 {
        9 => Op::Periodic,
        5 if n > 20 => Op::Hole,
        _ => Op::Batch((n * 100..n * 100 + 60).map(sample).collect()),
    };
    let lived = live((0..40).map(op).collect(), Form::Both);
    (std::fs::read(&lived.path).expect("reads"), lived.states)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn damage_is_named_or_costs_the_end_and_never_passes_as_data(
        places in prop::collection::vec((any::<u32>(), 1u8..), 0..12),
        keep in prop::option::of(any::<u32>()),
    ) {
        let (mut bytes, states) = WHOLE.clone();
        for (place, flip) in places {
            let len = bytes.len();
            bytes[place as usize % len] ^= flip;
        }
        bytes.truncate(keep.map_or(usize::MAX, |keep| keep as usize % bytes.len()));
        let dir = tempfile::tempdir().expect("temp folder");
        let path = dir.path().join("x.shift");
        std::fs::write(&path, bytes).expect("writes");
        let Ok(file) = ShiftFile::open(&path) else { return Ok(()) };
        let mut reader = Reader::new(file);
        for at in (90..320).step_by(23).map(Timestamp) {
            let Ok(from) = reader.keyframe_before(at) else { continue };
            prop_assert!(states.contains(&from));
            let Ok(lead) = reader.lead(&from, at, &|tag| tag == COUNTED) else { continue };
            if !lead.damaged.is_empty() {
                continue;
            }
            let mut state = lead.base.unwrap_or(from);
            lead.inputs.iter().for_each(|(seq, at, input)| apply(&mut state, *seq, *at, input));
            let expected = lived(&states, at);
            prop_assert!(&state == expected || state.seq < expected.seq, "at {:?}", at);
        }
        let every = |tag| reader.samples(tag, Timestamp::MIN, Timestamp::MAX).take(10_000).count();
        prop_assert!(TAGS.map(TagId).map(every).iter().sum::<usize>() < 10_000);
        let pen = Pen { tag: TagId(3), connection: ConnectionId(0) };
        prop_assert!(reader.pen(pen, Timestamp(0), Timestamp(400), 50).map_or(true, |line| line.columns.len() == 50));
        prop_assert!(reader.overview(TagId(3)).map_or(true, |minutes| minutes.len() < 10));
        prop_assert!(reader.events(Timestamp::MIN, Timestamp::MAX).map_or(true, |events| events.is_empty()));
        prop_assert!(lineside_recording::attach::list(&path).map_or(true, |list| list.is_empty()));
        prop_assert!(lineside_recording::marks::list(&path).map_or(true, |list| list.is_empty()));
    }
}

#[test]
fn a_damaged_keyframe_in_passing_leads_nowhere_else() {
    let sample = |n: i64| {
        let source_time = Some(Timestamp(n - 100));
        let value = Value::Int(n);
        Input::Sample(Sample { tag: TagId(1), value, status: StatusCode::GOOD, source_time, server_time: None })
    };
    let op = |n: i64| match n {
        15 => Op::Hole,
        _ if n % 5 == 4 => Op::Periodic,
        _ => Op::Batch(vec![sample(n)]),
    };
    let lived = live((0..40).map(op).collect(), Form::Blocks);
    let whole = std::fs::read(&lived.path).expect("reads");
    let damages = ["crc = 0", "at = at + 70", "at = at - 70", "at = 1 << 60", "at = 0", "body = x'00'"];
    for (damage, skip) in damages.into_iter().flat_map(|damage| (0..7).map(move |skip| (damage, skip))) {
        std::fs::write(&lived.path, &whole).expect("writes");
        let which = format!("SELECT rowid FROM keyframe WHERE kind = 2 ORDER BY seq LIMIT 1 OFFSET {skip}");
        let changed = rusqlite::Connection::open(&lived.path)
            .expect("opens")
            .execute(&format!("UPDATE keyframe SET {damage} WHERE rowid IN ({which})"), [])
            .expect("damages");
        assert_eq!(changed, 1);
        let mut reader = Reader::new(ShiftFile::open(&lived.path).expect("opens"));
        for at in (90..320).step_by(10).map(Timestamp) {
            assert_eq!(&seek(&mut reader, None, at).0, self::lived(&lived.states, at), "{damage} of {skip}, at {at:?}");
        }
    }
}

fn all_samples(file: &ShiftFile, tag: TagId) -> Vec<(u64, Timestamp)> {
    let mut all = Vec::new();
    for row in file.rows(0) {
        let lineside_recording::Row::Batch(batch) = row.expect("reads") else { continue };
        let of_tag = |input: &Input| matches!(input, Input::Sample(sample) if sample.tag == tag);
        let found = (batch.first_seq..).zip(&batch.inputs).filter(|(_, input)| of_tag(input));
        all.extend(found.map(|(seq, _)| (seq, batch.at)));
    }
    all
}

#[test]
fn a_lead_leaves_out_what_does_not_matter() {
    let sample = |tag: u32, source: i64| {
        Input::Sample(Sample {
            tag: TagId(tag),
            value: Value::Int(source),
            status: StatusCode::GOOD,
            source_time: Some(Timestamp(source)),
            server_time: None,
        })
    };
    let check = |sources: [i64; 5], expected: usize| {
        let ops = sources.map(|source| Op::Batch(vec![sample(0, source), sample(1, 0)]));
        for form in [Form::Journal, Form::Blocks] {
            let lived = live(ops.to_vec(), form);
            let mut reader = Reader::new(ShiftFile::open(&lived.path).expect("opens"));
            assert_eq!(seek(&mut reader, None, Timestamp(1_000)).1, expected, "{sources:?} {form:?}");
        }
    };
    // The first input, the last of tag 0, the last of tag 1.
    check([0, 1, 2, 3, 4], 3);
    check([0, 0, 0, 0, 0], 3);
    // Source times are relative to stamps that grow by 10 every other batch.
    check([0, -5, 2, 3, 4], 6);
    check([0, 1, 2, 3, -40], 6);
}

#[test]
fn a_reader_follows_a_file_that_grows_and_never_holds_up_its_writer() {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut state = blank();
    let mut recorder = Recorder::create(dir.path(), header(), &state).expect("creates");
    let mut reader = Reader::new(ShiftFile::open(recorder.path()).expect("opens"));
    for seq in 1..20u64 {
        let at = Timestamp(seq as i64 * 10);
        let sample = Sample {
            tag: TagId(0),
            value: Value::UInt(seq),
            status: StatusCode::GOOD,
            source_time: Some(at),
            server_time: None,
        };
        let batch = Batch { first_seq: seq, at, inputs: vec![Input::Sample(sample)] };
        apply(&mut state, seq, at, &batch.inputs[0]);
        recorder.append(Arc::new(batch));
        if seq % 7 == 0 {
            recorder.keyframe(KeyframeKind::Periodic, &state);
        }
        recorder.flush(PATIENCE).expect("writes");
        assert_eq!(seek(&mut reader, None, at).0, state);
        assert_eq!(reader.samples(TagId(0), Timestamp(0), at).count() as u64, seq);
    }
    recorder.close(PATIENCE).expect("closes, although the reader is there");
    assert_eq!(seek(&mut reader, None, Timestamp::MAX).0, state);
    lineside_recording::marks::add(reader.file().path(), &Default::default()).expect("the reader is not in the way");
}

/// A file whose state shows `TagId(0)` as 5 since 1000 (in seconds), with these inputs at these seconds.
fn with_pen(inputs: Vec<(i64, Input)>) -> (TempDir, Reader) {
    let dir = tempfile::tempdir().expect("temp folder");
    let mut state = PlantState { seq: 10, at: s(1_000), ..blank() };
    state.links = vec![LinkHealth { state: LinkState::Up, ..LinkHealth::default() }];
    state.tags[0].received = Some(s(1_000));
    state.tags[0].value = Value::Float(5.0);
    state.tags[0].status = StatusCode::GOOD;
    let mut recorder = Recorder::create(dir.path(), header(), &state).expect("creates");
    let path = recorder.path().to_owned();
    for (seq, (at, input)) in (11..).zip(inputs) {
        recorder.append(Arc::new(Batch { first_seq: seq, at: s(at), inputs: vec![input] }));
    }
    recorder.close(PATIENCE).expect("closes");
    let reader = Reader::new(ShiftFile::open(path).expect("opens"));
    (dir, reader)
}

fn s(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000_000)
}

fn value(at: i64, value: f64) -> (i64, Input) {
    let sample = Sample {
        tag: TagId(0),
        value: Value::Float(value),
        status: StatusCode::GOOD,
        source_time: Some(s(at)),
        server_time: None,
    };
    (at, Input::Sample(sample))
}

fn gap(at: i64, from: i64, scope: GapScope) -> (i64, Input) {
    (at, Input::Gap(Gap { scope, from: s(from), to: s(at), reason: GapReason::LinkDown, lost: None }))
}

/// Columns in short: `first/min/max/last`, `|` where the line is broken, `-` empty, `!` bad values.
fn drawn(reader: &mut Reader, from: i64, to: i64, columns: usize) -> String {
    let pen = Pen { tag: TagId(0), connection: ConnectionId(0) };
    let line = reader.pen(pen, s(from), s(to), columns).expect("reads");
    let broken = |broken| if broken { "|" } else { "" };
    let short = |c: &lineside_recording::Column| {
        let bad = "!".repeat(c.bad as usize);
        if c.count == 0 {
            return format!("-{bad}");
        }
        let (before, after) = (broken(c.broken_before), broken(c.broken_after));
        format!("{before}{}/{}/{}/{}{after}{bad}", c.first, c.min, c.max, c.last)
    };
    let before = line.before.map_or("?".to_owned(), |before| before.to_string());
    format!("{before}: {}", line.columns.iter().map(short).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_pen_has_first_smallest_largest_and_last_of_each_column() {
    let (_dir, mut reader) = with_pen(vec![value(1_001, 3.0), value(1_002, 1.0), value(1_003, 4.0), value(1_025, 2.0)]);
    assert_eq!(drawn(&mut reader, 1_000, 1_040, 4), "?: |5/1/5/4 - 2/2/2/2 -");
    assert_eq!(drawn(&mut reader, 1_002, 1_030, 2), "3: 1/1/4/4 2/2/2/2");
    assert_eq!(drawn(&mut reader, 1_030, 1_040, 2), "2: - -");
    assert_eq!(drawn(&mut reader, 1_025, 1_025, 1), "4: 2/2/2/2", "an instant");
    assert_eq!(drawn(&mut reader, 1_030, 1_000, 1), "2: -", "no time at all");
    assert_eq!(drawn(&mut reader, 1_000, 1_040, 0), "?: ");
}

#[test]
fn what_is_bad_or_missing_breaks_the_line() {
    let other = |at, from| gap(at, from, GapScope::Connection(ConnectionId(1)));
    let bad = |at| {
        let (at, input) = value(at, f64::NAN);
        (at, input)
    };
    let check = |middle: Vec<(i64, Input)>, expected: &str| {
        let mut inputs = vec![value(1_005, 1.0)];
        inputs.extend(middle.clone());
        inputs.push(value(1_035, 2.0));
        let (_dir, mut reader) = with_pen(inputs);
        assert_eq!(drawn(&mut reader, 1_001, 1_041, 4), expected, "{middle:?}");
    };
    let down = Input::Link {
        connection: ConnectionId(0),
        state: LinkState::Down,
        status: StatusCode::GOOD,
        detail: "".into(),
    };
    check(vec![], "5: 1/1/1/1 - - 2/2/2/2");
    check(vec![bad(1_015)], "5: 1/1/1/1| -! - |2/2/2/2");
    check(vec![bad(1_015), value(1_016, 7.0)], "5: 1/1/1/1| |7/7/7/7! - 2/2/2/2");
    check(vec![gap(1_030, 1_015, GapScope::Plant)], "5: 1/1/1/1| - - |2/2/2/2");
    check(vec![gap(1_030, 1_015, GapScope::Tag(TagId(0)))], "5: 1/1/1/1| - - |2/2/2/2");
    check(vec![gap(1_030, 1_015, GapScope::Tag(TagId(1)))], "5: 1/1/1/1 - - 2/2/2/2");
    check(vec![other(1_030, 1_015)], "5: 1/1/1/1 - - 2/2/2/2");
    check(vec![(1_015, down)], "5: 1/1/1/1| - - |2/2/2/2");
    check(vec![(1_020, Input::Started { stopped: Some(s(1_012)) })], "5: 1/1/1/1| - - |2/2/2/2");
    let values = [1_018, 1_028].map(|at| FilledValue {
        value: Value::Int(at),
        source_time: Some(s(at)),
        ..FilledValue::default()
    });
    let fill = Fill { tag: TagId(0), from: s(1_012), to: s(1_030), values: values.to_vec() };
    let filled = vec![gap(1_030, 1_012, GapScope::Plant), (1_031, Input::Fill(Arc::new(fill)))];
    check(filled, "5: 1/1/1/1| |1018/1018/1018/1018 1028/1028/1028/1028 2/2/2/2");
}
