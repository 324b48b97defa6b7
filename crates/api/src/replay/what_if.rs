//! What-if as records: what can be changed, and what would have been.

use crate::sections;
use crate::wire::*;
use lineside_model::Timestamp;
use lineside_runtime::replay;

/// What of a configuration can be changed.
pub fn parameters(parameters: &[replay::Parameter]) -> WhatIfParameters {
    WhatIfParameters { parameters: parameters.iter().map(parameter).collect() }
}

/// The changes that a screen asks for.
pub fn changes(request: &WhatIfRequest) -> Vec<replay::ParameterChange> {
    let change = |change: &ParameterChange| replay::ParameterChange { path: change.path.clone(), value: change.value };
    request.changes.iter().map(change).collect()
}

/// What would have been; `took_ms` is how long finding that out took.
pub fn what_if(result: &replay::WhatIf, took_ms: f64) -> WhatIfResult {
    WhatIfResult {
        figures: result.figures.iter().map(figure).collect(),
        notices_gone: result.gone.iter().map(sections::notice).collect(),
        notices_new: result.new.iter().map(sections::notice).collect(),
        notices_same: result.same as u32,
        caveats: result.caveats.iter().map(caveat).collect(),
        inputs: result.inputs as f64,
        took_ms,
    }
}

fn parameter(parameter: &replay::Parameter) -> ParameterView {
    ParameterView {
        path: parameter.path.clone(),
        subject: parameter.subject.clone(),
        kind: match parameter.kind {
            replay::ParameterKind::MaxAge => ParameterKind::MaxAgeS,
            replay::ParameterKind::IdealRate => ParameterKind::IdealRate,
            replay::ParameterKind::BandLow => ParameterKind::BandLow,
            replay::ParameterKind::BandHigh => ParameterKind::BandHigh,
            replay::ParameterKind::MaxRateGood => ParameterKind::MaxRate,
            replay::ParameterKind::MaxRateReject => ParameterKind::MaxRateReject,
            replay::ParameterKind::TargetRate => ParameterKind::TargetRate,
            replay::ParameterKind::MinorStop => ParameterKind::MinorStopS,
        },
        value: parameter.value,
    }
}

fn figure(pair: &replay::FigurePair) -> FigurePair {
    FigurePair {
        kind: figure_kind(pair.figure),
        unit: pair.unit.map(|unit| unit.0),
        recorded: pair.recorded,
        what_if: pair.what_if,
    }
}

fn figure_kind(figure: replay::Figure) -> FigureKind {
    match figure {
        replay::Figure::Running => FigureKind::RunningS,
        replay::Figure::Stopped => FigureKind::StoppedS,
        replay::Figure::Unknown => FigureKind::UnknownS,
        replay::Figure::Stops => FigureKind::Stops,
        replay::Figure::ShortStops => FigureKind::ShortStops,
        replay::Figure::Good => FigureKind::Good,
        replay::Figure::Reject => FigureKind::Reject,
        replay::Figure::MeanRate => FigureKind::MeanRate,
        replay::Figure::RateAgainstIdeal => FigureKind::RateAgainstIdeal,
        replay::Figure::OutsideBand => FigureKind::OutsideBandS,
        replay::Figure::Late => FigureKind::LateS,
        replay::Figure::OutputAgainstTarget => FigureKind::OutputAgainstTarget,
    }
}

fn caveat(caveat: &replay::Caveat) -> CaveatView {
    let at = |kind, at: Option<Timestamp>| CaveatView { kind, at_ms: at.map(Timestamp::as_millis_f64) };
    match *caveat {
        replay::Caveat::StartState => at(CaveatKind::StartState, None),
        replay::Caveat::TakenOver(since) => at(CaveatKind::TakenOver, Some(since)),
        replay::Caveat::Damaged(since) => at(CaveatKind::Damaged, Some(since)),
    }
}
