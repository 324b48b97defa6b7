//! The simulated line behaves like a line: seeded runs against rules that are written down here anew.

use lineside_plant::line::{Action, Line, MACHINES, Reason, State, TICK_MS};
use lineside_plant::{EMBEDDED, Quality, STEP_MS, Sample, Scenario, Simulation, SimulationOptions};
use std::collections::BTreeSet;
use std::time::Duration;

const CAPPER: usize = 1;

fn plant(seed: u64, scenario: &str) -> Simulation {
    let scenario = Scenario::embedded(scenario).expect("comes with the program");
    Simulation::new(&SimulationOptions { seed, ..SimulationOptions::default() }, &scenario)
        .expect("names only known tags")
}

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Bottles taken in by the first machine = passed on by the last + rejected + on the conveyors.
fn in_line(line: &Line) -> i64 {
    line.buffers().iter().map(|buffer| i64::from(buffer.count())).sum()
}

#[test]
fn bottles_are_conserved_and_conveyors_never_overflow() {
    for (seed, (scenario, _)) in (1..).zip(EMBEDDED) {
        let mut plant = plant(seed, scenario);
        let at_start = in_line(plant.line());
        let counters: Vec<(u32, u32)> = plant.line().machines().iter().map(|m| (m.good, m.reject)).collect();
        for _ in 0..40 * 60 {
            plant.advance(second());
            let line = plant.line();
            assert!(line.buffers().iter().all(|b| b.count() <= b.capacity() && b.ready() <= b.count()), "{scenario}");
            let taken = line.machines()[0].taken as i64;
            let gone = |m: usize| i64::from(line.machines()[m].reject.wrapping_sub(counters[m].1));
            let passed = i64::from(line.machines()[4].good.wrapping_sub(counters[4].0));
            let rejected: i64 = (0..5).map(gone).sum();
            assert_eq!(taken, passed + rejected + in_line(line) - at_start, "{scenario} at {:?}", plant.now());
        }
        assert!(plant.line().machines()[4].taken > 5_000, "{scenario}: the line hardly runs");
    }
}

#[test]
fn a_stop_of_the_capper_travels_both_ways() {
    for seed in 1..=20 {
        let mut line = Line::new(seed, true);
        (0..1200).for_each(|_| line.step());
        assert!(line.machines().iter().all(|m| m.state == State::Execute), "seed {seed} runs before the jam");
        line.act(Action::Hold { machine: CAPPER, reason: Reason::Jam, seconds: 90.0 });
        let mut first_seen = [None; 5];
        for tick in 0..900u64 {
            line.step();
            for (machine, seen) in line.machines().iter().zip(&mut first_seen) {
                if matches!(machine.state, State::Suspended | State::Held) {
                    seen.get_or_insert((tick * TICK_MS) as f64 / 1000.0);
                }
            }
        }
        // Expected from capacity, level and 10 bottles/s: 36 free places before the capper are full in 4 s;
        // about 160 bottles behind it last 16 s, 240 more before the packer another 24 s, and so on.
        let expected = [(2.0, 12.0), (0.0, 2.0), (8.0, 30.0), (20.0, 70.0), (30.0, 90.0)];
        for (m, (seen, (from, to))) in first_seen.iter().zip(expected).enumerate() {
            let at = seen.unwrap_or_else(|| panic!("seed {seed}: {} does not stop", MACHINES[m].name));
            assert!((from..=to).contains(&at), "seed {seed}: {} stops after {at} s", MACHINES[m].name);
        }
        assert_eq!(line.machines()[0].reason, Reason::Blocked);
        assert_eq!(line.machines()[2].reason, Reason::Starved);
        (0..1200).for_each(|_| line.step());
        assert!(line.machines().iter().all(|m| m.state == State::Execute), "seed {seed}: all run again");
    }
}

/// Legal transitions, written from OPC 30050 as pairs: from, to.
const LEGAL: &str = "Stopped>Resetting Complete>Resetting Resetting>Idle Idle>Starting Starting>Execute Execute>Completing Completing>Complete \
 Execute>Suspending Suspending>Suspended Suspended>Unsuspending Unsuspending>Execute \
 Execute>Holding Starting>Holding Suspending>Holding Suspended>Holding Unsuspending>Holding Unholding>Holding Holding>Held Held>Unholding Unholding>Execute \
 Starting>Stopping Idle>Stopping Suspended>Stopping Execute>Stopping Holding>Stopping Held>Stopping Unholding>Stopping Suspending>Stopping \
 Unsuspending>Stopping Resetting>Stopping Completing>Stopping Complete>Stopping Stopping>Stopped Clearing>Stopped \
 Stopped>Aborting Starting>Aborting Idle>Aborting Suspended>Aborting Execute>Aborting Stopping>Aborting Holding>Aborting Held>Aborting Unholding>Aborting \
 Suspending>Aborting Unsuspending>Aborting Resetting>Aborting Completing>Aborting Complete>Aborting Clearing>Aborting Aborting>Aborted Aborted>Clearing";

