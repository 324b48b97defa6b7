//! The contract with screens, byte by byte: what `docs/FRAME.md` promises, and what a cursor means.

use lineside_api::Api;
use lineside_api::wire::{ErrorCode, FrameRequest, FrameTail, LinkStateView, NoticeKind, Trust};
use lineside_model::{
    ConnectionId, Input, LinkState, Sample, Span, StatusCode, SubscriptionState, TagId, Timestamp, Value,
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
        };
        let live = Live::start(Arc::new(world::plant()), options, Arc::clone(&clock) as _);
        let api = Api::live(live.core(), EPOCH, "plant.toml".to_owned(), Vec::new());
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
