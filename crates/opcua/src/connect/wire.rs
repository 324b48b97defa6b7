//! The TCP connection under the secure channel, and five things the library leaves to chance.
//!
//! It remembers why a connection could not be made (the library keeps only a status code). It keeps the
//! renewal of the security token on our own clock: the library compares the server's time of issue with
//! our clock, so on a plant whose clocks differ it would renew at every request, or never. It puts back the
//! session's nonce where a new channel overwrites it: without that no server accepts the re-activation of
//! a session on a new secured channel (OPC 10000-4 5.6.3.2). It ends a silent handshake. And it closes a
//! session that was made but refused to the user, which otherwise takes a place at the server with each attempt.

use crate::connect::frame::Bounded;
use opcua::client::ConnectionSource;
use opcua::client::transport::{
    Connector, OutgoingMessage, RequestRecv, SecureChannelState, StreamConnection, StreamConnector, StreamTransport,
    Transport, TransportConfiguration, TransportPollResult,
};
use opcua::core::RequestMessage;
use opcua::core::comms::tcp_codec::TcpCodec;
use opcua::core::comms::url::hostname_port_from_url;
use opcua::sync::Mutex;
use opcua::types::{
    ChannelSecurityToken, CloseSessionRequest, DateTime, DecodingOptions, EndpointDescription, Error, RequestHeader,
    StatusCode,
};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};
use tokio_util::codec::FramedRead;

/// A host that drops packets is given up after this, and tried again.
const TCP_TIMEOUT: Duration = Duration::from_secs(2);
/// A first name server may be down; the next one is asked within this.
const NAME_TIMEOUT: Duration = Duration::from_secs(6);
/// A server that accepted the connection says hello within this: that takes no cryptography.
const HELLO_TIMEOUT: Duration = Duration::from_secs(3);
/// The next address of a name is tried beside the first after this (RFC 8305).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);
/// Requests that may wait to be sent.
const REQUESTS_MAX: usize = 100_000;
const DEFAULT_PORT: u16 = 4840;

type Tcp = StreamConnection<Bounded<ReadHalf<TcpStream>>, WriteHalf<TcpStream>>;
type Stream = StreamTransport<Bounded<ReadHalf<TcpStream>>, WriteHalf<TcpStream>>;

/// Connects to one URL, one connection after the other. Clones share what they saw.
#[derive(Clone)]
pub(crate) struct Wire {
    url: String,
    /// The longest silence of a server during the handshake.
    patience: Duration,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    failure: Option<(ErrorKind, String)>,
    /// The session's server nonce, as it was before a channel overwrote it.
    nonce: Vec<u8>,
    /// Since when the handshake waits for a message; none before the server said hello, and once the session is
    /// open.
    waiting: Option<Instant>,
    /// The longest wait of the handshake that ended well.
    longest: Duration,
    hang_up: Arc<Notify>,
}

impl Wire {
    pub(crate) fn new(url: &str, patience: Duration) -> Wire {
        Wire { url: url.to_string(), patience, seen: Arc::default() }
    }

    /// Why the last TCP connection failed, if that is what failed.
    pub(crate) fn failure(&self) -> Option<(ErrorKind, String)> {
        self.seen.lock().failure.clone()
    }

    /// The handshake is over: from now on the watchdog judges silence.
    pub(crate) fn opened(&self) {
        self.seen.lock().waiting = None;
    }

    /// Did the server say hello and then not answer in time?
    pub(crate) fn was_slow(&self) -> bool {
        self.seen.lock().waiting.is_some_and(|since| since.elapsed() >= self.patience)
    }

    /// The longest that an answer of the last handshake took.
    pub(crate) fn longest(&self) -> Duration {
        self.seen.lock().longest
    }

    /// Drops the connection without a word to the server; its session stays there.
    pub(crate) fn hang_up(&self) {
        self.seen.lock().hang_up.notify_one();
    }

