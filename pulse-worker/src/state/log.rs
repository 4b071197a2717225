//! `commands.log`: which commands were accepted, and their results until the server has them.
//!
//! Appended in batches, one fdatasync each; rewritten from what is still alive when it has grown, and when writing
//! failed: after a failed fdatasync nobody knows what is on the disk, so nothing is built on it.

use super::dir::{private, replace};
use super::entry::{Entry, Unacknowledged};
use super::record::{self, FORMAT, Record};
use crate::Error;
use crate::spool::Kept;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, ExecutionId};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Below this size a log is not worth rewriting.
const SMALLEST_COMPACTION: u64 = 4 * 1024 * 1024;
/// A log this many times larger than what is alive in it is rewritten.
const COMPACTION_FACTOR: u64 = 4;

/// The log, open for writing.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    /// The last batch's number.
    batch: u64,
    /// Up to here everything is durable.
    size: u64,
    compact_at: u64,
    live: BTreeMap<CommandId, Live>,
    /// Since a failed write, until a rewrite succeeded.
    broken: bool,
}

#[derive(Debug)]
struct Live {
    execution_id: ExecutionId,
    end: Option<(Arc<CommandEnd>, Arc<Kept>)>,
}

impl Log {
    /// Reads the log in the directory and rewrites it without what is forgotten.
    ///
    /// # Errors
    /// When it is damaged elsewhere than at its torn end, or cannot be read or written.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("commands.log");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(|error| Error::state(&path, &error))?,
        };
        let contents = record::read(&bytes).map_err(|reason| Error::StateCorrupt { path: path.clone(), reason })?;
        if contents.torn_bytes > 0 {
            tracing::warn!(bytes = contents.torn_bytes, "the torn end of the log was dropped");
        }
        let file = private().create(true).append(true).open(&path).map_err(|error| Error::state(&path, &error))?;
        let (batch, live) = (contents.batch, BTreeMap::new());
        let mut log = Self { dir: dir.into(), path, file, batch, size: 0, compact_at: 0, live, broken: false };
        for entry in contents.entries {
            log.apply(entry);
        }
        log.rewrite().map_err(|error| Error::state(&log.path, &error))?;
        Ok(log)
    }

    /// The commands that were accepted and have no result.
    pub fn unfinished(&self) -> Vec<CommandId> {
        self.live.iter().filter(|(_, live)| live.end.is_none()).map(|(id, _)| *id).collect()
    }

    /// Ends every unfinished command as lost, durably, with what is kept of its output.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn give_up_unfinished(&mut self, reason: &str, mut kept: impl FnMut(CommandId) -> Kept) -> Result<(), Error> {
        let unfinished = self.unfinished();
        if unfinished.is_empty() {
            return Ok(());
        }
        for command_id in unfinished {
            let end = Arc::new(CommandEnd::without_process(Outcome::Lost, reason));
            self.apply(Entry::Finished { command_id, end, kept: Arc::new(kept(command_id)) });
        }
        self.rewrite().map_err(|error| Error::state(&self.path, &error))
    }

    /// The results that are not acknowledged.
    pub fn results(&self) -> Vec<Unacknowledged> {
        let result = |(&command_id, live): (&CommandId, &Live)| {
            let (end, kept) = live.end.clone()?;
            Some(Unacknowledged { command_id, execution_id: live.execution_id, end, kept })
        };
        self.live.iter().filter_map(result).collect()
    }

    /// Writes a batch and makes it durable, or changes nothing but what must not be lost: results and what is
    /// forgotten stay with the log and are written by the next [`Self::recover`] or commit that succeeds.
    pub(super) fn commit(&mut self, batch: &[Entry]) -> io::Result<()> {
        let appended = if self.broken { Ok(false) } else { self.append(batch).map(|()| true) };
        if let Err(error) = &appended {
            tracing::error!(%error, path = %self.path.display(), "the log cannot be written, trying to write it anew");
            self.broken = true;
            // What was half written must not stay: its commands are about to be rejected.
            let _ = self.file.set_len(self.size);
        }
        for entry in batch {
            self.apply(entry.clone());
        }
        if !matches!(appended, Ok(true)) {
            self.recover().inspect_err(|_| {
                for entry in batch {
                    if let Entry::Accepted { command_id, .. } = entry {
                        self.live.remove(command_id);
                    }
                }
            })?;
        } else if self.size >= self.compact_at && self.rewrite().is_err() {
            // The old file is whole and goes on; there may be room for a second one later.
            self.compact_at = self.size + SMALLEST_COMPACTION;
        }
        Ok(())
    }

    /// After a failed write: writes everything that is alive to a new file.
    pub(super) fn recover(&mut self) -> io::Result<()> {
        if self.broken {
            self.rewrite()?;
            self.broken = false;
            tracing::info!(path = %self.path.display(), "the log can be written again");
        }
        Ok(())
    }

    fn append(&mut self, batch: &[Entry]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(256 * batch.len());
        for (index, entry) in batch.iter().enumerate() {
            let ends_batch = index + 1 == batch.len();
            record::encode(&mut bytes, self.batch + 1, ends_batch, &Record::Command(entry.clone()));
        }
        self.file.write_all(&bytes)?;
        // What is forgotten twice does no harm: the server acknowledges again.
        if !batch.iter().all(|entry| matches!(entry, Entry::Forgotten { .. })) {
            self.file.sync_data()?;
        }
        self.batch += 1;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Accepted { command_id, execution_id } => {
                self.live.insert(command_id, Live { execution_id, end: None });
            }
            Entry::Finished { command_id, end, kept } => {
                if let Some(live) = self.live.get_mut(&command_id) {
                    live.end = Some((end, kept));
                }
            }
            Entry::Forgotten { command_id } => {
                self.live.remove(&command_id);
            }
        }
    }

    /// Writes what is alive to a new file in the old one's place, as one batch.
    fn rewrite(&mut self) -> io::Result<()> {
        let batch = self.batch + 1;
        let mut records = Vec::with_capacity(self.live.len() + 1);
        records.push(Record::Opened { format: FORMAT });
        for (&command_id, live) in &self.live {
            records.push(Record::Command(Entry::Accepted { command_id, execution_id: live.execution_id }));
            if let Some((end, kept)) = &live.end {
                records.push(Record::Command(Entry::Finished { command_id, end: end.clone(), kept: kept.clone() }));
            }
        }
        let mut size = 0;
        let file = replace(&self.dir, &self.path, |out| {
            let mut line = Vec::new();
            for (index, record) in records.iter().enumerate() {
                line.clear();
                record::encode(&mut line, batch, index + 1 == records.len(), record);
                out.write_all(&line)?;
                size += line.len() as u64;
            }
            Ok(())
        })?;
        (self.file, self.batch, self.size) = (file, batch, size);
        self.compact_at = SMALLEST_COMPACTION.max(size * COMPACTION_FACTOR);
        Ok(())
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> CommandId {
        CommandId(Uuid::from_u128(n))
    }

    fn accepted(n: u128) -> Entry {
        Entry::Accepted { command_id: id(n), execution_id: ExecutionId(Uuid::nil()) }
    }

    fn finished(n: u128, text: &str) -> Entry {
        let end = Arc::new(CommandEnd::without_process(Outcome::NotStarted, text));
        Entry::Finished { command_id: id(n), end, kept: Arc::default() }
    }

    #[test]
    fn what_was_committed_is_there_after_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        log.commit(&[accepted(1), accepted(2)]).unwrap();
        log.commit(&[accepted(3), finished(1, "one"), finished(2, "two")]).unwrap();
        log.commit(&[Entry::Forgotten { command_id: id(2) }]).unwrap();
        drop(log);
        // The crash tore a line that was being written.
        let path = dir.path().join("commands.log");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"12345678 9. {\"record\":\"acc");
        fs::write(&path, bytes).unwrap();

        let mut log = Log::open(dir.path()).unwrap();
        assert_eq!(log.unfinished(), [id(3)]);
        assert_eq!(log.results().len(), 1);
        log.give_up_unfinished("the worker stopped", |_| Kept::default()).unwrap();
        drop(log);
        let log = Log::open(dir.path()).unwrap();
        assert_eq!(log.unfinished(), []);
        let results = log.results();
        assert_eq!(results.iter().map(|result| result.command_id).collect::<Vec<_>>(), [id(1), id(3)]);
        assert_eq!(results[1].end.outcome, Outcome::Lost);
    }

    #[test]
    fn damage_in_the_middle_is_an_error_that_names_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        for n in 1..=3 {
            log.commit(&[accepted(n)]).unwrap();
        }
        drop(log);
        let path = dir.path().join("commands.log");
        let text = fs::read_to_string(&path).unwrap().replacen("accepted", "acceptex", 1);
        fs::write(&path, text).unwrap();
        let error = Log::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("commands.log: line 2 is damaged"), "{error}");
    }

    #[test]
    fn it_does_not_grow_with_what_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        let long = "x".repeat(100_000);
        log.commit(&[accepted(1_000)]).unwrap();
        for n in 0..100 {
            log.commit(&[accepted(n), finished(n, &long), Entry::Forgotten { command_id: id(n) }]).unwrap();
        }
        assert!(fs::metadata(dir.path().join("commands.log")).unwrap().len() < SMALLEST_COMPACTION + 200_000);
        drop(log);
        assert_eq!(Log::open(dir.path()).unwrap().unfinished(), [id(1_000)]);
    }

    #[test]
    fn a_write_that_failed_rejects_what_is_new_and_keeps_results() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        log.commit(&[accepted(1)]).unwrap();
        // A file that cannot be written, and a directory in the way of a new one.
        log.file = File::open(&log.path).unwrap();
        let obstacle = dir.path().join("commands.new");
        fs::create_dir(&obstacle).unwrap();
        assert!(log.commit(&[accepted(2), finished(1, "done")]).is_err());
        assert_eq!(log.unfinished(), []);
        fs::remove_dir(&obstacle).unwrap();
        log.recover().unwrap();
        log.commit(&[accepted(3)]).unwrap();
        drop(log);
        let log = Log::open(dir.path()).unwrap();
        assert_eq!((log.unfinished(), log.results().len()), (vec![id(3)], 1));
    }
}
