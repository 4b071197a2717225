//! Values that steps have read or set, on one line.

use pulse_core::text::{one_line, shorten};
use serde_json::{Map, Value};

/// How many values a line shows, and how much of each.
const VALUES: usize = 8;
const LENGTH: usize = 60;

/// `a=1, b=text, … 3 more`.
pub fn inline(values: &Map<String, Value>) -> String {
    let mut shown: Vec<String> =
        values.iter().take(VALUES).map(|(name, value)| format!("{}={}", one_line(name), one(value))).collect();
    if values.len() > VALUES {
        shown.push(format!("… {} more", values.len() - VALUES));
    }
    shown.join(", ")
}

/// One value, shortened.
pub fn one(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    shorten(&one_line(&text), LENGTH)
}

/// `1 worker`, `2 workers`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_and_on_one_line() {
        let value = json!({"usage": 91, "host": "a\nb", "list": [1, 2]});
        assert_eq!(inline(value.as_object().unwrap()), "usage=91, host=a\\nb, list=[1,2]");
        let many: Map<String, Value> = (0..10).map(|i| (format!("k{i}"), json!(i))).collect();
        assert!(inline(&many).ends_with("k7=7, … 2 more"));
    }
}
