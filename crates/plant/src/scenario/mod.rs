//! Scenarios: what happens on the simulated line and when, as small text files.
//!
//! Promise: [`Scenario::parse`] never panics; it reports all problems of a file at once, each with file,
//! line and remedy. It does not know the tags of a plant: [`crate::Simulation::new`] checks names.
//!
//! Grammar, one statement per line, `#` starts a comment:
//!
//! ```text
//! start running | start empty
//! counters 4294960000
//! speed 600
//! at HH:MM:SS EVENT
//! about every DURATION EVENT          seeded chance, the mean time between two
//!
//! EVENT: jam MACHINE [DURATION]       micro-stop MACHINE [DURATION]      fault MACHINE [DURATION]
//!        stop MACHINE                 start MACHINE                      wear MACHINE DURATION
//!        changeover DURATION          speed BOTTLES-PER-MINUTE           restart [server] DURATION
//!        freeze TAG [for] DURATION    quality TAG STATUS [for] DURATION
//! MACHINE: Filler | Capper | Labeller | Packer | Palletizer | any
//! DURATION: 90 s | 10 min | 2 h       TAG: a tag name, or its beginning followed by *
//! ```

mod parse;

use crate::line::Reason;
use crate::quality::Quality;
use std::time::Duration;

/// What happens on the line, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub name: String,
    /// The line runs from the beginning; otherwise it stands empty and starts up.
    pub running: bool,
    /// First value of all counters of good bottles; by chance if none.
    pub counters: Option<u32>,
    /// Wanted speed, bottles per minute.
    pub speed: f64,
    /// Events in order of time.
    pub planned: Vec<(Duration, Event)>,
    /// Events that come by chance, with their mean interval.
    pub by_chance: Vec<(Duration, Event)>,
}

/// One of the machines, or one that chance chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Machine(usize),
    Any,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A stop inside a machine. Without a duration chance chooses one that fits the reason.
    Hold {
        target: Target,
        reason: Reason,
        lasts: Option<Duration>,
    },
    /// A breakdown with repair.
    Fault {
        target: Target,
        lasts: Option<Duration>,
    },
    Stop {
        target: Target,
    },
    Start {
        target: Target,
    },
    /// A machine wears out within this time.
    Wear {
        target: Target,
        within: Duration,
    },
    Changeover {
        lasts: Duration,
    },
    Speed {
        per_minute: f64,
    },
    /// The OPC UA server goes away and comes back with a new start time.
    RestartServer {
        away: Duration,
    },
    /// Tags keep value and source time.
    Freeze {
        tags: String,
        lasts: Duration,
    },
    /// Tags get a status code; a bad one without a value.
    Quality {
        tags: String,
        quality: Quality,
        lasts: Duration,
    },
}

/// A problem in a scenario or a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}. {remedy}")]
pub struct Problem {
    /// `file:line`, or what the text came from.
    pub place: String,
    pub problem: String,
    pub remedy: String,
}

/// All problems of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ScenarioError(pub Vec<Problem>);

/// The scenarios that come with the program: name and text.
pub const EMBEDDED: [(&str, &str); 7] = [
    ("demo", include_str!("../../scenarios/demo.txt")),
    ("calm-shift", include_str!("../../scenarios/calm-shift.txt")),
    ("bad-shift", include_str!("../../scenarios/bad-shift.txt")),
    ("sensor-freeze", include_str!("../../scenarios/sensor-freeze.txt")),
    ("server-restart", include_str!("../../scenarios/server-restart.txt")),
    ("alarm-flood", include_str!("../../scenarios/alarm-flood.txt")),
    ("steady", include_str!("../../scenarios/steady.txt")),
];

impl Scenario {
    /// Reads a scenario. `name` stands for the file in messages.
    ///
    /// # Errors
    /// All problems of the text.
    pub fn parse(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
        parse::scenario(name, text)
    }

    /// A scenario that comes with the program.
    ///
    /// # Errors
    /// No such name; the message lists the names.
    pub fn embedded(name: &str) -> Result<Scenario, ScenarioError> {
        let Some((_, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) else {
            let names: Vec<_> = EMBEDDED.iter().map(|(known, _)| *known).collect();
            return Err(ScenarioError(vec![Problem {
                place: "scenario".into(),
                problem: format!("there is no scenario named `{name}`"),
                remedy: format!("Use one of {}, or a file", names.join(", ")),
            }]));
        };
        Scenario::parse(name, text)
    }
}

impl Event {
    /// Reads one event, as a command given while the plant runs.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Event, Problem> {
        parse::command(text)
    }
}
