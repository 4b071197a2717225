//! An agent's side of its connections: when it says hello and with what, what may be said after that, and what it makes of
//! what the server says. No I/O: `agent.rs` and `link/session.rs` carry it out; the simulation of pulse-server drives this
//! very code.
//!
//! ```text
//!  closed ──opened──▶ open ──hello, once it is known what runs here──▶ greeted ──welcome──▶ welcomed
//!     ▲                                                                   │                    │
//!     └────────── closed, or the hello does not hold any more ────────────┴────────────────────┘
//! ```

use super::{Ledger, Message};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{FromWorker, Hello, ToWorker};

/// Where a connection stands, as the agent sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Closed,
    Open,
    Greeted,
    Welcomed,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Dialogue {
    /// What is known of commands.
    pub ledger: Ledger,
    stage: Stage,
    /// Whether it is known what runs here.
    is_supervised: bool,
}

/// What is left to do after a message of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Heard {
    /// Nothing.
    Noted,
    /// The worker is welcome, and is to give signs of life so often.
    Welcome {
        /// Milliseconds between two.
        heartbeat_interval_ms: u64,
    },
    /// It is to take no more commands, and to say at once that it does not.
    Drain,
}

impl Dialogue {
    /// Not connected; nothing is known of what runs here.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, stage: Stage::Closed, is_supervised: false }
    }

    /// There is a new connection.
    pub fn opened(&mut self) {
        self.closed();
        self.stage = Stage::Open;
    }

    /// There is no connection any more.
    pub fn closed(&mut self) {
        self.stage = Stage::Closed;
        self.ledger.disconnected();
    }

    /// There is another supervisor, which knows these commands: see [`Ledger::supervised`]. Answers whether the connection
    /// has to be ended: what its hello said does not hold any more.
    #[must_use]
    pub fn supervised(&mut self, known: impl IntoIterator<Item = (CommandId, ExecutionId, bool)>) -> bool {
        self.is_supervised = true;
        self.tell_anew(known)
    }

    /// The supervisor takes nothing any more, and will be gone: a hello waits for the next one.
    pub fn supervisor_fails(&mut self) {
        self.is_supervised = false;
    }

    /// The supervisor is gone. Answers as [`Self::supervised`].
    #[must_use]
    pub fn unsupervised(&mut self) -> bool {
        self.is_supervised = false;
        self.tell_anew([])
    }

    fn tell_anew(&mut self, known: impl IntoIterator<Item = (CommandId, ExecutionId, bool)>) -> bool {
        self.ledger.supervised(known);
        let is_greeted = self.is_greeted();
        if is_greeted {
            self.closed();
        }
        is_greeted
    }

    /// Whether the server has had the hello of this connection.
    pub fn is_greeted(&self) -> bool {
        matches!(self.stage, Stage::Greeted | Stage::Welcomed)
    }

    /// The server gets its hello when it is known what runs here.
    fn must_say_hello(&self) -> bool {
        self.stage == Stage::Open && self.is_supervised
    }

    /// Whether [`Self::next_message`] has something.
    pub fn has_message(&self) -> bool {
        self.must_say_hello() || (self.is_greeted() && self.ledger.has_message())
    }

    /// Takes the next message to send on the connection. It counts as said with that.
    pub fn next_message(&mut self, hello: impl FnOnce(&Ledger) -> Hello) -> Option<Message> {
        if self.must_say_hello() {
            self.stage = Stage::Greeted;
            return Some(Message::Plain(Box::new(FromWorker::Hello(hello(&self.ledger)))));
        }
        if self.is_greeted() { self.ledger.next_message() } else { None }
    }

    /// The server said something on the connection.
    pub fn hear(&mut self, message: ToWorker) -> Heard {
        match message {
            ToWorker::Welcome { heartbeat_interval_ms, .. } => {
                if self.stage != Stage::Greeted {
                    return Heard::Noted;
                }
                self.stage = Stage::Welcomed;
                self.ledger.connected();
                Heard::Welcome { heartbeat_interval_ms }
            }
            message => {
                let is_drain = matches!(message, ToWorker::Drain);
                self.ledger.received(message);
                if is_drain { Heard::Drain } else { Heard::Noted }
            }
        }
    }
}

/// What a connection makes of what comes on it, before the agent gets it: the first thing has to be a welcome.
#[derive(Debug, Default)]
pub struct Opening {
    is_welcome: bool,
}

