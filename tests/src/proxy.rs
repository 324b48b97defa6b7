//! A network between client and server that can be hurt: cut, stalled, slow, dirty, or dead without a word.
//!
//! A fault lasts until the next [`Proxy::set`]. Some hit only the connections that stand at that moment, so
//! that the next attempt of the client succeeds.

use crate::hostile::{self, Hostile};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const BUFFER: usize = 64 * 1024;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cable {
    Whole,
    /// Connections are closed, and new ones at once.
    Cut,
    /// Connections stay open, nothing passes this way (both ways for `None`); what was sent passes later.
    Stalled(Option<Way>),
    /// Everything takes so much longer, each way.
    Slow(Duration),
    /// The next message to the client ends in its middle, and the connection with it.
    CutInMessage,
    /// The next bytes this way are random ones.
    Garbage(Way),
    /// The connections that stand carry nothing any more and are never closed; new ones are whole.
    HalfOpen,
    /// This share of all buffers to the client has some bytes changed, by a generator with this seed.
    Mutated {
        share: f64,
        seed: u64,
    },
    /// Connections are closed, and new ones get to a server that does harm.
    Hostile(Hostile),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToClient,
    ToServer,
}

/// A fault, and how many connections had been made when it began.
#[derive(Clone, Copy)]
struct Now {
    cable: Cable,
    connections: u64,
}

/// Passes bytes to a server.
pub struct Proxy {
    port: u16,
    now: watch::Sender<Now>,
    connections: Arc<AtomicU64>,
}

impl Proxy {
    /// A whole network to a server on loopback.
    pub fn start(runtime: &Runtime, server_port: u16) -> Proxy {
        let (now, seen) = watch::channel(Now { cable: Cable::Whole, connections: 0 });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let connections = Arc::new(AtomicU64::new(0));
        let server = SocketAddr::from(([127, 0, 0, 1], server_port));
        runtime.spawn(accept(listener, server, seen, connections.clone()));
        Proxy { port, now, connections }
    }

    /// Where clients connect to, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, cable: Cable) {
        let connections = self.connections.load(Ordering::SeqCst);
        self.now.send_replace(Now { cable, connections });
    }

    /// Connections that clients made so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, now: watch::Receiver<Now>, connections: Arc<AtomicU64>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(join(client, server, now.clone(), number));
    }
}

/// One connection, until either side or the network ends it.
async fn join(client: TcpStream, server: SocketAddr, mut now: watch::Receiver<Now>, number: u64) {
    let cable = now.borrow().cable;
    match cable {
        Cable::Cut => return,
        Cable::Hostile(how) => {
            tokio::select! {
                () = hostile::serve(client, how) => {}
                _ = now.wait_for(|now| now.cable != cable) => {}
            }
            return;
        }
        _ => {}
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let up = Pass { way: Way::ToServer, number, now: now.clone(), done: None };
    let down = Pass { way: Way::ToClient, number, now: now.clone(), done: None };
    tokio::select! {
        () = up.run(from_client, to_server) => {}
        () = down.run(from_server, to_client) => {}
        _ = now.wait_for(|now| matches!(now.cable, Cable::Cut | Cable::Hostile(_))) => {}
    }
}

/// One direction of one connection.
struct Pass {
    way: Way,
    number: u64,
    now: watch::Receiver<Now>,
    /// The fault that was done already, of those that are done once.
    done: Option<Cable>,
}

/// What becomes of a buffer.
enum Fate {
    Pass,
    /// Pass so many bytes, then close.
    End(usize),
    Swallow,
}

impl Pass {
    async fn run(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut random = ChaCha8Rng::seed_from_u64(self.number);
        let mut buffer = vec![0; BUFFER];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let bytes = &mut buffer[..length];
            let (passed, goes_on) = match self.fate(bytes, &mut random).await {
                Fate::Pass => (length, true),
                Fate::End(part) => (part, false),
                Fate::Swallow => (0, true),
            };
            if to.write_all(&buffer[..passed]).await.is_err() || !goes_on {
                return;
            }
        }
    }

    /// Decides, waits, and changes the bytes, as the fault of this moment says.
    async fn fate(&mut self, bytes: &mut [u8], random: &mut ChaCha8Rng) -> Fate {
        let way = self.way;
        let stalled = |cable: Cable| matches!(cable, Cable::Stalled(of) if of.is_none_or(|of| of == way));
        let waited = self.now.wait_for(|now| !stalled(now.cable)).await.map(|now| *now);
        let Ok(now) = waited else { return Fate::End(0) };
        let old = self.number < now.connections;
        let first = self.done != Some(now.cable);
        self.done = Some(now.cable);
        match now.cable {
            Cable::Slow(by) => tokio::time::sleep(by).await,
            Cable::CutInMessage if old && way == Way::ToClient => return Fate::End(bytes.len() / 2),
            Cable::Garbage(of) if old && first && of == way => random.fill_bytes(bytes),
            Cable::HalfOpen if old => return Fate::Swallow,
            Cable::Mutated { share, seed } if way == Way::ToClient => {
                if first {
                    *random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(self.number));
                }
                mutate(bytes, share, random);
            }
            _ => {}
        }
        Fate::Pass
    }
}

/// Some bytes of a `share` of the buffers become others; four in a row now and then, to hit lengths.
fn mutate(bytes: &mut [u8], share: f64, random: &mut ChaCha8Rng) {
    if !random.random_bool(share) {
        return;
    }
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..bytes.len());
        if random.random_bool(0.3) {
            let value: [u8; 4] = [u32::MAX, i32::MAX as u32, 0x7FFF_FFF0, 0][random.random_range(0..4)].to_le_bytes();
            let end = (at + 4).min(bytes.len());
            bytes[at..end].copy_from_slice(&value[..end - at]);
        } else {
            bytes[at] = random.random();
        }
    }
}