    /// The TCP connection, or why there is none.
    async fn open(&self, decoding: DecodingOptions) -> Result<Tcp, Error> {
        match connect(&self.url).await {
            Ok(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                let reader = FramedRead::new(Bounded::new(reader), TcpCodec::new(decoding));
                Ok(StreamConnection::new(reader, writer, self.url.clone()))
            }
            Err(error) => {
                self.seen.lock().failure = Some((error.kind(), error.to_string()));
                Err(Error::new(StatusCode::BadCommunicationError, error))
            }
        }
    }
}

/// Resolves the host and connects to the first of its addresses that answers.
async fn connect(url: &str) -> std::io::Result<TcpStream> {
    let (host, port) = hostname_port_from_url(url, DEFAULT_PORT)
        .map_err(|_status| std::io::Error::new(ErrorKind::NotFound, "the endpoint is not a valid URL"))?;
    let name = (host.trim_matches(['[', ']']).to_string(), port);
    let addresses = timeout(NAME_TIMEOUT, tokio::net::lookup_host(name))
        .await
        .map_err(|_elapsed| std::io::Error::new(ErrorKind::NotFound, "no name server answered"))?
        .map_err(|error| std::io::Error::new(ErrorKind::NotFound, error))?;
    let attempts: Vec<_> = (0..).zip(addresses).map(|(nth, address)| Box::pin(attempt(nth, address))).collect();
    if attempts.is_empty() {
        return Err(std::io::Error::new(ErrorKind::NotFound, "the name has no address"));
    }
    let (stream, _others) = timeout(TCP_TIMEOUT, futures::future::select_ok(attempts))
        .await
        .map_err(|_elapsed| std::io::Error::new(ErrorKind::TimedOut, "no answer"))??;
    // Publish requests are small and must not wait for one another.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn attempt(nth: u32, address: SocketAddr) -> std::io::Result<TcpStream> {
    tokio::time::sleep(NEXT_ADDRESS * nth).await;
    TcpStream::connect(address).await
}

impl Connector for Wire {
    type Transport = Watched;

    async fn connect(
        &self,
        channel: Arc<SecureChannelState>,
        outgoing: RequestRecv,
        config: TransportConfiguration,
    ) -> Result<Self::Transport, Error> {
        let hang_up = Arc::new(Notify::new());
        {
            let mut seen = self.seen.lock();
            *seen = Seen { nonce: std::mem::take(&mut seen.nonce), hang_up: hang_up.clone(), ..Seen::default() };
        }
        let decoding = channel.secure_channel().read().decoding_options();
        let tcp = Mutex::new(Some(self.open(decoding).await?));
        let taken = || tcp.lock().take().ok_or_else(|| Error::new(StatusCode::BadInternalError, "connected twice"));
        let connector = StreamConnector::new(|_url, _decoding| std::future::ready(taken()), self.url.clone());
        let (pass, passed) = mpsc::channel(REQUESTS_MAX);
        let inner = timeout(HELLO_TIMEOUT.min(self.patience), connector.connect(channel.clone(), passed, config))
            .await
            .map_err(|elapsed| Error::new(StatusCode::BadTimeout, elapsed))??;
        self.seen.lock().waiting = Some(Instant::now());
        Ok(Watched { inner, channel, hang_up, wire: self.clone(), outgoing, pass: Some(pass), made: Made::Nothing })
    }

    fn default_endpoint(&self) -> EndpointDescription {
        EndpointDescription::from(self.url.as_str())
    }
}

impl ConnectionSource for Wire {
    type Builder = Wire;

    fn get_connector(&self, _endpoint: &EndpointDescription) -> Result<Wire, Error> {
        Ok(self.clone())
    }
}

/// A connection that keeps an eye on its secure channel.
pub(crate) struct Watched {
    inner: Stream,
    channel: Arc<SecureChannelState>,
    hang_up: Arc<Notify>,
    wire: Wire,
    outgoing: RequestRecv,
    /// To `inner`; none when nobody sends any more.
    pass: Option<mpsc::Sender<OutgoingMessage>>,
    made: Made,
}

