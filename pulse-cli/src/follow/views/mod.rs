//! The ways to see an execution that is followed.

mod exec;
mod json;
mod logs;
mod steps;

pub use exec::ExecView;
pub use json::JsonView;
pub use logs::{LogsFilter, LogsView};
pub use steps::StepsView;
