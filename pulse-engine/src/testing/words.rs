//! Events in a few words, for people who compare what happened with what would happen.

use pulse_core::event::{Event, Next};
use pulse_core::text::{one_line, shorten};
use serde_json::Value;

/// Longest command, question or list of values that is shown, in characters.
const LONGEST: usize = 100;

/// An event in one line.
pub(super) fn words(event: &Event) -> String {
    let step = event.step().map(|at| at.step_id.to_string()).unwrap_or_default();
    let kind = event.kind();
    let cut = |text: &str| shorten(&one_line(text.trim_end()), LONGEST);
    match event {
        Event::ExecutionCreated { started_by, .. } => format!("started by {started_by}"),
        Event::StepStarted { run, .. } if *run > 1 => format!("step `{step}` starts again (run {run})"),
        Event::StepStarted { .. } => format!("step `{step}` starts"),
        Event::StepSkipped { condition, .. } => format!("step `{step}` is skipped: not {}", cut(condition)),
        Event::TargetsResolved { targets, .. } => {
            let names: Vec<&str> = targets.iter().map(|target| &*target.worker).collect();
            format!("step `{step}` means {}", cut(&names.join(", ")))
        }
        Event::WorkerOffline { worker, reason, .. } => format!("step `{step}`: {} is {reason}", worker.worker),
        Event::NoWorkers { selector, .. } => format!("step `{step}`: no worker for {}", selector.join(", ")),
        Event::CommandSent { worker, attempt, command, .. } => {
            format!("step `{step}` runs on {} (attempt {attempt}): {}", worker.worker, cut(command))
        }
        Event::CommandMoved { worker, from, reason, .. } => {
            format!("step `{step}` goes to {} instead of {} ({reason})", worker.worker, from.worker)
        }
        Event::NotStopped { worker, .. } => {
            let what = worker.as_deref().map_or("its child execution", |worker| worker);
            format!("step `{step}` was given up, and {what} goes on")
        }
        Event::CommandHeld { worker, reason, .. } => format!("step `{step}` waits for {} ({reason})", worker.worker),
        Event::CommandResult { worker, attempt, end, success, .. } => {
            let how = if *success { "succeeded" } else { "failed" };
            format!("step `{step}` {how} on {} (attempt {attempt}): {}", worker.worker, cut(&end.describe()))
        }
        Event::CommandRetry { worker, attempt, .. } => {
            format!("step `{step}` will be tried again on {} (attempt {attempt})", worker.worker)
        }
        Event::RolloutStopped { failures, .. } => format!("step `{step}` stops its roll-out after {failures} failures"),
        Event::Prompt { message, options, .. } => {
            let options: Vec<&str> = options.iter().map(|option| option.label.as_str()).collect();
            format!("step `{step}` asks: {} [{}]", cut(message), cut(&options.join(" | ")))
        }
        Event::PromptResponse { response, by, .. } => format!("step `{step}` is answered `{}` by {by}", cut(response)),
        Event::PromptTimeout { response, .. } => match response {
            Some(response) => format!("step `{step}`: nobody answered, which counts as `{}`", cut(response)),
            None => format!("step `{step}`: nobody answered"),
        },
        Event::WaitStarted { until, .. } => format!("step `{step}` waits until {until}"),
        Event::WaitFinished { .. } => format!("step `{step}` has waited"),
        Event::ParseComplete { parsed, .. } => {
            format!("step `{step}` reads {}", cut(&Value::Object(parsed.clone()).to_string()))
        }
        Event::RouteTaken { goto, condition, .. } => format!("step `{step}` goes to `{goto}`: {}", cut(condition)),
        Event::RouteUnmatched { next, .. } => format!("step `{step}`: nothing matches, on to {}", next_words(next)),
        Event::ValuesSet { values, .. } => {
            format!("step `{step}` sets {}", cut(&Value::Object(values.clone()).to_string()))
        }
        Event::StepFinished { status, error, .. } => match error {
            Some(error) => format!("step `{step}` is {status}: {}", cut(error)),
            None => format!("step `{step}` is {status}"),
        },
        Event::WorkflowError { message } => format!("it cannot go on: {}", cut(message)),
        Event::AbortRequested { by, .. } => format!("aborted by {by}"),
        Event::ServerRestartRecovery { .. } => "the server came back".to_owned(),
        Event::ExecutionFinished { status, error } => match error {
            Some(error) => format!("the execution is {status}: {}", cut(error)),
            None => format!("the execution is {status}"),
        },
        Event::ChildStarted { workflow, .. } => format!("step `{step}` runs `{workflow}`"),
        Event::ChildFinished { status, .. } => format!("step `{step}`: its execution is {status}"),
        Event::FrameStarted { name, .. } => format!("`{name}` starts"),
        Event::FrameFinished { name, status, .. } => format!("`{name}` is {status}"),
        _ if step.is_empty() => kind.replace('_', " "),
        _ => format!("step `{step}`: {}", kind.replace('_', " ")),
    }
}

fn next_words(next: &Next) -> String {
    match next {
        Next::Step(id) => format!("`{id}`"),
        Next::End => "the end".to_owned(),
        Next::Fail => "failure".to_owned(),
    }
}
