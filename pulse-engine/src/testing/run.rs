//! One test, driven through the engine: what a step asks is answered by an entry of `given`, and time passes by itself
//! whenever nothing else can happen.
//!
//! ```text
//! advance ─▶ entries ─▶ observe: what is asked is scheduled (now + `duration`)
//!    ▲                              │
//!    └── the earliest of what is scheduled and the engine's own timers; the clock jumps there
//! ```

mod schedule;

use super::givens::{Asked, Givens};
use super::suite::{Case, Given, Reaction};
use super::walked::Walked;
use crate::fleet::{Fleet, FleetWorker};
use crate::{Context, Effect, Input, Plan, Start, State, advance, apply};
use pulse_core::event::{Entry, Event, WorkflowRef};
use pulse_core::ids::{FrameId, PromptId, StepId, WorkflowId};
use pulse_core::status::{Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Most inputs of one test: far beyond what anybody gives, so that a workflow that only waits comes to an end.
const MOST_INPUTS: u64 = 200_000;

/// The workflow that is tested. It is stored nowhere, and nothing shows this.
const WORKFLOW: WorkflowId = WorkflowId(Uuid::from_u128(0x019b_7700_0000_7000_8000_0000_0000_0002));

/// What a test came to.
pub(super) struct Ran<'g> {
    /// The state at the end.
    pub state: State,
    /// Everything that happened.
    pub journal: Vec<Entry>,
    /// The journal's own fold: it sees each entry, where `state` has seen all of a transition.
    pub walked: Walked,
    /// When it was over.
    pub ended: Timestamp,
    /// What kept it from going on, if anything.
    pub stopped: Option<Stopped>,
    /// The entries of `given`.
    pub givens: Givens<'g>,
}

/// Why a test could not go on to the execution's end.
#[derive(Clone, Debug)]
pub(super) enum Stopped {
    /// Something was asked that no entry answers: what, and which entries the step has.
    NotGiven { step: StepId, asked: Vec<String>, there: Vec<String> },
    /// Questions are open that no entry answers.
    Unanswered(Vec<(StepId, String)>),
    /// The engine refused an entry.
    Refused { given: String, line: u32, reason: String },
    /// Nothing can happen any more, though the execution has not ended.
    Stuck(Vec<StepId>),
    /// It goes on and on.
    Endless,
}

/// Something that happens at a time.
struct Due<'g> {
    at: Timestamp,
    /// The entry's number, then the order in which things were asked: what comes first of what is due at once.
    order: (usize, usize),
    given: Option<&'g Given>,
    input: Input,
}

/// A question that no entry answers.
struct Open {
    id: PromptId,
    frame: FrameId,
    step: StepId,
    message: String,
    deadline: Timestamp,
}

struct Run<'p, 'g> {
    plan: &'p Plan,
    workers: Vec<FleetWorker>,
    ran: Ran<'g>,
    now: Timestamp,
    inputs: u64,
    asked: usize,
    due: Vec<Due<'g>>,
    open: Vec<Open>,
}

/// Runs a test. Its parameters have been completed; `title` is what `execution.workflow` gives.
pub(super) fn run<'g>(
    plan: &Plan,
    title: Option<&str>,
    workers: &[FleetWorker],
    case: &'g Case,
    params: Map<String, Value>,
) -> Ran<'g> {
    let ran = Ran {
        state: State::new(case.id),
        journal: Vec::new(),
        walked: Walked::new(case.id),
        ended: case.start,
        stopped: None,
        givens: Givens::new(&case.given),
    };
    let mut run = Run {
        plan,
        workers: workers.to_vec(),
        ran,
        now: case.start,
        inputs: 0,
        asked: 0,
        due: Vec::new(),
        open: Vec::new(),
    };
    let start = Start {
        workflow: title.map(|name| WorkflowRef { id: WORKFLOW, name: name.to_owned(), version: 0 }),
        definition: None,
        params,
        targets: case.targets.clone(),
        started_by: case.started_by.clone(),
        trigger: Trigger::Api,
        parent: None,
        queue: None,
    };
    run.ran.stopped = run.drive(start).err();
    run.ran.ended = run.now;
    run.ran
}

