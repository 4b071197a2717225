//! A graph made ready for drawing: ways between the same steps are one, `end` and `fail` are nodes where something leads
//! to them, and `on_failure` and `finally` are joined as they run.
//!
//! ```text
//! steps ──▶ end                                  without either
//! steps ──▶ finally ──▶ … ──▶ end                and what leads to `fail` does so, too
//! steps ──▶ end    on_failure ──▶ … ──▶ fail     on_failure when the main steps failed or were aborted
//! ```

use pulse_core::api::{GraphEdge, GraphList, GraphNode, GraphWay, WorkflowGraph};
use std::collections::HashMap;

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) nodes: Vec<Node>,
    pub(super) ways: Vec<Way>,
    /// Nodes that stand below others though no way leads there: from a higher one to a lower one.
    pub(super) below: Vec<(usize, usize)>,
}

/// A step, or an end.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What more is said of it: its condition, or when it is come to.
    pub(super) note: Option<String>,
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
    /// Where `on_failure` begins.
    OnFailure,
    /// Where `finally` begins.
    Finally,
}

/// All ways from a node to another.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    /// When it is taken; nothing when it always is.
    pub(super) labels: Vec<String>,
    pub(super) mood: Mood,
    /// Why it is taken, in the order of the document.
    kinds: Vec<GraphWay>,
}

impl Way {
    fn new(from: usize, to: usize) -> Self {
        Self { from, to, labels: Vec::new(), mood: Mood::Plain, kinds: Vec::new() }
    }

    fn add(&mut self, kind: GraphWay, label: &str) {
        self.kinds.push(kind);
        if !label.is_empty() {
            self.labels.push(label.to_owned());
        }
    }

    /// Once everything is added: the look that goes with it.
    fn finish(&mut self) {
        let all = |kinds: &[GraphWay]| !self.kinds.is_empty() && self.kinds.iter().all(|kind| kinds.contains(kind));
        self.mood = match () {
            () if all(&[GraphWay::Timeout]) => Mood::Late,
            () if all(&[GraphWay::Skipped]) => Mood::Past,
            () if all(&[GraphWay::Error, GraphWay::Skipped, GraphWay::Timeout]) => Mood::Bad,
            () => Mood::Plain,
        };
        // It is the usual way as well.
        if self.kinds.contains(&GraphWay::Next) {
            self.labels.iter_mut().for_each(|label| *label = format!("or {label}"));
        }
    }
}

/// How a way looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// As all others.
    Plain,
    /// It is taken when time is over.
    Late,
    /// It leads past a step that is skipped.
    Past,
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
                note: node.condition.as_ref().map(|condition| format!("if {condition}")),
                parent: None,
            });
        }
        for (position, node) in graph.nodes.iter().enumerate() {
            let parent = node.parent.as_ref().and_then(|parent| index.get(parent.as_str()).copied());
            picture.nodes[position].parent = parent.filter(|parent| *parent != position);
        }
        let lists: HashMap<&str, GraphList> = graph.nodes.iter().map(|node| (node.id.as_str(), node.list)).collect();
        let mut ends = Ends::of(graph, &mut picture);
        let list_of = |edge: &GraphEdge| lists.get(edge.from.as_str()).copied().unwrap_or_default();
        for word in ["end", "fail"] {
            for edge in graph.edges.iter().filter(|edge| edge.to == word && !index.contains_key(word)) {
                ends.of_list(list_of(edge), word, &mut picture);
            }
        }
        let mut known: HashMap<(usize, usize), usize> = HashMap::new();
        for edge in &graph.edges {
            let Some(&from) = index.get(edge.from.as_str()) else { continue };
            let to = match index.get(edge.to.as_str()) {
                Some(&to) => to,
                None => {
                    let Some(to) = ends.of_list(list_of(edge), &edge.to, &mut picture) else { continue };
                    to
                }
            };
            let way = *known.entry((from, to)).or_insert_with(|| {
                picture.ways.push(Way::new(from, to));
                picture.ways.len() - 1
            });
            match (edge.label.trim(), &picture.nodes[to].kind) {
                ("", Kind::Finally) if edge.to == "fail" => picture.ways[way].add(GraphWay::Error, "fails"),
                (label, _) => picture.ways[way].add(edge.kind, label),
            }
        }
        ends.join(graph, &mut picture);
        for way in &mut picture.ways {
            way.finish();
            if way.mood == Mood::Plain && matches!(picture.nodes[way.to].kind, Kind::Fail | Kind::OnFailure) {
                way.mood = Mood::Bad;
            }
        }
        picture
    }

    fn add(&mut self, name: &str, kind: Kind, note: Option<&str>) -> usize {
        let (id, name, note) = (name.to_owned(), name.to_owned(), note.map(str::to_owned));
        self.nodes.push(Node { id, name, kind, note, parent: None });
        self.nodes.len() - 1
    }

    /// What nothing leads to, and a node that it stands below.
    pub(super) fn unreached(&self) -> Option<(usize, usize)> {
        let (upper, lower) = *self.below.last()?;
        (!self.ways.iter().any(|way| way.to == lower)).then_some((upper, lower))
    }

    /// The nodes that stand directly in a step, or in none.
    pub(super) fn inside(&self, parent: Option<usize>) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.parent == parent)
    }
}