/// What was asked for on this channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Nothing,
    Session,
    /// A session that was made on this channel, and its activation.
    Activation,
}

/// Ends the session of `header`; nobody waits for the answer.
fn close_session(header: &RequestHeader) -> OutgoingMessage {
    let request = CloseSessionRequest { request_header: header.clone(), delete_subscriptions: true };
    OutgoingMessage {
        request: request.into(),
        callback: None,
        deadline: std::time::Instant::now() + TCP_TIMEOUT,
        span: tracing::Span::none(),
    }
}

impl Transport for Watched {
    // Safe to cancel: what follows an await runs in the same poll.
    async fn poll(&mut self) -> TransportPollResult {
        let (token, waiting) = self.before();
        let deadline = async {
            match waiting {
                Some(since) => tokio::time::sleep_until(since + self.wire.patience).await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            result = self.inner.poll() => result,
            request = self.outgoing.recv(), if self.pass.is_some() => {
                self.pass_on(request);
                TransportPollResult::OutgoingMessage
            }
            () = deadline => TransportPollResult::Closed(StatusCode::BadTimeout),
            () = self.hang_up.notified() => TransportPollResult::Closed(StatusCode::BadConnectionClosed),
        };
        self.after(token, &result);
        result
    }

    fn connected_url(&self) -> &str {
        self.inner.connected_url()
    }
}

impl Watched {
    /// Passes a request on, with what must go before it.
    fn pass_on(&mut self, request: Option<OutgoingMessage>) {
        let Some(request) = request else {
            self.pass = None;
            return;
        };
        match (&request.request, self.made) {
            (RequestMessage::CreateSession(_), _) => self.made = Made::Session,
            (RequestMessage::ActivateSession(_), Made::Session) => self.made = Made::Activation,
            (RequestMessage::CloseSecureChannel(close), Made::Activation)
                if self.wire.seen.lock().waiting.is_some() =>
            {
                self.send(close_session(&close.request_header));
            }
            _ => {}
        }
        self.send(request);
    }

    fn send(&self, request: OutgoingMessage) {
        // Where the request cannot be sent its callback is dropped, which fails it.
        if self.pass.as_ref().is_some_and(|pass| pass.try_send(request).is_err()) {
            tracing::warn!("a request could not be sent: too many wait");
        }
    }

    /// The token in use, and since when the handshake waits. Notes the session's nonce.
    fn before(&self) -> (u32, Option<Instant>) {
        let channel = self.channel.secure_channel().read();
        let mut seen = self.wire.seen.lock();
        let token = channel.token_id();
        if token != 0 && channel.remote_nonce() != seen.nonce {
            seen.nonce = channel.remote_nonce().to_vec();
        }
        (token, seen.waiting)
    }

    /// Where a token was issued: puts it on our clock, and the session's nonce back.
    fn after(&self, token: u32, result: &TransportPollResult) {
        let mut channel = self.channel.secure_channel().write();
        let mut seen = self.wire.seen.lock();
        if matches!(result, TransportPollResult::IncomingMessage) {
            seen.longest = seen.waiting.map_or(seen.longest, |since| seen.longest.max(since.elapsed()));
            seen.waiting = seen.waiting.map(|_before| Instant::now());
        }
        if channel.token_id() == token {
            return;
        }
        let issued = ChannelSecurityToken {
            channel_id: channel.secure_channel_id(),
            token_id: channel.token_id(),
            created_at: DateTime::now(),
            revised_lifetime: channel.token_lifetime(),
        };
        channel.set_security_token(issued);
        // The keys of the channel are derived already; from here on only signatures use the nonce.
        if !seen.nonce.is_empty() {
            channel.set_remote_nonce(&seen.nonce);
        }
    }
}
