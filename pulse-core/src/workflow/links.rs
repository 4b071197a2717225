//! Checks that span steps: ids, jumps, what nothing reaches, routes and prompts whose ways do not add up.

use super::model::{OnError, Workflow};
use super::steps::{Goto, OnTimeout, Step, StepKind};
use crate::diagnostic::{Code, Diagnostics, did_you_mean};
use std::collections::HashMap;

/// Adds a finding for everything that is wrong between the steps.
pub(super) fn check(workflow: &Workflow, diagnostics: &mut Diagnostics) {
    let steps = &workflow.steps;
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        if index.insert(step.id.as_str(), position).is_some() {
            let (path, at) = &step.concerning;
            let help = Some("ids are unique in the document".to_owned());
            diagnostics.add(Code::DuplicateId, path, *at, format!("step id `{}` stands twice", step.id), help);
        }
    }
    for step in steps {
        jumps(step, |what, target| {
            if !index.contains_key(target) {
                let (path, at) = &step.concerning;
                let help = did_you_mean(target, index.keys().copied().chain(["end", "fail"]));
                let message = format!("{what} of step `{}` leads to `{target}`, which is no step here", step.id);
                diagnostics.add(Code::UnknownStep, path, *at, message, help);
            }
        });
        if let StepKind::Parse(parse) = &step.kind
            && let Some(from) = &parse.from
            && !steps.iter().any(|other| other.id == *from && matches!(other.kind, StepKind::Execute(_)))
        {
            let (path, at) = &step.concerning;
            let message = format!("step `{}` reads `{from}`, which is no execute step", step.id);
            diagnostics.add(Code::UnknownStep, path, *at, message, None);
        }
        check_ways(step, diagnostics);
    }
    if !diagnostics.has_errors() {
        unreachable(steps, &index, diagnostics);
    }
}

/// Calls `found` with every jump of a step to another: what makes it, and the id it names.
fn jumps<'s>(step: &'s Step, mut found: impl FnMut(&str, &'s str)) {
    let mut goto = |what: &str, goto: &'s Goto| {
        if let Goto::Step(id) = goto {
            found(what, id.as_str());
        }
    };
    if let Some(target) = &step.goto {
        goto("goto", target);
    }
    match &step.kind {
        StepKind::Route(route) => route.conditions.iter().for_each(|c| goto("a condition", &c.goto)),
        StepKind::Prompt(prompt) => {
            prompt.options.iter().filter_map(|o| o.goto.as_ref()).for_each(|target| goto("an option", target));
            if let OnTimeout::Goto(target) = &prompt.on_timeout {
                goto("on_timeout", target);
            }
        }
        _ => {}
    }
    if let OnError::Step(id) = &step.on_error {
        found("on_error", id.as_str());
    }
}

fn check_ways(step: &Step, diagnostics: &mut Diagnostics) {
    let (path, at) = &step.concerning;
    match &step.kind {
        StepKind::Route(route) => {
            let default = route.conditions.iter().position(|condition| condition.when.is_none());
            if default.is_some_and(|position| position + 1 < route.conditions.len()) {
                let help = Some("move the default to the end".to_owned());
                let message = format!("the default of route `{}` is not last: nothing behind it is looked at", step.id);
                diagnostics.add(Code::DefaultNotLast, path, *at, message, help);
            }
        }
        StepKind::Prompt(prompt) => {
            let routed = prompt.options.iter().filter(|option| option.goto.is_some()).count();
            if routed > 0 && routed < prompt.options.len() {
                for option in prompt.options.iter().filter(|option| option.goto.is_none()) {
                    let message =
                        format!("option `{}` of prompt `{}` has no route, others have", option.label.text, step.id);
                    let help = Some("it goes on with the next step; give it a route to say so".to_owned());
                    diagnostics.add(Code::MixedRoutes, &option.label.path, option.label.at, message, help);
                }
            }
        }
        _ => {}
    }
}

/// Whether a step always leaves by a jump, so that the step behind it is not reached through it.
fn never_falls_through(step: &Step) -> bool {
    if step.condition.is_some() || matches!(step.on_error, OnError::Continue) {
        return false;
    }
    match &step.kind {
        StepKind::Route(route) => route.conditions.iter().any(|condition| condition.when.is_none()),
        StepKind::Prompt(prompt) => step.goto.is_some() || prompt.options.iter().all(|option| option.goto.is_some()),
        _ => step.goto.is_some(),
    }
}

fn unreachable(steps: &[Step], index: &HashMap<&str, usize>, diagnostics: &mut Diagnostics) {
    let mut reached = vec![false; steps.len()];
    let mut open = vec![0];
    while let Some(position) = open.pop() {
        let Some(step) = steps.get(position) else { continue };
        if std::mem::replace(&mut reached[position], true) {
            continue;
        }
        jumps(step, |_, target| open.extend(index.get(target)));
        if !never_falls_through(step) {
            open.push(position + 1);
        }
    }
    for (step, _) in steps.iter().zip(reached).filter(|(_, reached)| !reached) {
        let (path, at) = &step.concerning;
        diagnostics.add(Code::Unreachable, path, *at, format!("nothing leads to step `{}`", step.id), None);
    }
}