/// The nodes at which lists end, made where something leads to them.
#[derive(Default)]
struct Ends {
    end: Option<usize>,
    fail: Option<usize>,
    on_failure: Option<usize>,
    finally: Option<usize>,
}

impl Ends {
    /// Those where the lists after the main steps begin.
    fn of(graph: &WorkflowGraph, picture: &mut Picture) -> Self {
        let has = |list| graph.nodes.iter().any(|node| node.list == list);
        let mut ends = Self::default();
        if has(GraphList::OnFailure) {
            let note = "the steps failed, or were aborted";
            ends.on_failure = Some(picture.add("on_failure", Kind::OnFailure, Some(note)));
        }
        if has(GraphList::Finally) {
            ends.finally = Some(picture.add("finally", Kind::Finally, Some("always, last")));
        }
        ends
    }

    /// Where `end` or `fail` of a list leads.
    fn of_list(&mut self, list: GraphList, word: &str, picture: &mut Picture) -> Option<usize> {
        let fails = match word {
            "end" => false,
            "fail" => true,
            _ => return None,
        };
        let next = match list {
            GraphList::Steps if fails => self.on_failure.or(self.finally),
            GraphList::Steps | GraphList::OnFailure => self.finally,
            GraphList::Finally => None,
        };
        Some(match next {
            Some(next) => next,
            None if fails || list == GraphList::OnFailure => {
                *self.fail.get_or_insert_with(|| picture.add("fail", Kind::Fail, None))
            }
            None => {
                let note = self.finally.map(|_| "completed, failed or aborted");
                *self.end.get_or_insert_with(|| picture.add("end", Kind::End, note))
            }
        })
    }

