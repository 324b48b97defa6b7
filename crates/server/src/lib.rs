//! The api over HTTP and WebSocket, on loopback only: for a browser on this computer, and for tests.
//!
//! One message each way per request. A text message `{id, name, request}` is answered by a text message
//! `{id, ok}` or `{id, error}`; the name `frame` is answered by a binary message: the id as u32, four
//! zero bytes, then the frame (`docs/FRAME.md`). A binary message to us is a piece of an import and is answered by text.
//! `GET /exports/NAME` is a file that an export wrote.

mod exports;
mod files;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lineside_api::Api;
use lineside_api::commands::PIECE_MAX;
use lineside_api::wire::{ApiError, ErrorCode};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Request id, import and offset in front of a piece.
const PIECE_HEADER: usize = 16;
/// A message of a screen is a few kilobytes, or a piece of an import; nothing honest is larger than this.
const MESSAGE_MAX: usize = PIECE_HEADER + PIECE_MAX;

/// Requests of one page under way; the next is read when one of them is answered. The api refuses more slow ones than a
/// few, so that there is always room for a frame.
const REQUESTS_MAX: usize = 32;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("port {0} is taken by another program; choose another with --port, or 0 to let the system choose")]
    PortTaken(u16),
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen { port: u16, source: io::Error },
}

/// A port on loopback, not yet served.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

/// Takes a port; 0 lets the system choose.
pub async fn listen(port: u16) -> Result<Listening, ListenError> {
    let listen = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::PortTaken(port),
        _ => ListenError::Listen { port, source },
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok(Listening { listener, address })
}

impl Listening {
    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves the UI in `ui` and the api until `until` is done.
    pub async fn serve(
        self,
        api: Arc<Api>,
        ui: PathBuf,
        until: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let app = Router::new()
            .route("/ws", get(upgrade))
            .route("/exports/{name}", get(exports::serve))
            .with_state(api)
            .fallback_service(files::service(ui))
            .layer(middleware::from_fn(own_pages_only));
        axum::serve(self.listener, app).with_graceful_shutdown(until).await
    }
}

/// Refuses requests that another site's page sends here (DNS rebinding, cross-site WebSocket).
async fn own_pages_only(request: Request, next: Next) -> Response {
    if is_local(request.headers(), header::HOST, "") && is_local(request.headers(), header::ORIGIN, "http://") {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "only pages of this computer may ask").into_response()
    }
}

/// Is the header absent, or does it name this computer?
fn is_local(headers: &HeaderMap, name: header::HeaderName, scheme: &str) -> bool {
    let Some(value) = headers.get(name) else { return true };
    let host = value.to_str().ok().and_then(|text| text.strip_prefix(scheme));
    host.is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost")
    })
}

async fn upgrade(State(api): State<Arc<Api>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(MESSAGE_MAX).on_upgrade(|socket| converse(socket, api))
}

/// Answers each request when its answer is there: a slow one holds up neither frames nor other requests.
async fn converse(mut socket: WebSocket, api: Arc<Api>) {
    let mut under_way: JoinSet<Message> = JoinSet::new();
    loop {
        tokio::select! {
            received = socket.recv(), if under_way.len() < REQUESTS_MAX => match received {
                Some(Ok(Message::Text(text))) => {
                    let api = Arc::clone(&api);
                    // A frame may be held until there is news, and a server may take its time.
                    under_way.spawn_blocking(move || answer(&api, &text));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    let api = Arc::clone(&api);
                    under_way.spawn_blocking(move || piece(&api, &bytes));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            Some(answered) = under_way.join_next() => {
                let Ok(answer) = answered else { return };
                if socket.send(answer).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Asked {
    id: u32,
    name: String,
    #[serde(default)]
    request: serde_json::Value,
}

fn answer(api: &Api, text: &str) -> Message {
    match serde_json::from_str::<Asked>(text) {
        Ok(asked) if asked.name == "frame" => frame(api, asked),
        Ok(asked) => said(asked.id, api.call(&asked.name, asked.request)),
        Err(error) => said(0, Err(bad_request(&error))),
    }
}

fn frame(api: &Api, asked: Asked) -> Message {
    let request = serde_json::from_value(asked.request).map_err(|error| bad_request(&error));
    match request.and_then(|request| api.frame(&request)) {
        Ok(frame) => {
            let mut bytes = Vec::with_capacity(frame.len() + 8);
            bytes.extend_from_slice(&asked.id.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&frame);
            Message::Binary(bytes.into())
        }
        Err(error) => said(asked.id, Err(error)),
    }
}

/// `[u32 request id][u32 import][u64 offset][bytes]`, little-endian.
fn piece(api: &Api, message: &[u8]) -> Message {
    let Some((header, bytes)) = message.split_first_chunk::<PIECE_HEADER>() else {
        return said(
            0,
            Err(ApiError { code: ErrorCode::BadRequest, message: "a piece without its header".to_owned() }),
        );
    };
    let numbers = u128::from_le_bytes(*header);
    let (id, import, offset) = (numbers as u32, (numbers >> 32) as u32, (numbers >> 64) as u64);
    said(id, api.put(import, offset, bytes).map(|()| serde_json::Value::Null))
}

fn said(id: u32, outcome: Result<serde_json::Value, ApiError>) -> Message {
    let body = match outcome {
        Ok(ok) => serde_json::json!({ "id": id, "ok": ok }),
        Err(error) => serde_json::json!({ "id": id, "error": error }),
    };
    Message::Text(body.to_string().into())
}

fn bad_request(error: &serde_json::Error) -> ApiError {
    ApiError { code: ErrorCode::BadRequest, message: error.to_string() }
}
