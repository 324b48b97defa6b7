//! The contract with screens, byte by byte: what `docs/FRAME.md` promises, and what a cursor means.

use futures::{SinkExt, StreamExt};
use lineside_api::wire::*;
use lineside_api::{Api, Scene, Setup, Stage};
use lineside_model::report::{Fill, FillResult, FilledValue, LinkReport, NodeMeta};
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, Sample, Span, StatusCode, SubscriptionState, TagId,
    Timestamp, Value,
};
use lineside_runtime::{Live, Options, SimClock};
use lineside_tests::world;
use std::sync::Arc;

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const EPOCH: u32 = 7;
/// "B.Temperature" and "A.Speed" in `tests/src/plant.toml`.
const TEMPERATURE: TagId = TagId(8);
const SPEED: TagId = TagId(2);

struct Screen {
    live: Live,
    clock: Arc<SimClock>,
    api: Api,
    cursor: f64,
}

/// One decoded frame.
struct Frame {
    at: f64,
    tags: Vec<u32>,
    values: Vec<f64>,
    sources: Vec<f64>,
    status: Vec<u32>,
    trust: Vec<u32>,
    tail: FrameTail,
}

impl Screen {
    fn new() -> Screen {
        let clock = Arc::new(SimClock::new(START));
        let options = Options {
            dir: None,
            writer: "tests".to_owned(),
            config_text: world::PLANT.to_owned(),
            config_path: "plant.toml".to_owned(),
            digest_every: Span::from_secs(10),
            keyframe_every: Span::from_secs(600),
            keyframe_inputs: 1_000_000,
        };
        let live = Live::start(Arc::new(world::plant()), options, Arc::clone(&clock) as _);
        let stage = Stage::new(Scene::live(live.core(), EPOCH, "plant.toml".to_owned(), Vec::new()));
        let api = Api::new(stage, None);
        Screen { live, clock, api, cursor: 0.0 }
    }

    fn arrives(&mut self, inputs: Vec<Input>) {
        self.clock.advance(Span::from_millis(100));
        self.live.take(inputs);
    }

    fn connects(&mut self) {
        for connection in [ConnectionId(0), ConnectionId(1)] {
            let up = Input::Link { connection, state: LinkState::Up, status: StatusCode::GOOD, detail: "".into() };
            self.arrives(vec![up, Input::Subscription { connection, state: SubscriptionState::Live }]);
        }
    }

    fn pulls(&mut self, watch: &[TagId], fresh: bool) -> Frame {
        let watch = watch.iter().map(|tag| tag.0).collect();
        let request = FrameRequest { epoch: EPOCH, cursor: self.cursor, watch, fresh };
        let bytes = self.api.frame(&request).expect("the epoch is right");
        let (frame, cursor) = decode(&bytes);
        self.cursor = cursor;
        frame
    }
}

fn decode(bytes: &[u8]) -> (Frame, f64) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let number = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    assert_eq!(word(0), 0x3146_534C, "LSF1");
    assert_eq!(word(8), EPOCH);
    let n = word(12) as usize;
    let tail = word(16) as usize;
    let words = (n * 4).next_multiple_of(8);
    let numbers = |column: usize| (0..n).map(|i| number(40 + column * n * 8 + i * 8)).collect::<Vec<_>>();
    let column = |column: usize| (0..n).map(|i| word(40 + 4 * n * 8 + column * words + i * 4)).collect::<Vec<_>>();
    assert_eq!(bytes.len(), 40 + 4 * n * 8 + 4 * words + tail, "nothing is left over");
    let frame = Frame {
        at: number(24),
        tags: column(0),
        values: numbers(0),
        sources: numbers(1),
        status: column(1),
        trust: column(2).into_iter().map(|flags| flags >> 4 & 15).collect(),
        tail: serde_json::from_slice(&bytes[bytes.len() - tail..]).expect("the tail is a FrameTail"),
    };
    (frame, number(32))
}

fn sample(tag: TagId, value: f64, time: Timestamp) -> Input {
    Input::Sample(Sample {
        tag,
        value: Value::Float(value),
        status: StatusCode::GOOD,
        source_time: Some(time),
        server_time: Some(time),
    })
}

