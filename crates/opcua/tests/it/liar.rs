//! A man in the middle for channels without security: it passes a real server's messages on, and changes the
//! answers of the services that a test says. It counts what the client asks for.
//!
//! Messages are decoded whole and numbered anew in both directions, because some requests never reach the server
//! and some answers are longer than the server's own.

use futures::StreamExt;
use opcua::core::{Message, RequestMessage, ResponseMessage};
use opcua::types::{
    BinaryDecodable, BinaryEncodable, ContextOwned, DecodingOptions, NamespaceMap, NodeId, PublishResponse,
    ResponseHeader, ServiceFault, StatusCode,
};
use std::collections::{BTreeMap, VecDeque};
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

/// Type, size, channel, token, sequence number and request id.
const HEADER: usize = 24;
/// Both sides take chunks of 64 kB.
const BODY_MAX: usize = 60_000;

/// A service call, before the server is asked (no `answer` yet) and once it has answered.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a RequestMessage,
    pub(crate) answer: Option<&'a ResponseMessage>,
    /// So many lies were told before.
    pub(crate) nth: u32,
    /// The subscription that was made last.
    pub(crate) subscription: u32,
    /// The last answer to a Publish request with data.
    pub(crate) published: Option<&'a PublishResponse>,
}

/// What the client is told instead; none: the truth.
pub(crate) type Lie = fn(&Call<'_>) -> Option<ResponseMessage>;

impl Call<'_> {
    /// The header of a good answer.
    pub(crate) fn good(&self) -> ResponseHeader {
        ResponseHeader::new_good(self.request.request_header())
    }

    /// The service fails with `status`.
    pub(crate) fn fault(&self, status: StatusCode) -> ResponseMessage {
        let response_header = ResponseHeader::new_service_result(self.request.request_header(), status);
        ServiceFault { response_header }.into()
    }
}

/// Passes messages between clients and one server.
pub(crate) struct Liar {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Connections end when it changes.
    cut: watch::Sender<u32>,
}

#[derive(Default)]
struct State {
    lie: Option<Lie>,
    told: u32,
    loses_session: bool,
    subscription: u32,
    published: Option<PublishResponse>,
    asked: Asked,
}

/// What clients asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// By service.
    pub(crate) all: BTreeMap<&'static str, u32>,
    /// In the busiest second.
    pub(crate) busiest: usize,
    recent: VecDeque<Instant>,
}

impl Asked {
    fn note(&mut self, request: &RequestMessage) {
        let now = Instant::now();
        *self.all.entry(request.type_name()).or_default() += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| now - *first > Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        self.busiest = self.busiest.max(self.recent.len());
    }
}

impl Liar {
    pub(crate) fn start(runtime: &Runtime, server_port: u16) -> Liar {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let shared = Arc::<Shared>::default();
        runtime.spawn(accept(listener, SocketAddr::from(([127, 0, 0, 1], server_port)), shared.clone()));
        Liar { port, shared }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("opc.tcp://127.0.0.1:{}/", self.port)
    }

    /// From now on clients are told `lie`, and what they ask for is counted.
    pub(crate) fn lie(&self, lie: Lie) {
        let mut state = self.shared.lock();
        (state.lie, state.told, state.asked) = (Some(lie), 0, Asked::default());
    }

    /// From now on clients are told the truth. Returns what they asked for during the lie.
    pub(crate) fn repent(&self) -> Asked {
        let mut state = self.shared.lock();
        state.lie = None;
        std::mem::take(&mut state.asked)
    }

    /// How often the lie was told.
    pub(crate) fn told(&self) -> u32 {
        self.shared.lock().told
    }

    /// Ends all connections; new ones are taken at once. `session`: the next session that is to go on over a new
    /// channel is said to be unknown.
    pub(crate) fn cut(&self, session: bool) {
        self.shared.lock().loses_session = session;
        self.shared.cut.send_modify(|cut| *cut += 1);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test fails while it holds this")
    }

    /// The lie for a request, or for its answer.
    fn told(&self, request: &RequestMessage, answer: Option<&ResponseMessage>) -> Option<ResponseMessage> {
        let mut state = self.lock();
        match answer {
            None => state.asked.note(request),
            Some(ResponseMessage::CreateSubscription(made)) => state.subscription = made.subscription_id,
            Some(ResponseMessage::Publish(published)) if published.notification_message.notification_data.is_some() => {
                state.published = Some((**published).clone());
            }
            Some(_) => {}
        }
        let (nth, subscription, published) = (state.told, state.subscription, state.published.as_ref());
        let call = Call { request, answer, nth, subscription, published };
        if matches!(request, RequestMessage::ActivateSession(_)) && state.loses_session {
            let fault = call.fault(StatusCode::BadSessionIdInvalid);
            state.loses_session = false;
            return Some(fault);
        }
        let lie = state.lie?(&call)?;
        state.told += 1;
        Some(lie)
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(join(client, server, shared.clone()));
    }
}

fn frames(from: OwnedReadHalf) -> FramedRead<OwnedReadHalf, LengthDelimitedCodec> {
    let codec = LengthDelimitedCodec::builder()
        .little_endian()
        .length_field_offset(4)
        .length_field_length(4)
        .num_skip(0)
        .max_frame_length(1 << 27)
        .new_codec();
    FramedRead::new(from, codec)
}

