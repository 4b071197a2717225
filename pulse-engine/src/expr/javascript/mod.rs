//! Conditions of the first PULSE were JavaScript, where every value is as good as true or as false: a text that is not
//! empty, a number that is not 0. Here a condition is true or false, so such a condition is written differently. What
//! means the same in both is left as it is; what cannot be written with the same meaning is told.
//!
//! What JavaScript saw: every value in `state`, and the answer, is a text, or missing; parameters are what they are
//! declared as.

mod differences;
mod numbers;
mod truth;

use super::error::CompileError;
use super::names::HELPERS;
use super::operators::Binary;
use super::parse::{self, Names};
use super::print::print;
use super::tree::{Kind, Node};

/// Most nodes that are looked at: chains within chains double what is written each time.
const MOST_NODES: usize = 10_000;

/// What a value is for JavaScript. It may also be missing, which is as good as false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// A text: as good as true unless it is empty.
    Text,
    /// A number: as good as true unless it is 0.
    Number,
    /// True or false.
    Truth,
    /// A list or map: as good as true, even an empty one.
    Object,
    /// Nothing: as good as false.
    Nothing,
    /// It cannot be known.
    Unknown,
}

/// A condition of JavaScript as it has to be written here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// The condition, when it has to be written differently.
    pub text: Option<String>,
    /// What a person should look at, a sentence each.
    pub look: Vec<String>,
}

/// Writes a condition of JavaScript so that it means the same here; `params` says what a parameter is.
///
/// # Errors
/// What is not in the language.
pub fn translate(source: &str, params: &dyn Fn(&str) -> Given) -> Result<Translated, CompileError> {
    let tree = parse::parse(source, Names { extra: &[], bare: false })?;
    let optional = source.contains("?.");
    let mut reader = Reader { source, params, optional, nodes: 0, look: Vec::new() };
    let new = reader.truth(&tree);
    reader.differences(&tree, true, &[]);
    let Reader { nodes, look, .. } = reader;
    let mut translated = Translated { text: None, look };
    let text = if nodes > MOST_NODES { None } else { Some(print(&new)) };
    if text.as_ref().is_some_and(|text| *text == print(&tree)) {
        return Ok(translated);
    }
    translated.text = text.filter(|text| super::Expr::compile(text).is_ok());
    if translated.text.is_none() {
        let told = "it is too large to be written without what JavaScript takes for true: do so by hand";
        translated.look.push(told.to_owned());
    }
    Ok(translated)
}

struct Reader<'a> {
    source: &'a str,
    params: &'a dyn Fn(&str) -> Given,
    /// The source has `?.` somewhere: its author minds what is missing.
    optional: bool,
    /// How many were looked at.
    nodes: usize,
    look: Vec<String>,
}

fn node(kind: Kind) -> Node {
    // Nobody counts levels here: what is written is read again.
    Node::leaf(kind)
}

/// A call of a helper by the function that does it.
fn helper(native: &str, value: Node) -> Node {
    let found = HELPERS.iter().find(|helper| helper.native == native);
    node(Kind::Helper(found.expect("it is in the table"), vec![value]))
}

fn both(a: Given, b: Given) -> Given {
    match (a, b) {
        (Given::Nothing, other) | (other, Given::Nothing) => other,
        (a, b) if a == b => a,
        _ => Given::Unknown,
    }
}

impl Reader<'_> {
    fn look(&mut self, text: String) {
        if !self.look.contains(&text) {
            self.look.push(text);
        }
    }

    /// What a value is.
    fn given(&self, n: &Node) -> Given {
        match &n.kind {
            Kind::Nothing => Given::Nothing,
            Kind::Bool(_) | Kind::Not(_) => Given::Truth,
            Kind::Int(_) | Kind::Float(_) | Kind::Negate(_) | Kind::Now => Given::Number,
            Kind::Text(_) => Given::Text,
            Kind::List(_) | Kind::Map(_) => Given::Object,
            Kind::Name(name) => match name.as_str() {
                "state" | "params" => Given::Object,
                "prompt_response" => Given::Text,
                _ => Given::Unknown,
            },
            Kind::Path(base, keys) => self.property(base, keys),
            Kind::Index(base, _) => match (&base.kind, self.given(base)) {
                (Kind::Name(root), _) if root == "state" => Given::Text,
                (_, Given::Text) => Given::Text,
                (Kind::Helper(helper, _), _) if helper.native == "split" => Given::Text,
                _ => Given::Unknown,
            },
            Kind::Helper(helper, _) if helper.is_test => Given::Truth,
            Kind::Helper(helper, _) => match helper.native {
                "text" | "trim" | "lower" | "upper" | "join" => Given::Text,
                "split" | "keys" | "values" => Given::Object,
                _ => Given::Number,
            },
            Kind::Binary(op, ..) if op.is_test() => Given::Truth,
            Kind::Binary(Binary::Add, a, b) => match (self.given(a), self.given(b)) {
                (Given::Text, _) | (_, Given::Text) => Given::Text,
                (Given::Number, Given::Number) => Given::Number,
                _ => Given::Unknown,
            },
            Kind::Binary(..) => Given::Number,
            Kind::All(parts) | Kind::Any(parts) => {
                parts.iter().map(|part| self.given(part)).reduce(both).unwrap_or(Given::Unknown)
            }
            Kind::Default(a, b) | Kind::Choose(_, a, b) => both(self.given(a), self.given(b)),
        }
    }

    fn property(&self, base: &Node, keys: &[String]) -> Given {
        let length = keys.last().is_some_and(|key| key == "length");
        match (&base.kind, keys) {
            (Kind::Name(root), [_]) if root == "state" => Given::Text,
            (Kind::Name(root), [name]) if root == "params" => (self.params)(name),
            (Kind::Name(_), [field, _])
                if length && self.property(base, std::slice::from_ref(field)) == Given::Text =>
            {
                Given::Number
            }
            (_, [_]) if length && matches!(self.given(base), Given::Text | Given::Object) => Given::Number,
            _ => Given::Unknown,
        }
    }
}
