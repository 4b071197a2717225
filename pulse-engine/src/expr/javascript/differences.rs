//! Where something that is missing, or no number, makes a condition go another way than it did in JavaScript.

use super::super::names::Helper;
use super::super::operators::Binary;
use super::super::print::print;
use super::super::tree::{Kind, Node};
use super::{Given, Reader, node};

impl Reader<'_> {
    /// Tells where something that is missing or no number goes another way than in JavaScript: there a property of
    /// nothing failed the whole condition, which was false then, and a comparison with a text that is no number was
    /// false; here it is the other way about. `calm` is a place where both come to the same, as false there makes all
    /// of it false; `there` is what cannot be missing.
    pub(super) fn differences(&mut self, n: &Node, calm: bool, there: &[String]) {
        match &n.kind {
            Kind::All(parts) => {
                let mut there = there.to_vec();
                for part in parts {
                    self.differences(part, calm, &there);
                    there.extend(proven(part, true));
                }
            }
            Kind::Any(parts) => {
                let mut there = there.to_vec();
                for (i, part) in parts.iter().enumerate() {
                    self.differences(part, calm && i + 1 == parts.len(), &there);
                    there.extend(proven(part, false));
                }
            }
            Kind::Not(inner) => self.differences(inner, false, there),
            Kind::Choose(condition, yes, no) => {
                self.differences(condition, false, there);
                self.differences(yes, calm, &[there, &proven(condition, true)].concat());
                self.differences(no, calm, &[there, &proven(condition, false)].concat());
            }
            Kind::Default(a, b) => {
                self.differences(a, false, there);
                self.differences(b, calm, there);
            }
            Kind::Binary(op, a, b) => {
                let nothing = [a, b].iter().any(|side| matches!(side.kind, Kind::Nothing));
                let calm = calm && *op != Binary::NotEqual && !nothing;
                match op {
                    Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                        self.ordering(a, b, calm);
                    }
                    Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder | Binary::Power => {
                        [a, b].into_iter().for_each(|side| self.no_number(side, calm));
                    }
                    _ => {}
                }
                self.strict(*op, a, b);
                [a, b].into_iter().for_each(|side| self.differences(side, calm, there));
            }
            Kind::Path(base, keys) => {
                match (&base.kind, keys.split_first()) {
                    (Kind::Name(root), Some((field, [_, ..]))) if root == "state" => {
                        let field = node(Kind::Path(base.clone(), vec![field.clone()]));
                        self.missing(&field, calm, there);
                    }
                    _ => self.missing(base, calm, there),
                }
                self.differences(base, calm, there);
            }
            Kind::Helper(helper, arguments) => {
                if reads_numbers(helper) {
                    arguments.iter().take(1).for_each(|subject| self.no_number(subject, calm));
                } else if helper.native != "text" {
                    arguments.iter().take(1).for_each(|subject| self.missing(subject, calm, there));
                }
                arguments.iter().for_each(|argument| self.differences(argument, calm, there));
            }
            Kind::Negate(inner) => {
                self.no_number(inner, calm);
                self.differences(inner, calm, there);
            }
            Kind::Index(base, index) => [base, index].into_iter().for_each(|n| self.differences(n, calm, there)),
            Kind::List(items) => items.iter().for_each(|item| self.differences(item, calm, there)),
            Kind::Map(entries) => entries.iter().for_each(|(_, value)| self.differences(value, calm, there)),
            _ => {}
        }
    }

    /// A property or a method of something that may be missing.
    fn missing(&mut self, subject: &Node, calm: bool, there: &[String]) {
        let text = print(subject);
        if !calm && !self.optional && comes_from_output(subject) && !there.contains(&text) {
            self.look(format!(
                "where `{text}` is missing, the whole condition was false in the first PULSE; here the rest of it counts"
            ));
        }
    }

    /// A number is made of a text.
    fn no_number(&mut self, subject: &Node, calm: bool) {
        if !calm && comes_from_output(subject) {
            self.look(format!(
                "where `{}` is no number, only what compares it was false in the first PULSE; here all of the condition is",
                print(subject)
            ));
        }
    }

    fn ordering(&mut self, a: &Node, b: &Node, calm: bool) {
        match (self.given(a), self.given(b)) {
            (Given::Text, Given::Number) => self.no_number(a, calm),
            (Given::Number, Given::Text) => self.no_number(b, calm),
            (Given::Text, Given::Unknown) if is_param(b) => self.text_order(b),
            (Given::Unknown, Given::Text) if is_param(a) => self.text_order(a),
            _ => {}
        }
    }

    fn text_order(&mut self, param: &Node) {
        self.look(format!(
            "`{}` has a number for its default and no type, so that it is a text here: with `type: number` it is \
             compared as a number",
            print(param)
        ));
    }
}

fn reads_numbers(helper: &Helper) -> bool {
    matches!(helper.native, "int" | "float" | "number" | "parse_int" | "parse_float")
}

fn is_param(n: &Node) -> bool {
    matches!(&n.kind, Kind::Path(base, _) if matches!(&base.kind, Kind::Name(root) if root == "params"))
}

/// It is a value of `state`, or the answer: any text, or missing.
fn comes_from_output(n: &Node) -> bool {
    let root = |n: &Node, names: &[&str]| matches!(&n.kind, Kind::Name(root) if names.contains(&root.as_str()));
    match &n.kind {
        Kind::Path(base, keys) => keys.len() == 1 && root(base, &["state"]),
        _ => root(n, &["prompt_response"]),
    }
}

/// What cannot be missing once a part of a chain was true, or false.
fn proven(n: &Node, truth: bool) -> Vec<String> {
    let nothing = |n: &Node| matches!(n.kind, Kind::Nothing);
    match (&n.kind, truth) {
        (Kind::Path(..) | Kind::Name(_), true) => vec![print(n)],
        (Kind::Not(inner), _) => proven(inner, !truth),
        (Kind::All(parts), true) | (Kind::Any(parts), false) => {
            parts.iter().flat_map(|part| proven(part, truth)).collect()
        }
        (Kind::Binary(op, a, b), _) => match (op, truth) {
            (Binary::NotEqual, true) | (Binary::Equal, false) if nothing(b) => vec![print(a)],
            (Binary::Equal, true) | (Binary::NotEqual, false) if matches!(b.kind, Kind::Text(_)) => vec![print(a)],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
