//! Exit codes: what a script may rely on.

use pulse_core::status::ExecutionStatus;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Everything asked for was done; a followed execution completed.
    pub const SUCCESS: Self = Self(0);
    /// It was not; a followed execution failed.
    pub const FAILED: Self = Self(1);
    /// The command line made no sense.
    pub const USAGE: Self = Self(2);
    /// A followed execution was aborted.
    pub const ABORTED: Self = Self(3);
    /// Ctrl-C: 128 + SIGINT, as shells have it.
    pub const INTERRUPTED: Self = Self(130);
    /// Nobody reads the output any more: 128 + SIGPIPE, as for programs that the signal ends.
    pub const CLOSED_PIPE: Self = Self(141);

    /// The code for an execution that ended.
    pub fn of(status: ExecutionStatus) -> Self {
        match status {
            ExecutionStatus::Completed => Self::SUCCESS,
            ExecutionStatus::Aborted => Self::ABORTED,
            _ => Self::FAILED,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
