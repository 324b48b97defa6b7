//! All tags of the plant: name, type, unit, range, texts, and what each one shows.
//!
//! Promise: the same number of tags gives the same list in the same order; names are unique, with dots
//! as levels (`Capper.Head04.Torque`). It holds no values.

mod tables;
mod units;

pub use units::Eu;

pub(crate) use tables::{By, Row};

use crate::line::{MACHINES, MODE_TEXTS, REASON_TEXTS, Reason, STATE_TEXTS};
use tables::{COMMON, LEVEL_UNIT, LOOP_UNIT, SECTION, SECTIONS, SIGNALS, SPEED_UNIT, SUPPLIES, TIME_UNIT};

/// Data type and variable type of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Double, AnalogUnitRangeType.
    Double,
    /// Float, AnalogUnitRangeType.
    Float,
    /// UInt32, BaseDataVariableType: a counter that only rises and rolls over.
    Counter,
    /// UInt16, BaseDataVariableType: a raw number of an input card.
    Raw,
    /// UInt32, MultiStateDiscreteType with the texts of the tag.
    MultiState,
    /// Boolean, TwoStateDiscreteType; texts of false and true.
    TwoState,
}

/// A tag.
#[derive(Clone, Debug, PartialEq)]
pub struct TagDef {
    pub name: String,
    pub description: String,
    pub kind: Kind,
    pub eu: Option<Eu>,
    pub range: Option<(f64, f64)>,
    /// Texts by number for discrete tags; false and true for a Boolean.
    pub texts: &'static [&'static str],
    /// How often the plant looks at it, milliseconds.
    pub every_ms: u32,
    /// It changes with nearly every look, whatever the line does: silence means that something is wrong.
    pub always_moves: bool,
}

/// What a tag shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    State(usize),
    Mode(usize),
    Speed(usize),
    SetSpeed(usize),
    Good(usize),
    Reject(usize),
    StopReason(usize),
    StateTime(usize),
    Starved(usize),
    Blocked(usize),
    Active(usize, Reason),
    RejectShare(usize),
    Buffer(usize),
    BufferLevel(usize),
    LineSpeed,
    Heartbeat,
    Analog(Row, usize),
    LoopInput,
    DigitalInput,
    RawInput,
    PulseInput,
    /// A counter that only the load generator moves.
    Load,
}

/// All tags with what they show.
#[derive(Clone, Debug)]
pub struct Catalogue {
    tags: Vec<TagDef>,
    pub(crate) signals: Vec<Signal>,
    core: usize,
}

impl Catalogue {
    /// The line with its own signals, and as many I/O module channels as bring it to `tags`.
    /// There are never fewer tags than the line has.
    pub fn new(tags: usize) -> Catalogue {
        let mut catalogue = Catalogue::core();
        for index in 0..tags.saturating_sub(catalogue.core) {
            catalogue.add_io(index);
        }
        catalogue
    }

    /// The line with its own signals, and at least `counters` load counters, more where `tags` asks for them.
    pub fn with_load(tags: usize, counters: usize) -> Catalogue {
        let mut catalogue = Catalogue::core();
        for index in 0..counters.max(tags.saturating_sub(catalogue.core)) {
            let name = format!("Load.C{:05}", index + 1);
            catalogue
                .add(plain(name, "Load counter: one more with every change".into(), Kind::Counter, 0), Signal::Load);
        }
        catalogue
    }

    /// All tags; the position is the index used everywhere.
    pub fn tags(&self) -> &[TagDef] {
        &self.tags
    }

    /// Number of tags of the line itself; the others are I/O channels or load counters.
    pub fn core_len(&self) -> usize {
        self.core
    }

    /// Indexes of the tags with this name, or with this beginning before a `*`.
    pub fn matching(&self, pattern: &str) -> Vec<usize> {
        let fits = |name: &str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        (0..self.tags.len()).filter(|index| fits(&self.tags[*index].name)).collect()
    }

