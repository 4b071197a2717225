//! The registry of workers: one lock around all of them, held for moments only and never across an await.

use super::ends::Ends;
use super::legacy;
use super::overrides;
use super::returning::Returning;
use super::worker::Worker;
use super::{Seen, Stranding, Verdict};
use crate::clock;
use crate::live::{Hub, Topic};
use pulse_core::api::WorkerView;
use pulse_core::ids::WorkerId;
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::time::Timestamp;
use pulse_engine::fleet::Fleet as Snapshot;
use pulse_store::Store;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How old a snapshot for the engine may be when only loads have changed: it matters for `any` alone.
const SNAPSHOT_AGE: Duration = Duration::from_millis(100);

/// All workers. Cheap to clone.
#[derive(Clone)]
pub struct Fleet(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub store: Arc<dyn Store>,
    pub hub: Hub,
    pub returning: Returning,
    inner: Mutex<Inner>,
    ends: Ends,
    /// Held while an administrator's change is stored.
    pub changing: tokio::sync::Mutex<()>,
    pub limits: Limits,
}

/// What the server's settings say of commands.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many bytes of a command's output are kept at most.
    pub output_bytes: u64,
    /// How long after its own time limit a command on an unreachable worker is given up as lost.
    pub lost_grace: Duration,
}

#[derive(Default)]
pub(super) struct Inner {
    pub workers: HashMap<WorkerId, Worker>,
    pub sessions: u64,
    snapshot: Option<(Timestamp, Arc<Snapshot>)>,
}

/// What looking after the workers came to.
#[derive(Debug, Default)]
pub(crate) struct Inspected {
    /// Who is connected, and was heard from when.
    pub seen: Vec<Seen>,
    /// Commands whose executions have to be asked where they go.
    pub stranded: Vec<Stranding>,
    /// Who is given work and was not, at some time since the last look.
    pub came: Vec<WorkerId>,
}

/// What removing a worker from the registry came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// There is no such worker.
    Unknown,
    /// It is connected, or has commands.
    InUse,
}

