// Generated from the Rust types of pulse-core; do not edit.
// PULSE_UPDATE=1 cargo test -p pulse-core typescript

export type ExecutionId = string;

export type CommandId = string;

export type WorkerId = string;

export type WorkflowId = string;

export type PromptId = string;

export type TokenId = string;

export type DeliveryId = string;

export type Seq = number;

export type Attempt = number;

export type FrameId = number;

export type StepId = string;

export type Timestamp = string;

export type ExecutionStatus = "queued" | "running" | "waiting" | "completed" | "failed" | "aborted";

export type StepStatus = "pending" | "running" | "waiting" | "completed" | "failed" | "skipped" | "aborted";

export type CommandStatus = "queued" | "running" | "completed" | "failed" | "timed_out" | "cancelled" | "lost";

export type Delivery = "queued" | "worker_unreachable";

export type WebhookEvent = "completed" | "failed" | "aborted" | "waiting";

export type WebhookStatus = "pending" | "delivered" | "given_up";

export type WorkerStatus = "online" | "unreachable" | "offline";

export type Role = "viewer" | "operator" | "admin";

export type Trigger = "api" | "command" | "schedule" | "workflow";

export type Severity = "error" | "warning";

export type Stream = "stdout" | "stderr";

export type Outcome = "exited" | "not_started" | "timed_out" | "cancelled" | "lost";

export type Diagnostic = { 
/**
 * Stable code: `E…` for errors, `W…` for warnings.
 */
code: string, 
/**
 * Error or warning.
 */
severity: Severity, 
/**
 * What is wrong, naming the thing.
 */
message: string, 
/**
 * Where in the document's structure, like `steps[2].goto`.
 */
path: string, 
/**
 * Line, from 1.
 */
line: number, 
/**
 * Column in characters, from 1.
 */
column: number, 
/**
 * What to do about it.
 */
help: string, 
/**
 * For how many further findings of its kind this one stands; 0 for one that is a finding itself.
 */
left_out?: number, };

export type CommandSpec = { 
/**
 * A script, run as `SHELL -c SCRIPT`. Values stand in it as references to variables of `env`, never as text.
 */
command?: string, 
/**
 * A program and its arguments, run without a shell. Exactly one of `command` and `argv` is given.
 */
argv?: Array<string>, 
/**
 * The shell of a script.
 */
shell?: string, 
/**
 * Variables added to the worker's own environment, in order.
 */
env?: Array<[string, string]>, 
/**
 * Working directory; the worker's own when not given.
 */
cwd?: string, 
/**
 * Standard input; nothing when not given.
 */
stdin?: string, 
/**
 * Time limit, in milliseconds.
 */
timeout_ms: number, 
/**
 * Where values of secrets belong: `••••` stands there, in the journal and until the moment it is sent.
 */
secrets?: Array<SecretUse>, };

export type SecretUse = { 
/**
 * The variable whose whole value it is; standard input when not given.
 */
env?: string, 
/**
 * The parameter.
 */
param: string, };

export type CommandEnd = { 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * The exit code, when the process gave one.
 */
exit_code?: number, 
/**
 * The signal that ended it.
 */
signal?: number, 
/**
 * From start to end, in milliseconds.
 */
duration_ms: number, 
/**
 * The end of standard output, at most 64 KiB.
 */
stdout: string, 
/**
 * The end of standard error, at most 64 KiB.
 */
stderr: string, 
/**
 * Bytes written to standard output in all.
 */
stdout_bytes: number, 
/**
 * Bytes written to standard error in all.
 */
stderr_bytes: number, 
/**
 * Why, in words, where exit code and signal do not say it.
 */
error?: string, };

export type ParamType = "string" | "integer" | "number" | "boolean" | "choice" | "secret";

export type Param = { 
/**
 * `[A-Za-z_][A-Za-z0-9_]*`.
 */
name: string, 
/**
 * Its type.
 */
type: ParamType, 
/**
 * Shown to the person who starts the workflow.
 */
description?: string, 
/**
 * Used when nothing is given.
 */
default?: string | number | boolean, 
/**
 * Whether something must be given.
 */
required: boolean, 
/**
 * A regular expression that a text must match.
 */
pattern?: string, 
/**
 * Smallest number.
 */
min?: number, 
/**
 * Largest number.
 */
max?: number, 
/**
 * What a choice offers.
 */
options?: Array<string>, };

export type ParentRef = { 
/**
 * The execution.
 */
execution_id: ExecutionId, 
/**
 * Its step.
 */
step_id: StepId, 
/**
 * How deep the child is, from 1.
 */
depth: number, };

export type StepRef = { 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, };

export type WorkflowRef = { 
/**
 * Its id.
 */
id: WorkflowId, 
/**
 * Its name at that time.
 */
name: string, 
/**
 * Which version of its definition, from 1; 0 for a file that is stored nowhere.
 */
version: number, };

