//! A question to a person: how it is shown, and what an answer means.

use super::age::coarse;
use super::output::plain;
use super::style::Style;
use pulse_core::duration;
use pulse_core::event::OpenOption;
use pulse_core::text::{one_line, terminal_safe};
use std::time::Duration;

/// The question and its options, each behind its number where numbers are no labels.
pub fn question(message: &str, options: &[OpenOption], left: Duration, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, line) in message.trim_end().lines().enumerate() {
        let mark = if number == 0 { style.yellow("?") } else { " ".to_owned() };
        let safe = plain(&terminal_safe(line));
        lines.push(format!("  {mark} {}", style.bold(&safe)));
    }
    for (index, option) in options.iter().enumerate() {
        let mark = if numbered(options) { format!("{})", index + 1) } else { "-".to_owned() };
        let label = one_line(&option.label);
        let label = if option.danger { style.red(&format!("{label} (dangerous)")) } else { label };
        lines.push(format!("    {mark} {label}"));
    }
    lines.push(style.dim(&format!("    to be answered within {}", duration::display(coarse(left)))));
    lines
}

/// Whether options can be chosen by number: not when a number is itself an option.
pub fn numbered(options: &[OpenOption]) -> bool {
    let number = |text: &str| text.trim().parse::<u64>().is_ok();
    !options.iter().any(|option| number(&option.label) || number(&option.value))
}

/// The option that an answer means: its number, label or value, ignoring case where that leaves one.
pub fn choose<'a>(options: &'a [OpenOption], answer: &str) -> Option<&'a OpenOption> {
    let answer = answer.trim();
    let exact = options.iter().find(|option| option.label == answer || option.value == answer);
    if exact.is_some() {
        return exact;
    }
    if numbered(options)
        && let Ok(number) = answer.parse::<usize>()
    {
        return number.checked_sub(1).and_then(|index| options.get(index));
    }
    let same = |text: &str| text.to_lowercase() == answer.to_lowercase();
    let mut alike = options.iter().filter(|option| same(&option.label) || same(&option.value));
    match (alike.next(), alike.next()) {
        (Some(option), None) => Some(option),
        _ => None,
    }
}

/// What may be answered, for a person whose answer was none of it.
pub fn choices(options: &[OpenOption]) -> String {
    let labels: Vec<String> = options.iter().map(|option| one_line(&option.label)).collect();
    match (numbered(options), labels.len()) {
        (true, 1) => format!("1 or {}", labels.join(", ")),
        (true, count) => format!("a number from 1 to {count}, or one of: {}", labels.join(", ")),
        (false, _) => format!("one of: {}", labels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(labels: &[&str]) -> Vec<OpenOption> {
        labels
            .iter()
            .map(|l| OpenOption { label: (*l).into(), value: l.to_lowercase(), danger: *l == "Wipe" })
            .collect()
    }

    #[test]
    fn by_number_label_or_value() {
        let all = options(&["Yes", "No", "Wipe"]);
        let chosen = |answer: &str| choose(&all, answer).map(|option| option.label.as_str());
        for (answer, label) in [("1", "Yes"), (" 3 ", "Wipe"), ("no", "No"), ("NO", "No"), ("Yes", "Yes")] {
            assert_eq!(chosen(answer), Some(label), "{answer}");
        }
        for answer in ["", "0", "4", "maybe", "-1"] {
            assert_eq!(chosen(answer), None, "{answer}");
        }
        let numbers = options(&["2", "1"]);
        assert_eq!(choose(&numbers, "1").unwrap().label, "1");
        let case = options(&["a", "A"]);
        assert_eq!(choose(&case, "A").unwrap().label, "A");
    }

    #[test]
    fn shown_with_numbers_and_words() {
        let lines = question(
            "Clean up?\nIt\x1b[2J deletes.",
            &options(&["Yes", "Wipe"]),
            Duration::from_secs(3_600),
            Style::plain(),
        );
        assert_eq!(
            lines,
            [
                "  ? Clean up?",
                "    It deletes.",
                "    1) Yes",
                "    2) Wipe (dangerous)",
                "    to be answered within 1h"
            ]
        );
    }
}
