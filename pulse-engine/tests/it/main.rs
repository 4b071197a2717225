//! All tests of the crate from outside, in one binary.

mod expr;
mod scenarios;
mod template;
mod validation;