export type WorkerRef = { 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, };

export type OpenOption = { 
/**
 * Shown on the button.
 */
label: string, 
/**
 * What it counts as.
 */
value: string, 
/**
 * Whether it is drawn as dangerous.
 */
danger: boolean, };

export type Next = { "step": StepId } | "end" | "fail";

export type Event = { "action": "execution_created", 
/**
 * Version of the event format.
 */
format: number, 
/**
 * The stored workflow it runs; `None` for a quick command.
 */
workflow: WorkflowRef | null, 
/**
 * The definition of a quick command, which is stored nowhere else.
 */
definition?: string, 
/**
 * All parameters, with defaults.
 */
params: Record<string, unknown>, 
/**
 * Targets that replace the document's own.
 */
targets?: Array<string>, 
/**
 * Who started it.
 */
started_by: string, 
/**
 * What started it.
 */
trigger: Trigger, 
/**
 * The execution whose step runs this one.
 */
parent?: ParentRef, } | { "action": "execution_queued", 
/**
 * How many may run at once.
 */
limit: number, } | { "action": "execution_started", 
/**
 * When its main steps have to be over.
 */
deadline?: Timestamp, } | { "action": "frame_started", 
/**
 * The step that runs it; none for `on_failure` and `finally`.
 */
parent: StepRef | null, 
/**
 * Its identity.
 */
frame_id: FrameId, 
/**
 * Which list of the document.
 */
list: number, 
/**
 * What it is called: the branch's name, the item, `on_failure`, `finally`.
 */
name: string, 
/**
 * Which of its parent's frames, from 0.
 */
index: number, 
/**
 * The item, under its name.
 */
item?: [string, unknown], } | { "action": "frame_finished", 
/**
 * The step that ran it; none for `on_failure` and `finally`.
 */
parent: StepRef | null, 
/**
 * Its identity.
 */
frame_id: FrameId, 
/**
 * What it is called.
 */
name: string, 
/**
 * How.
 */
status: StepStatus, 
/**
 * Why it failed.
 */
error?: string, } | { "action": "items_resolved", 
/**
 * The items.
 */
items: unknown[], 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "child_started", 
/**
 * The child's id.
 */
execution_id: ExecutionId, 
/**
 * The workflow's name.
 */
workflow: string, 
/**
 * What it is given.
 */
params: Record<string, unknown>, 
/**
 * How deep the child is: 1 below an execution that nobody's step started.
 */
depth: number, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "child_finished", 
/**
 * The child's id.
 */
execution_id: ExecutionId, 
/**
 * How it ended.
 */
status: ExecutionStatus, 
/**
 * Why it failed.
 */
error?: string, 
/**
 * Its values at its end.
 */
state: Record<string, unknown>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "step_started", 
/**
 * The how-manieth time, from 1.
 */
run: number, 
/**
 * When it has to be over: its `timeout`, where that is of the step as a whole.
 */
deadline?: Timestamp, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "step_skipped", 
/**
 * The condition.
 */
condition: string, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "condition_error", 
/**
 * The condition.
 */
condition: string, 
/**
 * Why.
 */
message: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "targets_resolved", 
/**
 * What was asked for.
 */
selector: Array<string>, 
/**
 * Who gets the command, in registry order.
 */
targets: Array<WorkerRef>, 
/**
 * Who gets it as soon as they are online, until then.
 */
awaited?: Array<WorkerRef>, 
/**
 * Until when they are waited for.
 */
await_until?: Timestamp, 
/**
 * Whether the first of those that come is enough: `any`, when nobody is online. It is resolved again then.
 */
await_any?: boolean, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "worker_offline", 
/**
 * In words: offline, unreachable or draining.
 */
reason: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "worker_still_offline", 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "no_workers", 
/**
 * What was asked for.
 */
selector: Array<string>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "command_sent", 
/**
 * The attempt's identity.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * What is run.
 */
spec: CommandSpec, 
/**
 * The command with values in place, for people.
 */
command: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "command_moved", 
/**
 * Who was to get it.
 */
from: WorkerRef, 
/**
 * The attempt's identity, which stays.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Why, in words: offline, unreachable or draining.
 */
reason: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "command_held", 
/**
 * The attempt's identity.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Why, in words: offline, unreachable or draining.
 */
reason: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "not_stopped", 
/**
 * The worker that has the command.
 */
worker?: string, 
/**
 * The command.
 */
command_id?: CommandId, 
/**
 * The child execution.
 */
execution_id?: ExecutionId, 
/**
 * How long it was waited for, in milliseconds.
 */
waited_ms: number, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "command_result", 
/**
 * The attempt's identity.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Whether it counts as success.
 */
success: boolean, 
/**
 * Whether it came after the command had been given up, and so changed nothing.
 */
late: boolean, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * The exit code, when the process gave one.
 */
exit_code?: number, 
/**
 * The signal that ended it.
 */
signal?: number, 
/**
 * From start to end, in milliseconds.
 */
duration_ms: number, 
/**
 * The end of standard output, at most 64 KiB.
 */
stdout: string, 
/**
 * The end of standard error, at most 64 KiB.
 */
stderr: string, 
/**
 * Bytes written to standard output in all.
 */
stdout_bytes: number, 
/**
 * Bytes written to standard error in all.
 */
stderr_bytes: number, 
/**
 * Why, in words, where exit code and signal do not say it.
 */
error?: string, } | { "action": "command_retry", 
/**
 * The attempt that failed.
 */
command_id: CommandId, 
/**
 * Which try comes next.
 */
attempt: Attempt, 
/**
 * When it is due.
 */
retry_at: Timestamp, 
/**
 * The delay, in milliseconds.
 */
delay_ms: number, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "rollout_stopped", 
/**
 * How many targets failed.
 */
failures: number, 
/**
 * Who did not get the command.
 */
not_started: Array<WorkerRef>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "prompt", 
/**
 * The question's identity.
 */
prompt_id: PromptId, 
/**
 * The question.
 */
message: string, 
/**
 * What may be answered.
 */
options: Array<OpenOption>, 
/**
 * The last command's output, for review.
 */
output: string, 
/**
 * SHA-256 of that output, in hex.
 */
output_hash: string, 
/**
 * When it is too late.
 */
deadline: Timestamp, 
/**
 * What else is asked.
 */
fields?: Array<Param>, 
/**
 * Groups whose members may answer; every operator when empty.
 */
allow?: Array<string>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "prompt_response", 
/**
 * Which question.
 */
prompt_id: PromptId, 
/**
 * The answer.
 */
response: string, 
/**
 * Who.
 */
by: string, 
/**
 * The answers to what else was asked.
 */
fields?: Record<string, unknown>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "prompt_timeout", 
/**
 * Which question.
 */
prompt_id: PromptId, 
/**
 * What it counts as, if anything.
 */
response?: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "wait_started", 
/**
 * When it is over.
 */
until: Timestamp, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "wait_finished", 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "parse_complete", 
/**
 * Whose output.
 */
from: StepId, 
/**
 * How many values.
 */
parsed_count: number, 
/**
 * The values, later targets winning.
 */
parsed: Record<string, unknown>, 
/**
 * Each worker's own values, when there were several.
 */
by_worker: Record<string, Record<string, unknown>>, 
/**
 * Where it goes on; none when an execute step parsed its own output and is not over yet.
 */
next: Next | null, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "route_taken", 
/**
 * The condition; `default` for the default.
 */
condition: string, 
/**
 * What the way is called.
 */
label: string, 
/**
 * Where it leads.
 */
goto: string, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "route_unmatched", 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "values_set", 
/**
 * The values.
 */
values: Record<string, unknown>, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "step_finished", 
/**
 * How.
 */
status: StepStatus, 
/**
 * Why it failed.
 */
error?: string, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "workflow_error", 
/**
 * Why.
 */
message: string, } | { "action": "server_restart_recovery", 
/**
 * How many commands were on workers.
 */
running_commands: number, } | { "action": "abort_requested", 
/**
 * Who.
 */
by: string, 
/**
 * Why.
 */
reason?: string, } | { "action": "execution_finished", 
/**
 * How.
 */
status: ExecutionStatus, 
/**
 * Why it failed or was aborted.
 */
error?: string, };

