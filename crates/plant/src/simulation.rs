//! The simulated plant: line, signals, scenario and commands under one clock that the caller owns.
//!
//! Promise: deterministic: the same seed, scenario, tags and calls give the same values at the same
//! simulated times. [`Simulation::advance`] may be called with any duration; inside, time goes in steps
//! of [`STEP_MS`]. No clock, no I/O; a server restart is handed out by [`Simulation::take_restart`].

use crate::catalogue::{Catalogue, Signal};
use crate::line::{Action, Line, MACHINES, Reason, TICK_MS};
use crate::quality::Quality;
use crate::random::Chance;
use crate::scenario::{Event, Problem, Scenario, ScenarioError, Target};
use crate::signal::{Moment, Signals, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Step of the simulation in milliseconds; the line takes one step of its own with every second one.
pub const STEP_MS: u64 = 50;

/// The last value of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// None while the quality is bad.
    pub value: Option<Value>,
    pub quality: Quality,
    /// Simulated time since the start.
    pub time: Duration,
}

/// How a plant is made.
#[derive(Clone, Debug)]
pub struct SimulationOptions {
    pub seed: u64,
    /// Wanted number of tags, see [`Catalogue::new`].
    pub tags: usize,
    /// Load counters are moved so many times per second in total.
    pub changes_per_second: Option<u32>,
}

impl Default for SimulationOptions {
    fn default() -> Self {
        SimulationOptions { seed: 1, tags: 1200, changes_per_second: None }
    }
}

/// What keeps a tag from showing its value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hold {
    Frozen,
    Quality(Quality),
}

/// Load counters, moved in turn.
#[derive(Clone, Debug)]
struct Load {
    first: usize,
    count: usize,
    next: usize,
    per_second: u64,
    /// Changes made since the start.
    made: u64,
}

/// A plant that runs.
#[derive(Clone, Debug)]
pub struct Simulation {
    catalogue: Arc<Catalogue>,
    line: Line,
    signals: Signals,
    samples: Vec<Sample>,
    /// Tags to look at, by period in steps and then by phase.
    due: BTreeMap<u64, Vec<Vec<u32>>>,
    /// Held tags and the step at which they are free again.
    held: BTreeMap<usize, (Hold, u64)>,
    planned: Vec<(Duration, Event)>,
    by_chance: Vec<(Duration, Event, f64)>,
    chance: Chance,
    load: Option<Load>,
    step: u64,
    pending: Duration,
    changed: Vec<usize>,
    is_changed: Vec<bool>,
    restart: Option<Duration>,
}

impl Simulation {
    /// A plant at time zero, with a first value for every tag.
    ///
    /// # Errors
    /// The scenario names a tag that this plant does not have.
    pub fn new(options: &SimulationOptions, scenario: &Scenario) -> Result<Simulation, ScenarioError> {
        let catalogue = Arc::new(catalogue_of(options));
        check_names(&catalogue, scenario)?;
        let mut line = Line::new(options.seed, scenario.running);
        if let Some(good) = scenario.counters {
            line.set_counters(good);
        }
        line.act(Action::Speed { per_minute: scenario.speed });
        let mut chance = Chance::new(options.seed, 100);
        let by_chance = scenario
            .by_chance
            .iter()
            .map(|(mean, event)| (*mean, event.clone(), chance.waiting(mean.as_secs_f64())))
            .collect();
        let signals = Signals::new(options.seed, &catalogue);
        let count = catalogue.tags().len();
        let empty = Sample { value: None, quality: Quality::GOOD, time: Duration::ZERO };
        let mut simulation = Simulation {
            due: due_of(&catalogue, &signals),
            load: load_of(options, &catalogue),
            catalogue,
            line,
            signals,
            samples: vec![empty; count],
            held: BTreeMap::new(),
            planned: scenario.planned.iter().rev().cloned().collect(),
            by_chance,
            chance,
            step: 0,
            pending: Duration::ZERO,
            changed: vec![],
            is_changed: vec![false; count],
            restart: None,
        };
        (0..count).for_each(|index| simulation.look(index));
        Ok(simulation)
    }

