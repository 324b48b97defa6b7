//! From an endpoint URL to an active session: endpoints, choice, trust, channel, session; and back to the
//! same session after the channel was lost.
//!
//! One attempt, every step with a deadline, every failure in words. The library's own retries and its
//! recreation of subscriptions are not used: the ladder is `supervise`'s (the library's recreation ignores
//! what the server answers). Its event loop goes on only when `Link::again` asks for it.

pub(crate) mod endpoint;
mod frame;
pub(crate) mod wire;

use crate::beside::report::{Certificate, LinkFacts};
use crate::pki::{self, Folders, OwnCertificate};
use crate::words::Trouble;
use crate::{Settings, identity, service, words};
use futures::TryStreamExt;
use lineside_model::config::{Connection, User};
use opcua::client::{
    Client, ClientBuilder, IdentityToken, Session, SessionConnectMode, SessionEventLoop, SessionPollResult,
};
use opcua::types::{EndpointDescription, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wire::Wire;

/// How long a server may take for one answer before it was known as slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
const TIMEOUT_MARGIN: Duration = Duration::from_millis(500);
/// A parked Publish request outlives every keep-alive by far; the watchdog acts long before.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);
/// A session that lost its channel waits for us so long; then it frees its place at the server.
pub(crate) const SESSION_LIFETIME: Duration = Duration::from_secs(120);
/// Long, because each renewal costs RSA on both sides.
const CHANNEL_LIFETIME_MS: u32 = 3_600_000;

/// The library's defaults (1,000 elements, 320 kB, 5 chunks) close the connection at a large notification.
const ARRAY_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 64 * 1024 * 1024;
const CHUNKS_MAX: usize = 4_096;

/// A session and the task that drives it, over one channel after the other.
pub(crate) struct Link {
    pub(crate) session: Arc<Session>,
    pub(crate) wire: Wire,
    /// `Basic256Sha256/SignAndEncrypt`.
    pub(crate) security: String,
    settings: Settings,
    chosen: EndpointDescription,
    words: Words,
    driver: Driver,
    down: Option<StatusCode>,
}

/// The task that moves bytes; it ends with this value.
struct Driver {
    task: JoinHandle<()>,
    go_on: mpsc::Sender<()>,
    told: mpsc::Receiver<Told>,
}

/// What the driver has to say. After the last two it waits to be told to go on.
enum Told {
    Up(Revival),
    Failed(StatusCode),
    Lost(StatusCode),
}

/// How a channel got its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revival {
    /// The one of before, with its subscriptions.
    Same,
    New,
}

/// Why an attempt brought no session.
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) trouble: Trouble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No TCP connection, or nothing came back.
    Unreached,
    /// The server said hello, and did not answer in time.
    Slow,
    /// The server, or we, ended the channel without a word on why.
    Broken,
    /// A word on why there is no session: it will be the same at the next attempt.
    Refused,
}

impl Failure {
    fn refused(trouble: Trouble) -> Failure {
        Failure { cause: Cause::Refused, trouble }
    }

    fn unreached(trouble: Trouble) -> Failure {
        Failure { cause: Cause::Unreached, trouble }
    }

    fn of(wire: &Wire, status: StatusCode, words: &Words) -> Failure {
        let cause = match words::code(status) {
            _ if wire.failure().is_some() => Cause::Unreached,
            _ if wire.was_slow() => Cause::Slow,
            StatusCode::BadTimeout => Cause::Unreached,
            status if service::is_of_link(status) => Cause::Broken,
            _ => Cause::Refused,
        };
        Failure { cause, trouble: words.refused(wire, status) }
    }
}

/// What is needed to explain a failure.
#[derive(Clone)]
struct Words {
    host: String,
    secured: bool,
    own: OwnCertificate,
    user: User,
}

