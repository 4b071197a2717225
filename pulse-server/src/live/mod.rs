//! Live events to browsers and command lines. What is published is already durable; whoever misses something reads it
//! from the store.

mod client;
mod hub;

pub use client::serve;
pub use hub::{Hub, Live, Topic};