    /// All tags.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The line behind the tags.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Simulated time since the start.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.step * STEP_MS)
    }

    /// Lets simulated time pass.
    pub fn advance(&mut self, by: Duration) {
        self.pending += by;
        let step = Duration::from_millis(STEP_MS);
        while self.pending >= step {
            self.pending -= step;
            self.one_step();
        }
    }

    /// The last value of every tag: index and sample.
    pub fn values(&self) -> impl Iterator<Item = (usize, &Sample)> {
        self.samples.iter().enumerate()
    }

    /// The tags that changed since the last call, each once, with their last value.
    pub fn take_changes(&mut self) -> Vec<(usize, Sample)> {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().for_each(|index| self.is_changed[*index] = false);
        changed.into_iter().map(|index| (index, self.samples[index])).collect()
    }

    /// For how long the server shall be away, if it shall.
    pub fn take_restart(&mut self) -> Option<Duration> {
        self.restart.take()
    }

    /// Changes of load counters since the start.
    pub fn load_changes(&self) -> u64 {
        self.load.as_ref().map_or(0, |load| load.made)
    }

    /// Carries out a live command, in the words of a scenario event.
    ///
    /// # Errors
    /// The text is not an event, or names a tag that is not there.
    pub fn command(&mut self, text: &str) -> Result<(), Problem> {
        let event = Event::parse(text)?;
        if let Some(problem) = unknown_tags(&self.catalogue, &event, "command") {
            return Err(problem);
        }
        self.happen(&event);
        Ok(())
    }

    fn one_step(&mut self) {
        self.step += 1;
        self.release();
        self.happenings();
        if (self.step * STEP_MS).is_multiple_of(TICK_MS) {
            self.line.step();
        }
        let due: Vec<u32> = self
            .due
            .iter()
            .flat_map(|(period, phases)| phases[(self.step % period) as usize].iter().copied())
            .collect();
        due.into_iter().for_each(|index| self.look(index as usize));
        self.step_load();
    }

    fn happenings(&mut self) {
        let now = self.now();
        while self.planned.last().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, event)) = self.planned.pop() {
                self.happen(&event);
            }
        }
        for index in 0..self.by_chance.len() {
            if self.by_chance[index].2 <= now.as_secs_f64() {
                let (mean, event, _) = self.by_chance[index].clone();
                self.by_chance[index].2 = now.as_secs_f64() + self.chance.waiting(mean.as_secs_f64()).max(1.0);
                self.happen(&event);
            }
        }
    }

    fn happen(&mut self, event: &Event) {
        let action = match event {
            Event::Hold { target, reason, lasts } => {
                let usual = if *reason == Reason::Jam { (30.0, 150.0) } else { (4.0, 35.0) };
                Action::Hold { machine: self.machine(*target), reason: *reason, seconds: self.lasting(*lasts, usual) }
            }
            Event::Fault { target, lasts } => {
                Action::Fault { machine: self.machine(*target), seconds: self.lasting(*lasts, (240.0, 900.0)) }
            }
            Event::Stop { target } => Action::Stop { machine: self.machine(*target) },
            Event::Start { target } => Action::Start { machine: self.machine(*target) },
            Event::Wear { target, within } => {
                Action::Wear { machine: self.machine(*target), seconds: within.as_secs_f64() }
            }
            Event::Changeover { lasts } => Action::Changeover { seconds: lasts.as_secs_f64() },
            Event::Speed { per_minute } => Action::Speed { per_minute: *per_minute },
            Event::RestartServer { away } => return self.restart = Some(*away),
            Event::Freeze { tags, lasts } => return self.hold(tags, Hold::Frozen, *lasts),
            Event::Quality { tags, quality, lasts } => return self.hold(tags, Hold::Quality(*quality), *lasts),
        };
        self.line.act(action);
    }

    fn machine(&mut self, target: Target) -> usize {
        match target {
            Target::Machine(machine) => machine,
            Target::Any => self.chance.index(MACHINES.len()),
        }
    }

    fn lasting(&mut self, given: Option<Duration>, usual: (f64, f64)) -> f64 {
        given.map_or_else(|| self.chance.between(usual.0, usual.1), |lasts| lasts.as_secs_f64())
    }

    fn hold(&mut self, tags: &str, hold: Hold, lasts: Duration) {
        let until = self.step + (lasts.as_millis() as u64 / STEP_MS).max(1);
        for index in self.catalogue.matching(tags) {
            self.held.insert(index, (hold, until));
            if let Hold::Quality(quality) = hold {
                let value = self.samples[index].value.filter(|_| !quality.is_bad());
                self.publish(index, Sample { value, quality, time: self.now() });
            }
        }
    }

    fn release(&mut self) {
        let step = self.step;
        let free: Vec<usize> =
            self.held.iter().filter(|(_, (_, until))| *until <= step).map(|(index, _)| *index).collect();
        for index in free {
            self.held.remove(&index);
            self.look(index);
        }
    }

    fn look(&mut self, index: usize) {
        let now = Moment { line: &self.line, tick: self.step, tick_ms: STEP_MS };
        let value = self.signals.look(index, &self.catalogue, now);
        self.show(index, value);
    }

    /// Shows a value, unless the tag is held; an uncertain quality goes on with new values.
    fn show(&mut self, index: usize, value: Value) {
        let quality = match self.held.get(&index) {
            Some((Hold::Frozen, _)) => return,
            Some((Hold::Quality(quality), _)) if quality.is_bad() => return,
            Some((Hold::Quality(quality), _)) => *quality,
            None => Quality::GOOD,
        };
        let before = &self.samples[index];
        if before.value != Some(value) || before.quality != quality {
            self.publish(index, Sample { value: Some(value), quality, time: self.now() });
        }
    }

    fn publish(&mut self, index: usize, sample: Sample) {
        self.samples[index] = sample;
        if !self.is_changed[index] {
            self.is_changed[index] = true;
            self.changed.push(index);
        }
    }

    fn step_load(&mut self) {
        let Some(mut load) = self.load.take() else { return };
        let target = self.step * STEP_MS * load.per_second / 1000;
        while load.made < target {
            load.made += 1;
            let index = load.first + load.next;
            load.next = (load.next + 1) % load.count;
            let value = self.signals.count(index);
            self.show(index, value);
        }
        self.load = Some(load);
    }
}