    /// Joins the beginnings of lists with their first steps. Any of the main steps may fail, and no line is drawn for that:
    /// `on_failure` stands below all of them.
    fn join(&self, graph: &WorkflowGraph, picture: &mut Picture) {
        let top = |list| {
            let of_list = move |(_, node): &(usize, &GraphNode)| node.list == list && node.parent.is_none();
            graph.nodes.iter().enumerate().filter(of_list).map(|(index, _)| index)
        };
        for (begin, list) in [(self.on_failure, GraphList::OnFailure), (self.finally, GraphList::Finally)] {
            let (Some(begin), Some(first)) = (begin, top(list).next()) else { continue };
            picture.ways.push(Way::new(begin, first));
        }
        if let Some(on_failure) = self.on_failure {
            picture.below.extend(top(GraphList::Steps).map(|step| (step, on_failure)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ways of a definition's picture, as `from -> to: labels (mood)`.
    fn ways(definition: &str) -> Vec<String> {
        let loaded = crate::load(definition);
        let workflow = loaded.workflow.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let picture = Picture::of(&crate::graph(&workflow));
        let told = |way: &Way| {
            let (from, to) = (&picture.nodes[way.from].name, &picture.nodes[way.to].name);
            format!("{from} -> {to}: {} ({:?})", way.labels.join(", "), way.mood)
        };
        picture.ways.iter().map(told).collect()
    }

    #[test]
    fn lists_are_joined_as_they_run() {
        let main = "steps: [{id: a, run: x, on_error: b, goto: end}, {id: b, run: x, goto: fail}]\n";
        let on_failure = "on_failure: [{id: c, run: x}]\n";
        let finally = "finally: [{id: d, run: x, on_error: e, goto: fail}, {id: e, run: x}]\n";
        assert_eq!(ways(main), ["a -> end:  (Plain)", "a -> b: error (Bad)", "b -> fail:  (Bad)"]);
        assert_eq!(
            ways(&format!("{main}{on_failure}")),
            [
                "a -> end:  (Plain)",
                "a -> b: error (Bad)",
                "b -> on_failure:  (Bad)",
                "c -> fail:  (Bad)",
                "on_failure -> c:  (Plain)",
            ]
        );
        let last = ["d -> fail:  (Bad)", "d -> e: error (Bad)", "e -> end:  (Plain)"];
        let found = ways(&format!("{main}{finally}"));
        assert_eq!(found[..3], ["a -> finally:  (Plain)", "a -> b: error (Bad)", "b -> finally: fails (Bad)"]);
        assert_eq!(found[3..6], last);
        assert_eq!(found[6..], ["finally -> d:  (Plain)"]);
        let found = ways(&format!("{main}{on_failure}{finally}"));
        assert_eq!(found[2..4], ["b -> on_failure:  (Bad)", "c -> finally:  (Plain)"]);
        assert_eq!(found[4..7], last);
        assert_eq!(found[7..], ["on_failure -> c:  (Plain)", "finally -> d:  (Plain)"]);
    }

    #[test]
    fn what_nothing_leads_to_stands_below() {
        let picture = |main: &str| {
            let loaded = crate::load(&format!("steps: [{main}]\non_failure: [{{id: z, run: x}}]"));
            Picture::of(&crate::graph(&loaded.workflow.unwrap()))
        };
        let below = picture("{id: a, run: x}, {id: b, run: x}");
        let (upper, lower) = below.unreached().unwrap();
        assert_eq!((below.nodes[upper].name.as_str(), below.nodes[lower].name.as_str()), ("b", "on_failure"));
        assert_eq!(picture("{id: a, run: x, goto: fail}").unreached(), None);
    }

    #[test]
    fn conditions_errors_and_jumps_are_told_apart() {
        assert_eq!(
            ways(
                "steps:\n\
                 - {id: a, run: x, condition: state.x > 1, on_error: continue}\n\
                 - {id: b, run: x, condition: state.x > 1, goto: d}\n\
                 - {id: c, run: x, on_error: d}\n\
                 - {id: d, message: '?', options: [y, n], routes: {y: end, n: a}, on_timeout: y}\n"
            ),
            [
                "a -> b: or error, or skipped (Plain)",
                "b -> d:  (Plain)",
                "b -> c: skipped (Past)",
                "c -> d: or error (Plain)",
                "d -> end: y, timeout (Plain)",
                "d -> a: n (Plain)",
            ]
        );
        assert_eq!(
            ways("steps: [{id: a, items: [1], steps: [{id: b, run: x, on_error: c, goto: fail}, {id: c, run: x}]}]"),
            [
                "a -> end:  (Plain)",
                "a -> b: each (Plain)",
                "b -> a: fails (Bad)",
                "b -> c: error (Bad)",
                "c -> a:  (Plain)",
            ]
        );
    }
}
