//! The JSON part of a frame: each section whole, but only when something in it changed.

use crate::wire::*;
use lineside_engine::{self as engine, NoticeKind as Kind};
use lineside_model::config::{CounterConfig, PlantConfig, Unit};
use lineside_model::state::{Counter, Interval, LinkHealth, PlantState, RecorderState, Shift, UnitStatus};
use lineside_model::{ConnectionId, LinkState, Mode, PackState, Span, SubscriptionState, TagId, Timestamp, UnitId};
use lineside_runtime::Core;

/// A frame takes no more notices than this; it says how many it left out.
const NOTICES_MAX: usize = 500;

/// The strips of the Line view reach back so far.
const STRIP: Span = Span::from_secs(4 * 3600);

/// The tail for a screen that has everything up to `cursor`.
pub(crate) fn tail(core: &Core, cursor: u64, texts: Vec<String>) -> FrameTail {
    let (view, state, config) = (&core.view, core.engine.state(), core.engine.config());
    let total = view.notices_after(cursor).count();
    let skipped = total.saturating_sub(NOTICES_MAX);
    FrameTail {
        texts,
        links: (view.links > cursor || view.units > cursor).then(|| links(config, state)),
        recorder: (view.recorder > cursor || view.shift > cursor).then(|| recorder(core, state)),
        shift: (view.shift > cursor).then(|| shift(state)).flatten(),
        reports: view.reports as f64,
        meta: view.meta as f64,
        units: (view.units > cursor).then(|| units(config, state)),
        strips: (view.strips > cursor).then(|| strips(state)),
        output: (view.output > cursor).then(|| output(state)),
        notices: view.notices_after(cursor).skip(skipped).map(notice).collect(),
        notices_dropped: skipped as u32,
        replay: None,
    }
}

pub(crate) fn links(config: &PlantConfig, state: &PlantState) -> Vec<LinkView> {
    let mut views: Vec<LinkView> = config
        .connections
        .iter()
        .zip(&state.links)
        .enumerate()
        .map(|(id, (connection, link))| link_view(id as u32, &connection.name, link))
        .collect();
    for id in config.tag_ids() {
        let view = &mut views[config.tag(id).connection.0 as usize];
        view.tags += 1;
        match engine::trust(config, state, id) {
            engine::Trust::Refused => view.refused += 1,
            engine::Trust::Live => {}
            _ => view.doubtful += 1,
        }
    }
    views
}

fn link_view(id: u32, name: &str, link: &LinkHealth) -> LinkView {
    LinkView {
        id,
        name: name.to_owned(),
        state: link_state(link.state),
        since_ms: link.since.as_millis_f64(),
        status: link.status.0,
        detail: link.detail.to_string(),
        subscription: match link.subscription {
            SubscriptionState::None => SubscriptionStateView::None,
            SubscriptionState::Live => SubscriptionStateView::Live,
            SubscriptionState::Late => SubscriptionStateView::Late,
            SubscriptionState::Frozen => SubscriptionStateView::Frozen,
        },
        subscription_since_ms: link.subscription_since.as_millis_f64(),
        product: link.product.to_string(),
        simulated: link.simulated,
        tags: 0,
        refused: 0,
        doubtful: 0,
    }
}

pub(crate) fn link_state(state: LinkState) -> LinkStateView {
    match state {
        LinkState::Down => LinkStateView::Down,
        LinkState::Connecting => LinkStateView::Connecting,
        LinkState::Up => LinkStateView::Up,
    }
}

fn recorder(core: &Core, state: &PlantState) -> RecorderView {
    let (view, lag_ms, detail) = match &state.recorder {
        RecorderState::Off => (RecorderStateView::Off, 0.0, String::new()),
        RecorderState::Recording => (RecorderStateView::Recording, 0.0, String::new()),
        RecorderState::Lagging(by) => (RecorderStateView::Lagging, by.as_millis_f64(), String::new()),
        RecorderState::Failed(why) => (RecorderStateView::Failed, 0.0, why.to_string()),
    };
    RecorderView { state: view, lag_ms, detail, file: core.file.clone(), since_ms: core.recorder_since.as_millis_f64() }
}

