//! Recordings in the words of the wire: where a replay stands, what a screen asks of it, and what the answers say.

mod comparison;
mod facts;
mod line;
mod mark;
mod search;
mod timeline;
mod what_if;

pub use comparison::comparison;
pub use facts::{info, stops};
pub use line::lane;
pub use mark::{mark, mark_of};
pub use search::{found, tag, wanted};
pub use timeline::timeline;
pub use what_if::{changes, parameters, what_if};

use crate::commands::bad_request;
use crate::wire::*;
use lineside_model::{Span, Timestamp};
use lineside_runtime::{Command, Core, Doubt, PlaybackState, Speed};

/// Where the replay of the recording `shift` stands; `None` of a plant.
pub fn view(core: &Core, shift: &str) -> Option<ReplayView> {
    core.playback.as_ref().map(|state| view_of(state, shift, &core.file))
}

/// The same of a state that was told; `file` is the name of the file.
pub fn view_of(state: &PlaybackState, shift: &str, file: &str) -> ReplayView {
    let asked = match state.speed {
        Speed::Times(times) => times,
        Speed::Max => 0.0,
    };
    // A few per cent are how a measurement varies, not a speed that was missed.
    let missed = |reached: &f64| asked == 0.0 || *reached < asked * 0.95;
    ReplayView {
        position_ms: state.position.as_millis_f64(),
        from_ms: state.from.as_millis_f64(),
        to_ms: state.to.as_millis_f64(),
        playing: state.playing,
        speed: asked,
        reached_speed: state.effective.filter(missed),
        following: state.following,
        loop_from_ms: state.range.map(|(from, _)| from.as_millis_f64()),
        loop_to_ms: state.range.map(|(_, to)| to.as_millis_f64()),
        jump: state.jump as f64,
        growing: state.growing,
        shift: shift.to_owned(),
        file: file.to_owned(),
        digests_equal: state.digests_equal as u32,
        differs_at_ms: state.first_mismatch.map(|first| first.at.as_millis_f64()),
        damaged: state.damaged.len() as u32,
        doubt: match state.doubt {
            Doubt::None => ReplayDoubt::None,
            Doubt::Damaged => ReplayDoubt::Damaged,
            Doubt::NotRecorded => ReplayDoubt::NotRecorded,
        },
        failure: state.failure.clone(),
    }
}

/// What the request asks the session to do.
///
/// # Errors
/// A number that the action needs is missing, or is none.
pub fn command(request: &PlayRequest) -> Result<Command, ApiError> {
    Ok(match request.action {
        PlayAction::Play => Command::Play(request.value.map(speed)),
        PlayAction::Pause => Command::Pause,
        PlayAction::Seek => Command::Seek(instant(request.value, "value")?),
        PlayAction::Step => Command::Step(Span(nanos(request.value, "value")?)),
        PlayAction::StepChange => Command::StepChange { forward: request.value.is_none_or(|value| value > 0.0) },
        PlayAction::Loop => {
            Command::Loop { from: instant(request.value, "value")?, to: instant(request.until_ms, "untilMs")? }
        }
        PlayAction::Unloop => Command::Unloop,
        PlayAction::Follow => Command::Follow,
    })
}

/// The instant that a request names, in milliseconds since 1970.
///
/// # Errors
/// It is no number.
pub fn timestamp(millis: f64) -> Result<Timestamp, ApiError> {
    instant(Some(millis), "a time")
}

fn speed(times: f64) -> Speed {
    if times == 0.0 { Speed::Max } else { Speed::Times(times) }
}

fn instant(millis: Option<f64>, name: &str) -> Result<Timestamp, ApiError> {
    nanos(millis, name).map(Timestamp)
}

/// An f64 of milliseconds holds microseconds of our time exactly; more digits would be made up.
fn nanos(millis: Option<f64>, name: &str) -> Result<i64, ApiError> {
    let millis = millis.filter(|millis| millis.is_finite());
    let millis = millis.ok_or_else(|| bad_request(format!("`{name}` is not a number")))?;
    Ok(((millis * 1e3).round() as i64).saturating_mul(1_000))
}
