//! Durations as people write them in definitions and on the command line: seconds as a number, or `500ms`, `30s`,
//! `5m`, `2h`, `1d`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write seconds as a number, or like 500ms, 30s, 5m, 2h, 1d")]
pub struct NotADuration(pub String);

/// Reads a duration.
///
/// # Errors
/// When the text is not a non-negative number with an optional unit, or is longer than about 292 million years.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let bad = || NotADuration(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let millis_per_unit = match unit.trim() {
        "ms" => 1.0,
        "" | "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return Err(bad()),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    from_seconds(number * millis_per_unit / 1_000.0).ok_or_else(bad)
}

/// A duration from seconds as a number, to the millisecond; `None` when negative, not finite, or too large.
pub fn from_seconds(seconds: f64) -> Option<Duration> {
    let millis = (seconds * 1_000.0).round();
    (millis.is_finite() && (0.0..9.2e18).contains(&millis)).then(|| Duration::from_millis(millis as u64))
}

/// A duration in the shortest form people read at a glance: `250ms`, `3.2s`, `5m`, `1h 20m`, `2d 3h`.
pub fn display(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (seconds, minutes, hours, days) = (millis / 1_000, millis / 60_000, millis / 3_600_000, millis / 86_400_000);
    let pair = |large: u128, unit: &str, small: u128, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit} {small}{small_unit}"),
    };
    match millis {
        0..1_000 => format!("{millis}ms"),
        1_000..60_000 if millis.is_multiple_of(1_000) => format!("{seconds}s"),
        1_000..60_000 => format!("{:.1}s", duration.as_secs_f64()),
        60_000..3_600_000 => pair(minutes, "m", seconds % 60, "s"),
        3_600_000..86_400_000 => pair(hours, "h", minutes % 60, "m"),
        _ => pair(days, "d", hours % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for (text, millis) in
            [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000), ("1.5", 1_500)]
        {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "m", "-1s", "5 weeks", "1e9", "1.2.3s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shows_what_people_read() {
        for (millis, text) in
            [(250, "250ms"), (3_200, "3.2s"), (300_000, "5m"), (4_800_000, "1h 20m"), (97_200_000, "1d 3h")]
        {
            assert_eq!(display(Duration::from_millis(millis)), text);
        }
    }
}
