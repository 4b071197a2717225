//! Finds what is read before anything can have set it: values, outcomes of steps, the last command, the last answer.
//!
//! Every way counts that could be taken whatever is decided, and what runs side by side may have run before. So what is found
//! is certain; an expression that says what counts when something is missing (`??`, `()`, `is_empty`) is left alone.

mod before;
mod setters;

use super::names::{Known, is_root};
use super::{Findings, Mention};
use crate::expr::Reference;
use before::Order;
use pulse_core::diagnostic::Code;
use pulse_core::workflow::{ANSWER_NAMES, StepKind, Workflow};
use setters::Setters;
use std::collections::HashMap;

/// Adds a finding for everything that is read too early.
pub(super) fn check(workflow: &Workflow, known: &Known<'_>, mentions: &[Mention], findings: &mut Findings<'_>) {
    // Ways are known only where every jump leads somewhere, and every step could be read.
    let broken = [Code::UnknownStep, Code::DuplicateId].into_iter().any(|code| findings.diagnostics.has(code));
    if broken || known.is_incomplete() {
        return;
    }
    let order = Order::of(workflow);
    let (questions, mut answers) = (Questions::of(&order, known, mentions), Vec::new());
    answers.resize(questions.asked.len(), false);
    let setters = Setters::of(&order);
    // As many at a time as a word has bits.
    for (block, wanted) in questions.wanted.chunks(before::AT_ONCE).enumerate() {
        let made = setters.of_each(wanted);
        let before = order.before(&made);
        let numbers = block * before::AT_ONCE..(block + 1) * before::AT_ONCE;
        for (answer, (number, at)) in answers.iter_mut().zip(&questions.asked) {
            if numbers.contains(number) {
                *answer = before[*at] >> (number - numbers.start) & 1 == 1;
            }
        }
    }
    let unreached = order.unreached();
    let mut answers = answers.into_iter().zip(&questions.asked);
    // In the order in which they were asked.
    let mut missing = |at: usize| {
        let (may_be, (number, _)) = answers.next()?;
        let wanted = &questions.wanted[*number];
        let seen = matches!(wanted, Wanted::Step(id) if order.sees(at, id));
        (!may_be && !seen && !unreached[at]).then(|| setters.missing(wanted))
    };
    for (index, from) in parses(&order) {
        let Some((_, help)) = missing(index) else { continue };
        let message = match from {
            None => "reads the output of the last command, and none can have run before".to_owned(),
            Some(from) => format!("reads the output of `{from}`, which cannot have run before"),
        };
        let step = order.step(index);
        let StepKind::Parse(parse) = &step.kind else { continue };
        let (path, at) = &parse.from_at;
        findings.diagnostics.add(Code::NotYet, path, *at, format!("step `{}` {message}", step.id), help);
    }
    for (index, mention, reference, _) in reads(known, mentions) {
        let Some((message, help)) = missing(index) else { continue };
        let message = format!("`{}`: {message}", mention.shown());
        findings.add(Code::NotYet, &mention.source, mention.offset_of(reference), message, help);
    }
}

/// The steps that read the output of a command: where they are, and the command's step where they name it.
fn parses<'o>(order: &'o Order<'_>) -> impl Iterator<Item = (usize, Option<&'o str>)> {
    let steps = || (0..order.len()).map(|index| (index, order.step(index)));
    let commands = steps().any(|(_, step)| matches!(step.kind, StepKind::Execute(_)));
    steps().filter(move |_| commands).filter_map(|(index, step)| match &step.kind {
        StepKind::Parse(parse) => Some((index, parse.from.as_ref().map(|from| from.as_str()))),
        _ => None,
    })
}

/// The references of steps that need something before them.
fn reads<'m>(
    known: &'m Known<'_>,
    mentions: &'m [Mention],
) -> impl Iterator<Item = (usize, &'m Mention, &'m Reference, Wanted<'m>)> {
    let looked_at = mentions.iter().filter(|mention| !mention.expr.looks_for_missing());
    looked_at.filter_map(|mention| Some((mention.step?, mention))).flat_map(move |(index, mention)| {
        let wanted = move |reference: &'m Reference| {
            wanted(reference, mention, known).map(|wanted| (index, mention, reference, wanted))
        };
        mention.expr.references().iter().filter_map(wanted)
    })
}

/// What is asked, each thing once, and by which steps.
struct Questions<'q> {
    wanted: Vec<Wanted<'q>>,
    /// What is wanted, by its number, and where.
    asked: Vec<(usize, usize)>,
}

impl<'q> Questions<'q> {
    fn of(order: &'q Order<'_>, known: &'q Known<'_>, mentions: &'q [Mention]) -> Self {
        let mut numbers: HashMap<Wanted<'q>, usize> = HashMap::new();
        let mut questions = Self { wanted: Vec::new(), asked: Vec::new() };
        let commands = parses(order).map(|(index, from)| (index, from.map_or(Wanted::Command, Wanted::Step)));
        let names = reads(known, mentions).map(|(index, _, _, wanted)| (index, wanted));
        for (index, wanted) in commands.chain(names) {
            let number = *numbers.entry(wanted).or_insert_with(|| {
                questions.wanted.push(wanted);
                questions.wanted.len() - 1
            });
            questions.asked.push((number, index));
        }
        questions
    }
}

/// What a reference needs to have been before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Wanted<'r> {
    Value(&'r str),
    Step(&'r str),
    Command,
    Answer,
}

fn wanted<'r>(Reference { root, path }: &'r Reference, mention: &Mention, known: &Known<'_>) -> Option<Wanted<'r>> {
    match (root.as_str(), path.first().map(String::as_str)) {
        (root, _) if mention.items.iter().any(|item| item == root) => None,
        ("prompt_response", _) => Some(Wanted::Answer),
        // That nothing ever sets a name is a finding of its own.
        ("state", Some(name)) if !known.may_set(name) => None,
        ("state", Some(name)) if ANSWER_NAMES.contains(&name) => Some(Wanted::Answer),
        ("state", Some(name)) => Some(Wanted::Value(name)),
        ("steps", Some(id)) => Some(Wanted::Step(id)),
        ("last", _) => Some(Wanted::Command),
        (root, _) if is_root(root) || known.has_param(root) || !known.may_set(root) => None,
        (name, _) => Some(Wanted::Value(name)),
    }
}
