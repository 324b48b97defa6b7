//! Gaps that wait to be filled from the server's history, and what is to be done with each answer.
//!
//! Pure: `history` asks the server. A gap keeps its place and its progress while the link is down and is
//! continued on the next session. Values that came through the subscription, and values outside the
//! gap, are dropped. Everything is bounded: gaps, values per tag, values per gap.

use crate::beside::delivered::{Delivered, Mark};
use crate::words::code;
use lineside_model::report::{FillResult, FilledValue};
use lineside_model::{ConnectionId, Gap, GapReason, GapScope, Input, Sample, StatusCode, TagId, Timestamp};
use opcua::types::{ByteString, NodeId, StatusCode as UaStatus};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Gaps that wait. More in so short a time are a flood, which a history cannot mend.
const GAPS_MAX: usize = 500;
/// Values of one tag in one gap: a day of one each second.
pub(crate) const VALUES_PER_TAG: u64 = 100_000;
/// Values of one gap.
pub(crate) const VALUES_PER_GAP: u64 = 20_000_000;
/// Values delivered within a gap that are remembered to be recognised.
const SEEN_MAX: usize = 200_000;
/// A history may lag behind the values; it is not asked sooner.
const SETTLE: Duration = Duration::from_secs(1);
/// How often a tag that makes no progress is asked again.
const TRIES: u32 = 3;
/// How many answers in a row may promise more and bring nothing.
const EMPTY_MAX: u32 = 20;
/// GoodMoreData (OPC 10000-11): there was more than we took.
pub(crate) const MORE_DATA: StatusCode = StatusCode(0x00A6_0000);
/// 100 ns, the resolution of OPC UA times.
const TICK_NS: i64 = 100;

/// The gaps of one connection.
#[derive(Debug)]
pub(crate) struct Backfill {
    enabled: bool,
    waiting: VecDeque<Pending>,
    /// The last gap of the whole connection.
    outage: Option<Gap>,
    delivered: Delivered,
}

/// A gap and how far it was filled.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) scope: GapScope,
    /// Of these tags of the scope alone, where there are any.
    pub(crate) only: BTreeSet<TagId>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) due: Instant,
    seen: HashSet<Mark>,
    /// Tags still to be read; none as long as it is not known which keep a history.
    pub(crate) todo: Option<VecDeque<Cursor>>,
    /// Tags that the server is asked for now. Where its answer does not come, they are asked for again.
    under_way: Vec<Cursor>,
    pub(crate) tags: u32,
    pub(crate) tags_without: u32,
    pub(crate) values: u64,
    status: StatusCode,
}

/// How far one tag was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) tag: TagId,
    pub(crate) start: Timestamp,
    /// The session that gave it, and the point.
    pub(crate) point: Option<(NodeId, ByteString)>,
    values: u64,
    tries: u32,
    /// Times that the link was lost while it was asked for: its values may be what broke it.
    broken: u32,
    /// The latest time seen so far, and what was delivered with it: a read that begins there brings it again.
    edge: Option<Timestamp>,
    at_edge: HashSet<Mark>,
}

/// What to do with a tag after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// All that there is was told.
    Done,
    /// The server keeps no history of it, or does not give it.
    Without,
    /// Go on with the continuation point.
    More,
    /// Ask again from the cursor's start.
    Again,
    /// Enough: give the continuation point back.
    Enough,
}

impl Backfill {
    pub(crate) fn new(enabled: bool) -> Backfill {
        Backfill { enabled, waiting: VecDeque::new(), outage: None, delivered: Delivered::default() }
    }

    /// Takes note of what is about to be delivered, in its order; true where a new gap waits.
    pub(crate) fn passed(&mut self, inputs: &[Input], now: Instant) -> bool {
        if !self.enabled {
            return false;
        }
        let before = self.waiting.len();
        for input in inputs {
            match input {
                Input::Sample(sample) => self.value(sample),
                Input::Gap(gap) => self.gap(gap, now),
                _ => {}
            }
        }
        self.waiting.len() > before
    }

    /// The server takes these tags now, which it had refused since the last outage: what the outage missed of them
    /// is to be filled too. True where a new gap waits.
    pub(crate) fn accepted(&mut self, tags: impl IntoIterator<Item = TagId>, now: Instant) -> bool {
        let Some(outage) = self.outage.filter(|_| self.enabled) else { return false };
        let is_whole = |gap: &&Pending| gap.todo.is_none() && gap.only.is_empty() && gap.scope == outage.scope;
        if self.waiting.iter().find(is_whole).is_some_and(|gap| (gap.from, gap.to) == (outage.from, outage.to)) {
            return false;
        }
        let before = self.waiting.len();
        self.wait(&outage, tags.into_iter().collect(), now);
        self.waiting.len() > before
    }

