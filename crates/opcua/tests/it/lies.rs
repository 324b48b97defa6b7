//! Servers that answer wrongly: too much, too little, nonsense, without end. The adapter neither ends nor storms nor
//! grows, and once the answers are right again every value is live by itself, from one subscription.

use crate::collect::{Collected, plant};
use crate::liar::{Call, Liar, Lie};
use crate::peer::{Ground, Peer, Setup, node, wait_until};
use lineside_model::config::Security;
use lineside_model::{Input, LinkState, SubscriptionState, Timestamp, Value};
use lineside_opcua::wall_clock;
use opcua::core::{RequestMessage, ResponseMessage};
use opcua::types::{
    DataValue, DateTime, MonitoredItemCreateResult, NotificationMessage, PublishResponse, ReadResponse, StatusCode,
    TransferResult, TransferSubscriptionsResponse, Variant, WriteResponse,
};
use std::time::{Duration, Instant};

/// The last value of each tag.
const LAST: u32 = 1_000_006;
const TAGS: [&str; 3] = ["a", "b", "c"];
/// A lie is told so often within this, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// No lie is shorter: so long requests and inputs are counted.
const MEASURED: Duration = Duration::from_secs(2);
/// One adapter's requests of one second: to connect, to subscribe, to fetch what is missing.
const REQUESTS_MAX: usize = 250;
/// Inputs of one second, on average.
const INPUTS_MAX: usize = 400;

/// When the lie begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    Start,
    Live,
    /// With a lost channel, whose session goes on.
    Channel,
    /// With a lost session, whose subscription the server keeps to itself.
    Session,
}

struct Case {
    name: &'static str,
    begin: Begin,
    /// The lie ends when it was told so often.
    told: u32,
    lie: Lie,
}

fn case(name: &'static str, begin: Begin, told: u32, lie: Lie) -> Case {
    Case { name, begin, told, lie }
}

/// Runs the cases side by side.
fn check_all(cases: &[Case]) {
    let ground = Ground::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = cases.iter().map(|case| (case.name, scope.spawn(|| check(&ground, case)))).collect();
        let failed = running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name));
        assert_eq!(failed.collect::<Vec<_>>(), [""; 0]);
    });
}

/// A server, a liar before it, and an adapter.
struct Scene<'a> {
    case: &'a Case,
    peer: Peer,
    liar: Liar,
    collected: Collected,
    /// Values that were set: no later than the second time they were in the server's queues.
    set: Vec<(u32, Timestamp, Timestamp)>,
}

fn check(ground: &Ground, case: &Case) {
    let variables = TAGS.map(|tag| (tag.to_string(), Variant::from(0_u32)));
    let limits = |limits: &mut opcua::server::Limits| limits.subscriptions.max_monitored_item_queue_size = 10_000;
    let folder = case.name.replace(' ', "_");
    let theirs = ground.theirs().join(&folder);
    let peer = Peer::start(&ground.runtime, &theirs, &Setup { limits, ..Setup::default() }, &variables);
    let liar = Liar::start(&ground.runtime, peer.port);
    if case.begin == Begin::Start {
        liar.lie(case.lie);
    }
    let config = plant(&liar.endpoint(), Security::None, TAGS.map(node));
    let collected = Collected::start(&ground.runtime, config, &ground.ours().join(&folder));
    let mut scene = Scene { case, peer, liar, collected, set: Vec::new() };
    let kept = scene.begin();
    scene.during();
    scene.after(&kept);
    scene.all_is_told();
}

