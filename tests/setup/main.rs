//! Setup from nothing, as a person goes through it: a program without a plant file, a server that nobody trusts yet.
//! Real server, real sessions, real files; the commands go through the api as a screen sends them.

use lineside_api::Api;
use lineside_api::wire::*;
use lineside_host::{Args, Host};
use lineside_plant::{PlantServer, Scenario, ServerOptions, UserPassword};
use lineside_recording::ShiftFile;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse";

/// A plant with its server, and a Lineside that knows nothing of it.
struct Ground {
    runtime: Runtime,
    home: TempDir,
    plant: PlantServer,
    host: Host,
    api: Arc<Api>,
}

impl Ground {
    fn new() -> Ground {
        let runtime = Runtime::new().expect("a runtime");
        let home = tempfile::tempdir().expect("a folder");
        let scenario = Scenario::embedded("steady").expect("comes with the program");
        let users = vec![UserPassword { name: "operator".into(), password: PASSWORD.into() }];
        let options = ServerOptions {
            tags: 300,
            trust_clients: true,
            users,
            ..ServerOptions::new(scenario, home.path().join("plant"))
        };
        let plant = runtime.block_on(PlantServer::start(options)).expect("a plant");
        let args = Args { data: Some(home.path().join("data")), ..Args::default() };
        let host = Host::start(&args, runtime.handle());
        Ground { api: host.api(), runtime, home, plant, host }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("data/plant.toml")
    }

    fn asks(&self, command: &str, request: Json) -> Result<Json, ApiError> {
        self.api.call(command, request)
    }

    fn gets<T: DeserializeOwned>(&self, command: &str, request: Json) -> T {
        let answer = self.asks(command, request).unwrap_or_else(|error| panic!("{command}: {error:?}"));
        serde_json::from_value(answer).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn hello(&self) -> Hello {
        self.gets("hello", Json::Null)
    }

    fn discovers(&self) -> Discovery {
        self.gets("discover", json!({ "address": self.plant.endpoint().trim_start_matches("opc.tcp://") }))
    }

    /// Trusts the server, as a person who compared the thumbprint.
    fn trusts(&self) -> CertificateView {
        let certificate = self.discovers().servers.remove(0).certificate.expect("a secured server");
        let request = json!({ "thumbprint": certificate.thumbprint, "decision": "trust" });
        let _: CertificatesView = self.gets("trust", request);
        certificate
    }

    fn draft(&self, name: &str) -> Json {
        json!({
            "name": name, "endpoint": self.plant.endpoint(), "security": "best",
            "user": { "kind": "anonymous", "name": "", "password": null, "certificate": "", "key": "" },
        })
    }

    fn named_draft(&self, name: &str, password: Option<&str>) -> Json {
        let mut draft = self.draft(name);
        draft["user"]["kind"] = "name".into();
        draft["user"]["name"] = "operator".into();
        draft["user"]["password"] = password.into();
        draft
    }

    fn explores(&self, draft: &Json) -> u32 {
        let explored: Explored = self.gets("explore", json!({ "connection": null, "draft": draft }));
        assert!(explored.security.ends_with("/SignAndEncrypt"), "{}", explored.security);
        assert!(explored.namespaces.iter().any(|uri| uri == lineside_plant::NAMESPACE), "{:?}", explored.namespaces);
        explored.session
    }

    /// Asks until the link of the first connection is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&ConnectionView) -> bool) -> ConnectionView {
        let deadline = Instant::now() + PATIENCE;
        let mut cursor = 0.0;
        loop {
            let view: ConnectionsView = self.gets("connections", json!({ "epoch": self.hello().epoch }));
            let first = view.connections.into_iter().next().expect("a connection");
            if wanted(&first) {
                return first;
            }
            assert!(Instant::now() < deadline, "{what}: {:?}", first.link);
            // A frame is held until there is news.
            let frame = FrameRequest { epoch: self.hello().epoch, cursor, watch: Vec::new(), fresh: false };
            let bytes = self.api.frame(&frame).expect("the epoch is right");
            cursor = f64::from_le_bytes(bytes[32..40].try_into().expect("eight bytes"));
        }
    }

    fn ends(self) {
        self.runtime.block_on(self.host.stop());
        self.runtime.block_on(self.plant.stop());
    }
}

fn is_up(connection: &ConnectionView) -> bool {
    connection.link.state == LinkStateView::Up && connection.link.subscription == SubscriptionStateView::Live
}

