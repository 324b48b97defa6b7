//! What crosses the border to the screen: plain records, camelCase, no domain type among them.
//!
//! Times are milliseconds since 1970 UTC as f64; `null` always means "not known". The TypeScript in
//! `ui/src/generated/` is made from this file by `cargo xtask bindings`.

mod recordings;
mod replay;

pub use self::recordings::*;
pub use self::replay::*;

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
        /// The TypeScript declarations of the records of this file, in its order.
        pub(crate) fn written() -> Vec<String> {
            let config = ts_rs::Config::new().with_large_int("number");
            vec![$(<$name as TS>::decl(&config)),*]
        }
    };
}
use records;

/// The TypeScript declarations of every record.
pub fn declarations() -> Vec<String> {
    [written(), recordings::written(), replay::written()].concat()
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
        /// The recording that the program was asked to open (a double click on a file), by its id.
        pub open: Option<String>,
    }

    /// Which session is meant; null: the plant itself.
    struct HelloRequest { pub epoch: Option<u32> }

    /// Names a session: the plant, or an opened recording.
    struct EpochRequest { pub epoch: u32 }

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
        /// Tags behind the figures; null where there is none.
        pub state_tag: Option<u32>,
        pub speed_tag: Option<u32>,
        pub good_tag: Option<u32>,
        pub reject_tag: Option<u32>,
    }

    struct TagsRequest { pub epoch: u32, pub offset: u32, pub limit: u32 }

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
        /// Grows when facts of connections changed: then `connections` has news.
        pub reports: f64,
        /// Grows when a server told another unit, range or texts of a node: then `tags` has news.
        pub meta: f64,
        pub units: Option<Vec<UnitView>>,
        pub strips: Option<Vec<StripView>>,
        pub output: Option<Vec<OutputPointView>>,
        /// Everything notable since the cursor, oldest first, never merged.
        pub notices: Vec<Notice>,
        /// Notices that were dropped because there were more than a frame takes.
        pub notices_dropped: u32,
        /// Where the replay stands; null in frames of the plant.
        pub replay: Option<ReplayView>,
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
    /// Frozen: publish responses arrive, but the heartbeat stands still.
    enum SubscriptionStateView { None, Live, Late, Frozen }

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
        GapFilled, ServerNotRunning, ServerRunning, ServerDegraded, ServerHealthy, Failover, ClockSkewed, ClockAgrees,
        HeartbeatLost, MetaChanged, RecorderLagging, RecorderFailed, RecorderRecovered, ClockStepped, ShiftStarted,
    }

    /// Everything known of the connections, for the Connections view.
    struct ConnectionsView { pub connections: Vec<ConnectionView>, pub at_ms: f64 }

    struct ConnectionView {
        pub link: LinkView,
        /// As configured.
        pub endpoint: String,
        /// The facts that the adapter told last; null before the first.
        pub report: Option<ReportView>,
        /// When it told them.
        pub reported_ms: Option<f64>,
        pub server_started_ms: Option<f64>,
        /// Changes of the link, newest first.
        pub history: Vec<LinkEventView>,
        /// Gaps of the connection and of its tags, newest first.
        pub gaps: Vec<GapView>,
        /// Gaps beyond those listed.
        pub more_gaps: u32,
        /// Items that the server refused, one by one.
        pub refused: Vec<RefusedView>,
        /// Refused items beyond those listed.
        pub more_refused: u32,
    }

    struct ReportView {
        /// The endpoint in use, of a redundant set the active member.
        pub endpoint: String,
        pub security: String,
        /// Empty: anonymous.
        pub user: String,
        pub server_state: ServerStateView,
        pub service_level: Option<u32>,
        /// Seconds until an announced shutdown.
        pub shutdown_s: Option<f64>,
        pub shutdown_reason: String,
        /// SHA-1 of the server's certificate; empty without security.
        pub certificate: String,
        pub certificate_expires_ms: Option<f64>,
        pub own_certificate_expires_ms: Option<f64>,
        /// As revised by the server.
        pub session_timeout_ms: f64,
        pub members: Vec<MemberView>,
        pub subscriptions: Vec<SubscriptionView>,
        pub limits: Vec<LimitView>,
        pub diagnostics: Vec<DiagnosticView>,
        pub flow: FlowView,
        /// The server's clock minus ours.
        pub clock_skew_ms: Option<f64>,
        pub round_trip_ms: Option<f64>,
        /// How much later than promised publish responses came, 95th percentile.
        pub publish_late_ms: Option<f64>,
    }

    enum ServerStateView { Running, Failed, NoConfiguration, Suspended, Shutdown, Test, CommunicationFault, Unknown }

    /// One server of a redundant set.
    struct MemberView {
        pub endpoint: String,
        pub role: MemberRoleView,
        pub service_level: Option<u32>,
        pub detail: String,
    }

    enum MemberRoleView { Unknown, Active, Standby, Unreachable }

    /// One subscription, as revised by the server. Counts are in publishing intervals.
    struct SubscriptionView { pub id: u32, pub publishing_ms: f64, pub keep_alive: u32, pub lifetime: u32, pub items: u32 }

    /// A limit by its name in OPC 10000-5; null: none declared, or not used.
    struct LimitView { pub name: String, pub declared: Option<f64>, pub used: Option<f64> }

    /// A number of the server's own diagnostics by its name in OPC 10000-5.
    struct DiagnosticView { pub name: String, pub value: f64 }

    /// Counts since Lineside was started.
    struct FlowView {
        pub notifications: f64,
        pub values: f64,
        pub lost_links: f64,
        pub sessions_created: f64,
        pub sessions_reactivated: f64,
        pub subscriptions_transferred: f64,
        pub subscriptions_created: f64,
        /// Notification messages that were not there when they were due.
        pub missing: f64,
        /// Of those, fetched again.
        pub republished: f64,
        /// Of those, lost for good.
        pub lost: f64,
        pub repeated: f64,
        pub overflows: f64,
        pub late: f64,
    }

    struct LinkEventView { pub at_ms: f64, pub state: LinkStateView, pub status: u32, pub detail: String }

    struct GapView {
        /// Null: the whole connection.
        pub tag: Option<u32>,
        pub tag_name: Option<String>,
        pub from_ms: f64,
        pub to_ms: f64,
        pub reason: GapReasonView,
        /// How many values, where that is known.
        pub lost: Option<f64>,
        /// Values read afterwards from the server's history.
        pub filled: f64,
        /// Tags whose history covered it.
        pub tags_filled: u32,
        /// Tags without a history.
        pub tags_without: u32,
    }

    enum GapReasonView { LinkDown, ServerOverflow, ClientOverflow, LostNotification, NotRunning, NotRecorded, Silent }

    struct RefusedView { pub tag: u32, pub name: String, pub node: String, pub status: u32 }

    /// Asks why a value is as it is.
    struct ExplainRequest { pub epoch: u32, pub tag: u32 }

    /// All facts about one value, for one sentence in the reader's language.
    struct Explanation {
        pub tag: u32,
        pub name: String,
        pub node: String,
        pub connection: u32,
        pub connection_name: String,
        pub trust: Trust,
        /// As received.
        pub status: u32,
        /// The server's answer to our request to monitor the node.
        pub item_status: u32,
        pub link: LinkView,
        /// When Lineside took the value in; null before the first.
        pub received_ms: Option<f64>,
        pub source_ms: Option<f64>,
        pub server_ms: Option<f64>,
        pub max_age_ms: Option<f64>,
        /// A value has come since the present subscription was made.
        pub confirmed: bool,
        pub clock_skew_ms: Option<f64>,
        /// The unit that the server names, where it is not the configured one.
        pub server_unit: Option<String>,
        /// The plant's time now.
        pub at_ms: f64,
    }

    // Setup: connect, trust, browse, map.

    struct DiscoverRequest {
        /// `host`, `host:port`, or `opc.tcp://host:port/path`.
        pub address: String,
    }

    /// What answers at an address.
    struct Discovery {
        /// The URL that was asked in the end.
        pub url: String,
        pub servers: Vec<ServerOffer>,
        /// What went wrong, where something did; the rest still holds.
        pub problems: Vec<Problem>,
    }

    struct ServerOffer {
        pub name: String,
        pub application_uri: String,
        pub product_uri: String,
        /// Strongest first.
        pub endpoints: Vec<EndpointOffer>,
        pub certificate: Option<CertificateView>,
        /// Lineside's own simulated plant.
        pub simulated: bool,
    }

    struct EndpointOffer {
        /// As Lineside would use it: the host and port that were typed.
        pub url: String,
        /// As the server says it, where that is something else.
        pub advertised_url: Option<String>,
        /// `Basic256Sha256/SignAndEncrypt` or `None`: what `security` in plant.toml takes.
        pub security: String,
        pub grade: EndpointGrade,
        /// The one that `security = "best"` takes.
        pub recommended: bool,
        pub users: Vec<UserOffer>,
    }

    /// Strong: recommended by OPC UA today. Accepted: older, not broken. Weak: broken, refused by Lineside.
    enum EndpointGrade { Strong, Accepted, Weak, None }

    /// `safe`: a password would not travel in the clear.
    struct UserOffer { pub kind: UserKind, pub safe: bool }

    enum UserKind { Anonymous, Name, Certificate, Issued }

    struct CertificateView {
        /// SHA-1 in hex, as OPC UA tools show it.
        pub thumbprint: String,
        pub sha256: String,
        pub subject: String,
        pub issuer: String,
        pub self_signed: bool,
        pub not_before_ms: f64,
        pub not_after_ms: f64,
        /// Whole days left; negative: expired.
        pub days_left: f64,
        pub host_names: Vec<String>,
        pub application_uri: String,
        pub key_bits: u32,
        pub signature: String,
        pub place: CertificatePlace,
        pub findings: Vec<CertificateFinding>,
    }

    /// Where it lies in our store. Unknown: nowhere.
    enum CertificatePlace { Own, Trusted, Issuer, Rejected, Unknown }

    struct CertificateFinding {
        /// OPC UA status code, e.g. BadCertificateTimeInvalid.
        pub status: u32,
        pub side: FindingSide,
        pub problem: String,
        pub remedy: String,
        /// Nothing is sent to the server as long as this holds.
        pub blocks: bool,
    }

    enum FindingSide { Server, Lineside }

    struct TrustRequest { pub thumbprint: String, pub decision: TrustDecision }

    /// Remove: forget it wherever it lies.
    enum TrustDecision { Trust, Reject, Remove }

    struct ImportRequest {
        /// Base64 of a certificate or revocation list, DER or PEM.
        pub data: String,
        pub place: CertificatePlace,
    }

    /// All certificates on this PC.
    struct CertificatesView {
        pub own: CertificateView,
        /// For import into servers.
        pub own_pem: String,
        /// The same as DER, Base64.
        pub own_der: String,
        /// The file on this PC.
        pub own_file: String,
        pub trusted: Vec<CertificateView>,
        pub issuers: Vec<CertificateView>,
        pub rejected: Vec<CertificateView>,
        pub revocation_lists: Vec<RevocationView>,
    }

    struct RevocationView { pub issuer: String, pub file: String, pub next_update_ms: Option<f64>, pub revoked: u32 }

    /// Opens a session for browsing; of a configured connection, or of one that is being set up.
    struct ExploreRequest { pub connection: Option<u32>, pub draft: Option<ConnectionDraft> }

    struct ConnectionDraft {
        pub name: String,
        pub endpoint: String,
        /// `best`, `none`, or policy and mode.
        pub security: String,
        pub user: UserDraft,
    }

    struct UserDraft {
        pub kind: UserKind,
        pub name: String,
        /// Kept in a file for this user of the PC only, never in plant.toml. Null: as stored before.
        pub password: Option<String>,
        /// Files in the folder for user certificates.
        pub certificate: String,
        pub key: String,
    }

    struct Explored { pub session: u32, pub product: String, pub security: String, pub namespaces: Vec<String> }

    struct SessionRequest { pub session: u32 }

    struct BrowseRequest {
        pub session: u32,
        /// Null: the Objects folder.
        pub node: Option<String>,
        /// From the page before.
        pub more: Option<String>,
    }

    /// `more` asks for the next page; null: that was all.
    struct BrowsePage { pub nodes: Vec<NodeView>, pub more: Option<String> }

    struct NodeView {
        /// `nsu=<uri>;s=…`
        pub node: String,
        pub name: String,
        pub class: NodeClassView,
        /// Name of the type definition.
        pub type_name: String,
        /// May have children; unknown counts as yes.
        pub children: bool,
        pub recognised: Option<Recognised>,
        /// Names from the Objects folder to here; filled by `search`.
        pub path: Vec<String>,
        /// The tag that reads it already.
        pub tag: Option<String>,
    }

    enum NodeClassView { Object, Variable, Method, View, Other }

    enum Recognised {
        PackmlMachine, MachineryItem, MachineryComponent, JobControl, Analog, TwoState, MultiState, Enumeration, Counter,
    }

    struct NodeRequest { pub session: u32, pub node: String }

    struct NodeDetails { pub node: String, pub name: String, pub attributes: Vec<NodeAttribute>, pub value: PreviewValue }

    /// Name by OPC 10000-3; a bad status says why there is no text.
    struct NodeAttribute { pub name: String, pub text: String, pub status: u32 }

    struct PreviewRequest { pub session: u32, pub nodes: Vec<String> }

    struct Preview { pub values: Vec<PreviewValue> }

    struct PreviewValue { pub node: String, pub text: String, pub unit: String, pub status: u32, pub source_ms: Option<f64> }

    struct SearchRequest {
        pub session: u32,
        pub text: String,
        /// Null: everywhere.
        pub under: Option<String>,
        /// From the answer before.
        pub more: Option<String>,
    }

    struct SearchPage {
        pub found: Vec<NodeView>,
        /// Nodes looked at so far.
        pub visited: u32,
        /// Goes on where this stopped; null: everything was looked at.
        pub more: Option<String>,
    }

    struct ProposeRequest {
        pub session: u32,
        /// Variables, or objects with everything under them.
        pub nodes: Vec<String>,
    }

    /// What plant.toml would get. A person confirms and may change all of it.
    struct Proposal { pub units: Vec<UnitProposal>, pub tags: Vec<TagProposal>, pub notes: Vec<String> }

    struct TagProposal {
        pub name: String,
        pub node: String,
        pub description: String,
        pub unit: String,
        pub range: Option<[f64; 2]>,
        /// Shown = raw * gain + offset; null: as received.
        pub scale: Option<TagScale>,
        pub texts: Vec<TagText>,
        pub data_type: String,
        pub recognised: Option<Recognised>,
        /// Why it is proposed so, in one sentence.
        pub why: String,
        /// From names alone: look twice.
        pub guess: bool,
        /// It is in plant.toml already.
        pub known: bool,
    }

    struct TagScale { pub gain: f64, pub offset: f64 }

    struct UnitProposal {
        pub name: String,
        /// The model by which it was recognised: `PackML (OPC 30050)`.
        pub model: String,
        pub state: Option<MapProposal>,
        pub mode: Option<MapProposal>,
        /// Tags by the names proposed.
        pub speed: Option<String>,
        pub ideal_rate: Option<f64>,
        pub good: Option<CounterProposal>,
        pub reject: Option<CounterProposal>,
        pub why: String,
        pub guess: bool,
        pub known: bool,
    }

    /// A tag, and what its values mean: empty `entries` is the map "packml"; an entry without a meaning is for a person to
    /// complete, and is left out otherwise.
    struct MapProposal { pub tag: String, pub entries: Vec<MapEntry> }

    struct MapEntry { pub value: String, pub meaning: String }

    struct CounterProposal { pub tag: String, pub rollover: Option<f64> }

    /// Writes what a person confirmed into plant.toml.
    /// Where a new line stands. What is empty becomes a placeholder that says so.
    struct PlantDraft {
        pub site: String,
        pub area: String,
        pub line: String,
        /// What is counted, in the plural.
        pub product: String,
        /// IANA name; empty: that of this computer.
        pub time_zone: String,
    }

    struct ApplyRequest {
        /// Used only where there is no plant.toml yet.
        pub plant: Option<PlantDraft>,
        /// A new connection, or null where `connection` is configured already.
        pub draft: Option<ConnectionDraft>,
        pub connection: Option<u32>,
        pub units: Vec<UnitProposal>,
        pub tags: Vec<TagProposal>,
        /// Only say what would be written.
        pub dry_run: bool,
    }

    struct Applied {
        /// The file that is, or would be, written.
        pub path: String,
        /// Lines added.
        pub added: Vec<String>,
        /// Why nothing was written; empty: it was, or would be.
        pub problems: Vec<Problem>,
    }

    /// Answer to a command that failed.
    struct ApiError { pub code: ErrorCode, pub message: String }

    enum ErrorCode {
        /// The epoch is over: say hello again.
        Stale,
        /// The request itself is wrong.
        BadRequest,
        /// What was asked for cannot be had now: the message says why, in words for the person who asked.
        Refused,
        /// Anything else; the message has the chain.
        Internal,
    }
}
