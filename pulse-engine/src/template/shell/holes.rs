//! Placeholders: in which place one stands, and where none can stand.

use super::frames::{Close, Frame, Mode};
use super::place::{Place, Style};
use super::tracker::Tracker;
use super::words::Origin;

impl Tracker<'_> {
    /// A placeholder where no single quotes are.
    pub fn hole(&mut self, hole: usize) {
        let style = match self.stack.last() {
            Some(Frame::Double) => Style::Double,
            Some(Frame::Heredoc) => Style::Heredoc,
            Some(Frame::Arithmetic { .. } | Frame::Parameter { mode: Mode::Subscript | Mode::Offset, .. }) => {
                Style::Arithmetic
            }
            Some(Frame::Parameter { mode: Mode::Word, in_double: true, .. }) => Style::Double,
            Some(Frame::Parameter { mode: Mode::Name, .. }) if !self.units.holes[hole].raw => {
                self.error(self.at, "a placeholder cannot be the name of a variable");
                self.help("the value itself is {{ … }} without ${ }");
                Style::Bare
            }
            _ => Style::Bare,
        };
        self.place(hole, style);
        self.at += 1;
    }

    /// Notes the place of a placeholder.
    pub fn place(&mut self, hole: usize, style: Style) {
        let needs = self.calculation();
        self.found.places[hole] = Place { style, needs, ..Place::UNKNOWN };
        if let Some(to) = self.assigning() {
            self.found.variables.assign(&to, Origin { holes: vec![hole], names: Vec::new() });
        }
        let is_key = self.is_key();
        let frames = self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Command(_)));
        let hidden = style == Style::Ansi || frames.into_iter().any(|frame| !matches!(frame, Frame::Double));
        if let Some(command) = self.command().filter(|_| !is_key) {
            command.words.push_hole(hole, hidden);
        }
        let unusable = self.stack.iter().any(|frame| match frame {
            Frame::Command(command) => {
                matches!(command.close, Close::Backquote { quoted, nested } if quoted || nested)
            }
            _ => false,
        });
        if unusable && !self.units.holes[hole].raw {
            self.error(self.at, "a placeholder in backquotes that stand in quotes, a heredoc or other backquotes");
            self.help("use $( ) instead of backquotes");
        }
    }
}
