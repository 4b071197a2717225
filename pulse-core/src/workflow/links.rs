//! Checks that span steps: ids, jumps, what nothing reaches, routes and prompts whose ways do not add up.

use super::cycles;
use super::flow::Flow;
use super::model::{Concerning, OnError, Workflow};
use super::steps::{Goto, OnTimeout, Step, StepKind};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, did_you_mean, nearest};
use std::collections::{HashMap, HashSet};

/// Adds a finding for everything that is wrong between the steps. Steps that could not be read are there all the same.
///
/// `unnamed` holds the paths of steps that have no id of their own.
pub(super) fn check(
    workflow: &Workflow,
    unread: &HashSet<String>,
    unnamed: &HashSet<String>,
    diagnostics: &mut Diagnostics,
) {
    let all = workflow.all_steps();
    let commands = all.iter().filter(|(step, _)| matches!(step.kind, StepKind::Execute(_)));
    let commands: HashSet<&str> = commands.map(|(step, _)| step.id.as_str()).collect();
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (step, _) in &all {
        let (path, at) = &step.concerning;
        if let Some(other) = first.get(step.id.as_str()) {
            let id = &step.id;
            let (message, help) = if unnamed.contains(path) {
                let message = format!("this step has no id and so is called `{id}`, as another step is");
                (message, "give it an id of its own")
            } else if unnamed.contains(*other) {
                let message = format!("step id `{id}` stands twice: `{other}` has no id and so is called `{id}`");
                (message, "give that step an id, or this one another")
            } else {
                (format!("step id `{id}` stands twice"), "give one of them another id: ids are unique in the document")
            };
            diagnostics.add(Code::DuplicateId, path, *at, message, help);
        } else {
            first.insert(step.id.as_str(), path);
        }
        if let StepKind::Parse(parse) = &step.kind
            && let Some(from) = &parse.from
            && !unread.contains(from.as_str())
            && !commands.contains(from.as_str())
        {
            let message = format!("step `{}` reads `{from}`, which is no execute step", step.id);
            let (path, at) = &parse.from_at;
            let known = commands.iter().copied().filter(|_| !diagnostics.is_full(Code::UnknownStep));
            let help = did_you_mean(from.as_str(), known);
            let help = help.unwrap_or_else(|| "write the id of a step that runs a command".to_owned());
            diagnostics.add(Code::UnknownStep, path, *at, message, help);
        }
        check_ways(step, diagnostics);
    }
    let seen: HashSet<&str> = first.into_keys().collect();
    [&workflow.steps, &workflow.on_failure, &workflow.finally]
        .into_iter()
        .for_each(|list| check_jumps(list, &seen, unread, diagnostics));
    // Of fields whose names are not kept any could be one of a way.
    let hidden = diagnostics.iter().any(hides_ways) || diagnostics.has_left_out(Code::UnknownField);
    if unread.is_empty() && !hidden {
        // The time limit of the document is one of the main steps.
        check_reach(&workflow.steps, workflow.timeout.is_some(), diagnostics);
        check_reach(&workflow.on_failure, false, diagnostics);
        check_reach(&workflow.finally, false, diagnostics);
    }
}

/// Fields that say where a step leads, whether it runs, or for how long.
const WAY_FIELDS: [&str; 13] = [
    "goto",
    "on_error",
    "condition",
    "conditions",
    "routes",
    "options",
    "if",
    "default",
    "on_timeout",
    "timeout",
    "steps",
    "branches",
    "fail_fast",
];

/// Parts of what other programs call such fields.
const WAY_WORDS: [&str; 17] = [
    "on_", "next", "then", "else", "when", "unless", "until", "skip", "jump", "after", "before", "need", "depend",
    "loop", "while", "repeat", "enable",
];

/// Whether an error may hide a step, a way between steps, or a time limit. What is told of the ways beside it could be false.
fn hides_ways(finding: &Diagnostic) -> bool {
    const HARMLESS: [Code; 6] = [
        Code::BadPattern,
        Code::BadDefault,
        Code::SecretMisuse,
        Code::BadTarget,
        Code::ReservedName,
        Code::DefaultNotLast,
    ];
    if finding.severity == Severity::Warning || HARMLESS.iter().any(|code| finding.code == code.as_str()) {
        return false;
    }
    if finding.code != Code::UnknownField.as_str() {
        return true;
    }
    let name = finding.path.rsplit('.').next().unwrap_or_default().to_lowercase();
    let close = |(apart, _): (usize, &str)| apart <= (name.len() / 3).max(1);
    WAY_WORDS.iter().any(|word| name.contains(word)) || nearest(&name, WAY_FIELDS).is_some_and(close)
}