#[test]
fn from_nothing_to_live_values() {
    let ground = Ground::new();
    let before = ground.hello();
    assert_eq!((before.epoch, &before.plant, before.problems.len()), (0, &None, 0));

    let found = ground.discovers();
    let server = &found.servers[0];
    assert!(server.simulated && found.problems.is_empty(), "{found:?}");
    assert_eq!(server.endpoints.iter().filter(|endpoint| endpoint.recommended).count(), 1);
    assert_eq!(server.endpoints[0].grade, EndpointGrade::Strong);
    let certificate = server.certificate.as_ref().expect("a secured server");
    assert_eq!(certificate.place, CertificatePlace::Rejected);
    assert!(certificate.findings.iter().any(|finding| finding.blocks && finding.side == FindingSide::Server));

    let draft = ground.draft("line");
    let untrusted = ground.asks("explore", json!({ "connection": null, "draft": draft })).expect_err("not trusted");
    assert_eq!(untrusted.code, ErrorCode::Refused);
    assert!(untrusted.message.contains("not trusted"), "{}", untrusted.message);
    ground.trusts();
    assert_eq!(ground.discovers().servers[0].certificate.as_ref().map(|c| &c.place), Some(&CertificatePlace::Trusted));

    let session = ground.explores(&draft);
    let page: BrowsePage = ground.gets("browse", json!({ "session": session, "node": null, "more": null }));
    assert!(page.nodes.iter().any(|node| node.class == NodeClassView::Object && node.children), "{page:?}");
    let search = json!({ "session": session, "text": "Filler.Speed", "under": null, "more": null });
    let found: SearchPage = ground.gets("search", search);
    let speed = found.found.first().expect("the filler has a speed").node.clone();
    let details: NodeDetails = ground.gets("node", json!({ "session": session, "node": speed }));
    assert!(details.attributes.iter().any(|attribute| attribute.name == "DataType"));
    let preview: Preview = ground.gets("preview", json!({ "session": session, "nodes": [speed, "nsu=urn:none;s=x"] }));
    assert_eq!(preview.values.len(), 2);
    assert!(preview.values[0].status == 0 && preview.values[1].status != 0, "{preview:?}");

    let proposal: Proposal = ground.gets("propose", json!({ "session": session, "nodes": ["i=85"] }));
    assert!(
        proposal.tags.len() >= 300 && proposal.units.len() >= 5,
        "{} {}",
        proposal.tags.len(),
        proposal.units.len()
    );
    let apply = |dry_run| json!({ "draft": draft, "connection": null, "units": proposal.units, "tags": proposal.tags, "dryRun": dry_run });
    let dry: Applied = ground.gets("apply", apply(true));
    assert!(dry.problems.is_empty() && !dry.added.is_empty() && !ground.file().exists(), "{:?}", dry.problems);
    let done: Applied = ground.gets("apply", apply(false));
    assert_eq!((&done.added, done.path), (&dry.added, ground.file().display().to_string()));

    let after = ground.hello();
    let plant = after.plant.expect("the plant is in force");
    assert!(after.epoch > 0 && after.problems.is_empty(), "{:?}", after.problems);
    assert_eq!((plant.tag_count as usize, plant.units.len()), (proposal.tags.len(), proposal.units.len()));
    let live = ground.until("live", is_up);
    assert!(live.link.simulated);

    // The session of the explorer is still there, and knows what was written.
    let again: SearchPage =
        ground.gets("search", json!({ "session": session, "text": "Filler.Speed", "under": null, "more": null }));
    assert!(again.found[0].tag.is_some());
    let twice: Applied = ground
        .gets("apply", json!({ "draft": null, "connection": 0, "units": [], "tags": proposal.tags, "dryRun": false }));
    assert!(twice.added.is_empty() && twice.problems[0].problem.contains("already"), "{:?}", twice.problems.first());
    let _: () = ground.gets("close_exploration", json!({ "session": session }));
    let closed = ground.asks("preview", json!({ "session": session, "nodes": [] })).expect_err("closed");
    assert_eq!(closed.code, ErrorCode::Refused);
    ground.ends();
}

#[test]
fn trust_comes_into_force_at_once_and_goes_at_once() {
    let ground = Ground::new();
    let text = format!(
        "{}\n[[connection]]\nname = \"line\"\nendpoint = \"{}\"\n\n[[tag]]\nname = \"T\"\nnode = \"nsu={};s=Filler.Speed\"\n",
        lineside_config::edit::fresh(&lineside_config::edit::NewPlant::default()),
        ground.plant.endpoint(),
        lineside_plant::NAMESPACE,
    );
    // Not read yet: this program began without a file, so what is written now is taken as it is found.
    std::fs::create_dir_all(ground.home.path().join("data")).expect("a folder");
    std::fs::write(ground.file(), text).expect("a file");
    let tag = json!({
        "name": "U", "node": format!("nsu={};s=Filler.State", lineside_plant::NAMESPACE), "description": "", "unit": "",
        "range": null, "texts": [], "dataType": "", "recognised": null, "why": "", "guess": false, "known": false,
    });
    let nobody =
        ground.asks("apply", json!({ "draft": null, "connection": 0, "units": [], "tags": [tag], "dryRun": false }));
    assert_eq!(nobody.expect_err("no connection is in force").code, ErrorCode::BadRequest);
    let other: Applied = ground.gets(
        "apply",
        json!({ "draft": ground.draft("other"), "connection": null, "units": [], "tags": [tag], "dryRun": false }),
    );
    assert!(other.problems.is_empty(), "{:?}", other.problems);
    let first = ground.hello().epoch;

    let down = ground.until("down", |view| view.link.state == LinkStateView::Down && view.link.status != 0);
    assert!(down.link.detail.contains("not trusted"), "{}", down.link.detail);
    let certificate = ground.trusts();
    ground.until("up after trust", is_up);
    let request = json!({ "thumbprint": certificate.thumbprint, "decision": "reject" });
    let view: CertificatesView = ground.gets("trust", request);
    assert!(view.trusted.is_empty() && view.rejected.len() == 1, "{view:?}");
    ground.until("down after trust was withdrawn", |view| {
        view.link.state == LinkStateView::Down && view.link.status != 0
    });
    assert_eq!(ground.hello().epoch, first, "trust is no other configuration");
    ground.ends();
}

