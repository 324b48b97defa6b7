//! Browsing, searching, looking at and proposing, on a server with the types of Data Access.

use crate::collect::plant;
use crate::peer::{Ground, NAMESPACE, Peer, Setup, node, wait_until};
use crate::proxy::{Cable, Proxy};
use lineside_model::config::Security;
use lineside_model::{Mode, PackState, PlantConfig};
use lineside_opcua::Settings;
use lineside_opcua::browse::{Explorer, Node, NodeClass, Search};
use lineside_opcua::semantics::{Basis, Proposal, ProposedTag, Recognised, propose};
use opcua::nodes::{AccessLevel, DataTypeBuilder, ObjectBuilder, VariableBuilder};
use opcua::server::Limits;
use opcua::server::address_space::AddressSpace;
use opcua::types::{
    Array, DataTypeDefinition, DataTypeId, EUInformation, EnumDefinition, EnumField, EnumValueType, ExtensionObject,
    LocalizedText, NodeId, ObjectId, ObjectTypeId, QualifiedName, Range, ReferenceTypeId, StatusCode, VariableTypeId,
    Variant, VariantScalarTypeId,
};
use std::collections::BTreeSet;
use std::time::Duration;

const UNECE: &str = "http://www.opcfoundation.org/UA/units/un/cefact";
const STATES: [&str; 7] = ["Undefined", "Clearing", "Stopped", "Starting", "Idle", "Suspended", "Execute"];
const FLAT: usize = 5_000;

struct Builder<'a> {
    space: &'a mut AddressSpace,
    namespace: u16,
}

impl Builder<'_> {
    fn object(&mut self, id: &str, name: &str, parent: &NodeId) -> NodeId {
        let id = NodeId::new(self.namespace, id);
        ObjectBuilder::new(&id, QualifiedName::new(self.namespace, name), name)
            .has_type_definition(ObjectTypeId::FolderType)
            .organized_by(parent.clone())
            .insert(self.space);
        id
    }

    fn variable(
        &mut self,
        id: &str,
        parent: &NodeId,
        data_type: impl Into<NodeId>,
        kind: VariableTypeId,
        value: impl Into<Variant>,
    ) -> NodeId {
        let name = id.rsplit('.').next().unwrap_or(id);
        let node = NodeId::new(self.namespace, id);
        let value = value.into();
        VariableBuilder::new(&node, QualifiedName::new(self.namespace, name), name)
            .description(format!("About {name}"))
            .data_type(data_type)
            .value_rank(if value.is_array() { 1 } else { -1 })
            .value(value)
            .has_type_definition(kind)
            .component_of(parent.clone())
            .insert(self.space);
        node
    }

    fn property(&mut self, of: &NodeId, name: &str, data_type: DataTypeId, value: impl Into<Variant>) {
        let value = value.into();
        let rank = if value.is_array() { 1 } else { -1 };
        VariableBuilder::new(&NodeId::new(self.namespace, format!("{}/{name}", of.identifier)), name, name)
            .data_type(data_type)
            .value_rank(rank)
            .value(value)
            .has_type_definition(VariableTypeId::PropertyType)
            .property_of(of.clone())
            .insert(self.space);
    }

    fn unit(&mut self, of: &NodeId, symbol: &str, unit_id: i32) {
        let unit = EUInformation {
            namespace_uri: UNECE.into(),
            unit_id,
            display_name: LocalizedText::new("", symbol),
            description: LocalizedText::new("en", symbol),
        };
        self.property(of, "EngineeringUnits", DataTypeId::EUInformation, ExtensionObject::from_message(unit));
    }

    fn range(&mut self, of: &NodeId, low: f64, high: f64) {
        self.property(of, "EURange", DataTypeId::Range, ExtensionObject::from_message(Range { low, high }));
    }
}

fn texts(texts: &[&str]) -> Variant {
    texts.iter().map(|text| LocalizedText::new("en", text)).collect::<Vec<_>>().into()
}