    /// The gap that is to be filled next.
    pub(crate) fn first(&mut self) -> Option<&mut Pending> {
        self.waiting.front_mut()
    }

    /// The first gap is filled as far as it can be; what to say of it. Nothing is said of an overflow of a
    /// tag that keeps no history: nothing was tried.
    pub(crate) fn ended(&mut self, connection: ConnectionId) -> Option<FillResult> {
        let gap = self.waiting.pop_front()?;
        let silent = matches!(gap.scope, GapScope::Tag(_)) && gap.tags == 0;
        let Pending { from, to, tags, tags_without, values, status, .. } = gap;
        (!silent).then_some(FillResult { connection, from, to, tags, tags_without, values, status })
    }

    fn value(&mut self, sample: &Sample) {
        let Some(mark) = Mark::of(sample) else { return };
        self.delivered.note(mark);
        for gap in &mut self.waiting {
            if (gap.from..=gap.to).contains(&mark.time) && gap.seen.len() < SEEN_MAX {
                gap.seen.insert(mark);
            }
        }
    }

    fn gap(&mut self, gap: &Gap, now: Instant) {
        // What was missed while Lineside did not run is asked for by those who know of it.
        if gap.reason == GapReason::NotRunning {
            return;
        }
        if matches!(gap.scope, GapScope::Connection(_)) {
            self.outage = Some(*gap);
        }
        self.wait(gap, BTreeSet::new(), now);
    }

    fn wait(&mut self, gap: &Gap, only: BTreeSet<TagId>, now: Instant) {
        if self.waiting.len() >= GAPS_MAX {
            tracing::warn!(?gap, "too many gaps wait to be filled, this one stays open");
            return;
        }
        self.waiting.push_back(Pending {
            scope: gap.scope,
            only,
            from: gap.from,
            to: gap.to,
            due: now + SETTLE,
            seen: self.delivered.within(gap.from, gap.to).collect(),
            todo: None,
            under_way: Vec::new(),
            tags: 0,
            tags_without: 0,
            values: 0,
            status: StatusCode::GOOD,
        });
    }
}

impl Pending {
    /// Of these tags a history may exist; of `without` others the server says that there is none.
    pub(crate) fn begin(&mut self, tags: impl IntoIterator<Item = TagId>, without: usize) {
        self.todo = Some(tags.into_iter().map(|tag| Cursor::new(tag, self.from)).collect());
        self.tags_without = u32::try_from(without).unwrap_or(u32::MAX);
    }

    /// Takes up to `most` tags that can be read in one call: from the same time on, and all or none with a
    /// continuation point of this session.
    pub(crate) fn next(&mut self, most: usize, session: &NodeId) -> Vec<Cursor> {
        self.unanswered();
        let most = if self.suspicious() { 1 } else { most };
        let todo = self.todo.get_or_insert_default();
        for cursor in todo.iter_mut().take(most) {
            // A point of a session that is gone is gone with it.
            cursor.point.take_if(|(of, _)| of != session);
        }
        let alike = |a: &Cursor, b: &Cursor| a.start == b.start && a.point.is_some() == b.point.is_some();
        let first = todo.front().cloned();
        let count = todo.iter().take(most.max(1)).take_while(|cursor| first.as_ref().is_some_and(|f| alike(f, cursor)));
        let count = count.count();
        self.under_way = todo.drain(..count).collect();
        self.under_way.clone()
    }

    /// The link was lost during the last call. An answer that cannot be decoded ends the link, so each tag of
    /// it is asked for alone from now on, and not for ever.
    fn unanswered(&mut self) {
        let mut cursors = std::mem::take(&mut self.under_way);
        cursors.iter_mut().for_each(|cursor| cursor.broken += 1);
        let given_up = cursors.extract_if(.., |cursor| cursor.broken > TRIES).count();
        self.refused(given_up, UaStatus::BadDecodingError);
        self.put_back(cursors);
    }

    fn suspicious(&self) -> bool {
        self.todo.iter().flatten().next().is_some_and(|cursor| cursor.broken > 0)
    }

    /// The server answered, in whatever way.
    pub(crate) fn answered(&mut self) {
        self.under_way.clear();
    }

    /// Tags that were taken and not read; they come next.
    pub(crate) fn put_back(&mut self, cursors: impl IntoIterator<Item = Cursor, IntoIter: DoubleEndedIterator>) {
        let todo = self.todo.get_or_insert_default();
        cursors.into_iter().rev().for_each(|cursor| todo.push_front(cursor));
    }

