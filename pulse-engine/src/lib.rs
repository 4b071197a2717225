//! The engine: what a workflow means, as pure functions.
//!
//! ```text
//! input ──▶ decide ──▶ events ──▶ (the caller makes them durable) ──▶ effects ──▶ (the caller acts)
//!              ▲          │
//!            state ◀── apply            the same apply folds a journal after a restart
//! ```
//!
//! Nothing here reads a clock, draws a random number or does I/O: time, ids and the known workers come in with each
//! input ([`Context`]). `apply` never evaluates an expression: what an expression gave is in the event.

mod apply;
mod decide;
pub mod draw;
mod effect;
pub mod expr;
pub mod fleet;
mod graph;
mod input;
mod plan;
mod quick;
mod scope;
pub mod state;
pub mod template;
pub mod testing;
mod vars;
mod view;

pub use apply::{Misfit, apply, fold};
pub use decide::{Transition, advance, advance_unless, decide};
pub use effect::{Effect, effects};
pub use graph::graph;
pub use input::{Context, Input, Refused, Start};
pub use plan::{Loaded, Plan, load, load_stored};
pub use quick::{quick_command, quick_command_text};
pub use state::State;
pub use view::{child_views, prompt_views, step_views};
