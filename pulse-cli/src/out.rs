//! Standard output: buffered, knows whether it is a terminal, and turns a closed pipe into a quiet end.

use crate::error::Error;
use crate::render::style::Style;
use std::io::{self, IsTerminal as _, Write};

/// Where a verb prints.
pub struct Out {
    writer: Box<dyn Write + Send>,
    /// Whether a person looks at it.
    pub terminal: bool,
    /// Colours, where they may be.
    pub style: Style,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("terminal", &self.terminal).field("style", &self.style).finish_non_exhaustive()
    }
}

impl Out {
    /// Standard output of this process.
    pub fn stdout(no_colour: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        // 32 KiB: a page of output in one write; whatever a person waits for is flushed.
        let writer = Box::new(io::BufWriter::with_capacity(32 * 1024, io::stdout()));
        Self { writer, terminal, style: Style::new(terminal && !no_colour) }
    }

    /// Any other writer, as for a test.
    pub fn to(writer: impl Write + Send + 'static, terminal: bool) -> Self {
        Self { writer: Box::new(writer), terminal, style: Style::new(terminal) }
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// When it cannot be written; [`Error::ClosedPipe`] when nobody reads it.
    pub fn write(&mut self, text: &str) -> Result<(), Error> {
        self.writer.write_all(text.as_bytes()).map_err(failed)
    }

    /// Prints a line.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn line(&mut self, text: &str) -> Result<(), Error> {
        self.write(text)?;
        self.write("\n")
    }

    /// Prints a value as indented JSON.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Error::Output(error.into()))?;
        self.line(&text)
    }

    /// Prints a value as JSON on one line.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn json_line(&mut self, value: &impl serde::Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|error| Error::Output(error.into()))?;
        self.line(&text)
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(failed)
    }

    /// How many characters fit on a line of the terminal; none when it is no terminal.
    pub fn width(&self) -> Option<usize> {
        if !self.terminal {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0).then_some(usize::from(size.ws_col))
    }
}

fn failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::ClosedPipe,
        _ => Error::Output(error),
    }
}
