//! A parsed template, and putting its values into a text.

use super::error::{RenderError, RenderErrorKind, TemplateError};
use super::filter::Filter;
use super::{scan, text};
use crate::expr::{Expr, Scope};
use std::sync::Arc;

/// Longest text that a template may become, in bytes.
const MAX_RENDERED: usize = 4 * 1024 * 1024;

/// Text with placeholders. Immutable and cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    pub(super) pieces: Arc<[Piece]>,
}

#[derive(Debug)]
pub(super) enum Piece {
    /// `{{{{` has become `{{` here.
    Text {
        text: String,
        offset: usize,
    },
    Placeholder(Placeholder),
}

/// One `{{ … }}`.
#[derive(Debug, Clone)]
pub struct Placeholder {
    /// The expression in it.
    pub expr: Expr,
    /// The filter behind it.
    pub filter: Option<Filter>,
    /// Where its `{{` is, as a byte offset in the template.
    pub offset: usize,
    /// Where its expression is, as a byte offset in the template.
    pub start: usize,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// All that is wrong: a `{{` that is never closed, an expression that is none, an unknown filter.
    pub fn parse(source: &str) -> Result<Self, Vec<TemplateError>> {
        scan::pieces(source).map(|pieces| Self { pieces: pieces.into() })
    }

    /// It has no placeholder.
    pub fn is_literal(&self) -> bool {
        self.expressions().next().is_none()
    }

    /// Its placeholders, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(placeholder),
            Piece::Text { .. } => None,
        })
    }

    /// The expression of a template that is a single placeholder without a filter and nothing else: its value keeps its
    /// type where a type matters.
    pub fn single(&self) -> Option<&Expr> {
        match &*self.pieces {
            [Piece::Placeholder(Placeholder { expr, filter: None, .. })] => Some(expr),
            _ => None,
        }
    }

    /// The text with values in place, for everything that is not a shell command. `raw` changes nothing here; `sh` quotes.
    ///
    /// # Errors
    /// A value that is `()`, an expression that has no value, or a result over 4 MiB.
    pub fn render_text(&self, scope: &Scope) -> Result<String, RenderError> {
        let mut rendered = String::new();
        for piece in &*self.pieces {
            match piece {
                Piece::Text { text, .. } => rendered.push_str(text),
                Piece::Placeholder(placeholder) => rendered.push_str(&text::of(placeholder, scope)?),
            }
            if rendered.len() > MAX_RENDERED {
                let message = format!("the text gets longer than {} MiB", MAX_RENDERED >> 20);
                return Err(RenderError::new(RenderErrorKind::TooLong, "", message));
            }
        }
        Ok(rendered)
    }
}
