//! What the terminal's last line holds: nothing, an unfinished line of output, a question, or a progress line. Whoever
//! prints next gets a fresh line.

use super::output::{Piece, Source};
use super::style::Style;
use crate::error::Error;
use crate::out::Out;
use pulse_core::text::{one_line, shorten};

/// What the cursor stands behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Output(Source),
    Question,
}

/// Prints lines, and parts of lines, without mixing them up.
#[derive(Debug)]
pub struct Screen<'a> {
    out: &'a mut Out,
    open: Open,
    /// The progress line, on a terminal.
    progress: Option<String>,
    drawn: bool,
}

impl<'a> Screen<'a> {
    /// A screen over standard output.
    pub fn new(out: &'a mut Out) -> Self {
        Self { out, open: Open::Nothing, progress: None, drawn: false }
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.out.terminal
    }

    /// Its colours.
    pub fn style(&self) -> Style {
        self.out.style
    }

    /// Prints whole lines.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn lines(&mut self, lines: &[String]) -> Result<(), Error> {
        if lines.is_empty() {
            return Ok(());
        }
        self.fresh_line()?;
        lines.iter().try_for_each(|line| self.out.line(line))
    }

    /// Prints a piece of output behind its prefix, or behind the part of its line that is still open.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn piece(&mut self, piece: &Piece, prefix: &str) -> Result<(), Error> {
        if self.open != Open::Output(piece.source) {
            self.fresh_line()?;
            self.out.write(prefix)?;
        }
        self.out.write(&piece.text)?;
        self.open = Open::Output(piece.source);
        if piece.ends_line { self.fresh_line() } else { Ok(()) }
    }

    /// Puts the mark behind which an answer is typed.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn question(&mut self, mark: &str) -> Result<(), Error> {
        self.fresh_line()?;
        self.out.write(mark)?;
        self.open = Open::Question;
        Ok(())
    }

    /// An answer was given: a terminal has shown it and its line break; elsewhere both are still missing.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn answered(&mut self, answer: &str, typed: bool) -> Result<(), Error> {
        if self.open == Open::Question {
            if !typed {
                self.out.line(answer)?;
            }
            self.open = Open::Nothing;
        }
        Ok(())
    }

    /// Says something beside the output, on standard error, on a line of its own.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn say(&mut self, text: &str) -> Result<(), Error> {
        self.fresh_line()?;
        self.out.flush()?;
        note(text);
        Ok(())
    }

    /// Prints a value as JSON on a line of its own.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn json_line(&mut self, value: &impl serde::Serialize) -> Result<(), Error> {
        self.fresh_line()?;
        self.out.json_line(value)
    }

    /// Sets the progress line, or takes it away. Not on a terminal: nothing.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn progress(&mut self, text: Option<String>) -> Result<(), Error> {
        if self.out.terminal && self.progress != text {
            self.erase()?;
            self.progress = text;
        }
        Ok(())
    }

    /// Shows everything printed so far.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn flush(&mut self) -> Result<(), Error> {
        if let Some(text) = self.progress.as_ref().filter(|_| !self.drawn && self.open == Open::Nothing) {
            // One character less than fits: some terminals break the line after the last.
            let shown = shorten(text, self.out.width().unwrap_or(80).saturating_sub(2));
            self.out.write(&shown)?;
            self.drawn = true;
        }
        self.out.flush()
    }

    fn fresh_line(&mut self) -> Result<(), Error> {
        self.erase()?;
        if self.open != Open::Nothing {
            self.open = Open::Nothing;
            self.out.write("\n")?;
        }
        Ok(())
    }

    fn erase(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.drawn) {
            // Carriage return, erase to the end of the line.
            self.out.write("\r\x1b[K")?;
        }
        Ok(())
    }
}

/// Says something on standard error. Without one, there is nobody to tell.
pub fn note(text: &str) {
    let line = format!("{}\n", one_line(text));
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::command::Stream;
    use pulse_core::ids::CommandId;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn piece(stream: Stream, text: &str, ends_line: bool) -> Piece {
        Piece { source: Source { command: CommandId(uuid::Uuid::nil()), stream }, text: text.into(), ends_line }
    }

    fn printed(terminal: bool, act: impl FnOnce(&mut Screen<'_>) -> Result<(), Error>) -> String {
        let shared = Shared::default();
        act(&mut Screen::new(&mut Out::to(shared.clone(), terminal))).unwrap();
        String::from_utf8(shared.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn an_unfinished_line_goes_on_or_is_broken() {
        let text = printed(false, |screen| {
            screen.piece(&piece(Stream::Stdout, "wor", false), "> ")?;
            screen.piece(&piece(Stream::Stdout, "king", false), "> ")?;
            screen.piece(&piece(Stream::Stderr, "oops", true), "! ")?;
            screen.piece(&piece(Stream::Stdout, "done", true), "> ")?;
            screen.lines(&["line".into()])
        });
        assert_eq!(text, "> working\n! oops\n> done\nline\n");
    }

    #[test]
    fn a_question_is_left_behind_when_something_happens() {
        let text = printed(false, |screen| {
            screen.question("? ")?;
            screen.lines(&["answered elsewhere".into()])?;
            screen.question("? ")?;
            screen.answered("yes", false)
        });
        assert_eq!(text, "? \nanswered elsewhere\n? yes\n");
    }

    #[test]
    fn progress_stays_at_the_bottom() {
        let text = printed(true, |screen| {
            screen.progress(Some("1/2".into()))?;
            screen.flush()?;
            screen.lines(&["x".into()])?;
            screen.flush()?;
            screen.progress(None)
        });
        assert_eq!(text, "1/2\r\x1b[Kx\n1/2\r\x1b[K");
        assert_eq!(printed(false, |screen| screen.progress(Some("1/2".into()))), "");
    }
}
