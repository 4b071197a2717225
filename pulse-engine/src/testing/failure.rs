//! What a test found wrong, with what was expected and what came side by side.

use pulse_core::text::{one_line, shorten};
use serde::Serialize;
use std::fmt;

/// Widest column of a comparison, in characters.
const WIDEST: usize = 60;
/// How much of what is the same stands before the first difference of two long lines, in characters.
const AROUND: usize = 20;
/// Longest list that is lined up; of a longer one, row `n` stands beside row `n`.
const LONGEST: usize = 500;

/// One thing that is not as the test says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What it is about: `status`, `path`, `state`, `commands.clean`, `given`.
    pub what: String,
    /// In one line.
    pub message: String,
    /// What the test says, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// What came, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub got: Vec<String>,
    /// The line of the test file that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl Failure {
    pub(super) fn new(what: impl Into<String>, message: impl Into<String>) -> Self {
        Self { what: what.into(), message: message.into(), expected: Vec::new(), got: Vec::new(), line: None }
    }

    pub(super) fn comparing(mut self, expected: Vec<String>, got: Vec<String>) -> Self {
        (self.expected, self.got) = (expected, got);
        self
    }

    pub(super) fn at(mut self, line: u32) -> Self {
        self.line = (line > 0).then_some(line);
        self
    }
}

/// The message, and below it both sides as a table.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, one_line(&self.message))?;
        for line in side_by_side(&self.expected, &self.got) {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

/// Two lists of lines as a table with a head, equal lines in one row. Rows that differ are marked with `≠`. Nothing
/// when both are empty.
pub fn side_by_side(expected: &[String], got: &[String]) -> Vec<String> {
    if expected.is_empty() && got.is_empty() {
        return Vec::new();
    }
    let row = |(left, right): Row<'_>| {
        let text = |text: Option<&String>| text.map_or_else(|| "-".to_owned(), |text| one_line(text));
        let (one, other) = (text(left), text(right));
        let hidden = if left == right { 0 } else { hidden(&one, &other) };
        (cell(&one, hidden), left == right, cell(&other, hidden))
    };
    let rows: Vec<(String, bool, String)> = aligned(expected, got).into_iter().map(row).collect();
    let width = rows.iter().map(|(left, ..)| left.chars().count()).chain(["expected".len()]).max().unwrap_or(0);
    let mut lines = vec![format!("{:width$}   got", "expected")];
    for (left, same, right) in rows {
        let pad = " ".repeat(width - left.chars().count());
        lines.push(format!("{left}{pad} {} {right}", if same { ' ' } else { '≠' }).trim_end().to_owned());
    }
    lines
}

/// How many characters are left out at the beginning of two texts, so that the first that differs is seen.
fn hidden(one: &str, other: &str) -> usize {
    let fits = |text: &str| text.chars().count() <= WIDEST;
    if fits(one) && fits(other) {
        return 0;
    }
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    if same + AROUND <= WIDEST { 0 } else { same - AROUND }
}

fn cell(text: &str, hidden: usize) -> String {
    match hidden {
        0 => shorten(text, WIDEST),
        _ => format!("…{}", shorten(&text.chars().skip(hidden).collect::<String>(), WIDEST - 1)),
    }
}

type Row<'a> = (Option<&'a String>, Option<&'a String>);

/// Lines up two lists by their longest common subsequence; what differs at the same place shares a row.
fn aligned<'a>(left: &'a [String], right: &'a [String]) -> Vec<Row<'a>> {
    if left.len() > LONGEST || right.len() > LONGEST {
        return (0..left.len().max(right.len())).map(|index| (left.get(index), right.get(index))).collect();
    }
    let columns = right.len() + 1;
    let mut longest = vec![0_u16; (left.len() + 1) * columns];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            longest[i * columns + j] = if left[i] == right[j] {
                longest[(i + 1) * columns + j + 1] + 1
            } else {
                longest[(i + 1) * columns + j].max(longest[i * columns + j + 1])
            };
        }
    }
    let (mut rows, mut i, mut j) = (Vec::new(), 0, 0);
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() {
            let here = longest[i * columns + j];
            if left[i] == right[j] {
                rows.push((Some(&left[i]), Some(&right[j])));
                (i, j) = (i + 1, j + 1);
                continue;
            }
            if longest[(i + 1) * columns + j + 1] == here {
                rows.push((Some(&left[i]), Some(&right[j])));
                (i, j) = (i + 1, j + 1);
                continue;
            }
            if longest[(i + 1) * columns + j] < here {
                rows.push((None, Some(&right[j])));
                j += 1;
                continue;
            }
        }
        if i < left.len() {
            rows.push((Some(&left[i]), None));
            i += 1;
        } else {
            rows.push((None, Some(&right[j])));
            j += 1;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(expected: &[&str], got: &[&str]) -> Vec<String> {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        side_by_side(&texts(expected), &texts(got))
    }

    #[test]
    fn equal_lines_share_a_row() {
        assert_eq!(
            table(&["check", "ask", "clean"], &["check", "parse", "ask", "report"]),
            ["expected   got", "check      check", "-        ≠ parse", "ask        ask", "clean    ≠ report"]
        );
        assert_eq!(table(&["a"], &[]), ["expected   got", "a        ≠ -"]);
        assert!(table(&[], &[]).is_empty());
    }

    #[test]
    fn the_part_of_long_lines_that_differs_is_shown() {
        let same = "echo ".repeat(40);
        let lines = table(&[&format!("{same}--dry-run {same}")], &[&format!("{same}--force {same}")]);
        assert!(lines[1].starts_with("…ho echo echo echo --dry-run echo "), "{}", lines[1]);
        assert!(lines[1].contains(" ≠ …ho echo echo echo --force echo "), "{}", lines[1]);
        assert!(lines[1].chars().count() < 130, "{}", lines[1]);
        // One of them ends where the other goes on.
        let lines = table(&[&same], &[&format!("{same}more")]);
        assert!(lines[1].ends_with("echo more"), "{}", lines[1]);
    }

    #[test]
    fn hostile_and_long_lines_stay_one_row() {
        let lines = table(&["a\nb\x1b[2J"], &["x".repeat(200).as_str()]);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("a\\nb\\u{1b}[2J ≠ xxx") && lines[1].chars().count() < 90, "{}", lines[1]);
        let many: Vec<String> = (0..LONGEST + 1).map(|n| n.to_string()).collect();
        assert_eq!(side_by_side(&many, &[]).len(), many.len() + 1);
    }
}