#[test]
fn a_value_arrives_with_its_times_and_its_trust() {
    let mut screen = Screen::new();
    screen.connects();
    screen.arrives(vec![sample(TEMPERATURE, 21.5, START), sample(SPEED, 590.0, START)]);
    let frame = screen.pulls(&[TEMPERATURE, SPEED], true);
    assert_eq!(frame.tags, [TEMPERATURE.0, SPEED.0]);
    assert_eq!(frame.values, [21.5, 590.0]);
    assert_eq!(frame.sources, [START.as_millis_f64(); 2]);
    assert_eq!(frame.status, [0, 0]);
    assert_eq!(frame.trust, [0, 0], "live");
    assert_eq!(frame.at, (START + Span::from_millis(300)).as_millis_f64(), "now is in the frame");
    let unit = &frame.tail.units.expect("units changed")[0];
    assert_eq!((unit.rate, &unit.rate_trust), (Some(590.0), &Trust::Live));
}

#[test]
fn a_frame_holds_only_what_changed_after_the_cursor() {
    let mut screen = Screen::new();
    screen.connects();
    screen.arrives(vec![sample(TEMPERATURE, 21.5, START), sample(SPEED, 590.0, START)]);
    assert_eq!(screen.pulls(&[TEMPERATURE, SPEED], true).tags.len(), 2);
    let quiet = screen.pulls(&[TEMPERATURE, SPEED], false);
    assert_eq!((quiet.tags.len(), quiet.tail.units, quiet.tail.notices.len()), (0, None, 0));
    screen.arrives(vec![sample(TEMPERATURE, 22.0, START + Span::from_secs(1))]);
    assert_eq!(screen.pulls(&[TEMPERATURE, SPEED], false).tags, [TEMPERATURE.0]);
    assert_eq!(screen.pulls(&[TEMPERATURE, SPEED], true).tags.len(), 2, "what became visible is sent whole");
}

#[test]
fn a_cut_link_takes_the_trust_from_every_value_of_it_at_once() {
    let mut screen = Screen::new();
    screen.connects();
    screen.arrives(vec![sample(TEMPERATURE, 21.5, START), sample(SPEED, 590.0, START)]);
    screen.pulls(&[TEMPERATURE, SPEED], true);
    let status = StatusCode(0x8005_0000);
    screen.arrives(vec![Input::Link {
        connection: ConnectionId(0),
        state: LinkState::Down,
        status,
        detail: "cable".into(),
    }]);
    let frame = screen.pulls(&[TEMPERATURE, SPEED], false);
    assert_eq!((frame.tags, frame.trust), (vec![SPEED.0], vec![4]), "link down; the other server is untouched");
    assert_eq!(frame.values, [590.0], "the last value is kept");
    let links = frame.tail.links.expect("links changed");
    assert_eq!((&links[0].state, links[0].status), (&LinkStateView::Down, status.0));
    assert_eq!(frame.tail.notices.last().map(|notice| &notice.kind), Some(&NoticeKind::LinkDown));
}

#[test]
fn good_text_for_a_speed_is_not_believed_as_a_speed() {
    let mut screen = Screen::new();
    screen.connects();
    let Input::Sample(number) = sample(SPEED, 1.0, START) else { unreachable!("a sample") };
    screen.arrives(vec![Input::Sample(Sample { value: Value::Text("fast".into()), ..number })]);
    let unit = &screen.pulls(&[], true).tail.units.expect("units changed")[0];
    assert_eq!((unit.rate, &unit.rate_trust), (None, &Trust::Unusable));
}

#[test]
fn requests_that_make_no_sense_are_refused_in_words() {
    let mut screen = Screen::new();
    let request = FrameRequest { epoch: EPOCH + 1, cursor: 0.0, watch: Vec::new(), fresh: true };
    assert_eq!(screen.api.frame(&request).expect_err("another epoch").code, ErrorCode::Stale);
    let unknown = screen.api.call("write", serde_json::Value::Null).expect_err("no such command");
    assert_eq!(unknown.code, ErrorCode::BadRequest);
    let odd = screen.api.call("tags", serde_json::json!({ "offset": -1 })).expect_err("not a TagsRequest");
    assert_eq!(odd.code, ErrorCode::BadRequest);
    assert_eq!(screen.pulls(&[TagId(u32::MAX)], true).tags.len(), 0, "a tag that is not there");
}

fn ask<T: serde::de::DeserializeOwned>(screen: &Screen, command: &str, request: serde_json::Value) -> T {
    let answer = screen.api.call(command, request).unwrap_or_else(|error| panic!("{command}: {error:?}"));
    serde_json::from_value(answer).unwrap_or_else(|error| panic!("{command}: {error}"))
}

