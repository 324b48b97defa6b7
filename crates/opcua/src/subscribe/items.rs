//! The items of one subscription: created in calls as large and as many at once as the server takes, each with one
//! answer.
//!
//! The client handle of an item is its tag id plus one (the library replaces a handle of 0), so a value finds its
//! tag without a search.

use super::{Item, Subscription};
use crate::limits::Capacity;
use crate::service::{Came, judge};
use crate::words::code;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use opcua::client::services::CreateMonitoredItems;
use opcua::client::{Session, UARequest};
use opcua::types::{
    AttributeId, DataChangeFilter, DataChangeTrigger, DeadbandType, ExtensionObject, MonitoredItemCreateRequest,
    MonitoredItemCreateResult, MonitoringParameters, ReadValueId, StatusCode, TimestampsToReturn,
};
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;
use tokio::time::Instant;

/// Every change, as fast as the server can see it. With an interval, servers drop what lies within it, and
/// async-opcua's moves source times onto its own grid.
const SAMPLING_MS: f64 = 0.0;
/// Calls under way at once, where the server answers fast.
const PARALLEL: usize = 4;

/// The server's answer for one item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Created {
    pub(crate) status: StatusCode,
    /// The server's id of it.
    pub(super) id: u32,
}

impl From<&MonitoredItemCreateResult> for Created {
    fn from(result: &MonitoredItemCreateResult) -> Created {
        Created { status: result.status_code, id: result.monitored_item_id }
    }
}

/// Asks for `items` in `subscription`; one answer for each, in order. Where a server takes no filter, its
/// default is what we ask for anyway, so the item is asked for again without.
pub(crate) async fn create_items(
    session: &Session,
    subscription: &Subscription,
    items: &[Item],
    capacity: &mut Capacity,
    patience: Duration,
) -> Result<Vec<Created>, StatusCode> {
    let first = Ask { session, subscription, items, filter: true, patience };
    let mut answers = first.run(capacity).await?;
    let plain: Vec<usize> = (0..answers.len()).filter(|at| is_about_filter(answers[*at].status)).collect();
    let again: Vec<Item> = plain.iter().map(|at| items[*at].clone()).collect();
    let second = Ask { items: &again, filter: false, ..first }.run(capacity).await?;
    for (at, answer) in plain.into_iter().zip(second) {
        answers[at] = answer;
    }
    Ok(answers)
}

/// The creation of items, in calls as large as the server takes.
#[derive(Clone, Copy)]
struct Ask<'a> {
    session: &'a Session,
    subscription: &'a Subscription,
    items: &'a [Item],
    filter: bool,
    patience: Duration,
}

/// One call that came back.
struct Answered {
    part: Range<usize>,
    took: Duration,
    allowed: Duration,
    result: Result<Vec<Created>, StatusCode>,
}

impl Ask<'_> {
    async fn run(&self, capacity: &mut Capacity) -> Result<Vec<Created>, StatusCode> {
        let mut answers = vec![Created { status: StatusCode::BadUnexpectedError, id: 0 }; self.items.len()];
        let mut todo: VecDeque<Range<usize>> = std::iter::once(0..self.items.len()).collect();
        let mut under_way = FuturesUnordered::new();
        loop {
            let most = if capacity.may_pipeline() { PARALLEL } else { 1 };
            while under_way.len() < most
                && let Some(part) = next_part(&mut todo, capacity.call())
            {
                let allowed = capacity.allowance(part.len(), self.patience);
                under_way.push(Box::pin(self.call(part, allowed)));
            }
            let Some(answered) = under_way.next().await else {
                return Ok(answers);
            };
            self.take(answered, capacity, &mut todo, &mut answers)?;
        }
    }

    async fn call(&self, part: Range<usize>, allowed: Duration) -> Answered {
        let began = Instant::now();
        let items = self.items[part.clone()].iter().map(|item| request(self.subscription, item, self.filter));
        let result = CreateMonitoredItems::new(self.subscription.id, self.session)
            .timestamps_to_return(TimestampsToReturn::Both)
            .items_to_create(items.collect())
            .timeout(allowed)
            .send(self.session.channel())
            .await
            .map(|created| created.results.iter().map(|item| Created::from(&item.result)).collect())
            .map_err(|error| error.status());
        Answered { part, took: began.elapsed(), allowed, result }
    }

    fn take(
        &self,
        Answered { part, took, allowed, result }: Answered,
        capacity: &mut Capacity,
        todo: &mut VecDeque<Range<usize>>,
        answers: &mut [Created],
    ) -> Result<(), StatusCode> {
        let came = judge(result, part.len(), &mut capacity.items_per_call).inspect_err(|status| {
            if code(*status) == StatusCode::BadTimeout {
                capacity.too_slow(part.len(), allowed);
            }
        });
        match came? {
            Came::Answers(created) => {
                capacity.took(part.len(), took);
                answers[part].copy_from_slice(&created);
            }
            Came::TooMuch => todo.push_front(part),
            Came::Never(status) => answers[part].fill(Created { status, id: 0 }),
        }
        Ok(())
    }
}

/// Cuts the next call of at most `most` operands off what is to do.
fn next_part(todo: &mut VecDeque<Range<usize>>, most: usize) -> Option<Range<usize>> {
    let rest = todo.pop_front().filter(|rest| !rest.is_empty())?;
    let part = rest.start..rest.end.min(rest.start + most);
    if part.end < rest.end {
        todo.push_front(part.end..rest.end);
    }
    Some(part)
}

fn is_about_filter(status: StatusCode) -> bool {
    matches!(
        code(status),
        StatusCode::BadMonitoredItemFilterUnsupported
            | StatusCode::BadMonitoredItemFilterInvalid
            | StatusCode::BadFilterNotAllowed
    )
}

fn request(subscription: &Subscription, (tag, node): &Item, filter: bool) -> MonitoredItemCreateRequest {
    MonitoredItemCreateRequest {
        item_to_monitor: ReadValueId {
            node_id: node.clone(),
            attribute_id: AttributeId::Value as u32,
            ..ReadValueId::default()
        },
        monitoring_mode: subscription.mode,
        requested_parameters: MonitoringParameters {
            client_handle: tag.0 + 1,
            sampling_interval: SAMPLING_MS,
            filter: if filter { every_change() } else { ExtensionObject::null() },
            queue_size: subscription.queue,
            discard_oldest: true,
        },
    }
}

/// A change of the value or of the status. The standard's default (OPC 10000-4 7.22.2), yet there are
/// servers that without it overlook a change of the status alone.
fn every_change() -> ExtensionObject {
    ExtensionObject::from_message(DataChangeFilter {
        trigger: DataChangeTrigger::StatusValue,
        deadband_type: DeadbandType::None as u32,
        deadband_value: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once_in_order() {
        let mut todo = VecDeque::from_iter([0..5, 5..5 + 3]);
        let parts: Vec<Range<usize>> = std::iter::from_fn(|| next_part(&mut todo, 2)).collect();
        assert_eq!(parts, [0..2, 2..4, 4..5, 5..7, 7..8]);
        assert_eq!(next_part(&mut std::iter::once(0..0).collect(), 2), None);
    }
}
