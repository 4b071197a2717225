//! The workers that an execution of the past had, as its journal tells: enough to resolve its targets once more.

use super::read::worker;
use crate::fleet::{Fleet, FleetWorker};
use pulse_core::event::{Entry, Event, WorkerRef};
use pulse_core::ids::WorkerId;
use pulse_core::status::WorkerStatus;
use pulse_core::workflow::{Selector, parse_selectors};
use std::collections::HashMap;

/// The workers that a journal names.
#[derive(Clone, Debug)]
pub(super) struct Past {
    /// In the order of `known`, then of the journal.
    pub workers: Vec<FleetWorker>,
}

/// How one step's targets were resolved.
struct Resolution<'e> {
    selector: &'e [String],
    targets: Vec<&'e WorkerRef>,
    unusable: Vec<(&'e WorkerRef, &'e str)>,
}

impl Past {
    /// Reads them from a journal. `known` are workers as they are now, for labels and for their order; where the journal
    /// shows that a worker had or lacked a label, it had or lacked it.
    pub(super) fn of(journal: &[Entry], known: &[FleetWorker]) -> Self {
        let resolutions = resolutions(journal);
        let mut named: Vec<&WorkerRef> = Vec::new();
        for reference in resolutions.iter().flat_map(Resolution::all) {
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
        Self { workers }
    }

    /// The workers at the time of an input, given the entries that followed from it (and more).
    pub(super) fn fleet(&self, coming: &[Entry]) -> Fleet {
        let ends = coming.iter().skip(1).position(|entry| comes_from_outside(&entry.event));
        let resolutions = resolutions(&coming[..ends.map_or(coming.len(), |index| index + 1)]);
        if resolutions.is_empty() {
            return Fleet { workers: self.workers.clone() };
        }
        // Whoever was not meant and not refused was not there.
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
        let workers = self.workers.iter().filter_map(|worker| {
            let (status, draining) = *there.get(&worker.id)?;
            let active = u32::from(!picked.contains(&worker.id));
            Some(FleetWorker { status, draining, active, ..worker.clone() })
        });
        Fleet { workers: workers.collect() }
    }

    /// The workers for a test: each as it was when it was first meant.
    pub(super) fn first_seen(&self, journal: &[Entry]) -> Vec<FleetWorker> {
        let resolutions = resolutions(journal);
        let seen = |worker: &FleetWorker| {
            let found = resolutions.iter().find(|resolution| resolution.all().any(|r| r.worker_id == worker.id))?;
            found.unusable.iter().find(|(r, _)| r.worker_id == worker.id).map(|(_, reason)| status(reason))
        };
        let workers = self.workers.iter().map(|worker| {
            let (status, draining) = seen(worker).unwrap_or((WorkerStatus::Online, false));
            FleetWorker { status, draining, ..worker.clone() }
        });
        workers.collect()
    }
}

impl<'e> Resolution<'e> {
    fn all(&self) -> impl Iterator<Item = &'e WorkerRef> {
        self.unusable.iter().map(|(worker, _)| *worker).chain(self.targets.iter().copied())
    }
}

/// An event that begins what follows from an input of its own.
fn comes_from_outside(event: &Event) -> bool {
    matches!(
        event,
        Event::CommandResult { .. }
            | Event::PromptResponse { .. }
            | Event::PromptTimeout { .. }
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
                found.push(Resolution { selector, targets, unusable });
            }
            Event::NoWorkers { selector, .. } => {
                let unusable = std::mem::take(&mut unusable);
                found.push(Resolution { selector, targets: Vec::new(), unusable });
            }
            // `on_offline: fail`: nothing was resolved.
            Event::StepFinished { .. } if !unusable.is_empty() => {
                let unusable = std::mem::take(&mut unusable);
                found.push(Resolution { selector: &[], targets: Vec::new(), unusable });
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