/// Jumps stay in their list.
fn check_jumps(steps: &[Step], everywhere: &HashSet<&str>, unread: &HashSet<String>, diagnostics: &mut Diagnostics) {
    let here: HashSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    for step in steps {
        jumps(step, |what, target, (path, at)| {
            if !here.contains(target) && !unread.contains(target) {
                let (message, help) = if diagnostics.is_full(Code::UnknownStep) {
                    Default::default()
                } else if everywhere.contains(target) {
                    let message = format!("{what} of step `{}` leads to `{target}`, out of its list of steps", step.id);
                    (message, "write the id of a step of the same list: a jump never leaves it".to_owned())
                } else {
                    let message = format!("{what} of step `{}` leads to `{target}`, which is no step here", step.id);
                    let help = match what {
                        "on_error" => on_error(target, &here),
                        _ => did_you_mean(target, here.iter().copied().chain(["end", "fail"]))
                            .unwrap_or_else(|| "write the id of a step of the same list, `end` or `fail`".to_owned()),
                    };
                    (message, help)
                };
                diagnostics.add(Code::UnknownStep, path, *at, message, help);
            }
        });
        step.kind.lists().into_iter().for_each(|list| check_jumps(list, everywhere, unread, diagnostics));
    }
}

/// What to write where a failure leads nowhere.
fn on_error(target: &str, here: &HashSet<&str>) -> String {
    let meant = did_you_mean(target, here.iter().copied().chain(["fail", "continue"]));
    let ends = target.eq_ignore_ascii_case("end");
    meant
        .filter(|_| !ends)
        .unwrap_or_else(|| "`on_error` takes fail, continue or the id of a step of its list".to_owned())
}

fn check_reach(steps: &[Step], bounded: bool, diagnostics: &mut Diagnostics) {
    let flow = Flow::of(steps);
    unreachable(steps, &flow, diagnostics);
    cycles::check(steps, &flow, bounded, diagnostics);
    for step in steps {
        let bounded = bounded || step.timeout.is_some() || ends_others(&step.kind);
        step.kind.lists().into_iter().for_each(|list| check_reach(list, bounded, diagnostics));
    }
}

/// Whether the lists of a step may be ended by what happens in another of them.
fn ends_others(kind: &StepKind) -> bool {
    match kind {
        StepKind::Parallel(parallel) => parallel.fail_fast && parallel.branches.len() > 1,
        StepKind::Foreach(foreach) => foreach.fail_fast && foreach.parallel > 1,
        _ => false,
    }
}

/// Calls `found` with every jump of a step to another: what makes it, the id it names, and where that stands.
pub(super) fn jumps<'s>(step: &'s Step, mut found: impl FnMut(&str, &'s str, &'s Concerning)) {
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
                let help = "move the default to the end";
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
                    let way = match &step.goto {
                        Some(goto) => format!("where the step's own `goto` leads, to `{}`", goto.as_str()),
                        None => "on with the next step".to_owned(),
                    };
                    let help = format!("it goes {way}; give it a route to say so");
                    diagnostics.add(Code::MixedRoutes, &option.label.path, option.label.at, message, help);
                }
            }
        }
        _ => {}
    }
}

/// Whether a step always leaves by a jump, so that the step behind it is not reached through it.
pub(super) fn never_falls_through(step: &Step) -> bool {
    let chosen = match &step.kind {
        StepKind::Route(route) => route.conditions.iter().any(|condition| condition.when.is_none()),
        StepKind::Prompt(prompt) => prompt.options.iter().all(|option| option.goto.is_some()),
        _ => false,
    };
    // Where a failure counts as success, it goes where the step itself leads, not where it would have chosen to.
    let chosen = chosen && !matches!(step.on_error, OnError::Continue);
    step.condition.is_none() && (step.goto.is_some() || chosen)
}

fn unreachable(steps: &[Step], flow: &Flow, diagnostics: &mut Diagnostics) {
    for (step, _) in steps.iter().zip(flow.reached()).filter(|(_, reached)| !reached) {
        let (path, at) = &step.concerning;
        let help = "lead to it by a `goto` or a route, or take it out";
        diagnostics.add(Code::Unreachable, path, *at, format!("nothing leads to step `{}`", step.id), help);
    }
}