/// A line with a filler, other values of every kind, and a flat folder.
fn world(space: &mut AddressSpace, namespace: u16) {
    let mut build = Builder { space, namespace };
    let line = build.object("Line/", "Line", &NodeId::objects_folder_id());
    filler(&mut build, &line);
    others(&mut build);
    let flat = build.object("Flat/", "Flat", &NodeId::objects_folder_id());
    for index in 0..FLAT {
        build.variable(
            &format!("Flat.v{index:04}"),
            &flat,
            DataTypeId::Double,
            VariableTypeId::BaseDataVariableType,
            1.5,
        );
    }
    // A circle: a walk must end.
    build.space.insert_reference(&flat, &line, ReferenceTypeId::Organizes);
    build.space.insert_reference(&line, &flat, ReferenceTypeId::Organizes);
}

fn filler(build: &mut Builder<'_>, line: &NodeId) {
    let filler = build.object("Filler/", "Filler", line);
    let state =
        build.variable("Filler.State", &filler, DataTypeId::UInt32, VariableTypeId::MultiStateDiscreteType, 6_u32);
    build.property(&state, "EnumStrings", DataTypeId::LocalizedText, texts(&STATES));
    let mode =
        build.variable("Filler.Mode", &filler, DataTypeId::UInt32, VariableTypeId::MultiStateValueDiscreteType, 1_u32);
    let value = |value: i64, name: &str| {
        let display_name = LocalizedText::new("en", name);
        ExtensionObject::from_message(EnumValueType { value, display_name, description: LocalizedText::null() })
    };
    let values = vec![value(1, "Production"), value(9, "Changeover")];
    build.property(&mode, "EnumValues", DataTypeId::EnumValueType, values);
    let speed =
        build.variable("Filler.Speed", &filler, DataTypeId::Float, VariableTypeId::AnalogUnitRangeType, 9.5_f32);
    // C97, reciprocal second.
    build.unit(&speed, "1/s", 4_405_559);
    build.range(&speed, 0.0, 12.0);
    build.variable("Filler.Good", &filler, DataTypeId::UInt32, VariableTypeId::BaseDataVariableType, 7_u32);
    build.variable("Filler.Reject", &filler, DataTypeId::Int32, VariableTypeId::BaseDataVariableType, 2_i32);
}

fn others(build: &mut Builder<'_>) {
    let other = build.object("Other/", "Other", &NodeId::objects_folder_id());
    let level = build.variable("Other.Level", &other, DataTypeId::Double, VariableTypeId::AnalogItemType, 61.25);
    build.unit(&level, "°C", 4_408_652);
    build.range(&level, 0.0, 100.0);
    build.property(&level, "ValuePrecision", DataTypeId::Double, 2.0);
    let door = build.variable("Other.Door", &other, DataTypeId::Boolean, VariableTypeId::TwoStateDiscreteType, true);
    build.property(&door, "TrueState", DataTypeId::LocalizedText, LocalizedText::new("en", "Open"));
    build.property(&door, "FalseState", DataTypeId::LocalizedText, LocalizedText::new("en", "Shut"));
    let kind = NodeId::new(build.namespace, "Colour");
    let field = |value: i64, name: &str| EnumField {
        value,
        display_name: LocalizedText::new("en", name),
        description: LocalizedText::null(),
        name: name.into(),
    };
    let fields = Some(vec![field(3, "Red"), field(5, "Blue")]);
    DataTypeBuilder::new(&kind, QualifiedName::new(build.namespace, "Colour"), "Colour")
        .data_type_definition(DataTypeDefinition::Enum(EnumDefinition { fields }))
        .subtype_of(NodeId::from(DataTypeId::Enumeration))
        .insert(build.space);
    build.variable("Other.Colour", &other, kind, VariableTypeId::BaseDataVariableType, 5_i32);
    build.variable("Other.List", &other, DataTypeId::Double, VariableTypeId::BaseDataVariableType, vec![1.0, 2.0]);
    build.variable(
        "Other.Broken",
        &other,
        DataTypeId::Double,
        VariableTypeId::BaseDataVariableType,
        Variant::StatusCode(StatusCode::BadSensorFailure),
    );
}

