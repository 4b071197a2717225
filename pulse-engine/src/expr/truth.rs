//! What can be told of an expression without evaluating it: parts that decide and are neither true nor false, and
//! comparisons of a name with something fixed.

use super::compiled::Expr;
use super::operators::Binary;
use super::tree::{Kind, Node};
use super::value::{Text, Val};
use super::{compare, names, number};
use serde_json::Value;
use std::ops::Range;

/// What kind of value something gives, where it gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Number,
    Text,
    List,
    Map,
}

/// `name == literal`, `name != literal` or `name in [literal, …]`.
#[derive(Debug)]
pub(crate) struct Comparison<'e> {
    /// Its place in the source, in bytes.
    pub span: Range<usize>,
    pub root: &'e str,
    pub path: &'e [String],
    /// It is `!=`.
    pub differs: bool,
    pub with: Vec<Value>,
}

impl Expr {
    /// Parts that decide something and are surely neither true nor false where they have a value, with their places and what
    /// they are. `decides` says that the whole does; `type_of` knows what names give.
    pub(crate) fn undecided(
        &self,
        decides: bool,
        type_of: &dyn Fn(&str, &[String]) -> Option<Type>,
    ) -> Vec<(Range<usize>, Type)> {
        let mut found = Vec::new();
        let look = Look { type_of };
        look.inside(self.tree(), &mut found);
        if decides {
            look.decider(self.tree(), &mut found);
        }
        found.sort_by_key(|(span, _)| span.start);
        found
    }

    /// It says somewhere what counts when something is missing.
    pub(crate) fn looks_for_missing(&self) -> bool {
        let mut open = vec![self.tree()];
        while let Some(node) = open.pop() {
            let looks = match &node.kind {
                Kind::Default(..) | Kind::Nothing => true,
                Kind::Helper(helper, _) => helper.native == "is_empty",
                _ => false,
            };
            if looks {
                return true;
            }
            open.extend(node.below());
        }
        false
    }

    /// What it surely gives, where it gives a value.
    pub(crate) fn gives(&self, type_of: &dyn Fn(&str, &[String]) -> Option<Type>) -> Option<Type> {
        Look { type_of }.kind(self.tree())
    }

    /// Its comparisons of a name with something fixed.
    pub(crate) fn comparisons(&self) -> Vec<Comparison<'_>> {
        let mut found = Vec::new();
        let mut open = vec![self.tree()];
        while let Some(node) = open.pop() {
            found.extend(comparison(node));
            open.extend(node.below());
        }
        found.sort_by_key(|comparison| comparison.span.start);
        found
    }
}

impl Expr {
    /// Its parts that are always the same, or fail, whatever their names stand for: places, and what they are. What has no
    /// names at all is not among them.
    pub(crate) fn fixed(&self) -> Vec<(Range<usize>, bool)> {
        let mut found = Vec::new();
        let mut open = vec![self.tree()];
        while let Some(node) = open.pop() {
            if let Some(always) = fixed(node).filter(|_| has_name(node)) {
                found.push((node.span.clone(), always));
            }
            open.extend(node.below());
        }
        found.sort_by_key(|(span, _)| span.start);
        found
    }
}

fn fixed(node: &Node) -> Option<bool> {
    match &node.kind {
        Kind::Any(parts) if parts.iter().any(|part| matches!(part.kind, Kind::Bool(true))) => Some(true),
        Kind::All(parts) if parts.iter().any(|part| matches!(part.kind, Kind::Bool(false))) => Some(false),
        Kind::Binary(how @ (Binary::Equal | Binary::NotEqual | Binary::Less | Binary::Greater), a, b) => {
            // The same tree, however it is written.
            (is_name(a) && format!("{a:?}") == format!("{b:?}")).then_some(*how == Binary::Equal)
        }
        _ => None,
    }
}

/// A name, or a property of one.
fn is_name(node: &Node) -> bool {
    match &node.kind {
        Kind::Name(_) => true,
        Kind::Path(base, _) => is_name(base),
        _ => false,
    }
}

fn has_name(node: &Node) -> bool {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if matches!(node.kind, Kind::Name(_)) {
            return true;
        }
        open.extend(node.below());
    }
    false
}

