//! The hub: one message, serialized once, for all who watch.

use pulse_core::ids::ExecutionId;
use pulse_core::protocol::browser::ToBrowser;
use std::fmt;
use std::str::FromStr;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Messages that a slow watcher may be behind before it is told `lagged`: some seconds of a busy server.
const CAPACITY: usize = 4_096;

/// What can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Summaries of all executions.
    Executions,
    /// All workers.
    Workers,
    /// The journal of one execution.
    Execution(ExecutionId),
    /// The output of one execution.
    Output(ExecutionId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executions => f.write_str("executions"),
            Self::Workers => f.write_str("workers"),
            Self::Execution(id) => write!(f, "execution:{id}"),
            Self::Output(id) => write!(f, "output:{id}"),
        }
    }
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id =
            |id: &str| id.parse::<ExecutionId>().map_err(|_| format!("`{text}` does not end with an execution's id"));
        match text.split_once(':') {
            None if text == "executions" => Ok(Self::Executions),
            None if text == "workers" => Ok(Self::Workers),
            Some(("execution", rest)) => id(rest).map(Self::Execution),
            Some(("output", rest)) => id(rest).map(Self::Output),
            _ => Err(format!("`{text}` is no topic: executions, workers, execution:ID or output:ID")),
        }
    }
}

/// A message on its way to all who watch its topic.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its topic.
    pub topic: Topic,
    /// Its number within the topic, where that has numbers: the journal's sequence or the output's cursor.
    pub number: Option<u64>,
    /// The execution that, by this message, has ended or waits for a person.
    pub settled: Option<ExecutionId>,
    /// The message as JSON.
    pub text: Utf8Bytes,
}

/// Hands messages to all watchers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub(broadcast::Sender<Live>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Hub {
    /// Publishes a message. With nobody watching it costs nothing.
    pub fn publish(&self, topic: Topic, number: Option<u64>, message: impl FnOnce() -> ToBrowser) {
        if self.is_watched() {
            let message = message();
            let settled = match &message {
                ToBrowser::ExecutionUpdate { execution: e } if e.status.is_final() || e.waiting_for_input => Some(e.id),
                _ => None,
            };
            let text = serde_json::to_string(&message).expect("a message has a JSON form").into();
            // Nobody left to hear it is no error.
            let _ = self.0.send(Live { topic, number, settled, text });
        }
    }

    /// Whether anybody hears what is published.
    pub fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Everything that is published from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Live> {
        self.0.subscribe()
    }
}
