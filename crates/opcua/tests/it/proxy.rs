//! A cable that can be cut, and a network that swallows packets: TCP between client and server.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What the cable does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cable {
    Whole,
    /// Connections stay open, nothing passes; what was sent passes later.
    Stalled,
    /// Connections are closed, and new ones at once.
    Cut,
    /// What the server sends is overwritten.
    Garbage,
    /// The server's next message ends in its middle, and so does the connection.
    Torn,
}

/// Passes bytes to a server.
pub(crate) struct Proxy {
    port: u16,
    cable: watch::Sender<Cable>,
}

impl Proxy {
    pub(crate) fn start(runtime: &Runtime, server_port: u16) -> Proxy {
        let (cable, seen) = watch::channel(Cable::Whole);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        runtime.spawn(accept(listener, SocketAddr::from(([127, 0, 0, 1], server_port)), seen));
        Proxy { port, cable }
    }

    /// Where clients connect to, on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, cable: Cable) {
        self.cable.send_replace(cable);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, cable: watch::Receiver<Cable>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(join(client, server, cable.clone()));
    }
}

/// One connection, until either side or the cable ends it.
async fn join(client: TcpStream, server: SocketAddr, mut cable: watch::Receiver<Cable>) {
    if *cable.borrow() == Cable::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (up, down) = (cable.clone(), cable.clone());
    tokio::select! {
        () = pass(from_client, to_server, up, false) => {}
        () = pass(from_server, to_client, down, true) => {}
        _ = cable.wait_for(|cable| *cable == Cable::Cut) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cable: watch::Receiver<Cable>, faulty: bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let Ok(cable) = cable.wait_for(|cable| *cable != Cable::Stalled).await.map(|cable| *cable) else { return };
        let message = &mut buffer[..length];
        let sent = match cable {
            Cable::Garbage if faulty => {
                message.fill(0xA5);
                to.write_all(message).await
            }
            Cable::Torn if faulty => {
                // The reader sees the end, or an error, right after it.
                return to.write_all(&message[..length / 2]).await.unwrap_or_default();
            }
            Cable::Cut => return,
            _ => to.write_all(message).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
