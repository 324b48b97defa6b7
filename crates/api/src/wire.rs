//! What crosses the border to the screen: plain records, camelCase, no domain type among them.
//!
//! Times are milliseconds since 1970 UTC as f64; `null` always means "not known". The TypeScript in
//! `ui/src/generated/` is made from this file by `cargo xtask bindings`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Declares wire records and collects them for the TypeScript generator.
macro_rules! records {
    ($($(#[$meta:meta])* $kind:ident $name:ident { $($body:tt)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
            #[serde(rename_all = "camelCase")]
            #[ts(rename_all = "camelCase")]
            pub $kind $name { $($body)* }
        )*
        /// The TypeScript declarations of every record, in the order of this file.
        pub fn declarations() -> Vec<String> {
            let config = ts_rs::Config::new().with_large_int("number");
            vec![$(<$name as TS>::decl(&config)),*]
        }
    };
}

records! {
    /// What the UI asks first, and again after every change of `epoch`.
    struct Hello {
        pub version: String,
        pub mode: SessionMode,
        /// Changes when everything the UI knows is void (another session, another configuration).
        pub epoch: u32,
        /// Null when the configuration could not be read: then `problems` says why.
        pub plant: Option<PlantInfo>,
        pub problems: Vec<Problem>,
    }

    enum SessionMode { Live, Replay }

    /// Something that a person has to put right, in three parts.
    struct Problem {
        /// Which file, line and column, tag or server.
        pub place: String,
        /// What is wrong.
        pub problem: String,
        /// What to do.
        pub remedy: String,
    }

    struct PlantInfo {
        pub site: String,
        pub area: String,
        pub line: String,
        /// IANA name; the UI shows every time in it.
        pub time_zone: String,
        /// What is counted, in the plural.
        pub product: String,
        /// Products per minute.
        pub target_rate: Option<f64>,
        /// Stops shorter than this are short stops.
        pub minor_stop_ms: f64,
        /// The unit whose state is the state of the line.
        pub constraint: Option<u32>,
        pub connections: Vec<ConnectionInfo>,
        pub units: Vec<UnitInfo>,
        pub tag_count: u32,
        /// Where the configuration came from.
        pub config_path: String,
    }

    struct ConnectionInfo { pub id: u32, pub name: String, pub endpoint: String }

    struct UnitInfo {
        pub id: u32,
        pub name: String,
        /// Best possible speed, products per minute.
        pub ideal_rate: Option<f64>,
        /// Normal band of the speed.
        pub band: Option<[f64; 2]>,
        pub has_state: bool,
        pub has_speed: bool,
        pub has_good: bool,
        pub has_reject: bool,
    }

    struct TagsRequest { pub offset: u32, pub limit: u32 }

    struct TagPage { pub total: u32, pub tags: Vec<TagInfo> }

    /// What does not change about a tag.
    struct TagInfo {
        pub id: u32,
        pub name: String,
        pub description: String,
        pub connection: u32,
        pub node: String,
        pub unit: String,
        pub range: Option<[f64; 2]>,
        /// A value older than this is late; null: it may stay the same for ever.
        pub max_age_ms: Option<f64>,
        /// Names of enumeration values.
        pub texts: Vec<TagText>,
    }

    struct TagText { pub value: f64, pub text: String }

    /// Asks for everything that changed since `cursor`. One request is in flight at a time.
    struct FrameRequest {
        /// The epoch that the cursor belongs to.
        pub epoch: u32,
        /// `seq` of the last frame; 0 at first.
        pub cursor: f64,
        /// Tags whose values are visible.
        pub watch: Vec<u32>,
        /// Send all watched tags, changed or not (the set of visible tags has changed).
        pub fresh: bool,
    }

    /// The JSON part of a frame. A section is null when nothing in it changed since the cursor.
    struct FrameTail {
        /// Texts that the value columns point into.
        pub texts: Vec<String>,
        pub links: Option<Vec<LinkView>>,
        pub recorder: Option<RecorderView>,
        pub shift: Option<ShiftView>,
        pub units: Option<Vec<UnitView>>,
        pub strips: Option<Vec<StripView>>,
        pub output: Option<Vec<OutputPointView>>,
        /// Everything notable since the cursor, oldest first, never merged.
        pub notices: Vec<Notice>,
        /// Notices that were dropped because there were more than a frame takes.
        pub notices_dropped: u32,
    }

    struct LinkView {
        pub id: u32,
        pub name: String,
        pub state: LinkStateView,
        pub since_ms: f64,
        /// OPC UA status code of the failure; 0 while the link is up.
        pub status: u32,
        /// What the adapter says about it, in English.
        pub detail: String,
        pub subscription: SubscriptionStateView,
        pub subscription_since_ms: f64,
        /// The server's own product name.
        pub product: String,
        pub simulated: bool,
        pub tags: u32,
        /// Tags that the server refused.
        pub refused: u32,
        /// Tags with a bad or uncertain value, a late one, or none.
        pub doubtful: u32,
    }

    enum LinkStateView { Down, Connecting, Up }
    enum SubscriptionStateView { None, Live, Late }

    struct RecorderView {
        pub state: RecorderStateView,
        /// How far behind it is.
        pub lag_ms: f64,
        pub detail: String,
        /// File name of the shift being recorded.
        pub file: String,
        /// Since when it has been in this state.
        pub since_ms: f64,
    }

    enum RecorderStateView { Off, Recording, Lagging, Failed }

    struct ShiftView {
        pub name: String,
        pub start_ms: f64,
        pub end_ms: f64,
        pub crew: Option<String>,
        pub scheduled: bool,
    }

    /// One unit card.
    struct UnitView {
        pub id: u32,
        /// PackML name, or `Unknown`.
        pub state: String,
        /// The server sent a state that the mapping does not know.
        pub unmapped: bool,
        pub state_since_ms: f64,
        /// PackML mode, or `Unknown`.
        pub mode: String,
        /// What can be said of the state's freshness.
        pub state_trust: Trust,
        /// Products per minute.
        pub rate: Option<f64>,
        pub rate_trust: Trust,
        pub good: Option<CounterView>,
        pub reject: Option<CounterView>,
        /// Mean speeds of the last ten minutes, oldest first, 10 s each; null where not known.
        pub rates: Vec<Option<f64>>,
    }

    /// Can this figure be believed now, and if not, why?
    enum Trust {
        /// Good, and the link proves that it is current.
        Live,
        /// The server itself marks it uncertain.
        Uncertain,
        /// Older than the configuration expects.
        Late,
        /// Last known; the subscription is silent.
        Silent,
        /// Last known; the link is down.
        LinkDown,
        /// The server says bad.
        Bad,
        /// The server refused the node.
        Refused,
        /// No value has arrived yet.
        Waiting,
        /// The line has no such tag.
        Absent,
        /// Fresh and good, but its use cannot take it: text for a counter, or a jump that is not believed.
        Unusable,
    }

    struct CounterView {
        /// Products since the start of the shift; null before the first usable reading.
        pub total: Option<f64>,
        /// Part of the total that was counted across an outage.
        pub across_gaps: f64,
        pub resets: u32,
        pub rejected: u32,
        pub trust: Trust,
    }

    /// The states of one unit over the last hours, oldest first.
    struct StripView { pub unit: u32, pub intervals: Vec<IntervalView> }

    /// It ends where the next begins; the last is still open.
    struct IntervalView { pub start_ms: f64, pub kind: IntervalKind, pub state: String }

    enum IntervalKind { Running, Stopped, Held, Suspended, Changeover, Maintenance, Unknown }

    struct OutputPointView { pub at_ms: f64, pub total: Option<f64> }

    /// Something that happened to the program or its data. Words come from the UI's catalogue.
    struct Notice {
        pub seq: f64,
        pub at_ms: f64,
        pub kind: NoticeKind,
        pub connection: Option<u32>,
        pub tag: Option<u32>,
        pub from_ms: Option<f64>,
        pub to_ms: Option<f64>,
        /// How many values were lost, where that is known.
        pub lost: Option<f64>,
        pub status: u32,
        pub detail: String,
    }

    enum NoticeKind {
        Started, LinkUp, LinkDown, SubscriptionLate, SubscriptionLive, ServerRestarted, ItemRefused, ItemAccepted,
        GapLinkDown, GapServerOverflow, GapClientOverflow, GapLostNotification, GapNotRunning, GapNotRecorded, GapSilent,
        RecorderLagging, RecorderFailed, RecorderRecovered, ClockStepped, ShiftStarted,
    }

    /// Answer to a command that failed.
    struct ApiError { pub code: ErrorCode, pub message: String }

    enum ErrorCode {
        /// The epoch is over: say hello again.
        Stale,
        /// The request itself is wrong.
        BadRequest,
        /// Anything else; the message has the chain.
        Internal,
    }
}
