//! Commands for a shell, with values that can never become code.
//!
//! ```text
//! template ── units ──> tracker ──> a place for each placeholder, heredocs to rewrite ── script ──> parts of the script
//!                                                                                        render ──> script + environment
//! ```
//!
//! The tracker follows the quoting of POSIX shells and Bash closely, but nothing depends on it being right: what is written into
//! the script is `${PULSE_Vn}` with balanced quotes around it, which changes no quoting around it wherever it really stands. The worst a
//! mistake can do is to split a value into words. The places where a shell evaluates even a *value* as code (arithmetic, array indexes,
//! names of variables) accept only integers or names when rendered.

mod analysis;
mod commands;
mod frames;
mod heredoc;
mod place;
mod render;
mod script;
mod tracker;
mod units;
mod words;

pub use render::RenderedScript;
pub use script::ShellTemplate;
