//! Additions to a file: everything that was there stays to the byte, and what was added is read back as meant.

use lineside_config::edit::{
    Additions, NewConnection, NewCounter, NewMap, NewPlant, NewTag, NewUnit, add, apply, fresh,
};
use lineside_config::parse;
use lineside_model::config::{Scale, Security, User};
use lineside_model::{PackState, PlantConfig};
use proptest::prelude::*;
use std::path::Path;

const EXAMPLE: &str = include_str!("../../../../docs/plant.example.toml");
const EVERY_KEY: &str = include_str!("../cases/every_key.toml");
const MINIMAL: &str =
    "[plant]\nsite = \"S\"\narea = \"A\"\ntime_zone = \"Etc/UTC\"\n\n[line]\nname = \"L\"\nproduct = \"p\"";

fn file() -> &'static Path {
    Path::new("plant.toml")
}

fn tag(name: &str, node: &str, connection: &str) -> NewTag {
    NewTag { name: name.into(), node: node.into(), connection: connection.into(), ..NewTag::default() }
}

fn server(name: &str) -> NewConnection {
    let endpoint = "opc.tcp://10.9.9.9:4840/".to_owned();
    NewConnection { name: name.into(), endpoint, security: "best".into(), user: User::Anonymous }
}

/// Without the lines of `edited` that are not in `text`, `edited` is `text`: returns those lines.
fn inserted(text: &str, edited: &str) -> Option<Vec<String>> {
    let mut old = text.split_inclusive('\n').peekable();
    let mut new = Vec::new();
    for line in edited.split_inclusive('\n') {
        // The last line may have got its newline only now.
        if old.peek().is_some_and(|next| {
            *next == line || (!next.ends_with('\n') && line.trim_end_matches(['\r', '\n']) == *next)
        }) {
            old.next();
        } else {
            new.push(line.to_owned());
        }
    }
    old.next().is_none().then_some(new)
}

/// What was added, as it was read back.
fn read_back(config: &PlantConfig, old: &PlantConfig) -> Additions {
    let name = |tag: lineside_model::TagId| config.tag(tag).name.clone();
    let counter = |counter: &lineside_model::config::CounterConfig| NewCounter {
        tag: name(counter.tag),
        rollover: counter.modulus,
    };
    let connection = config.connections.get(old.connections.len()).map(|new| NewConnection {
        name: new.name.clone(),
        endpoint: new.endpoint.clone(),
        security: match &new.security {
            Security::Best => "best".into(),
            Security::None => "none".into(),
            Security::Exact { policy, encrypt } => {
                format!("{policy}/{}", if *encrypt { "SignAndEncrypt" } else { "Sign" })
            }
        },
        user: new.user.clone(),
    });
    let units = config.units[old.units.len()..].iter().map(|new| NewUnit {
        name: new.name.clone(),
        state: new.state.as_ref().map(|map| NewMap {
            tag: name(map.tag),
            entries: match map.numbers.len() {
                17 => Vec::new(),
                _ => map.numbers.iter().map(|(value, state)| (value.to_string(), state.name().to_owned())).collect(),
            },
        }),
        mode: None,
        speed: new.speed.map(name),
        ideal_rate: new.ideal_rate_per_min,
        good: new.good.as_ref().map(counter),
        reject: new.reject.as_ref().map(counter),
    });
    let tags = config.tags[old.tags.len()..].iter().map(|new| NewTag {
        name: new.name.clone(),
        description: new.description.clone(),
        connection: config.connections[new.connection.0 as usize].name.clone(),
        node: new.node.clone(),
        unit: new.unit.clone(),
        range: new.range,
        scale: new.scale,
        texts: new.texts.clone(),
    });
    Additions { plant: NewPlant::default(), connection, units: units.collect(), tags: tags.collect() }
}

