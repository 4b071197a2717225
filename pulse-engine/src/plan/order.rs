//! Finds what is read before anything can have set it: values, outcomes of steps, the last command, the last answer.
//!
//! Every way counts that could be taken whatever is decided, and what runs side by side may have run before. So what is found
//! is certain; an expression that says what counts when something is missing (`??`, `()`, `is_empty`) is left alone.

use super::names::{Known, is_pair, is_root};
use super::{Findings, Mention};
use crate::expr::Reference;
use pulse_core::diagnostic::Code;
use pulse_core::workflow::{ANSWER_NAMES, ParseFormat, Step, StepKind, Workflow, ways};
use std::collections::HashMap;
use std::ops::Range;

/// Adds a finding for everything that is read too early.
pub(super) fn check(workflow: &Workflow, known: &Known<'_>, mentions: &[Mention], findings: &mut Findings<'_>) {
    // Ways are known only where every jump leads somewhere, and every step could be read.
    let broken = [Code::UnknownStep, Code::DuplicateId].into_iter().any(|code| findings.diagnostics.has(code));
    if broken || known.is_incomplete() {
        return;
    }
    let order = Order::of(workflow);
    let mut before = Before { order: &order, of: None };
    let commands = order.places.iter().any(|place| matches!(place.step.kind, StepKind::Execute(_)));
    for (index, place) in order.places.iter().enumerate().filter(|_| commands) {
        let StepKind::Parse(parse) = &place.step.kind else { continue };
        let Some(before) = before.at(index) else { continue };
        let (message, help) = match &parse.from {
            None => match order.missing(&Wanted::Command, index, before) {
                Some((_, help)) => {
                    ("reads the output of the last command, and none can have run before".to_owned(), help)
                }
                None => continue,
            },
            Some(from) => match order.missing(&Wanted::Step(from.as_str()), index, before) {
                Some((_, help)) => (format!("reads the output of `{from}`, which cannot have run before"), help),
                None => continue,
            },
        };
        let (path, at) = &parse.from_at;
        findings.diagnostics.add(Code::NotYet, path, *at, format!("step `{}` {message}", place.step.id), help);
    }
    for mention in mentions.iter().filter(|mention| !mention.expr.looks_for_missing()) {
        let Some(index) = mention.step else { continue };
        for reference in mention.expr.references() {
            let Some(wanted) = wanted(reference, mention, known) else { continue };
            let Some(before) = before.at(index) else { continue };
            let Some((message, help)) = order.missing(&wanted, index, before) else { continue };
            let message = format!("`{}`: {message}", mention.shown());
            findings.add(Code::NotYet, &mention.source, mention.offset_of(reference), message, help);
        }
    }
}

/// What a reference needs to have been before it.
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

/// A step and where it is.
struct Place<'w> {
    step: &'w Step,
    list: usize,
    position: usize,
    /// What stands in it, by places in the document.
    inside: Range<usize>,
}

struct List {
    /// Its steps, by their places in the document.
    steps: Vec<usize>,
    /// For each step, the positions from which it may be reached directly.
    from: Vec<Vec<usize>>,
    /// The step it stands in.
    of: Option<usize>,
}

/// All steps in document order, and how they may follow each other.
struct Order<'w> {
    places: Vec<Place<'w>>,
    lists: Vec<List>,
    index: HashMap<&'w str, usize>,
    /// Where the steps of `on_failure` and `finally` begin.
    phases: [usize; 2],
}

impl<'w> Order<'w> {
    fn of(workflow: &'w Workflow) -> Self {
        let mut order = Self { places: Vec::new(), lists: Vec::new(), index: HashMap::new(), phases: [0; 2] };
        order.add(&workflow.steps, None);
        order.phases[0] = order.places.len();
        order.add(&workflow.on_failure, None);
        order.phases[1] = order.places.len();
        order.add(&workflow.finally, None);
        order.index = order.places.iter().enumerate().map(|(index, place)| (place.step.id.as_str(), index)).collect();
        order
    }

    fn add(&mut self, steps: &'w [Step], of: Option<usize>) {
        let list = self.lists.len();
        let mut from = vec![Vec::new(); steps.len()];
        for (position, next) in ways(steps).into_iter().enumerate() {
            next.into_iter().for_each(|next| from[next].push(position));
        }
        self.lists.push(List { steps: Vec::with_capacity(steps.len()), from, of });
        for (position, step) in steps.iter().enumerate() {
            let index = self.places.len();
            self.lists[list].steps.push(index);
            self.places.push(Place { step, list, position, inside: 0..0 });
            step.kind.lists().into_iter().for_each(|steps| self.add(steps, Some(index)));
            self.places[index].inside = index + 1..self.places.len();
        }
    }

