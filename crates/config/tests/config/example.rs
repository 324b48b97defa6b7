//! The published example and schema: the example is taken by both, and says what it seems to say.

use lineside_config::{json_schema, load};
use lineside_model::config::{Redundancy, Retention, Scale, Security, User};
use lineside_model::{Mode, PackState, Span, TagId, UnitId};

fn example() -> String {
    std::fs::read_to_string(crate::common::repository("docs/plant.example.toml")).unwrap()
}

#[test]
fn schema_is_published() {
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap();
    crate::common::check_file(&crate::common::repository("docs/plant.schema.json"), &format!("{schema}\n"));
}

#[test]
fn example_fits_the_schema_and_a_wrong_key_does_not() {
    let schema = jsonschema::draft202012::new(&json_schema()).unwrap();
    let json = crate::common::to_json(&example()).unwrap();
    assert_eq!(schema.iter_errors(&json).map(|e| e.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    let mut wrong = json;
    wrong["tag"][0]["nodde"] = "x".into();
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn example_is_read_as_written() {
    let loaded = load(&crate::common::repository("docs/plant.example.toml")).unwrap();
    assert_eq!(loaded.text, example());
    let config = loaded.config;
    assert_eq!((config.site.as_str(), config.time_zone.as_str()), ("Bremen", "Europe/Berlin"));
    assert!(config.units.iter().any(|unit| unit.name == "Filler"));
    let filler = &config.units[0];
    let state = filler.state.as_ref().unwrap();
    assert_eq!(config.tag(state.tag).name, "Filler.State");
    assert_eq!(state.numbers[&6], PackState::Execute);
    assert_eq!(state.names["Execute"], PackState::Execute);
    assert_eq!((state.numbers.len(), state.names.len()), (17, 17));
    assert_eq!(filler.mode.as_ref().unwrap().numbers[&4], Mode::Changeover);
    let good = filler.good.unwrap();
    assert_eq!((good.modulus, good.max_rate_per_min), (Some(1 << 32), 2560.0));
    assert_eq!(config.line.minor_stop, Span::from_secs(300));
    assert_eq!(config.line.constraint, Some(UnitId(0)));
    assert_eq!(config.retention, Retention { keep_days: Some(90.0), keep_bytes: Some(200_000_000_000) });
    let connection = &config.connections[0];
    assert_eq!((&connection.security, connection.publish), (&Security::Best, Span::from_millis(100)));
    assert!(matches!(&connection.user, User::Name { name, .. } if name == "operator"));
    assert_eq!((connection.redundant.len(), connection.redundancy), (1, Redundancy::Auto));
    let heartbeat = connection.heartbeat.unwrap();
    assert_eq!((config.tag(heartbeat.tag).name.as_str(), heartbeat.within), ("Line.Heartbeat", Span::from_secs(5)));
    assert!(connection.backfill);
    let speed = config.tag(filler.speed.unwrap());
    assert_eq!(speed.scale, Some(Scale { gain: 0.1, offset: 0.0 }));
    assert_eq!(speed.max_age, Some(Span::from_secs(10)));
    assert_eq!(config.tag(TagId(0)).texts[&6], "Execute");
}