export type Entry = { 
/**
 * Its place, from 1.
 */
seq: Seq, 
/**
 * When it was decided.
 */
timestamp: Timestamp, } & ({ "action": "execution_created", 
/**
 * Version of the event format.
 */
format: number, 
/**
 * The stored workflow it runs; `None` for a quick command.
 */
workflow: WorkflowRef | null, 
/**
 * The definition of a quick command, which is stored nowhere else.
 */
definition?: string, 
/**
 * All parameters, with defaults.
 */
params: Record<string, unknown>, 
/**
 * Targets that replace the document's own.
 */
targets?: Array<string>, 
/**
 * Who started it.
 */
started_by: string, 
/**
 * What started it.
 */
trigger: Trigger, 
/**
 * The execution whose step runs this one.
 */
parent?: ParentRef, } | { "action": "execution_queued", 
/**
 * How many may run at once.
 */
limit: number, } | { "action": "execution_started", 
/**
 * When its main steps have to be over.
 */
deadline?: Timestamp, } | { "action": "frame_started", 
/**
 * The step that runs it; none for `on_failure` and `finally`.
 */
parent: StepRef | null, 
/**
 * Its identity.
 */
frame_id: FrameId, 
/**
 * Which list of the document.
 */
list: number, 
/**
 * What it is called: the branch's name, the item, `on_failure`, `finally`.
 */
name: string, 
/**
 * Which of its parent's frames, from 0.
 */
index: number, 
/**
 * The item, under its name.
 */
item?: [string, unknown], } | { "action": "frame_finished", 
/**
 * The step that ran it; none for `on_failure` and `finally`.
 */
parent: StepRef | null, 
/**
 * Its identity.
 */
frame_id: FrameId, 
/**
 * What it is called.
 */
name: string, 
/**
 * How.
 */
status: StepStatus, 
/**
 * Why it failed.
 */
error?: string, } | { "action": "items_resolved", 
/**
 * The items.
 */
items: unknown[], 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "child_started", 
/**
 * The child's id.
 */
execution_id: ExecutionId, 
/**
 * The workflow's name.
 */
workflow: string, 
/**
 * What it is given.
 */
params: Record<string, unknown>, 
/**
 * How deep the child is: 1 below an execution that nobody's step started.
 */
depth: number, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "child_finished", 
/**
 * The child's id.
 */
execution_id: ExecutionId, 
/**
 * How it ended.
 */
status: ExecutionStatus, 
/**
 * Why it failed.
 */
error?: string, 
/**
 * Its values at its end.
 */
state: Record<string, unknown>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "step_started", 
/**
 * The how-manieth time, from 1.
 */
run: number, 
/**
 * When it has to be over: its `timeout`, where that is of the step as a whole.
 */
deadline?: Timestamp, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "step_skipped", 
/**
 * The condition.
 */
condition: string, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "condition_error", 
/**
 * The condition.
 */
condition: string, 
/**
 * Why.
 */
message: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "targets_resolved", 
/**
 * What was asked for.
 */
selector: Array<string>, 
/**
 * Who gets the command, in registry order.
 */
targets: Array<WorkerRef>, 
/**
 * Who gets it as soon as they are online, until then.
 */
awaited?: Array<WorkerRef>, 
/**
 * Until when they are waited for.
 */
await_until?: Timestamp, 
/**
 * Whether the first of those that come is enough: `any`, when nobody is online. It is resolved again then.
 */
await_any?: boolean, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "worker_offline", 
/**
 * In words: offline, unreachable or draining.
 */
reason: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "worker_still_offline", 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "no_workers", 
/**
 * What was asked for.
 */
selector: Array<string>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "command_sent", 
/**
 * The attempt's identity.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * What is run.
 */
spec: CommandSpec, 
/**
 * The command with values in place, for people.
 */
command: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "command_moved", 
/**
 * Who was to get it.
 */
from: WorkerRef, 
/**
 * The attempt's identity, which stays.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Why, in words: offline, unreachable or draining.
 */
reason: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "command_held", 
/**
 * The attempt's identity.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Why, in words: offline, unreachable or draining.
 */
reason: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "not_stopped", 
/**
 * The worker that has the command.
 */
worker?: string, 
/**
 * The command.
 */
command_id?: CommandId, 
/**
 * The child execution.
 */
execution_id?: ExecutionId, 
/**
 * How long it was waited for, in milliseconds.
 */
waited_ms: number, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "command_result", 
/**
 * The attempt's identity.
 */
command_id: CommandId, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Whether it counts as success.
 */
success: boolean, 
/**
 * Whether it came after the command had been given up, and so changed nothing.
 */
late: boolean, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * The exit code, when the process gave one.
 */
exit_code?: number, 
/**
 * The signal that ended it.
 */
signal?: number, 
/**
 * From start to end, in milliseconds.
 */
duration_ms: number, 
/**
 * The end of standard output, at most 64 KiB.
 */
stdout: string, 
/**
 * The end of standard error, at most 64 KiB.
 */
stderr: string, 
/**
 * Bytes written to standard output in all.
 */
stdout_bytes: number, 
/**
 * Bytes written to standard error in all.
 */
stderr_bytes: number, 
/**
 * Why, in words, where exit code and signal do not say it.
 */
error?: string, } | { "action": "command_retry", 
/**
 * The attempt that failed.
 */
command_id: CommandId, 
/**
 * Which try comes next.
 */
attempt: Attempt, 
/**
 * When it is due.
 */
retry_at: Timestamp, 
/**
 * The delay, in milliseconds.
 */
delay_ms: number, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, 
/**
 * Its id.
 */
worker_id: WorkerId, 
/**
 * Its name.
 */
worker: string, } | { "action": "rollout_stopped", 
/**
 * How many targets failed.
 */
failures: number, 
/**
 * Who did not get the command.
 */
not_started: Array<WorkerRef>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "prompt", 
/**
 * The question's identity.
 */
prompt_id: PromptId, 
/**
 * The question.
 */
message: string, 
/**
 * What may be answered.
 */
options: Array<OpenOption>, 
/**
 * The last command's output, for review.
 */
output: string, 
/**
 * SHA-256 of that output, in hex.
 */
output_hash: string, 
/**
 * When it is too late.
 */
deadline: Timestamp, 
/**
 * What else is asked.
 */
fields?: Array<Param>, 
/**
 * Groups whose members may answer; every operator when empty.
 */
allow?: Array<string>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "prompt_response", 
/**
 * Which question.
 */
prompt_id: PromptId, 
/**
 * The answer.
 */
response: string, 
/**
 * Who.
 */
by: string, 
/**
 * The answers to what else was asked.
 */
fields?: Record<string, unknown>, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "prompt_timeout", 
/**
 * Which question.
 */
prompt_id: PromptId, 
/**
 * What it counts as, if anything.
 */
response?: string, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "wait_started", 
/**
 * When it is over.
 */
until: Timestamp, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "wait_finished", 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "parse_complete", 
/**
 * Whose output.
 */
from: StepId, 
/**
 * How many values.
 */
parsed_count: number, 
/**
 * The values, later targets winning.
 */
parsed: Record<string, unknown>, 
/**
 * Each worker's own values, when there were several.
 */
by_worker: Record<string, Record<string, unknown>>, 
/**
 * Where it goes on; none when an execute step parsed its own output and is not over yet.
 */
next: Next | null, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "route_taken", 
/**
 * The condition; `default` for the default.
 */
condition: string, 
/**
 * What the way is called.
 */
label: string, 
/**
 * Where it leads.
 */
goto: string, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "route_unmatched", 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "values_set", 
/**
 * The values.
 */
values: Record<string, unknown>, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "step_finished", 
/**
 * How.
 */
status: StepStatus, 
/**
 * Why it failed.
 */
error?: string, 
/**
 * Where it goes on.
 */
next: Next, 
/**
 * The frame in which it runs.
 */
frame: FrameId, 
/**
 * Its number in the document, from 1.
 */
step: number, 
/**
 * Its id.
 */
step_id: StepId, 
/**
 * Its name.
 */
step_name: string, } | { "action": "workflow_error", 
/**
 * Why.
 */
message: string, } | { "action": "server_restart_recovery", 
/**
 * How many commands were on workers.
 */
running_commands: number, } | { "action": "abort_requested", 
/**
 * Who.
 */
by: string, 
/**
 * Why.
 */
reason?: string, } | { "action": "execution_finished", 
/**
 * How.
 */
status: ExecutionStatus, 
/**
 * Why it failed or was aborted.
 */
error?: string, });

