//! A bound on the size of what a server says it will send, before any of it is kept.
//!
//! Every chunk begins with its type and its size (OPC 10000-6 7.1.2). The library believes the size and buffers
//! up to 4 GB for one chunk; a server may not send more than the receive buffer that we announced (64 kB).
//! This looks at the sizes as the bytes pass by, and ends the connection at one that cannot be meant.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

const HEADER: usize = 8;
/// Many times what we announce, for servers that do not look at it.
const CHUNK_MAX: usize = 1024 * 1024;

/// Passes the bytes of a connection.
#[derive(Debug)]
pub(crate) struct Bounded<R> {
    inner: R,
    sizes: Sizes,
}

/// Where in its chunk the connection is.
#[derive(Debug, Default)]
struct Sizes {
    header: [u8; HEADER],
    /// Bytes of the header seen.
    seen: usize,
    /// Bytes of the body to come.
    left: usize,
}

impl<R> Bounded<R> {
    pub(crate) fn new(inner: R) -> Bounded<R> {
        Bounded { inner, sizes: Sizes::default() }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        Poll::Ready(self.sizes.pass(&buffer.filled()[before..]))
    }
}

impl Sizes {
    fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let body = self.left.min(bytes.len());
                self.left -= body;
                bytes = &bytes[body..];
                continue;
            }
            let part = (HEADER - self.seen).min(bytes.len());
            self.header[self.seen..self.seen + part].copy_from_slice(&bytes[..part]);
            self.seen += part;
            bytes = &bytes[part..];
            if self.seen == HEADER {
                self.left = self.body()?;
                self.seen = 0;
            }
        }
        Ok(())
    }

    /// The size of the body after a whole header.
    fn body(&self) -> Result<usize, Error> {
        let [.., a, b, c, d] = self.header;
        let size = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if (HEADER..=CHUNK_MAX).contains(&size) {
            return Ok(size - HEADER);
        }
        Err(Error::new(ErrorKind::InvalidData, format!("the server announced a chunk of {size} bytes")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(size: usize) -> Vec<u8> {
        let mut chunk = b"MSGF".to_vec();
        chunk.extend((size as u32).to_le_bytes());
        chunk.resize(size.max(HEADER), 7);
        chunk
    }

    /// Whatever the pieces in which it arrives, the first size that is out of bounds is found, and no other.
    fn check(sizes: &[usize], good: bool) {
        let bytes: Vec<u8> = sizes.iter().flat_map(|size| chunk((*size).min(2 * CHUNK_MAX))).collect();
        for piece in [1, 3, 7, 8, 9, 4_096, usize::MAX] {
            let mut state = Sizes::default();
            let passed = bytes.chunks(piece.min(bytes.len())).try_for_each(|piece| state.pass(piece));
            assert_eq!(passed.is_ok(), good, "{sizes:?} in pieces of {piece}: {passed:?}");
        }
    }

    #[test]
    fn sizes_that_cannot_be_meant_end_the_connection() {
        check(&[8, 28, 65_535, 8, 100], true);
        check(&[CHUNK_MAX], true);
        check(&[28, CHUNK_MAX + 1], false);
        check(&[28, 7], false);
        check(&[0], false);
    }
}
