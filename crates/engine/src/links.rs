//! Health of the connections: three separate facts (link, subscription, server) and what follows from
//! a change of them. The quality of values received is never overwritten.

use crate::notice::{Notice, NoticeKind};
use crate::{Change, Engine, Step};
use lineside_model::state::{LINK_EVENTS_MAX, LinkEvent, LinkHealth};
use lineside_model::{ConnectionId, LinkState, StatusCode, SubscriptionState, TagId, Text, Timestamp};
use std::sync::Arc;

impl Engine {
    /// The link changed. `since` counts from when it went up or ceased to be up; attempts in between do
    /// not move it. A failure is noted when the link was up, or when its reason is a new one.
    pub(crate) fn on_link(
        &mut self,
        id: ConnectionId,
        state: LinkState,
        status: StatusCode,
        detail: &Text,
        step: &mut Step,
    ) {
        let Some(link) = self.state.links.get_mut(id.0 as usize) else { return };
        let before = link.clone();
        let (was_up, is_up) = (before.state == LinkState::Up, state == LinkState::Up);
        link.state = state;
        if was_up != is_up || before.since == Timestamp::default() {
            link.since = step.at;
        }
        if state != LinkState::Connecting || status.is_bad() {
            link.status = status; // an attempt does not wipe out why the last one failed
            link.detail = detail.clone();
        }
        note_link(id, &before, link, step);
        keep_event(&before, link, step.at);
        step.changes.push(Change::Link(id));
        if was_up != is_up {
            self.flow_changed(id, was_up, step);
        }
    }

    pub(crate) fn on_subscription(&mut self, id: ConnectionId, state: SubscriptionState, step: &mut Step) {
        let Some(link) = self.state.links.get_mut(id.0 as usize) else { return };
        let was = std::mem::replace(&mut link.subscription, state);
        if was == state {
            return;
        }
        let since = std::mem::replace(&mut link.subscription_since, step.at);
        let from = Some(since).filter(|_| matches!(was, SubscriptionState::Late | SubscriptionState::Frozen));
        match state {
            SubscriptionState::Live => step.notice(NoticeKind::SubscriptionLive, |n| n.on(id).during(from)),
            SubscriptionState::Late => step.notice(NoticeKind::SubscriptionLate, |n| n.on(id)),
            SubscriptionState::Frozen => step.notice(NoticeKind::HeartbeatLost, |n| n.on(id)),
            SubscriptionState::None => {}
        }
        step.changes.push(Change::Link(id));
        self.flow_changed(id, state == SubscriptionState::None, step);
    }

    /// A server said who it is. Another start time than before means that it was restarted.
    pub(crate) fn on_server(
        &mut self,
        id: ConnectionId,
        product: &Text,
        simulated: bool,
        started: Option<Timestamp>,
        step: &mut Step,
    ) {
        let Some(link) = self.state.links.get_mut(id.0 as usize) else { return };
        let before = link.server_started;
        link.product = product.clone();
        link.simulated = simulated;
        link.server_started = started.or(before);
        if before.is_some() && link.server_started != before {
            step.notice(NoticeKind::ServerRestarted, |n| Notice { from: started, ..n.on(id) });
        }
        step.changes.push(Change::Link(id));
    }

    /// All links are down: Lineside was not there.
    pub(crate) fn drop_links(&mut self, step: &mut Step) {
        for place in 0..self.state.links.len() {
            let (id, link) = (ConnectionId(place as u32), &mut self.state.links[place]);
            link.state = LinkState::Down;
            link.subscription = SubscriptionState::None;
            (link.since, link.subscription_since) = (step.at, step.at);
            (link.status, link.detail) = (StatusCode::GOOD, Text::default());
            (link.report, link.reported) = Default::default();
            step.changes.push(Change::Link(id));
            self.flow_changed(id, true, step);
        }
    }

    /// The connection that a tag comes through.
    pub(crate) fn link_of(&self, tag: TagId) -> Option<&LinkHealth> {
        let connection = self.config.tags.get(tag.0 as usize)?.connection;
        self.state.links.get(connection.0 as usize)
    }

    /// Values began or ceased to be current. `ended`: the subscription is gone, and the values that it
    /// brought with it.
    fn flow_changed(&mut self, id: ConnectionId, ended: bool, step: &mut Step) {
        let index = Arc::clone(&self.index);
        if ended {
            for tag in index.tags_on(id) {
                self.state.tags[tag.0 as usize].confirmed = false;
            }
        }
        for unit in index.units_on(id) {
            self.refresh_unit(*unit, step);
        }
    }
}

/// The history has what a person would want to see: up, down, and a new reason for being down.
fn keep_event(before: &LinkHealth, link: &mut LinkHealth, at: Timestamp) {
    let same = before.state == link.state && before.status.code() == link.status.code();
    if link.state == LinkState::Connecting || (same && !link.history.is_empty()) {
        return;
    }
    let told = link.history.back().is_some_and(|last| last.state == link.state && last.status == link.status);
    if told {
        return; // an attempt in between that ended as the one before
    }
    let (state, status, detail) = (link.state, link.status, link.detail.clone());
    link.history.push_back(LinkEvent { at, state, status, detail });
    while link.history.len() > LINK_EVENTS_MAX {
        link.history.pop_front();
    }
}

fn note_link(id: ConnectionId, before: &LinkHealth, now: &LinkHealth, step: &mut Step) {
    let (was_up, is_up) = (before.state == LinkState::Up, now.state == LinkState::Up);
    let new_reason = now.state == LinkState::Down && now.status.code() != before.status.code();
    if is_up && !was_up {
        let from = Some(before.since).filter(|since| *since != Timestamp::default());
        step.notice(NoticeKind::LinkUp, |n| n.on(id).during(from));
    } else if !is_up && (was_up || new_reason) {
        let (status, detail) = (now.status, now.detail.clone());
        step.notice(NoticeKind::LinkDown, |n| Notice { status, detail, ..n.on(id) });
    }
}
