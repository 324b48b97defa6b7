//! The door through which adapters deliver: a bounded queue that never blocks and never drops unseen.
//!
//! An adapter runs inside a protocol loop, which must not wait. When the queue is full the samples are
//! counted per tag, and the next delivery that fits begins with their gaps.

use crate::input::{Gap, GapReason, GapScope, Input};
use crate::{TagId, Timestamp};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// How many deliveries may wait. A delivery is one OPC UA notification message (at most some
/// thousand samples), so this is seconds of the heaviest load, not minutes.
pub const DELIVERIES_MAX: usize = 512;

/// Makes a door: adapters keep (clones of) the inlet, the runtime the receiver.
pub fn inlet() -> (Inlet, Receiver<Vec<Input>>) {
    let (sender, receiver) = sync_channel(DELIVERIES_MAX);
    (Inlet { sender, lost: BTreeMap::new(), held: Vec::new() }, receiver)
}

/// The adapter's end. Each clone counts its own losses.
pub struct Inlet {
    sender: SyncSender<Vec<Input>>,
    lost: BTreeMap<TagId, Lost>,
    /// Inputs that are not samples are few and must not be lost: they wait for the next delivery.
    held: Vec<Input>,
}

#[derive(Clone, Copy)]
struct Lost {
    count: u64,
    from: Timestamp,
    to: Timestamp,
}

impl Clone for Inlet {
    fn clone(&self) -> Inlet {
        Inlet { sender: self.sender.clone(), lost: BTreeMap::new(), held: Vec::new() }
    }
}

/// The runtime is gone; nothing will be taken any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl Inlet {
    /// Delivers `inputs`, in order, after whatever had to wait. Never blocks.
    pub fn deliver(&mut self, inputs: Vec<Input>) -> Result<(), Closed> {
        let delivery = self.with_waiting(inputs);
        match self.sender.try_send(delivery) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(refused)) => {
                self.keep_account(refused);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Closed),
        }
    }

    /// Are there losses or held inputs that a further delivery would bring?
    pub fn has_waiting(&self) -> bool {
        !self.lost.is_empty() || !self.held.is_empty()
    }

    fn with_waiting(&mut self, inputs: Vec<Input>) -> Vec<Input> {
        if !self.has_waiting() {
            return inputs;
        }
        let mut delivery = std::mem::take(&mut self.held);
        delivery.extend(std::mem::take(&mut self.lost).into_iter().map(|(tag, lost)| {
            Input::Gap(Gap {
                scope: GapScope::Tag(tag),
                from: lost.from,
                to: lost.to,
                reason: GapReason::ClientOverflow,
                lost: Some(lost.count),
            })
        }));
        delivery.extend(inputs);
        delivery
    }

    fn keep_account(&mut self, refused: Vec<Input>) {
        for input in refused {
            match input {
                Input::Sample(sample) => {
                    let time = sample.source_time.or(sample.server_time).unwrap_or_default();
                    self.count(sample.tag, 1, time, time);
                }
                Input::Gap(Gap {
                    scope: GapScope::Tag(tag),
                    from,
                    to,
                    reason: GapReason::ClientOverflow,
                    lost: Some(count),
                }) => self.count(tag, count, from, to),
                other => self.held.push(other),
            }
        }
    }

    fn count(&mut self, tag: TagId, count: u64, from: Timestamp, to: Timestamp) {
        let lost = self.lost.entry(tag).or_insert(Lost { count: 0, from, to });
        lost.count += count;
        lost.from = lost.from.min(from);
        lost.to = lost.to.max(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionId, LinkState, Sample, StatusCode, Value};

    fn sample(tag: u32, second: i64) -> Input {
        Input::Sample(Sample {
            tag: TagId(tag),
            value: Value::Int(second),
            status: StatusCode::GOOD,
            source_time: Some(Timestamp::from_millis(second * 1000)),
            server_time: None,
        })
    }

    #[test]
    fn what_a_full_queue_refused_arrives_as_gaps_and_nothing_else_is_lost() {
        let (mut inlet, receiver) = inlet();
        for second in 0..DELIVERIES_MAX as i64 {
            assert_eq!(inlet.deliver(vec![sample(0, second)]), Ok(()));
        }
        let link = Input::Link {
            connection: ConnectionId(0),
            state: LinkState::Up,
            status: StatusCode::GOOD,
            detail: "".into(),
        };
        assert_eq!(inlet.deliver(vec![sample(1, 600), link.clone()]), Ok(()));
        assert_eq!(inlet.deliver(vec![sample(1, 601)]), Ok(()));
        assert!(inlet.has_waiting());

        receiver.iter().take(DELIVERIES_MAX).for_each(drop);
        assert_eq!(inlet.deliver(vec![sample(1, 602)]), Ok(()));
        let gap = Input::Gap(Gap {
            scope: GapScope::Tag(TagId(1)),
            from: Timestamp::from_millis(600_000),
            to: Timestamp::from_millis(601_000),
            reason: GapReason::ClientOverflow,
            lost: Some(2),
        });
        assert_eq!(receiver.recv(), Ok(vec![link, gap, sample(1, 602)]));
    }

    #[test]
    fn a_closed_door_says_so() {
        let (mut inlet, receiver) = inlet();
        drop(receiver);
        assert_eq!(inlet.deliver(Vec::new()), Err(Closed));
    }
}