/// One connection, until either side or the test ends it.
async fn join(client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let mut cut = shared.cut.subscribe();
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (mut from_client, mut from_server) = (frames(from_client), frames(from_server));
    let mut relay =
        Relay { shared, to_client: Out::new(to_client), to_server: Out::new(to_server), open: BTreeMap::new() };
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    loop {
        let sent = tokio::select! {
            Some(Ok(frame)) = from_client.next() => match whole(&mut request, &frame) {
                Whole::Other => relay.to_server.pass(&frame).await,
                Whole::Part => Ok(()),
                Whole::Message(head, body) => relay.request(head, &body).await,
            },
            Some(Ok(frame)) = from_server.next() => match whole(&mut answer, &frame) {
                Whole::Other => relay.to_client.pass(&frame).await,
                Whole::Part => Ok(()),
                Whole::Message(head, body) => relay.answer(head, &body).await,
            },
            _ = cut.changed() => return,
            else => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Channel and token, and the id of the request.
type Head = ([u8; 8], u32);

enum Whole {
    /// No message of a service.
    Other,
    Part,
    Message(Head, Vec<u8>),
}

/// Gathers the chunks of a message. Neither side of these tests sends the chunks of two messages mixed.
fn whole(body: &mut Vec<u8>, frame: &[u8]) -> Whole {
    if !frame.starts_with(b"MSG") || frame.len() < HEADER {
        return Whole::Other;
    }
    body.extend_from_slice(&frame[HEADER..]);
    match frame[3] {
        b'C' => Whole::Part,
        _ => {
            let head = (frame[8..16].try_into().expect("8 bytes"), number(&frame[20..]));
            Whole::Message(head, std::mem::take(body))
        }
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().expect("4 bytes"))
}

struct Relay {
    shared: Arc<Shared>,
    to_client: Out,
    to_server: Out,
    /// Requests without an answer, by id.
    open: BTreeMap<u32, RequestMessage>,
}

impl Relay {
    async fn request(&mut self, head: Head, body: &[u8]) -> std::io::Result<()> {
        let Some(request) = decode::<RequestMessage>(body) else {
            return self.to_server.send(head, body).await;
        };
        if let Some(lie) = self.shared.told(&request, None) {
            return self.to_client.send(head, &encode(&lie)).await;
        }
        self.open.insert(head.1, request);
        self.to_server.send(head, body).await
    }

    async fn answer(&mut self, head: Head, body: &[u8]) -> std::io::Result<()> {
        let request = self.open.remove(&head.1);
        let answer = decode::<ResponseMessage>(body);
        let lie = request.zip(answer).and_then(|(request, answer)| self.shared.told(&request, Some(&answer)));
        match lie {
            Some(lie) => self.to_client.send(head, &encode(&lie)).await,
            None => self.to_client.send(head, body).await,
        }
    }
}

/// One direction, with chunks numbered anew.
struct Out {
    to: OwnedWriteHalf,
    next: Option<u32>,
}

impl Out {
    fn new(to: OwnedWriteHalf) -> Out {
        Out { to, next: None }
    }

    async fn send(&mut self, (channel, request): Head, body: &[u8]) -> std::io::Result<()> {
        let last = body.len().div_ceil(BODY_MAX).max(1);
        for (part, body) in (1..).zip(body.chunks(BODY_MAX)) {
            let mut chunk = Vec::with_capacity(HEADER + body.len());
            chunk.extend_from_slice(if part == last { b"MSGF" } else { b"MSGC" });
            chunk.extend_from_slice(&u32::try_from(HEADER + body.len()).expect("a small chunk").to_le_bytes());
            chunk.extend_from_slice(&channel);
            chunk.extend_from_slice(&self.number(0).to_le_bytes());
            chunk.extend_from_slice(&request.to_le_bytes());
            chunk.extend_from_slice(body);
            self.to.write_all(&chunk).await?;
        }
        Ok(())
    }

    /// Passes a frame on that is no message of a service; those that open and close the channel are numbered too.
    async fn pass(&mut self, frame: &[u8]) -> std::io::Result<()> {
        let mut frame = frame.to_vec();
        let at = match &frame[..3] {
            b"OPN" => Some((0..3).fold(12, |at, _field| at + 4 + length(&frame[at..]))),
            b"CLO" => Some(16),
            _ => None,
        };
        if let Some(at) = at {
            let number = self.number(number(&frame[at..]));
            frame[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        self.to.write_all(&frame).await
    }

    /// The next number; `first` is the first one of the connection.
    fn number(&mut self, first: u32) -> u32 {
        let number = self.next.unwrap_or(first);
        self.next = Some(number + 1);
        number
    }
}

/// The length of an encoded byte string; -1 is a null.
fn length(bytes: &[u8]) -> usize {
    i32::from_le_bytes(bytes[..4].try_into().expect("4 bytes")).max(0).unsigned_abs() as usize
}

fn context() -> ContextOwned {
    let options = DecodingOptions { max_array_length: 2_000_000, ..DecodingOptions::default() };
    ContextOwned::new_default(NamespaceMap::default(), options)
}

/// None where the library does not know the message.
fn decode<T: Message>(body: &[u8]) -> Option<T> {
    let (mut stream, context) = (Cursor::new(body), context());
    let id = NodeId::decode(&mut stream, &context.context()).ok()?.as_object_id().ok()?;
    T::decode_by_object_id(&mut stream, id, &context.context()).ok()
}

fn encode(message: &ResponseMessage) -> Vec<u8> {
    let (mut body, context) = (Vec::new(), context());
    message.type_id().encode(&mut body, &context.context()).expect("a node id");
    message.encode(&mut body, &context.context()).expect("a message of the library");
    body
}
