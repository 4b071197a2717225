//! Ways that lead round: cycles that nothing in them can leave, and steps that repeat themselves at once.

use super::flow::{Flow, spread};
use super::model::OnError;
use super::steps::{Goto, Program, Step, StepKind};
use crate::diagnostic::{Code, Diagnostics};

/// Adds a finding for each such cycle of a list. `bounded` says that a time limit, or what happens in a branch beside it, can
/// end the list.
pub(super) fn check(steps: &[Step], flow: &Flow, bounded: bool, diagnostics: &mut Diagnostics) {
    unchanged(steps, flow, diagnostics);
    let told = endless(steps, flow, bounded, diagnostics);
    for (step, told) in steps.iter().zip(told) {
        if !told {
            at_once(step, diagnostics);
        }
    }
}

/// A cycle of steps of which none can change what the others decide by: it runs until `max_steps` stops it. Commands,
/// prompts, waits and everything that runs other steps can; so can setting and reading values, if that does not fail.
fn unchanged(steps: &[Step], flow: &Flow, diagnostics: &mut Diagnostics) {
    let inert = |position: usize| matches!(steps[position].kind, StepKind::Route(_));
    let mut returns = vec![false; steps.len()];
    let rings = flow.rings(inert);
    for ring in rings.iter().filter(|ring| ring.is_cycle) {
        ring.steps.iter().for_each(|step| returns[*step] = true);
    }
    for (step, returns) in steps.iter().zip(returns) {
        let found = match step.kind {
            StepKind::Route(_) => returns,
            StepKind::Set(_) | StepKind::Parse(_) => fails_into_itself(step),
            _ => false,
        };
        if found {
            let (path, at) = &step.concerning;
            let message =
                format!("step `{}` can lead back to itself with nothing in between that could change the way", step.id);
            let help = "put a command, a prompt, a wait or a changed value into the cycle";
            diagnostics.add(Code::EndlessCycle, path, *at, message, help);
        }
    }
}

fn fails_into_itself(step: &Step) -> bool {
    matches!(&step.on_error, OnError::Step(id) if *id == step.id)
}

/// Steps that lead round for ever whatever comes of them: no way from them comes to an end, to a prompt or a wait, or to a
/// failure that ends the list. Answers which steps were told of.
fn endless(steps: &[Step], flow: &Flow, bounded: bool, diagnostics: &mut Diagnostics) -> Vec<bool> {
    let ends = |goto: &Goto| matches!(goto, Goto::End | Goto::Fail);
    let can_end = |step: &Step| {
        let route = match &step.kind {
            StepKind::Route(route) => route.conditions.iter().any(|condition| ends(&condition.goto)),
            _ => false,
        };
        route || step.goto.as_ref().is_some_and(ends)
    };
    // What only chooses, sets and reads takes no time, so that no time limit ends it.
    let quiet = |step: &Step| matches!(step.kind, StepKind::Route(_) | StepKind::Set(_) | StepKind::Parse(_));
    let stays = |step: &Step| {
        let runs = !bounded && runs_only(step) && cannot_fail(step) && step.timeout.is_none();
        (quiet(step) || runs) && !can_end(step)
    };
    // A jump to nowhere is a mistake of its own: behind it may be anything.
    let out = (0..steps.len()).filter(|position| flow.leaves(*position) || !stays(&steps[*position]));
    let before = flow.before();
    let mut leads_out = vec![false; steps.len()];
    spread(out, &mut leads_out, |position| &before[position]);
    let mut told = vec![false; steps.len()];
    for (start, step) in steps.iter().enumerate() {
        // What consists of routes alone has been found before.
        if leads_out[start] || told[start] || matches!(step.kind, StepKind::Route(_)) {
            continue;
        }
        spread([start], &mut told, |position| flow.next(position));
        let (path, at) = &step.concerning;
        let message = format!("from step `{}` on it goes round for ever: no way leads out", step.id);
        let help = "let a condition or a failure lead out, or put a prompt or a wait into the cycle";
        diagnostics.add(Code::EndlessCycle, path, *at, message, help);
    }
    told
}

/// A step that runs commands, directly or in its lists, and neither asks nor waits.
fn runs_only(step: &Step) -> bool {
    match &step.kind {
        StepKind::Execute(_) => true,
        StepKind::Parallel(_) | StepKind::Foreach(_) => {
            let inside = |step: &Step| {
                runs_only(step) || matches!(step.kind, StepKind::Route(_) | StepKind::Set(_) | StepKind::Parse(_))
            };
            step.kind.lists().into_iter().flatten().all(inside)
        }
        _ => false,
    }
}

/// Whether nothing that happens in a step that runs others, or a command, ends the list it stands in.
fn cannot_fail(step: &Step) -> bool {
    let fails = |goto: &Goto| *goto == Goto::Fail;
    let leads_to_fail = |step: &Step| {
        let route = match &step.kind {
            StepKind::Route(route) => route.conditions.iter().any(|condition| fails(&condition.goto)),
            _ => false,
        };
        route || step.goto.as_ref().is_some_and(fails)
    };
    let inner = |step: &Step| {
        let quiet = matches!(step.kind, StepKind::Route(_) | StepKind::Set(_) | StepKind::Parse(_));
        (quiet || cannot_fail(step)) && !leads_to_fail(step)
    };
    let holds_others = matches!(step.kind, StepKind::Parallel(_) | StepKind::Foreach(_));
    step.on_error != OnError::Fail || (holds_others && step.kind.lists().into_iter().flatten().all(inner))
}

/// A command that comes again at once: after its failure, or after success with nothing but a failure to end it.
fn at_once(step: &Step, diagnostics: &mut Diagnostics) {
    let StepKind::Execute(execute) = &step.kind else { return };
    // A pause between its own tries, or in its script, is one.
    let pauses = match &execute.program {
        Program::Script { script, .. } => script.text.contains("sleep"),
        Program::Argv(argv) => argv.iter().any(|argument| argument.text.contains("sleep")),
    };
    if pauses || (execute.retry.retries > 0 && !execute.retry.delay.is_zero()) {
        return;
    }
    if fails_into_itself(step) {
        let (path, at) = &step.on_error_at;
        let message = format!("when step `{}` fails it runs again at once, until `max_steps` ends it", step.id);
        let help = "give it `retries` with a `retry_delay`, or lead to a wait before it";
        diagnostics.add(Code::RepeatsAtOnce, path, *at, message, help);
    } else if matches!(&step.goto, Some(Goto::Step(id)) if *id == step.id)
        && step.condition.is_none()
        && step.on_error == OnError::Fail
    {
        let (path, at) = &step.goto_at;
        let message = format!("step `{}` leads back to itself at once: only its failure ends it", step.id);
        let help = "let a route behind it decide whether it comes again, with a wait before";
        diagnostics.add(Code::RepeatsAtOnce, path, *at, message, help);
    }
}