impl Scene<'_> {
    /// Begins the lie. Returns the subscriptions that the server will keep, though nobody can reach them.
    fn begin(&mut self) -> Vec<u32> {
        if self.case.begin == Begin::Start {
            return Vec::new();
        }
        self.arrives(0, 0);
        self.set(1);
        self.arrives(0, 1);
        let ids = self.peer.subscription_ids();
        self.liar.lie(self.case.lie);
        match self.case.begin {
            Begin::Channel => self.liar.cut(false),
            Begin::Session => {
                self.liar.cut(true);
                return ids;
            }
            Begin::Start | Begin::Live => {}
        }
        Vec::new()
    }

    /// Lets values change until the lie was told often enough; neither requests nor inputs storm meanwhile.
    fn during(&mut self) {
        let (began, inputs) = (Instant::now(), self.collected.inputs.len());
        while self.liar.told() < self.case.told || began.elapsed() < MEASURED {
            assert!(began.elapsed() < PATIENCE, "{}: told {} times only", self.case.name, self.liar.told());
            self.set(self.set.last().map_or(2, |(last, ..)| last + 1));
            self.collected.pump(Duration::from_millis(50));
        }
        let asked = self.liar.repent();
        let inputs = self.collected.inputs.len() - inputs;
        assert!(asked.busiest <= REQUESTS_MAX, "{}: {asked:?}", self.case.name);
        let most = INPUTS_MAX * (2 + began.elapsed().as_secs() as usize);
        assert!(inputs <= most, "{}: {inputs} inputs, at most {most}", self.case.name);
    }

    /// All is live again, once.
    fn after(&mut self, kept: &[u32]) {
        let from = self.collected.inputs.len();
        self.set(1_000_001);
        self.arrives(from, 1_000_001);
        let ours = || self.peer.subscription_ids().into_iter().filter(|id| !kept.contains(id)).count();
        wait_until(self.case.name, || (ours(), self.peer.items()) == (1, TAGS.len() * (1 + kept.len())));
        for last in 1_000_002..=LAST {
            self.set(last);
            self.arrives(from, last.into());
        }
        for tag in 0..TAGS.len() as u32 {
            // What came before may have been read once more.
            let value = Value::UInt(u64::from(LAST) - 1);
            let times = self.collected.samples().filter(|sample| sample.tag.0 == tag && sample.value == value).count();
            assert_eq!(times, 1, "{}: {value:?} of tag {tag}", self.case.name);
        }
        let live = self.collected.inputs.iter().rev().find_map(|input| match input {
            Input::Subscription { state, .. } => Some(*state),
            _ => None,
        });
        assert_eq!(live, Some(SubscriptionState::Live), "{}", self.case.name);
        let up = self.collected.inputs.iter().rev().find_map(|input| match input {
            Input::Link { state, .. } => Some(*state),
            _ => None,
        });
        assert_eq!(up, Some(LinkState::Up), "{}", self.case.name);
    }

    /// When the tags were refused: between the last value before that was told, and the first one after they were
    /// accepted.
    fn refused(&self) -> Option<(Timestamp, Timestamp)> {
        let inputs = &self.collected.inputs;
        let refused = inputs.iter().position(|input| matches!(input, Input::Item { status, .. } if status.is_bad()))?;
        let accepted =
            inputs.iter().rposition(|input| matches!(input, Input::Item { status, .. } if !status.is_bad()))?;
        let time = |input: &Input| match input {
            Input::Sample(sample) => sample.source_time,
            _ => None,
        };
        let before = inputs[..refused].iter().filter_map(time).max()?;
        // The last value from before may be told once more.
        let after = inputs.get(accepted..)?.iter().filter_map(time).find(|time| *time > before)?;
        Some((before, after))
    }

    /// Every value that was set since values came at all is there, or in a gap, or its tag was said to be refused.
    fn all_is_told(&self) {
        let first = self.collected.samples().filter_map(|sample| sample.source_time).min();
        let gaps = self.collected.gaps();
        let came = |value: u32| self.collected.samples().any(|sample| sample.value == Value::UInt(value.into()));
        let in_gap = |since, until| gaps.iter().any(|gap| gap.from <= until && since <= gap.to);
        let refused = self.refused();
        let is_refused = |time| refused.is_some_and(|(before, after)| before <= time && time <= after);
        let told =
            |(value, since, until)| Some(since) <= first || came(value) || in_gap(since, until) || is_refused(since);
        let untold: Vec<u32> = self.set.iter().filter(|set| !told(**set)).map(|(value, ..)| *value).collect();
        assert_eq!(untold, [0; 0], "{}: {:?} {gaps:?}", self.case.name, self.set);
    }

    fn set(&mut self, value: u32) {
        let since = wall_clock();
        let now = DataValue::new_now(value);
        self.peer.set(TAGS.map(|tag| (tag.to_string(), now.clone())));
        self.set.push((value, since, wall_clock()));
    }

    fn arrives(&mut self, from: usize, value: u64) {
        for tag in 0..TAGS.len() as u32 {
            self.collected.until_value(from, tag, &Value::UInt(value));
        }
    }
}

