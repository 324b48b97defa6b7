//! The steps by which a server is reached: channel, session, and what the server says of itself.

use super::ladder::Outcome;
use super::{CLOSE_PATIENCE, LOST, Supervisor};
use crate::connect::{Cause, Failure, PATIENCE, Revival, connect_within};
use crate::limits;
use lineside_model::inlet::Closed;
use lineside_model::{Input, LinkState, StatusCode};
use std::time::Duration;

/// A server that is known as slow is given at most so long for an answer.
const PATIENCE_MAX: Duration = Duration::from_secs(20);

impl Supervisor {
    pub(super) async fn connect(&mut self) -> Result<Outcome, Closed> {
        if let Some(link) = self.link.take() {
            link.close(CLOSE_PATIENCE).await;
        }
        self.connecting()?;
        match connect_within(&self.settings, self.settings(), self.patience).await {
            Ok(link) => {
                self.feed.beside.source(false, |sources| sources.link = link.facts(self.settings()));
                self.patience = patience_for(link.wire.longest());
                self.link = Some(link);
                self.feed.counters.sessions_created += 1;
                Ok(Outcome::Connected)
            }
            // There is no session to be kept: a channel that broke is the same as a server that is not there.
            Err(Failure { cause: Cause::Broken, trouble }) => {
                self.down(trouble)?;
                Ok(Outcome::Unreached)
            }
            Err(failure) => self.not_opened(failure),
        }
    }

    pub(super) async fn resume(&mut self) -> Result<Outcome, Closed> {
        self.connecting()?;
        let Some(link) = &mut self.link else {
            return Ok(Outcome::Refused);
        };
        match link.again().await {
            Ok(Revival::Same) => {
                self.feed.counters.reactivated += 1;
                Ok(Outcome::Reactivated)
            }
            Ok(Revival::New) => {
                self.feed.counters.sessions_created += 1;
                Ok(Outcome::Replaced)
            }
            Err(failure) => self.not_opened(failure),
        }
    }

    fn not_opened(&mut self, failure: Failure) -> Result<Outcome, Closed> {
        self.down(failure.trouble)?;
        Ok(match failure.cause {
            Cause::Unreached => Outcome::Unreached,
            Cause::Broken => Outcome::Broken,
            Cause::Slow => {
                self.patience = (self.patience * 2).min(PATIENCE_MAX);
                Outcome::Unreached
            }
            Cause::Refused => {
                self.link = None;
                Outcome::Refused
            }
        })
    }

    pub(super) async fn inspect(&mut self) -> Result<Outcome, Closed> {
        let Some(link) = &self.link else {
            return Ok(Outcome::OtherServer);
        };
        match link.is_unchanged(self.settings()).await {
            Ok(true) => Ok(Outcome::SameServer),
            Ok(false) => Ok(Outcome::OtherServer),
            Err(trouble) => {
                self.down(trouble)?;
                Ok(Outcome::Unreached)
            }
        }
    }

    pub(super) async fn learn(&mut self) -> Result<Outcome, Closed> {
        let Some(link) = &mut self.link else {
            return Ok(LOST);
        };
        let read = limits::read(&link.session, &self.host, &mut self.capacity).await;
        let facts = match read {
            Ok(facts) => facts,
            Err(trouble) => return self.failed(trouble).await,
        };
        let same = self.facts.as_ref().is_some_and(|before| facts.same_life(before));
        if !same {
            self.standing.forget();
        }
        // A new session may have other rights, and another life of the server other nodes.
        self.standing.refused.clear();
        self.answered = false;
        // Requests of the last session died with it.
        self.standing.parked = 0;
        self.facts = Some(facts);
        self.introduce()?;
        Ok(Outcome::Learned { same })
    }

    /// Tells who is at the other end.
    pub(super) fn introduce(&mut self) -> Result<(), Closed> {
        let (Some(link), Some(facts)) = (&self.link, &self.facts) else {
            return Ok(());
        };
        let product = if facts.product.is_empty() { &self.host } else { &facts.product };
        self.detail = format!("Connected to {product} at {}, security {}.", self.host, link.security);
        let server = Input::Server {
            connection: self.connection,
            product: facts.product.as_str().into(),
            simulated: facts.simulated,
            started: facts.started,
        };
        let up = self.feed.link(LinkState::Up, StatusCode::GOOD, &self.detail);
        self.feed.deliver(vec![server, up])
    }
}

/// How long a server may take for an answer that took `longest` at its longest so far.
fn patience_for(longest: Duration) -> Duration {
    (longest * 4).clamp(PATIENCE, PATIENCE_MAX)
}
