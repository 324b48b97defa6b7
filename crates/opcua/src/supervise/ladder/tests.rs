//! The ladder against a simulated server and clock: faults come at random, and when they end, values flow.

use super::*;
use proptest::prelude::*;

const LIFETIME: Duration = Duration::from_secs(120);
const LOST: Outcome = Outcome::Lost { alive: false, undecodable: false };

/// Feeds outcomes, one second apart, and compares the steps.
fn check(outcomes: &[(Outcome, Step)]) {
    let mut ladder = Ladder::new(LIFETIME);
    for (second, (outcome, expected)) in (0..).zip(outcomes) {
        let step = ladder.next(Duration::from_secs(second), *outcome, 0.0);
        assert_eq!(step, *expected, "after {outcome:?} at {second} s of {outcomes:?}");
    }
}

const fn wait(milliseconds: u64) -> Step {
    Step::Wait(Duration::from_millis(milliseconds))
}

const LIVE: [(Outcome, Step); 4] = [
    (Outcome::Waited, Step::Connect),
    (Outcome::Connected, Step::Learn),
    (Outcome::Learned { same: false }, Step::Create),
    (Outcome::Created, Step::Flow),
];

fn after_live(outcomes: &[(Outcome, Step)]) {
    check(&[&LIVE, outcomes].concat());
}

#[test]
fn a_lost_channel_keeps_session_and_subscriptions() {
    after_live(&[
        (Outcome::Lost { alive: true, undecodable: false }, wait(200)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Unreached, wait(1000)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Reactivated, Step::Create),
        (Outcome::Created, Step::Flow),
    ]);
}

#[test]
fn a_lost_session_is_replaced_and_takes_over() {
    after_live(&[
        (LOST, wait(200)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Replaced, Step::Learn),
        (Outcome::Learned { same: true }, Step::Transfer),
        (LOST, wait(1000)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Reactivated, Step::Transfer),
        (Outcome::Transferred, Step::Create),
        (Outcome::Created, Step::Flow),
    ]);
}

#[test]
fn another_life_of_the_server_has_no_subscriptions_of_ours() {
    after_live(&[
        (LOST, wait(200)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Replaced, Step::Learn),
        (Outcome::Learned { same: false }, Step::Create),
    ]);
}

#[test]
fn channels_that_only_break_lead_to_a_look_at_the_server() {
    let broken = |milliseconds| [(Outcome::Broken, wait(milliseconds)), (Outcome::Waited, Step::Resume)];
    let start = [(LOST, wait(200)), (Outcome::Waited, Step::Resume)];
    let looked = [(Outcome::Broken, wait(2000)), (Outcome::Waited, Step::Inspect)];
    let other =
        [(Outcome::OtherServer, Step::Connect), (Outcome::Unreached, wait(2000)), (Outcome::Waited, Step::Connect)];
    after_live(&[&start[..], &broken(1000), &broken(2000), &looked, &other].concat());
    after_live(&[&start[..], &broken(1000), &broken(2000), &looked, &[(Outcome::SameServer, Step::Resume)]].concat());
}

#[test]
fn other_namespaces_are_learned_on_the_session_that_stands() {
    after_live(&[
        (Outcome::Changed, Step::Learn),
        (Outcome::Learned { same: false }, Step::Create),
        (Outcome::Created, Step::Flow),
    ]);
}

#[test]
fn subscriptions_that_end_again_and_again_are_made_ever_less_often() {
    let gone = |milliseconds| {
        [
            (Outcome::Gone { alive: true }, wait(milliseconds)),
            (Outcome::Waited, Step::Create),
            (Outcome::Created, Step::Flow),
        ]
    };
    let first = [(Outcome::Gone { alive: true }, Step::Create), (Outcome::Created, Step::Flow)];
    after_live(&[&first[..], &gone(200), &gone(1000), &gone(2000), &gone(2000)].concat());
}

#[test]
fn a_session_that_only_fails_is_left() {
    after_live(&[
        (Outcome::Gone { alive: false }, Step::Create),
        (Outcome::Created, Step::Flow),
        (Outcome::Gone { alive: false }, wait(200)),
        (Outcome::Waited, Step::Create),
        (Outcome::Failed, wait(1000)),
        (Outcome::Waited, Step::Create),
        (Outcome::Failed, wait(2000)),
        (Outcome::Waited, Step::Create),
        (Outcome::Failed, wait(4000)),
        (Outcome::Waited, Step::Connect),
    ]);
}

