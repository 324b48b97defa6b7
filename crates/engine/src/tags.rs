//! Samples and the server's answers to monitoring requests.
//!
//! The current value is the newest by *source* time, within one subscription. A sample that is older
//! than the current value (a late or repeated arrival) does not replace it, does not renew it, and is
//! noted as out of order by the counters that use the tag; the recording has it. Two exceptions, so that a value
//! cannot freeze: the first value of a subscription always counts, and a sample with an older source
//! time but a newer server time is new, and the clock at its source was set back. An equal source time
//! renews the value: the server has looked again.

use crate::index::Use;
use crate::notice::{Notice, NoticeKind};
use crate::{Change, Engine, Step};
use lineside_model::state::TagState;
use lineside_model::{Sample, StatusCode, TagId, Timestamp};

impl Engine {
    pub(crate) fn on_sample(&mut self, sample: &Sample, step: &mut Step) {
        let Some(tag) = self.state.tags.get_mut(sample.tag.0 as usize) else { return };
        if is_older(sample, tag, step.at) {
            return self.on_out_of_order(sample.tag, step);
        }
        tag.value.clone_from(&sample.value);
        tag.status = sample.status;
        tag.source_time = sample.source_time;
        tag.server_time = sample.server_time;
        tag.received = Some(step.at);
        tag.late = false;
        tag.confirmed = true;
        tag.changed_seq = step.seq;
        step.changes.push(Change::Tag(sample.tag));
        if let Some(max_age) = self.index.max_age(sample.tag) {
            self.deadlines.watch(sample.tag, step.at + max_age);
        }
        for place in self.index.uses(sample.tag) {
            let (unit, what) = self.index.use_at(place);
            self.on_used_sample(unit, what, step);
        }
    }

    pub(crate) fn on_item(&mut self, id: TagId, status: StatusCode, step: &mut Step) {
        let Some(tag) = self.state.tags.get_mut(id.0 as usize) else { return };
        let was = std::mem::replace(&mut tag.item, status);
        if was == status {
            return;
        }
        tag.changed_seq = step.seq;
        step.changes.push(Change::Tag(id));
        if was.is_bad() != status.is_bad() {
            tag.confirmed = false; // accepted again, it is another item: its first value is still to come
            let kind = if status.is_bad() { NoticeKind::ItemRefused } else { NoticeKind::ItemAccepted };
            let connection = Some(self.config.tag(id).connection);
            step.notice(kind, |n| Notice { tag: Some(id), connection, status, ..n });
            for place in self.index.uses(id) {
                self.refresh_unit(self.index.use_at(place).0, step);
            }
        }
    }

    fn on_out_of_order(&mut self, id: TagId, step: &mut Step) {
        for place in self.index.uses(id) {
            let (unit, what) = self.index.use_at(place);
            let status = &mut self.state.units[unit.0 as usize];
            let counter = match what {
                Use::Good => &mut status.good,
                Use::Reject => &mut status.reject,
                Use::State | Use::Mode | Use::Speed => continue,
            };
            counter.rejected = counter.rejected.saturating_add(1);
            step.changes.push(Change::Unit(unit));
        }
    }
}

/// Is the sample older than what the tag already shows? A current value from the future proves nothing.
fn is_older(sample: &Sample, tag: &TagState, at: Timestamp) -> bool {
    let (Some(new), Some(current)) = (sample.source_time, tag.source_time) else { return false };
    let served_later = || matches!((sample.server_time, tag.server_time), (Some(new), Some(old)) if new > old);
    new < current && current <= at && tag.confirmed && !served_later()
}
