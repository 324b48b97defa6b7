//! Servers that do harm: they answer the first words of a client and then send what no server may.
//!
//! Message headers are those of OPC 10000-6 7.1.2: type, `F` or `C`, and the size of the message in bytes.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What such a server does once a client has said hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostile {
    /// Never says anything.
    Silent,
    /// Closes the connection at once.
    Closing,
    /// Promises a message of 4 GB, and sends zeros.
    HugeMessage,
    /// Sends one message in chunks that never ends.
    EndlessChunks,
    /// Sends random bytes for ever.
    Noise,
    /// Sends a message that is shorter than its own header.
    ShortMessage,
    /// Reports an error whose text is said to have 2 GB.
    HugeText,
    /// Acknowledges buffers of no size.
    NoBuffers,
}

impl Hostile {
    pub const ALL: [Hostile; 8] = [
        Hostile::Silent,
        Hostile::Closing,
        Hostile::HugeMessage,
        Hostile::EndlessChunks,
        Hostile::Noise,
        Hostile::ShortMessage,
        Hostile::HugeText,
        Hostile::NoBuffers,
    ];
}

const CHUNK: usize = 64 * 1024;

/// Serves one client until it has had enough.
pub(crate) async fn serve(mut client: TcpStream, how: Hostile) {
    let mut hello = [0; 1024];
    if !matches!(client.read(&mut hello).await, Ok(1..)) {
        return;
    }
    let done = match how {
        Hostile::Silent => return std::future::pending().await,
        Hostile::Closing => Ok(()),
        Hostile::HugeMessage => stream(&mut client, &message(*b"MSGF", u32::MAX, &[]), &[0; CHUNK]).await,
        Hostile::EndlessChunks => {
            let chunk = message(*b"OPNC", CHUNK as u32, &[0; CHUNK - 8]);
            stream(&mut client, &acknowledge(65_536), &chunk).await
        }
        Hostile::Noise => {
            let mut noise = [0; CHUNK];
            ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut noise);
            stream(&mut client, &acknowledge(65_536), &noise).await
        }
        Hostile::ShortMessage => stream(&mut client, &message(*b"MSGF", 4, &[]), &message(*b"MSGF", 4, &[])).await,
        Hostile::HugeText => {
            let mut body = 0x8001_0000_u32.to_le_bytes().to_vec();
            body.extend(i32::MAX.to_le_bytes());
            stream(&mut client, &message(*b"ERRF", 16, &body), &[b'x'; CHUNK]).await
        }
        Hostile::NoBuffers => stream(&mut client, &acknowledge(0), &acknowledge(0)).await,
    };
    // The client closing the connection is how this must end.
    drop(done);
}

/// Sends `first`, then `more` without end.
async fn stream(client: &mut TcpStream, first: &[u8], more: &[u8]) -> std::io::Result<()> {
    client.write_all(first).await?;
    loop {
        client.write_all(more).await?;
    }
}

fn message(kind: [u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [kind.as_slice(), &size.to_le_bytes(), body].concat()
}

/// Version 0, both buffers of this size, no limits.
fn acknowledge(buffer: u32) -> Vec<u8> {
    let fields = [0, buffer, buffer, 0, 0].map(u32::to_le_bytes).concat();
    message(*b"ACKF", 28, &fields)
}