fn why(screen: &Screen, tag: TagId) -> Explanation {
    ask(screen, "explain", serde_json::json!({ "epoch": EPOCH, "tag": tag.0 }))
}

/// What a value is believed to be after these inputs, one case after the other on one plant.
#[test]
fn every_doubt_about_a_value_is_explained_by_its_facts() {
    let mut screen = Screen::new();
    let check = |screen: &mut Screen, inputs: Vec<Input>, trust: Trust| {
        screen.arrives(inputs);
        let told = why(screen, SPEED);
        assert_eq!(told.trust, trust);
        assert_eq!((told.tag, told.name.as_str()), (SPEED.0, "A.Speed"));
        assert_eq!(told.link.id, told.connection);
        told
    };
    let link = |state, status| Input::Link { connection: ConnectionId(0), state, status, detail: "words".into() };
    let flow = |state| Input::Subscription { connection: ConnectionId(0), state };
    let value = |status: u32| match sample(SPEED, 590.0, START) {
        Input::Sample(sample) => Input::Sample(Sample { status: StatusCode(status), ..sample }),
        other => other,
    };
    assert_eq!(check(&mut screen, Vec::new(), Trust::Waiting).received_ms, None);
    let up = vec![link(LinkState::Up, StatusCode::GOOD), flow(SubscriptionState::Live), value(0)];
    let live = check(&mut screen, up, Trust::Live);
    assert_eq!((live.source_ms, live.confirmed), (Some(START.as_millis_f64()), true));
    assert_eq!(live.connection_name, live.link.name);
    check(&mut screen, vec![value(0x4090_0000)], Trust::Uncertain);
    assert_eq!(check(&mut screen, vec![value(0x808C_0000)], Trust::Bad).status, 0x808C_0000);
    check(&mut screen, vec![value(0), flow(SubscriptionState::Late)], Trust::Silent);
    let frozen = check(&mut screen, vec![flow(SubscriptionState::Frozen)], Trust::Silent);
    assert_eq!(frozen.link.subscription, SubscriptionStateView::Frozen);
    let down = check(&mut screen, vec![link(LinkState::Down, StatusCode(0x8005_0000))], Trust::LinkDown);
    assert_eq!((down.link.state, down.link.status), (LinkStateView::Down, 0x8005_0000));
    let refused = vec![Input::Item { tag: SPEED, status: StatusCode(0x8034_0000) }];
    assert_eq!(check(&mut screen, refused, Trust::Refused).item_status, 0x8034_0000);
    let nobody =
        screen.api.call("explain", serde_json::json!({ "epoch": EPOCH, "tag": 9_999 })).expect_err("no such tag");
    assert_eq!(nobody.code, ErrorCode::BadRequest);
}

#[test]
fn a_value_past_its_age_is_explained_as_late() {
    let mut screen = Screen::new();
    screen.connects();
    let aged = world::plant().tags.iter().position(|tag| tag.max_age.is_some()).expect("a tag with an age");
    let tag = TagId(aged as u32);
    screen.arrives(vec![sample(tag, 1.0, START)]);
    let before = why(&screen, tag);
    assert_eq!(before.trust, Trust::Live);
    let age = before.max_age_ms.expect("it has one");
    screen.clock.advance(Span::from_millis(age as i64 + 1));
    screen.live.take(Vec::new());
    let late = why(&screen, tag);
    assert_eq!(late.trust, Trust::Late);
    assert!(late.at_ms - late.received_ms.expect("received") > age);
}

