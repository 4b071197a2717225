//! What each finding means, why it matters and how to mend it: the text behind `pulse check --explain CODE` and
//! `docs/diagnostics.md`. A test runs every example through the loader, so that no entry says what is not so.

mod errors;
mod markdown;
mod warnings;

pub use markdown::markdown;

use crate::diagnostic::{Code, Severity};

/// What is written about one code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Which.
    pub code: Code,
    /// What it means.
    pub means: &'static str,
    /// Why anybody should care.
    pub matters: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// A document with it; `None` where a part of the language would have to be missing.
    pub example: Option<Example>,
}

/// A mistake, and how it is mended.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// A whole document in which exactly this is found.
    pub wrong: &'static str,
    /// The same document, mended: nothing is found in it.
    pub mended: &'static str,
}

impl Entry {
    /// The entry as text for a terminal, with `heading` for what stands above a part.
    pub fn text(&self, heading: impl Fn(&str) -> String) -> String {
        let kind = match self.code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let title = heading(&format!("{kind} {}: {}", self.code.as_str(), self.code.summary()));
        let mut text = format!("{title}\n\n{}\n", wrapped(self.means));
        let mut part = |name: &str, content: String| text.push_str(&format!("\n{}\n{content}\n", heading(name)));
        part("Why it matters", wrapped(self.matters));
        if let Some(Example { wrong, .. }) = self.example {
            part("Wrong", indented(wrong));
        }
        part("How to mend it", wrapped(self.mend));
        if let Some(Example { mended, .. }) = self.example {
            part("Mended", indented(mended));
        }
        text
    }
}

/// The entry of a code. A test makes sure that there is one for each.
pub fn entry(code: Code) -> Option<&'static Entry> {
    entries().find(|entry| entry.code == code)
}

/// All entries, in the order of their codes.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    errors::ENTRIES.iter().chain(warnings::ENTRIES)
}

/// The code a text stands for, in whatever case.
///
/// # Errors
/// The nearest code, when there is none of that name.
pub fn find(text: &str) -> Result<Code, &'static str> {
    let wanted = text.trim().to_uppercase();
    if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == wanted) {
        return Ok(*code);
    }
    let nearest = Code::ALL.iter().map(|code| code.as_str()).min_by_key(|code| {
        // Of codes that are equally far, the one with the same letter, then the one with the nearest number.
        let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<i64>().ok();
        let apart = number(&wanted).zip(number(code)).map_or(i64::MAX, |(a, b)| a.abs_diff(b) as i64);
        (strsim::damerau_levenshtein(&wanted, code), wanted.chars().next() != code.chars().next(), apart)
    });
    Err(nearest.unwrap_or_default())
}

/// Widest line of explanations, for a terminal of the usual width.
const WIDTH: usize = 80;

fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

fn indented(document: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    document.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_entry_in_order() {
        let missing: Vec<_> = Code::ALL.iter().filter(|code| entry(**code).is_none()).map(|c| c.as_str()).collect();
        assert!(missing.is_empty(), "write entries in pulse-core/src/explain/ for {missing:?}");
        let codes: Vec<_> = entries().map(|entry| entry.code.as_str()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }

    #[test]
    fn codes_are_found_in_any_case_and_the_nearest_is_named() {
        assert_eq!(find(" w003").unwrap(), Code::ConstantCondition);
        for (text, nearest) in [("W03", "W003"), ("E0133", "E013"), ("X003", "E003"), ("003", "E003"), ("W099", "W009")]
        {
            let nearest = if Code::ALL.iter().any(|code| code.as_str() == nearest) { nearest } else { "W008" };
            assert_eq!(find(text).unwrap_err(), nearest, "{text}");
        }
    }

    #[test]
    fn texts_fit_a_terminal() {
        for entry in entries() {
            let text = entry.text(str::to_owned);
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
            for part in [entry.means, entry.matters, entry.mend] {
                assert!(part.ends_with('.') && !part.contains("  "), "{}: {part}", entry.code.as_str());
            }
        }
    }
}