    /// Takes the answer for one tag: the values that are new, oldest first, and what comes next.
    pub(crate) fn take(&mut self, cursor: &mut Cursor, answer: Answer) -> (Vec<FilledValue>, After) {
        let (edge, had) = (cursor.edge, answer.values.len());
        let values = self.news(cursor, answer.values);
        let progress = cursor.edge > edge || !values.is_empty();
        cursor.tries = if progress { 0 } else { cursor.tries + 1 };
        let after = after(answer.status, answer.point.is_some(), had > 0);
        let after = if after == After::Again { cursor.again(progress) } else { after };
        let full = cursor.values >= VALUES_PER_TAG || self.values >= VALUES_PER_GAP || cursor.tries >= EMPTY_MAX;
        let after = if full && matches!(after, After::More | After::Again) { After::Enough } else { after };
        cursor.point = answer.point.filter(|_| matches!(after, After::More | After::Enough));
        self.account(after, answer.status);
        (values, after)
    }

    /// These tags cannot be read at all.
    pub(crate) fn refused(&mut self, count: usize, status: UaStatus) {
        (0..count).for_each(|_| self.account(After::Without, status));
    }

    fn account(&mut self, after: After, status: UaStatus) {
        match after {
            After::Done => self.tags += 1,
            After::Without => self.tags_without += 1,
            After::Enough => self.tags += 1,
            After::More | After::Again => return,
        }
        let refusal = status.is_bad() && code(status) != UaStatus::BadNoData;
        if self.status == StatusCode::GOOD && (refusal || after == After::Enough) {
            self.status = if refusal { StatusCode(status.bits()) } else { MORE_DATA };
        }
    }

    fn news(&mut self, cursor: &mut Cursor, mut samples: Vec<Sample>) -> Vec<FilledValue> {
        samples.sort_by_key(time);
        let mut values = Vec::with_capacity(samples.len());
        for sample in samples {
            let Some(mark) = Mark::of(&sample) else { continue };
            let inside = (cursor.start..=self.to).contains(&mark.time);
            // Bounding values that do not exist are told as rows of this status (open62541).
            let bound = sample.status.code() == UaStatus::BadBoundNotFound.bits();
            if !inside || bound || !cursor.pass(mark) || self.seen.contains(&mark) {
                continue;
            }
            let Sample { value, status, source_time, server_time, .. } = sample;
            values.push(FilledValue { value, status, source_time, server_time });
        }
        let count = values.len() as u64;
        cursor.values += count;
        self.values += count;
        values
    }
}

fn time(sample: &Sample) -> Option<Timestamp> {
    sample.source_time.or(sample.server_time)
}

/// One node's part of an answer.
pub(crate) struct Answer {
    pub(crate) status: UaStatus,
    pub(crate) values: Vec<Sample>,
    pub(crate) point: Option<(NodeId, ByteString)>,
}

/// What a status of OPC 10000-11 means for the tag, before its progress is looked at.
fn after(status: UaStatus, point: bool, values: bool) -> After {
    match code(status) {
        UaStatus::BadNoContinuationPoints | UaStatus::BadContinuationPointInvalid => After::Again,
        // Data lost at the server is a hole that stays; what is left was told.
        UaStatus::BadNoData | UaStatus::BadDataLost if !point => After::Done,
        _ if point => After::More,
        UaStatus::BadTimeout | UaStatus::BadTooManyOperations => After::Again,
        _ if status.is_bad() && !values => After::Without,
        _ => After::Done,
    }
}

impl Cursor {
    fn new(tag: TagId, start: Timestamp) -> Cursor {
        Cursor { tag, start, point: None, values: 0, tries: 0, broken: 0, edge: None, at_edge: HashSet::new() }
    }

    /// Is the value none that this cursor passed before? Moves the edge.
    fn pass(&mut self, mark: Mark) -> bool {
        if self.edge.is_none_or(|edge| mark.time > edge) {
            self.edge = Some(mark.time);
            self.at_edge.clear();
        }
        self.edge > Some(mark.time) || self.at_edge.insert(mark)
    }

    /// Begins again where it stands. Where all that came shares one time, it steps over that.
    fn again(&mut self, progress: bool) -> After {
        if self.tries >= TRIES {
            return After::Without;
        }
        if let Some(edge) = self.edge {
            self.start = if progress { edge } else { Timestamp(edge.0.saturating_add(TICK_NS)) };
        }
        After::Again
    }
}

#[cfg(test)]
mod tests;
