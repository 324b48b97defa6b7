//! HistoryRead of what a gap missed (OPC 10000-11 6.5.3), beside the values and behind them.
//!
//! What a server says of its history are hints: a node is asked where any hint says that it keeps one, and
//! believed when it refuses. Where the server has too few continuation points, nodes are read one after the
//! other. Each call is followed by a pause of its own length, and nothing is fetched that the receiver has
//! not taken. It returns when the link is lost; the gap waits with its progress in `backfill`.

use crate::beside::backfill::{After, Answer, Backfill, Cursor};
use crate::beside::visit::Visit;
use crate::service::{attribute, is_too_much, read_beside, rest_after};
use crate::value::sample;
use crate::words::code;
use lineside_model::inlet::{Closed, Inlet};
use lineside_model::report::Fill;
use lineside_model::{ConnectionId, GapScope, Input, TagId, Timestamp};
use opcua::client::HistoryReadAction;
use opcua::sync::Mutex;
use opcua::types::{
    AttributeId, DateTime, HistoryData, HistoryReadResult, HistoryReadValueId, NodeId, ReadRawModifiedDetails,
    StatusCode, TimestampsToReturn, Variant,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Values of each node in one call.
const VALUES_PER_NODE: u32 = 1_000;
/// Values asked of a node that is read alone.
const VALUES_ALONE: u32 = 10_000;
const MAX_RETURN_DATA_VALUES: u32 = 11273;
/// The HistoryRead bit of AccessLevel and UserAccessLevel (OPC 10000-3 8.57).
const HISTORY_READ: u8 = 0x04;
/// How often it is looked whether the receiver has taken what was told.
const ROOM: Duration = Duration::from_millis(50);
/// A call failed for a reason that may pass.
const AGAIN: Duration = Duration::from_secs(5);
const FAILURES_MAX: u32 = 5;

/// What was learned of a server's history; for the life of the server.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Where a history may exist.
    kept: BTreeMap<TagId, bool>,
    values_max: Option<u32>,
    alone: bool,
}

/// Fills the gaps of one connection over one session.
pub(crate) struct Filler<'a> {
    pub(crate) connection: ConnectionId,
    pub(crate) visit: &'a Visit,
    pub(crate) backfill: &'a Mutex<Backfill>,
    pub(crate) told: &'a Notify,
    pub(crate) learned: &'a mut Learned,
    pub(crate) inlet: Inlet,
}