/// Whether two values are equal as expressions compare them.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    let value = |json: &Value| match json {
        Value::Bool(b) => Val::Bool(*b),
        Value::Number(n) => n.as_i64().map_or_else(|| n.as_f64().map_or(Val::Nothing, Val::Float), Val::Int),
        Value::String(text) => Val::Text(Text::Own(text.into())),
        _ => Val::Nothing,
    };
    compare::same(&value(a), &value(b), 0).unwrap_or(false)
}

/// Whether expressions take a text for a number.
pub(crate) fn is_number(text: &str) -> bool {
    number::parse_number(text).is_some()
}

struct Look<'a> {
    type_of: &'a dyn Fn(&str, &[String]) -> Option<Type>,
}

impl Look<'_> {
    /// Parts that decide, anywhere below a node.
    fn inside(&self, node: &Node, found: &mut Vec<(Range<usize>, Type)>) {
        match &node.kind {
            Kind::Not(part) => self.decider(part, found),
            Kind::All(parts) | Kind::Any(parts) => parts.iter().for_each(|part| self.decider(part, found)),
            Kind::Choose(condition, ..) => self.decider(condition, found),
            _ => {}
        }
        node.below().into_iter().for_each(|part| self.inside(part, found));
    }

    /// A part that decides: where it gives one of several values, each of them does.
    fn decider(&self, node: &Node, found: &mut Vec<(Range<usize>, Type)>) {
        match &node.kind {
            Kind::Choose(_, a, b) | Kind::Default(a, b) => {
                [a, b].into_iter().for_each(|part| self.decider(part, found))
            }
            _ => found.extend(self.kind(node).filter(|kind| *kind != Type::Bool).map(|kind| (node.span.clone(), kind))),
        }
    }

    fn kind(&self, node: &Node) -> Option<Type> {
        Some(match &node.kind {
            _ if node.is_test() => Type::Bool,
            Kind::Int(_) | Kind::Float(_) | Kind::Negate(_) | Kind::Now => Type::Number,
            Kind::Text(_) => Type::Text,
            Kind::List(_) => Type::List,
            Kind::Map(_) => Type::Map,
            Kind::Name(name) => (self.type_of)(name, &[])?,
            Kind::Path(base, keys) => {
                let Kind::Name(root) = &base.kind else { return None };
                let below = keys.len() > 1 || !names::ROOTS.contains(&root.as_str());
                match keys.last() {
                    Some(last) if last == "length" && below => Type::Number,
                    _ => (self.type_of)(root, keys)?,
                }
            }
            Kind::Helper(helper, _) => match helper.native {
                "int" | "float" | "number" | "parse_int" | "parse_float" | "len" => Type::Number,
                "text" | "trim" | "lower" | "upper" | "join" => Type::Text,
                "split" | "keys" | "values" => Type::List,
                _ => return None,
            },
            Kind::Binary(Binary::Add, a, b) => {
                let sides = [self.kind(a)?, self.kind(b)?];
                if sides.contains(&Type::Text) { Type::Text } else { Type::Number }
            }
            Kind::Binary(..) => Type::Number,
            _ => return None,
        })
    }
}

fn comparison(node: &Node) -> Option<Comparison<'_>> {
    let Kind::Binary(op, a, b) = &node.kind else { return None };
    let (named, with) = match op {
        Binary::Equal | Binary::NotEqual => match (literal(a), literal(b)) {
            (None, Some(with)) => (a, vec![with]),
            (Some(with), None) => (b, vec![with]),
            _ => return None,
        },
        Binary::In => match &b.kind {
            Kind::List(items) if !items.is_empty() => (a, items.iter().map(literal).collect::<Option<_>>()?),
            _ => return None,
        },
        _ => return None,
    };
    let (root, path) = match &named.kind {
        Kind::Name(root) => (root, &[][..]),
        Kind::Path(base, keys) => match &base.kind {
            Kind::Name(root) => (root, &keys[..]),
            _ => return None,
        },
        _ => return None,
    };
    Some(Comparison { span: node.span.clone(), root, path, differs: *op == Binary::NotEqual, with })
}

/// A value that is written out; not `()`, which everything may be.
fn literal(node: &Node) -> Option<Value> {
    Some(match &node.kind {
        Kind::Bool(value) => Value::Bool(*value),
        Kind::Int(value) => Value::from(*value),
        Kind::Float(value) => Value::from(*value),
        Kind::Text(text) => Value::from(text.as_str()),
        _ => return None,
    })
}
