//! Lines of standard input, read one at a time and only when asked for, so that a script's input is not eaten.
//!
//! Reading cannot be cancelled, so it happens on a thread of its own that ends with the process. A line that was asked
//! for and is no longer wanted is kept for whoever asks next.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _, stderr, stdin};
use tokio::sync::mpsc;

/// An answer is short; whoever sends more gets it cut.
const LONGEST_LINE: u64 = 4_096;

/// Lines to be asked for.
#[derive(Debug)]
pub struct Input {
    /// Capacity 1: at most one line is asked for at a time.
    ask: mpsc::Sender<()>,
    lines: mpsc::Receiver<Option<String>>,
    asked: bool,
    terminal: bool,
}

impl Input {
    /// Standard input of this process. Nothing is read yet.
    pub fn stdin() -> Self {
        let (ask, mut asked) = mpsc::channel::<()>(1);
        let (send, lines) = mpsc::channel(1);
        std::thread::spawn(move || {
            while asked.blocking_recv().is_some() {
                let line = read_line();
                let ended = line.is_none();
                if send.blocking_send(line).is_err() || ended {
                    return;
                }
            }
        });
        Self { ask, lines, asked: false, terminal: stdin().is_terminal() }
    }

    /// Whether a person types there.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Asks for a line, unless one is asked for already. At a terminal, what was typed before is thrown away: it was
    /// no answer to a question that nobody had seen.
    pub fn ask(&mut self) {
        if self.asked {
            return;
        }
        if self.terminal {
            // Where it cannot be done, an early answer counts.
            let _ = rustix::termios::tcflush(stdin(), rustix::termios::QueueSelector::IFlush);
        }
        // Full or closed: a line or the end is on its way in any case.
        let _ = self.ask.try_send(());
        self.asked = true;
    }

    /// The line asked for; `None` at the end of input. Waits for ever when none was asked for. Cancel safe.
    pub async fn line(&mut self) -> Option<String> {
        if !self.asked {
            return std::future::pending().await;
        }
        let line = self.lines.recv().await.flatten();
        self.asked = false;
        line
    }

    /// The line asked for, of an input that there may be. Waits for ever without one. Cancel safe.
    pub async fn line_of(input: &mut Option<Self>) -> Option<String> {
        match input {
            Some(input) => input.line().await,
            None => std::future::pending().await,
        }
    }

    /// A line that must not be seen: at a terminal it is asked for by `prompt` and not shown. Empty at the end of input,
    /// `None` after Ctrl-C.
    pub async fn hidden_line(&mut self, prompt: &str) -> Option<String> {
        let hidden = if self.terminal {
            let _ = stderr().write_all(prompt.as_bytes());
            Hidden::start()
        } else {
            None
        };
        self.ask();
        let line = tokio::select! {
            line = self.line() => Some(line.unwrap_or_default()),
            _ = tokio::signal::ctrl_c() => None,
        };
        if hidden.is_some() {
            // The line break that was typed was not shown either.
            let _ = stderr().write_all(b"\n");
        }
        line
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn start() -> Option<Self> {
        let before = tcgetattr(stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing more can be done about a terminal that is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

fn read_line() -> Option<String> {
    let mut bytes = Vec::new();
    let read = stdin().lock().take(LONGEST_LINE).read_until(b'\n', &mut bytes).unwrap_or(0);
    (read > 0).then(|| String::from_utf8_lossy(&bytes).trim().to_owned())
}