fn check(text: &str, additions: &Additions) -> Result<String, TestCaseError> {
    let old = parse(text, file()).map_err(|errors| TestCaseError::fail(errors.to_string()))?;
    let edited = add(text, file(), additions).map_err(|errors| TestCaseError::fail(errors.to_string()))?;
    let new = inserted(text, &edited.text);
    prop_assert!(new.is_some(), "text was changed:\n{}", edited.text);
    let new: Vec<String> = new.unwrap().iter().map(|line| line.trim_end().to_owned()).collect();
    let new: Vec<String> = new.into_iter().filter(|line| !line.is_empty()).collect();
    prop_assert_eq!(&new, &edited.added);
    prop_assert_eq!(&parse(&edited.text, file()).unwrap(), &edited.config);
    prop_assert_eq!(&read_back(&edited.config, &old), additions);
    Ok(edited.text)
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9äß°'\"\\\\#\\[\\]{}=.]([A-Za-z0-9 ä'\"\\\\#\\[\\]{}=.]{0,12}[A-Za-z0-9\"\\\\#])?"
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![-1e18..1e18, -100.0..100.0, (-1000i32..1000).prop_map(f64::from)]
}

fn new_tag() -> impl Strategy<Value = NewTag> {
    let range = proptest::option::of((any_number(), 0.001..1e9));
    let texts = prop::collection::btree_map(any::<i64>(), ".{0,8}", 0..4);
    let scale = proptest::option::of((0.001..1000.0, any_number()));
    (name(), ".{0,20}", any::<u32>(), ".{0,4}", range, (scale, texts)).prop_map(
        |(name, description, id, unit, range, (scale, texts))| NewTag {
            name: format!("new {name}"),
            description,
            connection: String::new(),
            node: format!("nsu=urn:new;i={id}"),
            unit,
            range: range.map(|(low, more)| (low, low + more)).filter(|(low, high)| low < high),
            scale: scale.map(|(gain, offset)| Scale { gain, offset }),
            texts,
        },
    )
}

