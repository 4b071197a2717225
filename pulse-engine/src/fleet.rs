//! The workers as the engine sees them, and which of them a selector means: a pure function from problem to solution.

use pulse_core::event::WorkerRef;
use pulse_core::ids::WorkerId;
use pulse_core::status::WorkerStatus;
use pulse_core::workflow::{Selector, SelectorError, parse_selectors};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A snapshot of all workers, in registry order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    /// The workers.
    pub workers: Vec<FleetWorker>,
}

/// A worker at that moment.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetWorker {
    /// Its id.
    pub id: WorkerId,
    /// Its name.
    pub name: Arc<str>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it can be given work.
    pub status: WorkerStatus,
    /// Whether it gets no new work.
    pub draining: bool,
    /// How many commands it has.
    pub active: u32,
    /// How many it runs at once.
    pub capacity: u32,
}

/// Why targets cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// A text is no selector.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// No worker is meant.
    #[error("target `{selector}` matches no known worker{}", known(names))]
    NoMatch {
        /// What was asked for.
        selector: String,
        /// The workers there are, at most ten.
        names: Vec<String>,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() { "; no worker has connected yet".into() } else { format!("; known are: {}", names.join(", ")) }
}

/// What selectors mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// Workers that can be given work, in registry order, each once.
    pub online: Vec<WorkerRef>,
    /// Workers that are meant and cannot, with the reason in words.
    pub offline: Vec<(WorkerRef, &'static str)>,
    /// Whether `any` was asked for and nobody is online. Who comes first would be it.
    pub lacks_any: bool,
}

impl FleetWorker {
    /// Why it cannot be given work; `None` when it can.
    pub(crate) fn unusable(&self) -> Option<&'static str> {
        match self.status {
            WorkerStatus::Online if self.draining => Some("draining"),
            WorkerStatus::Online => None,
            WorkerStatus::Unreachable => Some("unreachable"),
            WorkerStatus::Offline => Some("offline"),
        }
    }

    /// The worker as the journal names it.
    pub(crate) fn reference(&self) -> WorkerRef {
        WorkerRef { worker_id: self.id, worker: self.name.clone() }
    }
}

impl Fleet {
    /// Whether a worker can be given work now.
    pub fn is_usable(&self, id: WorkerId) -> bool {
        self.workers.iter().any(|worker| worker.id == id && worker.unusable().is_none())
    }

    /// Finds the workers that a list of selectors means: their union, in registry order, each once.
    ///
    /// # Errors
    /// When a text is no selector, or a named worker, pattern or label selector matches no worker at all. `all` and
    /// `any` may match none: whoever asked for them decides what that means.
    pub fn resolve(&self, selectors: &[String]) -> Result<Resolved, TargetError> {
        let mut meant: HashSet<WorkerId> = HashSet::new();
        let mut lacks_any = false;
        for text in selectors {
            for selector in parse_selectors(text)? {
                let matching = self.workers.iter().filter(|w| selector.matches(&w.name, &w.id.to_string(), &w.labels));
                match selector {
                    Selector::Any => match least_loaded(matching) {
                        Some(id) => _ = meant.insert(id),
                        None => lacks_any = true,
                    },
                    Selector::All => meant.extend(matching.map(|worker| worker.id)),
                    _ => {
                        let ids: Vec<_> = matching.map(|worker| worker.id).collect();
                        if ids.is_empty() {
                            let names = self.workers.iter().take(10).map(|worker| worker.name.to_string()).collect();
                            return Err(TargetError::NoMatch { selector: text.clone(), names });
                        }
                        meant.extend(ids);
                    }
                }
            }
        }
        let mut resolved = Resolved { lacks_any, ..Resolved::default() };
        for worker in self.workers.iter().filter(|worker| meant.contains(&worker.id)) {
            match worker.unusable() {
                None => resolved.online.push(worker.reference()),
                Some(reason) => resolved.offline.push((worker.reference(), reason)),
            }
        }
        Ok(resolved)
    }
}

impl Fleet {
    /// Another worker for what was sent to `from` because of these selectors: where that one was meant as `any` only, the
    /// least loaded that is usable, has room, and is none of those `taken`.
    pub(crate) fn instead(&self, selectors: &[String], from: WorkerId, taken: &[WorkerId]) -> Option<WorkerRef> {
        let from = self.workers.iter().find(|worker| worker.id == from)?;
        let selectors: Vec<Selector> =
            selectors.iter().filter_map(|text| parse_selectors(text).ok()).flatten().collect();
        let named = |selector: &Selector| {
            *selector != Selector::Any && selector.matches(&from.name, &from.id.to_string(), &from.labels)
        };
        if !selectors.contains(&Selector::Any) || selectors.iter().any(named) {
            return None;
        }
        let others =
            self.workers.iter().filter(|worker| worker.active < worker.capacity && !taken.contains(&worker.id));
        let found = least_loaded(others)?;
        self.workers.iter().find(|worker| worker.id == found).map(FleetWorker::reference)
    }
}

/// The usable worker with the smallest share of its capacity in use, the first of equals.
fn least_loaded<'w>(workers: impl Iterator<Item = &'w FleetWorker>) -> Option<WorkerId> {
    workers
        .filter(|worker| worker.unusable().is_none())
        .min_by_key(|worker| u64::from(worker.active) * 1_000 / u64::from(worker.capacity.max(1)))
        .map(|worker| worker.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(number: u128, name: &str, status: WorkerStatus, active: u32) -> FleetWorker {
        FleetWorker {
            id: WorkerId(uuid::Uuid::from_u128(number)),
            name: name.into(),
            labels: BTreeMap::from([("role".to_owned(), name[..2].to_owned())]),
            status,
            draining: name.ends_with('d'),
            active,
            capacity: 4,
        }
    }

    #[test]
    fn union_in_registry_order_each_once() {
        use WorkerStatus::*;
        let fleet = Fleet {
            workers: vec![
                worker(1, "db-1", Online, 3),
                worker(2, "db-d", Online, 0),
                worker(3, "we-1", Offline, 0),
                worker(4, "we-2", Online, 1),
            ],
        };
        let names = |selectors: &[&str]| {
            let selectors: Vec<String> = selectors.iter().map(|s| (*s).to_owned()).collect();
            let resolved = fleet.resolve(&selectors).unwrap();
            let online: Vec<_> = resolved.online.iter().map(|w| w.worker.to_string()).collect();
            let offline: Vec<_> = resolved.offline.iter().map(|(w, why)| format!("{}:{why}", w.worker)).collect();
            format!("{}|{}", online.join(","), offline.join(","))
        };
        assert_eq!(names(&["all"]), "db-1,we-2|db-d:draining,we-1:offline");
        assert_eq!(names(&["we-2", "db-*", "we-2"]), "db-1,we-2|db-d:draining");
        assert_eq!(names(&["role=we"]), "we-2|we-1:offline");
        assert_eq!(names(&["any"]), "we-2|");
        assert!(fleet.resolve(&["nope".to_owned()]).is_err());
        assert_eq!(Fleet::default().resolve(&["all".to_owned()]).unwrap(), Resolved::default());
    }
}