// What lies are made of.

/// An answer to the Publish request, of the subscription of the client.
fn published(call: &Call<'_>, message: NotificationMessage) -> Option<ResponseMessage> {
    let answer = PublishResponse {
        response_header: call.good(),
        subscription_id: call.subscription,
        notification_message: message,
        ..PublishResponse::default()
    };
    at_once(call).then(|| answer.into())
}

/// Is this a Publish request for which the server was not asked yet?
fn at_once(call: &Call<'_>) -> bool {
    call.answer.is_none() && matches!(call.request, RequestMessage::Publish(_))
}

/// The server's true answer to a Publish request with data, changed.
fn data(call: &Call<'_>, change: impl FnOnce(&mut PublishResponse)) -> Option<ResponseMessage> {
    match call.answer {
        Some(ResponseMessage::Publish(answer)) if answer.notification_message.notification_data.is_some() => {
            let mut answer = answer.clone();
            change(&mut answer);
            Some(ResponseMessage::Publish(answer))
        }
        _ => None,
    }
}

fn numbered(call: &Call<'_>, number: impl FnOnce(u32) -> u32) -> Option<ResponseMessage> {
    data(call, |answer| {
        let message = &mut answer.notification_message;
        message.sequence_number = number(message.sequence_number);
    })
}

fn status_change(call: &Call<'_>, status: StatusCode) -> Option<ResponseMessage> {
    let last = call.published.filter(|published| published.subscription_id == call.subscription);
    let number = last.map_or(1, |last| last.notification_message.sequence_number + 1);
    published(call, NotificationMessage::status_change(number, DateTime::now(), status))
}

fn publish_fails(call: &Call<'_>, status: StatusCode) -> Option<ResponseMessage> {
    at_once(call).then(|| call.fault(status))
}

fn items(call: &Call<'_>, change: impl FnOnce(&mut Option<Vec<MonitoredItemCreateResult>>)) -> Option<ResponseMessage> {
    let Some(ResponseMessage::CreateMonitoredItems(answer)) = call.answer else { return None };
    let mut answer = answer.clone();
    change(&mut answer.results);
    Some(ResponseMessage::CreateMonitoredItems(answer))
}

fn values(call: &Call<'_>, change: impl FnOnce(&mut Option<Vec<DataValue>>)) -> Option<ResponseMessage> {
    let Some(ResponseMessage::Read(answer)) = call.answer else { return None };
    let mut answer: Box<ReadResponse> = answer.clone();
    change(&mut answer.results);
    Some(ResponseMessage::Read(answer))
}

/// Changes the values of the nodes of namespace 0 that are `wanted`, where any is read.
fn facts(call: &Call<'_>, wanted: &[u32], lie: impl Fn(&DataValue) -> Variant) -> Option<ResponseMessage> {
    let RequestMessage::Read(read) = call.request else { return None };
    let nodes: Vec<bool> = read
        .nodes_to_read
        .iter()
        .flatten()
        .map(|node| wanted.iter().any(|id| node.node_id == opcua::types::NodeId::new(0, *id)))
        .collect();
    if !nodes.contains(&true) {
        return None;
    }
    values(call, |results| {
        for (value, _) in results.iter_mut().flatten().zip(nodes).filter(|(_, wanted)| *wanted) {
            *value = DataValue::new_now(lie(value));
        }
    })
}

/// OperationLimits, ServerCapabilities, and what else is declared as a number.
const LIMITS: &[u32] = &[
    11705, 11707, 11709, 11710, 11711, 11712, 11714, 12165, 12166, 24095, 24096, 24097, 24098, 24099, 24100, 24104,
    31916, 11702, 11703, 2735, 2737,
];

fn revised(call: &Call<'_>, interval: f64, keep_alive: u32, lifetime: u32) -> Option<ResponseMessage> {
    let Some(ResponseMessage::CreateSubscription(answer)) = call.answer else { return None };
    let mut answer = answer.clone();
    answer.revised_publishing_interval = interval;
    (answer.revised_max_keep_alive_count, answer.revised_lifetime_count) = (keep_alive, lifetime);
    Some(ResponseMessage::CreateSubscription(answer))
}

