//! The tree of a parsed expression. Positions are needed only while parsing, so the tree has none.

use super::names::Helper;
use super::operators::Binary;

/// One node and how deep the tree below it is.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub kind: Kind,
    pub depth: usize,
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

impl Node {
    pub fn leaf(kind: Kind) -> Self {
        Self { kind, depth: 1 }
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