/// A server with the world, and an explorer that looks at it.
struct Scene {
    ground: Ground,
    peer: Peer,
    explorer: Explorer,
    config: PlantConfig,
}

impl Scene {
    fn new(limits: fn(&mut Limits)) -> Scene {
        let ground = Ground::new();
        let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup { limits, ..Setup::default() }, &[]);
        peer.build(world);
        let config = plant(&peer.endpoint(), Security::None, []);
        let explorer = ground
            .runtime
            .block_on(Explorer::open(&Settings::new(ground.ours()), &config.connections[0]))
            .expect("a server that can be looked at");
        Scene { ground, peer, explorer, config }
    }

    /// All pages of what is below a node.
    fn children(&self, of: Option<&str>) -> (Vec<Node>, usize) {
        let (mut all, mut pages, mut more) = (Vec::new(), 0, None);
        loop {
            let page = self.ground.runtime.block_on(self.explorer.children(of, more)).expect("a page");
            all.extend(page.nodes);
            pages += 1;
            more = page.more;
            if more.is_none() {
                return (all, pages);
            }
        }
    }

    fn propose(&self, picked: &[&str]) -> Proposal {
        let picked: Vec<String> = picked.iter().map(|name| node(name)).collect();
        self.ground.runtime.block_on(propose(&self.explorer, &picked, &self.config)).expect("a proposal")
    }
}

fn tight(limits: &mut Limits) {
    limits.operational.max_nodes_per_browse = 10;
    limits.operational.max_nodes_per_read = 10;
    limits.operational.max_references_per_browse_node = 100;
    limits.max_browse_continuation_points = 2;
}

#[test]
fn the_tree_is_shown_whole_whatever_the_server_limits() {
    let check = |limits: fn(&mut Limits), pages: usize| {
        let scene = Scene::new(limits);
        let (top, _) = scene.children(None);
        let names: BTreeSet<&str> = top.iter().map(|node| node.name.as_str()).collect();
        assert!(["Line", "Other", "Flat", "Server"].iter().all(|name| names.contains(name)), "{names:?}");
        let line = top.iter().find(|node| node.name == "Line").expect("the line");
        assert_eq!(line.node, node("Line/"));
        assert_eq!((line.class, line.type_name.as_str()), (NodeClass::Object, "FolderType"));
        let (flat, seen) = scene.children(Some(&node("Flat/")));
        let ids: BTreeSet<&str> = flat.iter().map(|node| node.node.as_str()).collect();
        assert_eq!((flat.len(), ids.len(), seen), (FLAT + 1, FLAT + 1, pages));
    };
    check(|_| {}, 11);
    check(tight, 51);
}

#[test]
fn more_lists_than_continuation_points_go_on_all_the_same() {
    let scene = Scene::new(tight);
    let runtime = &scene.ground.runtime;
    let first = |_| runtime.block_on(scene.explorer.children(Some(&node("Flat/")), None)).expect("a first page");
    let lists: Vec<_> = (0..5).map(first).collect();
    for list in &lists {
        let next = runtime.block_on(scene.explorer.children(None, list.more)).expect("a second page");
        let seen: BTreeSet<&str> = list.nodes.iter().map(|node| node.node.as_str()).collect();
        assert_eq!((list.nodes.len(), next.nodes.len()), (100, 100));
        assert!(next.nodes.iter().all(|node| !seen.contains(node.node.as_str())), "nothing comes twice");
        runtime.block_on(scene.explorer.forget(next.more.expect("there is more"))).expect("given back");
    }
    let spent = runtime.block_on(scene.explorer.children(None, lists[0].more)).expect_err("a token serves once");
    assert!(spent.detail.contains("again"), "{spent}");
}

