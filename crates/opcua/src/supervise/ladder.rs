//! The ladder of a connection: which rung comes next after which outcome, and how long to wait.
//!
//! Channel, session and subscriptions live and die apart (OPC 10000-4 6.7). After a lost channel: a new
//! channel, the same session, the same subscriptions; if the server no longer has the session: a new one,
//! to which the subscriptions are transferred; what cannot be transferred is created anew. It never gives
//! up. No I/O and no clock: `supervise` climbs and says what came of it, with the time since its start.

use std::time::Duration;

const FIRST_RETRY: Duration = Duration::from_millis(200);
const RETRY: Duration = Duration::from_secs(1);
/// An outage younger than `RECENT` ends within 3 s of the server's return.
const RETRY_RECENT: Duration = Duration::from_secs(2);
const RETRY_RECENT_REFUSED: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(30);
const RECENT: Duration = Duration::from_secs(5 * 60);
/// So many channels that end without a word, and it is asked whether this is still the same server.
const BROKEN_MAX: u32 = 3;
/// So many failed services on one session, and a new session is tried.
const FAILED_MAX: u32 = 3;
/// Subscriptions that end so soon after others are not made anew at once.
const GONE_AGAIN: Duration = Duration::from_secs(10);
/// Two undecodable messages within this are no accident.
const UNDECODABLE_AGAIN: Duration = Duration::from_secs(60);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Wait(Duration),
    /// Close what is left of the last link, then endpoints, trust, channel, session.
    Connect,
    /// A new channel for the last link and its session.
    Resume,
    /// Ask for the endpoints: is it still the same server?
    Inspect,
    /// Read what the server is and takes; forget the subscriptions of another life of it.
    Learn,
    /// Take the subscriptions over into the new session.
    Transfer,
    /// Find the items whose values cannot be decoded.
    Isolate,
    /// Create the subscriptions and items that are missing.
    Create,
    /// Fetch what was published meanwhile, then let values flow until that ends.
    Flow,
}

/// What came of the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The wait is over; also the very beginning.
    Waited,
    /// Connect: a session stands.
    Connected,
    /// Resume: the same session stands.
    Reactivated,
    /// Resume: the server did not have the session any more; another one stands.
    Replaced,
    /// Connect, Resume, Inspect: nothing came back.
    Unreached,
    /// Resume: the server answered, and ended the channel without a word.
    Broken,
    /// Connect, Resume: the server refused in words.
    Refused,
    /// Inspect.
    SameServer,
    OtherServer,
    /// Learn: `same` life of the server as the one that the subscriptions were made in.
    Learned {
        same: bool,
    },
    Transferred,
    Isolated,
    Created,
    /// Learn, Transfer, Isolate, Create: a service failed, the link stands.
    Failed,
    /// Any step on a standing link: the channel is lost. `alive`: values came before that.
    Lost {
        alive: bool,
        undecodable: bool,
    },
    /// Flow: subscriptions ended at the server, the link stands.
    Gone {
        alive: bool,
    },
    /// Flow: the namespaces of the server are other ones now, the link stands.
    Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    None,
    Up,
    /// The channel is lost, the session may live.
    Down,
}

/// Where a connection stands.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    session_lifetime: Duration,
    link: Link,
    /// The first rung that the present session has not taken yet.
    pending: Step,
    /// Subscriptions were made that may live at the server.
    held: bool,
    /// Waits in a row without a value between.
    waits: u32,
    broken: u32,
    failed: u32,
    /// When subscriptions ended last, at the server, on a link that stood.
    gone: Option<Duration>,
    down_since: Option<Duration>,
    /// The last sign of life of the session.
    contact: Duration,
    undecodable: Option<Duration>,
    isolate: bool,
}

impl Ladder {
    /// Nothing stands yet. `session_lifetime`: how long a server keeps a session without a channel.
    pub(crate) fn new(session_lifetime: Duration) -> Ladder {
        Ladder {
            session_lifetime,
            link: Link::None,
            pending: Step::Learn,
            held: false,
            waits: 0,
            broken: 0,
            failed: 0,
            gone: None,
            down_since: None,
            contact: Duration::ZERO,
            undecodable: None,
            isolate: false,
        }
    }

    /// Another server of a redundant set is to be used; nothing stands there yet.
    pub(crate) fn elsewhere(&mut self) {
        (self.link, self.pending, self.held) = (Link::None, Step::Learn, false);
        (self.broken, self.failed, self.isolate) = (0, 0, false);
    }

    /// Another server is to be used, on which session and subscriptions stand since `now`.
    pub(crate) fn took_over(&mut self, now: Duration) {
        self.elsewhere();
        self.stands(now);
        (self.pending, self.held) = (Step::Create, true);
    }

