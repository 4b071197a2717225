//! The helpers on texts.

use super::error::Failure;
use super::lists;
use super::pattern::Pattern;
use super::value::{Text, Val, new_text, room_for_elements, room_for_text, walk};
use super::{MAX_ELEMENTS, budget};
use serde_json::Value;
use std::borrow::Cow;

/// A number, boolean or text as it stands in a joined text.
pub(super) fn plain<'a>(value: &'a Val, of: &str) -> Result<Cow<'a, str>, Failure> {
    Ok(match value {
        Val::Text(text) => Cow::Borrowed(text),
        Val::Bool(b) => Cow::Owned(b.to_string()),
        Val::Int(n) => Cow::Owned(n.to_string()),
        Val::Float(n) => Cow::Owned(Value::from(*n).to_string()),
        Val::Nothing => return Err(Failure::missing(format!("a value of {of} is missing"))),
        _ => {
            return Err(Failure::wrong_type(format!(
                "{} cannot be part of a text; use text() or join()",
                value.describe()
            )));
        }
    })
}

/// `text(x)`: numbers and booleans as JSON writes them, lists and maps as compact JSON. `()` stays `()`.
pub(super) fn text(v: &[Val]) -> Result<Val, Failure> {
    match &v[0] {
        Val::Nothing | Val::Text(_) => Ok(v[0].clone()),
        Val::List(_) | Val::SharedList(_) | Val::Map(_) | Val::SharedMap(_) => {
            // The copy is counted in full, and its text is at most a few times as long.
            new_text(v[0].clone().into_json()?.to_string())
        }
        other => new_text(plain(other, "text")?.into_owned()),
    }
}

/// The subject of a helper: a text, or nothing. Numbers and booleans count as the text they are written as.
fn subject<'a>(value: &'a Val, of: &str) -> Result<Option<Cow<'a, str>>, Failure> {
    if matches!(value, Val::Nothing) {
        return Ok(None);
    }
    let text =
        plain(value, of).map_err(|_| Failure::wrong_type(format!("{of} needs a text, not {}", value.describe())))?;
    budget::scan(text.len())?;
    Ok(Some(text))
}

/// An argument of a helper that has to be there.
fn argument<'a>(value: &'a Val, of: &str) -> Result<Cow<'a, str>, Failure> {
    subject(value, of)?.ok_or_else(|| Failure::missing(format!("an argument of {of} is missing")))
}

/// `contains(text, part)`.
pub(super) fn contains(text: &Text, part: &Val) -> Result<Val, Failure> {
    budget::scan(text.len())?;
    Ok(Val::Bool(text.contains(&*argument(part, "contains")?)))
}

/// `starts_with(text, part)`.
pub(super) fn starts_with(v: &[Val]) -> Result<Val, Failure> {
    let Some(text) = subject(&v[0], "starts_with")? else { return Ok(Val::Bool(false)) };
    Ok(Val::Bool(text.starts_with(&*argument(&v[1], "starts_with")?)))
}

/// `ends_with(text, part)`.
pub(super) fn ends_with(v: &[Val]) -> Result<Val, Failure> {
    let Some(text) = subject(&v[0], "ends_with")? else { return Ok(Val::Bool(false)) };
    Ok(Val::Bool(text.ends_with(&*argument(&v[1], "ends_with")?)))
}

/// One of the ways to match.
pub(super) type Test = fn(&Val, &Pattern) -> Result<Val, Failure>;

/// `matches(text, regex)` with a pattern compiled before. The pattern may match anywhere.
pub(super) fn matches(value: &Val, pattern: &Pattern) -> Result<Val, Failure> {
    match subject(value, "matches")? {
        Some(text) => pattern.is_match(&text).map(Val::Bool),
        None => Ok(Val::Bool(false)),
    }
}

