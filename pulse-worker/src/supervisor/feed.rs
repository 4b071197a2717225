//! What there is to send to the agent: for each command its output in order and then its end, taking turns, and no more
//! than a window of it unacknowledged. So the agent's memory is bounded, however much was printed.

use super::command::Shared;
use crate::runner::Piece;
use pulse_core::ids::CommandId;
use std::collections::{HashMap, VecDeque};

/// Most unacknowledged bytes of one command.
const WINDOW: usize = 1024 * 1024;
/// Most unacknowledged bytes of all. One command more may be over it by what was read at once.
const WINDOW_OF_ALL: usize = 8 * 1024 * 1024;
/// Read from a spool at once.
pub const READ: usize = 256 * 1024;

/// One command's output.
#[derive(Debug)]
pub struct Outlet {
    /// Where it is kept.
    pub spool: Shared,
    /// The last number that can be sent.
    last: u64,
    /// The last number that was sent on this connection.
    sent: u64,
    /// The last number that was acknowledged.
    acknowledged: u64,
    /// Numbers and bytes of what was sent and is not acknowledged.
    in_flight: VecDeque<(u64, usize)>,
    bytes: usize,
    /// A thread reads what comes next.
    is_reading: bool,
    has_turn: bool,
    /// The end may be told once everything was sent.
    has_end: bool,
}

/// What to do next for some command.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Read what comes after a number.
    Read(CommandId, u64),
    /// Tell its end.
    End(CommandId),
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Feed {
    outlets: HashMap<CommandId, Outlet>,
    turns: VecDeque<CommandId>,
    bytes: usize,
    is_connected: bool,
}

impl Feed {
    /// A command with what is kept of its output: numbers after `acknowledged` up to `last`.
    pub fn add(&mut self, command_id: CommandId, spool: Shared, acknowledged: u64, last: u64) {
        let outlet = Outlet {
            spool,
            last,
            sent: acknowledged,
            acknowledged,
            in_flight: VecDeque::new(),
            bytes: 0,
            is_reading: false,
            has_turn: false,
            has_end: false,
        };
        self.outlets.insert(command_id, outlet);
        self.give_turn(command_id);
    }

    /// A command's outlet.
    pub fn get(&self, command_id: CommandId) -> Option<&Outlet> {
        self.outlets.get(&command_id)
    }

    /// Nothing of a command is kept any more.
    pub fn remove(&mut self, command_id: CommandId) -> Option<Shared> {
        let outlet = self.outlets.remove(&command_id)?;
        self.bytes -= outlet.bytes;
        self.give_turns();
        Some(outlet.spool)
    }

    /// There is more to send.
    pub fn printed(&mut self, command_id: CommandId, last: u64) {
        if let Some(outlet) = self.outlets.get_mut(&command_id) {
            outlet.last = outlet.last.max(last);
            self.give_turn(command_id);
        }
    }

    /// The end can be told. Whether that comes next: all output has been sent, or almost.
    pub fn has_end(&mut self, command_id: CommandId) -> bool {
        let Some(outlet) = self.outlets.get_mut(&command_id) else { return false };
        outlet.has_end = true;
        let comes_next = outlet.bytes < WINDOW && self.bytes < WINDOW_OF_ALL;
        self.give_turn(command_id);
        comes_next
    }

    /// Another agent is connected: everything unacknowledged is sent anew. `ended` says which ends may be told.
    pub fn connected(&mut self, ended: impl Fn(CommandId) -> bool) {
        self.disconnected();
        self.is_connected = true;
        self.outlets.iter_mut().for_each(|(id, outlet)| outlet.has_end = ended(*id));
        self.give_turns();
    }

    /// There is no agent.
    pub fn disconnected(&mut self) {
        (self.is_connected, self.bytes) = (false, 0);
        self.turns.clear();
        for outlet in self.outlets.values_mut() {
            (outlet.sent, outlet.bytes, outlet.has_turn) = (outlet.acknowledged, 0, false);
            outlet.in_flight.clear();
        }
    }

    /// Takes the next thing to do.
    pub fn next(&mut self) -> Option<Next> {
        while let Some(command_id) = self.turns.pop_front() {
            let Some(outlet) = self.outlets.get_mut(&command_id) else { continue };
            outlet.has_turn = false;
            if outlet.is_reading {
                continue;
            }
            if outlet.sent < outlet.last {
                // Acknowledgements give turns again.
                if self.bytes < WINDOW_OF_ALL && outlet.bytes < WINDOW {
                    outlet.is_reading = true;
                    return Some(Next::Read(command_id, outlet.sent));
                }
            } else if outlet.has_end {
                outlet.has_end = false;
                return Some(Next::End(command_id));
            }
        }
        None
    }

    /// What was read. Gives those that are to be sent: none when the connection has changed meanwhile.
    pub fn read(&mut self, command_id: CommandId, pieces: Vec<Piece>) -> Vec<Piece> {
        let Some(outlet) = self.outlets.get_mut(&command_id) else { return Vec::new() };
        outlet.is_reading = false;
        let fits = self.is_connected && pieces.first().is_some_and(|piece| piece.seq == outlet.sent + 1);
        let pieces = if fits { pieces } else { Vec::new() };
        for piece in &pieces {
            outlet.sent = piece.seq;
            outlet.in_flight.push_back((piece.seq, piece.data.len()));
            outlet.bytes += piece.data.len();
            self.bytes += piece.data.len();
        }
        self.give_turn(command_id);
        pieces
    }

    /// What comes next could not be read. It is tried again by [`Self::try_again`].
    pub fn could_not_read(&mut self, command_id: CommandId) {
        if let Some(outlet) = self.outlets.get_mut(&command_id) {
            outlet.is_reading = false;
        }
    }

    /// Gives everybody a turn.
    pub fn try_again(&mut self) {
        self.give_turns();
    }

    /// Output up to a number is acknowledged. Gives the spool that may free it.
    pub fn acknowledged(&mut self, command_id: CommandId, seq: u64) -> Option<&Shared> {
        let outlet = self.outlets.get_mut(&command_id)?;
        let was_full = self.bytes >= WINDOW_OF_ALL;
        while let Some((_, bytes)) = outlet.in_flight.pop_front_if(|(sent, _)| *sent <= seq) {
            outlet.bytes -= bytes;
            self.bytes -= bytes;
        }
        let seq = seq.min(outlet.last);
        let is_new = seq > outlet.acknowledged;
        outlet.acknowledged = outlet.acknowledged.max(seq);
        outlet.sent = outlet.sent.max(outlet.acknowledged);
        if was_full {
            self.give_turns()
        } else {
            self.give_turn(command_id)
        }
        is_new.then(|| self.outlets.get(&command_id).map(|outlet| &outlet.spool)).flatten()
    }

    fn give_turns(&mut self) {
        let ids: Vec<CommandId> = self.outlets.keys().copied().collect();
        ids.into_iter().for_each(|id| self.give_turn(id));
    }

    fn give_turn(&mut self, command_id: CommandId) {
        if self.is_connected
            && let Some(outlet) = self.outlets.get_mut(&command_id)
            && !outlet.has_turn
            && (outlet.sent < outlet.last || outlet.has_end)
        {
            outlet.has_turn = true;
            self.turns.push_back(command_id);
        }
    }
}