impl Words {
    fn refused(&self, wire: &Wire, status: StatusCode) -> Trouble {
        match wire.failure() {
            Some((kind, text)) => words::unreachable(&self.host, kind, &text),
            None => words::no_session(&self.host, status, self.secured, &self.own, &self.user),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Driver {
    fn start(events: SessionEventLoop<Wire>, wire: Wire) -> Driver {
        let (go_on, going) = mpsc::channel(1);
        let (tell, told) = mpsc::channel(4);
        Driver { task: tokio::spawn(drive(events, wire, going, tell)), go_on, told }
    }

    async fn next(&mut self) -> Told {
        self.told.recv().await.unwrap_or(Told::Failed(StatusCode::BadInternalError))
    }
}

impl Link {
    /// What a person may want to know of the link.
    pub(crate) fn facts(&self, connection: &Connection) -> LinkFacts {
        let user = match &connection.user {
            User::Anonymous => "",
            User::Name { name, .. } => name,
            User::Certificate { certificate, .. } => certificate,
        };
        LinkFacts {
            endpoint: connection.endpoint.as_str().into(),
            security: self.security.as_str().into(),
            user: user.into(),
            certificate: Certificate::from_chain(self.chosen.server_certificate.as_ref()),
            own_certificate: Certificate::of(&self.words.own.info),
        }
    }

    /// Waits until the connection is lost.
    pub(crate) async fn lost(&mut self) -> StatusCode {
        loop {
            if let Some(status) = self.down {
                return status;
            }
            match self.driver.next().await {
                Told::Up(_) => {}
                Told::Failed(status) | Told::Lost(status) => self.down = Some(status),
            }
        }
    }

    /// Is the connection known to be lost? Never waits.
    pub(crate) fn is_lost(&mut self) -> Option<StatusCode> {
        while let Ok(told) = self.driver.told.try_recv() {
            self.down = match told {
                Told::Failed(status) | Told::Lost(status) => Some(status),
                Told::Up(_) => None,
            };
        }
        self.down
    }

    /// One attempt at a new channel for a link that was lost. The session is re-activated; where the server
    /// no longer has it, a new one is made on the same channel. Trust is looked at again each time.
    pub(crate) async fn again(&mut self) -> Result<Revival, Failure> {
        if self.words.secured {
            trusted(&self.settings, &self.chosen, &self.words.host).await.map_err(Failure::refused)?;
        }
        if self.driver.go_on.send(()).await.is_err() {
            tracing::error!("the OPC UA protocol task ended");
        }
        match self.driver.next().await {
            Told::Up(revival) => {
                self.down = None;
                Ok(revival)
            }
            Told::Failed(status) | Told::Lost(status) => {
                self.down = Some(status);
                Err(Failure::of(&self.wire, status, &self.words))
            }
        }
    }

    /// Does the server still show the certificate of this link?
    pub(crate) async fn is_unchanged(&self, connection: &Connection) -> Result<bool, Trouble> {
        let offer = offer(&self.settings, connection, PATIENCE).await?;
        Ok(offer.chosen.server_certificate == self.chosen.server_certificate
            && endpoint::describe(&offer.chosen) == self.security)
    }

    /// Closes the session and deletes its subscriptions, as far as the server answers within `patience`.
    pub(crate) async fn close(mut self, patience: Duration) {
        let is_lost = self.is_lost().is_some();
        if !is_lost && tokio::time::timeout(patience, self.session.disconnect()).await.is_err() {
            tracing::debug!("the server did not confirm the end of the session");
        }
    }
}

/// One attempt to connect.
pub(crate) async fn connect(settings: &Settings, connection: &Connection) -> Result<Link, Trouble> {
    connect_within(settings, connection, 2 * PATIENCE).await.map_err(|failure| failure.trouble)
}

/// One attempt to connect, to a server that may take `patience` for each answer.
pub(crate) async fn connect_within(
    settings: &Settings,
    connection: &Connection,
    patience: Duration,
) -> Result<Link, Failure> {
    let identity = {
        let (settings, connection) = (settings.clone(), connection.clone());
        blocking(move || identity::token(&settings, &connection)).await.map_err(Failure::unreached)?
    };
    let offer = offer(settings, connection, patience).await.map_err(Failure::unreached)?;
    if endpoint::is_secured(&offer.chosen) {
        trusted(settings, &offer.chosen, &offer.words.host).await.map_err(Failure::unreached)?;
    }
    open(settings, offer, identity, patience).await
}

/// The endpoint to use, and what was needed to find it.
struct Offer {
    client: Client,
    chosen: EndpointDescription,
    words: Words,
}

async fn offer(settings: &Settings, connection: &Connection, patience: Duration) -> Result<Offer, Trouble> {
    let host = endpoint::authority(&connection.endpoint);
    let own = {
        let settings = settings.clone();
        blocking(move || pki::own(&settings).map_err(|error| pki::own_trouble(&error))).await?
    };
    // One question, one attempt; the session's attempts have no end, because the ladder sets their pace.
    let offers = endpoints(&client(settings, &own, patience, 0)?, &connection.endpoint, host, patience).await?;
    let client = client(settings, &own, patience, -1)?;
    let chosen = endpoint::choose(&offers, connection)?;
    let secured = endpoint::is_secured(&chosen);
    let words = Words { host: host.to_string(), secured, own, user: connection.user.clone() };
    Ok(Offer { client, chosen, words })
}

fn client(settings: &Settings, own: &OwnCertificate, patience: Duration, retries: i32) -> Result<Client, Trouble> {
    let folders = Folders::of(&settings.pki).map_err(|error| pki::own_trouble(&error))?;
    ClientBuilder::new()
        .application_name(&settings.application_name)
        .application_uri(&own.uri)
        .product_uri("urn:lineside:client")
        .session_name(&settings.application_name)
        // Where `pki` lays out what it has checked, for the library to compare with.
        .pki_dir(folders.checked())
        .certificate_path(folders.own_certificate())
        .private_key_path(folders.own_key())
        .create_sample_keypair(false)
        .trust_server_certs(false)
        // Trust is checked in `pki`; the library still compares with the pinned certificate.
        .verify_server_certs(false)
        .session_retry_limit(retries)
        .session_retry_initial(Duration::ZERO)
        .session_retry_max(Duration::ZERO)
        .recreate_subscriptions(false)
        .session_timeout(u32::try_from(SESSION_LIFETIME.as_millis()).unwrap_or(u32::MAX))
        .channel_lifetime(CHANNEL_LIFETIME_MS)
        // A silent handshake is ended by `wire`, which keeps the session; a request that times out would lose it.
        .request_timeout(patience + TIMEOUT_MARGIN)
        .publish_timeout(PUBLISH_TIMEOUT)
        .max_array_length(ARRAY_MAX)
        .max_string_length(BYTES_MAX)
        .max_byte_string_length(BYTES_MAX)
        .max_message_size(BYTES_MAX)
        .max_chunk_count(CHUNKS_MAX)
        .client()
        .map_err(|errors| Trouble::new(StatusCode::BadConfigurationError, errors.join("; ")))
}

async fn endpoints(
    client: &Client,
    url: &str,
    host: &str,
    patience: Duration,
) -> Result<Vec<EndpointDescription>, Trouble> {
    if !url.starts_with("opc.tcp://") {
        let detail = format!("\"{url}\" is no endpoint that Lineside can speak to. Write opc.tcp://host:port/.");
        return Err(Trouble::new(StatusCode::BadTcpEndpointUrlInvalid, detail));
    }
    let wire = Wire::new(url, patience);
    match client.get_endpoints(wire.clone(), &[], &[]).await {
        Ok(offers) => Ok(offers),
        Err(error) => Err(match wire.failure() {
            Some((kind, text)) => words::unreachable(host, kind, &text),
            None if words::code(error.status()) == StatusCode::BadTimeout => {
                words::no_answer(host, "the question for its endpoints")
            }
            None => words::no_endpoints(host, &error),
        }),
    }
}

/// What is only noted about the certificate goes to the log; setup shows it.
async fn trusted(settings: &Settings, chosen: &EndpointDescription, host: &str) -> Result<(), Trouble> {
    let (settings, chosen, host) = (settings.clone(), chosen.clone(), host.to_string());
    blocking(move || {
        for note in pki::ensure_trusted(&settings, &chosen, &host)? {
            tracing::info!(host, note.name, "{}", note.what);
        }
        Ok(())
    })
    .await
}

async fn open(settings: &Settings, offer: Offer, identity: IdentityToken, patience: Duration) -> Result<Link, Failure> {
    let Offer { client, chosen, words } = offer;
    let security = endpoint::describe(&chosen);
    let wire = Wire::new(chosen.endpoint_url.as_ref(), patience);
    let (session, events) = client
        .session_builder()
        .connect_to_endpoint_directly(chosen.clone())
        .map(|builder| builder.user_identity_token(identity).with_connector(wire.clone()))
        .and_then(|builder| builder.build(client.certificate_store().clone()))
        .map_err(|error| {
            let text = format!("{} cannot be used: {error}.", words.host);
            Failure::refused(Trouble::new(error.status(), text))
        })?;
    let mut driver = Driver::start(events, wire.clone());
    match driver.next().await {
        Told::Up(_) => {
            let settings = settings.clone();
            Ok(Link { session, wire, security, settings, chosen, words, driver, down: None })
        }
        Told::Failed(status) | Told::Lost(status) => Err(Failure::of(&wire, status, &words)),
    }
}

/// Drives the protocol. After each loss it stands still until told to go on.
async fn drive(events: SessionEventLoop<Wire>, wire: Wire, mut going: mpsc::Receiver<()>, tell: mpsc::Sender<Told>) {
    let events = events.enter();
    tokio::pin!(events);
    loop {
        let told = match events.try_next().await {
            Ok(Some(SessionPollResult::Reconnected(mode))) => {
                wire.opened();
                let same = matches!(mode, SessionConnectMode::ReactivatedSession(_));
                Told::Up(if same { Revival::Same } else { Revival::New })
            }
            Ok(Some(SessionPollResult::ReconnectFailed(status))) => Told::Failed(status),
            Ok(Some(SessionPollResult::ConnectionLost(status))) => Told::Lost(status),
            Ok(Some(_)) => continue,
            Ok(None) | Err(_) => return,
        };
        let stands = matches!(told, Told::Up(_));
        if tell.send(told).await.is_err() || (!stands && going.recv().await.is_none()) {
            return;
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Trouble> + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Trouble::new(StatusCode::BadInternalError, format!("The certificates could not be checked: {error}.")))
    })
}
