//! Checks that span steps: ids, jumps, what nothing reaches, routes and prompts whose ways do not add up.

use super::model::{Concerning, OnError, Workflow};
use super::steps::{Goto, OnTimeout, Step, StepKind};
use crate::diagnostic::{Code, Diagnostics, did_you_mean};
use std::collections::{HashMap, HashSet};

/// Adds a finding for everything that is wrong between the steps. Steps that could not be read are there all the same.
pub(super) fn check(workflow: &Workflow, unread: &HashSet<String>, diagnostics: &mut Diagnostics) {
    let all = workflow.all_steps();
    let mut seen: HashSet<&str> = HashSet::new();
    for (step, _) in &all {
        let (path, at) = &step.concerning;
        if !seen.insert(step.id.as_str()) {
            let help = Some("ids are unique in the document".to_owned());
            diagnostics.add(Code::DuplicateId, path, *at, format!("step id `{}` stands twice", step.id), help);
        }
        if let StepKind::Parse(parse) = &step.kind
            && let Some(from) = &parse.from
            && !unread.contains(from.as_str())
            && !all.iter().any(|(other, _)| other.id == *from && matches!(other.kind, StepKind::Execute(_)))
        {
            let message = format!("step `{}` reads `{from}`, which is no execute step", step.id);
            let (path, at) = &parse.from_at;
            let known = all.iter().filter(|(step, _)| matches!(step.kind, StepKind::Execute(_)));
            let help = did_you_mean(from.as_str(), known.map(|(step, _)| step.id.as_str()));
            diagnostics.add(Code::UnknownStep, path, *at, message, help);
        }
        check_ways(step, diagnostics);
    }
    [&workflow.steps, &workflow.on_failure, &workflow.finally]
        .into_iter()
        .for_each(|list| check_jumps(list, &seen, unread, diagnostics));
    if !diagnostics.has_errors() {
        [&workflow.steps, &workflow.on_failure, &workflow.finally]
            .into_iter()
            .for_each(|list| check_reach(list, diagnostics));
    }
}

/// Jumps stay in their list.
fn check_jumps(steps: &[Step], everywhere: &HashSet<&str>, unread: &HashSet<String>, diagnostics: &mut Diagnostics) {
    let here: HashSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    for step in steps {
        jumps(step, |what, target, (path, at)| {
            if !here.contains(target) && !unread.contains(target) {
                let (message, help) = if everywhere.contains(target) {
                    let message = format!("{what} of step `{}` leads to `{target}`, out of its list of steps", step.id);
                    (message, Some("a jump stays within the list it stands in".to_owned()))
                } else {
                    let message = format!("{what} of step `{}` leads to `{target}`, which is no step here", step.id);
                    (message, did_you_mean(target, here.iter().copied().chain(["end", "fail"])))
                };
                diagnostics.add(Code::UnknownStep, path, *at, message, help);
            }
        });
        step.kind.lists().into_iter().for_each(|list| check_jumps(list, everywhere, unread, diagnostics));
    }
}

fn check_reach(steps: &[Step], diagnostics: &mut Diagnostics) {
    let index: HashMap<&str, usize> = steps.iter().enumerate().map(|(i, step)| (step.id.as_str(), i)).collect();
    unreachable(steps, &index, diagnostics);
    cycles(steps, &index, diagnostics);
    endless(steps, &index, diagnostics);
    steps.iter().flat_map(|step| step.kind.lists()).for_each(|list| check_reach(list, diagnostics));
}

/// A cycle of steps of which none can change what the others decide by: it runs until `max_steps` stops it. Commands,
/// prompts, waits and everything that runs other steps can; so can setting and reading values.
fn cycles(steps: &[Step], index: &HashMap<&str, usize>, diagnostics: &mut Diagnostics) {
    let inert = |step: &Step| matches!(step.kind, StepKind::Route(_));
    for (start, step) in steps.iter().enumerate().filter(|(_, step)| inert(step)) {
        let mut open = vec![start];
        let mut seen = vec![false; steps.len()];
        let mut found = false;
        while let Some(position) = open.pop() {
            let mut next = Vec::new();
            jumps(&steps[position], |_, target, _| next.extend(index.get(target).copied()));
            if !never_falls_through(&steps[position]) {
                next.push(position + 1);
            }
            for position in next.into_iter().filter(|position| steps.get(*position).is_some_and(inert)) {
                found |= position == start;
                if !std::mem::replace(&mut seen[position], true) {
                    open.push(position);
                }
            }
        }
        if found {
            let (path, at) = &step.concerning;
            let message =
                format!("step `{}` can lead back to itself with nothing in between that could change the way", step.id);
            let help = Some("put a command, a prompt, a wait or a changed value into the cycle".to_owned());
            diagnostics.add(Code::EndlessCycle, path, *at, message, help);
        }
    }
}

