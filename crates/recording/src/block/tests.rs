//! Whole blocks: any batches in, the same batches out; damage costs what it hits.

use crate::block::{Block, Builder, Fault, create_tables, delete_and_insert, group_of, list};
use crate::codec;
use crate::generate::{self, Bits};
use crate::query::sealed::BlockPart;
use lineside_model::{Batch, Input, Sample, StatusCode, TagId, Timestamp, Value};
use proptest::prelude::*;
use rusqlite::{Connection, params};

use super::Piece;

/// The batches numbered one after another.
fn numbered(mut batches: Vec<Batch>) -> Vec<Batch> {
    let mut next = 1;
    for batch in &mut batches {
        batch.first_seq = next;
        next = batch.last_seq() + 1;
    }
    batches
}

/// A file in memory whose block holds these batches.
fn sealed(batches: &[Batch]) -> Connection {
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute_batch("CREATE TABLE journal (seq INTEGER PRIMARY KEY)").expect("a table");
    let mut builder = Builder::default();
    for batch in batches {
        connection.execute("INSERT INTO journal VALUES (?1)", [batch.first_seq as i64]).expect("a row");
        builder.push(batch.clone());
    }
    create_tables(&connection).expect("tables");
    assert!(delete_and_insert(&connection, &builder.finish(|| false).expect("not stopped")).expect("rows"));
    connection
}

fn bytes(input: &Input) -> Vec<u8> {
    let mut bytes = Vec::new();
    let one = Batch { first_seq: 1, at: Timestamp(0), inputs: vec![input.clone()] };
    codec::encode(&one, &mut bytes);
    bytes
}

/// The block gives the batches, and every tag of it alone its samples.
fn check(batches: Vec<Batch>) {
    let batches = numbered(batches);
    let connection = sealed(&batches);
    let info = list(&connection).expect("a list")[0];
    let block = Block::open(&connection, info.id).expect("a block");
    let pieces: Vec<Piece> = block.pieces(&connection).expect("pieces").collect();
    assert_eq!(pieces.len(), batches.len());
    for (piece, batch) in pieces.iter().zip(&batches) {
        let Piece::Batch(found) = piece else { panic!("{piece:?}") };
        assert_eq!((found.first_seq, found.at), (batch.first_seq, batch.at));
        assert_eq!(Bits(&found.inputs), Bits(&batch.inputs));
    }
    check_tags(&connection, &block, &batches);
}

fn check_tags(connection: &Connection, block: &Block, batches: &[Batch]) {
    let mut of_tags = std::collections::BTreeMap::<TagId, Vec<(u64, i64, Input)>>::new();
    for batch in batches {
        for (seq, input) in (batch.first_seq..).zip(&batch.inputs) {
            if let Input::Sample(sample) = input {
                of_tags.entry(sample.tag).or_default().push((seq, batch.at.0, input.clone()));
            }
        }
    }
    let samples = of_tags.values().map(Vec::len).sum::<usize>();
    let mut part = BlockPart::open(connection, block.skeleton.info).expect("opens");
    for (tag, expected) in of_tags {
        part.load(connection, tag, true).expect("reads");
        let column = part.tag(tag).expect("is there");
        assert_eq!(column.len(), expected.len());
        for (i, (seq, at, input)) in expected.iter().enumerate() {
            assert_eq!((column.seq(i), column.at(i)), (*seq, Timestamp(*at)));
            assert_eq!(bytes(&Input::Sample(column.sample(i))), bytes(input));
        }
        let sources: Vec<_> = (0..column.len()).map(|i| column.source_time(i)).collect();
        let all_absent = sources.iter().all(Option::is_none);
        assert_eq!(column.is_ordered(), all_absent || (sources.iter().all(Option::is_some) && sources.is_sorted()));
        part.load_overview(connection, tag).expect("reads");
        let buckets = part.overview(tag).expect("an overview");
        assert_eq!(buckets.iter().map(|bucket| bucket.count as usize).sum::<usize>(), expected.len());
    }
    part.load(connection, TagId(77_777_777), true).expect("reads");
    assert!(part.tag(TagId(77_777_777)).is_none());
    part.load_all(connection).expect("reads");
    assert_eq!(part.tags().map(|tag| tag.len()).sum::<usize>(), samples);
    assert!(part.damaged().is_empty());
}

/// What a scan of `tags` gives at second `second`; about half of them changed.
fn scan(second: i64, tags: u32, jitter: bool) -> Batch {
    let changed = (0..tags).filter(|tag| (u64::from(*tag) * 31 + second as u64 * 17) % 7 < 4);
    let sample = |tag: u32| {
        let time = second * 1_000_000_000 + if jitter { i64::from(tag * 7_919 % 5_003) * 100 } else { 0 };
        Input::Sample(Sample {
            tag: TagId(tag),
            value: match tag % 5 {
                0 => Value::Bool(second % 9 == 0),
                1 => Value::UInt(second as u64 * 3),
                2 => Value::Text(format!("state {}", second / 20 % 3).into()),
                _ => Value::Float(f64::from(tag) + (second * 37 % 100) as f64 / 10.0),
            },
            status: StatusCode(if second % 50 == 3 { 0x8000_0000 } else { 0 }),
            source_time: Some(Timestamp(time)),
            server_time: Some(Timestamp(time + 2_000_000)),
        })
    };
    let inputs = changed.map(sample).collect();
    Batch { first_seq: 0, at: Timestamp(second * 1_000_000_000 + 40_000_000 + second % 7 * 1_000), inputs }
}

#[test]
fn scans_and_extremes_come_back() {
    check((0..200).map(|second| scan(second, 130, false)).collect());
    check((0..120).map(|second| scan(second, 60, true)).collect());
    for at in [Timestamp::MIN, Timestamp(0), Timestamp::MAX] {
        check(vec![Batch { first_seq: 1, at, inputs: generate::extremes() }; 3]);
    }
}

