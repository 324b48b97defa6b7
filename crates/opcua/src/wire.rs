//! The TCP connection under the secure channel, and two things the library leaves to chance.
//!
//! It remembers why a connection could not be made (the library keeps only a status code), and it keeps the
//! renewal of the security token on our own clock: the library compares the server's time of issue with
//! our clock, so on a plant whose clocks differ it would renew at every request, or never.

use opcua::client::ConnectionSource;
use opcua::client::transport::{
    Connector, RequestRecv, SecureChannelState, StreamConnection, StreamConnector, StreamTransport,
    TransportConfiguration,
};
use opcua::core::comms::tcp_codec::TcpCodec;
use opcua::core::comms::url::hostname_port_from_url;
use opcua::sync::Mutex;
use opcua::types::{ChannelSecurityToken, DateTime, DecodingOptions, EndpointDescription, Error, StatusCode};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_util::codec::FramedRead;

/// A host that does not answer at all is given up after this.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_PORT: u16 = 4840;

type Tcp = StreamConnection<ReadHalf<TcpStream>, WriteHalf<TcpStream>>;

/// Connects to one URL. Clones share what they saw.
#[derive(Clone)]
pub(crate) struct Wire {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    failure: Option<(ErrorKind, String)>,
    channel: Option<Arc<SecureChannelState>>,
    token: Option<u32>,
}

impl Wire {
    pub(crate) fn new(url: &str) -> Wire {
        Wire { url: url.to_string(), seen: Arc::default() }
    }

    /// Why the last TCP connection failed, if that is what failed.
    pub(crate) fn failure(&self) -> Option<(ErrorKind, String)> {
        self.seen.lock().failure.clone()
    }

    /// Puts a newly issued security token on our clock. Cheap when there is none: call it often.
    pub(crate) fn keep_token_on_our_clock(&self) {
        let mut seen = self.seen.lock();
        let Some(channel) = seen.channel.clone() else {
            return;
        };
        let token = channel.secure_channel().read().token_id();
        if seen.token == Some(token) || token == 0 {
            return;
        }
        seen.token = Some(token);
        let mut channel = channel.secure_channel().write();
        let issued = ChannelSecurityToken {
            channel_id: channel.secure_channel_id(),
            token_id: channel.token_id(),
            created_at: DateTime::now(),
            revised_lifetime: channel.token_lifetime(),
        };
        channel.set_security_token(issued);
    }

    async fn open(self, url: String, decoding: DecodingOptions) -> Result<Tcp, Error> {
        match connect(&url).await {
            Ok(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                Ok(StreamConnection::new(FramedRead::new(reader, TcpCodec::new(decoding)), writer, url))
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
    let attempt = async {
        let addresses: Vec<_> = tokio::net::lookup_host((host.trim_matches(['[', ']']).to_string(), port))
            .await
            .map_err(|error| std::io::Error::new(ErrorKind::NotFound, error))?
            .collect();
        let mut last = std::io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    let stream = tokio::time::timeout(TCP_TIMEOUT, attempt)
        .await
        .map_err(|_elapsed| std::io::Error::new(ErrorKind::TimedOut, "no answer"))??;
    // Publish requests are small and must not wait for one another.
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connector for Wire {
    type Transport = StreamTransport<ReadHalf<TcpStream>, WriteHalf<TcpStream>>;

    async fn connect(
        &self,
        channel: Arc<SecureChannelState>,
        outgoing: RequestRecv,
        config: TransportConfiguration,
    ) -> Result<Self::Transport, Error> {
        *self.seen.lock() = Seen { channel: Some(channel.clone()), ..Seen::default() };
        let open = |url, decoding| self.clone().open(url, decoding);
        StreamConnector::new(open, self.url.clone()).connect(channel, outgoing, config).await
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
