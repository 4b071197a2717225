//! A graph made ready for drawing: ways between the same steps are one, and `end` and `fail` are nodes where something
//! leads to them.

use pulse_core::api::WorkflowGraph;
use std::collections::HashMap;

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) nodes: Vec<Node>,
    pub(super) ways: Vec<Way>,
}

/// A step, or an end.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The step it stands in.
    pub(super) parent: Option<usize>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A step, with its type.
    Step(String),
    /// Where executions end well.
    End,
    /// Where they fail.
    Fail,
}

/// All ways from a node to another.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    /// When it is taken; without the empty ones.
    pub(super) labels: Vec<String>,
    pub(super) mood: Mood,
}

/// How a way looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// As all others.
    Plain,
    /// It is taken when time is over.
    Late,
    /// It is taken after a failure, or leads to one.
    Bad,
}

impl Picture {
    /// Reads a graph. Ways to steps that do not exist are left out: the definition's findings tell about them.
    pub(super) fn of(graph: &WorkflowGraph) -> Self {
        let mut picture = Self::default();
        let mut index: HashMap<&str, usize> = HashMap::new();
        for node in &graph.nodes {
            index.entry(node.id.as_str()).or_insert(picture.nodes.len());
            picture.nodes.push(Node {
                id: node.id.to_string(),
                name: node.name.clone(),
                kind: Kind::Step(node.kind.clone()),
                parent: None,
            });
        }
        for (position, node) in graph.nodes.iter().enumerate() {
            let parent = node.parent.as_ref().and_then(|parent| index.get(parent.as_str()).copied());
            picture.nodes[position].parent = parent.filter(|parent| *parent != position);
        }
        for (word, kind) in [("end", Kind::End), ("fail", Kind::Fail)] {
            if !index.contains_key(word) && graph.edges.iter().any(|edge| edge.to == word) {
                index.insert(word, picture.nodes.len());
                picture.nodes.push(Node { id: word.to_owned(), name: word.to_owned(), kind, parent: None });
            }
        }
        let mut known: HashMap<(usize, usize), usize> = HashMap::new();
        for edge in &graph.edges {
            let (Some(&from), Some(&to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) else {
                continue;
            };
            let way = *known.entry((from, to)).or_insert_with(|| {
                picture.ways.push(Way { from, to, labels: Vec::new(), mood: Mood::Plain });
                picture.ways.len() - 1
            });
            if !edge.label.trim().is_empty() {
                picture.ways[way].labels.push(edge.label.clone());
            }
        }
        for way in &mut picture.ways {
            way.mood = match way.labels.as_slice() {
                [only] if only == "error" => Mood::Bad,
                [only] if only == "timeout" => Mood::Late,
                _ if picture.nodes[way.to].kind == Kind::Fail => Mood::Bad,
                _ => Mood::Plain,
            };
        }
        picture
    }

    /// The nodes that stand directly in a step, or in none.
    pub(super) fn inside(&self, parent: Option<usize>) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.parent == parent)
    }
}
