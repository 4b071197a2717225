//! Commands for a shell, with values that can never become code.
//!
//! ```text
//! template ── units ──> tracker ──> a place for each placeholder, heredocs to rewrite ── script ──> parts of the script
//!                                                                                        render ──> script + environment
//! ```
//!
//! The tracker follows the quoting of POSIX shells and Bash closely, but quoting does not depend on it being right: what is written into
//! the script is `${PULSE_Vn}` with balanced quotes around it, which changes no quoting around it wherever it really stands. The worst a
//! mistake can do is to split a value into words.
//!
//! There are places where Bash evaluates even a quoted *value* as code: arithmetic, array indexes, names of variables, lists given to
//! `declare`, file numbers behind `>&`. There a value has to be an integer, a name and so on when it is rendered (`Needs`), also
//! when variables of the script carry it there (`flow`: `n={{ x }}; (( n > 1 ))`), or arguments of a function (`functions`). Of a value
//! that is taken apart on its way, only a part arrives (`Needs::Inert`). What comes from out of sight, a file or the output of a
//! function, may be any value (`UNSEEN`): then all values are looked at together for what a shell could run there.
//! What a script does with another interpreter is nobody's business here, but for options that run commands (`options`).

mod analysis;
mod argv;
mod commands;
mod expansions;
mod flow;
mod frames;
mod functions;
mod heredoc;
mod holes;
mod input;
mod nested;
mod options;
mod place;
mod programs;
mod render;
mod script;
mod tracker;
mod units;
mod words;

pub use argv::{Handed, Input, arguments};
pub use render::RenderedScript;
pub use script::ShellTemplate;
pub(crate) use script::raw_warning;