#[test]
fn types_are_recognised_in_the_tree() {
    let scene = Scene::new(|_| {});
    let (filler, _) = scene.children(Some(&node("Filler/")));
    let (others, _) = scene.children(Some(&node("Other/")));
    let all: Vec<&Node> = filler.iter().chain(&others).collect();
    let check = |name: &str, expected: Option<Recognised>| {
        let found = all.iter().find(|node| node.browse_name == name).expect(name);
        assert_eq!(found.recognised, expected, "{name}");
        assert_eq!(found.namespace, NAMESPACE);
    };
    check("State", Some(Recognised::MultiState));
    check("Mode", Some(Recognised::MultiStateValue));
    check("Speed", Some(Recognised::Analog));
    check("Level", Some(Recognised::Analog));
    check("Door", Some(Recognised::TwoState));
    check("Good", None);
    check("Colour", None);
}

#[test]
fn details_are_readable_and_what_fails_hides_nothing() {
    let scene = Scene::new(tight);
    let check = |of: &str, expected: &[(&str, &str)], value: &str| {
        let details = scene.ground.runtime.block_on(scene.explorer.details(&node(of))).expect(of);
        for (name, text) in expected {
            let row = details.rows.iter().find(|row| row.name == *name);
            assert_eq!(row.map(|row| row.text.as_str()), Some(*text), "{of} {name}");
        }
        assert_eq!(details.value.map(|value| value.value).as_deref(), Some(value), "{of}");
    };
    let level = [
        ("NodeClass", "Variable"),
        ("Description", "About Level"),
        ("DataType", "Double (i=11)"),
        ("ValueRank", "single value"),
        ("AccessLevel", "read"),
        ("EngineeringUnits", "°C, °C, UNECE CEL (unitId 4408652)"),
        ("EURange", "0 to 100"),
        ("ValuePrecision", "2"),
    ];
    check("Other.Level", &level, "61.25");
    check("Other.Door", &[("Texts", "0 = Shut, 1 = Open")], "true (Open)");
    check("Filler.Mode", &[("Texts", "1 = Production, 9 = Changeover")], "1 (Production)");
    let colour = format!("Colour (nsu={NAMESPACE};s=Colour)");
    check("Other.Colour", &[("Texts", "3 = Red, 5 = Blue"), ("DataType", colour.as_str())], "5 (Blue)");
    check("Other.List", &[], "[1, 2]");

    let failing = |of: &str, words: &[&str]| {
        let failure = scene.ground.runtime.block_on(scene.explorer.details(of)).expect_err(of);
        assert!(words.iter().all(|word| failure.detail.contains(word)), "{failure}");
    };
    failing(&node("Nothing"), &["no longer has this node"]);
    failing("nsu=urn:elsewhere;s=x", &["no namespace", "browse"]);
    failing("Filler.Speed", &["not a node id", "nsu="]);
}

#[test]
fn a_preview_reads_what_it_can() {
    let scene = Scene::new(tight);
    let mut wanted: Vec<String> = (0..30).map(|index| node(&format!("Flat.v{index:04}"))).collect();
    wanted.extend([node("Filler.Speed"), node("Filler.State"), node("Nothing"), "no node at all".to_string()]);
    for _ in 0..2 {
        let readings = scene.ground.runtime.block_on(scene.explorer.preview(&wanted)).expect("a preview");
        let check = |at: usize, value: &str, unit: &str, status: &str| {
            let reading = &readings[at];
            assert_eq!((reading.value.as_str(), reading.unit.as_str()), (value, unit), "{reading:?}");
            assert!(reading.status_text.starts_with(status), "{reading:?}");
        };
        assert_eq!(readings.len(), wanted.len());
        check(0, "1.5", "", "Good");
        assert!(readings[0].source_time.is_some());
        check(30, "9.5", "1/s", "Good");
        check(31, "6 (Execute)", "", "Good");
        check(32, "", "", "BadNodeIdUnknown");
        assert!(readings[33].status.is_bad());
    }
}