#[test]
fn only_legal_packml_transitions() {
    let mut seen = BTreeSet::new();
    for (seed, (scenario, _)) in (40..).zip(EMBEDDED) {
        let mut plant = plant(seed, scenario);
        let mut before: Vec<State> = plant.line().machines().iter().map(|m| m.state).collect();
        for step in 0..50 * 60 * 1000 / STEP_MS {
            if step % 9001 == 0 {
                plant
                    .command(
                        ["stop Filler", "start Filler", "changeover 1 min", "fault any 20 s"]
                            [(step / 9001 % 4) as usize],
                    )
                    .expect("a command");
            }
            plant.advance(Duration::from_millis(STEP_MS));
            for (machine, before) in plant.line().machines().iter().zip(&mut before) {
                if machine.state != *before {
                    seen.insert(format!("{before:?}>{:?}", machine.state));
                    *before = machine.state;
                }
            }
        }
    }
    let legal: BTreeSet<String> = LEGAL.split_whitespace().map(str::to_owned).collect();
    assert_eq!(seen.difference(&legal).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(seen.len() > 22, "the scenarios visit too little: {seen:?}");
}

#[test]
fn the_same_seed_gives_the_same_plant_however_time_is_cut() {
    let trace = |seed: u64, cut: &[u64]| {
        let mut plant = plant(seed, "bad-shift");
        let mut left = 30 * 60 * 1000;
        let mut cuts = cut.iter().cycle();
        while left > 0 {
            let part = (*cuts.next().expect("a cycle")).min(left);
            plant.advance(Duration::from_millis(part));
            left -= part;
        }
        plant.values().map(|(_, sample)| *sample).collect::<Vec<Sample>>()
    };
    let whole = trace(7, &[1_800_000]);
    assert_eq!(whole, trace(7, &[50]));
    assert_eq!(whole, trace(7, &[1, 330, 7, 12_345]));
    assert_ne!(whole, trace(8, &[1_800_000]));
}

#[test]
fn counters_never_go_back_and_roll_over() {
    let mut plant = plant(3, "bad-shift");
    let good = plant
        .catalogue()
        .matching("*")
        .into_iter()
        .filter(|i| plant.catalogue().tags()[*i].name.ends_with(".Good"))
        .collect::<Vec<_>>();
    let count = |plant: &Simulation, index: usize| match plant.values().nth(index).map(|(_, sample)| sample.value) {
        Some(Some(lineside_plant::Value::UInt32(count))) => count,
        other => panic!("a counter shows {other:?}"),
    };
    let mut before: Vec<u32> = good.iter().map(|index| count(&plant, *index)).collect();
    let mut rolled = 0;
    for _ in 0..3600 {
        plant.advance(second());
        for (index, before) in good.iter().zip(&mut before) {
            let now = count(&plant, *index);
            assert!(
                now.wrapping_sub(*before) <= 15,
                "{} jumps from {before} to {now}",
                plant.catalogue().tags()[*index].name
            );
            rolled += u32::from(now < *before);
            *before = now;
        }
    }
    assert_eq!(rolled, 5, "each machine's counter rolls over once");
}

#[test]
fn worn_heads_show_in_torque_then_in_rejects_then_as_a_stop() {
    let mut plant = plant(5, "steady");
    let torque = plant.catalogue().matching("Capper.Torque")[0];
    let shown = |plant: &Simulation| match plant.values().nth(torque).and_then(|(_, sample)| sample.value) {
        Some(lineside_plant::Value::Double(torque)) => torque,
        other => panic!("torque is {other:?}"),
    };
    plant.advance(Duration::from_secs(60));
    let before = shown(&plant);
    plant.command("wear Capper 10 min").expect("a command");
    plant.advance(Duration::from_secs(240));
    assert!(shown(&plant) < before - 0.15, "torque drifts down: {before} to {}", shown(&plant));
    assert!(plant.line().machines()[CAPPER].reject_share < 0.05, "no rejects yet");
    let stops = (0..600).any(|_| {
        plant.advance(second());
        plant.line().machines()[CAPPER].reason == Reason::TooManyRejects
    });
    assert!(stops, "rejects stop the capper");
    plant.advance(Duration::from_secs(300));
    assert!(plant.line().machines()[CAPPER].running() && shown(&plant) > before - 0.15, "repaired");
}

#[test]
fn frozen_and_bad_tags_come_back() {
    let mut plant = plant(5, "steady");
    let index = plant.catalogue().matching("Filler.BowlTemperature")[0];
    let sample = |plant: &Simulation| *plant.values().nth(index).expect("a tag").1;
    plant.advance(Duration::from_secs(10));
    plant.command("freeze Filler.BowlTemperature for 1 min").expect("a command");
    let frozen = sample(&plant);
    plant.advance(Duration::from_secs(59));
    assert_eq!(sample(&plant), frozen);
    plant.advance(Duration::from_secs(5));
    assert!(sample(&plant).time > frozen.time + Duration::from_secs(59));
    plant.command("quality Filler.Bowl* BadSensorFailure for 30 s").expect("a command");
    assert_eq!(
        (sample(&plant).value, sample(&plant).quality),
        (None, Quality::from_name("BadSensorFailure").expect("a name"))
    );
    plant.advance(Duration::from_secs(31));
    assert!(sample(&plant).value.is_some() && sample(&plant).quality == Quality::GOOD);
    let wrong = plant.command("freeze Filler.Bowltemp for 1 min").expect_err("no such tag");
    assert!(wrong.to_string().contains("there is no tag `Filler.Bowltemp`"), "{wrong}");
}

#[test]
fn a_changeover_empties_the_line_and_ends_in_production() {
    let mut plant = plant(11, "steady");
    plant.advance(Duration::from_secs(30));
    plant.command("changeover 6 min").expect("a command");
    let mut all_changed = false;
    for _ in 0..600 {
        plant.advance(second());
        let line = plant.line();
        all_changed |=
            line.machines().iter().all(|m| m.mode == lineside_plant::line::Mode::Changeover) && in_line(line) == 0;
    }
    assert!(all_changed, "{:?}", plant.line().machines().iter().map(|m| (m.mode, m.state)).collect::<Vec<_>>());
    plant.advance(Duration::from_secs(240));
    assert!(plant.line().machines().iter().all(|m| m.state == State::Execute));
}

#[test]
fn a_fifth_of_the_tags_changes_each_second_and_the_rest_does_not() {
    for (tags, low, high) in [(1200, 0.15, 0.28), (20_000, 0.05, 0.28)] {
        let scenario = Scenario::embedded("steady").expect("comes with the program");
        let mut plant =
            Simulation::new(&SimulationOptions { tags, ..SimulationOptions::default() }, &scenario).expect("a plant");
        assert_eq!(plant.catalogue().tags().len(), tags);
        plant.advance(Duration::from_secs(30));
        plant.take_changes();
        let mut changed = 0;
        for _ in 0..60 {
            plant.advance(second());
            changed += plant.take_changes().len();
        }
        let share = changed as f64 / 60.0 / tags as f64;
        assert!((low..high).contains(&share), "{tags} tags: {share:.3} change each second");
    }
}

#[test]
fn load_counters_rise_by_one_and_exactly_as_often_as_asked() {
    let options = SimulationOptions { changes_per_second: Some(10_000), ..SimulationOptions::default() };
    let mut plant =
        Simulation::new(&options, &Scenario::embedded("steady").expect("comes with the program")).expect("a plant");
    let load = plant.catalogue().matching("Load.*");
    assert_eq!(load.len(), 1000);
    plant.take_changes();
    let mut last = vec![0u32; plant.catalogue().tags().len()];
    let mut seen = 0u64;
    for _ in 0..200 {
        plant.advance(Duration::from_millis(STEP_MS));
        for (index, sample) in plant.take_changes() {
            if let (true, Some(lineside_plant::Value::UInt32(count))) = (load.contains(&index), sample.value) {
                assert_eq!(count, last[index] + 1);
                last[index] = count;
                seen += 1;
            }
        }
    }
    assert_eq!((seen, plant.load_changes()), (100_000, 100_000));
}

/// `max_age` in the printed plant.toml rests on this: silence of these tags means a fault, not a stopped line.
#[test]
fn what_always_moves_moves_even_while_the_line_stands() {
    let mut plant = plant(9, "steady");
    plant.advance(second());
    plant.command("fault Filler 40 min").expect("a command");
    plant.command("stop Packer").expect("a command");
    let mut longest = Duration::ZERO;
    for _ in 0..1800 {
        plant.advance(second());
        let now = plant.now();
        let catalogue = plant.catalogue().clone();
        let moving = plant.values().filter(|(index, _)| catalogue.tags()[*index].always_moves);
        longest = moving.map(|(_, sample)| now - sample.time).fold(longest, Duration::max);
    }
    assert!(longest < Duration::from_secs(9), "{longest:?}");
}
