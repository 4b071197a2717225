//! Writes a tree as Rhai text that only reads our variables and calls our functions, and collects what the expression mentions.

use super::compiled::Reference;
use super::error::CompileError;
use super::names;
use super::pattern::Pattern;
use super::tree::{Kind, Node};
use std::fmt::Write;
use std::sync::Arc;

/// Keys that one call of `get` follows.
pub(super) const KEYS_PER_CALL: usize = 4;
/// Memory that the compiled patterns of one expression may take.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;

/// What came out of a tree.
#[derive(Debug, Default)]
pub(super) struct Emitted {
    /// The Rhai text.
    pub rhai: String,
    /// Names it reads, as variables `v0`, `v1` and so on.
    pub slots: Vec<String>,
    /// Patterns written as literals, compiled once, as variables `p0`, `p1` and so on.
    pub patterns: Vec<Arc<Pattern>>,
    pub references: Vec<Reference>,
    pub uses_now: bool,
    pattern_bytes: usize,
}

/// Writes the whole tree.
pub(super) fn emit(node: &Node) -> Result<Emitted, CompileError> {
    let mut out = Emitted::default();
    out.node(node)?;
    Ok(out)
}

impl Emitted {
    fn node(&mut self, node: &Node) -> Result<(), CompileError> {
        match &node.kind {
            Kind::Nothing => self.rhai.push_str("()"),
            Kind::Bool(b) => self.write(format_args!("{b}")),
            Kind::Int(n) => self.write(format_args!("({n})")),
            Kind::Float(n) => self.float(*n),
            Kind::Text(text) => self.text(text),
            Kind::List(items) => {
                self.rhai.push('[');
                self.separated(items)?;
                self.rhai.push(']');
            }
            Kind::Map(entries) => self.map(entries)?,
            Kind::Name(name) => {
                self.mention(name, &[]);
                self.variable(name);
            }
            Kind::Path(base, keys) => self.path(base, keys)?,
            Kind::Index(base, index) => self.call("at", &[base, index])?,
            Kind::Helper(helper, arguments) => self.helper(helper, arguments)?,
            Kind::Now => {
                self.uses_now = true;
                self.rhai.push_str("now(t)");
            }
            Kind::Not(inner) => self.call("not", &[inner])?,
            Kind::Negate(inner) => self.call("negate", &[inner])?,
            Kind::Binary(op, a, b) => self.call(op.native(), &[a, b])?,
            Kind::All(parts) => self.logic(parts, "&&")?,
            Kind::Any(parts) => self.logic(parts, "||")?,
            Kind::Default(a, b) => {
                self.rhai.push('(');
                self.node(a)?;
                self.rhai.push_str("??");
                self.node(b)?;
                self.rhai.push(')');
            }
            Kind::Choose(condition, yes, no) => {
                self.rhai.push_str("(if ");
                self.truth(condition)?;
                self.rhai.push('{');
                self.node(yes)?;
                self.rhai.push_str("}else{");
                self.node(no)?;
                self.rhai.push_str("})");
            }
        }
        Ok(())
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.rhai.write_fmt(arguments);
    }

    /// Rhai reads an exponent only after a fraction.
    fn float(&mut self, n: f64) {
        let text = format!("{n:?}");
        match text.split_once('e') {
            Some((digits, exponent)) if !digits.contains('.') => self.write(format_args!("({digits}.0e{exponent})")),
            _ => self.write(format_args!("({text})")),
        }
    }