#[test]
fn a_value_that_cannot_be_decoded_hides_no_other() {
    let scene = Scene::new(|_| {});
    scene.peer.build(|space, namespace| {
        let mut build = Builder { space, namespace };
        let odd = build.object("Odd/", "Odd", &NodeId::objects_folder_id());
        for index in 0..20 {
            build.variable(
                &format!("Odd.v{index:02}"),
                &odd,
                DataTypeId::Int32,
                VariableTypeId::BaseDataVariableType,
                index,
            );
        }
        let secret = NodeId::new(build.namespace, "Odd.secret");
        VariableBuilder::new(&secret, QualifiedName::new(build.namespace, "secret"), "secret")
            .data_type(DataTypeId::Int32)
            .value(1_i32)
            .access_level(AccessLevel::empty())
            .user_access_level(AccessLevel::empty())
            .component_of(odd.clone())
            .insert(build.space);
        // Three values in a table of two by two.
        let values = vec![Variant::Int32(1), Variant::Int32(2), Variant::Int32(3)];
        let table = Array { value_type: VariantScalarTypeId::Int32, values, dimensions: Some(vec![2, 2]) };
        let table = Variant::Array(Box::new(table));
        build.variable("Odd.table", &odd, DataTypeId::Int32, VariableTypeId::BaseDataVariableType, table);
    });
    let mut wanted: Vec<String> = (0..20).map(|index| node(&format!("Odd.v{index:02}"))).collect();
    wanted.insert(7, node("Odd.table"));
    for _ in 0..2 {
        let readings = scene.ground.runtime.block_on(scene.explorer.preview(&wanted)).expect("a preview");
        let good = readings.iter().filter(|reading| reading.status.is_good()).count();
        assert_eq!((good, readings[8].value.as_str()), (20, "7"), "{readings:#?}");
        assert!(readings[7].status_text.starts_with("BadDecodingError"), "{:?}", readings[7]);
    }
    let details = scene.ground.runtime.block_on(scene.explorer.details(&wanted[7])).expect("its details");
    assert!(details.rows.iter().any(|row| row.text == "Int32 (i=6)"), "{:?}", details.rows);
    let proposal = scene.propose(&["Odd/"]);
    assert_eq!(proposal.tags.len(), 20, "{:?}", proposal.skipped);
    let mut skipped: Vec<(&str, &str)> =
        proposal.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.why.as_str())).collect();
    skipped.sort_unstable();
    let [secret, table] = skipped.as_slice() else { panic!("{skipped:?}") };
    assert!(secret.0 == "Odd.secret" && secret.1.contains("not let this user read"), "{secret:?}");
    assert!(table.0 == "Odd.table" && table.1.contains("cannot be decoded"), "{table:?}");
    wait_until("one session", || scene.peer.sessions() == 1);
}

#[test]
fn a_search_ends_goes_on_and_says_whether_it_saw_everything() {
    let scene = Scene::new(|_| {});
    let runtime = &scene.ground.runtime;
    let search = |text: &str, limit: usize, seconds: u64| Search {
        text: text.into(),
        under: Some(node("Line/")),
        limit,
        deadline: Duration::from_secs(seconds),
    };
    let all = runtime.block_on(scene.explorer.search(search("SPEED", 50, 60))).expect("a search");
    let found: Vec<&str> = all.found.iter().map(|found| found.node.node.as_str()).collect();
    assert_eq!(found, [node("Filler.Speed")]);
    assert_eq!(all.found[0].path, ["Filler", "Speed"]);
    assert!(all.complete && all.more.is_none() && all.visited > FLAT, "{} {:?}", all.visited, all.more);

    let mut page = runtime.block_on(scene.explorer.search(search("flat.v", 2_000, 60))).expect("a search");
    let mut found = page.found.len();
    while let Some(more) = page.more {
        assert!(!page.complete);
        page = runtime.block_on(scene.explorer.search_on(more)).expect("more");
        found += page.found.len();
    }
    assert_eq!((found, page.complete), (FLAT, true));

    let hurried = runtime.block_on(scene.explorer.search(search("v4999", 10, 0))).expect("a search");
    assert!(!hurried.complete && hurried.more.is_some(), "no time, no claim");
}

