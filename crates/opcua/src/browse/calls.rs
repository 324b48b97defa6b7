//! The explorer's own session, and the service calls over it: split by limits, one at a time.
//!
//! Promises: a lost session is opened again at the next call; no call is larger than the server declared or
//! has shown to take (OPC 10000-5 6.3.11; a limit of 0 or none means ours); a value that cannot be decoded
//! costs its own value only. The library closes the connection at such a value, so the batch is halved over
//! new sessions until the culprit stands alone, and it is not read again.

use super::Failure;
use crate::connect::endpoint;
use crate::connect::{Link, connect};
use crate::isolate::Suspects;
use crate::limits::{BROWSE_POINTS, Capacity, Declared, NODES_PER_BROWSE, least};
use crate::service::{Came, judge, status_only};
use crate::{Settings, limits, node};
use lineside_model::config::Connection;
use opcua::client::Session;
use opcua::types::{
    BrowseDescription, BrowseResult, ByteString, DataValue, NodeId, ReadValueId, StatusCode, TimestampsToReturn,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// New sessions that one read may cost before it is given up.
const RECONNECTS_MAX: usize = 30;
/// Unreadable values that are remembered.
const UNREADABLE_MAX: usize = 1_000;
/// How long a closed connection may take to say why.
const LAST_WORDS: Duration = Duration::from_millis(500);
const FAREWELL: Duration = Duration::from_secs(2);

/// The namespaces of one session. Node ids by index are valid with these only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(Arc<[String]>);

impl Names {
    pub(crate) fn portable(&self, node: &NodeId) -> String {
        node::portable(node, &self.0)
    }

    pub(crate) fn resolve(&self, text: &str) -> Result<NodeId, Failure> {
        node::resolve(text, &self.0).map_err(|status| Failure::no_node(text, status))
    }

    /// The index of a namespace.
    pub(crate) fn index(&self, uri: &str) -> Option<u16> {
        self.0.iter().position(|known| known == uri).and_then(|index| u16::try_from(index).ok())
    }

    /// The URIs in the order of the server.
    pub(crate) fn uris(&self) -> &[String] {
        &self.0
    }

    /// The URI of a namespace; empty where the server does not list it.
    pub(crate) fn uri(&self, index: u16) -> &str {
        self.0.get(usize::from(index)).map_or("", String::as_str)
    }
}

/// Calls to one server.
pub(crate) struct Calls {
    settings: Settings,
    connection: Connection,
    state: Mutex<State>,
}

struct State {
    link: Option<Link>,
    names: Names,
    limits: Limits,
    /// Node and attribute.
    unreadable: HashSet<(NodeId, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    read: usize,
    browse: usize,
    continuation_points: usize,
}

/// What a failed call asks for.
enum Broken {
    /// The answer could not be decoded.
    Undecodable,
    /// The connection was lost for another reason.
    Lost(StatusCode),
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let (Some(link), Ok(runtime)) = (self.state.get_mut().link.take(), Handle::try_current()) {
            runtime.spawn(link.close(FAREWELL));
        }
    }
}

impl Calls {
    /// Connects at once, so that what is wrong is known.
    pub(crate) async fn open(settings: Settings, connection: Connection) -> Result<Calls, Failure> {
        let calls = Calls {
            settings,
            connection,
            state: Mutex::new(State {
                link: None,
                names: Names(Arc::from(Vec::new())),
                limits: Limits::new(&Declared::default()),
                unreadable: HashSet::new(),
            }),
        };
        calls.names().await?;
        Ok(calls)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) async fn close(&self) {
        if let Some(link) = self.state.lock().await.link.take() {
            link.close(FAREWELL).await;
        }
    }

    /// The namespaces in force.
    pub(crate) async fn names(&self) -> Result<Names, Failure> {
        let mut state = self.state.lock().await;
        self.session(&mut state).await?;
        Ok(state.names.clone())
    }

    /// Security of the session in force, as `plant.toml` writes it.
    pub(crate) async fn security(&self) -> Result<String, Failure> {
        let mut state = self.state.lock().await;
        self.session(&mut state).await?;
        Ok(state.link.as_ref().map(|link| link.security.clone()).unwrap_or_default())
    }

    /// How many continuation points may be held at the same time.
    pub(crate) async fn continuation_points(&self) -> usize {
        self.state.lock().await.limits.continuation_points
    }

    /// One answer per description, in order. `names` are those the node ids were made with.
    pub(crate) async fn browse(
        &self,
        names: &Names,
        nodes: &[BrowseDescription],
        references_max: u32,
    ) -> Result<Vec<BrowseResult>, Failure> {
        let mut state = self.state.lock().await;
        let mut results = Vec::with_capacity(nodes.len());
        let mut again = true;
        while results.len() < nodes.len() {
            let session = self.session(&mut state).await?;
            state.same(names)?;
            let part = &nodes[results.len()..];
            let part = &part[..part.len().min(state.limits.browse)];
            let answer = session.browse(part, references_max, None).await.map_err(|error| error.status());
            match judge(answer, part.len(), &mut state.limits.browse) {
                Ok(Came::Answers(answers)) => results.extend(answers),
                Ok(Came::TooMuch) => {}
                Ok(Came::Never(status)) => return Err(self.failed("browse", status)),
                Err(status) => match state.broken(status).await {
                    Some(_) if again => again = false,
                    _ => return Err(self.failed("browse", status)),
                },
            }
        }
        Ok(results)
    }

    /// Goes on at a continuation point, or gives it back. A point that is no longer valid is a bad status
    /// in the answer, also when the session it belonged to is gone.
    pub(crate) async fn browse_next(&self, point: &ByteString, release: bool) -> Result<BrowseResult, Failure> {
        let invalid = |status| BrowseResult { status_code: status, ..BrowseResult::default() };
        let mut state = self.state.lock().await;
        let Some(session) = state.link.as_ref().map(|link| Arc::clone(&link.session)) else {
            return Ok(invalid(StatusCode::BadContinuationPointInvalid));
        };
        match session.browse_next(release, std::slice::from_ref(point)).await {
            Ok(answers) => Ok(answers.into_iter().next().unwrap_or_default()),
            Err(error) => match state.broken(error.status()).await {
                Some(_) => Ok(invalid(StatusCode::BadContinuationPointInvalid)),
                None => Err(self.failed("browse", error.status())),
            },
        }
    }

    /// One answer per attribute, in order; what cannot be read is a bad status in its place.
    pub(crate) async fn read(&self, names: &Names, wanted: &[ReadValueId]) -> Result<Vec<DataValue>, Failure> {
        let mut state = self.state.lock().await;
        let mut values = vec![status_only(StatusCode::BadDecodingError); wanted.len()];
        let known = |state: &State, index: usize| state.unreadable.contains(&key(&wanted[index]));
        let readable: Vec<usize> = (0..wanted.len()).filter(|index| !known(&state, *index)).collect();
        let mut suspects = Suspects::new(readable);
        let (mut again, mut reconnects) = (true, 0);
        while let Some(part) = suspects.next(state.limits.read) {
            let session = self.session(&mut state).await?;
            state.same(names)?;
            let asked: Vec<ReadValueId> = part.iter().map(|index| wanted[*index].clone()).collect();
            let answer = session.read(&asked, TimestampsToReturn::Both, 0.0).await.map_err(|error| error.status());
            let status = match judge(answer, part.len(), &mut state.limits.read) {
                Ok(Came::TooMuch) => continue,
                Ok(Came::Answers(answers)) => {
                    part.iter().zip(answers).for_each(|(index, answer)| values[*index] = answer);
                    suspects.passed();
                    continue;
                }
                Ok(Came::Never(status)) => {
                    part.iter().for_each(|index| values[*index] = status_only(status));
                    suspects.passed();
                    continue;
                }
                Err(status) => status,
            };
            match state.broken(status).await {
                Some(Broken::Undecodable) if reconnects < RECONNECTS_MAX => {
                    reconnects += 1;
                    suspects.failed();
                    state.leave_out(suspects.found().into_iter().map(|index| key(&wanted[index])));
                }
                Some(Broken::Lost(_)) if again => again = false,
                Some(Broken::Lost(status)) => return Err(self.failed("read", status)),
                _ => return Err(self.failed("read", status)),
            }
        }
        Ok(values)
    }

    fn failed(&self, what: &str, status: StatusCode) -> Failure {
        Failure::service(self.host(), what, status)
    }

    fn host(&self) -> &str {
        endpoint::authority(&self.connection.endpoint)
    }

    /// The session: revived where its channel was lost, opened where there is none.
    async fn session(&self, state: &mut State) -> Result<Arc<Session>, Failure> {
        if let Some(link) = &mut state.link
            && link.is_lost().is_none()
        {
            return Ok(Arc::clone(&link.session));
        }
        let revived = match state.link.take() {
            // A session that is only left behind fills the server until its time is over.
            Some(mut link) => link.again().await.ok().map(|_| link),
            None => None,
        };
        let link = match revived {
            Some(link) => link,
            None => connect(&self.settings, &self.connection).await.map_err(Failure::from)?,
        };
        let facts = limits::read(&link.session, self.host(), &mut Capacity::default()).await?;
        let (names, limits) = (Names(facts.namespaces.into()), Limits::new(&facts.declared));
        let session = Arc::clone(&link.session);
        if names != state.names {
            // Node ids by index mean other nodes now.
            state.unreadable.clear();
        }
        state.limits = limits.lowered_to(state.limits);
        (state.link, state.names) = (Some(link), names);
        Ok(session)
    }
}

impl Limits {
    /// Ours, and no more than the server declares.
    fn new(declared: &Declared) -> Limits {
        Limits {
            read: least(declared.nodes_per_read, NODES_PER_BROWSE),
            browse: least(declared.nodes_per_browse, NODES_PER_BROWSE),
            continuation_points: least(declared.browse_continuation_points, BROWSE_POINTS),
        }
    }

    /// What was learned by failing stays learned.
    fn lowered_to(self, learned: Limits) -> Limits {
        Limits { read: self.read.min(learned.read), browse: self.browse.min(learned.browse), ..self }
    }
}

impl State {
    fn same(&self, names: &Names) -> Result<(), Failure> {
        if self.names == *names { Ok(()) } else { Err(Failure::restarted()) }
    }

    /// Did the call fail with the connection? Then the reason is told.
    async fn broken(&mut self, status: StatusCode) -> Option<Broken> {
        if !is_of_connection(status) {
            return None;
        }
        let link = self.link.as_mut()?;
        let Ok(reason) = tokio::time::timeout(LAST_WORDS, link.lost()).await else {
            // The channel stands; the session is what is gone.
            self.link = None;
            return Some(Broken::Lost(status));
        };
        tracing::debug!(%reason, call = %status, "the explorer's channel was lost");
        Some(match reason {
            StatusCode::BadDecodingError | StatusCode::BadEncodingLimitsExceeded => Broken::Undecodable,
            other => Broken::Lost(other),
        })
    }

    /// These are not read again.
    fn leave_out(&mut self, culprits: impl Iterator<Item = (NodeId, u32)>) {
        let room = UNREADABLE_MAX.saturating_sub(self.unreadable.len());
        self.unreadable.extend(culprits.take(room));
    }
}

fn key(wanted: &ReadValueId) -> (NodeId, u32) {
    (wanted.node_id.clone(), wanted.attribute_id)
}

/// Statuses with which the library ends calls whose connection is gone.
fn is_of_connection(status: StatusCode) -> bool {
    matches!(
        crate::words::code(status),
        StatusCode::BadConnectionClosed
            | StatusCode::BadSecureChannelClosed
            | StatusCode::BadSecureChannelIdInvalid
            | StatusCode::BadNotConnected
            | StatusCode::BadServerNotConnected
            | StatusCode::BadCommunicationError
            | StatusCode::BadSessionClosed
            | StatusCode::BadSessionIdInvalid
            | StatusCode::BadDecodingError
            | StatusCode::BadInternalError
            | StatusCode::BadUnexpectedError
            | StatusCode::BadShutdown
    )
}