    fn core() -> Catalogue {
        let mut catalogue = Catalogue { tags: vec![], signals: vec![], core: 0 };
        catalogue.add_line();
        for machine in 0..MACHINES.len() {
            catalogue.add_machine(machine);
            catalogue.add_faults(machine);
            catalogue.add_measured(machine);
        }
        catalogue.core = catalogue.tags.len();
        catalogue
    }

    fn add(&mut self, tag: TagDef, signal: Signal) {
        self.tags.push(tag);
        self.signals.push(signal);
    }

    fn add_line(&mut self) {
        self.add(heartbeat(), Signal::Heartbeat);
        self.add(
            analog("Line.SetSpeed", "Wanted speed of the line", SPEED_UNIT, (0.0, 700.0), 1000),
            Signal::LineSpeed,
        );
        for row in SUPPLIES {
            self.add_row("Line", row, 0);
        }
        for buffer in 0..MACHINES.len() - 1 {
            let name = format!("Line.Buffer{}", buffer + 1);
            let between = format!("{} to {}", MACHINES[buffer].name, MACHINES[buffer + 1].name);
            self.add(
                plain(format!("{name}.Count"), format!("Bottles on the conveyor {between}"), Kind::Counter, 1000),
                Signal::Buffer(buffer),
            );
            self.add(
                analog(
                    &format!("{name}.Level"),
                    &format!("Level of the conveyor {between}"),
                    LEVEL_UNIT,
                    (0.0, 100.0),
                    500,
                ),
                Signal::BufferLevel(buffer),
            );
        }
    }

    fn add_machine(&mut self, m: usize) {
        let name = MACHINES[m].name;
        let at = |suffix: &str| format!("{name}.{suffix}");
        self.add(multi(at("State"), "PackML state", &STATE_TEXTS), Signal::State(m));
        self.add(multi(at("Mode"), "PackML mode", &MODE_TEXTS), Signal::Mode(m));
        self.add(multi(at("StopReason"), "Why the machine does not produce", &REASON_TEXTS), Signal::StopReason(m));
        let top = (MACHINES[m].ideal * 1.1).round();
        self.add(analog(&at("Speed"), "Actual speed, bottles", SPEED_UNIT, (0.0, top), 500), Signal::Speed(m));
        self.add(
            analog(&at("SetSpeed"), "Speed asked for, bottles", SPEED_UNIT, (0.0, top), 1000),
            Signal::SetSpeed(m),
        );
        self.add(plain(at("Good"), "Good bottles, rolls over at 2^32".into(), Kind::Counter, 500), Signal::Good(m));
        self.add(
            plain(at("Reject"), "Rejected bottles, rolls over at 2^32".into(), Kind::Counter, 500),
            Signal::Reject(m),
        );
        self.add(
            analog(&at("StateTime"), "Time in the present state", TIME_UNIT, (0.0, 86_400.0), 5000),
            Signal::StateTime(m),
        );
        self.add(
            analog(&at("RejectShare"), "Rejects of the last 100 bottles", LEVEL_UNIT, (0.0, 20.0), 2000),
            Signal::RejectShare(m),
        );
    }

    fn add_faults(&mut self, m: usize) {
        let name = MACHINES[m].name;
        let at = |suffix: &str| format!("{name}.{suffix}");
        self.add(two(at("Starved"), "No bottles at the infeed", &["Bottles", "Starved"]), Signal::Starved(m));
        self.add(two(at("Blocked"), "No room at the outfeed", &["Room", "Blocked"]), Signal::Blocked(m));
        for (suffix, what, reason) in [
            ("Fault.Jam", "Bottle jam", Reason::Jam),
            ("Fault.MicroStop", "Short stop by a sensor", Reason::MicroStop),
            ("Fault.Rejects", "Too many rejects in a row", Reason::TooManyRejects),
            ("Fault.Drive", "Drive fault", Reason::DriveFault),
        ] {
            self.add(two(at(suffix), what, &["Normal", "Fault"]), Signal::Active(m, reason));
        }
    }

