//! Finds the placeholders of a template.

use super::error::TemplateError;
use super::filter::Filter;
use super::parsed::{Piece, Placeholder};
use crate::expr::Expr;

/// Cuts a template into texts and placeholders. All errors are reported, not the first one only.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece>, Vec<TemplateError>> {
    let mut pieces = Vec::new();
    let mut errors = Vec::new();
    let mut at = 0;
    while let Some(found) = source[at..].find("{{") {
        let mut open = at + found;
        let braces = source[open..].bytes().take(4).take_while(|b| *b == b'{').count();
        if braces == 3 {
            open += 1;
        }
        push_text(&mut pieces, &source[at..open], at);
        if braces >= 4 {
            push_text(&mut pieces, "{{", open);
            at = open + 4;
            continue;
        }
        let Some(end) = end_of_placeholder(&source[open + 2..]).map(|len| open + 2 + len) else {
            errors.push(
                TemplateError::new(open, "this {{ is never closed")
                    .help("close it with }}, or write {{{{ for a literal {{"),
            );
            at = source.len();
            break;
        };
        match placeholder(&source[open + 2..end], open) {
            Ok(placeholder) => pieces.push(Piece::Placeholder(placeholder)),
            Err(error) => errors.push(error),
        }
        at = end + 2;
    }
    push_text(&mut pieces, &source[at..], at);
    if errors.is_empty() { Ok(pieces) } else { Err(errors) }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, offset: usize) {
    if !text.is_empty() {
        pieces.push(Piece::Text { text: text.to_owned(), offset });
    }
}

/// Finds the `}}` that closes a placeholder, not one in a text or at the end of a map. `inner` starts behind the `{{`.
fn end_of_placeholder(inner: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut end = None;
    outside_texts(inner, |at, c| {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' if inner[at..].starts_with("}}") => end = Some(at),
            _ => {}
        }
        end.is_none()
    });
    // Where a quote is never closed, the error about that is the better one.
    end.or_else(|| inner.find("}}"))
}

/// Calls a function with each character that is not part of a quoted text, until it returns false.
fn outside_texts(source: &str, mut each: impl FnMut(usize, char) -> bool) {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in source.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => {
                if !each(at, c) {
                    return;
                }
            }
        }
    }
}

/// Positions of the `|` that start a filter.
fn filter_signs(inner: &str) -> Vec<usize> {
    let mut signs = Vec::new();
    outside_texts(inner, |at, c| {
        if c == '|' && !inner[..at].ends_with('|') && !inner[at + 1..].starts_with('|') {
            signs.push(at);
        }
        true
    });
    signs
}

fn placeholder(inner: &str, offset: usize) -> Result<Placeholder, TemplateError> {
    let start = offset + 2;
    let signs = filter_signs(inner);
    if let Some(second) = signs.get(1) {
        return Err(TemplateError::new(start + second, "a placeholder has one filter at most")
            .help("keep one of them; `or` in an expression is ||"));
    }
    let (source, filter) = match signs.first() {
        Some(sign) => (&inner[..*sign], Some(filter(&inner[sign + 1..], start + sign + 1)?)),
        None => (inner, None),
    };
    let literal = "write {{{{ for a literal {{";
    let trimmed = source.trim();
    if trimmed.is_empty() {
        return Err(TemplateError::new(offset, "an empty placeholder").help(literal));
    }
    if trimmed.starts_with(['.', '$', '/', '%', '#', '>', '&', '^']) && !trimmed.starts_with("#{") {
        let message = format!("{{{{ {trimmed} }}}} belongs to another template language");
        return Err(TemplateError::new(offset, message).help(literal));
    }
    let blank = source.len() - source.trim_start().len();
    let expr = Expr::compile_template(trimmed).map_err(|error| TemplateError {
        message: error.message,
        offset: error.offset.map_or(offset, |at| start + blank + at),
        help: Some(error.help),
    })?;
    Ok(Placeholder { expr, filter, offset, start: start + blank })
}

fn filter(name: &str, at: usize) -> Result<Filter, TemplateError> {
    let trimmed = name.trim();
    Filter::named(trimmed).ok_or_else(|| {
        let near =
            Filter::ALL.iter().map(|(known, _)| *known).min_by_key(|known| strsim::damerau_levenshtein(known, trimmed));
        let blank = name.len() - name.trim_start().len();
        let error = TemplateError::new(at + blank, format!("there is no filter `{trimmed}`"));
        match near {
            Some(near) if strsim::damerau_levenshtein(near, trimmed) <= 2 => {
                error.help(format!("did you mean `{near}`?"))
            }
            _ => {
                error.help("filters are raw and sh; `or` in an expression is ||, a value for what is missing is a ?? b")
            }
        }
    })
}
