//! Where a value of JavaScript decides, or one side of `a || b` is taken: written with tests and `c ? a : b`.

use super::super::operators::Binary;
use super::super::print::print;
use super::super::tree::{Kind, Node};
use super::{Given, MOST_NODES, Reader, helper, node};

impl Reader<'_> {
    /// A value where it decides.
    pub(super) fn truth(&mut self, n: &Node) -> Node {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return n.clone();
        }
        match &n.kind {
            Kind::All(parts) => {
                let parts = parts.iter().map(|part| self.truth(part)).collect();
                joined(parts, true)
            }
            Kind::Any(parts) => {
                let parts = parts.iter().map(|part| self.truth(part)).collect();
                joined(parts, false)
            }
            Kind::Not(inner) => not(self.truth(inner)),
            Kind::Choose(condition, yes, no) => {
                let (condition, yes, no) = (self.truth(condition), self.truth(yes), self.truth(no));
                choose(condition, yes, no)
            }
            _ => {
                let value = self.value(n);
                self.decides(n, value)
            }
        }
    }

    /// What says whether a value is as good as true; `n` is what it was written as.
    fn decides(&mut self, n: &Node, value: Node) -> Node {
        match (self.given(n), &value.kind) {
            (_, Kind::Text(text)) => node(Kind::Bool(!text.is_empty())),
            (_, Kind::Int(number)) => node(Kind::Bool(*number != 0)),
            (_, Kind::Float(number)) => node(Kind::Bool(*number != 0.0)),
            (_, Kind::List(_) | Kind::Map(_)) => node(Kind::Bool(true)),
            (_, Kind::Name(name)) if name == "state" || name == "params" => node(Kind::Bool(true)),
            (Given::Nothing, _) => node(Kind::Bool(false)),
            (Given::Truth, _) => value,
            (Given::Text, _) => not(helper("is_empty", value)),
            (Given::Number, Kind::Path(..)) if is_length(&value) => {
                node(Kind::Binary(Binary::Greater, Box::new(value), Box::new(node(Kind::Int(0)))))
            }
            (Given::Number, _) => {
                let zero = || Box::new(node(Kind::Int(0)));
                let number = node(Kind::Default(Box::new(value), zero()));
                node(Kind::Binary(Binary::NotEqual, Box::new(number), zero()))
            }
            (Given::Object | Given::Unknown, _) => {
                self.look(format!(
                    "`{}` decides by what JavaScript takes for true; here it has to be true or false: compare it",
                    print(n)
                ));
                value
            }
        }
    }

    /// A value where its value counts: `a || b` is one of the two.
    pub(super) fn value(&mut self, n: &Node) -> Node {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return n.clone();
        }
        let boxed = |reader: &mut Self, n: &Node| Box::new(reader.value(n));
        let list = |reader: &mut Self, items: &[Node]| items.iter().map(|item| reader.value(item)).collect();
        node(match &n.kind {
            Kind::All(parts) | Kind::Any(parts) => {
                let all = matches!(n.kind, Kind::All(_));
                if parts.iter().all(|part| self.given(part) == Given::Truth) {
                    return self.truth(n);
                }
                return self.one_of(parts, all);
            }
            Kind::Not(_) => return self.truth(n),
            Kind::Choose(condition, yes, no) => {
                let condition = self.truth(condition);
                return choose(condition, self.value(yes), self.value(no));
            }
            Kind::Default(a, b) => Kind::Default(boxed(self, a), boxed(self, b)),
            Kind::Negate(inner) => Kind::Negate(Box::new(self.number(inner))),
            Kind::Binary(op, a, b) => return self.binary(*op, a, b),
            Kind::Path(base, keys) => Kind::Path(boxed(self, base), keys.clone()),
            Kind::Index(base, index) => Kind::Index(boxed(self, base), boxed(self, index)),
            Kind::Helper(helper, arguments) => Kind::Helper(helper, list(self, arguments)),
            Kind::List(items) => Kind::List(list(self, items)),
            Kind::Map(entries) => {
                Kind::Map(entries.iter().map(|(key, value)| (key.clone(), self.value(value))).collect())
            }
            _ => return n.clone(),
        })
    }

    /// The first that decides, or the last: the value of a chain in JavaScript.
    fn one_of(&mut self, parts: &[Node], all: bool) -> Node {
        let Some((first, rest)) = parts.split_first() else { return node(Kind::Nothing) };
        if rest.is_empty() {
            return self.value(first);
        }
        let (condition, first, rest) = (self.truth(first), self.value(first), self.one_of(rest, all));
        if all { choose(condition, rest, first) } else { choose(condition, first, rest) }
    }
}

/// A chain without what decides nothing in it.
fn joined(parts: Vec<Node>, all: bool) -> Node {
    let idle = |part: &Node| matches!(part.kind, Kind::Bool(value) if value == all);
    let mut left: Vec<Node> = parts.into_iter().filter(|part| !idle(part)).collect();
    match (left.len(), all) {
        (0, all) => node(Kind::Bool(all)),
        (1, _) => left.remove(0),
        (_, true) => node(Kind::All(left)),
        (_, false) => node(Kind::Any(left)),
    }
}

fn not(n: Node) -> Node {
    match n.kind {
        Kind::Bool(value) => node(Kind::Bool(!value)),
        Kind::Not(inner) if inner.is_test() => *inner,
        kind => node(Kind::Not(Box::new(node(kind)))),
    }
}

fn choose(condition: Node, yes: Node, no: Node) -> Node {
    match condition.kind {
        Kind::Bool(true) => yes,
        Kind::Bool(false) => no,
        kind => node(Kind::Choose(Box::new(node(kind)), Box::new(yes), Box::new(no))),
    }
}

fn is_length(n: &Node) -> bool {
    matches!(&n.kind, Kind::Path(_, keys) if keys.last().is_some_and(|key| key == "length"))
}