#[test]
fn connections_tell_facts_gaps_and_refusals_newest_first() {
    let mut screen = Screen::new();
    screen.connects();
    let first: ConnectionsView = ask(&screen, "connections", serde_json::json!({ "epoch": EPOCH }));
    assert_eq!(first.connections.len(), 2);
    assert_eq!((&first.connections[0].report, first.connections[0].gaps.len()), (&None, 0));

    let id = ConnectionId(0);
    let gap = |scope, from| Gap { scope, from, to: from + Span::from_secs(1), reason: GapReason::LinkDown, lost: None };
    let (old, new) = (gap(GapScope::Connection(id), START), gap(GapScope::Tag(SPEED), START + Span::from_secs(5)));
    let report = LinkReport { endpoint: "opc.tcp://b:4840/".into(), service_level: Some(255), ..Default::default() };
    let values = vec![FilledValue::default(); 3];
    let ended =
        FillResult { connection: id, from: old.from, to: old.to, tags: 2, tags_without: 1, ..Default::default() };
    screen.arrives(vec![
        Input::Gap(old),
        Input::Gap(new),
        Input::Report { connection: id, report: report.into() },
        Input::Item { tag: SPEED, status: StatusCode(0x8034_0000) },
        Input::Fill(Fill { tag: SPEED, from: old.from, to: old.to, values }.into()),
        Input::FillEnded(ended),
    ]);
    let view: ConnectionsView = ask(&screen, "connections", serde_json::json!({ "epoch": EPOCH }));
    let (one, other) = (&view.connections[0], &view.connections[1]);
    let report = one.report.as_ref().expect("told");
    assert_eq!((report.endpoint.as_str(), report.service_level), ("opc.tcp://b:4840/", Some(255)));
    assert_eq!(one.reported_ms, Some(view.at_ms));
    assert_eq!(one.gaps.iter().map(|gap| gap.tag_name.as_deref()).collect::<Vec<_>>(), [Some("A.Speed"), None]);
    assert_eq!((one.gaps[1].filled, one.gaps[1].tags_filled, one.gaps[1].tags_without), (3.0, 2, 1));
    assert_eq!(one.refused.iter().map(|item| (item.tag, item.status)).collect::<Vec<_>>(), [(SPEED.0, 0x8034_0000)]);
    assert_eq!((one.history[0].state.clone(), one.more_gaps, one.more_refused), (LinkStateView::Up, 0, 0));
    assert_eq!((other.report.is_none(), other.gaps.len(), other.refused.len()), (true, 0, 0));
}

#[test]
fn what_the_configuration_leaves_out_is_as_the_server_says() {
    let mut screen = Screen::new();
    let tags = |screen: &Screen| -> TagPage {
        ask(screen, "tags", serde_json::json!({ "epoch": EPOCH, "offset": 0, "limit": 100 }))
    };
    let config = world::plant();
    let meta = |unit: &str| NodeMeta { unit: unit.into(), range: Some((-5.0, 5.0)), ..NodeMeta::default() };
    let all = config.tag_ids().map(|tag| Input::Meta { tag, meta: meta("furlong").into() });
    let before = screen.pulls(&[], true).tail.meta;
    screen.arrives(all.collect());
    assert!(screen.pulls(&[], false).tail.meta > before, "screens learn that there is news");
    for (tag, shown) in config.tags.iter().zip(tags(&screen).tags) {
        let (unit, range) = match (tag.scale, tag.unit.as_str(), tag.range) {
            (Some(_), unit, range) => (unit, range),
            (None, "", range) => ("furlong", range.or(Some((-5.0, 5.0)))),
            (None, unit, range) => (unit, range.or(Some((-5.0, 5.0)))),
        };
        assert_eq!((shown.unit.as_str(), shown.range), (unit, range.map(<[f64; 2]>::from)), "{}", tag.name);
    }
    let configured =
        config.tags.iter().position(|tag| !tag.unit.is_empty() && tag.scale.is_none()).expect("one with a unit");
    assert_eq!(why(&screen, TagId(configured as u32)).server_unit.as_deref(), Some("furlong"));
}

/// Another configuration in force: what a screen knows is void, and it hears so at its next frame.
#[test]
fn a_new_scene_ends_the_epoch() {
    let Screen { live, api: _, .. } = Screen::new();
    let scene = |epoch| Scene::live(live.core(), epoch, "plant.toml".to_owned(), Vec::new());
    let stage = Stage::new(scene(EPOCH));
    let api = Api::new(Arc::clone(&stage), None);
    let frame = |epoch| api.frame(&FrameRequest { epoch, cursor: 0.0, watch: Vec::new(), fresh: true });
    assert!(frame(EPOCH).is_ok());
    stage.show(scene(EPOCH + 1));
    assert_eq!(frame(EPOCH).expect_err("over").code, ErrorCode::Stale);
    assert!(frame(EPOCH + 1).is_ok());
    stage.show(Scene::without_plant("plant.toml".to_owned(), Vec::new()));
    assert_eq!(frame(EPOCH + 1).expect_err("over").code, ErrorCode::Stale);
    let hello: Hello =
        serde_json::from_value(api.call("hello", serde_json::Value::Null).expect("hello")).expect("a Hello");
    assert_eq!((hello.epoch, hello.plant), (0, None));
    let refused = api.call("discover", serde_json::json!({ "address": "plc" })).expect_err("no setup here");
    assert_eq!(refused.code, ErrorCode::Refused);
}

