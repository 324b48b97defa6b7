//! Gaps and answers without a server.

use super::*;
use lineside_model::Value;
use proptest::prelude::*;

const TAG: TagId = TagId(3);
const CONNECTION: ConnectionId = ConnectionId(0);

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn sample(second: i64, value: i64) -> Sample {
    Sample {
        tag: TAG,
        value: Value::Int(value),
        status: StatusCode::GOOD,
        source_time: Some(at(second)),
        server_time: None,
    }
}

fn gap(scope: GapScope, from: i64, to: i64) -> Input {
    Input::Gap(Gap { scope, from: at(from), to: at(to), reason: GapReason::LinkDown, lost: None })
}

/// A connection that lost its link from second 10 to 20; before and after it these values came.
fn lost(delivered: &[(i64, i64)]) -> Backfill {
    let mut backfill = Backfill::new(true);
    let inputs = |early: bool| {
        let of = delivered.iter().filter(move |(second, _)| (*second <= 10) == early);
        of.map(|(second, value)| Input::Sample(sample(*second, *value))).collect::<Vec<_>>()
    };
    let now = Instant::now();
    assert!(!backfill.passed(&inputs(true), now));
    assert!(backfill.passed(&[gap(GapScope::Connection(CONNECTION), 10, 20)], now));
    assert!(!backfill.passed(&inputs(false), now));
    let pending = backfill.first().unwrap();
    pending.begin([TAG], 0);
    backfill
}

#[test]
fn what_an_outage_missed_of_tags_accepted_later_is_filled_too() {
    let (now, late) = (Instant::now(), || [TagId(5), TagId(7)]);
    let mut backfill = Backfill::new(true);
    assert!(!backfill.accepted(late(), now), "nothing was missed");
    backfill.passed(&[gap(GapScope::Connection(CONNECTION), 10, 20), gap(GapScope::Tag(TAG), 30, 31)], now);
    assert!(!backfill.accepted(late(), now), "they are read with the others");
    backfill.first().unwrap().begin([TAG], 0);
    assert!(backfill.accepted(late(), now));
    assert!(backfill.ended(CONNECTION).is_some() && backfill.ended(CONNECTION).is_none());
    let pending = backfill.first().unwrap();
    assert_eq!((pending.from, pending.to, pending.only.clone()), (at(10), at(20), late().into()));
    let mut off = Backfill::new(false);
    off.passed(&[gap(GapScope::Connection(CONNECTION), 10, 20)], now);
    assert!(!off.accepted(late(), now));
}

fn answer(status: UaStatus, values: &[(i64, i64)], point: bool) -> Answer {
    Answer {
        status,
        values: values.iter().map(|(second, value)| sample(*second, *value)).collect(),
        point: point.then(|| (NodeId::new(1, 1), ByteString::from(vec![1]))),
    }
}

/// What remains of an answer (as seconds), and what comes next.
fn check(delivered: &[(i64, i64)], answers: Vec<(Answer, &[i64], After)>, result: (u32, u32, u64, u32)) {
    let mut backfill = lost(delivered);
    let pending = backfill.first().unwrap();
    let mut cursor = pending.next(10, &NodeId::new(1, 1)).remove(0);
    for (answer, expected, next) in answers {
        let (values, after) = pending.take(&mut cursor, answer);
        let seconds: Vec<i64> = values.iter().map(|value| value.source_time.unwrap().0 / 1_000_000_000).collect();
        assert_eq!((seconds.as_slice(), after), (expected, next));
        if after == After::More {
            pending.answered();
            pending.put_back([cursor]);
            cursor = pending.next(10, &NodeId::new(1, 1)).remove(0);
        }
    }
    let told = backfill.ended(CONNECTION).unwrap();
    assert_eq!((told.tags, told.tags_without, told.values, told.status.0), result);
    assert_eq!((told.from, told.to), (at(10), at(20)));
}

#[test]
fn what_came_live_and_what_is_outside_is_dropped() {
    check(
        &[(9, 1), (10, 1), (15, 7), (20, 8), (21, 9)],
        vec![(
            answer(UaStatus::Good, &[(9, 1), (10, 1), (12, 2), (15, 7), (15, 6), (20, 8), (21, 9)], false),
            &[12, 15],
            After::Done,
        )],
        (1, 0, 2, 0),
    );
}

#[test]
fn answers_of_the_standard() {
    let bad = |status: UaStatus| status.bits();
    use UaStatus as S;
    check(&[], vec![(answer(S::GoodNoData, &[], false), &[], After::Done)], (1, 0, 0, 0));
    check(&[], vec![(answer(S::BadNoData, &[], false), &[], After::Done)], (1, 0, 0, 0));
    check(&[], vec![(answer(S::BadDataLost, &[(11, 1)], false), &[11], After::Done)], (1, 0, 1, bad(S::BadDataLost)));
    check(
        &[],
        vec![(answer(S::BadHistoryOperationUnsupported, &[], false), &[], After::Without)],
        (0, 1, 0, bad(S::BadHistoryOperationUnsupported)),
    );
    check(
        &[],
        vec![
            (answer(S::GoodMoreData, &[(11, 1), (12, 2)], true), &[11, 12], After::More),
            (answer(S::Good, &[(13, 3)], false), &[13], After::Done),
        ],
        (1, 0, 3, 0),
    );
    check(
        &[],
        vec![
            (answer(S::BadNoContinuationPoints, &[(11, 1), (12, 2)], false), &[11, 12], After::Again),
            (answer(S::Good, &[(12, 2), (12, 3), (13, 3)], false), &[12, 13], After::Done),
        ],
        (1, 0, 4, 0),
    );
    check(
        &[],
        vec![
            (answer(S::BadContinuationPointInvalid, &[], false), &[], After::Again),
            (answer(S::BadContinuationPointInvalid, &[], false), &[], After::Again),
            (answer(S::BadContinuationPointInvalid, &[], false), &[], After::Without),
        ],
        (0, 1, 0, bad(S::BadContinuationPointInvalid)),
    );
}

