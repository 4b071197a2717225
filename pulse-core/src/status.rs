//! The states of executions, steps, commands and workers: the same words in memory, on the wire and in SQL.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every state, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownStatus;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(UnknownStatus { text: text.to_owned(), known: concat!($($text, " "),*) }),
                }
            }
        }
    };
}

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no status; known are: {}", known.trim_end())]
pub struct UnknownStatus {
    /// The word.
    pub text: String,
    known: &'static str,
}

status!(
    /// Where an execution stands.
    ExecutionStatus {
        /// Accepted, not started.
        Queued "queued",
        /// Steps are running.
        Running "running",
        /// Everything that goes on waits: for a person or for time.
        Waiting "waiting",
        /// Ended well.
        Completed "completed",
        /// Ended badly.
        Failed "failed",
        /// Ended by a person.
        Aborted "aborted",
    }
);

impl ExecutionStatus {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Aborted)
    }
}

status!(
    /// Where a step stands.
    StepStatus {
        /// Not started.
        Pending "pending",
        /// Started.
        Running "running",
        /// Waits for a person or for time.
        Waiting "waiting",
        /// Ended well.
        Completed "completed",
        /// Ended badly.
        Failed "failed",
        /// Left out, because its condition did not hold.
        Skipped "skipped",
        /// Ended with its execution.
        Aborted "aborted",
    }
);

status!(
    /// Where one attempt of a command on a worker stands.
    CommandStatus {
        /// Not yet on the worker.
        Queued "queued",
        /// On the worker.
        Running "running",
        /// Ended with a code that counts as success.
        Completed "completed",
        /// Ended otherwise.
        Failed "failed",
        /// Stopped by its time limit.
        TimedOut "timed_out",
        /// Stopped by a person or by the end of its execution.
        Cancelled "cancelled",
        /// Its worker died: nobody knows whether it took effect.
        Lost "lost",
    }
);

status!(
    /// What commands wait for that have not ended, where that is not their own work.
    Delivery {
        /// None has been sent: they wait for room on their workers, or for the workers themselves.
        Queued "queued",
        /// One is, or may be, on a worker that cannot be reached at the moment.
        WorkerUnreachable "worker_unreachable",
    }
);

status!(
    /// What a webhook is called for.
    WebhookEvent {
        /// The execution ended well.
        Completed "completed",
        /// It ended badly.
        Failed "failed",
        /// It was ended by a person.
        Aborted "aborted",
        /// It asks a person.
        Waiting "waiting",
    }
);

status!(
    /// Where one call of a webhook stands.
    WebhookStatus {
        /// Not taken yet: it is tried again.
        Pending "pending",
        /// The receiver took it.
        Delivered "delivered",
        /// It is not tried any more.
        GivenUp "given_up",
    }
);

status!(
    /// Whether a worker can be given work.
    WorkerStatus {
        /// Connected and heard from.
        Online "online",
        /// Connected before; silent for three intervals.
        Unreachable "unreachable",
        /// Not connected.
        Offline "offline",
    }
);

status!(
    /// What somebody may do. Each role may do what the ones before it may.
    Role {
        /// Look.
        Viewer "viewer",
        /// Start, answer and abort.
        Operator "operator",
        /// Change definitions, workers, users and tokens.
        Admin "admin",
    }
);

impl Role {
    /// Whether this role may do what `needed` may.
    pub fn covers(self, needed: Self) -> bool {
        self as u8 >= needed as u8
    }
}

status!(
    /// What started an execution.
    Trigger {
        /// A person or program, through the API.
        Api "api",
        /// A person's quick command.
        Command "command",
        /// A schedule.
        Schedule "schedule",
        /// A step of another execution.
        Workflow "workflow",
    }
);