impl Fleet {
    /// Loads the registry; nobody is connected.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Arc<dyn Store>, hub: Hub, limits: Limits) -> pulse_store::Result<Self> {
        let records = store.workers().await?;
        let returning = Returning::of(&records, clock::now());
        let mut workers = HashMap::new();
        for mut record in records {
            let changes = overrides::read(&*store, record.id).await?;
            let kept = legacy::read(&*store, &mut record).await?;
            changes.put_over(&mut record);
            workers.insert(record.id, Worker { kept, ..Worker::new(record, changes) });
        }
        let inner = Mutex::new(Inner { workers, ..Inner::default() });
        let (ends, changing) = (Ends::default(), Default::default());
        Ok(Self(Arc::new(Shared { store, hub, returning, inner, ends, changing, limits })))
    }

    /// How long after its own time limit a command on an unreachable worker is given up as lost.
    pub(super) fn lost_grace(&self) -> Duration {
        self.0.limits.lost_grace
    }

    /// The workers that are on their way back after a start.
    pub(crate) fn returning(&self) -> &Returning {
        &self.0.returning
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What somebody looks at of a worker has changed.
    pub(super) fn changed(&self, inner: &mut Inner, id: WorkerId) {
        inner.snapshot = None;
        if let Some(worker) = inner.workers.get(&id) {
            let view = worker.view(clock::steady());
            self.0.hub.publish(Topic::Workers, None, || ToBrowser::WorkerUpdate { worker: view });
        }
    }

    /// Does something with a worker, then says to it what there is to say.
    pub(super) fn with<T>(&self, id: WorkerId, change: impl FnOnce(&mut Worker, Timestamp) -> T) -> Option<T> {
        let now = clock::steady();
        let mut inner = self.inner();
        let worker = inner.workers.get_mut(&id)?;
        let changed = change(worker, now);
        self.flush(worker);
        Some(changed)
    }

    /// Says to a worker what there is to say.
    pub(super) fn flush(&self, worker: &mut Worker) {
        self.0.ends.add(worker.flush(clock::steady()));
    }

    /// The workers as the engine sees them, in the order of their names.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let now = clock::steady();
        let mut inner = self.inner();
        if let Some((made, snapshot)) = &inner.snapshot
            && now.since(*made) < SNAPSHOT_AGE
        {
            return snapshot.clone();
        }
        let mut workers: Vec<_> = inner.workers.values().map(|worker| worker.for_engine(now)).collect();
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        let snapshot = Arc::new(Snapshot { workers });
        inner.snapshot = Some((now, snapshot.clone()));
        snapshot
    }

    /// All workers, by name.
    pub fn views(&self) -> Vec<WorkerView> {
        let now = clock::steady();
        let mut views: Vec<_> = self.inner().workers.values().map(|worker| worker.view(now)).collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }

    /// A worker by its id or name.
    pub fn view(&self, id_or_name: &str) -> Option<WorkerView> {
        let named = |worker: &&Worker| {
            worker.record.name.eq_ignore_ascii_case(id_or_name) || worker.record.id.to_string() == id_or_name
        };
        self.inner().workers.values().find(named).map(|worker| worker.view(clock::steady()))
    }

    /// This server stood still for a while: that is no worker's silence.
    pub(crate) fn stood_still(&self, time: Duration) {
        let now = clock::steady();
        for worker in self.inner().workers.values_mut() {
            worker.ledger.stood_still(time, now);
        }
    }

    /// Marks workers that have fallen silent, gives up commands whose time is over, says what could not be said before,
    /// and answers what there is to do because of that.
    pub(crate) fn inspect(&self) -> Inspected {
        let now = clock::steady();
        let mut inner = self.inner();
        let (mut seen, mut silent, mut stranded, mut came) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut room = inner.workers.values().map(|worker| worker.room(now)).fold(0, u32::saturating_add);
        for (id, worker) in &mut inner.workers {
            if worker.connection.is_some() {
                seen.push(Seen { worker_id: *id, at: worker.record.last_seen });
            }
            if worker.ledger.tick(now, self.0.limits.lost_grace) {
                silent.push(*id);
            }
            if worker.has_come(now) {
                came.push(*id);
            }
            let all = worker.ledger.stranded(now, &mut room).into_iter();
            stranded.extend(all.map(|(execution_id, command_id)| Stranding {
                execution_id,
                worker_id: *id,
                command_id,
            }));
            self.0.ends.add(worker.flush(now));
        }
        for id in silent {
            self.changed(&mut inner, id);
        }
        Inspected { seen, stranded, came }
    }

    /// Waits for commands that ended without their worker.
    pub(super) async fn ends(&self) -> Vec<Verdict> {
        self.0.ends.take().await
    }

    /// Ends a command without its worker.
    pub fn give_up(&self, verdict: Verdict) {
        self.0.ends.add(vec![verdict]);
    }

    /// Removes a worker that is not connected and has nothing to do.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remove(&self, id: WorkerId) -> pulse_store::Result<Removal> {
        let removed = {
            let mut inner = self.inner();
            match inner.workers.get(&id) {
                None => return Ok(Removal::Unknown),
                Some(worker) if worker.connection.is_some() || worker.ledger.len() > 0 => return Ok(Removal::InUse),
                Some(_) => {
                    inner.snapshot = None;
                    self.0.returning.came(id);
                    inner.workers.remove(&id)
                }
            }
        };
        if let Err(error) = self.0.store.delete_worker(id).await {
            if let Some(worker) = removed {
                self.inner().workers.insert(id, worker);
            }
            return Err(error);
        }
        self.forget_overrides(id).await?;
        if let Some(worker) = removed {
            self.forget_agent(&worker.record).await?;
        }
        Ok(Removal::Removed)
    }

    /// Ends every connection.
    pub fn disconnect_all(&self) {
        for worker in self.inner().workers.values() {
            if let Some(connection) = &worker.connection {
                connection.cancel.cancel();
            }
        }
    }
}