#[test]
fn a_password_goes_into_its_own_file_and_nowhere_else() {
    let ground = Ground::new();
    ground.trusts();
    let wrong = ground.named_draft("line", Some("wrong"));
    let refused = ground.asks("explore", json!({ "connection": null, "draft": wrong })).expect_err("wrong password");
    assert_eq!(refused.code, ErrorCode::Refused);
    ground.explores(&ground.named_draft("line", Some(PASSWORD)));
    let draft = ground.named_draft("line", None);
    ground.explores(&draft);
    let tag = json!({
        "name": "T", "node": format!("nsu={};s=Filler.Speed", lineside_plant::NAMESPACE), "description": "", "unit": "",
        "range": null, "texts": [], "dataType": "", "recognised": null, "why": "", "guess": false, "known": false,
    });
    let applied = ground
        .asks("apply", json!({ "draft": draft, "connection": null, "units": [], "tags": [tag], "dryRun": false }));
    let applied = applied.expect("applied").to_string();
    let text = std::fs::read_to_string(ground.file()).expect("written");
    assert!(text.contains("user = \"operator\"") && !text.contains(PASSWORD) && !applied.contains(PASSWORD), "{text}");
    ground.until("up", is_up);
    ground.ends();
}

/// What is recorded belongs to one configuration: the file of the one before is closed, that of the new one is open.
#[test]
fn each_configuration_has_a_recording_of_its_own() {
    let ground = Ground::new();
    let mut texts = Vec::new();
    for name in ["one", "two", "three"] {
        let request =
            json!({ "draft": ground.draft(name), "connection": null, "units": [], "tags": [], "dryRun": false });
        let applied: Applied = ground.gets("apply", request);
        assert!(applied.problems.is_empty(), "{:?}", applied.problems);
        texts.push(std::fs::read_to_string(ground.file()).expect("written"));
        assert_eq!(ground.hello().plant.expect("in force").connections.len(), texts.len());
    }
    let shifts = ground.home.path().join("data/shifts");
    ground.runtime.block_on(ground.host.stop());
    let files = || std::fs::read_dir(&shifts).expect("recorded").map(|entry| entry.expect("readable").path());
    let left: Vec<PathBuf> = files().filter(|file| file.extension().is_none_or(|end| end != "shift")).collect();
    assert!(left.is_empty(), "all are closed: {left:?}");
    let open = |file: PathBuf| ShiftFile::open(&file).expect("opens on read-only media").header().config_text.clone();
    let mut recorded: Vec<String> = files().map(open).collect();
    recorded.sort_by_key(String::len);
    assert_eq!(recorded, texts);
    ground.runtime.block_on(ground.plant.stop());
}

#[test]
fn sessions_for_looking_are_few() {
    let ground = Ground::new();
    ground.trusts();
    let draft = ground.draft("line");
    let sessions: Vec<u32> = (0..5).map(|_| ground.explores(&draft)).collect();
    let preview = |session: u32| ground.asks("preview", json!({ "session": session, "nodes": ["i=2256"] }));
    assert_eq!(preview(sessions[0]).expect_err("made room for the fifth").code, ErrorCode::Refused);
    sessions[1..].iter().for_each(|session| assert!(preview(*session).is_ok(), "{session}"));
    ground.ends();
}

#[test]
fn a_file_that_was_changed_meanwhile_is_left_alone() {
    let ground = Ground::new();
    let add = |name: &str| -> Applied {
        ground.gets(
            "apply",
            json!({ "draft": ground.draft(name), "connection": null, "units": [], "tags": [], "dryRun": false }),
        )
    };
    assert!(add("one").problems.is_empty());
    let epoch = ground.hello().epoch;
    let text = format!("{}# saved by a person\n", std::fs::read_to_string(ground.file()).expect("written"));
    std::fs::write(ground.file(), &text).expect("a file");
    let refused = add("two");
    assert!(refused.problems[0].problem.contains("changed"), "{:?}", refused.problems);
    assert_eq!(std::fs::read_to_string(ground.file()).expect("still there"), text);
    assert_eq!(ground.hello().epoch, epoch);
    ground.ends();
}
