//! Expressions: conditions, `set` values, `foreach` items and what stands in `{{ … }}`.
//!
//! The text is read by a small tokenizer and parser of our own (`token`, `parse`), which know the documented subset of Rhai and
//! the JavaScript forms of the first PULSE, and refuse everything else with a message. What they accept is written out as Rhai that
//! only calls our own pure, length-checked functions (`emit`, `functions`) and is compiled once. Nothing here does I/O; the
//! single use of a clock is the wall time limit of one evaluation (`budget`).
//!
//! ```text
//! source ── token ──> tokens ── parse ──> tree ── emit ──> Rhai text ── engine ──> AST, kept in an Expr
//!                                                                                   │ eval(scope)
//!                                        Scope (Arc'd JSON) ── value: lazy handles ─┘──> JSON value
//! ```
//!
//! Meaning, where Rhai and JavaScript differ or say nothing:
//! * A missing property, element or root is `()`, however deep. `()` equals only `()`; an ordering with `()` is false; `!=` is
//!   always the opposite of `==`. A helper given `()` as its subject gives `()`, a test (`contains`, `matches`, …) gives false.
//! * `===` and `!==` are `==` and `!=`. Text against a number is numeric where the text is a decimal number.
//! * A condition, and each side of `&&`, `||`, `!` and `?:`, is true or false; `()` counts as false; anything else is an error.
//! * `+` joins as soon as one side is a text. `/` of two integers is an integer if it is exact and a number with a fraction if not.
//! * `now()` is seconds since the epoch: an integer, or with a fraction of milliseconds.
//! * `int` cuts a fraction off; `parseInt` and `parseFloat` read the number a text starts with; text without one is an error.

mod arith;
mod budget;
mod compare;
mod compiled;
mod emit;
mod engine;
mod error;
mod functions;
mod handle;
mod javascript;
mod lists;
mod literal;
mod names;
mod number;
mod operand;
mod operators;
mod parse;
mod pattern;
mod print;
mod scope;
mod texts;
mod token;
mod tree;
mod truth;
mod value;

pub(crate) use compiled::subtracted_worker;
pub use compiled::{Expr, Reference};
pub use error::{CompileError, EvalError, EvalErrorKind};
pub use javascript::{Given, Translated, translate};
pub use scope::Scope;
pub(crate) use texts::without_line_end;
pub(crate) use truth::{Comparison, Type, equal, is_number};
pub(crate) use value::shorten;

/// Longest source text of one expression, in bytes.
pub const MAX_SOURCE: usize = 4 * 1024;
/// Deepest nesting of one expression.
pub const MAX_DEPTH: usize = 64;
/// Operations of one evaluation: each node counts one, helpers count one for each element they look at.
pub const MAX_OPERATIONS: u64 = 100_000;
/// Longest text an expression may touch or make, in bytes.
pub const MAX_TEXT: usize = 1024 * 1024;
/// Most elements of a list or map that an expression walks through or makes.
pub const MAX_ELEMENTS: usize = 10_000;
/// Wall time of one evaluation, in milliseconds.
pub const MAX_WALL_MS: u64 = 100;
