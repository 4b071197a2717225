//! Mermaid flowcharts (<https://mermaid.js.org/syntax/flowchart.html>), which many places show as pictures.

use super::picture::{Kind, Mood, Picture};
use super::text::short;
use pulse_core::api::WorkflowGraph;
use std::fmt::Write as _;

/// A graph as a Mermaid flowchart.
pub fn mermaid(graph: &WorkflowGraph) -> String {
    let picture = Picture::of(graph);
    let mut out = String::from("flowchart TD\n");
    nodes(&picture, None, 1, &mut out);
    for way in &picture.ways {
        let labels: Vec<String> = way.labels.iter().map(|label| escaped(&short(label))).collect();
        let arrow = if way.mood == Mood::Plain { "-->" } else { "-.->" };
        let label = if labels.is_empty() { String::new() } else { format!("|\"{}\"|", labels.join("<br/>")) };
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", way.from, way.to);
    }
    if let Some((upper, lower)) = picture.unreached() {
        let _ = writeln!(out, "  n{upper} ~~~ n{lower}");
    }
    out
}

/// Nodes with those inside them as subgraphs. Ids are numbers: an id of the definition could be a word of Mermaid.
fn nodes(picture: &Picture, parent: Option<usize>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (index, node) in picture.inside(parent) {
        let name = escaped(&short(&node.name));
        let (open, close) = match &node.kind {
            Kind::End | Kind::Fail | Kind::OnFailure | Kind::Finally => ("([", "])"),
            Kind::Step(kind) => match kind.as_str() {
                "route" => ("{", "}"),
                "prompt" => ("[/", "/]"),
                "wait" => ("(", ")"),
                "parallel" | "foreach" | "workflow" => ("[[", "]]"),
                _ => ("[", "]"),
            },
        };
        let note = node.note.as_ref().map(|note| format!("<br/>{}", escaped(&short(note)))).unwrap_or_default();
        let _ = writeln!(out, "{indent}n{index}{open}\"{name}{note}\"{close}");
        if picture.inside(Some(index)).next().is_some() {
            let _ = writeln!(out, "{indent}subgraph s{index} [\"{name}\"]");
            nodes(picture, Some(index), depth + 1, out);
            let _ = writeln!(out, "{indent}end");
        }
    }
}

/// Text for a quoted label. Everything that Mermaid, its Markdown or HTML could read as more than a character becomes a
/// character reference in its notation, `#35;`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (position, c) in text.chars().enumerate() {
        let plain = match c {
            ' ' | ',' | '/' | ':' | '=' | '?' | '!' | '%' | '\'' | '…' => true,
            // At the start of a label these make a list.
            '-' | '+' | '.' | ')' => position > 0 && !text.chars().take(position).all(|c| c.is_ascii_digit()),
            c => c.is_alphanumeric(),
        };
        if plain {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hostile, plain};
    use super::*;

    #[test]
    fn flowcharts() {
        assert_eq!(
            mermaid(&plain()),
            "flowchart TD\n  n0[\"Check\"]\n  n1{\"Full or not\"}\n  n2[/\"Clean up?\"/]\n  n3([\"end\"])\n  \
             n4([\"fail\"])\n  n0 --> n1\n  n0 -.->|\"error\"| n4\n  n1 -->|\"state.pct #62; 80\"| n2\n  n1 \
             -->|\"default\"| n3\n  n2 -->|\"Yes<br/>No\"| n3\n  n2 -.->|\"timeout\"| n0\n"
        );
    }

    #[test]
    fn lists_conditions_and_what_nothing_leads_to() {
        let definition = "steps: [{id: a, run: x, condition: state.x > 1}]\non_failure: [{id: b, run: x}]\n";
        assert_eq!(
            mermaid(&crate::graph(&crate::load(definition).workflow.unwrap())),
            "flowchart TD\n  n0[\"a<br/>if state.x #62; 1\"]\n  n1[\"b\"]\n  n2([\"on#95;failure<br/>the steps failed, \
             or were aborted\"])\n  n3([\"end\"])\n  n4([\"fail\"])\n  n0 -->|\"or skipped\"| n3\n  n1 -.-> n4\n  n2 --> \
             n1\n  n0 ~~~ n2\n"
        );
    }

    #[test]
    fn names_stay_text() {
        let text = mermaid(&hostile());
        for line in text.lines().filter(|line| line.contains('"')) {
            assert_eq!(line.matches('"').count(), 2, "{line}");
            let label = line.split('"').nth(1).unwrap();
            assert!(!label.replace("<br/>", "").contains(['<', '>', '`', '\\', '[', '|', '&', '_', '*']), "{line}");
        }
        assert!(text.contains("#60;/text#62;#60;script#62;alert"), "{text}");
        assert!(text.contains("[\"1#46; one\"]") && text.contains("[\"#45; two\"]"), "{text}");
        assert_eq!(text.lines().count(), 1 + hostile().nodes.len() + hostile().edges.len() + 1, "{text}");
    }
}
