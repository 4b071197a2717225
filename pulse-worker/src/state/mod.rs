//! What a worker keeps on disk: its id, the lock that keeps a second process out, and the log of its commands.

mod dir;
mod log;
mod record;
mod writer;

pub use dir::StateDir;
pub use log::Log;
pub use writer::{Written, spawn};