#[test]
fn a_lost_segment_costs_its_samples_and_no_others() {
    let batches = numbered((0..40).map(|second| scan(second, 130, false)).collect());
    let connection = sealed(&batches);
    connection.execute("UPDATE seg SET body = zeroblob(9) WHERE id % 4096 = 1", params![]).expect("damages");
    let block = Block::open(&connection, 1).expect("a block");
    let mut next = 1;
    for piece in block.pieces(&connection).expect("pieces") {
        match piece {
            Piece::Batch(found) => {
                assert_eq!(found.first_seq, next);
                let batch = batches.iter().rfind(|batch| batch.first_seq <= next).expect("a batch");
                let from = (next - batch.first_seq) as usize;
                assert_eq!(found.inputs, batch.inputs[from..from + found.inputs.len()]);
                next = found.last_seq() + 1;
            }
            Piece::Lost { first, last, reason, .. } => {
                assert_eq!(first, next);
                assert!(reason.starts_with("tags 100 to 199 in block 1: "), "{reason}");
                for seq in first..=last {
                    let batch = batches.iter().rfind(|batch| batch.first_seq <= seq).expect("a batch");
                    let Input::Sample(sample) = &batch.inputs[(seq - batch.first_seq) as usize] else { panic!() };
                    assert_eq!(group_of(sample.tag), 1);
                }
                next = last + 1;
            }
        }
    }
    assert_eq!(next, batches.last().expect("batches").last_seq() + 1);
}

#[test]
fn reading_goes_on_in_the_middle() {
    let batches = numbered((0..40).map(|second| scan(second, 130, false)).collect());
    let connection = sealed(&batches);
    for from in [0, 7, 39] {
        let mut pieces = Block::open(&connection, 1).expect("a block").pieces(&connection).expect("pieces");
        pieces.skip_to(batches[from].first_seq - 1);
        assert_eq!(pieces.peek(), Some((batches[from].first_seq, batches[from].last_seq())));
        let Some(Piece::Batch(found)) = pieces.next() else { panic!("nothing at {from}") };
        assert_eq!(found, batches[from]);
        assert_eq!(pieces.count(), 39 - from);
    }
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let scans = (0i64..30, 1u32..120, any::<bool>()).prop_map(|(n, tags, jitter)| {
        (0..n).map(|second| scan(second, tags, jitter)).filter(|batch| !batch.inputs.is_empty()).collect()
    });
    let sorted = prop::collection::vec(generate::batch(), 1..12).prop_map(|mut batches| {
        for batch in &mut batches {
            batch.inputs.sort_by_key(|input| if let Input::Sample(sample) = input { sample.tag.0 } else { 0 });
        }
        batches
    });
    prop_oneof![prop::collection::vec(generate::batch(), 1..12), sorted, scans]
        .prop_filter("a block has inputs", |batches: &Vec<Batch>| !batches.is_empty())
}

proptest! {
    #[test]
    fn every_block_gives_its_batches_back(batches in batches()) {
        check(batches);
    }

    #[test]
    fn damage_behind_the_checksums_never_panics(batches in batches(), flips in prop::collection::vec((any::<u32>(), 1u8..), 1..4)) {
        let mut builder = Builder::default();
        numbered(batches).into_iter().for_each(|batch| builder.push(batch));
        let mut packed = builder.finish(|| false).expect("not stopped");
        for (place, flip) in flips {
            let mut parts: Vec<&mut Vec<u8>> = vec![&mut packed.skeleton];
            parts.extend(packed.segments.iter_mut().flat_map(|segment| [&mut segment.body, &mut segment.overview]));
            let count = parts.len();
            let part = &mut parts[place as usize % count];
            let len = part.len();
            part[(place >> 8) as usize % len] ^= flip;
        }
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch("CREATE TABLE journal (seq INTEGER PRIMARY KEY)").expect("a table");
        create_tables(&connection).expect("tables");
        packed.batches = 0; // nothing is in the journal
        assert!(delete_and_insert(&connection, &packed).expect("rows"));
        let info = list(&connection).expect("a list")[0];
        if let Ok(block) = Block::open(&connection, info.id) {
            let mut next = info.seq0;
            let pieces = match block.pieces(&connection) {
                Ok(pieces) => pieces,
                Err(fault) => {
                    prop_assert!(matches!(fault, Fault::Damaged(_)), "{:?}", fault);
                    return Ok(());
                }
            };
            for piece in pieces {
                let (first, last) = match &piece {
                    Piece::Batch(batch) => (batch.first_seq, batch.last_seq()),
                    Piece::Lost { first, last, .. } => (*first, *last),
                };
                prop_assert_eq!(first, next);
                next = last + 1;
            }
            prop_assert_eq!(next, info.seq1 + 1);
            for tag in [0, 1, 51, u32::MAX].map(TagId) {
                let mut part = BlockPart::open(&connection, info).expect("opens");
                part.load(&connection, tag, true).expect("loads");
                part.load_overview(&connection, tag).expect("loads");
                let inputs = info.inputs().unwrap_or(0);
                if let Some(samples) = part.tag(tag) {
                    prop_assert!(samples.len() <= inputs);
                    let all = (0..samples.len()).map(|i| samples.seq(i) + samples.run_ends_by(i, 7) as u64);
                    prop_assert!(all.sum::<u64>() > 0, "every one can be asked for");
                    samples.sample(samples.len() - 1);
                }
                prop_assert!(part.overview(tag).map_or(0, |buckets| buckets.len()) <= inputs);
            }
        }
    }
}
