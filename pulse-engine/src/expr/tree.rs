//! The tree of a parsed expression.

use super::names::Helper;
use super::operators::Binary;
use std::fmt;
use std::ops::Range;

/// One node, how deep the tree below it is, and the bytes of the source it came from.
#[derive(Clone)]
pub(super) struct Node {
    pub kind: Kind,
    pub depth: usize,
    pub span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// A root or, in a template, a bare name.
    Name(String),
    /// `base.a.b`: properties known when compiling.
    Path(Box<Node>, Vec<String>),
    /// `base[index]` with a computed index.
    Index(Box<Node>, Box<Node>),
    Helper(&'static Helper, Vec<Node>),
    Now,
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    /// A chain of `&&`.
    All(Vec<Node>),
    /// A chain of `||`.
    Any(Vec<Node>),
    /// `a ?? b`.
    Default(Box<Node>, Box<Node>),
    /// `c ? a : b`.
    Choose(Box<Node>, Box<Node>, Box<Node>),
}

/// Without the place: what is written in another way is the same tree.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("kind", &self.kind).field("depth", &self.depth).finish_non_exhaustive()
    }
}

impl Node {
    pub fn leaf(kind: Kind) -> Self {
        Self { kind, depth: 1, span: 0..0 }
    }

    /// The nodes directly below it.
    pub fn below(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Nothing
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::Text(_)
            | Kind::Name(_)
            | Kind::Now => Vec::new(),
            Kind::List(parts) | Kind::Helper(_, parts) | Kind::All(parts) | Kind::Any(parts) => parts.iter().collect(),
            Kind::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
            Kind::Path(part, _) | Kind::Not(part) | Kind::Negate(part) => vec![part],
            Kind::Index(a, b) | Kind::Binary(_, a, b) | Kind::Default(a, b) => vec![a, b],
            Kind::Choose(a, b, c) => vec![a, b, c],
        }
    }

    /// It can give nothing but true or false.
    pub fn is_test(&self) -> bool {
        match &self.kind {
            Kind::Bool(_) | Kind::Not(_) | Kind::All(_) | Kind::Any(_) => true,
            Kind::Binary(op, ..) => op.is_test(),
            Kind::Helper(helper, _) => helper.is_test,
            _ => false,
        }
    }
}
