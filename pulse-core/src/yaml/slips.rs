//! What is most likely meant where a text is no YAML: nearly always a value that needs quotes.

use crate::diagnostic::Position;
use crate::text::{one_line, shorten};

/// Help for an error of the reader. It notices some mistakes only at the next thing it reads: the line before counts, too.
/// A tab can also stand on the line behind the text that it ends.
pub(super) fn help(lines: &[&str], at: Position) -> String {
    meant(lines, at).unwrap_or_else(|| {
        "look at this line and the one before: a quote or a bracket that is not closed, or uneven indentation"
            .to_owned()
    })
}

fn meant(lines: &[&str], at: Position) -> Option<String> {
    let line = (at.line as usize).saturating_sub(1).min(lines.len().checked_sub(1)?);
    let before = lines[..line].iter().rposition(|line| !line.trim().is_empty());
    let near = [Some(line), before];
    let tab = |line: &&str| line[..line.len() - line.trim_start().len()].contains('\t');
    if near.iter().flatten().chain([&(line + 1)]).any(|line| lines.get(*line).is_some_and(tab)) {
        return Some("YAML has no tabs for indentation: indent with spaces".to_owned());
    }
    near.iter().flatten().find_map(|line| quotes(lines[*line]))
}

/// Help for a tag that is a negation: `condition: !params.x`.
pub(super) fn negation(lines: &[&str], at: Position, handle: &str, suffix: &str, text: &str) -> Option<String> {
    if handle != "!" || suffix.is_empty() {
        return None;
    }
    let tag = format!("!{suffix}");
    let line = line_of(lines, at);
    let whole = entry(line).filter(|(_, value)| value.starts_with(&tag));
    let shown = match whole {
        Some((key, value)) => format!("{key}{}", quoted(value)),
        None => quoted(format!("{tag} {text}").trim_end()),
    };
    Some(format!("if `!` is to mean not, put it in quotes: `{shown}`; if it is a tag, leave it out"))
}

/// Longest line that is looked at for a template without quotes. A document in one line can have thousands of them.
const LONG_LINE: usize = 1_000;

/// The text of a template at the beginning of these characters.
pub(super) fn template(chars: &[char]) -> String {
    let text: String = chars.iter().take(LONG_LINE).collect();
    let text = text.find("}}").map_or(text.as_str(), |end| &text[..end + 2]);
    one_line(&text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

/// Help for a template without quotes: with all of its value, where that has a line of its own.
pub(super) fn template_help(lines: &[&str], at: Position, text: &str) -> String {
    let line = line_of(lines, at);
    let begins = |line: &str| {
        let before: usize = line.chars().take((at.column as usize).saturating_sub(1)).map(char::len_utf8).sum();
        entry(line).is_some_and(|(_, value)| line[before..].starts_with(value))
    };
    let of_line =
        Some(line).filter(|line| line.len() <= LONG_LINE && line.contains("}}") && begins(line)).and_then(quotes);
    of_line.unwrap_or_else(|| format!("put it in quotes: `{}`", quoted(text)))
}

fn line_of<'s>(lines: &[&'s str], at: Position) -> &'s str {
    lines.get((at.line as usize).saturating_sub(1)).copied().unwrap_or_default()
}

/// Fields that hold an expression, in which a template has no place.
const EXPRESSIONS: [&str; 4] = ["condition", "if", "until", "items"];

/// Help for a line whose value needs quotes.
fn quotes(line: &str) -> Option<String> {
    let (key, value) = entry(line)?;
    let first = value.chars().next()?;
    if value.starts_with("{{") && EXPRESSIONS.contains(&key.trim_end_matches(": ")) {
        let bare = value.replace("{{", "").replace("}}", "");
        let bare = bare.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = shorten(&bare, 80);
        return Some(format!("it is an expression, which has no {{{{ }}}}: `{key}{shown}`"));
    }
    let why = match first {
        '@' | '`' | '%' | '*' | '&' | '!' => format!("text that begins with `{first}`"),
        '{' if value.starts_with("{{") => "text that begins with `{{`".to_owned(),
        '"' | '\'' if goes_on(value, first) => "text that only begins with a quoted part".to_owned(),
        '"' | '\'' | '[' | '{' | '|' | '>' | '#' => return None,
        _ if value.contains(": ") || value.ends_with(':') => "text with a colon and a space in it".to_owned(),
        _ => return None,
    };
    Some(format!("put {why} in quotes: `{key}{}`", quoted(value)))
}

/// Whether something stands behind a text in quotes.
fn goes_on(value: &str, quote: char) -> bool {
    let rest = value[1..].find(quote).map(|end| value[end + 2..].trim_start());
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['#', ':', ',', '}', ']', quote]))
}

/// The key of a line with its colon, and the value behind it; the key is empty for an item of a list.
fn entry(line: &str) -> Option<(String, &str)> {
    let mut rest = line.trim();
    let mut item = false;
    while let Some(behind) = rest.strip_prefix("- ") {
        rest = behind.trim_start();
        item = true;
    }
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    match rest.split_once(": ").filter(|(key, _)| is_key(key)) {
        Some((key, value)) => Some((format!("{key}: "), bare(value))),
        None if item => Some((String::new(), bare(rest))),
        None => None,
    }
}

/// A value without the comment behind it.
fn bare(value: &str) -> &str {
    value.split_once(" #").map_or(value, |(value, _)| value).trim()
}

/// A value as it stands in quotes.
fn quoted(value: &str) -> String {
    let value = shorten(value, 80);
    match (value.contains(['"', '\\']), value.contains('\'')) {
        (false, _) => format!("\"{value}\""),
        (true, false) => format!("'{value}'"),
        (true, true) => format!("'{}'", value.replace('\'', "''")),
    }
}
