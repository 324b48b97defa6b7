//! What an adapter says of itself and of its server: the facts behind the Connections view, and what a
//! server tells of its nodes.
//!
//! All of it enters as [`crate::Input`]s, so that a replay shows the same facts at the same time.

use crate::{ConnectionId, Span, StatusCode, TagId, Text, Timestamp, Value};

/// The state that a server reports of itself (OPC 10000-5 12.6, ServerState).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum ServerState {
    Running = 0,
    Failed = 1,
    NoConfiguration = 2,
    Suspended = 3,
    Shutdown = 4,
    Test = 5,
    CommunicationFault = 6,
    /// Also where the server does not say.
    #[default]
    Unknown = 7,
}

impl ServerState {
    /// All states; the index is the number on the wire and in recordings.
    pub const ALL: [ServerState; 8] = [
        ServerState::Running,
        ServerState::Failed,
        ServerState::NoConfiguration,
        ServerState::Suspended,
        ServerState::Shutdown,
        ServerState::Test,
        ServerState::CommunicationFault,
        ServerState::Unknown,
    ];
}

/// A service level below this is degraded (OPC 10000-4 6.6.2.4.2).
pub const SERVICE_LEVEL_HEALTHY: u8 = 200;

/// One connection at one moment. Counts are since this program started.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LinkReport {
    /// The endpoint in use; in a redundant set that of the active server.
    pub endpoint: Text,
    /// `Basic256Sha256/SignAndEncrypt`, or `None`.
    pub security: Text,
    /// Who we are to the server; empty: anonymous.
    pub user: Text,
    pub server_state: ServerState,
    /// 0 maintenance, 1 no data, 2 to 199 degraded, 200 to 255 healthy.
    pub service_level: Option<u8>,
    /// Seconds until an announced shutdown.
    pub shutdown_s: Option<u32>,
    pub shutdown_reason: Text,
    /// SHA-1 of the server's certificate in hex; empty without security.
    pub certificate: Text,
    pub certificate_expires: Option<Timestamp>,
    /// When our own certificate expires.
    pub own_certificate_expires: Option<Timestamp>,
    /// As revised by the server.
    pub session_timeout: Span,
    /// Every server of the redundant set, in the order of the configuration; empty without one.
    pub members: Vec<MemberReport>,
    pub subscriptions: Vec<SubscriptionReport>,
    pub limits: Vec<LimitReport>,
    /// The server's own diagnostics of our session and subscriptions, where it has them.
    pub diagnostics: Vec<DiagnosticReport>,
    pub flow: FlowReport,
    /// The server's clock minus ours, median of the last minutes.
    pub clock_skew: Option<Span>,
    /// Median round trip of a small request.
    pub round_trip: Option<Span>,
    /// How much later than promised publish responses came, 95th percentile of the last ones.
    pub publish_late: Option<Span>,
}

/// One server of a redundant set.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MemberReport {
    pub endpoint: Text,
    pub role: MemberRole,
    pub service_level: Option<u8>,
    /// Why it cannot be used; empty where it can.
    pub detail: Text,
}

/// What a server of a redundant set does for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum MemberRole {
    /// Not tried yet.
    #[default]
    Unknown = 0,
    /// Values come from it.
    Active = 1,
    /// Connected and ready to take over.
    Standby = 2,
    Unreachable = 3,
}

impl MemberRole {
    /// All roles; the index is the number in recordings.
    pub const ALL: [MemberRole; 4] =
        [MemberRole::Unknown, MemberRole::Active, MemberRole::Standby, MemberRole::Unreachable];
}

/// One subscription, as revised by the server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SubscriptionReport {
    /// The server's id of it.
    pub id: u32,
    pub publishing: Span,
    /// Publishing intervals.
    pub keep_alive: u32,
    /// Publishing intervals.
    pub lifetime: u32,
    /// Monitored items that the server accepted.
    pub items: u32,
}

/// One limit of the server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LimitReport {
    /// Its name in OPC 10000-5: `MaxNodesPerRead`.
    pub name: Text,
    /// As declared; `None` where the server declares none (0 or missing).
    pub declared: Option<u32>,
    /// What we use, which is less where a call failed with "too many".
    pub used: Option<u32>,
}

/// One number of the server's diagnostics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DiagnosticReport {
    /// Its name in OPC 10000-5: `LatePublishRequestCount`.
    pub name: Text,
    pub value: u64,
}

/// What came through, and what had to be done for it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FlowReport {
    pub notifications: u64,
    pub values: u64,
    /// Times that the link was lost.
    pub lost_links: u64,
    pub sessions_created: u64,
    pub sessions_reactivated: u64,
    pub subscriptions_transferred: u64,
    pub subscriptions_created: u64,
    /// Notification messages that were not there when they were due.
    pub missing: u64,
    /// Of those, fetched again.
    pub republished: u64,
    /// Of those, lost for good.
    pub lost: u64,
    /// Messages that came twice.
    pub repeated: u64,
    /// Overflows of the server's queues.
    pub overflows: u64,
    /// Times that the subscription was late.
    pub late: u64,
}

/// Values of a gap, read afterwards from the server's history. They are not the present.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Fill {
    pub tag: TagId,
    /// The gap that was asked for.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Oldest first. Large answers come as several fills.
    pub values: Vec<FilledValue>,
}

/// One value from the history.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FilledValue {
    pub value: Value,
    pub status: StatusCode,
    pub source_time: Option<Timestamp>,
    pub server_time: Option<Timestamp>,
}

/// How the filling of one gap ended.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FillResult {
    pub connection: ConnectionId,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Tags whose history covered the gap, with or without values.
    pub tags: u32,
    /// Tags of which the server keeps no history, or would not give it.
    pub tags_without: u32,
    pub values: u64,
    /// The first refusal, where there was one.
    pub status: StatusCode,
}

/// What a server says of a node (OPC 10000-8), read at connecting and after SemanticsChanged.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeMeta {
    /// EngineeringUnits, as displayed; empty where there is none.
    pub unit: Text,
    /// EURange (low, high).
    pub range: Option<(f64, f64)>,
    /// EnumStrings, EnumValues, or TrueState and FalseState.
    pub texts: Vec<(i64, Text)>,
    /// Name of the data type.
    pub data_type: Text,
}
