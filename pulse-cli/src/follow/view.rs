//! Who sees what is followed.

use super::prompts::OpenPrompt;
use crate::error::Error;
use pulse_core::api::OutputChunk;
use pulse_core::event::Entry;
use pulse_core::ids::ExecutionId;

/// Shows an execution as it goes on. Every method may fail only because nothing can be written.
pub trait View {
    /// Whether it shows output, so that output has to be fetched at all.
    fn wants_output(&self) -> bool {
        true
    }

    /// Whether children are followed, too: where their entries are shown, or their questions asked.
    fn wants_children(&self) -> bool {
        false
    }

    /// The next entry.
    ///
    /// # Errors
    /// When it cannot be written.
    fn entry(&mut self, entry: &Entry) -> Result<(), Error>;

    /// The next piece of output.
    ///
    /// # Errors
    /// When it cannot be written.
    fn output(&mut self, chunk: &OutputChunk) -> Result<(), Error>;

    /// The next entry of a child execution. A view that leaves them out still shows how the child began and ended: that
    /// is in its parent's entries.
    ///
    /// # Errors
    /// When it cannot be written.
    fn child_entry(&mut self, _child: ExecutionId, _entry: &Entry) -> Result<(), Error> {
        Ok(())
    }

    /// The next piece of output of a child execution.
    ///
    /// # Errors
    /// When it cannot be written.
    fn child_output(&mut self, _child: ExecutionId, _chunk: &OutputChunk) -> Result<(), Error> {
        Ok(())
    }

    /// Nothing has come for a moment: what is half done can be shown.
    ///
    /// # Errors
    /// When it cannot be written.
    fn idle(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// About a second has passed.
    ///
    /// # Errors
    /// When it cannot be written.
    fn tick(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// A question is to be answered now: it is shown once more, unless it is the last one that was.
    ///
    /// # Errors
    /// When it cannot be written.
    fn question(&mut self, _prompt: &OpenPrompt) -> Result<(), Error> {
        Ok(())
    }

    /// The place for an answer, below its question.
    ///
    /// # Errors
    /// When it cannot be written.
    fn ask(&mut self, _prompt: &OpenPrompt) -> Result<(), Error> {
        Ok(())
    }

    /// A line was read as the answer; `typed` when a person has seen it appear.
    ///
    /// # Errors
    /// When it cannot be written.
    fn answered(&mut self, _answer: &str, _typed: bool) -> Result<(), Error> {
        Ok(())
    }

    /// Something beside the execution itself, for a person.
    ///
    /// # Errors
    /// When it cannot be written.
    fn say(&mut self, text: &str) -> Result<(), Error>;

    /// Shows all that was printed.
    ///
    /// # Errors
    /// When it cannot be written.
    fn flush(&mut self) -> Result<(), Error>;
}