    fn add_measured(&mut self, m: usize) {
        let name = MACHINES[m].name;
        for row in SIGNALS[m].own.iter().chain(COMMON) {
            self.add_row(name, row, m);
        }
        for stations in SIGNALS[m].stations {
            for number in 1..=stations.count {
                let station = format!("{name}.{}{number:02}", stations.name);
                stations.rows.iter().for_each(|row| self.add_row(&station, row, m));
            }
        }
        for number in 1..=SECTIONS[m] {
            let section = format!("{name}.Infeed{number:02}");
            SECTION.iter().for_each(|row| self.add_row(&section, row, m));
        }
    }

    fn add_row(&mut self, parent: &str, row: &Row, machine: usize) {
        let mut tag = analog(&format!("{parent}.{}", row.name), row.what, row.eu, row.range, row.every_ms);
        tag.kind = if row.double { Kind::Double } else { Kind::Float };
        // At 1.9 steps of noise, nine equal looks in a row are a matter of years.
        let trembles = row.noise >= 1.9 * resolution(row.digits);
        tag.always_moves = row.lives_at_rest() && trembles && row.every_ms <= 1000;
        self.add(tag, Signal::Analog(*row, machine));
    }

    /// Channel `index` of the I/O modules: 16 channels each, 8 current loops, 4 digital, 2 raw, 2 pulse counters.
    fn add_io(&mut self, index: usize) {
        let module = format!("IO.M{:04}", index / 16 + 1);
        let channel = index % 16;
        match channel {
            0..8 => {
                let every = if channel == 0 { 1000 } else { 10_000 };
                let mut tag =
                    analog(&format!("{module}.Ai{:02}", channel + 1), "Current loop", LOOP_UNIT, (4.0, 20.0), every);
                tag.kind = Kind::Float;
                self.add(tag, Signal::LoopInput);
            }
            8..12 => {
                let mut tag = two(format!("{module}.Di{:02}", channel - 7), "Digital input", &["Off", "On"]);
                tag.every_ms = 5000;
                self.add(tag, Signal::DigitalInput);
            }
            12 | 13 => self.add(
                plain(format!("{module}.Raw{:02}", channel - 11), "Raw input".into(), Kind::Raw, 10_000),
                Signal::RawInput,
            ),
            _ => self.add(
                plain(format!("{module}.Cnt{:02}", channel - 13), "Pulse counter".into(), Kind::Counter, 2000),
                Signal::PulseInput,
            ),
        }
    }
}

/// Smallest step that a value with so many digits shows.
pub(crate) fn resolution(digits: u8) -> f64 {
    0.1f64.powi(i32::from(digits))
}

fn plain(name: String, description: String, kind: Kind, every_ms: u32) -> TagDef {
    TagDef { name, description, kind, eu: None, range: None, texts: &[], every_ms, always_moves: false }
}

fn heartbeat() -> TagDef {
    let tag = plain("Line.Heartbeat".into(), "Seconds since the controller started".into(), Kind::Counter, 1000);
    TagDef { always_moves: true, ..tag }
}

fn analog(name: &str, description: &str, eu: Eu, range: (f64, f64), every_ms: u32) -> TagDef {
    TagDef { eu: Some(eu), range: Some(range), ..plain(name.into(), description.into(), Kind::Double, every_ms) }
}

fn multi(name: String, description: &str, texts: &'static [&'static str]) -> TagDef {
    TagDef { texts, ..plain(name, description.into(), Kind::MultiState, 100) }
}

fn two(name: String, description: &str, texts: &'static [&'static str; 2]) -> TagDef {
    TagDef { texts, ..plain(name, description.into(), Kind::TwoState, 100) }
}