/// Tags of a plant made with these options, without running it.
pub fn catalogue_of(options: &SimulationOptions) -> Catalogue {
    match options.changes_per_second {
        // At most ten changes per second and counter, so that none is overwritten before it is sent.
        Some(per_second) => Catalogue::with_load(options.tags, per_second.div_ceil(10).max(1) as usize),
        None => Catalogue::new(options.tags),
    }
}

fn load_of(options: &SimulationOptions, catalogue: &Catalogue) -> Option<Load> {
    let first = catalogue.core_len();
    let count = catalogue.tags().len() - first;
    options.changes_per_second.map(|rate| Load { first, count, next: 0, per_second: rate.into(), made: 0 })
}

fn due_of(catalogue: &Catalogue, signals: &Signals) -> BTreeMap<u64, Vec<Vec<u32>>> {
    let mut due: BTreeMap<u64, Vec<Vec<u32>>> = BTreeMap::new();
    for (index, tag) in catalogue.tags().iter().enumerate() {
        if matches!(catalogue.signals[index], Signal::Load) {
            continue;
        }
        let period = u64::from(tag.every_ms).div_ceil(STEP_MS).max(1);
        let phases = due.entry(period).or_insert_with(|| vec![vec![]; period as usize]);
        // States are looked at together, right after the line has moved.
        let phase = if u64::from(tag.every_ms) <= TICK_MS { 0 } else { signals.phase(index, period) };
        phases[phase as usize].push(index as u32);
    }
    due
}

fn check_names(catalogue: &Catalogue, scenario: &Scenario) -> Result<(), ScenarioError> {
    let events = scenario.planned.iter().chain(&scenario.by_chance);
    let problems: Vec<Problem> =
        events.filter_map(|(_, event)| unknown_tags(catalogue, event, &scenario.name)).collect();
    if problems.is_empty() { Ok(()) } else { Err(ScenarioError(problems)) }
}

fn unknown_tags(catalogue: &Catalogue, event: &Event, place: &str) -> Option<Problem> {
    let (Event::Freeze { tags, .. } | Event::Quality { tags, .. }) = event else { return None };
    catalogue.matching(tags).is_empty().then(|| Problem {
        place: place.to_owned(),
        problem: format!("there is no tag `{tags}`"),
        remedy: "Take a name that `lineside-plant config` prints, or its beginning with a * at the end".into(),
    })
}
