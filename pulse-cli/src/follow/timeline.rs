//! Puts what comes from the server in the order in which it happened.
//!
//! Entries and output are two streams: entries are numbered without gaps, output has a growing cursor. What is known
//! already is dropped. A command's output belongs between its `command_sent` and its `command_result`, whatever order
//! the two streams arrive in, above all when a server sends first all missed entries and then all missed output.

use pulse_core::api::OutputChunk;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{CommandId, Seq};
use std::collections::{HashMap, HashSet, VecDeque};

/// Output of commands nobody has heard of is held no further than this.
const HELD: usize = 1_000;

/// Something to show now.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An entry of the journal.
    Entry(Box<Entry>),
    /// A piece of output.
    Output(OutputChunk),
}

/// Entries are missing before the one that came: it was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

/// What is known, and what waits to be shown.
#[derive(Debug)]
pub struct Timeline {
    with_output: bool,
    seq: u64,
    cursor: u64,
    /// Entries behind a `command_result` whose output is not all here.
    waiting: VecDeque<Entry>,
    /// Output of commands whose `command_sent` is not here.
    held: Vec<OutputChunk>,
    /// Commands whose `command_sent` has been shown.
    sent: HashSet<CommandId>,
    received: HashMap<CommandId, u64>,
}

impl Timeline {
    /// Starts before the first entry. Without output, no entry waits for any.
    pub fn new(with_output: bool) -> Self {
        Self {
            with_output,
            seq: 0,
            cursor: 0,
            waiting: VecDeque::new(),
            held: Vec::new(),
            sent: HashSet::new(),
            received: HashMap::new(),
        }
    }

    /// Whether output is wanted.
    pub fn with_output(&self) -> bool {
        self.with_output
    }

    /// The last entry that is known.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How far output is known.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Takes an entry, and gives what can be shown now.
    ///
    /// # Errors
    /// When entries before it are missing.
    pub fn entry(&mut self, entry: Entry) -> Result<Vec<Item>, Gap> {
        let Seq(seq) = entry.seq;
        if seq <= self.seq {
            return Ok(Vec::new());
        }
        if seq != self.seq + 1 {
            return Err(Gap);
        }
        self.seq = seq;
        self.waiting.push_back(entry);
        let mut items = Vec::new();
        self.show_ready(&mut items);
        Ok(items)
    }

    /// Takes a piece of output, and gives what can be shown now.
    pub fn output(&mut self, chunk: OutputChunk) -> Vec<Item> {
        let mut items = Vec::new();
        if chunk.cursor <= self.cursor {
            return items;
        }
        self.cursor = chunk.cursor;
        let command = chunk.command_id;
        *self.received.entry(command).or_default() += chunk.data.len() as u64;
        // Output of a later command: no more comes of the ones before its `command_sent`.
        if let Some(at) = self.waiting.iter().position(|entry| sends(entry) == Some(command)) {
            for entry in self.waiting.drain(..=at).collect::<Vec<_>>() {
                self.show(entry, &mut items);
            }
        }
        if self.sent.contains(&command) {
            items.push(Item::Output(chunk));
        } else {
            self.held.push(chunk);
            if self.held.len() > HELD {
                items.extend(self.release());
            }
        }
        self.show_ready(&mut items);
        items
    }

    /// Which entry waits for output, if one does; zero when output waits for its entry.
    pub fn blocked(&self) -> Option<Seq> {
        let entry = self.waiting.front().map(|entry| entry.seq);
        entry.or_else(|| (!self.held.is_empty()).then_some(Seq(0)))
    }

    /// Gives everything that waits: what it waits for seems not to come.
    pub fn release(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        for entry in std::mem::take(&mut self.waiting) {
            self.show(entry, &mut items);
        }
        items.extend(std::mem::take(&mut self.held).into_iter().map(Item::Output));
        items
    }

    fn show_ready(&mut self, items: &mut Vec<Item>) {
        while let Some(entry) = self.waiting.front().filter(|entry| self.is_ready(entry)).cloned() {
            self.waiting.pop_front();
            self.show(entry, items);
        }
    }

    fn is_ready(&self, entry: &Entry) -> bool {
        match &entry.event {
            Event::CommandResult { command_id, end, late: false, .. } if self.with_output => {
                let received = self.received.get(command_id).copied().unwrap_or_default();
                received >= end.stdout_bytes.saturating_add(end.stderr_bytes)
            }
            _ => true,
        }
    }

    fn show(&mut self, entry: Entry, items: &mut Vec<Item>) {
        let command = sends(&entry);
        if let Event::CommandResult { command_id, .. } = &entry.event {
            self.received.remove(command_id);
        }
        items.push(Item::Entry(Box::new(entry)));
        if let Some(command) = command {
            self.sent.insert(command);
            let (mine, others) = std::mem::take(&mut self.held).into_iter().partition(|c| c.command_id == command);
            self.held = others;
            let mine: Vec<OutputChunk> = mine;
            items.extend(mine.into_iter().map(Item::Output));
        }
    }
}

fn sends(entry: &Entry) -> Option<CommandId> {
    match &entry.event {
        Event::CommandSent { command_id, .. } => Some(*command_id),
        _ => None,
    }
}