fn additions(connection: &'static str) -> impl Strategy<Value = Additions> {
    let user = prop_oneof![
        Just(User::Anonymous),
        name().prop_map(|name| User::Name { name, password_env: None }),
        Just(User::Certificate { certificate: "a.der".into(), key: "a.pem".into() }),
    ];
    let security = prop::sample::select(vec!["best", "none", "Aes128_Sha256_RsaOaep/Sign"]);
    let connection_added = proptest::option::of((name(), security, user).prop_map(|(name, security, user)| {
        NewConnection { name: format!("new {name}"), security: security.into(), user, ..server("") }
    }));
    (connection_added, prop::collection::vec(new_tag(), 0..6), 0usize..4, any::<bool>(), 0.5f64..5000.0).prop_map(
        move |(added, mut tags, units, packml, rate)| {
            let connection = added.as_ref().map_or(connection.to_owned(), |new: &NewConnection| new.name.clone());
            for (i, tag) in tags.iter_mut().enumerate() {
                tag.name = format!("{} {i}", tag.name);
                tag.node = format!("{}{i:03}", tag.node.replace("i=", "s="));
                tag.connection.clone_from(&connection);
            }
            let tag = |i: usize| tags.get(i).map(|tag| tag.name.clone());
            let entries = if packml { vec![] } else { vec![("4".to_owned(), PackState::Idle.name().to_owned())] };
            let unit = |i: usize| NewUnit {
                name: format!("new unit \"{i}\""),
                state: tag(i).map(|tag| NewMap { tag, entries: entries.clone() }),
                speed: tag(i + 1),
                ideal_rate: packml.then_some(rate),
                good: tag(0).map(|tag| NewCounter { tag, rollover: packml.then_some(65536) }),
                reject: tag(2).map(|tag| NewCounter { tag, rollover: None }),
                ..NewUnit::default()
            };
            Additions {
                plant: NewPlant::default(),
                connection: added,
                units: (0..units).map(unit).collect(),
                tags: tags.clone(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_example_keeps_every_byte(additions in additions("line3")) {
        check(EXAMPLE, &additions)?;
        check(&EXAMPLE.replace('\n', "\r\n"), &additions)?;
    }

    #[test]
    fn a_file_with_every_key_keeps_every_byte(additions in additions("lab")) {
        check(EVERY_KEY, &additions)?;
    }

    #[test]
    fn a_new_file_takes_what_it_is_given(mut additions in additions("first")) {
        if let Some(connection) = &mut additions.connection {
            connection.name = "first".into();
            additions.tags.iter_mut().for_each(|tag| tag.connection = "first".into());
        } else {
            additions.connection = Some(server("first"));
        }
        check(&fresh(&NewPlant { time_zone: "Europe/Berlin".into(), site: "Köln \"Nord\"".into(), ..NewPlant::default() }), &additions)?;
        check(MINIMAL, &additions)?;
    }

    /// A file that somebody broke is refused, or it was not broken and keeps its meaning; nothing panics.
    #[test]
    fn a_broken_file_is_refused_or_keeps_every_byte(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[\\[\\]{}=\"'#\n ä,a1]{0,3}"), 1..4),
        additions in additions("line3"),
    ) {
        let mut chars: Vec<char> = EXAMPLE.chars().collect();
        for (at, cut, word) in cuts {
            let at = at.index(chars.len());
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, word.chars());
        }
        let text: String = chars.into_iter().collect();
        let Ok(old) = parse(&text, file()) else {
            prop_assert!(add(&text, file(), &additions).is_err());
            return Ok(());
        };
        if let Ok(edited) = add(&text, file(), &additions) {
            prop_assert!(inserted(&text, &edited.text).is_some(), "text was changed:\n{}", edited.text);
            prop_assert_eq!(&edited.config.tags[..old.tags.len()], &old.tags[..]);
        }
    }

    /// Whatever the lines around the entries are, comments stay where they were.
    #[test]
    fn comments_anywhere_stay(
        comments in prop::collection::vec((any::<prop::sample::Index>(), "# [a-z\\[\\]\"= ]{0,12}|[ \t]{0,3}"), 0..20),
        additions in additions("line3"),
    ) {
        let mut lines: Vec<&str> = EXAMPLE.lines().collect();
        for (at, comment) in &comments {
            lines.insert(at.index(lines.len() + 1), comment);
        }
        check(&lines.join("\n"), &additions)?;
    }
}

#[test]
fn entries_follow_the_last_of_their_kind_and_its_comments() {
    let additions = Additions {
        units: vec![NewUnit { name: "Labeller".into(), ..NewUnit::default() }],
        tags: vec![tag("Labeller.State", "nsu=urn:plc;s=State", "a")],
        ..Additions::default()
    };
    let old = "[plant]\nsite = \"S\"\narea = \"A\"\ntime_zone = \"Etc/UTC\"\n[line]\nname = \"L\"\nproduct = \"p\"\n\
        [[connection]]\nname = \"a\"\nendpoint = \"opc.tcp://h:1/\"\n[[unit]]\nname = \"Filler\" # the first\n\
        # speed = \"later\"\n\n# Tags\n[[tag]]\nname = \"T\"\nnode = \"nsu=u;s=t\"\ntexts = {}\n# about shifts\n[[shift]]\n\
        name = \"Day\"\nstart = \"06:00\"\nend = \"18:00\"\n";
    let new = add(old, file(), &additions).unwrap().text;
    let unit = "# speed = \"later\"\n\n[[unit]]\nname = \"Labeller\"\n\n# Tags\n";
    assert!(new.contains(unit), "{new}");
    let tag = "texts = {}\n\n[[tag]]\nname = \"Labeller.State\"\nconnection = \"a\"\nnode = \"nsu=urn:plc;s=State\"\n\n# about";
    assert!(new.contains(tag), "{new}");
}

#[test]
fn a_second_connection_is_named_by_the_tags_that_left_out_the_first() {
    let additions = Additions { connection: Some(server("second")), ..Additions::default() };
    let edited = add(EXAMPLE, file(), &additions).unwrap();
    assert!(edited.text.contains("name = \"Filler.Speed\"\nconnection = \"line3\"\nnode"), "{}", edited.text);
    assert!(edited.config.tags.iter().all(|tag| tag.connection.0 == 0));
}

fn refused(text: &str, additions: &Additions, problem: &str) {
    let errors = add(text, file(), additions).unwrap_err().to_string();
    assert!(errors.contains(problem), "{problem:?} is not in {errors}");
}

#[test]
fn what_is_there_is_never_replaced_and_what_would_not_load_is_not_written() {
    let tags = |tags| Additions { tags, ..Additions::default() };
    refused(EXAMPLE, &tags(vec![tag("Filler.Speed", "nsu=u;s=x", "line3")]), "a tag `Filler.Speed` already");
    let known = "nsu=urn:lineside:plant;s=Filler.Speed";
    refused(EXAMPLE, &tags(vec![tag("Other", known, "line3")]), "read by the tag `Filler.Speed` already");
    let twice = vec![tag("A", "nsu=u;s=x", "line3"), tag("A", "nsu=u;s=y", "line3")];
    refused(EXAMPLE, &tags(twice), "a tag `A` already");
    refused(EXAMPLE, &tags(vec![tag("A", "s=x", "line3")]), "names no namespace");
    refused(EXAMPLE, &tags(vec![tag("A", "nsu=u;s=x", "line4")]), "there is no connection `line4`");
    refused(
        EXAMPLE,
        &Additions { connection: Some(server("line3")), ..Additions::default() },
        "connection `line3` already",
    );
    let filler = NewUnit { name: "Filler".into(), ..NewUnit::default() };
    refused(EXAMPLE, &Additions { units: vec![filler], ..Additions::default() }, "a unit `Filler` already");
    let endpoint = NewConnection { endpoint: "http://x".into(), ..server("x") };
    refused(EXAMPLE, &Additions { connection: Some(endpoint), ..Additions::default() }, "not written");
    refused("[plant]\nsit = 1", &Additions::default(), "sit");
    let inline = format!(
        "tag = [{{ name = \"T\", node = \"nsu=u;s=t\" }}]\n{MINIMAL}\n\n[[connection]]\nname = \"a\"\nendpoint = \"opc.tcp://h:1/\"\n"
    );
    refused(&inline, &tags(vec![tag("A", "nsu=u;s=x", "a")]), "plant.toml");
}

#[test]
fn the_file_is_replaced_whole_and_the_former_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/plant.toml");
    let first = Additions { connection: Some(server("a")), ..Additions::default() };
    let dry = apply(&path, None, &first, true).unwrap();
    assert!(!path.exists() && dry.added.iter().any(|line| line.contains("placeholder")), "{:?}", dry.added);
    let made = apply(&path, None, &first, false).unwrap();
    assert_eq!((std::fs::read_to_string(&path).unwrap(), &made), (dry.text.clone(), &dry));

    for round in 1..=22 {
        let before = std::fs::read_to_string(&path).unwrap();
        let more = Additions {
            tags: vec![tag(&format!("T{round}"), &format!("nsu=u;i={round}"), "a")],
            ..Additions::default()
        };
        apply(&path, Some(&before), &more, false).unwrap();
        let kept = std::fs::read_to_string(folder.path().join(format!("made/plant.toml.bak-{round}"))).unwrap();
        assert_eq!(kept, before);
    }
    let files = std::fs::read_dir(folder.path().join("made")).unwrap().count();
    assert_eq!(files, 21, "the file and twenty former ones, nothing half done");
}

#[test]
fn what_others_saved_meanwhile_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plant.toml");
    std::fs::write(&path, EXAMPLE).unwrap();
    let additions = Additions { tags: vec![tag("A", "nsu=u;s=x", "line3")], ..Additions::default() };
    let elsewhere = format!("{EXAMPLE}# saved by a person\n");
    std::fs::write(&path, &elsewhere).unwrap();
    let errors = apply(&path, Some(EXAMPLE), &additions, false).unwrap_err().to_string();
    assert!(errors.contains("was changed since Lineside read it"), "{errors}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), elsewhere);
    std::fs::remove_file(&path).unwrap();
    assert!(apply(&path, Some(EXAMPLE), &additions, false).is_err(), "a removed file is not made up");
}
