//! While the database cannot be reached: who waits, and for how long.
//!
//! Jobs that are known not to be written wait for so long from when they came, and are then answered that nothing was
//! written. One whose commit is under doubt waits until the doubt is over, because nothing else could be said truly.

use super::job::Job;
use super::task::{Kind, Task};
use super::{QUEUE, Queued};
use crate::Error;
use std::time::Duration;
use tokio::time::Instant;

/// Between two tries to connect; the first comes at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A stretch of time without a connection.
#[derive(Default)]
pub(super) struct Outage {
    tries: u32,
    since: Option<Instant>,
}

impl Outage {
    /// Waits a while before the next try, longer each time.
    async fn pause(&mut self) {
        self.since.get_or_insert_with(Instant::now);
        let pause = match self.tries {
            0 => Duration::ZERO,
            tries => (PAUSES.0 * 2_u32.saturating_pow(tries - 1).min(1024)).min(PAUSES.1),
        };
        self.tries += 1;
        tokio::time::sleep(pause).await;
    }

    /// Says that it is over, if there was one to speak of.
    pub(super) fn end(self, database: &str) {
        if let Some(since) = self.since.filter(|_| self.tries > 1) {
            tracing::info!(%database, seconds = since.elapsed().as_secs(), "the database can be reached again");
        }
    }
}

impl Task {
    /// Waits for a while, and answers those of the group and of the queue who have waited too long. Answers false when
    /// the store is being closed: then nobody is to wait any more.
    pub(super) async fn outlast(&mut self, outage: &mut Outage, jobs: &mut Vec<Queued>, reason: &Error) -> bool {
        if outage.tries == 1 {
            tracing::warn!(database = %self.database, %reason, "writes wait for the database");
        }
        outage.pause().await;
        while self.held.len() < QUEUE
            && let Ok(queued) = self.queue.try_recv()
        {
            self.take(queued);
        }
        if !self.closing.is_empty() {
            return false;
        }
        let patience = match self.kind {
            Kind::Server { patience } => patience,
            Kind::File => Duration::ZERO,
        };
        let late = |queued: &mut Queued| queued.since.elapsed() > patience;
        let expired = jobs.extract_if(.., late).chain(self.held.extract_if(.., late));
        for Queued { job, .. } in expired {
            job.finish(&Err(reason.clone()));
        }
        true
    }

    /// Puts what came from the queue where it belongs.
    pub(super) fn take(&mut self, queued: Queued) {
        match queued.job {
            // What is queued already is still written.
            Job::Close(_) => {
                self.queue.close();
                self.closing.push(queued.job);
            }
            _ => self.held.push(queued),
        }
    }
}
