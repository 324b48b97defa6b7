//! The tables of `plant.toml` with their keys: the one place where the format is written down.
//!
//! The reader, the unknown-key check and the JSON Schema follow from it; the documentation of each
//! key is what an editor shows.

use crate::addresses::{Endpoint, Endpoints, FileName, NodeId, Variable};
use crate::forms::{Flag, Name, Number, Positive, Range, Rollover, Text, Texts};
use crate::maps::Meanings;
use crate::section::{At, Several, section};
use crate::times::{Days, Duration, WallTime, Zone};
use lineside_model::config::{Redundancy, Security};
use lineside_model::{Mode, PackState};

section! {
    /// A plant that Lineside shows.
    PlantFile {
        /// Where the line stands.
        needs plant: PlantTable,
        /// The production line.
        needs line: LineTable,
        /// The shift calendar. Where shifts overlap, the one that starts later counts from its start.
        may shift: Several<At<ShiftTable>>,
        /// What is kept of the recordings; everything by default.
        may recording: RecordingTable,
        /// The OPC UA servers.
        may connection: Several<At<ConnectionTable>>,
        /// The machines of the line in the order of material flow.
        may unit: Several<UnitTable>,
        /// The values to subscribe to.
        may tag: Several<At<TagTable>>,
    }

    /// Where the line stands.
    PlantTable {
        /// ISA-95 site.
        needs site: Name,
        /// ISA-95 area.
        needs area: Name,
        /// IANA time zone of the plant; every time on the screen is in it.
        needs time_zone: Zone,
    }

    /// The production line.
    LineTable {
        /// Name of the line.
        needs name: Name,
        /// What is counted, in the plural.
        needs product: Name,
        /// Wanted output, products per minute.
        may target_rate: Positive,
        /// Shorter stops are short stops; "5 min" by default.
        may minor_stop: Duration,
        /// The unit whose state is the state of the line. Without it the line has no state.
        may constraint: Name,
        /// The unit whose good count is the output of the line; the last unit by default.
        may output: Name,
    }

    /// One shift of the calendar.
    ShiftTable {
        /// Name of the shift; the same name can stand for several days with other times.
        needs name: Name,
        /// Local time of its start.
        needs start: WallTime,
        /// Local time of its end; at or before the start: on the next day.
        needs end: WallTime,
        /// Weekdays on which it starts; all days by default.
        may days: Days,
        /// The crew that works it.
        may crew: Name,
    }

    /// What is kept of the recordings. The running shift and pinned shifts always are.
    RecordingTable {
        /// Recordings that ended longer ago than so many days are removed; none by default.
        may keep_days: Positive,
        /// Beyond so many gigabytes (1 GB = 1,000,000,000 bytes) in all, the oldest recordings are removed; none by default.
        may keep_gb: Positive,
    }

    /// An OPC UA server.
    ConnectionTable {
        /// Name of the connection.
        needs name: Name,
        /// Address of the server, with its port.
        needs endpoint: Endpoint,
        /// How the channel is secured: "best" (default, the strongest that the server offers, never
        /// none), "none", or policy and mode.
        may security: Security,
        /// User name; anonymous by default.
        may user: Name,
        /// The environment variable that holds the password; never the password itself. Without it the
        /// password is the one that the Setup view stored for this user of the PC.
        may password_env: Variable,
        /// The X.509 certificate of the user: a file in the folder pki/user of the data folder. Instead of `user`.
        may user_certificate: FileName,
        /// The private key of that certificate: a file in the same folder.
        may user_key: FileName,
        /// Wanted publishing interval; "250 ms" by default.
        may publish: Duration,
        /// Endpoints of the other servers of a redundant set, with the same nodes.
        may redundant: Endpoints,
        /// How the redundant set is used: "auto" (default, as the server says of itself), "cold", "warm" or "hot".
        may redundancy: Redundancy,
        /// A value that proves that the machine behind the server lives.
        may heartbeat: HeartbeatTable,
        /// Read the server's history for the time of a gap, for nodes that have one; true by default.
        may backfill: Flag,
    }

    /// A value that must change.
    HeartbeatTable {
        /// A tag of this connection.
        needs tag: Name,
        /// Standing still for longer than this, the values of the connection are not current.
        needs within: Duration,
    }

    /// A machine of the line.
    UnitTable {
        /// Name of the unit.
        needs name: Name,
        /// Where its state comes from.
        may state: StateTable,
        /// Where its mode comes from.
        may mode: ModeTable,
        /// The tag with the actual speed, products per minute.
        may speed: Name,
        /// Best possible speed, products per minute.
        may ideal_rate: Positive,
        /// Normal band of the speed: low and high, products per minute.
        may rate_band: Range,
        /// Counts good products.
        may good: CounterTable,
        /// Counts rejected products.
        may reject: CounterTable,
    }

    /// Where a unit's state comes from.
    StateTable {
        /// The tag with the state.
        needs tag: Name,
        /// What its values mean: "packml" for the numbers of OPC 30050 and the PackML names, or a table
        /// from numbers or texts to PackML states.
        needs map: Meanings<PackState>,
    }

    /// Where a unit's mode comes from.
    ModeTable {
        /// The tag with the mode.
        needs tag: Name,
        /// What its values mean: "packml" for 1 Produce, 2 Maintenance, 3 Manual and the names, or a
        /// table from numbers or texts to modes.
        needs map: Meanings<Mode>,
    }

    /// A counter of products.
    CounterTable {
        /// The tag that counts.
        needs tag: Name,
        /// How many values it has: after the last it starts again at 0. Without it a smaller value is a
        /// reset.
        may rollover: Rollover,
        /// More than this per minute is not believed; by default 4 times the ideal rate, or 6000.
        may max_rate: Positive,
    }

    /// A value to subscribe to.
    TagTable {
        /// Unique name, with dots as levels.
        needs name: Name,
        /// What it is, in words.
        may description: Text,
        /// The connection it is read from; may be left out where there is one connection.
        may connection: Name,
        /// The node: nsu=<namespace uri>; or ns=<index>;, then s=, i=, g= or b=.
        needs node: NodeId,
        /// Unit of measure as shown.
        may unit: Text,
        /// Normal range in the unit of measure: low and high.
        may range: Range,
        /// Linear scaling: shown = raw * gain + offset. Recordings keep the raw value.
        may scale: At<ScaleTable>,
        /// Late when not renewed for so long; without it, it may stay the same for ever.
        may max_age: Duration,
        /// Texts for the values of an enumeration; 0 and 1 for a Boolean.
        may texts: Texts,
    }

    /// Linear scaling: shown = raw * gain + offset.
    ScaleTable {
        /// Factor, 1 by default; not 0.
        may gain: Number,
        /// Added after the factor, 0 by default.
        may offset: Number,
    }
}
