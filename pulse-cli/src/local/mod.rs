//! `pulse run FILE --local`: an execution with no server. The engine decides, this machine is the one worker, and the
//! journal is in memory: what a followed execution shows at a terminal is all that is left of it.
//!
//! ```text
//! input ──► engine.advance ──► entries ──► view (and questions)
//!   ▲                      └─► effects ──► here (runs commands) · library (child workflows)
//!   └── ends of commands, answers, timers, Ctrl-C
//! ```
//!
//! - `library`: the definitions in a file and beside it, with everything that can be wrong with them before they run
//! - `here`: this machine as a worker, by the worker's own runner
//! - `session`: drives the executions and tells the view

mod here;
mod library;
mod session;

pub use here::Here;
pub use library::{Library, Mistakes};
pub use session::{Ended, Session};
