//! Holds what a test came to against what it expects.

use super::failure::Failure;
use super::run::{Ran, Stopped};
use super::suite::{Case, Expect, Texts};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::StepId;
use pulse_core::status::{ExecutionStatus, StepStatus};
use pulse_core::text::shorten;
use serde_json::Value;

/// Everything that is not as the test says.
pub(super) fn check(case: &Case, ran: &Ran<'_>) -> Vec<Failure> {
    let mut failures: Vec<Failure> = ran.stopped.iter().filter_map(|stopped| stop(case, stopped)).collect();
    let cut_short = !failures.is_empty();
    let expect = &case.expect;
    path(expect, ran, &mut failures);
    if !cut_short {
        status(expect, ran, &mut failures);
        values(case, ran, &mut failures);
    }
    for failure in failures.iter_mut().filter(|failure| failure.line.is_none()) {
        failure.line = (case.at.line > 0).then_some(case.at.line);
    }
    failures
}

/// What only a test that came to its end is asked for.
fn values(case: &Case, ran: &Ran<'_>, failures: &mut Vec<Failure>) {
    let expect = &case.expect;
    state(expect, ran, failures);
    let sent = |event: &Event| match event {
        Event::CommandSent { at, command, .. } => Some((at.step_id.clone(), command.trim_end().to_owned())),
        _ => None,
    };
    texts("commands", "command", &expect.commands, &made(&ran.journal, sent), failures);
    let asked = |event: &Event| match event {
        Event::Prompt { at, message, .. } => Some((at.step_id.clone(), message.trim_end().to_owned())),
        _ => None,
    };
    texts("prompt", "question", &expect.prompt, &made(&ran.journal, asked), failures);
    for (id, expected) in &expect.steps {
        // Within loops a step has a record per item: the last one stands for all.
        let mut records = ran.state.steps.iter().filter(|((_, step), _)| step == id).map(|(_, record)| record.status);
        let got = records.next_back().unwrap_or(StepStatus::Pending);
        if got != *expected {
            let failure = Failure::new(format!("steps.{id}"), format!("step `{id}` is {got}"));
            failures.push(failure.comparing(vec![expected.to_string()], vec![got.to_string()]));
        }
    }
    for (given, used) in ran.givens.unused() {
        let what = given.describe();
        let message = match used {
            0 => format!("never used: {what}"),
            used => format!("used {used} of {} times: {what}", given.times),
        };
        failures.push(Failure::new("given", message).at(given.at.line));
    }
}

/// Why the test could not go on; nothing when it expects just that.
fn stop(case: &Case, stopped: &Stopped) -> Option<Failure> {
    Some(match stopped {
        Stopped::NotGiven { step, asked, there } => {
            let message = match there.len() {
                0 => format!("step `{step}` asked for something, and `given` has nothing for it"),
                _ => format!("step `{step}` asked for something that no entry of `given` fits"),
            };
            let there = if there.is_empty() { vec!["(nothing)".to_owned()] } else { there.clone() };
            let what = format!("given.{step}");
            let mut failure = Failure::new(what, message);
            failure.message.push_str(&format!(": {}", shorten(&asked.join(" "), 100)));
            failure.comparing(asked.clone(), there)
        }
        Stopped::Unanswered(_) if case.expect.status == Some(ExecutionStatus::Waiting) => return None,
        Stopped::Unanswered(open) => {
            let steps: Vec<String> = open.iter().map(|(step, _)| format!("`{step}`")).collect();
            let message = format!("nobody answers {}: give an answer or `timeout: true`", steps.join(", "));
            let asked = open.iter().map(|(step, message)| format!("{step}: {message}")).collect();
            Failure::new("given", message).comparing(asked, vec!["(nothing)".to_owned()])
        }
        Stopped::Refused { given, line, reason } => {
            Failure::new("given", format!("{given} was refused: {reason}")).at(*line)
        }
        Stopped::Stuck(steps) => {
            let steps: Vec<&str> = steps.iter().map(StepId::as_str).collect();
            Failure::new("status", format!("nothing can happen any more; still running: {}", steps.join(", ")))
        }
        Stopped::Endless => Failure::new("status", "it goes on without end: nothing that is given ends it"),
    })
}

