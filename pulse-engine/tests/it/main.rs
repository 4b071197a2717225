//! All tests of the crate from outside, in one binary.

mod clocks;
mod determinism;
mod env_values;
mod expr;
mod help;
mod hostile;
mod scenarios;
mod secrets;
mod state_limits;
mod step_timeout;
mod template;
mod testing;
mod validation;
mod validation_order;
mod validation_places;
mod validation_slips;
mod validation_truth;
mod validation_values;
mod walks;
