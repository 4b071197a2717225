//! What the engine is told: the inputs of an execution, and the world at that moment.

use crate::fleet::Fleet;
use pulse_core::command::CommandEnd;
use pulse_core::event::{ParentRef, WorkflowRef};
use pulse_core::ids::{CommandId, ExecutionId, PromptId, WorkerId};
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;
use pulse_core::workflow::BadParam;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Something that an execution has to react to.
#[derive(Clone, Debug)]
pub enum Input {
    /// It begins. The first input, once.
    Start(Box<Start>),
    /// A command ended, or was given up as lost.
    CommandFinished {
        /// Which.
        command_id: CommandId,
        /// How.
        end: Box<CommandEnd>,
    },
    /// A person answers.
    Answer {
        /// Which prompt; the only open one when `None`.
        prompt_id: Option<PromptId>,
        /// The answer.
        response: String,
        /// Who.
        by: String,
        /// The answers to what else is asked, not yet read by their types.
        fields: Map<String, Value>,
    },
    /// Its turn has come.
    Admitted,
    /// A worker that was waited for is online.
    WorkerOnline {
        /// Which.
        worker_id: WorkerId,
    },
    /// A command that was never sent, and is sent nowhere until this is decided, is with a worker that is given no work.
    CommandStranded {
        /// Which.
        command_id: CommandId,
        /// On which worker.
        worker_id: WorkerId,
    },
    /// A child execution has ended, or could not be started.
    ChildFinished {
        /// Which.
        execution_id: ExecutionId,
        /// How it ended.
        status: ExecutionStatus,
        /// Why it failed.
        error: Option<String>,
        /// Its values at its end.
        state: Map<String, Value>,
    },
    /// The time that [`crate::State::wake_at`] named has come.
    Timer,
    /// Somebody wants it to end.
    Abort {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// The server came back and goes on.
    Recovered,
}

/// How an execution begins. Parameters are complete and checked.
#[derive(Clone, Debug)]
pub struct Start {
    /// The stored workflow; `None` for a quick command.
    pub workflow: Option<WorkflowRef>,
    /// The definition of a quick command.
    pub definition: Option<String>,
    /// All parameters, with defaults. Values of secrets that are among them are dropped: whoever carries out the effects
    /// keeps them, and puts them into commands with [`pulse_core::command::CommandSpec::with_secrets`].
    pub params: Map<String, Value>,
    /// Targets that replace the document's own.
    pub targets: Option<Vec<String>>,
    /// Who started it.
    pub started_by: String,
    /// What started it.
    pub trigger: Trigger,
    /// The execution whose step runs this one.
    pub parent: Option<ParentRef>,
    /// Whether it has to wait its turn, and how many may run at once.
    pub queue: Option<u32>,
}

/// The world at the moment of an input.
#[derive(Clone, Debug)]
pub struct Context<'f> {
    /// What time it is.
    pub now: Timestamp,
    /// Random bits, new for every input: ids and jitter are drawn from them.
    pub entropy: u64,
    /// The workers, as they are known now.
    pub fleet: &'f Fleet,
}

/// Why an input is not taken. The execution is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The execution has ended.
    #[error("the execution has ended already ({status})")]
    Ended {
        /// How.
        status: ExecutionStatus,
    },
    /// No prompt is open.
    #[error("the execution does not ask anything now")]
    NoPrompt,
    /// The prompt has been answered.
    #[error("{by} has answered already")]
    Answered {
        /// By whom.
        by: String,
    },
    /// The answer is none of the options.
    #[error("`{response}` is no option; choose one of: {}", options.join(", "))]
    NotAnOption {
        /// The answer.
        response: String,
        /// What may be answered.
        options: Vec<String>,
    },
    /// The answers to what else is asked are missing or break their rules.
    #[error("{}", .0.iter().map(|bad| bad.message.as_str()).collect::<Vec<_>>().join("; "))]
    BadFields(Vec<BadParam>),
    /// Several prompts are open and the answer does not say which it is for.
    #[error("several questions are open; say which one with prompt_id")]
    Ambiguous,
    /// A command that this execution never sent.
    #[error("the execution has no command {0}")]
    UnknownCommand(CommandId),
}

/// Draws ids and jitter from an input's random bits: the same bits give the same ids.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    now: Timestamp,
    state: u64,
}

impl Draw {
    pub(crate) fn new(cx: &Context<'_>) -> Self {
        Self { now: cx.now, state: cx.entropy }
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A UUIDv7 of the input's time.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let mut random = [0; 10];
        let (a, b) = (self.bits().to_be_bytes(), self.bits().to_be_bytes());
        random[..8].copy_from_slice(&a);
        random[8..].copy_from_slice(&b[..2]);
        uuid::Builder::from_unix_timestamp_millis(self.now.as_millis().unsigned_abs(), &random).into_uuid()
    }
}
