//! Labels: shortened to what fits a picture, and measured.

use pulse_core::text::{one_line, shorten};

/// Longest label of a way, in characters: the whole text stays in the definition.
const LONGEST: usize = 36;

/// A label as one short line.
pub(super) fn short(text: &str) -> String {
    shorten(&one_line(text.trim()), LONGEST)
}

/// How many columns of a monospaced font a text takes: East Asian characters and emoji take two.
pub(super) fn columns(text: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
