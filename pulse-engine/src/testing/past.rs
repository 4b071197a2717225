//! The workers that an execution of the past had, as its journal tells: enough to resolve its targets once more.

use super::read::worker;
use crate::fleet::{Fleet, FleetWorker};
use pulse_core::event::{Entry, Event, WorkerRef};
use pulse_core::ids::WorkerId;
use pulse_core::status::WorkerStatus;
use pulse_core::workflow::{Selector, parse_selectors};
use std::collections::HashMap;

/// The workers of a journal.
#[derive(Clone, Debug)]
pub(super) struct Past {
    /// Those that the journal names and those known now, in the order of these.
    all: Vec<FleetWorker>,
}

/// How one step's targets were resolved.
struct Resolution<'e> {
    selector: &'e [String],
    targets: Vec<&'e WorkerRef>,
    unusable: Vec<(&'e WorkerRef, &'e str)>,
    /// Whether these are all that were meant: not when the step failed before it said so.
    complete: bool,
}

impl Past {
    /// Reads them from a journal. `known` are workers as they are now, for labels and for their order; where the journal
    /// shows that a worker had or lacked a label, it had or lacked it.
    pub(super) fn of(journal: &[Entry], known: &[FleetWorker]) -> Self {
        let resolutions = resolutions(journal);
        let mut named: Vec<&WorkerRef> = Vec::new();
        let moved = journal.iter().filter_map(|entry| match &entry.event {
            Event::CommandMoved { worker, .. } => Some(worker),
            _ => None,
        });
        for reference in resolutions.iter().flat_map(Resolution::all).chain(moved) {
            if !named.iter().any(|worker| worker.worker_id == reference.worker_id) {
                named.push(reference);
            }
        }
        let place = |id: WorkerId| known.iter().position(|worker| worker.id == id).unwrap_or(usize::MAX);
        named.sort_by_key(|reference| place(reference.worker_id));
        let mut workers: Vec<FleetWorker> = Vec::new();
        for reference in named {
            let now = known.iter().find(|worker| worker.id == reference.worker_id);
            let labels = now.map(|worker| worker.labels.clone()).unwrap_or_default();
            workers.push(FleetWorker { id: reference.worker_id, labels, ..worker(&reference.worker, 0) });
        }
        resolutions.iter().for_each(|resolution| infer_labels(resolution, &mut workers));
        let unnamed = known.iter().filter(|worker| !workers.iter().any(|named| named.id == worker.id)).cloned();
        let mut all: Vec<FleetWorker> = workers.iter().cloned().chain(unnamed).collect();
        all.sort_by_key(|worker| place(worker.id));
        Self { all }
    }

    /// The workers at the time of an input, given the entries that followed from it (and more). A worker that is awaited
    /// has come when it gets its command now.
    pub(super) fn fleet(&self, coming: &[Entry], awaited: &[WorkerId]) -> Fleet {
        let ends = coming.iter().skip(1).position(|entry| comes_from_outside(&entry.event));
        let coming = &coming[..ends.map_or(coming.len(), |index| index + 1)];
        let mut fleet = self.resolving(coming);
        if let Some(first) = coming.first() {
            stranding(&first.event, &mut fleet);
        }
        let gets = |id: WorkerId| {
            let sent =
                |entry: &Entry| matches!(&entry.event, Event::CommandSent { worker, .. } if worker.worker_id == id);
            coming.iter().any(sent)
        };
        for worker in fleet.workers.iter_mut().filter(|worker| awaited.contains(&worker.id)) {
            if gets(worker.id) {
                (worker.status, worker.draining) = (WorkerStatus::Online, false);
            } else if worker.status == WorkerStatus::Online && !worker.draining {
                worker.status = WorkerStatus::Offline;
            }
        }
        fleet
    }

    /// The workers for which targets resolve as they did.
    fn resolving(&self, coming: &[Entry]) -> Fleet {
        let resolutions = resolutions(coming);
        if resolutions.is_empty() {
            return Fleet { workers: self.all.clone() };
        }
        let mut there: HashMap<WorkerId, (WorkerStatus, bool)> = HashMap::new();
        let mut picked: Vec<WorkerId> = Vec::new();
        for resolution in &resolutions {
            for target in &resolution.targets {
                there.insert(target.worker_id, (WorkerStatus::Online, false));
                if resolution.selector.iter().any(|text| text.trim() == "any") {
                    picked.push(target.worker_id);
                }
            }
            for (worker, reason) in &resolution.unusable {
                there.insert(worker.worker_id, status(reason));
            }
        }
        let workers = self.all.iter().filter_map(|worker| {
            // Whoever would have been meant and was not, was not there.
            let left_out = || resolutions.iter().any(|resolution| resolution.leaves_out(worker));
            let otherwise = || (!left_out()).then_some((worker.status, worker.draining));
            let (status, draining) = there.get(&worker.id).copied().or_else(otherwise)?;
            let active = u32::from(!picked.contains(&worker.id));
            Some(FleetWorker { status, draining, active, ..worker.clone() })
        });
        Fleet { workers: workers.collect() }
    }