#[test]
fn a_server_that_repeats_itself_comes_to_an_end() {
    let mut backfill = lost(&[]);
    let pending = backfill.first().unwrap();
    let mut cursor = pending.next(10, &NodeId::new(1, 1)).remove(0);
    let mut rounds = 0;
    while pending.take(&mut cursor, answer(UaStatus::Good, &[(11, 1)], true)).1 == After::More {
        rounds += 1;
        assert!(rounds < 100);
    }
    assert_eq!(pending.values, 1);
    assert!(cursor.point.is_some(), "to be given back");
}

#[test]
fn rows_of_bounds_that_do_not_exist_are_no_values() {
    let mut backfill = lost(&[]);
    let pending = backfill.first().unwrap();
    let mut cursor = pending.next(10, &NodeId::new(1, 1)).remove(0);
    let mut answer = answer(UaStatus::Good, &[(10, 0), (11, 1)], false);
    answer.values[0].status = StatusCode(UaStatus::BadBoundNotFound.bits());
    assert_eq!(pending.take(&mut cursor, answer).0.len(), 1);
}

#[test]
fn a_point_of_another_session_is_forgotten_and_calls_are_alike() {
    let mut backfill = lost(&[]);
    let pending = backfill.first().unwrap();
    pending.begin((0..5).map(TagId), 0);
    let here = NodeId::new(1, 1);
    let mut first = pending.next(2, &here);
    assert_eq!(first.iter().map(|cursor| cursor.tag.0).collect::<Vec<_>>(), [0, 1]);
    first[1].point = Some((here.clone(), ByteString::from(vec![1])));
    pending.answered();
    pending.put_back(first);
    assert_eq!(pending.next(5, &here).len(), 1, "a call begins, or continues");
    pending.answered();
    assert_eq!(pending.next(5, &here).len(), 1);
    pending.answered();
    pending.todo.as_mut().unwrap()[0].point = Some((here, ByteString::from(vec![1])));
    assert_eq!(pending.next(5, &NodeId::new(1, 2)).len(), 3);
    assert_eq!(pending.tags_without, 0);
    for _ in 0..3 * TRIES {
        assert_eq!(pending.next(5, &NodeId::new(1, 2)).len(), 1, "what broke the link is asked again, alone");
    }
    assert_eq!(pending.next(5, &NodeId::new(1, 2)), [], "and not for ever");
    assert_eq!(pending.tags_without, 3);
}

#[test]
fn gaps_are_bounded_and_those_of_a_pause_of_the_program_are_left_alone() {
    let now = Instant::now();
    let mut backfill = Backfill::new(true);
    let paused = Gap { reason: GapReason::NotRunning, ..Gap::default() };
    assert!(!backfill.passed(&[Input::Gap(paused)], now));
    for second in 0..2 * GAPS_MAX as i64 {
        backfill.passed(&[gap(GapScope::Tag(TAG), second, second + 1)], now);
    }
    assert_eq!(backfill.waiting.len(), GAPS_MAX);
    assert_eq!(backfill.ended(CONNECTION), None, "a tag without history is not spoken of");
    let mut off = Backfill::new(false);
    assert!(!off.passed(&[gap(GapScope::Tag(TAG), 0, 1)], now));
}

proptest! {
    /// However a history is cut into pages and whatever came live: each value arrives exactly once.
    #[test]
    fn live_and_filled_values_make_the_whole(
        history in prop::collection::btree_map(10_i64..=20, 0_i64..3, 0..10),
        live in prop::collection::vec(any::<bool>(), 11),
        page in 1_usize..4,
        restart in any::<bool>(),
    ) {
        let history: Vec<(i64, i64)> = history.into_iter().collect();
        let delivered: Vec<(i64, i64)> =
            history.iter().copied().filter(|(second, _)| live[(second - 10) as usize]).collect();
        let mut backfill = lost(&delivered);
        let pending = backfill.first().unwrap();
        let mut cursor = pending.next(1, &NodeId::new(1, 1)).remove(0);
        let mut whole = delivered.clone();
        let mut place = 0;
        for _ in 0..50 {
            if restart {
                place = history.iter().take_while(|(second, _)| at(*second) < cursor.start).count();
            }
            let rest = &history[place..];
            let part = &rest[..rest.len().min(page)];
            place += part.len();
            let more = part.len() < rest.len();
            let status = if more && restart { UaStatus::BadNoContinuationPoints } else { UaStatus::Good };
            let (values, after) = pending.take(&mut cursor, answer(status, part, more && !restart));
            whole.extend(values.iter().map(|value| {
                (value.source_time.unwrap().0 / 1_000_000_000, value.value.as_i64().unwrap())
            }));
            if after == After::Done {
                whole.sort_unstable();
                prop_assert_eq!(whole, history);
                return Ok(());
            }
        }
        prop_assert!(false, "no end");
    }
}