#[test]
fn a_second_undecodable_message_within_a_minute_starts_the_search() {
    let undecodable = Outcome::Lost { alive: true, undecodable: true };
    after_live(&[
        (undecodable, wait(200)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Reactivated, Step::Create),
        (Outcome::Created, Step::Flow),
        (undecodable, wait(200)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Reactivated, Step::Isolate),
        (undecodable, wait(200)),
        (Outcome::Waited, Step::Resume),
        (Outcome::Reactivated, Step::Isolate),
        (Outcome::Isolated, Step::Create),
    ]);
}

#[test]
fn an_old_outage_is_looked_after_less_often() {
    let mut ladder = Ladder::new(LIFETIME);
    let mut now = Duration::ZERO;
    let mut waits = Vec::new();
    let mut step = ladder.next(now, Outcome::Waited, 0.0);
    while now < Duration::from_secs(900) {
        step = match step {
            Step::Wait(wait) => {
                waits.push((now, wait));
                now += wait;
                ladder.next(now, Outcome::Waited, 0.0)
            }
            Step::Connect => ladder.next(now, Outcome::Unreached, 0.0),
            step => panic!("{step:?} without a server"),
        };
    }
    for (at, wait) in waits {
        let most = if at < RECENT { RETRY_RECENT } else { RETRY_MAX };
        assert!(wait <= most, "{wait:?} at {at:?}");
    }
}

/// A server of the simulation.
#[derive(Clone, Debug, Default)]
struct Server {
    life: u32,
    next_session: u32,
    /// Sessions with the life they belong to and their last contact.
    sessions: Vec<(u32, Duration)>,
    /// Live subscriptions, each with its session.
    subscriptions: Vec<u32>,
    transfers: bool,
}

/// What we believe to have.
#[derive(Clone, Debug, Default)]
struct Client {
    session: Option<u32>,
    life: Option<u32>,
    subscription: Option<u32>,
    channel: bool,
}

/// What happens at a step.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Cut,
    Broken,
    Restart,
    Expire,
    Refuse,
    Fail,
    Undecodable,
    EndSubscriptions,
}

struct World {
    server: Server,
    client: Client,
    ladder: Ladder,
    now: Duration,
    step: Step,
    flowing: bool,
    /// Sessions that the server keeps, and yet does not give back to us.
    refused: Vec<u32>,
    /// A service failed on the present session.
    failed: bool,
}

impl World {
    fn new(transfers: bool) -> World {
        let mut ladder = Ladder::new(LIFETIME);
        let step = ladder.next(Duration::ZERO, Outcome::Waited, 0.0);
        let server = Server { transfers, next_session: 1, ..Server::default() };
        World {
            server,
            client: Client::default(),
            ladder,
            now: Duration::ZERO,
            step,
            flowing: false,
            refused: Vec::new(),
            failed: false,
        }
    }

    fn expire(&mut self) {
        let now = self.now;
        let connected = self.client.session.filter(|_| self.client.channel);
        self.server.sessions.retain(|(id, contact)| Some(*id) == connected || now.saturating_sub(*contact) < LIFETIME);
    }

    fn restart(&mut self) {
        self.server.life += 1;
        self.server.sessions.clear();
        self.server.subscriptions.clear();
        self.cut();
    }

    fn cut(&mut self) {
        if let Some((_, contact)) = self.server.sessions.iter_mut().find(|(id, _)| Some(*id) == self.client.session)
            && self.client.channel
        {
            *contact = self.now;
        }
        self.client.channel = false;
    }

    fn new_session(&mut self) {
        let id = self.server.next_session;
        self.server.next_session += 1;
        self.server.sessions.push((id, self.now));
        self.client.session = Some(id);
        self.client.channel = true;
        self.failed = false;
    }

    fn turn(&mut self, fault: Fault) {
        self.flowing = false;
        self.expire();
        match fault {
            Fault::Restart => self.restart(),
            Fault::Expire => self.server.sessions.clear(),
            Fault::Cut | Fault::Broken | Fault::Undecodable => self.cut(),
            Fault::EndSubscriptions => self.server.subscriptions.clear(),
            Fault::None | Fault::Refuse | Fault::Fail => {}
        }
        let outcome = match self.step {
            Step::Wait(wait) => {
                assert!(wait <= RETRY_MAX.mul_f64(1.1), "{wait:?}");
                self.now += wait;
                Outcome::Waited
            }
            Step::Connect | Step::Resume | Step::Inspect => self.open(fault),
            _ if !self.client.channel => {
                Outcome::Lost { alive: false, undecodable: matches!(fault, Fault::Undecodable) }
            }
            _ if !self.server.sessions.iter().any(|(id, _)| Some(*id) == self.client.session) => {
                self.cut();
                LOST
            }
            step => self.work(step, fault),
        };
        self.step = self.ladder.next(self.now, outcome, 0.0);
        self.failed |= outcome == Outcome::Failed;
        self.promises();
    }

