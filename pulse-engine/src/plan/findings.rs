//! What is found while a definition is compiled, and where: expressions with their places in the document.

use crate::expr::{Expr, Reference};
use pulse_core::diagnostic::{Code, Diagnostics};
use pulse_core::workflow::Source;
use pulse_core::yaml::Places;
use std::sync::Arc;

/// Findings, with what it takes to say where in the document they are.
pub(super) struct Findings<'s> {
    pub(super) diagnostics: Diagnostics,
    places: Places<'s>,
}

impl<'s> Findings<'s> {
    /// For the document with this text, with what has been found in it before.
    pub(super) fn new(document: &'s str, diagnostics: Diagnostics) -> Self {
        Self { diagnostics, places: Places::of(document) }
    }

    /// Adds a finding about the part of a text that begins at this byte offset.
    pub(super) fn add(
        &mut self,
        code: Code,
        source: &Source,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        // What is not listed needs no place of its own.
        let listed = !self.diagnostics.is_full(code);
        let at = if listed { self.places.find(source.at, &source.text, offset) } else { source.at };
        self.diagnostics.add(code, &source.path, at, message, help);
    }
}

/// An expression and where it stands.
pub(super) struct Mention {
    pub(super) expr: Expr,
    /// The text that it is, or that it is a placeholder of.
    pub(super) source: Arc<Source>,
    /// Where in the text it begins, in bytes.
    pub(super) offset: usize,
    /// The step that evaluates it, by its place in the document, from 0; `None` for what belongs to all.
    pub(super) step: Option<usize>,
    /// The items it can see.
    pub(super) items: Vec<String>,
    pub(super) place: Place,
    /// It stands in a placeholder, where bare names are names.
    pub(super) templated: bool,
    /// It decides whether something happens.
    pub(super) decides: bool,
    /// A `foreach` goes through it.
    pub(super) walked: bool,
    /// It becomes text, so that it fails its step when it has no value.
    pub(super) must_be: bool,
    /// What has to hold for it to be evaluated, as far as the steps' own conditions say it.
    pub(super) conditions: Vec<Expr>,
}

impl Mention {
    /// Where in its text a reference of it stands.
    pub(super) fn offset_of(&self, reference: &Reference) -> usize {
        self.offset + self.expr.offset_of(reference)
    }

    /// The expression, short enough for a message.
    pub(super) fn shown(&self) -> String {
        pulse_core::text::shorten(&pulse_core::text::one_line(self.expr.source()), 120)
    }
}

/// What kind of place an expression stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// By itself in a placeholder without a filter, whose value reaches a command apart from its text: in a script, or as
    /// the whole of an `env` entry or of `stdin`.
    Alone,
    /// Part of an `env` entry or of `stdin`.
    Part,
    /// In a script behind a filter.
    Filtered,
    /// In a script where some shell evaluates even a value, so that it has to be looked at beforehand.
    Evaluated,
    /// Everywhere else: where values are stored or shown.
    Shown,
}
