//! A journal pushed once more through a definition: what came from outside comes again, in the same order and at the same
//! times, and what the engine decides is compared with what it decided then.
//!
//! Ids and jitter are drawn at random: they are taken over from the journal, so that everything behind them is the same.

use super::past::Past;
use super::way::{adopt, way};
use super::words::words;
use crate::fleet::FleetWorker;
use crate::{Context, Input, Plan, Start, State, apply, decide};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{ExecutionId, Seq};
use pulse_core::workflow::{Param, StepKind};
use serde::Serialize;
use serde_json::{Map, Value};

/// How many entries before a difference are told.
const BEFORE: usize = 3;
/// Most notes on changes that made no difference to the way.
const MOST_NOTES: usize = 50;

/// How closely two journals have to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// Every field of every entry: what the same definition owes.
    Exact,
    /// The way: which steps run where, what is asked, what follows. For a definition that was edited.
    Way,
}

/// What replaying gave.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    /// How many entries agree, from the first on.
    pub agreed: usize,
    /// The first place where it went another way; none when it went the same.
    pub difference: Option<Difference>,
    /// What is not the same and made no difference to the way: other texts, other values.
    pub notes: Vec<String>,
}

/// The first place where it went another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The place in the journal.
    pub seq: Seq,
    /// The last entries before it, in words.
    pub before: Vec<String>,
    /// What happened; `None` when the journal ends here.
    pub recorded: Option<String>,
    /// What would happen; `None` when nothing would.
    pub now: Option<String>,
}

/// Pushes a journal through a definition. `known` are workers as they are now, for the labels that the journal does not
/// tell.
pub fn replay(plan: &Plan, id: ExecutionId, journal: &[Entry], known: &[FleetWorker], sameness: Sameness) -> Replay {
    let mut replaying = Replaying {
        plan,
        journal,
        past: Past::of(journal, known),
        state: State::new(id),
        then: State::new(id),
        index: 0,
        sameness,
        notes: Vec::new(),
    };
    let difference = replaying.run().err();
    Replay { agreed: replaying.index, difference, notes: replaying.notes }
}

struct Replaying<'p> {
    plan: &'p Plan,
    journal: &'p [Entry],
    past: Past,
    /// The state as it is decided now.
    state: State,
    /// The state as it was.
    then: State,
    index: usize,
    sameness: Sameness,
    notes: Vec<String>,
}

