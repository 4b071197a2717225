//! Reads tokens into a tree: the grammar of expressions.
//!
//! ```text
//! choice  = infix [ "?" choice ":" choice ]
//! infix   = prefix { operator prefix }                 by strength, see operators
//! prefix  = { "!" | "-" | "+" } postfix
//! postfix = primary { "." name [ arguments ] | "?." … | "[" choice "]" }
//! primary = literal | "()" | "(" choice ")" | "[" … "]" | "#{" name ":" choice, … "}" | name | helper arguments
//!         | "if" choice "{" choice "}" "else" ( "{" choice "}" | if )
//! ```

use super::error::CompileError;
use super::names;
use super::operators::{Binary, Infix};
use super::token::{Spanned, Token, tokenize};
use super::tree::{Kind, Node};
use super::{MAX_DEPTH, MAX_SOURCE};

/// Which names an expression may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    /// Roots beside the usual ones.
    pub extra: &'a [&'a str],
    /// Other names are bare names of a template.
    pub bare: bool,
}

/// Parses a whole source.
pub(super) fn parse(source: &str, names: Names<'_>) -> Result<Node, CompileError> {
    if source.len() > MAX_SOURCE {
        let message = format!("the expression has {} bytes; {MAX_SOURCE} are allowed", source.len());
        return Err(CompileError::at(MAX_SOURCE, message, "put parts of it into `state` with a `set` step"));
    }
    let mut parser = Parser { tokens: tokenize(source)?, at: 0, nesting: 0, names };
    if parser.peek() == &Token::End {
        return Err(CompileError::at(
            0,
            "the expression is empty",
            "write one, like `state.pct > 90`, or leave it out",
        ));
    }
    let node = parser.choice()?;
    match parser.peek() {
        Token::End => Ok(node),
        other => Err(parser.unexpected(other.clone())),
    }
}

pub(super) struct Parser<'a> {
    tokens: Vec<Spanned>,
    at: usize,
    nesting: usize,
    pub names: Names<'a>,
}