fn shift(state: &PlantState) -> Option<ShiftView> {
    state.shift.as_ref().map(shift_view)
}

pub(crate) fn shift_view(shift: &Shift) -> ShiftView {
    ShiftView {
        name: shift.name.to_string(),
        start_ms: shift.start.as_millis_f64(),
        end_ms: shift.end.as_millis_f64(),
        crew: shift.crew.as_ref().map(|crew| crew.to_string()),
        scheduled: shift.scheduled,
    }
}

fn units(config: &PlantConfig, state: &PlantState) -> Vec<UnitView> {
    let ids = (0..config.units.len() as u32).map(UnitId);
    ids.zip(&state.units).map(|(id, status)| unit(config, state, id, status)).collect()
}

fn unit(config: &PlantConfig, state: &PlantState, id: UnitId, status: &UnitStatus) -> UnitView {
    let unit = &config.units[id.0 as usize];
    let believed = |tag: Option<TagId>| tag.map_or(Trust::Absent, |tag| trust(config, state, tag));
    UnitView {
        id: id.0,
        state: status.state.name().to_owned(),
        unmapped: status.unmapped,
        state_since_ms: status.state_since.as_millis_f64(),
        mode: status.mode.name().to_owned(),
        state_trust: believed(unit.state.as_ref().map(|map| map.tag)),
        rate: status.rate_per_min,
        rate_trust: rate_trust(believed(unit.speed.or(unit.good.map(|counter| counter.tag))), unit, status),
        good: unit.good.map(|counter| counter_view(config, state, &counter, &status.good)),
        reject: unit.reject.map(|counter| counter_view(config, state, &counter, &status.reject)),
        rates: status.rates.iter().copied().collect(),
    }
}

fn counter_view(config: &PlantConfig, state: &PlantState, counter: &CounterConfig, status: &Counter) -> CounterView {
    CounterView {
        total: status.base.map(|_| status.total as f64),
        across_gaps: status.across_gaps as f64,
        resets: status.resets,
        rejected: status.rejected,
        trust: fitting(trust(config, state, counter.tag), !status.unusable),
    }
}

/// A fresh, good value that its use cannot take is not to be believed for that use.
fn fitting(trust: Trust, fits: bool) -> Trust {
    if trust == Trust::Live && !fits { Trust::Unusable } else { trust }
}

fn rate_trust(trust: Trust, unit: &Unit, status: &UnitStatus) -> Trust {
    fitting(trust, unit.speed.is_none() || status.rate_per_min.is_some())
}

pub(crate) fn trust(config: &PlantConfig, state: &PlantState, tag: TagId) -> Trust {
    trust_view(engine::trust(config, state, tag))
}

pub(crate) fn trust_view(trust: engine::Trust) -> Trust {
    match trust {
        engine::Trust::Live => Trust::Live,
        engine::Trust::Uncertain => Trust::Uncertain,
        engine::Trust::Late => Trust::Late,
        engine::Trust::Silent => Trust::Silent,
        engine::Trust::LinkDown => Trust::LinkDown,
        engine::Trust::Bad => Trust::Bad,
        engine::Trust::Refused => Trust::Refused,
        engine::Trust::Waiting => Trust::Waiting,
        engine::Trust::Absent => Trust::Absent,
    }
}

fn strips(state: &PlantState) -> Vec<StripView> {
    let from = state.at - STRIP;
    let strip = |(id, unit): (usize, &UnitStatus)| {
        // The interval that covers `from` began before it.
        let begun = unit.intervals.partition_point(|interval| interval.start <= from);
        let shown = unit.intervals.iter().skip(begun.saturating_sub(1));
        StripView { unit: id as u32, intervals: shown.map(interval).collect() }
    };
    state.units.iter().enumerate().map(strip).collect()
}

pub(crate) fn interval(interval: &Interval) -> IntervalView {
    IntervalView {
        start_ms: interval.start.as_millis_f64(),
        kind: interval_kind(interval),
        state: interval.state.name().to_owned(),
    }
}

