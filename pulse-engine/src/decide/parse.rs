//! `parse`: output becomes values. With several workers they are read in target order, later ones winning. Output of
//! which only the end was kept is not read.

use super::Machine;
use crate::expr::without_line_end;
use crate::plan::PlannedStep;
use crate::vars::size_of;
use pulse_core::command::{CommandEnd, TAIL_BYTES};
use pulse_core::event::{Event, Next, StepRef};
use pulse_core::ids::StepId;
use pulse_core::json;
use pulse_core::workflow::{ANSWER_NAMES, Parse, ParseFormat};
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// A `KEY=value` line, as the first PULSE read it.
static KEY_VALUE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^([A-Z][A-Z0-9_]*)=(.*)$").expect("the pattern is a constant"));

impl<'m> Machine<'m> {
    pub(super) fn parse(&mut self, planned: &PlannedStep, at: StepRef, parse: &Parse) {
        let last = self.state.frames.get(&at.frame).and_then(|frame| frame.last_step.as_ref());
        let Some(from) = parse.from.clone().or_else(|| last.map(|(_, id)| id.clone())) else {
            return self.fail_step(at, "no command has run whose output could be read".to_owned());
        };
        let next = self.next(&planned.step.id, None);
        if let Err(error) = self.read(&at, from, &parse.format, Some(next)) {
            self.fail_step(at, error);
        }
    }

    /// Reads the results of a step into state.
    pub(super) fn read(
        &mut self,
        at: &StepRef,
        from: StepId,
        format: &ParseFormat,
        next: Option<Next>,
    ) -> Result<(), String> {
        // The last execute step may have run in a frame that is over: then its record is found by where it ran.
        let last = self.state.frames.get(&at.frame).and_then(|frame| frame.last_step.as_ref());
        let record = match last {
            Some(key) if key.1 == from => self.state.steps.get(key),
            _ => self.state.record(at.frame, &from),
        };
        let record = record.filter(|record| !record.results.is_empty());
        let record = record.ok_or_else(|| format!("step `{from}` has no output to read"))?;
        let results = &record.results;
        let (mut parsed, mut by_worker) = (Map::new(), Map::new());
        // In target order, whoever was faster: later targets win.
        for (worker, result) in record.targets.iter().filter_map(|worker| Some((worker, results.get(worker)?))) {
            let mut values = whole(&result.end)
                .and_then(|output| values(format, output))
                .map_err(|error| format!("output of `{worker}`: {error}"))?;
            // What a command prints is nobody's answer.
            values.retain(|name, _| !ANSWER_NAMES.contains(&name.as_str()));
            if results.len() > 1 {
                by_worker.insert(worker.to_string(), Value::Object(values.clone()));
            }
            parsed.extend(values);
        }
        self.check_room(&parsed)?;
        self.spend(size_of(&parsed) + size_of(&by_worker))?;
        let parsed_count = u32::try_from(parsed.len()).unwrap_or(u32::MAX);
        self.emit(Event::ParseComplete { at: at.clone(), from, parsed_count, parsed, by_worker, next });
        Ok(())
    }
}

/// Standard output where all of it was kept. What is left of a longer one begins anywhere, within a line or a value, and
/// does not tell what stood before: nothing is read of it, in no format.
fn whole(end: &CommandEnd) -> Result<&str, String> {
    if !end.is_stdout_cut() {
        return Ok(&end.stdout);
    }
    let printed = match end.stdout_bytes {
        bytes if bytes > TAIL_BYTES as u64 => format!("{bytes} bytes"),
        _ => "too much".to_owned(),
    };
    Err(format!(
        "it printed {printed} on standard output, and `parse` reads no more than {TAIL_BYTES} bytes: print less, or print what is \
         not to be read on standard error (`>&2`)"
    ))
}

/// The values in one output.
fn values(format: &ParseFormat, output: &str) -> Result<Map<String, Value>, String> {
    let text = |value: &str| Value::String(value.to_owned());
    match format {
        ParseFormat::KeyValue => {
            let pair = |found: regex::Captures<'_>| (found[1].to_lowercase(), text(found[2].trim()));
            Ok(KEY_VALUE.captures_iter(output).map(pair).collect())
        }
        ParseFormat::Json => match serde_json::from_str(&json::exact(output.trim())) {
            Ok(Value::Object(values)) => Ok(values),
            Ok(_) => Err("it is JSON, but no object".to_owned()),
            Err(error) => Err(format!("it is no JSON: {error}")),
        },
        ParseFormat::Lines { name } => {
            let lines = output.lines().map(text).collect();
            Ok(Map::from_iter([(name.clone(), Value::Array(lines))]))
        }
        ParseFormat::Regex { pattern } => {
            let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
            // `$` is meant to stand before the line end with which output usually ends.
            let found = regex.captures(output).or_else(|| regex.captures(without_line_end(output)));
            let Some(found) = found else { return Ok(Map::new()) };
            let group = |name: &str| Some((name.to_owned(), text(found.name(name)?.as_str())));
            Ok(regex.capture_names().flatten().filter_map(group).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_format_reads_its_output() {
        let read = |format, output| values(&format, output).map(Value::Object);
        let kv = "noise\nDISK_PCT= 91 \nlower=no\nA=b=c\nA=last\r\n1X=no\n";
        assert_eq!(read(ParseFormat::KeyValue, kv).unwrap(), json!({"disk_pct": "91", "a": "last"}));
        assert_eq!(read(ParseFormat::KeyValue, "nothing").unwrap(), json!({}));
        assert_eq!(read(ParseFormat::Json, " {\"a\": [1]} \n").unwrap(), json!({"a": [1]}));
        assert!(read(ParseFormat::Json, "[1]").is_err() && read(ParseFormat::Json, "x").is_err());
        assert_eq!(read(ParseFormat::Lines { name: "l".into() }, "a\r\nb\n").unwrap(), json!({"l": ["a", "b"]}));
        let regex = ParseFormat::Regex { pattern: r"v(?<major>\d+)\.(?<minor>\d+)(?<rest>x)?".into() };
        assert_eq!(read(regex, "is v1.22 or v2.3").unwrap(), json!({"major": "1", "minor": "22"}));
        let line = |pattern: &str| ParseFormat::Regex { pattern: pattern.into() };
        for output in ["v1.2", "v1.2\n", "v1.2\r\n"] {
            assert_eq!(read(line(r"^v(?<v>[\d.]+)$"), output).unwrap(), json!({"v": "1.2"}), "{output:?}");
        }
        assert_eq!(read(line(r"^v(?<v>[\d.]+)$"), "v1.2\n\n").unwrap(), json!({}));
        // What matches all of the output is not changed by that.
        assert_eq!(read(line(r"v(?<v>[\d.]+)\n"), "v1.2\n").unwrap(), json!({"v": "1.2"}));
    }
}