export type Problem = { 
/**
 * The status in words.
 */
title: string, 
/**
 * The HTTP status.
 */
status: number, 
/**
 * What is wrong, and what to do.
 */
detail: string, 
/**
 * Stable code, like `not-found`.
 */
code: string, 
/**
 * Findings, when a definition was refused.
 */
diagnostics?: Array<Diagnostic>, };

export type Me = { 
/**
 * Name.
 */
name: string, 
/**
 * What they may do.
 */
role: Role, 
/**
 * Groups, as a proxy tells them.
 */
groups: Array<string>, 
/**
 * To be sent as `X-Pulse-CSRF` with every change; none for tokens.
 */
csrf?: string, 
/**
 * Whether a proxy in front of the server signs them in: then they sign out there, too.
 */
by_proxy?: boolean, };

export type SessionRequest = { 
/**
 * An API token.
 */
token?: string, 
/**
 * The code of a one-time link.
 */
code?: string, };

export type NewToken = { 
/**
 * What it is for.
 */
name: string, 
/**
 * What it may do; at most what its maker may.
 */
role: Role, 
/**
 * Days until it expires: 1 to 3650, default 90.
 */
expires_days?: number, };

export type TokenView = { 
/**
 * Its id.
 */
id: TokenId, 
/**
 * What it is for.
 */
name: string, 
/**
 * What it may do.
 */
role: Role, 
/**
 * Who made it.
 */
created_by: string, 
/**
 * When.
 */
created_at: Timestamp, 
/**
 * When it stops working.
 */
expires_at: Timestamp, };

