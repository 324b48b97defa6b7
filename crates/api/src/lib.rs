//! The contract between Lineside and its screens: commands, records, frames.
//!
//! Both hosts, desktop and loopback server, only carry bytes: what a screen may ask is declared once in
//! [`commands`], what it is told in [`wire`], and the frame of values is made in [`frame`]
//! (`docs/FRAME.md`).

pub mod commands;
mod connections;
pub mod frame;
mod plant;
pub mod replay;
mod sections;
mod slots;
pub mod stage;
pub mod wire;

pub use commands::{Api, Recordings, Setup};
pub use stage::{Replayed, Scene, Stage};