impl Filler<'_> {
    /// Fills one gap after the other; ends only when nobody takes anything any more.
    pub(crate) async fn run(mut self) -> Closed {
        let mut failures = 0;
        loop {
            match self.step().await {
                Ok(()) => failures = 0,
                Err(Stop::Closed) => return Closed,
                Err(Stop::Failed(status)) => {
                    tracing::info!(%status, "a gap could not be filled for now");
                    failures += 1;
                    tokio::time::sleep(AGAIN).await;
                    if failures >= FAILURES_MAX {
                        failures = 0;
                        self.give_up(status);
                    }
                }
            }
        }
    }

    /// One call for the gap that is first, or the wait for one.
    async fn step(&mut self) -> Result<(), Stop> {
        let told = self.told.notified();
        let first = self.backfill.lock().first().map(|gap| (gap.due, gap.todo.is_none()));
        let Some((due, new)) = first else {
            told.await;
            return Ok(());
        };
        tokio::time::sleep_until(due).await;
        if new {
            return self.begin().await;
        }
        let (most, session) = (self.nodes_per_call(), self.visit.session.server_session_id());
        let cursors = self.with_first(|gap| gap.next(most, &session)).unwrap_or_default();
        if cursors.is_empty() { self.end() } else { self.read(cursors).await }
    }

    /// Which of the gap's tags keep a history?
    async fn begin(&mut self) -> Result<(), Stop> {
        let Some((scope, only)) = self.with_first(|gap| (gap.scope, gap.only.clone())) else { return Ok(()) };
        let is_of = |tag: &TagId| only.is_empty() || only.contains(tag);
        let wanted: Vec<(TagId, NodeId)> = {
            let items = self.visit.items.lock();
            match scope {
                GapScope::Tag(tag) => items.get(&tag).map(|node| (tag, node.clone())).into_iter().collect(),
                GapScope::Connection(_) | GapScope::Plant => {
                    items.iter().filter(|(tag, _)| is_of(tag)).map(|(tag, id)| (*tag, id.clone())).collect()
                }
            }
        };
        self.learn(&wanted).await?;
        let kept: Vec<TagId> = wanted.iter().map(|(tag, _)| *tag).filter(|tag| self.keeps(*tag)).collect();
        let without = wanted.len() - kept.len();
        self.with_first(|gap| gap.begin(kept, without));
        Ok(())
    }

    fn keeps(&self, tag: TagId) -> bool {
        self.learned.kept.get(&tag).copied().unwrap_or_default()
    }

    async fn learn(&mut self, wanted: &[(TagId, NodeId)]) -> Result<(), Stop> {
        let new: Vec<&(TagId, NodeId)> =
            wanted.iter().filter(|(tag, _)| !self.learned.kept.contains_key(tag)).collect();
        let hints = [AttributeId::Historizing, AttributeId::AccessLevel, AttributeId::UserAccessLevel];
        let mut operands = vec![attribute(&NodeId::new(0, MAX_RETURN_DATA_VALUES), AttributeId::Value)];
        operands.extend(new.iter().flat_map(|(_, node)| hints.map(|hint| attribute(node, hint))));
        let mut chunk = self.visit.limits.read;
        let values = read_beside(&self.visit.session, &operands, &mut chunk).await.map_err(Stop::Failed)?;
        let (max, hints) = values.split_first().ok_or(Stop::Failed(StatusCode::BadUnknownResponse))?;
        if let Some(Variant::UInt32(max @ 1..)) = max.value {
            self.learned.values_max = Some(max);
        }
        for ((tag, _), values) in new.into_iter().zip(hints.chunks(3)) {
            let kept = values.iter().any(|value| match value.value {
                Some(Variant::Boolean(historizing)) => historizing,
                Some(Variant::Byte(level)) => level & HISTORY_READ != 0,
                _ => false,
            });
            self.learned.kept.insert(*tag, kept);
        }
        Ok(())
    }

    fn nodes_per_call(&self) -> usize {
        if self.learned.alone { 1 } else { self.visit.limits.history.max(1) }
    }

    fn values_per_node(&self, nodes: usize) -> u32 {
        let wanted = if nodes == 1 { VALUES_ALONE } else { VALUES_PER_NODE };
        self.learned.values_max.map_or(wanted, |max| max.min(wanted))
    }

    async fn read(&mut self, cursors: Vec<Cursor>) -> Result<(), Stop> {
        self.room().await?;
        let begun = Instant::now();
        let answers = self.call(&cursors, false).await;
        // From here to the delivery nothing waits: a link that is lost now loses no answer.
        self.with_first(|gap| gap.answered());
        let enough = match answers {
            Ok(answers) if answers.len() == cursors.len() => self.take(cursors, answers)?,
            Ok(_) => self.failed(cursors, StatusCode::BadUnknownResponse)?,
            Err(status) => self.failed(cursors, status)?,
        };
        self.release(enough).await;
        rest_after(begun).await;
        Ok(())
    }

    /// The whole call failed: fewer nodes, or none of these, or later.
    fn failed(&mut self, cursors: Vec<Cursor>, status: StatusCode) -> Result<Vec<Cursor>, Stop> {
        let is_serial = code(status) == StatusCode::BadNoContinuationPoints;
        let too_much = is_serial || is_too_much(status) || code(status) == StatusCode::BadTimeout;
        if too_much && cursors.len() > 1 {
            self.learned.alone = true;
            self.with_first(|gap| gap.put_back(cursors));
            return Ok(Vec::new());
        }
        let never = matches!(
            code(status),
            StatusCode::BadServiceUnsupported
                | StatusCode::BadHistoryOperationUnsupported
                | StatusCode::BadHistoryOperationInvalid
                | StatusCode::BadUserAccessDenied
                | StatusCode::BadDecodingError
        );
        if too_much || never {
            self.with_first(|gap| gap.refused(cursors.len(), status));
            return Ok(Vec::new());
        }
        self.with_first(|gap| gap.put_back(cursors));
        Err(Stop::Failed(status))
    }

    /// Delivers what was answered; returns those that are left though there is more.
    fn take(&mut self, cursors: Vec<Cursor>, answers: Vec<HistoryReadResult>) -> Result<Vec<Cursor>, Stop> {
        let mut fills = Vec::new();
        let (mut more, mut enough) = (Vec::new(), Vec::new());
        for (mut cursor, answer) in cursors.into_iter().zip(answers) {
            let status = answer.status_code;
            self.learned.alone |= code(status) == StatusCode::BadNoContinuationPoints;
            let answer = self.answer(cursor.tag, answer);
            let taken = self.with_first(|gap| (gap.from, gap.to, gap.take(&mut cursor, answer)));
            let Some((from, to, (values, after))) = taken else { continue };
            if !values.is_empty() {
                fills.push(Input::Fill(Arc::new(Fill { tag: cursor.tag, from, to, values })));
            }
            match after {
                After::Done => {}
                After::Without => {
                    self.learned.kept.insert(cursor.tag, !is_unsupported(status));
                }
                After::More | After::Again => more.push(cursor),
                After::Enough => enough.push(cursor),
            }
        }
        self.with_first(|gap| gap.put_back(more));
        if !fills.is_empty() {
            self.inlet.deliver(fills)?;
        }
        Ok(enough)
    }

    fn answer(&self, tag: TagId, answer: HistoryReadResult) -> Answer {
        let session = &self.visit.session;
        let data = answer.history_data.into_inner_as::<HistoryData>();
        let values = data.and_then(|data| data.data_values).unwrap_or_default();
        let map = |value| sample(tag, value, |encode| encode(&session.encoding_context().read().context()));
        let point = (!answer.continuation_point.is_null_or_empty())
            .then(|| (session.server_session_id(), answer.continuation_point));
        Answer { status: answer.status_code, values: values.into_iter().map(map).collect(), point }
    }

    async fn call(&self, cursors: &[Cursor], release: bool) -> Result<Vec<HistoryReadResult>, StatusCode> {
        let Some((to, first)) = self.with_first(|gap| gap.to).zip(cursors.first()) else { return Ok(Vec::new()) };
        let nodes = cursors.iter().map(|cursor| HistoryReadValueId {
            node_id: self.visit.items.lock().get(&cursor.tag).cloned().unwrap_or_default(),
            continuation_point: cursor.point.clone().map_or_else(Default::default, |(_, point)| point),
            ..HistoryReadValueId::default()
        });
        let details = ReadRawModifiedDetails {
            is_read_modified: false,
            start_time: instant(first.start),
            // The end of the range is not part of it, that of a gap is.
            end_time: instant(Timestamp(to.0.saturating_add(100))),
            num_values_per_node: self.values_per_node(cursors.len()),
            return_bounds: false,
        };
        let details = HistoryReadAction::ReadRawModifiedDetails(details);
        let nodes: Vec<HistoryReadValueId> = nodes.collect();
        let session = &self.visit.session;
        let read = session.history_read(details, TimestampsToReturn::Both, release, &nodes).await;
        read.map_err(|error| error.status())
    }

    /// Gives continuation points back; those of a server that does not answer end with the session.
    async fn release(&self, cursors: Vec<Cursor>) {
        let held: Vec<Cursor> = cursors.into_iter().filter(|cursor| cursor.point.is_some()).collect();
        if !held.is_empty()
            && let Err(status) = self.call(&held, true).await
        {
            tracing::debug!(%status, "continuation points were not released");
        }
    }

    /// Waits until what was delivered before has been taken, so that what is read never piles up.
    async fn room(&mut self) -> Result<(), Stop> {
        while self.inlet.has_waiting() {
            self.inlet.deliver(Vec::new())?;
            tokio::time::sleep(ROOM).await;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let result = self.backfill.lock().ended(self.connection);
        match result {
            Some(result) => Ok(self.inlet.deliver(vec![Input::FillEnded(result)])?),
            None => Ok(()),
        }
    }

    fn give_up(&mut self, status: StatusCode) {
        self.with_first(|gap| {
            let left = gap.todo.replace(Default::default()).map_or(0, |todo| todo.len());
            gap.refused(left, status);
        });
    }

    fn with_first<T>(&self, act: impl FnOnce(&mut crate::beside::backfill::Pending) -> T) -> Option<T> {
        self.backfill.lock().first().map(act)
    }
}

/// Why nothing more is done for now.
enum Stop {
    Closed,
    Failed(StatusCode),
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Stop {
        Stop::Closed
    }
}

/// Does the answer hold for the node at all times?
fn is_unsupported(status: StatusCode) -> bool {
    matches!(code(status), StatusCode::BadHistoryOperationUnsupported | StatusCode::BadNodeIdUnknown)
}

/// The OPC UA instant at or before `time`.
fn instant(time: Timestamp) -> DateTime {
    const EPOCH_TICKS: i64 = 116_444_736_000_000_000;
    DateTime::from(time.0.div_euclid(100).saturating_add(EPOCH_TICKS).max(1))
}