#[test]
fn the_variables_of_a_branch_are_listed_within_a_limit() {
    let scene = Scene::new(|_| {});
    let branch = |of: &str, limit| scene.ground.runtime.block_on(scene.explorer.subtree(&node(of), limit)).expect(of);
    let filler = branch("Filler/", 100);
    let names: BTreeSet<String> = filler.variables.iter().map(|found| found.path.join(".")).collect();
    let expected = ["Good", "Mode", "Reject", "Speed", "State"].map(String::from);
    assert_eq!((names, filler.complete), (BTreeSet::from(expected), true));
    let flat = branch("Flat/", 100);
    assert_eq!((flat.variables.len(), flat.complete), (100, false));
}

fn tag<'p>(proposal: &'p Proposal, name: &str) -> &'p ProposedTag {
    let names: Vec<&str> = proposal.tags.iter().map(|tag| tag.name.as_str()).collect();
    proposal.tags.iter().find(|tag| tag.name == name).unwrap_or_else(|| panic!("{name} is not in {names:?}"))
}

#[test]
fn a_machine_is_proposed_with_its_tags_and_nothing_is_invented() {
    let scene = Scene::new(tight);
    let proposal = scene.propose(&["Filler/"]);
    assert!(proposal.complete && proposal.tags.len() == 5, "{proposal:#?}");
    let speed = tag(&proposal, "Filler.Speed");
    assert_eq!((speed.unit.as_str(), speed.range), ("1/min", Some((0.0, 720.0))));
    assert_eq!(speed.scale.map(|scale| scale.gain), Some(60.0));
    assert_eq!(speed.node, node("Filler.Speed"));
    assert_eq!(tag(&proposal, "Filler.State").texts[&6], "Execute");

    let [filler] = proposal.units.as_slice() else { panic!("one machine: {:#?}", proposal.units) };
    assert_eq!((filler.name.as_str(), filler.basis), ("Filler", Basis::Guess));
    let state = filler.state.as_ref().expect("a state");
    assert_eq!((state.tag.as_str(), state.numbers[&6], state.numbers.len()), ("Filler.State", PackState::Execute, 6));
    let mode = filler.mode.as_ref().expect("a mode");
    assert_eq!(mode.numbers.iter().collect::<Vec<_>>(), [(&1, &Mode::Produce), (&9, &Mode::Changeover)]);
    assert_eq!(filler.good.as_ref().map(|good| good.rollover), Some(Some(1 << 32)));
    assert_eq!(filler.reject.as_ref().map(|reject| reject.rollover), Some(None), "signed says nothing");
    assert_eq!(filler.ideal_rate_per_min, None, "the server does not say it");
}

#[test]
fn single_values_get_names_units_and_texts() {
    let scene = Scene::new(|_| {});
    let proposal = scene.propose(&["Other.Level", "Other.Door", "Other.Colour", "Other.List", "Other.Level"]);
    assert_eq!((proposal.tags.len(), proposal.units.len()), (4, 0));
    let level = tag(&proposal, "Other.Level");
    assert_eq!((level.unit.as_str(), level.range, level.scale), ("°C", Some((0.0, 100.0)), None));
    assert_eq!(level.description, "About Level");
    assert!(level.why.contains("AnalogItemType") && level.why.contains("OPC 10000-8"), "{}", level.why);
    assert_eq!(tag(&proposal, "Other.Door").texts[&1], "Open");
    assert_eq!(tag(&proposal, "Other.Colour").texts[&5], "Blue");
    assert!(tag(&proposal, "Other.List").why.contains("not computed with"));
}