export type TokenCreated = { 
/**
 * The secret; it is stored only as a hash.
 */
token: string, 
/**
 * Its id.
 */
id: TokenId, 
/**
 * What it is for.
 */
name: string, 
/**
 * What it may do.
 */
role: Role, 
/**
 * Who made it.
 */
created_by: string, 
/**
 * When.
 */
created_at: Timestamp, 
/**
 * When it stops working.
 */
expires_at: Timestamp, };

export type OutputChunk = { 
/**
 * Its place among all output of the execution; later pieces have larger ones.
 */
cursor: number, 
/**
 * Whose.
 */
command_id: CommandId, 
/**
 * Of which step.
 */
step_id: StepId, 
/**
 * On which worker.
 */
worker: string, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Which stream.
 */
stream: Stream, 
/**
 * Its number among the pieces of the command.
 */
seq: number, 
/**
 * The text.
 */
data: string, 
/**
 * Set in a marker without text, where output is missing: so many bytes were printed here and are not kept. With 0
 * the head is full, and what follows is held back until the command ends.
 */
gap_bytes?: number, };

export type DeliveryView = { 
/**
 * Its id, as in `X-Pulse-Delivery`.
 */
id: DeliveryId, 
/**
 * What it tells.
 */
event: WebhookEvent, 
/**
 * Whom, without user, password and query.
 */
url: string, 
/**
 * When it happened.
 */
created_at: Timestamp, 
/**
 * How often it was tried.
 */
attempts: number, 
/**
 * When it is tried next; none when it is not.
 */
next_try_at: Timestamp | null, 
/**
 * Where it stands.
 */
status: WebhookStatus, 
/**
 * The status of the last answer.
 */
answer_status: number | null, 
/**
 * The beginning of the last answer.
 */
answer: string | null, 
/**
 * Why the last try failed.
 */
error: string | null, };