    /// The next step after `outcome` of the last one, at `now` since the beginning. `jitter` is within -1..1
    /// and moves waits by up to a tenth.
    pub(crate) fn next(&mut self, now: Duration, outcome: Outcome, jitter: f64) -> Step {
        match outcome {
            Outcome::Waited => self.climb(now),
            Outcome::Connected | Outcome::Replaced => {
                self.stands(now);
                self.pending = Step::Learn;
                Step::Learn
            }
            Outcome::Reactivated => {
                self.stands(now);
                self.go_on()
            }
            Outcome::Unreached => self.wait(now, RETRY_RECENT, jitter),
            Outcome::Broken => {
                self.broken += 1;
                self.wait(now, RETRY_RECENT, jitter)
            }
            Outcome::Refused => {
                self.link = Link::None;
                self.wait(now, RETRY_RECENT_REFUSED, jitter)
            }
            Outcome::SameServer => Step::Resume,
            Outcome::OtherServer => {
                self.link = Link::None;
                Step::Connect
            }
            Outcome::Changed => {
                self.pending = Step::Learn;
                Step::Learn
            }
            Outcome::Learned { same } => {
                self.held &= same;
                self.pending = if self.held { Step::Transfer } else { Step::Create };
                self.go_on()
            }
            Outcome::Transferred => {
                self.pending = Step::Create;
                self.go_on()
            }
            Outcome::Isolated => {
                self.isolate = false;
                self.go_on()
            }
            Outcome::Created => {
                self.held = true;
                self.pending = Step::Create;
                Step::Flow
            }
            Outcome::Failed => self.failed(now, jitter),
            Outcome::Lost { alive, undecodable } => self.lost(now, alive, undecodable, jitter),
            Outcome::Gone { alive } => self.subscriptions_gone(now, alive, jitter),
        }
    }

    fn lost(&mut self, now: Duration, alive: bool, undecodable: bool, jitter: f64) -> Step {
        self.link = Link::Down;
        self.contact = now;
        self.gone = None;
        self.lived(alive);
        if undecodable && self.isolate {
            // One more step of a search that ends by itself.
            return Step::Wait(FIRST_RETRY);
        }
        self.suspect(now, undecodable);
        self.wait(now, RETRY_RECENT, jitter)
    }

    /// They may have expired; those made anew should live, and not only for a moment.
    fn subscriptions_gone(&mut self, now: Duration, alive: bool, jitter: f64) -> Step {
        let again = self.gone.replace(now).is_some_and(|before| now.saturating_sub(before) < GONE_AGAIN);
        if again {
            return self.wait(now, RETRY_RECENT, jitter);
        }
        self.lived(alive);
        Step::Create
    }

    fn climb(&mut self, now: Duration) -> Step {
        match self.link {
            Link::None => Step::Connect,
            Link::Up => self.go_on(),
            Link::Down if now.saturating_sub(self.contact) >= self.session_lifetime => {
                self.link = Link::None;
                Step::Connect
            }
            Link::Down if self.broken >= BROKEN_MAX => {
                self.broken = 0;
                Step::Inspect
            }
            Link::Down => Step::Resume,
        }
    }

    /// The next rung on a session that stands.
    fn go_on(&self) -> Step {
        match self.pending {
            Step::Create if self.isolate => Step::Isolate,
            pending => pending,
        }
    }

    fn stands(&mut self, now: Duration) {
        self.link = Link::Up;
        self.contact = now;
        self.broken = 0;
    }

    /// A session that only fails is left; the subscriptions end with it, or are transferred.
    fn failed(&mut self, now: Duration, jitter: f64) -> Step {
        self.failed += 1;
        if self.failed >= FAILED_MAX {
            self.failed = 0;
            self.link = Link::None;
        }
        self.wait(now, RETRY_RECENT_REFUSED, jitter)
    }

    fn lived(&mut self, alive: bool) {
        if alive {
            self.waits = 0;
            self.failed = 0;
            self.down_since = None;
        }
    }

    fn suspect(&mut self, now: Duration, undecodable: bool) {
        if undecodable {
            let before = self.undecodable.replace(now);
            self.isolate |= before.is_some_and(|before| now.saturating_sub(before) <= UNDECODABLE_AGAIN);
        }
    }

    fn wait(&mut self, now: Duration, recent: Duration, jitter: f64) -> Step {
        let outage = now.saturating_sub(*self.down_since.get_or_insert(now));
        let most = if outage < RECENT { recent } else { RETRY_MAX };
        let steady = match self.waits {
            0 => FIRST_RETRY,
            n => RETRY.saturating_mul(1 << (n - 1).min(5)).min(most),
        };
        self.waits = self.waits.saturating_add(1);
        Step::Wait(steady.mul_f64(1.0 + jitter / 10.0))
    }
}

#[cfg(test)]
mod tests;
