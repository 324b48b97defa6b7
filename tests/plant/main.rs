//! The printed `plant.toml` is one that Lineside reads without a complaint.

use lineside_plant::{SimulationOptions, plant_toml};
use std::path::Path;

#[test]
fn lineside_reads_what_the_plant_prints() {
    let load = SimulationOptions { changes_per_second: Some(10_000), ..SimulationOptions::default() };
    for (options, security, tags) in [
        (SimulationOptions::default(), "best", 1200),
        (SimulationOptions { tags: 5000, ..SimulationOptions::default() }, "none", 5000),
        (load, "Basic256Sha256/SignAndEncrypt", 1901),
    ] {
        let text = plant_toml("opc.tcp://127.0.0.1:4855/", &options, security);
        let config = lineside_config::parse(&text, Path::new("plant.toml")).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!((config.tags.len(), config.units.len(), config.shifts.len()), (tags, 5, 3));
        assert!(config.units.iter().all(|unit| {
            unit.state.is_some()
                && unit.mode.is_some()
                && unit.speed.is_some()
                && unit.good.is_some()
                && unit.reject.is_some()
        }));
        assert!(config.tags.iter().filter(|tag| tag.max_age.is_some()).count() >= 10);
    }
}
