//! What one execution may take: its values together, and what one input makes of them. Both are checked before an event is
//! decided, so that no definition can make a state or a transition that the server has no memory for.

use super::Machine;
use crate::vars::{MAX_VALUES, growth};
use serde_json::{Map, Value};

/// Bytes of values that the events of one transition may hold together. They are all in memory until they are durable.
const MAX_WRITTEN: usize = 64 * 1024 * 1024;

const MIB: usize = 1024 * 1024;

impl Machine<'_> {
    /// Whether there is room for more values in the state.
    ///
    /// # Errors
    /// What is too large, for the step that would set it.
    pub(super) fn check_room(&self, values: &Map<String, Value>) -> Result<(), String> {
        self.check_growth(growth(self.state, values.iter()))
    }

    /// The same for so many bytes more.
    ///
    /// # Errors
    /// As [`Machine::check_room`].
    pub(super) fn check_growth(&self, growth: isize) -> Result<(), String> {
        // What shrinks the state may always be set: an old journal can have more in it.
        if growth > 0 && self.state.values_bytes.saturating_add_signed(growth) > MAX_VALUES {
            return Err(format!(
                "the values of the execution would take more than {} MiB: keep less in `state`",
                MAX_VALUES / MIB
            ));
        }
        Ok(())
    }

    /// Counts what an event is about to hold.
    ///
    /// # Errors
    /// When the steps since the last command, answer or wait hold too much.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let written = self.written.saturating_add(bytes);
        if written > MAX_WRITTEN {
            return Err(format!(
                "since the last command, answer or wait, steps have written more than {} MiB of values: set less, or less \
                 often",
                MAX_WRITTEN / MIB
            ));
        }
        self.written = written;
        Ok(())
    }
}