fn transferred(call: &Call<'_>, results: Option<Vec<TransferResult>>) -> Option<ResponseMessage> {
    let RequestMessage::TransferSubscriptions(_) = call.request else { return None };
    Some(TransferSubscriptionsResponse { response_header: call.good(), results, diagnostic_infos: None }.into())
}

fn transfer_fails(call: &Call<'_>, status: StatusCode) -> Option<ResponseMessage> {
    matches!(call.request, RequestMessage::TransferSubscriptions(_)).then(|| call.fault(status))
}

fn good(available: Option<Vec<u32>>) -> TransferResult {
    TransferResult { status_code: StatusCode::Good, available_sequence_numbers: available }
}

#[test]
fn wrong_numbers_of_results() {
    use Begin::{Live, Session, Start};
    check_all(&[
        case("items too few", Start, 3, |call| items(call, |results| drop(results.as_mut().map(Vec::pop)))),
        case("items too many", Start, 3, |call| {
            items(call, |results| results.get_or_insert_default().push(MonitoredItemCreateResult::default()))
        }),
        case("items null", Start, 3, |call| items(call, |results| *results = None)),
        case("values too few", Start, 3, |call| values(call, |results| drop(results.as_mut().map(Vec::pop)))),
        case("values too many", Start, 3, |call| {
            values(call, |results| results.get_or_insert_default().push(DataValue::default()))
        }),
        case("values null", Start, 3, |call| values(call, |results| *results = None)),
        case("single values null", Start, 3, |call| {
            values(call, |results| {
                if results.as_ref().is_some_and(|results| results.len() == 1) {
                    *results = None;
                }
            })
        }),
        case("values null beside", Live, 1, |call| values(call, |results| *results = None)),
        case("an answer to something else", Start, 3, |call| {
            matches!(call.request, RequestMessage::Read(_) | RequestMessage::CreateMonitoredItems(_))
                .then(|| WriteResponse { response_header: call.good(), ..WriteResponse::default() }.into())
        }),
        case("transfer null", Session, 1, |call| transferred(call, None)),
        case("transfer too few", Session, 1, |call| transferred(call, Some(vec![]))),
        case("transfer too many", Session, 1, |call| {
            transferred(call, Some(vec![good(None), good(Some(vec![0, 7, u32::MAX])), good(None)]))
        }),
        case("transfer with endless numbers", Session, 1, |call| {
            transferred(call, Some(vec![good(Some((0..1_000_000).collect()))]))
        }),
        case("transfer of nothing", Session, 1, |call| transfer_fails(call, StatusCode::BadNothingToDo)),
        case("transfer unsupported", Session, 1, |call| transfer_fails(call, StatusCode::BadServiceUnsupported)),
    ]);
}

#[test]
fn nonsense_is_published() {
    use Begin::{Channel, Live};
    check_all(&[
        case("strangers", Live, 300, |call| {
            let message = NotificationMessage::keep_alive(1, DateTime::now());
            let of = |answer| match answer {
                ResponseMessage::Publish(mut answer) => {
                    answer.subscription_id = 0x7000_0000 + call.nth;
                    ResponseMessage::Publish(answer)
                }
                other => other,
            };
            published(call, message).map(of)
        }),
        case("numbers far ahead", Live, 8, |call| numbered(call, |number| number.wrapping_add(1_000 * (call.nth + 1)))),
        case("numbers at the end", Live, 8, |call| numbered(call, |number| u32::MAX - 3 + number % 3)),
        case("numbers backwards", Live, 8, |call| numbered(call, |number| number.saturating_sub(call.nth + 2).max(1))),
        case("numbers skipped", Live, 8, |call| numbered(call, |number| number + 2 * (call.nth + 1))),
        case("numbers zero", Live, 8, |call| numbered(call, |_| 0)),
        case("one message repeated", Live, 300, |call| {
            let message = call.published?.notification_message.clone();
            published(call, message)
        }),
        case("a million numbers available", Live, 4, |call| {
            data(call, |answer| answer.available_sequence_numbers = Some((1..=1_000_000).collect()))
        }),
        case("empty answers without end", Live, 60, |call| {
            published(call, NotificationMessage::keep_alive(call.nth, DateTime::now()))
        }),
        case("empty answers without number and time", Live, 300, |call| {
            published(call, NotificationMessage::default())
        }),
        case("more to come", Live, 20, |call| data(call, |answer| answer.more_notifications = true)),
        case("no results", Live, 20, |call| data(call, |answer| answer.results = None)),
        case("repeats another one", Channel, 1, |call| {
            let RequestMessage::Republish(_) = call.request else { return None };
            let message = NotificationMessage::keep_alive(777, DateTime::now());
            let answer =
                opcua::types::RepublishResponse { response_header: call.good(), notification_message: message };
            Some(answer.into())
        }),
        case("repeats for ever", Channel, 2, |call| {
            let RequestMessage::Republish(request) = call.request else { return None };
            let message = NotificationMessage::keep_alive(request.retransmit_sequence_number, DateTime::now());
            let answer =
                opcua::types::RepublishResponse { response_header: call.good(), notification_message: message };
            Some(answer.into())
        }),
    ]);
}

