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
        () = pass(from_client, to_server, up) => {}
        () = pass(from_server, to_client, down) => {}
        _ = cable.wait_for(|cable| *cable == Cable::Cut) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cable: watch::Receiver<Cable>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let whole = cable.wait_for(|cable| *cable == Cable::Whole).await.is_ok();
        if !whole || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
