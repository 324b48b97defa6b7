//! The plant as configured: what `plant.toml` says, checked and resolved to ids.
//!
//! Only `lineside-config` makes these from a file. Ids are positions in the lists below, in the order
//! of the file, so that a recording with its configuration is complete in itself.

use crate::{Mode, PackState, Span};
use std::collections::BTreeMap;

/// A tag: its position in [`PlantConfig::tags`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TagId(pub u32);

/// A unit of the line: its position in [`PlantConfig::units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub u32);

/// A connection to a server: its position in [`PlantConfig::connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ConnectionId(pub u32);

/// Everything that `plant.toml` says.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PlantConfig {
    /// ISA-95 site.
    pub site: String,
    /// ISA-95 area.
    pub area: String,
    /// ISA-95 production line.
    pub line: Line,
    /// IANA time zone of the plant, e.g. `Europe/Berlin`.
    pub time_zone: String,
    /// Shift calendar in local wall time of the plant.
    pub shifts: Vec<ShiftPattern>,
    pub connections: Vec<Connection>,
    /// Units in the order of material flow.
    pub units: Vec<Unit>,
    pub tags: Vec<Tag>,
    pub retention: Retention,
}

/// Which recordings are kept. The running one and pinned ones always are.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Retention {
    /// Days after the end of a recording; `None`: for ever.
    pub keep_days: Option<f64>,
    /// Bytes of all recordings together; `None`: as many as the disk holds.
    pub keep_bytes: Option<u64>,
}

/// The production line.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Line {
    pub name: String,
    /// The unit whose state is the state of the line. Without one the line has no state.
    pub constraint: Option<UnitId>,
    /// The unit whose good count is the output of the line; the last one by default.
    pub output: Option<UnitId>,
    /// What is counted, in the plural: `bottles`.
    pub product: String,
    /// Wanted output, products per minute.
    pub target_rate_per_min: Option<f64>,
    /// Stops shorter than this are short stops (minor stops).
    pub minor_stop: Span,
}

/// One shift of the calendar. Times are minutes after local midnight; `end <= start` ends next day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftPattern {
    pub name: String,
    pub start_min: u16,
    pub end_min: u16,
    /// Weekdays on which the shift starts, Monday first.
    pub days: [bool; 7],
    pub crew: Option<String>,
}

/// An OPC UA server to read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    pub name: String,
    /// `opc.tcp://host:port/path`
    pub endpoint: String,
    pub security: Security,
    pub user: User,
    /// Wanted publishing interval.
    pub publish: Span,
    /// Endpoints of the other servers of a redundant set, with the same nodes.
    pub redundant: Vec<String>,
    pub redundancy: Redundancy,
    /// A value that proves that the machine behind the server lives.
    pub heartbeat: Option<Heartbeat>,
    /// Read the server's history for the time of a gap, for nodes that have one.
    pub backfill: bool,
}

/// How the servers of a redundant set are used (OPC 10000-4 6.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Redundancy {
    /// As the server says of itself (RedundancySupport); cold where it says nothing.
    #[default]
    Auto,
    /// The others are connected only after the active one is lost.
    Cold,
    /// Connected beforehand, with subscriptions and items that neither sample nor publish.
    Warm,
    /// Connected beforehand, sampling, and not publishing.
    Hot,
}

/// A value that must change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub tag: TagId,
    /// Standing still for longer than this, the values of the connection are not current.
    pub within: Span,
}

/// How the channel to a server is secured.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Security {
    /// The strongest endpoint that the server offers; refuses to connect where there is only None.
    #[default]
    Best,
    /// No security, asked for in so many words.
    None,
    /// Exactly this policy (e.g. `Basic256Sha256`) and mode.
    Exact {
        policy: String,
        /// Sign and encrypt; otherwise sign only.
        encrypt: bool,
    },
}

/// Who we are to a server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum User {
    #[default]
    Anonymous,
    /// The password is never in the file: it is read from the environment variable named, or else from where
    /// the Setup view stored it.
    Name { name: String, password_env: Option<String> },
    /// An X.509 user. Names of files in the folder `user` beside the certificates.
    Certificate { certificate: String, key: String },
}

/// A value to subscribe to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// Unique, with dots as levels: `Filler.BowlLevel`.
    pub name: String,
    pub description: String,
    pub connection: ConnectionId,
    /// `nsu=<namespace uri>;s=<id>`, or `ns=<index>;…` where the index is known to be stable.
    pub node: String,
    /// Unit of measure as shown, e.g. `°C`; empty where there is none.
    pub unit: String,
    /// Normal range (low, high) in engineering units.
    pub range: Option<(f64, f64)>,
    /// Shown = raw * gain + offset. Recordings keep the raw value.
    pub scale: Option<Scale>,
    /// A value that has not been renewed for this long is late. None: it may stay the same for ever.
    pub max_age: Option<Span>,
    /// Names of the values of an enumeration or a Boolean.
    pub texts: BTreeMap<i64, String>,
}

/// Linear scaling from raw to engineering units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub gain: f64,
    pub offset: f64,
}

/// A machine of the line.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Unit {
    pub name: String,
    pub state: Option<StateMap>,
    pub mode: Option<ModeMap>,
    /// Actual speed, products per minute.
    pub speed: Option<TagId>,
    /// Best possible speed, products per minute.
    pub ideal_rate_per_min: Option<f64>,
    /// Normal band of the speed (low, high), products per minute.
    pub rate_band: Option<(f64, f64)>,
    pub good: Option<CounterConfig>,
    pub reject: Option<CounterConfig>,
}

/// Where a unit's state comes from, and what its values mean.
#[derive(Clone, Debug, PartialEq)]
pub struct StateMap {
    pub tag: TagId,
    /// By number. A number that is not here is an unknown state.
    pub numbers: BTreeMap<i64, PackState>,
    /// By text, where the server sends text.
    pub names: BTreeMap<String, PackState>,
}

/// Where a unit's mode comes from, and what its values mean.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeMap {
    pub tag: TagId,
    pub numbers: BTreeMap<i64, Mode>,
    pub names: BTreeMap<String, Mode>,
}

/// A counter of products.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CounterConfig {
    pub tag: TagId,
    /// The counter goes back to 0 after `modulus - 1`. None: a smaller value is a reset.
    pub modulus: Option<u64>,
    /// More than this per minute is not believed.
    pub max_rate_per_min: f64,
}

impl PlantConfig {
    /// The tag's configuration. Ids come from this configuration, so there is always one.
    pub fn tag(&self, id: TagId) -> &Tag {
        &self.tags[id.0 as usize]
    }

    /// All tag ids in order.
    pub fn tag_ids(&self) -> impl Iterator<Item = TagId> {
        (0..self.tags.len() as u32).map(TagId)
    }

    /// The unit whose good count is the line's output.
    pub fn output_unit(&self) -> Option<UnitId> {
        self.line.output.or_else(|| (self.units.len() as u32).checked_sub(1).map(UnitId))
    }
}