#[test]
fn subscriptions_are_said_to_be_gone() {
    use Begin::{Channel, Live};
    check_all(&[
        case("timed out", Live, 5, |call| status_change(call, StatusCode::BadTimeout)),
        case("taken over", Live, 5, |call| status_change(call, StatusCode::GoodSubscriptionTransferred)),
        case("no subscription", Live, 5, |call| publish_fails(call, StatusCode::BadNoSubscription)),
        case("too many requests", Live, 30, |call| publish_fails(call, StatusCode::BadTooManyPublishRequests)),
        case("no session", Live, 5, |call| publish_fails(call, StatusCode::BadSessionIdInvalid)),
        case("internal error", Live, 50, |call| publish_fails(call, StatusCode::BadInternalError)),
        case("unknown to republish", Channel, 1, |call| {
            let of = matches!(call.request, RequestMessage::Republish(_));
            of.then(|| call.fault(StatusCode::BadSubscriptionIdInvalid))
        }),
    ]);
}

#[test]
fn absurd_promises() {
    use Begin::{Session, Start};
    check_all(&[
        case("limits zero", Start, 1, |call| facts(call, LIMITS, |_| 0_u32.into())),
        case("limits endless", Start, 1, |call| facts(call, LIMITS, |_| u32::MAX.into())),
        case("limits one", Start, 1, |call| facts(call, LIMITS, |_| 1_u32.into())),
        case("limits of another type", Start, 1, |call| facts(call, LIMITS, |_| f64::NAN.into())),
        case("limits negative", Start, 1, |call| facts(call, LIMITS, |_| (-1_i32).into())),
        case("limits as arrays", Start, 1, |call| facts(call, LIMITS, |_| vec![1_u32].into())),
        case("interval that is no number", Start, 1, |call| revised(call, f64::NAN, 0, 0)),
        case("interval negative", Start, 1, |call| revised(call, -5.0, 1, 1)),
        case("interval endless", Start, 1, |call| revised(call, f64::INFINITY, u32::MAX, u32::MAX)),
        case("interval of ages", Start, 1, |call| revised(call, 1e300, u32::MAX, 1)),
        case("interval of a moment", Start, 1, |call| revised(call, f64::MIN_POSITIVE, 0, 0)),
        case("no namespaces", Start, 2, |call| facts(call, &[2255], |_| Vec::<opcua::types::UAString>::new().into())),
        case("namespaces of another type", Start, 2, |call| facts(call, &[2255], |_| 7_u32.into())),
        case("other namespaces", Start, 1, |call| facts(call, &[2255], shifted)),
        case("other namespaces later", Session, 1, |call| facts(call, &[2255], shifted)),
        case("another start each time", Session, 1, |call| {
            facts(call, &[2257], |_| DateTime::from(opcua::types::DateTime::now().ticks() - i64::from(call.nth)).into())
        }),
    ]);
}

/// The table with one more entry before those that are not the standard's.
fn shifted(value: &DataValue) -> Variant {
    let Some(Variant::Array(array)) = &value.value else { return Variant::Empty };
    let mut names: Vec<opcua::types::UAString> = array
        .values
        .iter()
        .map(|name| match name {
            Variant::String(name) => name.clone(),
            _ => opcua::types::UAString::null(),
        })
        .collect();
    names.insert(2, "urn:lineside:liar".into());
    names.into()
}