    /// Which steps may have run before a step; `None` when nothing leads to it.
    fn before(&self, index: usize) -> Option<Vec<bool>> {
        let mut before = vec![false; self.places.len()];
        before[..self.phases[0]].fill(index >= self.phases[0]);
        before[self.phases[0]..self.phases[1]].fill(index >= self.phases[1]);
        let mut inner = index;
        loop {
            let Place { list, position, .. } = self.places[inner];
            let list = &self.lists[list];
            let mut seen = vec![false; list.steps.len()];
            let mut open = list.from[position].clone();
            while let Some(position) = open.pop() {
                if !std::mem::replace(&mut seen[position], true) {
                    open.extend(&list.from[position]);
                    let index = list.steps[position];
                    before[index] = true;
                    before[self.places[index].inside.clone()].fill(true);
                }
            }
            if position > 0 && !seen[0] {
                return None;
            }
            let Some(outer) = list.of else { return Some(before) };
            match self.places[outer].step.kind {
                // An item before this one, or beside it.
                StepKind::Foreach(_) => before[self.places[outer].inside.clone()].fill(true),
                // Other branches.
                _ => {
                    let beside = self.places[outer]
                        .inside
                        .clone()
                        .filter(|index| self.branch(*index, outer) != self.branch(inner, outer));
                    beside.for_each(|index| before[index] = true);
                }
            }
            inner = outer;
        }
    }

    /// The list of a step in which another one stands, at whatever depth.
    fn branch(&self, mut index: usize, outer: usize) -> usize {
        loop {
            let list = self.places[index].list;
            match self.lists[list].of {
                Some(of) if of != outer => index = of,
                _ => return list,
            }
        }
    }

    fn any(&self, before: &[bool], is: impl Fn(&Step) -> bool) -> bool {
        self.places.iter().zip(before).any(|(place, before)| *before && is(place.step))
    }

    /// What is wrong when nothing that is wanted may have been before.
    fn missing(&self, wanted: &Wanted<'_>, at: usize, before: &[bool]) -> Option<(String, String)> {
        match wanted {
            Wanted::Value(name) if !self.any(before, |step| may_set(step, name)) => {
                let setter = self.places.iter().find(|place| may_set(place.step, name));
                let help = match setter {
                    Some(place) => format!(
                        "step `{}` sets it; no way leads from there to here: set it before, or write `?? …` behind it",
                        place.step.id
                    ),
                    None => "set it in a step before".to_owned(),
                };
                Some((format!("no step that can have run before sets `{name}`"), help))
            }
            Wanted::Step(id) => {
                let index = *self.index.get(id)?;
                // A step sees itself, and what it stands in.
                if before[index] || index == at || self.places[index].inside.contains(&at) {
                    return None;
                }
                let help = format!("no way leads from `{id}` to here: let one, or move this behind it");
                Some((format!("the step `{id}` cannot have run before"), help))
            }
            Wanted::Command if !self.any(before, |step| matches!(step.kind, StepKind::Execute(_))) => {
                Some(("no command can have run before".to_owned(), "put an execute step before it".to_owned()))
            }
            Wanted::Answer if !self.any(before, |step| matches!(step.kind, StepKind::Prompt(_))) => {
                Some(("nobody can have been asked before".to_owned(), "put a prompt step before it".to_owned()))
            }
            _ => None,
        }
    }
}

/// Whether a step may set a value of that name.
fn may_set(step: &Step, name: &str) -> bool {
    let reads = |format: &ParseFormat| match format {
        ParseFormat::Lines { name: lines } => lines == name,
        ParseFormat::KeyValue => is_pair(name),
        ParseFormat::Json => true,
        ParseFormat::Regex { pattern } => pattern.contains(&format!("<{name}>")),
    };
    match &step.kind {
        StepKind::Set(set) => set.values.contains_key(name),
        StepKind::Prompt(prompt) => prompt.fields.iter().any(|field| field.name == name),
        StepKind::Parse(parse) => reads(&parse.format),
        StepKind::Execute(execute) => execute.parse.as_ref().is_some_and(reads),
        _ => false,
    }
}

/// What may have run before the step that was asked for last.
struct Before<'o, 'w> {
    order: &'o Order<'w>,
    of: Option<(usize, Option<Vec<bool>>)>,
}

impl Before<'_, '_> {
    fn at(&mut self, index: usize) -> Option<&[bool]> {
        let order = self.order;
        if self.of.as_ref().is_none_or(|(of, _)| *of != index) {
            self.of = Some((index, order.before(index)));
        }
        self.of.as_ref().and_then(|(_, before)| before.as_deref())
    }
}
