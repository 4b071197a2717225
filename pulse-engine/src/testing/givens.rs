//! Which entry of `given` answers what a step asked, and which were never used.

use super::suite::{Given, Reaction};
use pulse_core::ids::StepId;
use std::collections::HashMap;

/// What a step asks of the world outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// A command was sent.
    Command {
        /// To which worker.
        worker: &'a str,
        /// Which try.
        attempt: u32,
    },
    /// A question was put.
    Prompt,
    /// A child execution was started.
    Child,
    /// A worker is waited for.
    Worker(&'a str),
    /// A wait began: only an abort can come from outside.
    Wait,
}

/// The entries of a test, and how often each was used on each worker.
#[derive(Clone, Debug)]
pub(super) struct Givens<'g> {
    all: &'g [Given],
    used: HashMap<(usize, String), u32>,
    /// What counts as used for every worker, since an earlier run of the step.
    used_up: HashMap<usize, u32>,
}

impl<'g> Givens<'g> {
    pub(super) fn new(all: &'g [Given]) -> Self {
        Self { all, used: HashMap::new(), used_up: HashMap::new() }
    }

    /// Uses the entry that answers: one for this worker and attempt before one for any, else the first that is left.
    pub(super) fn take(&mut self, step: &StepId, asked: Asked<'_>) -> Option<(usize, &'g Given)> {
        let (index, worker) = self.find(step, asked)?;
        let uses = self.uses(index, &worker) + 1;
        self.used.insert((index, worker), uses);
        Some((index, &self.all[index]))
    }

    /// A step runs once more: what any worker has used of its entries is used up for all of them.
    pub(super) fn new_run(&mut self, step: &StepId) {
        for (index, _) in self.all.iter().enumerate().filter(|(_, given)| given.step.as_ref() == Some(step)) {
            let most = self.most_uses(index);
            self.used_up.insert(index, most);
        }
    }

    fn uses(&self, index: usize, worker: &str) -> u32 {
        let used = self.used.get(&(index, worker.to_owned())).copied().unwrap_or(0);
        used.max(self.used_up.get(&index).copied().unwrap_or(0))
    }

    fn most_uses(&self, index: usize) -> u32 {
        let counts = self.used.iter().filter(|((used, _), _)| *used == index).map(|(_, count)| *count);
        counts.max().unwrap_or(0)
    }

    /// Uses the entries that belong to no step: aborts.
    pub(super) fn take_stepless(&mut self) -> Vec<(usize, &'g Given)> {
        let found: Vec<_> = self.all.iter().enumerate().filter(|(_, given)| given.step.is_none()).collect();
        self.used.extend(found.iter().map(|(index, given)| ((*index, String::new()), given.times)));
        found
    }

    /// Whether there is an entry that answers.
    pub(super) fn has(&self, step: &StepId, asked: Asked<'_>) -> bool {
        self.find(step, asked).is_some()
    }

    fn find(&self, step: &StepId, asked: Asked<'_>) -> Option<(usize, String)> {
        let worker = match asked {
            Asked::Command { worker, .. } | Asked::Worker(worker) => worker,
            _ => "",
        };
        let left = |(index, given): &(usize, &Given)| {
            self.uses(*index, worker) < given.times && given.step.as_ref() == Some(step) && fits(given, asked)
        };
        let found = self.all.iter().enumerate().filter(left);
        // `min_by_key` gives the first of equals: the order of the file.
        let (index, _) = found.min_by_key(|(_, given)| (given.worker.is_none(), given.attempt.is_none()))?;
        Some((index, worker.to_owned()))
    }

    /// The entries that were used less often than they say, with how often they were.
    pub(super) fn unused(&self) -> Vec<(&'g Given, u32)> {
        let counted = self.all.iter().enumerate().map(|(index, given)| (given, self.most_uses(index)));
        counted.filter(|(given, used)| *used < given.times).collect()
    }

    /// The workers that entries of a step name and that have something left there.
    pub(super) fn named_workers(&self, step: &StepId, attempt: u32) -> Vec<&'g str> {
        let named = self
            .all
            .iter()
            .filter(|given| given.step.as_ref() == Some(step))
            .filter_map(|given| given.worker.as_deref());
        named.filter(|worker| self.has(step, Asked::Command { worker, attempt })).collect()
    }

    /// All entries of a step, in words.
    pub(super) fn of_step(&self, step: &StepId) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, given) in self.all.iter().enumerate().filter(|(_, given)| given.step.as_ref() == Some(step)) {
            let mut line = given.reaction.describe();
            if let Some(worker) = &given.worker {
                line.push_str(&format!(" on {worker}"));
            }
            if let Some(attempt) = given.attempt {
                line.push_str(&format!(", attempt {attempt}"));
            }
            if self.used.keys().any(|(used, _)| *used == index) {
                line.push_str(" (used)");
            }
            lines.push(line);
        }
        lines
    }
}

fn fits(given: &Given, asked: Asked<'_>) -> bool {
    match (asked, &given.reaction) {
        (Asked::Command { worker, attempt }, Reaction::End(_) | Reaction::Abort { .. }) => {
            given.worker.as_deref().is_none_or(|named| named == worker)
                && given.attempt.is_none_or(|number| number == attempt)
        }
        (Asked::Prompt, Reaction::Answer { .. } | Reaction::Timeout | Reaction::Abort { .. }) => true,
        (Asked::Worker(worker), Reaction::Online) => given.worker.as_deref() == Some(worker),
        (Asked::Child, Reaction::Child { .. } | Reaction::Abort { .. }) => true,
        (Asked::Wait, Reaction::Abort { .. }) => true,
        _ => false,
    }
}