/// Steps that only set, read and choose, and lead round for ever whatever they decide: no way from them comes to an end, or
/// to a command, a prompt, a wait or steps of its own.
fn endless(steps: &[Step], index: &HashMap<&str, usize>, diagnostics: &mut Diagnostics) {
    let quiet = |step: &Step| matches!(step.kind, StepKind::Route(_) | StepKind::Set(_) | StepKind::Parse(_));
    let ends = |goto: &Goto| matches!(goto, Goto::End | Goto::Fail);
    let can_end = |step: &Step| {
        let route = match &step.kind {
            StepKind::Route(route) => route.conditions.iter().any(|condition| ends(&condition.goto)),
            _ => false,
        };
        route || step.goto.as_ref().is_some_and(ends)
    };
    let mut told = vec![false; steps.len()];
    // What consists of routes alone has been found before.
    let changes = |step: &Step| quiet(step) && !matches!(step.kind, StepKind::Route(_));
    for (start, step) in steps.iter().enumerate().filter(|(_, step)| changes(step)) {
        let (mut open, mut seen, mut leaves) = (vec![start], vec![false; steps.len()], false);
        while let Some(position) = open.pop() {
            let Some(step) = steps.get(position).filter(|step| quiet(step) && !can_end(step)) else {
                leaves = true;
                break;
            };
            if std::mem::replace(&mut seen[position], true) {
                continue;
            }
            // A jump to nowhere is a mistake of its own: behind it may be anything.
            jumps(step, |_, target, _| open.push(index.get(target).copied().unwrap_or(steps.len())));
            if !never_falls_through(step) {
                open.push(position + 1);
            }
        }
        if leaves || told[start] {
            continue;
        }
        told.iter_mut().zip(seen).for_each(|(told, seen)| *told |= seen);
        let (path, at) = &step.concerning;
        let message = format!("from step `{}` on it goes round for ever: no way leads out", step.id);
        let help = Some("let a condition lead out, or put a command, a prompt or a wait into the cycle".to_owned());
        diagnostics.add(Code::EndlessCycle, path, *at, message, help);
    }
}

/// Calls `found` with every jump of a step to another: what makes it, the id it names, and where that stands.
fn jumps<'s>(step: &'s Step, mut found: impl FnMut(&str, &'s str, &'s Concerning)) {
    let mut goto = |what: &str, goto: &'s Goto, at: &'s Concerning| {
        if let Goto::Step(id) = goto {
            found(what, id.as_str(), at);
        }
    };
    if let Some(target) = &step.goto {
        goto("goto", target, &step.goto_at);
    }
    match &step.kind {
        StepKind::Route(route) => route.conditions.iter().for_each(|c| goto("a condition", &c.goto, &c.goto_at)),
        StepKind::Prompt(prompt) => {
            for option in &prompt.options {
                option.goto.iter().for_each(|target| goto("an option", target, &option.goto_at));
            }
            if let OnTimeout::Goto(target) = &prompt.on_timeout {
                goto("on_timeout", target, &prompt.on_timeout_at);
            }
        }
        _ => {}
    }
    if let OnError::Step(id) = &step.on_error {
        found("on_error", id.as_str(), &step.on_error_at);
    }
}

fn check_ways(step: &Step, diagnostics: &mut Diagnostics) {
    match &step.kind {
        StepKind::Route(route) => {
            let default = route.conditions.iter().position(|condition| condition.when.is_none());
            if let Some(position) = default.filter(|position| position + 1 < route.conditions.len()) {
                let (path, at) = &route.conditions[position].concerning;
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
        jumps(step, |_, target, _| open.extend(index.get(target)));
        if !never_falls_through(step) {
            open.push(position + 1);
        }
    }
    for (step, _) in steps.iter().zip(reached).filter(|(_, reached)| !reached) {
        let (path, at) = &step.concerning;
        diagnostics.add(Code::Unreachable, path, *at, format!("nothing leads to step `{}`", step.id), None);
    }
}
