//! A screen's side of the loopback host: asks, and reads of a frame what is measured.

use crate::Outcome;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{Message, WebSocket, connect};

pub(crate) struct Screen {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    epoch: u32,
    cursor: f64,
    watch: Vec<u32>,
    next: u32,
}

/// One value column row of a frame (`docs/FRAME.md`).
pub(crate) struct Shown {
    pub(crate) source_ms: f64,
    /// The value proves to be current and good.
    pub(crate) live: bool,
}

impl Screen {
    /// Connects, says hello, and will watch up to `most` tags.
    pub(crate) fn open(address: &str, most: u32) -> Outcome<Self> {
        let (socket, _) = connect(format!("{}ws", address.replacen("http", "ws", 1)))?;
        let mut screen = Self { socket, epoch: 0, cursor: 0.0, watch: Vec::new(), next: 1 };
        let hello = screen.ask("hello", &Value::Null)?;
        let count = hello["plant"]["tagCount"].as_u64().ok_or_else(|| format!("no plant: {}", hello["problems"]))?;
        screen.epoch = hello["epoch"].as_u64().and_then(|epoch| epoch.try_into().ok()).ok_or("hello without epoch")?;
        screen.watch = (0..most.min(count.try_into()?)).collect();
        Ok(screen)
    }

    /// The values of the next frame.
    pub(crate) fn frame(&mut self) -> Outcome<Vec<Shown>> {
        let fresh = self.cursor == 0.0;
        let request = json!({"epoch": self.epoch, "cursor": self.cursor, "watch": self.watch, "fresh": fresh});
        let message = self.exchange("frame", &request)?;
        let Message::Binary(bytes) = message else {
            return Err(format!("no frame but {message}").into());
        };
        let frame = bytes.get(8..).ok_or("a frame without its prefix")?;
        self.cursor = f64_at(frame, 32)?;
        rows(frame)
    }

    fn ask(&mut self, name: &str, request: &Value) -> Outcome<Value> {
        let answer: Value = serde_json::from_str(self.exchange(name, request)?.to_text()?)?;
        answer.get("ok").cloned().ok_or_else(|| format!("{name}: {}", answer["error"]).into())
    }

    fn exchange(&mut self, name: &str, request: &Value) -> Outcome<Message> {
        let text = json!({"id": self.next, "name": name, "request": request}).to_string();
        self.next += 1;
        self.socket.send(Message::text(text))?;
        Ok(self.socket.read()?)
    }
}

/// This machine's clock, in the frame's unit.
pub(crate) fn now_ms() -> Outcome<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1000.0)
}

fn rows(frame: &[u8]) -> Outcome<Vec<Shown>> {
    let count = u32_at(frame, 12)? as usize;
    let wide = 40;
    let narrow = wide + 4 * 8 * count;
    // Three columns of u32 in: tag id, status, flags; each padded to 8 bytes.
    let flags = narrow + 2 * (4 * count).next_multiple_of(8);
    (0..count)
        .map(|row| {
            Ok(Shown {
                source_ms: f64_at(frame, wide + 8 * (count + row))?,
                live: (u32_at(frame, flags + 4 * row)? >> 4) & 0xF == 0,
            })
        })
        .collect()
}

fn u32_at(bytes: &[u8], at: usize) -> Outcome<u32> {
    Ok(u32::from_le_bytes(bytes.get(at..at + 4).ok_or("a frame that is too short")?.try_into()?))
}

fn f64_at(bytes: &[u8], at: usize) -> Outcome<f64> {
    Ok(f64::from_le_bytes(bytes.get(at..at + 8).ok_or("a frame that is too short")?.try_into()?))
}