impl Replaying<'_> {
    fn run(&mut self) -> Result<(), Difference> {
        self.note_params();
        while let Some(head) = self.journal.get(self.index) {
            let coming = &self.journal[self.index..];
            let (input, now) = match self.early_timer(head) {
                Some(at) => (Input::Timer, at),
                None => (self.input(coming), head.timestamp),
            };
            let fleet = self.past.fleet(coming, &self.state.awaited());
            let cx = Context { now, entropy: head.seq.0, fleet: &fleet };
            let decided = decide(self.plan, &self.state, input, &cx);
            let entries = decided.map_err(|refused| self.difference(Some(format!("refused: {refused}"))))?;
            if entries.is_empty() {
                return Err(self.difference(None));
            }
            for entry in entries {
                self.take(entry)?;
            }
        }
        Ok(())
    }

    /// When the edited definition would have woken before the next entry, and at the time did not.
    fn early_timer(&self, head: &Entry) -> Option<pulse_core::time::Timestamp> {
        let wake = self.state.wake_at().filter(|wake| *wake < head.timestamp)?;
        (self.sameness == Sameness::Way && self.then.wake_at() != Some(wake)).then_some(wake)
    }

    /// What came from outside and led to the next entries.
    fn input(&self, coming: &[Entry]) -> Input {
        match coming[0].event.clone() {
            Event::ExecutionCreated {
                workflow, definition, mut params, targets, started_by, trigger, parent, ..
            } => {
                for (name, value) in self.new_params(&params) {
                    params.extend(value.map(|value| (name, value)));
                }
                let queue = match coming.get(1).map(|entry| &entry.event) {
                    Some(Event::ExecutionQueued { limit }) => Some(*limit),
                    _ => None,
                };
                let start = Start { workflow, definition, params, targets, started_by, trigger, parent, queue };
                Input::Start(Box::new(start))
            }
            Event::ExecutionStarted { .. } => Input::Admitted,
            Event::CommandResult { command_id, end, .. } => Input::CommandFinished { command_id, end: Box::new(end) },
            Event::CommandMoved { command_id, from, .. } => {
                Input::CommandStranded { command_id, worker_id: from.worker_id }
            }
            Event::CommandHeld { command_id, worker, .. } => {
                Input::CommandStranded { command_id, worker_id: worker.worker_id }
            }
            Event::TargetsResolved { targets, .. } if self.then.awaits_any() && !targets.is_empty() => {
                Input::WorkerOnline { worker_id: targets[0].worker_id }
            }
            Event::CommandSent { worker, .. } if self.then.awaited().contains(&worker.worker_id) => {
                Input::WorkerOnline { worker_id: worker.worker_id }
            }
            Event::PromptResponse { prompt_id, response, by, fields, .. } => {
                Input::Answer { prompt_id: Some(prompt_id), response, by, fields }
            }
            Event::ChildFinished { execution_id, status, error, state, .. } => {
                Input::ChildFinished { execution_id, status, error, state }
            }
            Event::AbortRequested { by, reason } => Input::Abort { by, reason },
            Event::ServerRestartRecovery { .. } => Input::Recovered,
            _ => Input::Timer,
        }
    }

    /// The parameters of an edited definition that the journal does not have, with their defaults.
    fn new_params(&self, recorded: &Map<String, Value>) -> Vec<(String, Option<Value>)> {
        let new = |param: &&Param| !recorded.contains_key(&param.name) && (param.default.is_some() || param.required);
        let params = self.plan.workflow.params.iter().filter(|_| self.sameness == Sameness::Way).filter(new);
        params.map(|param| (param.name.clone(), param.default.clone())).collect()
    }

    fn note_params(&mut self) {
        let Some(Event::ExecutionCreated { params, .. }) = self.journal.first().map(|entry| &entry.event) else {
            return;
        };
        let notes = self.new_params(params).into_iter().map(|(name, value)| match value {
            Some(value) => format!("parameter `{name}` is new: its default {value} was used"),
            None => format!("parameter `{name}` is new and has no default: it has no value here"),
        });
        self.notes.extend(notes);
    }

    /// Compares an entry that is decided now with the next one of the journal, and goes on behind both.
    fn take(&mut self, new: Entry) -> Result<(), Difference> {
        let Some(old) = self.journal.get(self.index) else { return Err(self.difference(Some(words(&new.event)))) };
        let same = match self.sameness {
            Sameness::Exact => self.exact(&new.event) == self.exact(&old.event),
            Sameness::Way => way(&new.event) == way(&old.event),
        };
        if !same {
            return Err(self.difference(Some(self.in_words(&new.event, &old.event))));
        }
        self.note(&new.event, &old.event);
        let adopted = adopt(new, old);
        let misfit = |error: crate::Misfit| error.to_string();
        let applied = apply(&mut self.state, &adopted).map_err(misfit);
        if let Err(reason) = applied.and_then(|()| apply(&mut self.then, old).map_err(misfit)) {
            return Err(self.difference(Some(reason)));
        }
        self.index += 1;
        Ok(())
    }

    /// An event without what is drawn at random.
    fn exact(&self, event: &Event) -> Value {
        let mut value = serde_json::to_value(event).unwrap_or_default();
        let mut drop = |names: &[&str]| {
            if let Value::Object(fields) = &mut value {
                names.iter().for_each(|name| drop(fields.remove(*name)));
            }
        };
        match event {
            Event::CommandSent { .. } => drop(&["command_id"]),
            Event::Prompt { .. } => drop(&["prompt_id"]),
            Event::ChildStarted { .. } => drop(&["execution_id"]),
            Event::CommandRetry { at, .. } if self.has_jitter(&at.step_id) => drop(&["retry_at", "delay_ms"]),
            _ => {}
        }
        value
    }

    fn has_jitter(&self, id: &pulse_core::ids::StepId) -> bool {
        let steps = self.plan.workflow.all_steps();
        let step = steps.iter().map(|(step, _)| step).find(|step| step.id == *id);
        step.is_some_and(|step| matches!(&step.kind, StepKind::Execute(execute) if execute.retry.jitter))
    }

    /// The new event in words; where those are the words of the old one, with the fields that differ.
    fn in_words(&self, new: &Event, old: &Event) -> String {
        let said = words(new);
        if said != words(old) {
            return said;
        }
        let (new, old) = (self.exact(new), self.exact(old));
        let fields = new.as_object().into_iter().flatten();
        let other: Vec<String> = fields
            .filter(|(name, value)| old.get(name) != Some(value))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!("{said} ({})", other.join(", "))
    }

    fn note(&mut self, now: &Event, then: &Event) {
        let note = match (now, then) {
            (Event::CommandSent { at, command: new, .. }, Event::CommandSent { command: old, .. }) if new != old => {
                format!("step `{}` runs another command now; its recorded result was used", at.step_id)
            }
            (Event::Prompt { at, message: new, .. }, Event::Prompt { message: old, .. }) if new != old => {
                format!("step `{}` asks in other words now", at.step_id)
            }
            (Event::ParseComplete { at, parsed: new, .. }, Event::ParseComplete { parsed: old, .. })
            | (Event::ValuesSet { at, values: new, .. }, Event::ValuesSet { values: old, .. })
                if new != old =>
            {
                format!("step `{}` gives other values now: {}", at.step_id, words(now))
            }
            _ => return,
        };
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn difference(&self, now: Option<String>) -> Difference {
        let before = &self.journal[self.index.saturating_sub(BEFORE)..self.index];
        let old = self.journal.get(self.index);
        Difference {
            seq: old.map_or_else(|| self.then.last_seq.next(), |entry| entry.seq),
            before: before.iter().map(|entry| words(&entry.event)).collect(),
            recorded: old.map(|entry| words(&entry.event)),
            now,
        }
    }
}
