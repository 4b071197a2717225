//! What a worker keeps on disk: its id, the locks that keep second processes out, and the log of its commands.

mod dir;
mod entry;
mod log;
mod origin;
mod record;
mod writer;

pub use dir::{Place, StateDir, lock, replace};
pub use entry::{Entry, Unacknowledged};
pub use log::Log;
pub use origin::Origin;
pub use writer::{Written, spawn};
