//! The words every part of PULSE shares: ids, times, the workflow model with its parsing and diagnostics, journal
//! events, wire messages and API types.
//!
//! This crate owns meaning that must be the same everywhere and nothing that acts: no I/O, no clock, no randomness,
//! no async runtime (its `clippy.toml` bans them).

pub mod api;
pub mod command;
pub mod diagnostic;
pub mod duration;
pub mod event;
pub mod explain;
pub mod fault;
pub mod ids;
pub mod json;
pub mod protocol;
pub mod schema;
pub mod status;
pub mod text;
pub mod time;
#[cfg(test)]
mod typescript;
pub mod workflow;
pub mod yaml;