/// How a stretch is drawn. The mode says why a machine does not produce before its state does.
fn interval_kind(interval: &Interval) -> IntervalKind {
    if !interval.known {
        return IntervalKind::Unknown;
    }
    match (interval.mode, interval.state) {
        (_, PackState::Unknown) => IntervalKind::Unknown,
        (Mode::Changeover, _) => IntervalKind::Changeover,
        (Mode::Maintenance, _) => IntervalKind::Maintenance,
        (Mode::Unknown | Mode::Produce | Mode::Manual, state) => match state {
            PackState::Execute | PackState::Completing => IntervalKind::Running,
            PackState::Suspending | PackState::Suspended | PackState::Unsuspending => IntervalKind::Suspended,
            PackState::Holding | PackState::Held | PackState::Unholding => IntervalKind::Held,
            PackState::Unknown => IntervalKind::Unknown,
            PackState::Clearing
            | PackState::Stopped
            | PackState::Starting
            | PackState::Idle
            | PackState::Stopping
            | PackState::Aborting
            | PackState::Aborted
            | PackState::Resetting
            | PackState::Complete => IntervalKind::Stopped,
        },
    }
}

fn output(state: &PlantState) -> Vec<OutputPointView> {
    let point = |point: &lineside_model::state::OutputPoint| OutputPointView {
        at_ms: point.at.as_millis_f64(),
        total: point.total.map(|total| total as f64),
    };
    state.output.iter().map(point).collect()
}

pub(crate) fn notice(notice: &engine::Notice) -> Notice {
    let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millis_f64);
    Notice {
        seq: notice.seq as f64,
        at_ms: notice.at.as_millis_f64(),
        kind: notice_kind(notice.kind),
        connection: notice.connection.map(|ConnectionId(id)| id),
        tag: notice.tag.map(|TagId(id)| id),
        from_ms: millis(notice.from),
        to_ms: millis(notice.to),
        lost: notice.lost.map(|lost| lost as f64),
        status: notice.status.0,
        detail: notice.detail.to_string(),
    }
}

pub(crate) fn notice_kind(kind: Kind) -> NoticeKind {
    match kind {
        Kind::Started => NoticeKind::Started,
        Kind::LinkUp => NoticeKind::LinkUp,
        Kind::LinkDown => NoticeKind::LinkDown,
        Kind::SubscriptionLate => NoticeKind::SubscriptionLate,
        Kind::SubscriptionLive => NoticeKind::SubscriptionLive,
        Kind::ServerRestarted => NoticeKind::ServerRestarted,
        Kind::ItemRefused => NoticeKind::ItemRefused,
        Kind::ItemAccepted => NoticeKind::ItemAccepted,
        Kind::GapLinkDown => NoticeKind::GapLinkDown,
        Kind::GapServerOverflow => NoticeKind::GapServerOverflow,
        Kind::GapClientOverflow => NoticeKind::GapClientOverflow,
        Kind::GapLostNotification => NoticeKind::GapLostNotification,
        Kind::GapNotRunning => NoticeKind::GapNotRunning,
        Kind::GapNotRecorded => NoticeKind::GapNotRecorded,
        Kind::GapSilent => NoticeKind::GapSilent,
        Kind::GapFilled => NoticeKind::GapFilled,
        Kind::ServerNotRunning => NoticeKind::ServerNotRunning,
        Kind::ServerRunning => NoticeKind::ServerRunning,
        Kind::ServerDegraded => NoticeKind::ServerDegraded,
        Kind::ServerHealthy => NoticeKind::ServerHealthy,
        Kind::Failover => NoticeKind::Failover,
        Kind::ClockSkewed => NoticeKind::ClockSkewed,
        Kind::ClockAgrees => NoticeKind::ClockAgrees,
        Kind::HeartbeatLost => NoticeKind::HeartbeatLost,
        Kind::MetaChanged => NoticeKind::MetaChanged,
        Kind::RecorderLagging => NoticeKind::RecorderLagging,
        Kind::RecorderFailed => NoticeKind::RecorderFailed,
        Kind::RecorderRecovered => NoticeKind::RecorderRecovered,
        Kind::ClockStepped => NoticeKind::ClockStepped,
        Kind::ShiftStarted => NoticeKind::ShiftStarted,
    }
}
