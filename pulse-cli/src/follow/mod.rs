//! Following an execution: from its first event to its last, in order, without gaps or doubles, across lost
//! connections; with its questions asked and answered on the way.
//!
//! ```text
//! socket ──► timeline (order, doubles, gaps) ──► view (terminal or JSON)
//!   ▲            │ gap, lagged                   questions ◄── input (a line of standard input)
//!   └─ back-off  └► HTTP catch-up                     └► HTTP respond
//! ```

mod backoff;
mod catch_up;
mod follower;
mod input;
mod prompts;
mod questions;
mod timeline;
mod view;
pub mod views;

pub use follower::{Ended, Follower};
pub use input::Input;
pub use prompts::{OpenPrompt, Prompts};
pub use questions::{Questions, Reply};
pub use timeline::{Gap, Item, Timeline};
pub use view::View;
