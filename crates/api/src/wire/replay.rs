//! Records of replay: opening, playing, the time bar, searching, comparing, what-if.

use super::{MarkView, Notice, NoticeKind, ShiftView, StripView, Trust, records};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

records! {
    /// Opens a recording for this screen.
    struct OpenRequest {
        pub shift: String,
        /// Where to stand; null: at its beginning.
        pub at_ms: Option<f64>,
    }

    /// The recording is a session of its own from now on; `hello` with its epoch tells the rest.
    struct Opened { pub epoch: u32, pub shift: String }

    struct PlayRequest {
        pub epoch: u32,
        pub action: PlayAction,
        /// Play: times real time (0: as fast as it can). Seek: instant, ms. Step: by how much, ms, signed. Loop: from, ms.
        pub value: Option<f64>,
        /// Loop: until, ms.
        pub until_ms: Option<f64>,
    }

    /// StepChange: to the next (value above 0) or the last instant at which anything was recorded. Follow: stay at the
    /// end of a file that is being written.
    enum PlayAction { Play, Pause, Seek, Step, StepChange, Loop, Unloop, Follow }

    /// Where a replay stands.
    struct ReplayView {
        pub position_ms: f64,
        pub from_ms: f64,
        pub to_ms: f64,
        pub playing: bool,
        /// As asked for; 0: as fast as it can.
        pub speed: f64,
        /// As reached, when that is less than asked for.
        pub reached_speed: Option<f64>,
        pub following: bool,
        pub loop_from_ms: Option<f64>,
        pub loop_to_ms: Option<f64>,
        /// Grows when the state was replaced instead of continued: what was drawn along the way is void.
        pub jump: f64,
        /// The file is still being written.
        pub growing: bool,
        pub shift: String,
        pub file: String,
        /// States of the live session that replay reached too, so far.
        pub digests_equal: u32,
        /// Where replay first differed from the live session; null: nowhere so far.
        pub differs_at_ms: Option<f64>,
        /// Damaged stretches met so far.
        pub damaged: u32,
        pub doubt: ReplayDoubt,
        /// Why the file could not be read on; the replay is paused then.
        pub failure: Option<String>,
    }

    /// Why the state shown may not be what was. Damaged: inputs before it could not be read. NotRecorded: nothing was
    /// recorded here, it is the last state known.
    enum ReplayDoubt { None, Damaged, NotRecorded }

    /// What the time bar draws.
    struct TimelineView {
        pub from_ms: f64,
        pub to_ms: f64,
        pub shift: Option<ShiftView>,
        /// The whole of the recording, by unit.
        pub strips: Vec<StripView>,
        pub gaps: Vec<GapSpanView>,
        /// Oldest first.
        pub notices: Vec<Notice>,
        pub notices_dropped: u32,
        pub marks: Vec<MarkView>,
        /// False while it is still being found from a file without an index.
        pub complete: bool,
        /// 0 to 1 while it is not.
        pub progress: f64,
    }

    struct GapSpanView {
        pub from_ms: f64,
        pub to_ms: f64,
        /// Null: of the whole plant, or of the tag.
        pub connection: Option<u32>,
        pub tag: Option<u32>,
        pub kind: NoticeKind,
    }

    /// One tag over a stretch of the recording, for a lane or a chart.
    struct LaneRequest { pub epoch: u32, pub tag: u32, pub from_ms: f64, pub to_ms: f64, pub columns: u32 }

    /// One entry per column, shown units. A column without a usable value has nulls.
    struct LaneView {
        pub tag: u32,
        pub from_ms: f64,
        pub to_ms: f64,
        pub first: Vec<Option<f64>>,
        pub min: Vec<Option<f64>>,
        pub max: Vec<Option<f64>>,
        pub last: Vec<Option<f64>>,
        /// Columns in which a value was bad or missing.
        pub doubtful: Vec<bool>,
    }

    struct FindRequest {
        pub epoch: u32,
        pub from_ms: f64,
        pub forward: bool,
        pub what: FindWhat,
        /// Notice: which kinds; empty: any.
        pub kinds: Vec<NoticeKind>,
        /// Stop: of this unit; null: of the line (its constraint unit).
        pub unit: Option<u32>,
        /// Change: of this tag.
        pub tag: Option<u32>,
        pub condition: Option<Condition>,
    }

    enum FindWhat { Notice, Gap, Mark, Stop, Change, Condition }

    /// `tag` compared with `value` (shown units) for at least so long.
    struct Condition { pub tag: u32, pub op: ConditionOp, pub value: f64, pub for_ms: f64 }

    enum ConditionOp { Below, Above, Equal, NotEqual }

    struct Found {
        /// Null: there is none in this direction.
        pub at_ms: Option<f64>,
        pub notice: Option<Notice>,
        pub mark: Option<MarkView>,
    }

    struct CompareRequest { pub epoch: u32, pub a_ms: f64, pub b_ms: f64 }

    /// What differs between two moments; by the time of the first change.
    struct Comparison {
        pub a_ms: f64,
        pub b_ms: f64,
        pub units: Vec<UnitDifference>,
        pub tags: Vec<TagDifference>,
        /// Tags that differ beyond those listed.
        pub more_tags: u32,
        /// Tags that are the same at both.
        pub same_tags: u32,
        pub links: Vec<LinkDifference>,
        /// Between the two moments, oldest first.
        pub notices: Vec<Notice>,
    }

    struct UnitDifference {
        pub unit: u32,
        pub a_state: String,
        pub b_state: String,
        pub a_rate: Option<f64>,
        pub b_rate: Option<f64>,
        pub a_good: Option<f64>,
        pub b_good: Option<f64>,
        pub a_reject: Option<f64>,
        pub b_reject: Option<f64>,
        /// When its state first changed after the earlier moment; null: it did not.
        pub first_changed_ms: Option<f64>,
    }

    struct TagDifference {
        pub tag: u32,
        pub a: ValueAt,
        pub b: ValueAt,
        pub first_changed_ms: Option<f64>,
        /// Samples between the two moments.
        pub samples: f64,
    }

    struct ValueAt { pub value: Option<f64>, pub text: Option<String>, pub status: u32, pub trust: Trust, pub source_ms: Option<f64> }

    struct LinkDifference { pub connection: u32, pub a_up: bool, pub b_up: bool, pub first_changed_ms: Option<f64> }

    /// What can be changed in a what-if.
    struct WhatIfParameters { pub parameters: Vec<ParameterView> }

    struct ParameterView {
        /// Names it in the request.
        pub path: String,
        /// The tag or unit that it belongs to; empty: the line.
        pub subject: String,
        pub kind: ParameterKind,
        /// As recorded; null: not configured.
        pub value: Option<f64>,
    }

    /// MaxRate: of the counter of good products.
    enum ParameterKind { MaxAgeS, IdealRate, BandLow, BandHigh, MaxRate, MaxRateReject, TargetRate, MinorStopS }

    struct WhatIfRequest { pub epoch: u32, pub changes: Vec<ParameterChange> }

    struct ParameterChange { pub path: String, pub value: Option<f64> }

    /// A recording run again under a changed configuration. Nothing of it is written anywhere.
    struct WhatIfResult {
        pub figures: Vec<FigurePair>,
        /// What would not have happened.
        pub notices_gone: Vec<Notice>,
        /// What would have happened besides.
        pub notices_new: Vec<Notice>,
        /// Notices that are the same in both.
        pub notices_same: u32,
        /// Why the second run is not wholly one under the changed parameters.
        pub caveats: Vec<CaveatView>,
        pub inputs: f64,
        pub took_ms: f64,
    }

    /// Something computed under the recorded parameters goes into both runs, or is missing in both, from here on.
    struct CaveatView { pub kind: CaveatKind, pub at_ms: Option<f64> }

    /// StartState: the state that the file begins with. TakenOver: the state behind a stretch that was not recorded.
    enum CaveatKind { StartState, TakenOver, Damaged }

    struct FigurePair {
        pub kind: FigureKind,
        /// Null: of the line.
        pub unit: Option<u32>,
        pub recorded: Option<f64>,
        pub what_if: Option<f64>,
    }

    /// Times in seconds, counts in products, rates in products per minute, shares from 0 to 1.
    enum FigureKind {
        RunningS, StoppedS, UnknownS, Stops, ShortStops, Good, Reject, MeanRate, RateAgainstIdeal, OutsideBandS, LateS,
        OutputAgainstTarget,
    }
}