/// The same where the text is all that a command printed: the line end behind it does not keep `$` from matching.
pub(super) fn matches_output(value: &Val, pattern: &Pattern) -> Result<Val, Failure> {
    let Some(text) = subject(value, "matches")? else { return Ok(Val::Bool(false)) };
    if pattern.is_match(&text)? {
        return Ok(Val::Bool(true));
    }
    match without_line_end(&text) {
        short if short.len() < text.len() => pattern.is_match(short).map(Val::Bool),
        _ => Ok(Val::Bool(false)),
    }
}

/// What a command printed, without the line end behind it.
pub(crate) fn without_line_end(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}

/// `matches(text, regex)` with a pattern that is a value.
pub(super) fn matches_text(value: &Val, pattern: &Val, test: Test) -> Result<Val, Failure> {
    let pattern = Pattern::compile(&argument(pattern, "matches")?)?;
    budget::bytes(pattern.size())?;
    budget::look()?;
    test(value, &pattern)
}

/// `trim(text)`.
pub(super) fn trim(v: &[Val]) -> Result<Val, Failure> {
    change(&v[0], "trim", |text| text.trim().to_owned())
}

/// `lower(text)`.
pub(super) fn lower(v: &[Val]) -> Result<Val, Failure> {
    change(&v[0], "lower", str::to_lowercase)
}

/// `upper(text)`.
pub(super) fn upper(v: &[Val]) -> Result<Val, Failure> {
    change(&v[0], "upper", str::to_uppercase)
}

/// A change that makes a text at most three times as long, as changes of case do.
fn change(value: &Val, of: &str, make: fn(&str) -> String) -> Result<Val, Failure> {
    let Some(text) = subject(value, of)? else { return Ok(Val::Nothing) };
    budget::bytes(text.len())?;
    new_text(make(&text))
}

/// `split(text, separator)`; without a separator at white space, with an empty one into characters.
pub(super) fn split(v: &[Val]) -> Result<Val, Failure> {
    let Some(text) = subject(&v[0], "split")? else { return Ok(Val::Nothing) };
    match v.get(1) {
        None => parts(text.split_whitespace()),
        Some(separator) => {
            let separator = argument(separator, "split")?;
            if separator.is_empty() {
                parts(text.char_indices().map(|(i, c)| &text[i..i + c.len_utf8()]))
            } else {
                parts(text.split(&*separator))
            }
        }
    }
}

/// One more part than the limit is enough to see that there are too many.
fn parts<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Val, Failure> {
    let parts: Vec<&str> = parts.take(MAX_ELEMENTS + 1).collect();
    room_for_elements(parts.len())?;
    budget::bytes(parts.iter().map(|part| part.len()).sum())?;
    Ok(Val::List(parts.into_iter().map(|part| Val::Text(Text::Own(part.into())).into_dynamic()).collect()))
}

/// `join(list, separator)`; without a separator with a comma. `()` elements are empty.
pub(super) fn join(v: &[Val]) -> Result<Val, Failure> {
    match &v[0] {
        Val::Nothing => return Ok(Val::Nothing),
        Val::List(_) | Val::SharedList(_) => {}
        other => return Err(Failure::wrong_type(format!("join needs a list, not {}", other.describe()))),
    }
    let separator = v.get(1).map_or(Ok(Cow::Borrowed(",")), |separator| argument(separator, "join"))?;
    let count = lists::count(&v[0]);
    walk(count)?;
    let mut joined = String::new();
    for i in 0..count {
        let element = lists::element(&v[0], i)?;
        let part = if matches!(element, Val::Nothing) { Cow::Borrowed("") } else { plain(&element, "join")? };
        let separator = if i > 0 { &*separator } else { "" };
        let len = joined.len() + separator.len() + part.len();
        // Sizes first: nothing is made that is too long.
        if len > super::MAX_TEXT {
            room_for_text(len)?;
        }
        joined.push_str(separator);
        joined.push_str(&part);
    }
    new_text(joined)
}