/// What something is that comes on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Coming<'m> {
    /// The server refuses the worker.
    Refusal {
        /// A code.
        code: &'m str,
        /// In words.
        detail: &'m str,
    },
    /// The first welcome, on the connection of this name.
    Welcome {
        /// The server's name for it.
        session: &'m str,
        /// What it asks for.
        heartbeat_interval_ms: u64,
    },
    /// Something else than a welcome, before it.
    OutOfTurn,
    /// For the agent.
    Message,
}

impl Opening {
    /// Whether the welcome has come.
    pub fn is_welcome(&self) -> bool {
        self.is_welcome
    }

    /// Something has come. Refusals and what is out of turn are not for the agent.
    pub fn hear<'m>(&mut self, message: &'m ToWorker) -> Coming<'m> {
        match message {
            ToWorker::Error { code, detail } => Coming::Refusal { code, detail },
            ToWorker::Welcome { session, heartbeat_interval_ms } if !self.is_welcome => {
                self.is_welcome = true;
                Coming::Welcome { session, heartbeat_interval_ms: *heartbeat_interval_ms }
            }
            _ if !self.is_welcome => Coming::OutOfTurn,
            _ => Coming::Message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{dispatch, id};
    use super::*;

    fn hello(ledger: &Ledger) -> Hello {
        Hello {
            protocol: 1,
            worker_id: pulse_core::ids::WorkerId(uuid::Uuid::nil()),
            instance: String::new(),
            name: "w".to_owned(),
            version: String::new(),
            labels: Default::default(),
            capacity: 1,
            metadata: Default::default(),
            commands: ledger.known(),
        }
    }

    fn said(dialogue: &mut Dialogue) -> Option<usize> {
        match dialogue.next_message(hello)? {
            Message::Plain(message) => match *message {
                FromWorker::Hello(hello) => Some(hello.commands.len()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn welcome() -> ToWorker {
        ToWorker::Welcome { session: "1".to_owned(), heartbeat_interval_ms: 9 }
    }

    #[test]
    fn hello_waits_until_it_is_known_what_runs_and_is_said_anew_when_that_changes() {
        let mut dialogue = Dialogue::new(Ledger::new(2));
        dialogue.opened();
        assert!(!dialogue.has_message() && said(&mut dialogue).is_none());
        assert!(!dialogue.supervised([(id(1), ExecutionId(id(1).0), false)]), "nothing was said yet");
        assert!(dialogue.has_message());
        assert_eq!((said(&mut dialogue), said(&mut dialogue)), (Some(1), None));
        assert!(dialogue.unsupervised(), "what was said does not hold any more");
        assert!(!dialogue.is_greeted());
        dialogue.opened();
        assert_eq!(said(&mut dialogue), None);
        assert!(!dialogue.supervised([]));
        assert_eq!(said(&mut dialogue), Some(0));
    }

    #[test]
    fn only_the_first_welcome_after_the_hello_is_one() {
        let mut dialogue = Dialogue::new(Ledger::new(2));
        assert!(!dialogue.supervised([]));
        dialogue.opened();
        assert_eq!(dialogue.hear(welcome()), Heard::Noted);
        assert_eq!(said(&mut dialogue), Some(0));
        assert_eq!(dialogue.hear(welcome()), Heard::Welcome { heartbeat_interval_ms: 9 });
        assert_eq!(dialogue.hear(ToWorker::Drain), Heard::Drain);
        assert_eq!(dialogue.hear(welcome()), Heard::Noted);
        assert!(dialogue.ledger.is_draining(), "a welcome that comes twice takes nothing back");
    }

    #[test]
    fn nothing_comes_before_the_welcome() {
        let mut opening = Opening::default();
        assert_eq!(opening.hear(&dispatch(1)), Coming::OutOfTurn);
        let refusal = ToWorker::Error { code: "c".to_owned(), detail: "d".to_owned() };
        assert_eq!(opening.hear(&refusal), Coming::Refusal { code: "c", detail: "d" });
        assert!(!opening.is_welcome());
        let welcome = welcome();
        assert_eq!(opening.hear(&welcome), Coming::Welcome { session: "1", heartbeat_interval_ms: 9 });
        assert_eq!((opening.hear(&dispatch(1)), opening.hear(&welcome)), (Coming::Message, Coming::Message));
    }
}
