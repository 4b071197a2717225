//! Which steps make what is wanted, and what to say where none of them can have run.

use super::Wanted;
use super::before::Order;
use crate::plan::names::is_pair;
use pulse_core::workflow::{ParseFormat, Step, StepKind};
use std::collections::HashMap;

/// The steps that make something, by their places in the document.
pub(super) struct Setters<'o, 'w> {
    order: &'o Order<'w>,
    values: HashMap<&'w str, Vec<usize>>,
    /// Those that read any names, and any that stand in lines `NAME=value`.
    any: Vec<usize>,
    pairs: Vec<usize>,
    commands: Vec<usize>,
    prompts: Vec<usize>,
}

impl<'o, 'w> Setters<'o, 'w> {
    pub(super) fn of(order: &'o Order<'w>) -> Self {
        let mut setters = Self {
            order,
            values: HashMap::new(),
            any: Vec::new(),
            pairs: Vec::new(),
            commands: Vec::new(),
            prompts: Vec::new(),
        };
        (0..order.len()).for_each(|index| setters.add(index, order.step(index)));
        setters
    }

    fn add(&mut self, index: usize, step: &'w Step) {
        match &step.kind {
            StepKind::Set(set) => set.values.keys().for_each(|name| self.value(name, index)),
            StepKind::Prompt(prompt) => {
                self.prompts.push(index);
                prompt.fields.iter().for_each(|field| self.value(&field.name, index));
            }
            StepKind::Parse(parse) => self.format(&parse.format, index),
            StepKind::Execute(execute) => {
                self.commands.push(index);
                execute.parse.iter().for_each(|format| self.format(format, index));
            }
            _ => {}
        }
    }

    fn value(&mut self, name: &'w str, index: usize) {
        self.values.entry(name).or_default().push(index);
    }

    fn format(&mut self, format: &'w ParseFormat, index: usize) {
        match format {
            ParseFormat::Lines { name } => self.value(name, index),
            ParseFormat::KeyValue => self.pairs.push(index),
            ParseFormat::Json => self.any.push(index),
            // The names of its groups.
            ParseFormat::Regex { pattern } => {
                let behind = pattern.split('<').skip(1);
                let names = behind.filter_map(|behind| behind.split_once('>')).map(|(name, _)| name);
                names.for_each(|name| self.value(name, index));
            }
        }
    }

    /// The steps that may set a value.
    fn of_value(&self, name: &str) -> impl Iterator<Item = usize> {
        let pairs = is_pair(name).then_some(&self.pairs);
        self.values.get(name).into_iter().chain(pairs).chain([&self.any]).flatten().copied()
    }

    /// For each step, which of these it makes: the first is the lowest bit.
    pub(super) fn of_each(&self, wanted: &[Wanted<'_>]) -> Vec<u64> {
        let mut made = vec![0; self.order.len()];
        let (mut any, mut pairs) = (0, 0);
        for (number, wanted) in wanted.iter().enumerate() {
            let bit = 1 << number;
            let mut mark = |steps: &[usize]| steps.iter().for_each(|step| made[*step] |= bit);
            match wanted {
                Wanted::Value(name) => {
                    self.values.get(name).into_iter().for_each(|steps| mark(steps));
                    any |= bit;
                    pairs |= if is_pair(name) { bit } else { 0 };
                }
                Wanted::Step(id) => self.order.find(id).into_iter().for_each(|step| mark(&[step])),
                Wanted::Command => mark(&self.commands),
                Wanted::Answer => mark(&self.prompts),
            }
        }
        self.any.iter().for_each(|step| made[*step] |= any);
        self.pairs.iter().for_each(|step| made[*step] |= pairs);
        made
    }

    /// What is wrong when nothing that is wanted may have been before.
    pub(super) fn missing(&self, wanted: &Wanted<'_>) -> (String, String) {
        match wanted {
            Wanted::Value(name) => {
                let help = match self.of_value(name).min() {
                    Some(setter) => format!(
                        "step `{}` sets it; no way leads from there to here: set it before, or write `?? …` behind it",
                        self.order.step(setter).id
                    ),
                    None => "set it in a step before".to_owned(),
                };
                (format!("no step that can have run before sets `{name}`"), help)
            }
            Wanted::Step(id) => {
                let help = format!("no way leads from `{id}` to here: let one, or move this behind it");
                (format!("the step `{id}` cannot have run before"), help)
            }
            Wanted::Command => {
                ("no command can have run before".to_owned(), "put an execute step before it".to_owned())
            }
            Wanted::Answer => {
                ("nobody can have been asked before".to_owned(), "put a prompt step before it".to_owned())
            }
        }
    }
}