export type WebhookKey = { 
/**
 * The key: these characters themselves are the key of the HMAC.
 */
key: string, };

export type WorkerView = { 
/**
 * Its id.
 */
id: WorkerId, 
/**
 * Its name, unique.
 */
name: string, 
/**
 * Whether it can be given work.
 */
status: WorkerStatus, 
/**
 * For target selectors.
 */
labels: { [key in string]: string }, 
/**
 * How many commands it is given at once: what it tells itself, or what an administrator has set, if that is less.
 */
capacity: number, 
/**
 * How many it tells that it runs at once.
 */
reported_capacity: number, 
/**
 * How many an administrator has set.
 */
capacity_limit: number | null, 
/**
 * How many it has now.
 */
active: number, 
/**
 * Whether it gets no new work.
 */
draining: boolean, 
/**
 * The program's version.
 */
version: string, 
/**
 * When it was last heard from.
 */
last_seen: Timestamp, 
/**
 * What it tells about its machine.
 */
metadata: Record<string, unknown>, };

export type WorkflowSummary = { 
/**
 * Its id.
 */
id: WorkflowId, 
/**
 * Its name, unique ignoring case.
 */
name: string, 
/**
 * What it is for.
 */
description: string, 
/**
 * Words to find it by.
 */
tags: Array<string>, 
/**
 * What has to be given when it is started.
 */
params: Array<Param>, 
/**
 * Which version of the definition is current, from 1.
 */
version: number, 
/**
 * Who made it.
 */
created_by: string, 
/**
 * When.
 */
created_at: Timestamp, 
/**
 * When it last changed.
 */
updated_at: Timestamp, };

export type WorkflowVersionView = { 
/**
 * Which version.
 */
version: number, 
/**
 * Who saved it.
 */
saved_by: string, 
/**
 * When.
 */
saved_at: Timestamp, };

export type WorkflowView = { 
/**
 * The definition as it was given.
 */
definition: string, 
/**
 * Told when an execution ends or waits for input.
 */
webhook: string | null, 
/**
 * Its steps and ways.
 */
graph: WorkflowGraph, 
/**
 * Warnings about the definition.
 */
diagnostics: Array<Diagnostic>, 
/**
 * Its id.
 */
id: WorkflowId, 
/**
 * Its name, unique ignoring case.
 */
name: string, 
/**
 * What it is for.
 */
description: string, 
/**
 * Words to find it by.
 */
tags: Array<string>, 
/**
 * What has to be given when it is started.
 */
params: Array<Param>, 
/**
 * Which version of the definition is current, from 1.
 */
version: number, 
/**
 * Who made it.
 */
created_by: string, 
/**
 * When.
 */
created_at: Timestamp, 
/**
 * When it last changed.
 */
updated_at: Timestamp, };

export type WorkflowPut = { 
/**
 * Its name; the definition's own when not given.
 */
name?: string, 
/**
 * What it is for; the definition's own when not given.
 */
description?: string, 
/**
 * YAML text, or JSON as text or as an object.
 */
definition: string | Record<string, unknown>, 
/**
 * Told when an execution ends or waits for input.
 */
webhook?: string, };

export type CheckRequest = { 
/**
 * YAML text, or JSON as text or as an object.
 */
definition: string | Record<string, unknown>, };

export type CheckResult = { 
/**
 * Whether it could be stored.
 */
valid: boolean, 
/**
 * Everything found.
 */
diagnostics: Array<Diagnostic>, 
/**
 * Its steps and ways, when it could be read.
 */
graph: WorkflowGraph | null, };

export type WorkflowGraph = { 
/**
 * The steps, in order.
 */
nodes: Array<GraphNode>, 
/**
 * The ways.
 */
edges: Array<GraphEdge>, };

export type GraphNode = { 
/**
 * Its id.
 */
id: StepId, 
/**
 * Its name.
 */
name: string, 
/**
 * Its type.
 */
type: string, 
/**
 * The step it stands in.
 */
parent: StepId | null, 
/**
 * The document's list that it belongs to.
 */
list: GraphList, 
/**
 * Its condition: when that is false, the step is skipped.
 */
condition: string | null, };

