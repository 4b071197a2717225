//! Graphviz's DOT language (<https://graphviz.org/doc/info/lang.html>).

use super::picture::{Kind, Mood, Picture};
use super::text::short;
use pulse_core::api::WorkflowGraph;
use std::fmt::Write as _;

/// A graph in DOT, for `dot -Tsvg` and its kin; `title` is the graph's label.
pub fn dot(graph: &WorkflowGraph, title: &str) -> String {
    let picture = Picture::of(graph);
    let mut out = format!(
        "digraph workflow {{\n  label={};\n  node [shape=box, fontname=\"monospace\"];\n  edge \
         [fontname=\"monospace\", fontsize=10];\n",
        quoted(&[title])
    );
    nodes(&picture, None, 1, &mut out);
    for way in &picture.ways {
        let labels: Vec<String> = way.labels.iter().map(|label| short(label)).collect();
        let style = match way.mood {
            Mood::Plain => "",
            Mood::Late | Mood::Past => ", style=dashed",
            Mood::Bad => ", style=dashed, color=red",
        };
        let _ = writeln!(out, "  n{} -> n{} [label={}{style}];", way.from, way.to, quoted(&labels));
    }
    if let Some((upper, lower)) = picture.unreached() {
        let _ = writeln!(out, "  n{upper} -> n{lower} [style=invis];");
    }
    out.push_str("}\n");
    out
}

fn nodes(picture: &Picture, parent: Option<usize>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (index, node) in picture.inside(parent) {
        let name = short(&node.name);
        let (shape, second) = match &node.kind {
            Kind::End | Kind::Finally => ("oval", None),
            Kind::Fail | Kind::OnFailure => ("oval, color=red", None),
            Kind::Step(kind) => {
                let shape = match kind.as_str() {
                    "route" => "diamond",
                    "prompt" => "parallelogram",
                    "parallel" | "foreach" | "workflow" => "box3d",
                    _ => "box",
                };
                (shape, Some(kind.as_str()))
            }
        };
        let note = node.note.as_ref().map(|note| short(note));
        let lines: Vec<&str> = [name.as_str()].into_iter().chain(second).chain(note.as_deref()).collect();
        let _ = writeln!(out, "{indent}n{index} [label={}, shape={shape}];", quoted(&lines));
        if picture.inside(Some(index)).next().is_some() {
            let _ = writeln!(out, "{indent}subgraph cluster_{index} {{\n{indent}  label={};", quoted(&[&name]));
            nodes(picture, Some(index), depth + 1, out);
            let _ = writeln!(out, "{indent}}}");
        }
    }
}

/// Lines as one quoted string. In it only `"` and `\` mean something; labels replace `\N` and the like, so each
/// backslash is doubled.
fn quoted<S: AsRef<str>>(lines: &[S]) -> String {
    let escape = |line: &S| pulse_core::text::one_line(line.as_ref()).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(escape).collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hostile, plain};
    use super::*;

    #[test]
    fn graphs() {
        let text = dot(&plain(), "demo");
        assert!(text.starts_with("digraph workflow {\n  label=\"demo\";\n"), "{text}");
        assert!(text.contains("  n0 [label=\"Check\\nexecute\", shape=box];\n"), "{text}");
        assert!(text.contains("  n2 -> n3 [label=\"Yes\\nNo\"];\n"), "{text}");
        assert!(text.contains("  n0 -> n4 [label=\"error\", style=dashed, color=red];\n"), "{text}");
    }

    #[test]
    fn lists_conditions_and_what_nothing_leads_to() {
        let definition = "steps: [{id: a, run: x, condition: state.x > 1}]\non_failure: [{id: b, run: x}]\n";
        let text = dot(&crate::graph(&crate::load(definition).workflow.unwrap()), "demo");
        assert!(text.contains("  n0 [label=\"a\\nexecute\\nif state.x > 1\", shape=box];\n"), "{text}");
        assert!(text.contains("  n2 [label=\"on_failure\\nthe steps failed, or were aborted\", shape=oval"), "{text}");
        assert!(text.contains("  n0 -> n2 [style=invis];\n"), "{text}");
    }

    #[test]
    fn names_stay_text() {
        let text = dot(&hostile(), "\"]; n0 -> n0 [label=\"\\");
        assert!(text.contains("label=\"\\\"]; n0 -> n0 [label=\\\"\\\\\";\n"), "{text}");
        // Read as the DOT grammar reads strings: nothing is left open, and nothing of a name is outside of one.
        let (mut inside, mut escaped, mut outside) = (false, false, String::new());
        for c in text.chars() {
            match c {
                _ if std::mem::take(&mut escaped) => {}
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                c if !inside => outside.push(c),
                _ => {}
            }
        }
        assert!(!inside && !outside.contains("script") && !outside.contains('<'), "{outside}");
    }
}
