//! Output on a screen, each line behind the prefix of whoever wrote it.

use super::output::{Assembler, Piece, Source};
use super::screen::Screen;
use super::style::Style;
use crate::error::Error;
use pulse_core::api::OutputChunk;
use pulse_core::ids::CommandId;
use std::collections::BTreeMap;

/// Joins chunks into lines and prints these with their prefixes.
#[derive(Debug)]
pub struct Lines {
    assembler: Assembler,
    prefixes: BTreeMap<Source, String>,
}

impl Lines {
    /// None yet. Colours in them come through where this style has colours.
    pub fn new(style: Style) -> Self {
        Self { assembler: Assembler::new(style.coloured()), prefixes: BTreeMap::new() }
    }

    /// Prints the lines that a chunk ends.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn push(&mut self, screen: &mut Screen<'_>, chunk: &OutputChunk, prefix: String) -> Result<(), Error> {
        self.prefixes.insert(Source { command: chunk.command_id, stream: chunk.stream }, prefix);
        let pieces = self.assembler.push(chunk);
        self.print(screen, &pieces)
    }

    /// Prints what there is of unfinished lines for somebody who watches; a file or another program gets whole lines.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn idle(&mut self, screen: &mut Screen<'_>) -> Result<(), Error> {
        if !screen.is_terminal() {
            return Ok(());
        }
        let pieces = self.assembler.partial();
        self.print(screen, &pieces)
    }

    /// Prints the rest of what a command wrote, once it has ended.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self, screen: &mut Screen<'_>, command: CommandId) -> Result<(), Error> {
        let pieces = self.assembler.finish(command);
        self.print(screen, &pieces)
    }

    /// Prints the rest of everything.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish_all(&mut self, screen: &mut Screen<'_>) -> Result<(), Error> {
        let pieces = self.assembler.finish_all();
        self.print(screen, &pieces)
    }

    fn print(&self, screen: &mut Screen<'_>, pieces: &[Piece]) -> Result<(), Error> {
        for piece in pieces {
            screen.piece(piece, self.prefixes.get(&piece.source).map_or("", String::as_str))?;
        }
        Ok(())
    }
}