export type GraphList = "steps" | "on_failure" | "finally";

export type GraphEdge = { 
/**
 * From which step.
 */
from: StepId, 
/**
 * To a step's id, or `end` or `fail`: those of the list that the step belongs to.
 */
to: string, 
/**
 * When it is taken, if not always.
 */
label: string, 
/**
 * Why it is taken.
 */
kind: GraphWay, };

export type GraphWay = "next" | "choice" | "skipped" | "error" | "timeout" | "inside";

export type ExecuteRequest = { 
/**
 * Parameters; text is read by each parameter's type.
 */
params: Record<string, unknown>, 
/**
 * Targets that replace the document's own.
 */
targets?: Array<string>, 
/**
 * Which version of the definition; the current one when not given.
 */
version?: number, };

export type CommandRequest = { 
/**
 * A shell line. Nothing in it is a template.
 */
command: string, 
/**
 * On which workers.
 */
targets: Array<string>, 
/**
 * Time limit: seconds as a number, or like `5m`; 5 minutes when not given.
 */
timeout?: string | number, 
/**
 * How many workers at once; all when not given.
 */
parallel?: number, };

export type Created = { 
/**
 * Its id.
 */
id: ExecutionId, };

export type RespondRequest = { 
/**
 * The answer: one of the options.
 */
response: string, 
/**
 * Which prompt; the only open one when not given.
 */
prompt_id?: PromptId, 
/**
 * The answers to what else is asked; text is read by each field's type.
 */
fields?: Record<string, unknown> | undefined, };

export type AbortRequest = { 
/**
 * Why.
 */
reason?: string, };

export type ExecutionSummary = { 
/**
 * Its id.
 */
id: ExecutionId, 
/**
 * Its workflow's name; none for a quick command.
 */
workflow: string | null, 
/**
 * What it runs, in a few words: the workflow's name, or the command.
 */
title: string, 
/**
 * Which version of the definition.
 */
version: number | null, 
/**
 * Where it stands.
 */
status: ExecutionStatus, 
/**
 * Who started it.
 */
started_by: string, 
/**
 * What started it.
 */
trigger: Trigger, 
/**
 * When it was accepted.
 */
created_at: Timestamp, 
/**
 * When its first step started.
 */
started_at: Timestamp | null, 
/**
 * When it ended.
 */
finished_at: Timestamp | null, 
/**
 * Why it failed or was aborted.
 */
error: string | null, 
/**
 * Whether it waits for a person.
 */
waiting_for_input: boolean, 
/**
 * Whether nobody started it by hand.
 */
automated: boolean, 
/**
 * What its commands wait for at the moment, where that is not their own work.
 * An `execution_update` leaves it out: `delivery_update` has it.
 */
delivery?: Delivery, };

export type ExecutionView = { 
/**
 * Its parameters.
 */
params: Record<string, unknown>, 
/**
 * The open prompt, the oldest if there are several.
 */
prompt: PromptView | null, 
/**
 * All open prompts, the oldest first.
 */
prompts: Array<PromptView>, 
/**
 * Every step of the definition, with its last run.
 */
steps: Array<StepView>, 
/**
 * The values that steps have read and set.
 */
state: Record<string, unknown>, 
/**
 * The execution whose step runs this one.
 */
parent: ParentView | null, 
/**
 * The executions that its steps have started, in that order.
 */
children: Array<ChildView>, 
/**
 * The journal.
 */
logs: Array<Entry>, 
/**
 * Its id.
 */
id: ExecutionId, 
/**
 * Its workflow's name; none for a quick command.
 */
workflow: string | null, 
/**
 * What it runs, in a few words: the workflow's name, or the command.
 */
title: string, 
/**
 * Which version of the definition.
 */
version: number | null, 
/**
 * Where it stands.
 */
status: ExecutionStatus, 
/**
 * Who started it.
 */
started_by: string, 
/**
 * What started it.
 */
trigger: Trigger, 
/**
 * When it was accepted.
 */
created_at: Timestamp, 
/**
 * When its first step started.
 */
started_at: Timestamp | null, 
/**
 * When it ended.
 */
finished_at: Timestamp | null, 
/**
 * Why it failed or was aborted.
 */
error: string | null, 
/**
 * Whether it waits for a person.
 */
waiting_for_input: boolean, 
/**
 * Whether nobody started it by hand.
 */
automated: boolean, 
/**
 * What its commands wait for at the moment, where that is not their own work.
 * An `execution_update` leaves it out: `delivery_update` has it.
 */
delivery?: Delivery, };

export type ParentView = { 
/**
 * What it runs, in a few words; none when it is no longer kept.
 */
title: string | null, 
/**
 * The execution.
 */
execution_id: ExecutionId, 
/**
 * Its step.
 */
step_id: StepId, 
/**
 * How deep the child is, from 1.
 */
depth: number, };

