//! One group of jobs in one transaction.

use super::Queued;
use super::job::Job;
use super::statements::Statements;
use crate::sql::write::{appends, outputs};
use pulse_core::ids::{CommandId, ExecutionId};
use sea_orm::{DatabaseTransaction, DbErr};
use std::collections::{HashMap, HashSet};

/// What the writer remembers between groups. Anything in it can be looked up again; a wrong memory (another process
/// wrote to the file) makes an insert fail on a key, after which it is forgotten and the job tried again. On a database
/// that several servers share, nothing but the statements is remembered: what is looked up there is locked.
#[derive(Default)]
pub(super) struct Memory {
    pub statements: Statements,
    /// The last cursor of executions whose output is coming in.
    pub cursors: HashMap<ExecutionId, u64>,
    /// The highest number of commands whose output is coming in.
    pub command_ends: HashMap<CommandId, u64>,
    /// Keys of texts that are there.
    pub texts: HashSet<i64>,
}

impl Memory {
    /// How many executions, commands and texts are remembered. Beyond, all are forgotten, which costs a look-up each: simpler
    /// than to find out which have ended, and seldom.
    const MOST: usize = 8192;

    pub(super) fn forget(&mut self) {
        self.cursors.clear();
        self.command_ends.clear();
        self.texts.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cursors.is_empty() && self.command_ends.is_empty() && self.texts.is_empty()
    }

    fn stay_small(&mut self) {
        if self.cursors.len().max(self.command_ends.len()).max(self.texts.len()) > Self::MOST {
            self.forget();
        }
    }
}

/// A transaction and what is needed to write in it.
pub(super) struct Group<'a> {
    pub db: &'a DatabaseTransaction,
    pub memory: &'a mut Memory,
}

impl<'a> Group<'a> {
    pub(super) fn new(db: &'a DatabaseTransaction, memory: &'a mut Memory) -> Self {
        memory.stay_small();
        Self { db, memory }
    }

    /// Decides and writes all jobs. Journals go before output, which may belong to an execution of the same group, and
    /// changes come last.
    pub(super) async fn write(mut self, jobs: &mut [Queued]) -> Result<(), DbErr> {
        let (mut appends, mut outputs, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for queued in jobs {
            match &mut queued.job {
                Job::Append(job) => appends.push(&mut **job),
                Job::Output(job) => outputs.push(&mut **job),
                Job::Change(job) => changes.push(job),
                Job::Close(_) => {}
            }
        }
        if !appends.is_empty() {
            appends::write(&mut self, appends).await?;
        }
        if !outputs.is_empty() {
            outputs::write(&mut self, outputs).await?;
        }
        for change in changes {
            if change.forgets() {
                self.memory.forget();
            }
            change.run(self.db).await?;
        }
        Ok(())
    }
}
