//! The ids of the last commands that were forgotten.

use pulse_core::ids::CommandId;
use std::collections::{HashSet, VecDeque};

/// How many are remembered: a doubled or late dispatch comes within moments, not thousands of commands later.
const REMEMBERED: usize = 4096;

/// A set that lets go of the oldest.
#[derive(Debug, Default)]
pub struct Recent {
    order: VecDeque<CommandId>,
    ids: HashSet<CommandId>,
}

impl Recent {
    /// Remembers an id.
    pub fn insert(&mut self, command_id: CommandId) {
        if self.ids.insert(command_id) {
            self.order.push_back(command_id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// Whether an id is remembered.
    pub fn contains(&self, command_id: CommandId) -> bool {
        self.ids.contains(&command_id)
    }
}