export type ChildView = { 
/**
 * Its id.
 */
execution_id: ExecutionId, 
/**
 * The step that started it.
 */
step_id: StepId, 
/**
 * Its workflow's name.
 */
workflow: string, 
/**
 * How it ended; none while it goes on.
 */
status: ExecutionStatus | null, };

export type PromptView = { 
/**
 * Its id.
 */
id: PromptId, 
/**
 * Of which step.
 */
step: StepId, 
/**
 * The question.
 */
message: string, 
/**
 * What may be answered.
 */
options: Array<OpenOption>, 
/**
 * The last command's output, for review.
 */
output: string, 
/**
 * When it is too late.
 */
deadline: Timestamp, 
/**
 * What else is asked.
 */
fields: Array<Param>, 
/**
 * Groups whose members may answer; every operator when empty.
 */
allow: Array<string>, };

export type StepView = { 
/**
 * Its id.
 */
id: StepId, 
/**
 * Its name.
 */
name: string, 
/**
 * Its type.
 */
type: string, 
/**
 * The step it stands in.
 */
parent: StepId | null, 
/**
 * How often it has started.
 */
runs: number, 
/**
 * Where it stands: as its last run that goes on, else as its last run.
 */
status: StepStatus, 
/**
 * When that run started.
 */
started_at: Timestamp | null, 
/**
 * When it ended.
 */
finished_at: Timestamp | null, 
/**
 * The commands of its last run, in the order in which they were sent.
 */
commands: Array<CommandView>, };

export type CommandView = { 
/**
 * Its id.
 */
id: CommandId, 
/**
 * On which worker.
 */
worker: string, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Where it stands.
 */
status: CommandStatus, 
/**
 * Whether it is, or may be, on a worker that cannot be reached at the moment.
 * The journal does not tell it: live, `execution_delivery` does.
 */
unreachable?: boolean, 
/**
 * Its exit code.
 */
exit_code: number | null, 
/**
 * How long it took, in milliseconds, where that is known.
 */
duration_ms: number | null, };

export type FromBrowser = { "type": "subscribe", 
/**
 * The topics.
 */
topics: Array<string>, 
/**
 * Per topic, the last sequence number (`execution:`) or cursor (`output:`) that the client has.
 */
after: Record<string, number>, };

export type ToBrowser = { "type": "execution_event", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * The event at its place.
 */
entry: Entry, } | { "type": "execution_update", 
/**
 * The summary.
 */
execution: ExecutionSummary, } | { "type": "execution_delivery", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * Those that were not sent.
 */
queued: Array<CommandId>, 
/**
 * Those that are, or may be, on a worker that cannot be reached.
 */
unreachable: Array<CommandId>, } | { "type": "delivery_update", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * As in its summary.
 */
delivery: Delivery | null, } | { "type": "output", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * Its place among all output of the execution; later pieces have larger ones.
 */
cursor: number, 
/**
 * Whose.
 */
command_id: CommandId, 
/**
 * Of which step.
 */
step_id: StepId, 
/**
 * On which worker.
 */
worker: string, 
/**
 * Which try.
 */
attempt: Attempt, 
/**
 * Which stream.
 */
stream: Stream, 
/**
 * Its number among the pieces of the command.
 */
seq: number, 
/**
 * The text.
 */
data: string, 
/**
 * Set in a marker without text, where output is missing: so many bytes were printed here and are not kept. With 0
 * the head is full, and what follows is held back until the command ends.
 */
gap_bytes?: number, } | { "type": "worker_update", 
/**
 * The worker.
 */
worker: WorkerView, } | { "type": "command_result", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * On which worker.
 */
worker: string, 
/**
 * Whether it counts as success.
 */
success: boolean, 
/**
 * Whether nobody started the execution by hand: no toast for those.
 */
is_automated: boolean, } | { "type": "execution_prompt", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * Its workflow's name.
 */
workflow: string | null, 
/**
 * The question.
 */
message: string, 
/**
 * What may be answered.
 */
options: Array<string>, } | { "type": "workflow_result", 
/**
 * Which execution.
 */
execution_id: ExecutionId, 
/**
 * Its workflow's name.
 */
workflow: string | null, 
/**
 * Whether it completed.
 */
success: boolean, 
/**
 * In words.
 */
message: string, 
/**
 * Whether nobody started it by hand.
 */
is_automated: boolean, } | { "type": "subscribed", 
/**
 * The topics.
 */
topics: Array<string>, } | { "type": "lagged", 
/**
 * The topics.
 */
topics: Array<string>, } | { "type": "error", 
/**
 * What.
 */
detail: string, };

export type Page<T> = { 
/**
 * The rows.
 */
items: Array<T>, 
/**
 * Where the next page starts; none when this is the last.
 */
next: string | null, };