impl Parser<'_> {
    pub fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    pub fn offset(&self) -> usize {
        self.tokens[self.at].start
    }

    pub fn next(&mut self) -> Token {
        let token = self.peek().clone();
        // The last token is the end, and it stays.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if *s == sign);
        if found {
            self.next();
        }
        found
    }

    pub fn expect(&mut self, sign: &'static str, of: &str) -> Result<(), CompileError> {
        if self.take(sign) {
            return Ok(());
        }
        let found = self.peek().describe();
        let help = format!("write `{sign}` there; a text stands in quotes");
        Err(CompileError::at(self.offset(), format!("expected `{sign}` {of}, found {found}"), help))
    }

    pub fn unexpected(&self, token: Token) -> CompileError {
        let help = match &token {
            Token::Word(word) => names::refused_word(word).unwrap_or("an operator is missing, or quotes around a text"),
            Token::Sign("{") => "a map is written #{name: value}",
            Token::Sign(")" | "]" | "}") => "a value is missing before it, or what it closes",
            Token::End => {
                let help = "add the value behind the last sign, or leave that sign out";
                return CompileError::at(self.offset(), "the expression ends too early", help);
            }
            Token::Sign(_) => "a value is missing before it; put it in quotes if it is part of a text",
            _ => "an operator is missing before it, like `==` or `&&`",
        };
        CompileError::at(self.offset(), format!("{} does not fit here", token.describe()), help)
    }

    /// Makes a node above others. Who asked for it says where it starts.
    pub fn node(&self, kind: Kind, below: usize) -> Result<Node, CompileError> {
        if below >= MAX_DEPTH {
            return Err(too_deep(self.offset()));
        }
        Ok(Node { kind, depth: below + 1, span: 0..0 })
    }

    /// A node that starts there and ends with what was read last.
    pub fn from(&self, start: usize, node: Node) -> Node {
        let end = self.at.checked_sub(1).map_or(start, |last| self.tokens[last].end);
        Node { span: start..end, ..node }
    }

    /// Counts recursion of the parser itself, so that no source can use up the stack.
    pub fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, CompileError>) -> Result<T, CompileError> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(self.offset()));
        }
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    pub fn choice(&mut self) -> Result<Node, CompileError> {
        let start = self.offset();
        self.nested(|p| {
            let condition = p.infix(0)?;
            if !p.take("?") {
                return Ok(condition);
            }
            let yes = p.choice()?;
            p.expect(":", "of `condition ? a : b`")?;
            let no = p.choice()?;
            p.choose(condition, yes, no).map(|node| p.from(start, node))
        })
    }

    /// A choice counts two levels, because Rhai needs twice the stack for it.
    pub fn choose(&self, condition: Node, yes: Node, no: Node) -> Result<Node, CompileError> {
        let below = condition.depth.max(yes.depth).max(no.depth) + 1;
        self.node(Kind::Choose(Box::new(condition), Box::new(yes), Box::new(no)), below)
    }

    fn infix_operator(&self) -> Option<(Infix, usize)> {
        match self.peek() {
            Token::Sign("!")
                if self.tokens.get(self.at + 1).is_some_and(|t| t.token == Token::Word("in".to_owned())) =>
            {
                Some((Infix::NotIn, 2))
            }
            Token::Sign(sign) => Infix::of(sign).map(|op| (op, 1)),
            Token::Word(word) if word == "in" => Some((Infix::Binary(Binary::In), 1)),
            _ => None,
        }
    }

    fn infix(&mut self, weakest: u8) -> Result<Node, CompileError> {
        let signed = self.peek() == &Token::Sign("-");
        let start = self.offset();
        let mut left = self.prefix()?;
        let mut compared = None;
        let mut first = true;
        while let Some((op, tokens)) = self.infix_operator() {
            let strength = op.strength();
            if strength < weakest {
                break;
            }
            let at = self.offset();
            if compared == Some(strength) {
                return Err(CompileError::at(at, "comparisons cannot be chained", "write a < b && b < c"));
            }
            if first && signed && op == Infix::Binary(Binary::Power) {
                return Err(CompileError::at(at, "a sign before `**` is ambiguous", "write (-a) ** b or -(a ** b)"));
            }
            self.refuse_hyphenated_step(op, &left)?;
            for _ in 0..tokens {
                self.next();
            }
            let right = match op {
                Infix::Binary(Binary::Power) => self.nested(|p| p.infix(strength))?,
                _ => self.infix(strength + 1)?,
            };
            let is_test = matches!(op, Infix::NotIn) || matches!(op, Infix::Binary(op) if op.is_test());
            compared = is_test.then_some(strength);
            first = false;
            left = self.join(op, left, right)?;
            left = self.from(start, left);
        }
        Ok(left)
    }

    fn join(&self, op: Infix, left: Node, right: Node) -> Result<Node, CompileError> {
        let below = left.depth.max(right.depth);
        match op {
            Infix::All => self.chain(true, left, right),
            Infix::Any => self.chain(false, left, right),
            Infix::Default => self.node(Kind::Default(Box::new(left), Box::new(right)), below),
            Infix::NotIn => {
                let start = left.span.start;
                let inside = self.node(Kind::Binary(Binary::In, Box::new(left), Box::new(right)), below)?;
                let inside = self.from(start, inside);
                let depth = inside.depth;
                self.node(Kind::Not(Box::new(inside)), depth)
            }
            Infix::Binary(op) => self.node(Kind::Binary(op, Box::new(left), Box::new(right)), below),
        }
    }

    /// Keeps a chain of `&&` or `||` flat: many conditions side by side are not deep.
    fn chain(&self, is_all: bool, left: Node, right: Node) -> Result<Node, CompileError> {
        let (mut parts, below) = match left.kind {
            Kind::All(parts) if is_all => (parts, left.depth - 1),
            Kind::Any(parts) if !is_all => (parts, left.depth - 1),
            kind => (vec![Node { kind, depth: left.depth, span: left.span }], left.depth),
        };
        let below = below.max(right.depth);
        parts.push(right);
        self.node(if is_all { Kind::All(parts) } else { Kind::Any(parts) }, below)
    }

    /// `steps.step-1` would be a subtraction; no one means that.
    fn refuse_hyphenated_step(&self, op: Infix, left: &Node) -> Result<(), CompileError> {
        let close = self.at > 0
            && self.tokens[self.at - 1].end == self.tokens[self.at].start
            && self.tokens.get(self.at + 1).is_some_and(|next| next.start == self.tokens[self.at].end);
        let Kind::Path(base, keys) = &left.kind else { return Ok(()) };
        let on_step = matches!(&base.kind, Kind::Name(root) if root == "steps") && keys.len() == 1;
        if op == Infix::Binary(Binary::Subtract) && close && on_step {
            let help = format!("write steps[\"{}-…\"] for a step id with a hyphen", keys[0]);
            return Err(CompileError::at(self.offset(), "a `-` after a step's name is a subtraction", help));
        }
        Ok(())
    }

    fn prefix(&mut self) -> Result<Node, CompileError> {
        let sign = match self.peek() {
            Token::Sign(sign @ ("!" | "-" | "+")) => *sign,
            _ => return self.postfix(),
        };
        let start = self.offset();
        self.next();
        if sign == "-" && self.peek() == &Token::Int(i64::MIN) {
            self.next();
            return Ok(self.from(start, Node::leaf(Kind::Int(i64::MIN))));
        }
        let Node { kind, depth, span } = self.nested(Self::prefix)?;
        let node = match (sign, kind) {
            ("!", kind) => self.node(Kind::Not(Box::new(Node { kind, depth, span })), depth)?,
            ("-", Kind::Int(n)) if n >= 0 => Node::leaf(Kind::Int(-n)),
            ("-", Kind::Float(n)) => Node::leaf(Kind::Float(-n)),
            ("-", kind) => self.node(Kind::Negate(Box::new(Node { kind, depth, span })), depth)?,
            (_, kind @ (Kind::Int(_) | Kind::Float(_))) => Node { kind, depth, span },
            _ => {
                let help = "leave it out; int(), float() and Number() convert";
                return Err(CompileError::at(self.offset(), "a `+` before a value does nothing", help));
            }
        };
        Ok(self.from(start, node))
    }
}

pub(super) fn too_deep(at: usize) -> CompileError {
    let message = format!("the expression is nested deeper than {MAX_DEPTH}");
    CompileError::at(at, message, "put parts of it into `state` with a `set` step")
}
