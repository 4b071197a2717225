//! The grammar of single operands: literals, names, properties, helper calls.

use super::error::CompileError;
use super::literal::too_large;
use super::names::{self, Helper};
use super::parse::Parser;
use super::token::Token;
use super::tree::{Kind, Node};

impl Parser<'_> {
    pub fn postfix(&mut self) -> Result<Node, CompileError> {
        let start = self.offset();
        let mut node = self.primary()?;
        loop {
            node = self.from(start, node);
            if self.take(".") {
                node = self.property(node)?;
            } else if self.take("?.") {
                let indexed = self.take("[");
                node = if indexed { self.index(node)? } else { self.property(node)? };
            } else if self.take("[") {
                node = self.index(node)?;
            } else if self.peek() == &Token::Sign("(") {
                return Err(CompileError::at(self.offset(), "only helpers can be called", helper_list()));
            } else {
                return Ok(node);
            }
        }
    }

    fn property(&mut self, base: Node) -> Result<Node, CompileError> {
        let at = self.offset();
        let name = match self.next() {
            Token::Word(word) => word,
            Token::Int(n) => {
                return Err(CompileError::at(at, "a property has a name", format!("write [{n}] for an element")));
            }
            other => {
                let message = format!("expected a property after `.`, found {}", other.describe());
                return Err(CompileError::at(
                    at,
                    message,
                    "write its name there, or [\"…\"] for one with other characters",
                ));
            }
        };
        if self.peek() == &Token::Sign("(") {
            let helper = find_helper(&name, at)?;
            return self.arguments(helper, at, Some(base));
        }
        self.key(base, name)
    }

    /// Adds a property to a path, or starts one.
    fn key(&self, base: Node, name: String) -> Result<Node, CompileError> {
        match base.kind {
            Kind::Path(root, mut keys) => {
                keys.push(name);
                // Paths are emitted in groups, each a level of its own.
                let groups = keys.len().div_ceil(super::emit::KEYS_PER_CALL);
                let below = root.depth + groups - 1;
                self.node(Kind::Path(root, keys), below)
            }
            kind => {
                let depth = base.depth;
                self.node(Kind::Path(Box::new(Node { kind, ..base }), vec![name]), depth)
            }
        }
    }

    fn index(&mut self, base: Node) -> Result<Node, CompileError> {
        let index = self.choice()?;
        self.expect("]", "after an index")?;
        if let Kind::Text(name) = index.kind {
            return self.key(base, name);
        }
        let below = base.depth.max(index.depth);
        self.node(Kind::Index(Box::new(base), Box::new(index)), below)
    }

    fn arguments(&mut self, helper: &'static Helper, at: usize, subject: Option<Node>) -> Result<Node, CompileError> {
        self.expect("(", "of the call")?;
        let mut arguments: Vec<Node> = subject.into_iter().collect();
        self.list(")", "after the arguments", |p| {
            arguments.push(p.choice()?);
            Ok(())
        })?;
        if !helper.arity.contains(&arguments.len()) {
            let (min, max) = (helper.arity.start(), helper.arity.end());
            let wanted = if min == max { format!("{min}") } else { format!("{min} or {max}") };
            let message =
                format!("{} takes {wanted} arguments with its subject, not {}", helper.names[0], arguments.len());
            let help = match arguments.len() < *min {
                true => "add what is missing: what stands before the dot is the subject, or the first argument",
                false => "leave the others out: what stands before the dot is the subject, or the first argument",
            };
            return Err(CompileError::at(at, message, help));
        }
        let below = arguments.iter().map(|a| a.depth).max().unwrap_or(0);
        self.node(Kind::Helper(helper, arguments), below)
    }

    /// Items with commas between them, up to the closing sign. A comma at the end is allowed.
    fn list(
        &mut self,
        close: &'static str,
        of: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), CompileError>,
    ) -> Result<(), CompileError> {
        while !self.take(close) {
            item(self)?;
            if !self.take(",") {
                return self.expect(close, of);
            }
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<Node, CompileError> {
        let at = self.offset();
        match self.peek().clone() {
            Token::Int(i64::MIN) => Err(too_large(at, "9223372036854775808")),
            Token::Int(n) => self.leaf(Kind::Int(n)),
            Token::Float(n) => self.leaf(Kind::Float(n)),
            Token::Text(text) => self.leaf(Kind::Text(text)),
            Token::Word(word) => {
                self.next();
                self.word(word, at)
            }
            Token::Sign("(") => {
                self.next();
                if self.take(")") {
                    return Ok(Node::leaf(Kind::Nothing));
                }
                let inner = self.choice()?;
                self.expect(")", "to close the parenthesis")?;
                Ok(inner)
            }
            Token::Sign("[") => {
                self.next();
                let mut items = Vec::new();
                self.list("]", "after the elements", |p| {
                    items.push(p.choice()?);
                    Ok(())
                })?;
                let below = items.iter().map(|n| n.depth).max().unwrap_or(0);
                self.node(Kind::List(items), below)
            }
            Token::Sign("#{") => {
                self.next();
                self.map()
            }
            other => Err(self.unexpected(other)),
        }
    }

    fn leaf(&mut self, kind: Kind) -> Result<Node, CompileError> {
        self.next();
        Ok(Node::leaf(kind))
    }

    fn map(&mut self) -> Result<Node, CompileError> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        self.list("}", "after the entries", |p| {
            let at = p.offset();
            let name = match p.next() {
                Token::Word(name) | Token::Text(name) => name,
                other => {
                    let message = format!("expected a key, found {}", other.describe());
                    return Err(CompileError::at(
                        at,
                        message,
                        "a map is written #{name: value, \"other name\": value}",
                    ));
                }
            };
            if entries.iter().any(|(known, _)| *known == name) {
                return Err(CompileError::at(at, format!("the key {name:?} is there twice"), "keep one of them"));
            }
            p.expect(":", "after the key")?;
            let value = p.choice()?;
            entries.push((name, value));
            Ok(())
        })?;
        let below = entries.iter().map(|(_, n)| n.depth).max().unwrap_or(0);
        self.node(Kind::Map(entries), below)
    }

    fn word(&mut self, word: String, at: usize) -> Result<Node, CompileError> {
        match word.as_str() {
            "true" => return Ok(Node::leaf(Kind::Bool(true))),
            "false" => return Ok(Node::leaf(Kind::Bool(false))),
            "null" | "undefined" => return Ok(Node::leaf(Kind::Nothing)),
            "if" => return self.nested(Self::if_else),
            "else" => return Err(CompileError::at(at, "`else` does not fit here", "write `if c { a } else { b }`")),
            "in" => return Err(CompileError::at(at, "`in` does not fit here", "write `x in [a, b]`")),
            _ => {}
        }
        if self.peek() == &Token::Sign("(") {
            if let Some(why) = names::refused_word(&word) {
                return Err(CompileError::at(at, format!("`{word}` is not allowed"), why));
            }
            if word == "now" {
                self.next();
                self.expect(")", "after `now(`")?;
                return Ok(Node::leaf(Kind::Now));
            }
            let helper = find_helper(&word, at)?;
            return self.arguments(helper, at, None);
        }
        let name = names::canonical_root(&word);
        let known = names::ROOTS.contains(&name) || self.names.extra.contains(&name);
        if let Some(why) = names::refused_word(&word)
            && !known
            && (!self.names.bare || self.at_operand())
        {
            return Err(CompileError::at(at, format!("`{word}` is not allowed"), why));
        }
        if known || self.names.bare {
            return Ok(Node::leaf(Kind::Name(name.to_owned())));
        }
        let roots = names::ROOTS.iter().chain(self.names.extra).copied();
        let help = match names::nearest(&word, roots.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here are {}; texts stand in quotes", roots.collect::<Vec<_>>().join(", ")),
        };
        let error = CompileError::at(at, format!("unknown name `{word}`"), help);
        Err(CompileError { unknown: Some(word), ..error })
    }

    /// What follows can only start an operand: the word before it is no name then, but meant as a keyword.
    fn at_operand(&self) -> bool {
        matches!(self.peek(), Token::Word(word) if word != "in")
            || matches!(self.peek(), Token::Text(_) | Token::Int(_) | Token::Float(_) | Token::Sign("{" | "#{"))
    }

    fn if_else(&mut self) -> Result<Node, CompileError> {
        let condition = self.choice()?;
        self.expect("{", "after the condition of `if`")?;
        let yes = self.choice()?;
        self.expect("}", "after the value of `if`")?;
        let at = self.offset();
        if self.next() != Token::Word("else".to_owned()) {
            let message = "an `if` needs an `else`, because it is a value";
            return Err(CompileError::at(at, message, "write `if c { a } else { b }`, or `c ? a : b`"));
        }
        let no = if self.peek() == &Token::Word("if".to_owned()) {
            self.next();
            self.nested(Self::if_else)?
        } else {
            self.expect("{", "after `else`")?;
            let no = self.choice()?;
            self.expect("}", "after the value of `else`")?;
            no
        };
        self.choose(condition, yes, no)
    }
}

fn find_helper(name: &str, at: usize) -> Result<&'static Helper, CompileError> {
    if let Some(helper) = names::find_helper(name) {
        return Ok(helper);
    }
    let known = names::HELPERS.iter().flat_map(|h| h.names.iter().copied()).chain(["now"]);
    let help = match names::instead_of(name).or_else(|| names::refused_word(name)) {
        Some(why) => why.to_owned(),
        None => names::nearest(name, known).map_or_else(helper_list, |near| format!("did you mean `{near}`?")),
    };
    Err(CompileError::at(at, format!("there is no function `{name}`"), help))
}

fn helper_list() -> String {
    let names: Vec<&str> = names::HELPERS.iter().map(|h| h.names[0]).chain(["now"]).collect();
    format!("helpers are {}", names.join(", "))
}