/// A Setup whose server takes its time; everything but the slow question is not asked here.
struct Slow {
    asked: std::sync::mpsc::Sender<()>,
    go_on: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

macro_rules! not_asked {
    ($($name:ident($request:ty) -> $response:ty;)*) => {
        $(fn $name(&self, _: $request) -> Result<$response, ApiError> {
            Err(ApiError { code: ErrorCode::Internal, message: "not asked here".to_owned() })
        })*
    };
}

impl Setup for Slow {
    fn discover(&self, _: DiscoverRequest) -> Result<Discovery, ApiError> {
        self.asked.send(()).expect("the test listens");
        let go_on = self.go_on.lock().expect("nothing panics while it is held");
        go_on.recv_timeout(std::time::Duration::from_secs(30)).expect("the test lets it go on");
        Ok(Discovery { url: String::new(), servers: Vec::new(), problems: Vec::new() })
    }

    not_asked! {
        certificates(()) -> CertificatesView;
        trust(TrustRequest) -> CertificatesView;
        import_certificate(ImportRequest) -> CertificatesView;
        explore(ExploreRequest) -> Explored;
        close_exploration(SessionRequest) -> ();
        browse(BrowseRequest) -> BrowsePage;
        node(NodeRequest) -> NodeDetails;
        preview(PreviewRequest) -> Preview;
        search(SearchRequest) -> SearchPage;
        propose(ProposeRequest) -> Proposal;
        apply(ApplyRequest) -> Applied;
    }
}

/// A server that does not answer holds up the question that was put to it, and nothing else; too many such questions
/// are refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_command_holds_up_neither_frames_nor_others() {
    let Screen { live, .. } = Screen::new();
    let (asked, was_asked) = std::sync::mpsc::channel();
    let (go_on, waits) = std::sync::mpsc::channel();
    let stage = Stage::new(Scene::live(live.core(), EPOCH, "plant.toml".to_owned(), Vec::new()));
    let api = Api::new(stage, Some(Arc::new(Slow { asked, go_on: waits.into() })));
    let listening = lineside_server::listen(0).await.expect("a port");
    let url = listening.url().replace("http", "ws") + "ws";
    let serving = tokio::spawn(listening.serve(Arc::new(api), "no-ui".into(), std::future::pending()));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.expect("a socket");

    for id in 1..=9 {
        send(&mut socket, serde_json::json!({ "id": id, "name": "discover", "request": { "address": "plc" } })).await;
    }
    let surplus = answer(&mut socket).await;
    assert_eq!(surplus["error"]["code"], "refused", "eight are under way: {surplus}");
    send(&mut socket, serde_json::json!({ "id": 10, "name": "hello", "request": null })).await;
    assert_eq!(answer(&mut socket).await["id"], 10);
    let frame = FrameRequest { epoch: EPOCH, cursor: 0.0, watch: Vec::new(), fresh: true };
    send(&mut socket, serde_json::json!({ "id": 11, "name": "frame", "request": frame })).await;
    let binary = next(&mut socket).await.into_data();
    assert_eq!(binary[..4], 11u32.to_le_bytes());

    was_asked.recv().expect("the server was asked");
    for _ in 1..=8 {
        go_on.send(()).expect("it still waits");
    }
    for _ in 1..=8 {
        assert!(answer(&mut socket).await["ok"].is_object());
    }
    serving.abort();
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn send(socket: &mut Socket, message: serde_json::Value) {
    let text = tokio_tungstenite::tungstenite::Message::text(message.to_string());
    socket.send(text).await.expect("sent");
}

async fn next(socket: &mut Socket) -> tokio_tungstenite::tungstenite::Message {
    let message = tokio::time::timeout(std::time::Duration::from_secs(30), socket.next()).await;
    message.expect("an answer in time").expect("the socket is open").expect("a message")
}

async fn answer(socket: &mut Socket) -> serde_json::Value {
    serde_json::from_str(next(socket).await.to_text().expect("text")).expect("JSON")
}
