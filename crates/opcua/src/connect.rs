//! From an endpoint URL to an active session: endpoints, choice, trust, channel, session.
//!
//! One attempt, every step with a deadline, every failure in words. The library's own retries and its
//! recreation of subscriptions are off: the ladder is `supervise`'s (its retries end after ten, and its
//! recreation ignores what the server answers).

use crate::pki::{self, Folders, OwnCertificate};
use crate::wire::Wire;
use crate::words::Trouble;
use crate::{Settings, endpoint, identity, words};
use futures::TryStreamExt;
use lineside_model::config::Connection;
use opcua::client::{Client, ClientBuilder, IdentityToken, Session, SessionEventLoop, SessionPollResult};
use opcua::types::{EndpointDescription, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// GetEndpoints on a connected TCP stream.
const ENDPOINTS_TIMEOUT: Duration = Duration::from_secs(10);
/// Channel and session, with RSA on a slow controller.
const SESSION_TIMEOUT: Duration = Duration::from_secs(20);
/// Answers to single requests, creation of items included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// A parked Publish request outlives every keep-alive by far; the watchdog acts long before.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);
/// A session that lost its connection frees its place at the server after this.
const SESSION_LIFETIME_MS: u32 = 60_000;
/// Long, because each renewal costs RSA on both sides.
const CHANNEL_LIFETIME_MS: u32 = 3_600_000;

/// The library's defaults (1,000 elements, 320 kB, 5 chunks) close the connection at a large notification.
const ARRAY_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 64 * 1024 * 1024;
const CHUNKS_MAX: usize = 4_096;

/// An active session and the task that drives it.
pub(crate) struct Link {
    pub(crate) session: Arc<Session>,
    pub(crate) wire: Wire,
    /// `Basic256Sha256/SignAndEncrypt`.
    pub(crate) security: String,
    driver: Driver,
}

/// The task that moves bytes; it ends with the connection, and with this value.
struct Driver(JoinHandle<StatusCode>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Waits until the connection is lost.
    pub(crate) async fn lost(&mut self) -> StatusCode {
        match (&mut self.driver.0).await {
            Ok(status) => status,
            Err(error) => {
                tracing::error!(%error, "the OPC UA protocol task failed");
                StatusCode::BadInternalError
            }
        }
    }

    /// Closes the session and deletes its subscriptions, as far as the server answers within `patience`.
    pub(crate) async fn close(self, patience: Duration) {
        if tokio::time::timeout(patience, self.session.disconnect()).await.is_err() {
            tracing::debug!("the server did not confirm the end of the session");
        }
    }
}

/// One attempt to connect.
pub(crate) async fn connect(settings: &Settings, connection: &Connection) -> Result<Link, Trouble> {
    let host = endpoint::authority(&connection.endpoint);
    let (own, identity) = {
        let (settings, connection) = (settings.clone(), connection.clone());
        blocking(move || {
            let own = pki::own(&settings).map_err(|error| pki::own_trouble(&error))?;
            Ok((own, identity::token(&settings, &connection)?))
        })
        .await?
    };
    let client = client(settings, &own)?;
    let offers = endpoints(&client, &connection.endpoint, host).await?;
    let chosen = endpoint::choose(&offers, connection)?;
    if endpoint::is_secured(&chosen) {
        trusted(settings, &chosen, host).await?;
    }
    open(&client, connection, chosen, identity, &own).await
}

fn client(settings: &Settings, own: &OwnCertificate) -> Result<Client, Trouble> {
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
        .session_retry_limit(0)
        .recreate_subscriptions(false)
        .session_timeout(SESSION_LIFETIME_MS)
        .channel_lifetime(CHANNEL_LIFETIME_MS)
        .request_timeout(REQUEST_TIMEOUT)
        .publish_timeout(PUBLISH_TIMEOUT)
        .max_array_length(ARRAY_MAX)
        .max_string_length(BYTES_MAX)
        .max_byte_string_length(BYTES_MAX)
        .max_message_size(BYTES_MAX)
        .max_chunk_count(CHUNKS_MAX)
        .client()
        .map_err(|errors| Trouble::new(StatusCode::BadConfigurationError, errors.join("; ")))
}

async fn endpoints(client: &Client, url: &str, host: &str) -> Result<Vec<EndpointDescription>, Trouble> {
    if !url.starts_with("opc.tcp://") {
        let detail = format!("\"{url}\" is no endpoint that Lineside can speak to. Write opc.tcp://host:port/.");
        return Err(Trouble::new(StatusCode::BadTcpEndpointUrlInvalid, detail));
    }
    let wire = Wire::new(url);
    match tokio::time::timeout(ENDPOINTS_TIMEOUT, client.get_endpoints(wire.clone(), &[], &[])).await {
        Ok(Ok(offers)) => Ok(offers),
        Ok(Err(error)) => Err(match wire.failure() {
            Some((kind, text)) => words::unreachable(host, kind, &text),
            None => words::no_endpoints(host, &error),
        }),
        Err(_) => Err(words::no_answer(host, "the question for its endpoints")),
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

async fn open(
    client: &Client,
    connection: &Connection,
    chosen: EndpointDescription,
    identity: IdentityToken,
    own: &OwnCertificate,
) -> Result<Link, Trouble> {
    let host = endpoint::authority(&connection.endpoint);
    let (security, secured) = (endpoint::describe(&chosen), endpoint::is_secured(&chosen));
    let wire = Wire::new(chosen.endpoint_url.as_ref());
    let (session, events) = client
        .session_builder()
        .connect_to_endpoint_directly(chosen)
        .map(|builder| builder.user_identity_token(identity).with_connector(wire.clone()))
        .and_then(|builder| builder.build(client.certificate_store().clone()))
        .map_err(|error| Trouble::new(error.status(), format!("{host} cannot be used: {error}.")))?;
    let (up, opened) = oneshot::channel();
    let driver = Driver(tokio::spawn(drive(events, up)));
    let refused = |status| match wire.failure() {
        Some((kind, text)) => words::unreachable(host, kind, &text),
        None => words::no_session(host, status, secured, own, &connection.user),
    };
    match tokio::time::timeout(SESSION_TIMEOUT, opened).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(status))) => return Err(refused(status)),
        Ok(Err(_)) => return Err(refused(StatusCode::BadInternalError)),
        Err(_) => return Err(refused(StatusCode::BadTimeout)),
    }
    wire.keep_token_on_our_clock();
    Ok(Link { session, wire, security, driver })
}

/// Drives the protocol until the connection is lost; says on `up` whether the session was opened.
async fn drive(events: SessionEventLoop<Wire>, up: oneshot::Sender<Result<(), StatusCode>>) -> StatusCode {
    let events = events.enter();
    tokio::pin!(events);
    let mut up = Some(up);
    loop {
        let (opened, ended) = match events.try_next().await {
            Ok(Some(SessionPollResult::Reconnected(_))) => (Some(Ok(())), None),
            Ok(Some(SessionPollResult::ConnectionLost(status))) => (None, Some(status)),
            Ok(Some(_)) => (None, None),
            Ok(None) => (None, Some(StatusCode::Good)),
            Err(status) => (Some(Err(status)), Some(status)),
        };
        if let (Some(opened), Some(up)) = (opened, up.take_if(|_| opened.is_some()))
            && up.send(opened).is_err()
        {
            return StatusCode::BadRequestCancelledByClient;
        }
        if let Some(status) = ended {
            return status;
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Trouble> + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Trouble::new(StatusCode::BadInternalError, format!("The certificates could not be checked: {error}.")))
    })
}