fn status(expect: &Expect, ran: &Ran<'_>, failures: &mut Vec<Failure>) {
    let got = ran.state.status();
    let error = ran.state.error.clone().unwrap_or_default();
    if let Some(expected) = expect.status.filter(|expected| *expected != got) {
        let because = if error.is_empty() { String::new() } else { format!(": {error}") };
        let failure = Failure::new("status", format!("the execution is {got}{because}"));
        failures.push(failure.comparing(vec![expected.to_string()], vec![got.to_string()]));
    }
    if let Some(part) = expect.error.as_ref().filter(|part| !error.contains(part.as_str())) {
        let message = if error.is_empty() { "there is no error" } else { "the error is another one" };
        let got = if error.is_empty() { vec![] } else { vec![error] };
        failures.push(Failure::new("error", message).comparing(vec![part.clone()], got));
    }
}

fn path(expect: &Expect, ran: &Ran<'_>, failures: &mut Vec<Failure>) {
    let Some(expected) = expect.path.as_ref().filter(|path| **path != ran.walked.path) else { return };
    let lines = |path: &[StepId]| path.iter().map(ToString::to_string).collect();
    let failure = Failure::new("path", "the steps that started are not the ones expected");
    failures.push(failure.comparing(lines(expected), lines(&ran.walked.path)));
}

fn state(expect: &Expect, ran: &Ran<'_>, failures: &mut Vec<Failure>) {
    let (mut expected, mut got) = (Vec::new(), Vec::new());
    for (name, value) in &expect.state {
        let found = ran.state.vars.get(name);
        if !found.is_some_and(|found| same(value, found)) {
            expected.push(format!("{name} = {value}"));
            got.push(found.map_or_else(|| format!("{name} is not set"), |found| format!("{name} = {found}")));
        }
    }
    if !expected.is_empty() {
        failures.push(Failure::new("state", "values differ").comparing(expected, got));
    }
}

/// Whether two values are the same; numbers by what they are worth, so that `1` is `1.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// The texts that steps have made, in order.
fn made(journal: &[Entry], text: impl Fn(&Event) -> Option<(StepId, String)>) -> Vec<(StepId, String)> {
    journal.iter().filter_map(|entry| text(&entry.event)).collect()
}

fn texts(what: &str, one: &str, expected: &[(StepId, Texts)], made: &[(StepId, String)], failures: &mut Vec<Failure>) {
    for (step, texts) in expected {
        let got: Vec<&str> = made.iter().filter(|(id, _)| id == step).map(|(_, text)| text.as_str()).collect();
        let trimmed = |text: &String| text.trim_end().to_owned();
        let (expected, as_expected): (Vec<String>, bool) = match texts {
            Texts::Always(text) => {
                let text = trimmed(text);
                let every = !got.is_empty() && got.iter().all(|got| *got == text);
                (vec![text], every)
            }
            Texts::InOrder(texts) => {
                let texts: Vec<String> = texts.iter().map(trimmed).collect();
                let same = texts == got;
                (texts, same)
            }
        };
        if as_expected {
            continue;
        }
        let mut got = got;
        if matches!(texts, Texts::Always(_)) {
            got.dedup();
        }
        let message = match got.len() {
            0 => format!("step `{step}` made no {one}"),
            _ => format!("the {one} of step `{step}` is another one"),
        };
        let lines = |texts: &mut dyn Iterator<Item = &str>| -> Vec<String> {
            texts.flat_map(str::lines).map(str::to_owned).collect()
        };
        let expected = lines(&mut expected.iter().map(String::as_str));
        let got = lines(&mut got.into_iter());
        failures.push(Failure::new(format!("{what}.{step}"), message).comparing(expected, got));
    }
}