    fn open(&mut self, fault: Fault) -> Outcome {
        match fault {
            Fault::Cut | Fault::Restart => return Outcome::Unreached,
            Fault::Broken if self.step == Step::Resume => return Outcome::Broken,
            Fault::Broken => return Outcome::Unreached,
            Fault::Refuse => {
                // The supervisor drops the link; its session dies by its lifetime.
                self.refused.extend(self.client.session.take());
                return Outcome::Refused;
            }
            _ => {}
        }
        match self.step {
            Step::Inspect => Outcome::SameServer,
            Step::Connect => {
                // A link that still stands is closed in order.
                let left = self.client.session.take();
                if self.client.channel {
                    self.server.sessions.retain(|(id, _)| Some(*id) != left);
                    self.server.subscriptions.clear();
                } else if self.server.sessions.iter().any(|(id, _)| Some(*id) == left) {
                    assert!(self.failed, "a session that lives and works was left");
                    self.refused.extend(left);
                }
                self.new_session();
                Outcome::Connected
            }
            _ if self.server.sessions.iter().any(|(id, _)| Some(*id) == self.client.session) => {
                self.client.channel = true;
                Outcome::Reactivated
            }
            _ => {
                self.new_session();
                Outcome::Replaced
            }
        }
    }

    fn work(&mut self, step: Step, fault: Fault) -> Outcome {
        let session = self.client.session.expect("a channel has a session");
        match step {
            _ if matches!(fault, Fault::Fail) && step != Step::Flow => Outcome::Failed,
            Step::Learn => {
                let same = self.client.life.replace(self.server.life) == Some(self.server.life);
                if !same {
                    self.client.subscription = None;
                }
                Outcome::Learned { same }
            }
            Step::Transfer => {
                let live = self.server.subscriptions.first_mut().filter(|_| self.server.transfers);
                match live {
                    Some(of) => *of = session,
                    None => self.client.subscription = None,
                }
                // One that cannot be transferred dies at the server with its session.
                self.server.subscriptions.retain(|of| *of == session);
                self.client.subscription = self.server.subscriptions.first().copied();
                Outcome::Transferred
            }
            Step::Isolate => Outcome::Isolated,
            Step::Create => {
                if self.client.subscription.is_none() {
                    self.server.subscriptions.push(session);
                    self.client.subscription = Some(session);
                }
                Outcome::Created
            }
            _ if self.server.subscriptions.is_empty() => {
                self.client.subscription = None;
                Outcome::Gone { alive: false }
            }
            _ => {
                self.flowing = true;
                self.step = Step::Flow;
                Outcome::Created
            }
        }
    }

    fn promises(&self) {
        assert!(self.server.subscriptions.len() <= 1, "two subscriptions for one tag: {:?}", self.server);
        let ours = self.server.sessions.iter().filter(|(id, _)| !self.refused.contains(id)).count();
        assert!(ours <= 1, "two sessions: {:?}", self.server);
    }
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        6 => Just(Fault::None),
        2 => Just(Fault::Cut),
        1 => Just(Fault::Broken),
        1 => Just(Fault::Restart),
        1 => Just(Fault::Expire),
        1 => Just(Fault::Refuse),
        1 => Just(Fault::Fail),
        1 => Just(Fault::Undecodable),
        1 => Just(Fault::EndSubscriptions),
    ];
    proptest::collection::vec(fault, 0..200)
}

proptest! {
    #[test]
    fn whatever_happens_values_flow_again(faults in faults(), transfers: bool) {
        let mut world = World::new(transfers);
        for fault in faults {
            world.turn(fault);
        }
        let since = world.now;
        let mut turns = 0;
        while !world.flowing {
            world.turn(Fault::None);
            turns += 1;
            prop_assert!(turns <= 12, "not live after {turns} steps: {:?} {:?}", world.step, world.ladder);
        }
        prop_assert!(world.now - since <= RETRY_MAX + RETRY_MAX, "live only after {:?}", world.now - since);
        prop_assert_eq!(world.server.subscriptions.len(), 1);
    }
}
