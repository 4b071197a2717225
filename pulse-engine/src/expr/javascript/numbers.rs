//! Where JavaScript made numbers of texts: in arithmetic, and where a text is compared with a number. An empty text was 0.

use super::super::operators::Binary;
use super::super::print::print;
use super::super::tree::{Kind, Node};
use super::{Given, Reader, helper, node};

impl Reader<'_> {
    /// Both sides of an operator, with numbers made of texts where JavaScript did so and nothing here does.
    pub(super) fn binary(&mut self, op: Binary, a: &Node, b: &Node) -> Node {
        let sides = |a, b| node(Kind::Binary(op, Box::new(a), Box::new(b)));
        match op {
            Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder | Binary::Power => {
                sides(self.number(a), self.number(b))
            }
            Binary::Less | Binary::LessEqual if self.is_zero_near(a, b, op) => sides(self.number(a), self.value(b)),
            Binary::Greater | Binary::GreaterEqual if self.is_zero_near(b, a, op) => {
                sides(self.value(a), self.number(b))
            }
            Binary::LessEqual | Binary::Less if self.is_zero_far(b, a, op) => sides(self.value(a), self.number(b)),
            Binary::GreaterEqual | Binary::Greater if self.is_zero_far(a, b, op) => {
                sides(self.number(a), self.value(b))
            }
            Binary::Equal | Binary::NotEqual if !self.is_strict(a, b) => {
                let text = match (self.given(a), self.given(b)) {
                    (Given::Text, Given::Number) if constant(b) == Some(0.0) => a,
                    (Given::Number, Given::Text) if constant(a) == Some(0.0) => b,
                    _ => return sides(self.value(a), self.value(b)),
                };
                let empty = Box::new(node(Kind::Text(String::new())));
                let empty = node(Kind::Binary(op, Box::new(self.value(text)), empty));
                let parts = vec![sides(self.value(a), self.value(b)), empty];
                node(if op == Binary::Equal { Kind::Any(parts) } else { Kind::All(parts) })
            }
            _ => sides(self.value(a), self.value(b)),
        }
    }

    /// A value where JavaScript made a number of it.
    pub(super) fn number(&mut self, n: &Node) -> Node {
        let value = self.value(n);
        if self.given(n) == Given::Text { helper("number", value) } else { value }
    }

    /// A text is to be below a number: 0 may be.
    fn is_zero_near(&self, text: &Node, number: &Node, op: Binary) -> bool {
        let or_equal = matches!(op, Binary::LessEqual | Binary::GreaterEqual);
        self.is_pair(text, number) && constant(number).is_none_or(|number| number > 0.0 || (or_equal && number == 0.0))
    }

    /// A text is to be above a number: 0 is above what is known.
    fn is_zero_far(&self, text: &Node, number: &Node, op: Binary) -> bool {
        let or_equal = matches!(op, Binary::LessEqual | Binary::GreaterEqual);
        self.is_pair(text, number) && constant(number).is_some_and(|number| number < 0.0 || (or_equal && number == 0.0))
    }

    fn is_pair(&self, text: &Node, number: &Node) -> bool {
        self.given(text) == Given::Text && self.given(number) == Given::Number
    }

    /// Tells of a text that is compared with a number by `===`: the two were never the same.
    pub(super) fn strict(&mut self, op: Binary, a: &Node, b: &Node) {
        let (always, sign) = match op {
            Binary::Equal => ("never true", "==="),
            Binary::NotEqual => ("always true", "!=="),
            _ => return,
        };
        let apart =
            matches!((self.given(a), self.given(b)), (Given::Text, Given::Number) | (Given::Number, Given::Text));
        if apart && self.is_strict(a, b) {
            self.look(format!(
                "`{} {sign} {}` was {always} in the first PULSE, as a text is no number there; here a text that is that \
                 number counts as it",
                print(a),
                print(b)
            ));
        }
    }

    /// Whether the sign between two sides has three characters.
    fn is_strict(&self, a: &Node, b: &Node) -> bool {
        let between = self.source.get(a.span.end..b.span.start).unwrap_or_default();
        between.contains("===") || between.contains("!==")
    }
}

/// A number that is written out.
fn constant(n: &Node) -> Option<f64> {
    match &n.kind {
        Kind::Int(number) => Some(*number as f64),
        Kind::Float(number) => Some(*number),
        Kind::Negate(inner) => constant(inner).map(|number| -number),
        _ => None,
    }
}
