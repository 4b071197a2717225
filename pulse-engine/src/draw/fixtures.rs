//! Graphs for the tests of drawing.

use pulse_core::api::{GraphEdge, GraphList, GraphNode, GraphWay, WorkflowGraph};

/// A graph from its nodes (id, name, type) and edges (from, to, label).
pub(super) fn graph(nodes: &[(&str, &str, &str)], edges: &[(&str, &str, &str)]) -> WorkflowGraph {
    let node = |(id, name, kind): &(&str, &str, &str)| GraphNode {
        id: (*id).into(),
        name: (*name).to_owned(),
        kind: (*kind).to_owned(),
        parent: None,
        list: GraphList::Steps,
        condition: None,
    };
    let edge = |(from, to, label): &(&str, &str, &str)| GraphEdge {
        from: (*from).into(),
        to: (*to).to_owned(),
        label: (*label).to_owned(),
        kind: match *label {
            "" => GraphWay::Next,
            "error" => GraphWay::Error,
            "timeout" => GraphWay::Timeout,
            _ => GraphWay::Choice,
        },
    };
    WorkflowGraph { nodes: nodes.iter().map(node).collect(), edges: edges.iter().map(edge).collect() }
}

/// A usual workflow.
pub(super) fn plain() -> WorkflowGraph {
    graph(
        &[("check", "Check", "execute"), ("decide", "Full or not", "route"), ("ask", "Clean up?", "prompt")],
        &[
            ("check", "decide", ""),
            ("check", "fail", "error"),
            ("decide", "ask", "state.pct > 80"),
            ("decide", "end", "default"),
            ("ask", "end", "Yes"),
            ("ask", "end", "No"),
            ("ask", "check", "timeout"),
            ("ask", "nowhere", "x"),
        ],
    )
}

/// Names that would rather be markup.
pub(super) fn hostile() -> WorkflowGraph {
    graph(
        &[
            ("a", "</text><script>alert(1)</script>", "execute"),
            ("b", "\"]; click a \"javascript:alert(1)\" & <b>`x`</b>", "execute"),
            ("c", "1. one", "execute"),
            ("d", "- two", "execute"),
            ("e", "end\n  n0 --> n0\u{0}\u{b} \\", "execute"),
            ("f", "]]> --> <!-- __init__ **bold**", "no<type>"),
        ],
        &[
            ("a", "b", "\"|<script>|\""),
            ("b", "c", "' onload='alert(1)"),
            ("c", "d", "&lt;script&gt;"),
            ("d", "e", "#quot;"),
            ("e", "f", "%%{init}%%"),
            ("f", "end", "x"),
        ],
    )
}