impl<'g> Run<'_, 'g> {
    fn drive(&mut self, start: Start) -> Result<(), Stopped> {
        for (index, given) in self.ran.givens.take_stepless() {
            self.schedule_abort(index, given);
        }
        self.give(Input::Start(Box::new(start)), None)?;
        while self.ran.state.finished.is_none() {
            if self.inputs > MOST_INPUTS {
                return Err(Stopped::Endless);
            }
            let next =
                self.due.iter().enumerate().min_by_key(|(_, due)| (due.at, due.order)).map(|(i, due)| (i, due.at));
            let wake = self.ran.state.wake_at();
            let at = [next.map(|(_, at)| at), wake].into_iter().flatten().min();
            let give_up = self.open.iter().map(|open| open.deadline).min();
            match (at, give_up) {
                // An open question would be answered or time out now, and nobody has said which.
                (at, Some(deadline)) if at.is_none_or(|at| at >= deadline) => return Err(self.unanswered()),
                (None, _) => return Err(self.stuck()),
                (Some(at), _) => self.now = self.now.max(at),
            }
            match next.filter(|(_, at)| wake.is_none_or(|wake| *at <= wake)) {
                Some((index, _)) => {
                    let due = self.due.swap_remove(index);
                    self.give(due.input, due.given)?;
                }
                None => self.give(Input::Timer, None)?,
            }
        }
        Ok(())
    }

    /// Gives the engine an input, and schedules what follows from what it asked.
    fn give(&mut self, input: Input, given: Option<&'g Given>) -> Result<(), Stopped> {
        self.inputs += 1;
        if let Input::WorkerOnline { worker_id } = &input {
            for worker in self.workers.iter_mut().filter(|worker| worker.id == *worker_id) {
                (worker.status, worker.draining) = (WorkerStatus::Online, false);
            }
        }
        let mut preferred: Vec<String> = Vec::new();
        let transition = loop {
            let fleet = Fleet { workers: self.fleet(preferred.last()) };
            let cx = Context { now: self.now, entropy: self.inputs, fleet: &fleet };
            let mut state = self.ran.state.clone();
            let mut transition = match advance(self.plan, &mut state, input.clone(), &cx) {
                Ok(transition) => transition,
                Err(refused) => return self.refused(given, refused.to_string()),
            };
            if self.name_children(&mut transition.entries) {
                state = self.ran.state.clone();
                transition.entries.iter().try_for_each(|entry| apply(&mut state, entry)).expect("only ids are others");
            }
            // `any` takes a worker that an entry names, where the one it took by itself has none.
            match self.wanted(&transition.entries).filter(|worker| !preferred.contains(worker)) {
                Some(worker) => preferred.push(worker),
                None => {
                    self.ran.state = state;
                    break transition;
                }
            }
        };
        let mut asked = Ok(());
        for entry in transition.entries {
            self.ran.walked.entry(&entry).expect("what the engine decided folds");
            if asked.is_ok() {
                asked = self.observe(&entry.event);
            }
            self.ran.journal.push(entry);
        }
        for effect in transition.effects {
            match effect {
                Effect::Cancel { command_id, reason, .. } => self.cancel(command_id, &reason),
                Effect::AbortChild { execution_id, reason } => self.abort_child(execution_id, &reason),
                _ => {}
            }
        }
        asked
    }

    /// Gives children the ids that entries say, where they say one. Whether any got one.
    fn name_children(&self, entries: &mut [Entry]) -> bool {
        let mut givens = self.ran.givens.clone();
        let mut named = false;
        for entry in entries {
            match &mut entry.event {
                Event::StepStarted { at, .. } => givens.new_run(&at.step_id),
                Event::ChildStarted { at, execution_id, .. } => {
                    if let Some((_, Given { reaction: Reaction::Child { id: Some(id), .. }, .. })) =
                        givens.take(&at.step_id, Asked::Child)
                    {
                        *execution_id = *id;
                        named = true;
                    }
                }
                _ => {}
            }
        }
        named
    }

    /// What was given has no place here. A result that comes too late to matter is no mistake.
    fn refused(&self, given: Option<&Given>, reason: String) -> Result<(), Stopped> {
        match given {
            Some(given) if !matches!(given.reaction, Reaction::End(_)) => {
                Err(Stopped::Refused { given: given.describe(), line: given.at.line, reason })
            }
            _ => Ok(()),
        }
    }

    fn fleet(&self, preferred: Option<&String>) -> Vec<FleetWorker> {
        let mut workers = self.workers.clone();
        if let Some(preferred) = preferred {
            workers.iter_mut().for_each(|worker| worker.active = u32::from(*worker.name != **preferred));
        }
        workers
    }

    /// The worker that an entry names for a command whose own worker has no entry.
    fn wanted(&self, entries: &[Entry]) -> Option<String> {
        entries.iter().find_map(|entry| match &entry.event {
            Event::CommandSent { at, worker, attempt, .. } => {
                let asked = Asked::Command { worker: &worker.worker, attempt: attempt.0 };
                let missing = !self.ran.givens.has(&at.step_id, asked);
                let named = || self.ran.givens.named_workers(&at.step_id, attempt.0).into_iter().next();
                missing.then(named).flatten().map(str::to_owned)
            }
            _ => None,
        })
    }

    fn not_given(&self, step: &StepId, asked: Vec<String>) -> Stopped {
        Stopped::NotGiven { step: step.clone(), asked, there: self.ran.givens.of_step(step) }
    }

    fn unanswered(&self) -> Stopped {
        Stopped::Unanswered(self.open.iter().map(|open| (open.step.clone(), open.message.clone())).collect())
    }

    fn stuck(&self) -> Stopped {
        Stopped::Stuck(self.ran.state.active().map(|(_, active)| active.at.step_id.clone()).collect())
    }
}