    fn text(&mut self, text: &str) {
        self.rhai.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    self.rhai.push('\\');
                    self.rhai.push(c);
                }
                ' '..='~' => self.rhai.push(c),
                _ => self.write(format_args!("\\U{:08x}", u32::from(c))),
            }
        }
        self.rhai.push('"');
    }

    fn separated(&mut self, items: &[Node]) -> Result<(), CompileError> {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.rhai.push(',');
            }
            self.node(item)?;
        }
        Ok(())
    }

    fn map(&mut self, entries: &[(String, Node)]) -> Result<(), CompileError> {
        self.rhai.push_str("#{");
        for (i, (key, value)) in entries.iter().enumerate() {
            if i > 0 {
                self.rhai.push(',');
            }
            self.text(key);
            self.rhai.push(':');
            self.node(value)?;
        }
        self.rhai.push('}');
        Ok(())
    }

    fn call(&mut self, native: &str, arguments: &[&Node]) -> Result<(), CompileError> {
        self.write(format_args!("{native}("));
        for (i, argument) in arguments.iter().enumerate() {
            if i > 0 {
                self.rhai.push(',');
            }
            self.node(argument)?;
        }
        self.rhai.push(')');
        Ok(())
    }

    fn helper(&mut self, helper: &names::Helper, arguments: &[Node]) -> Result<(), CompileError> {
        if let ("matches", [subject, Node { kind: Kind::Text(pattern), span, .. }]) = (helper.native, arguments) {
            return self.matches(subject, pattern, span.start);
        }
        let native = match (helper.native, arguments) {
            ("matches", [subject, _]) => matches_for(subject),
            (native, _) => native,
        };
        self.write(format_args!("{native}("));
        self.separated(arguments)?;
        self.rhai.push(')');
        Ok(())
    }

    /// A pattern that is a literal is compiled now, so that a wrong one is found by validation.
    fn matches(&mut self, subject: &Node, pattern: &str, at: usize) -> Result<(), CompileError> {
        let pattern = Pattern::compile(pattern).map_err(|failure| {
            let help = "write `\\\\` before a sign that stands for itself, as in \"\\\\(\"; there are no look-around and no \
                        references back";
            CompileError::at(at, failure.message, help)
        })?;
        self.pattern_bytes += pattern.size();
        if self.pattern_bytes > MAX_PATTERN_BYTES {
            let message = "the patterns of the expression are too large together";
            return Err(CompileError::at(at, message, "write smaller ones, or fewer in one expression"));
        }
        self.write(format_args!("{}(", matches_for(subject)));
        self.node(subject)?;
        self.write(format_args!(",p{})", self.patterns.len()));
        self.patterns.push(Arc::new(pattern));
        Ok(())
    }

    fn logic(&mut self, parts: &[Node], sign: &str) -> Result<(), CompileError> {
        self.rhai.push('(');
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                self.rhai.push_str(sign);
            }
            self.truth(part)?;
        }
        self.rhai.push(')');
        Ok(())
    }

    /// Something that decides: what is not surely true or false is checked at run time.
    fn truth(&mut self, node: &Node) -> Result<(), CompileError> {
        if node.is_test() { self.node(node) } else { self.call("truth", &[node]) }
    }

    fn path(&mut self, base: &Node, keys: &[String]) -> Result<(), CompileError> {
        let groups: Vec<&[String]> = keys.chunks(KEYS_PER_CALL).collect();
        self.rhai.push_str(&"get(".repeat(groups.len()));
        if let Kind::Name(name) = &base.kind {
            self.mention(name, keys);
            self.variable(name);
        } else {
            self.node(base)?;
        }
        for group in groups {
            for key in group {
                self.rhai.push(',');
                self.text(key);
            }
            self.rhai.push(')');
        }
        Ok(())
    }

    fn variable(&mut self, name: &str) {
        let slot = self.slots.iter().position(|s| s == name).unwrap_or_else(|| {
            self.slots.push(name.to_owned());
            self.slots.len() - 1
        });
        self.write(format_args!("v{slot}"));
    }

    fn mention(&mut self, root: &str, keys: &[String]) {
        let mut path = keys.to_vec();
        // The length of a value is no field of it; directly under a root of ours there are only fields.
        if path.last().is_some_and(|key| key == "length") && (path.len() > 1 || !names::ROOTS.contains(&root)) {
            path.pop();
        }
        let reference = Reference { root: root.to_owned(), path };
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
    }
}

/// The function that matches what a command printed, all of it.
pub(super) const MATCHES_OUTPUT: &str = "matches_output";

/// The function that matches a subject: `last.stdout` ends with a line end that nobody means.
fn matches_for(subject: &Node) -> &'static str {
    let output = match &subject.kind {
        Kind::Path(base, keys) => {
            matches!(&base.kind, Kind::Name(root) if root == "last" || root == "steps")
                && keys.last().is_some_and(|key| key == "stdout" || key == "stderr")
        }
        _ => false,
    };
    if output { MATCHES_OUTPUT } else { "matches" }
}
