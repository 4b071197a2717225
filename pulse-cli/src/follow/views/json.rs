//! `--json`: one entry of the journal per line, and nothing else on standard output.

use crate::error::Error;
use crate::follow::{OpenPrompt, View};
use crate::out::Out;
use crate::render::screen::note;
use pulse_core::api::OutputChunk;
use pulse_core::event::Entry;

/// Shows entries as JSON.
#[derive(Debug)]
pub struct JsonView<'a> {
    out: &'a mut Out,
}

impl<'a> JsonView<'a> {
    /// Shows them on standard output.
    pub fn new(out: &'a mut Out) -> Self {
        Self { out }
    }
}

impl View for JsonView<'_> {
    fn wants_output(&self) -> bool {
        false
    }

    fn wants_children(&self) -> bool {
        true
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        self.out.json_line(entry)
    }

    fn output(&mut self, _chunk: &OutputChunk) -> Result<(), Error> {
        Ok(())
    }

    fn ask(&mut self, prompt: &OpenPrompt) -> Result<(), Error> {
        self.out.flush()?;
        note(&format!("question `{}` waits: its answer is read from standard input", prompt.name));
        Ok(())
    }

    fn say(&mut self, text: &str) -> Result<(), Error> {
        self.out.flush()?;
        note(text);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.out.flush()
    }
}