#[test]
fn what_is_configured_already_is_not_proposed_again() {
    let mut scene = Scene::new(|_| {});
    let mut known = plant(&scene.peer.endpoint(), Security::None, [node("Filler.State"), node("Filler.Good")]);
    known.tags[0].name = "Old.State".into();
    // Another node has the name that would be proposed.
    known.tags[1].name = "Filler.Speed".into();
    scene.config = known;
    let proposal = scene.propose(&["Filler/"]);
    assert_eq!(proposal.tags.len(), 3);
    assert!(proposal.skipped.iter().any(|skipped| skipped.why.contains("Old.State")), "{:?}", proposal.skipped);
    assert_eq!(proposal.units[0].speed.as_ref().map(|speed| speed.tag.as_str()), Some("Filler.Speed_2"));
    assert_eq!(proposal.units[0].state.as_ref().map(|state| state.tag.as_str()), Some("Old.State"));
}

#[test]
fn nodes_are_found_again_after_the_namespaces_changed_their_order() {
    let Scene { ground, peer, explorer, .. } = Scene::new(|_| {});
    let runtime = &ground.runtime;
    let wanted = [node("Filler.State")];
    let value = || runtime.block_on(explorer.preview(&wanted)).map(|readings| readings[0].value.clone());
    assert_eq!(value().as_deref(), Ok("6 (Execute)"));
    let list = runtime.block_on(explorer.children(Some(&node("Flat/")), None)).expect("a first page");
    let port = peer.port;
    peer.stop(runtime);
    let unreachable = value().expect_err("the server is down");
    assert!(unreachable.detail.contains("Start the server"), "{unreachable}");

    let setup = Setup { port, first_namespace: Some("urn:lineside:test-peer:before"), ..Setup::default() };
    let peer = Peer::start(runtime, &ground.theirs(), &setup, &[]);
    peer.build(world);
    assert_eq!(value().as_deref(), Ok("6 (Execute)"), "by its namespace URI");
    let stale = runtime.block_on(explorer.children(None, list.more)).expect_err("indexes mean other nodes now");
    assert!(stale.detail.contains("restarted"), "{stale}");
    let details = runtime.block_on(explorer.details(&wanted[0])).expect("its details");
    assert_eq!(details.node.node, wanted[0]);
}

#[test]
fn a_closed_explorer_opens_again_and_leaves_nothing_at_the_server() {
    let scene = Scene::new(|_| {});
    scene.ground.runtime.block_on(scene.explorer.close());
    wait_until("no session", || scene.peer.sessions() == 0);
    let (top, _) = scene.children(Some(&NodeId::from(ObjectId::ObjectsFolder).to_string()));
    assert!(!top.is_empty(), "a call after closing opens a session again");
    assert_eq!((scene.peer.sessions(), scene.peer.subscriptions()), (1, 0));
    let Scene { ground, peer, explorer, .. } = scene;
    let _inside = ground.runtime.enter();
    drop(explorer);
    wait_until("no session after a drop", || peer.sessions() == 0);
}

#[test]
fn a_lost_connection_is_opened_again_by_the_next_call() {
    let Scene { ground, peer, explorer, .. } = Scene::new(|_| {});
    let runtime = &ground.runtime;
    let proxy = Proxy::start(runtime, peer.port);
    drop(explorer);
    let config = plant(&format!("opc.tcp://127.0.0.1:{}/", proxy.port()), Security::None, []);
    let explorer = runtime
        .block_on(Explorer::open(&Settings::new(ground.ours()), &config.connections[0]))
        .expect("through the proxy");
    let wanted = [node("Filler.State")];
    let value = || runtime.block_on(explorer.preview(&wanted)).map(|readings| readings[0].value.clone());
    assert_eq!(value().as_deref(), Ok("6 (Execute)"));
    proxy.set(Cable::Cut);
    let cut = value().expect_err("the cable is cut");
    assert!(!cut.detail.is_empty() && cut.status.is_bad(), "{cut:?}");
    proxy.set(Cable::Whole);
    assert_eq!(value().as_deref(), Ok("6 (Execute)"), "without anybody's help");
}
