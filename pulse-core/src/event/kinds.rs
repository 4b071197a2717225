//! Every kind of event, with its fields.

use super::{Next, OpenOption, ParentRef, StepRef, WorkerRef, WorkflowRef};
use crate::command::{CommandEnd, CommandSpec};
use crate::ids::{Attempt, CommandId, ExecutionId, FrameId, PromptId, StepId};
use crate::status::{ExecutionStatus, StepStatus, Trigger};
use crate::time::Timestamp;
use crate::workflow::Param;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Something that happened in an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Event {
    /// It was accepted. Always the first event.
    ExecutionCreated {
        /// Version of the event format.
        format: u32,
        /// The stored workflow it runs; `None` for a quick command.
        workflow: Option<WorkflowRef>,
        /// The definition of a quick command, which is stored nowhere else.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        definition: Option<String>,
        /// All parameters, with defaults.
        #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
        params: Map<String, Value>,
        /// Targets that replace the document's own.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        targets: Option<Vec<String>>,
        /// Who started it.
        started_by: String,
        /// What started it.
        trigger: Trigger,
        /// The execution whose step runs this one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        parent: Option<ParentRef>,
    },
    /// It waits its turn, because of its workflow's `concurrency`.
    ExecutionQueued {
        /// How many may run at once.
        limit: u32,
    },
    /// Its first step is about to start. Left out where it would say nothing: it did not wait and has no time limit.
    ExecutionStarted {
        /// When its main steps have to be over.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        deadline: Option<Timestamp>,
    },
    /// A list of steps starts beside others: a branch, an item, or the steps of `on_failure` or `finally`.
    FrameStarted {
        /// The step that runs it; none for `on_failure` and `finally`.
        parent: Option<StepRef>,
        /// Its identity.
        frame_id: FrameId,
        /// Which list of the document.
        list: u32,
        /// What it is called: the branch's name, the item, `on_failure`, `finally`.
        name: String,
        /// Which of its parent's frames, from 0.
        index: u32,
        /// The item, under its name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional, type = "[string, unknown]"))]
        item: Option<(String, Value)>,
    },
    /// A list of steps has ended.
    FrameFinished {
        /// The step that ran it; none for `on_failure` and `finally`.
        parent: Option<StepRef>,
        /// Its identity.
        frame_id: FrameId,
        /// What it is called.
        name: String,
        /// How.
        status: StepStatus,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        error: Option<String>,
    },
    /// The items that a foreach goes through.
    ItemsResolved {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The items.
        #[cfg_attr(test, ts(type = "unknown[]"))]
        items: Vec<Value>,
    },
    /// A child execution is started.
    ChildStarted {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The child's id.
        execution_id: ExecutionId,
        /// The workflow's name.
        workflow: String,
        /// What it is given.
        #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
        params: Map<String, Value>,
        /// How deep the child is: 1 below an execution that nobody's step started.
        depth: u32,
    },
    /// A child execution has ended, or could not be started.
    ChildFinished {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The child's id.
        execution_id: ExecutionId,
        /// How it ended.
        status: ExecutionStatus,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        error: Option<String>,
        /// Its values at its end.
        #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
        state: Map<String, Value>,
    },
    /// A step starts. Steps that end at once (`parse`, `route`, `set`) have one event that says all: their own.
    StepStarted {
        /// Which.
        #[serde(flatten)]
        at: StepRef,
        /// The how-manieth time, from 1.
        run: u32,
        /// When it has to be over: its `timeout`, where that is of the step as a whole.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        deadline: Option<Timestamp>,
    },
    /// A step's condition did not hold.
    StepSkipped {
        /// Which.
        #[serde(flatten)]
        at: StepRef,
        /// The condition.
        condition: String,
        /// Where it goes on.
        next: Next,
    },
    /// A condition failed to evaluate and counted as false (`lenient_conditions`).
    ConditionError {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The condition.
        condition: String,
        /// Why.
        message: String,
    },
    /// The workers that an execute step means.
    TargetsResolved {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// What was asked for.
        selector: Vec<String>,
        /// Who gets the command, in registry order.
        targets: Vec<WorkerRef>,
        /// Who gets it as soon as they are online, until then.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        awaited: Vec<WorkerRef>,
        /// Until when they are waited for.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        await_until: Option<Timestamp>,
        /// Whether the first of those that come is enough: `any`, when nobody is online. It is resolved again then.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        await_any: bool,
    },
    /// A target cannot be given work: it is left out, or waited for.
    WorkerOffline {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which worker.
        #[serde(flatten)]
        worker: WorkerRef,
        /// In words: offline, unreachable or draining.
        reason: String,
    },
    /// A target that was waited for did not come in time.
    WorkerStillOffline {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which worker.
        #[serde(flatten)]
        worker: WorkerRef,
    },
    /// No target was online.
    NoWorkers {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// What was asked for.
        selector: Vec<String>,
    },
    /// A command goes to a worker.
    CommandSent {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which worker.
        #[serde(flatten)]
        worker: WorkerRef,
        /// The attempt's identity.
        command_id: CommandId,
        /// Which try.
        attempt: Attempt,
        /// What is run.
        spec: CommandSpec,
        /// The command with values in place, for people.
        command: String,
    },
    /// A command that was never sent goes to another worker: its own is given no work just now, and `any` was asked for.
    CommandMoved {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Who gets it.
        #[serde(flatten)]
        worker: WorkerRef,
        /// Who was to get it.
        from: WorkerRef,
        /// The attempt's identity, which stays.
        command_id: CommandId,
        /// Which try.
        attempt: Attempt,
        /// Why, in words: offline, unreachable or draining.
        reason: String,
    },
    /// A command that is not sent waits until its worker is given work again.
    CommandHeld {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// For which worker.
        #[serde(flatten)]
        worker: WorkerRef,
        /// The attempt's identity.
        command_id: CommandId,
        /// Which try.
        attempt: Attempt,
        /// Why, in words: offline, unreachable or draining.
        reason: String,
    },
    /// A command, or a child execution, of a step that was given up goes on although it was told to stop: it is not waited
    /// for any more.
    NotStopped {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The worker that has the command.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        worker: Option<Arc<str>>,
        /// The command.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        command_id: Option<CommandId>,
        /// The child execution.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        execution_id: Option<ExecutionId>,
        /// How long it was waited for, in milliseconds.
        #[cfg_attr(test, ts(type = "number"))]
        waited_ms: u64,
    },
    /// A command ended.
    CommandResult {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which worker.
        #[serde(flatten)]
        worker: WorkerRef,
        /// The attempt's identity.
        command_id: CommandId,
        /// Which try.
        attempt: Attempt,
        /// Whether it counts as success.
        success: bool,
        /// How it ended.
        #[serde(flatten)]
        end: CommandEnd,
        /// Whether it came after the command had been given up, and so changed nothing.
        #[serde(default)]
        late: bool,
    },
    /// A failed command is tried again.
    CommandRetry {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which worker.
        #[serde(flatten)]
        worker: WorkerRef,
        /// The attempt that failed.
        command_id: CommandId,
        /// Which try comes next.
        attempt: Attempt,
        /// When it is due.
        retry_at: Timestamp,
        /// The delay, in milliseconds.
        #[cfg_attr(test, ts(type = "number"))]
        delay_ms: u64,
    },
    /// Too many targets failed: the ones not yet started are left out.
    RolloutStopped {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// How many targets failed.
        failures: u32,
        /// Who did not get the command.
        not_started: Vec<WorkerRef>,
    },
    /// A person is asked.
    Prompt {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The question's identity.
        prompt_id: PromptId,
        /// The question.
        message: String,
        /// What may be answered.
        options: Vec<OpenOption>,
        /// The last command's output, for review.
        output: String,
        /// SHA-256 of that output, in hex.
        output_hash: String,
        /// When it is too late.
        deadline: Timestamp,
        /// What else is asked.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        fields: Vec<Param>,
        /// Groups whose members may answer; every operator when empty.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        allow: Vec<String>,
    },
    /// A person answered.
    PromptResponse {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which question.
        prompt_id: PromptId,
        /// The answer.
        response: String,
        /// Who.
        by: String,
        /// The answers to what else was asked.
        #[serde(skip_serializing_if = "Map::is_empty", default)]
        #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
        fields: Map<String, Value>,
    },
    /// Nobody answered in time.
    PromptTimeout {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Which question.
        prompt_id: PromptId,
        /// What it counts as, if anything.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        response: Option<String>,
    },
    /// A wait began.
    WaitStarted {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// When it is over.
        until: Timestamp,
    },
    /// A wait is over.
    WaitFinished {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
    },
    /// Output was read into state.
    ParseComplete {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Whose output.
        from: StepId,
        /// How many values.
        parsed_count: u32,
        /// The values, later targets winning.
        #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
        parsed: Map<String, Value>,
        /// Each worker's own values, when there were several.
        #[cfg_attr(test, ts(type = "Record<string, Record<string, unknown>>"))]
        by_worker: Map<String, Value>,
        /// Where it goes on; none when an execute step parsed its own output and is not over yet.
        next: Option<Next>,
    },
    /// A route's condition held.
    RouteTaken {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The condition; `default` for the default.
        condition: String,
        /// What the way is called.
        label: String,
        /// Where it leads.
        goto: String,
        /// Where it goes on.
        next: Next,
    },
    /// None of a route's conditions held.
    RouteUnmatched {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// Where it goes on.
        next: Next,
    },
    /// Values were set.
    ValuesSet {
        /// Which step.
        #[serde(flatten)]
        at: StepRef,
        /// The values.
        #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
        values: Map<String, Value>,
        /// Where it goes on.
        next: Next,
    },
    /// A step ended.
    StepFinished {
        /// Which.
        #[serde(flatten)]
        at: StepRef,
        /// How.
        status: StepStatus,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        error: Option<String>,
        /// Where it goes on.
        next: Next,
    },
    /// The execution cannot go on.
    WorkflowError {
        /// Why.
        message: String,
    },
    /// The server came back and goes on from here.
    ServerRestartRecovery {
        /// How many commands were on workers.
        running_commands: u32,
    },
    /// Somebody wants it to end.
    AbortRequested {
        /// Who.
        by: String,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        reason: Option<String>,
    },
    /// It has ended. Only late results come after this.
    ExecutionFinished {
        /// How.
        status: ExecutionStatus,
        /// Why it failed or was aborted.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(test, ts(optional))]
        error: Option<String>,
    },
}
