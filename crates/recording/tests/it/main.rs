//! The recorder and its files from outside, as the runtime uses them.

mod annotations;
mod clip;
mod common;
mod crash;
mod damage;
mod failures;
mod foreign;
mod library;
mod model;
mod query;
mod round_trip;