    /// The workers for a test: each as it was when it was first meant, and those known now that may have been there.
    pub(super) fn first_seen(&self, journal: &[Entry]) -> Vec<FleetWorker> {
        let resolutions = resolutions(journal);
        let seen = |worker: &FleetWorker| {
            let found = resolutions.iter().find(|resolution| resolution.all().any(|r| r.worker_id == worker.id))?;
            found.unusable.iter().find(|(r, _)| r.worker_id == worker.id).map(|(_, reason)| status(reason))
        };
        let workers = self.all.iter().map(|worker| {
            let (status, draining) = seen(worker).unwrap_or((worker.status, worker.draining));
            FleetWorker { status, draining, ..worker.clone() }
        });
        workers.filter(|worker| !resolutions.iter().any(|resolution| resolution.leaves_out(worker))).collect()
    }
}

impl<'e> Resolution<'e> {
    /// Whether the worker cannot have been there: it would have been meant.
    fn leaves_out(&self, worker: &FleetWorker) -> bool {
        let mut selectors = self.selector.iter().filter_map(|text| parse_selectors(text).ok()).flatten();
        let meant = |selector: Selector| match selector {
            Selector::Any => self.targets.is_empty() && worker.status == WorkerStatus::Online && !worker.draining,
            other => other.matches(&worker.name, &worker.id.to_string(), &worker.labels),
        };
        self.complete && !self.all().any(|named| named.worker_id == worker.id) && selectors.any(meant)
    }

    fn all(&self) -> impl Iterator<Item = &'e WorkerRef> {
        self.unusable.iter().map(|(worker, _)| *worker).chain(self.targets.iter().copied())
    }
}

/// Makes the workers such that a command is moved, or held, as it was.
fn stranding(event: &Event, fleet: &mut Fleet) {
    let (stranded, to, reason) = match event {
        Event::CommandMoved { from, worker, reason, .. } => (from.worker_id, Some(worker.worker_id), reason),
        Event::CommandHeld { worker, reason, .. } => (worker.worker_id, None, reason),
        _ => return,
    };
    for worker in &mut fleet.workers {
        worker.capacity = worker.capacity.max(1);
        if worker.id == stranded {
            (worker.status, worker.draining) = status(reason);
        } else if Some(worker.id) == to {
            (worker.status, worker.draining, worker.active) = (WorkerStatus::Online, false, 0);
        } else {
            worker.active = worker.capacity;
        }
    }
}

/// An event that begins what follows from an input of its own.
fn comes_from_outside(event: &Event) -> bool {
    matches!(
        event,
        Event::CommandResult { .. }
            | Event::CommandMoved { .. }
            | Event::CommandHeld { .. }
            | Event::PromptResponse { .. }
            | Event::ChildFinished { .. }
            | Event::AbortRequested { .. }
            | Event::ServerRestartRecovery { .. }
    )
}

fn resolutions(journal: &[Entry]) -> Vec<Resolution<'_>> {
    let mut found = Vec::new();
    let mut unusable: Vec<(&WorkerRef, &str)> = Vec::new();
    for entry in journal {
        match &entry.event {
            Event::WorkerOffline { worker, reason, .. } => unusable.push((worker, reason)),
            Event::TargetsResolved { selector, targets, .. } => {
                let (targets, unusable) = (targets.iter().collect(), std::mem::take(&mut unusable));
                found.push(Resolution { selector, targets, unusable, complete: true });
            }
            Event::NoWorkers { selector, .. } => {
                let unusable = std::mem::take(&mut unusable);
                found.push(Resolution { selector, targets: Vec::new(), unusable, complete: true });
            }
            // `on_offline: fail`, or a command that could not be made.
            Event::StepFinished { .. } if !unusable.is_empty() => {
                let unusable = std::mem::take(&mut unusable);
                found.push(Resolution { selector: &[], targets: Vec::new(), unusable, complete: false });
            }
            _ => {}
        }
    }
    found
}

fn status(reason: &str) -> (WorkerStatus, bool) {
    match reason {
        "draining" => (WorkerStatus::Online, true),
        "unreachable" => (WorkerStatus::Unreachable, false),
        _ => (WorkerStatus::Offline, false),
    }
}

/// Gives workers the labels that a single label selector proves.
fn infer_labels(resolution: &Resolution<'_>, workers: &mut [FleetWorker]) {
    let [text] = resolution.selector else { return };
    let Ok(selectors) = parse_selectors(text) else { return };
    let [Selector::Labels(requirements)] = &selectors[..] else { return };
    for worker in workers {
        let meant = resolution.all().any(|reference| reference.worker_id == worker.id);
        for requirement in requirements {
            match (meant, requirement.equal) {
                (true, true) => drop(worker.labels.insert(requirement.label.clone(), requirement.value.clone())),
                (true, false) if worker.labels.get(&requirement.label) == Some(&requirement.value) => {
                    worker.labels.remove(&requirement.label);
                }
                _ => {}
            }
        }
        let has = |worker: &FleetWorker| selectors[0].matches(&worker.name, "", &worker.labels);
        if !meant && has(worker) {
            // One requirement was not met; the first that can be broken.
            let first = &requirements[0];
            match first.equal {
                true => drop(worker.labels.remove(&first.label)),
                false => drop(worker.labels.insert(first.label.clone(), first.value.clone())),
            }
        }
    }
}
