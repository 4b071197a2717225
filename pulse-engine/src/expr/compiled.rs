//! A compiled expression, and its evaluation.

use super::budget::Running;
use super::error::{CompileError, EvalError, EvalErrorKind, Failure};
use super::parse::{self, Names};
use super::pattern::Pattern;
use super::scope::Scope;
use super::token::{Spanned, Token, tokenize};
use super::tree::{Kind, Node};
use super::value::{self, Val};
use super::{emit, engine, names, number};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Longest shown part of a value in [`EvalError::seen`], in characters.
const MAX_SEEN: usize = 200;

/// A name that an expression mentions, with the properties read from it as far as they are known without evaluating.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The root (`promptResponse` is given as `prompt_response`), the `foreach` item, or the bare name of a template.
    pub root: String,
    /// The properties below it, up to the first computed index. The `length` of a value is not part of it.
    pub path: Vec<String>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        self.path.iter().try_for_each(|key| {
            let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if plain { write!(f, ".{key}") } else { write!(f, "[{key:?}]") }
        })
    }
}

/// A compiled expression. Immutable and cheap to clone.
#[derive(Clone)]
pub struct Expr(Arc<Compiled>);

struct Compiled {
    source: String,
    ast: rhai::AST,
    slots: Vec<String>,
    patterns: Vec<Arc<Pattern>>,
    references: Vec<Reference>,
    uses_now: bool,
    /// It is a name with known properties and nothing else.
    is_plain: bool,
    tree: Node,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.0.source).finish()
    }
}

impl Expr {
    /// Compiles an expression that may name the usual roots.
    ///
    /// # Errors
    /// What is not in the language, a name that is no root, or a source over the limits.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        Self::build(source, Names { extra: &[], bare: false })
    }

    /// Compiles an expression that may also name `extra` roots, such as the item of a `foreach`.
    ///
    /// # Errors
    /// As [`Expr::compile`].
    pub fn compile_with(source: &str, extra: &[&str]) -> Result<Self, CompileError> {
        Self::build(source, Names { extra, bare: false })
    }

    /// Compiles the expression of a template: a name that the scope does not have is looked up in its bare maps.
    ///
    /// # Errors
    /// As [`Expr::compile`], but every name is allowed.
    pub fn compile_template(source: &str) -> Result<Self, CompileError> {
        Self::build(source, Names { extra: &[], bare: true })
    }

    fn build(source: &str, names: Names<'_>) -> Result<Self, CompileError> {
        let tree = parse::parse(source, names)?;
        let emitted = emit::emit(&tree)?;
        let is_plain = matches!(&tree.kind, Kind::Name(_))
            || matches!(&tree.kind, Kind::Path(base, _) if matches!(base.kind, Kind::Name(_)));
        // What our parser lets through, the engine refuses only for being too much: a chain of hundreds of parts.
        let ast = engine::shared().compile_expression(&emitted.rhai).map_err(|_| {
            let message = "the expression is too complex: it joins too many parts";
            CompileError::at(0, message, "put parts of it into `state` with a `set` step")
        })?;
        Ok(Self(Arc::new(Compiled {
            source: source.to_owned(),
            ast,
            slots: emitted.slots,
            patterns: emitted.patterns,
            references: emitted.references,
            uses_now: emitted.uses_now,
            is_plain,
            tree,
        })))
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What it mentions, each once, in the order of the source.
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// Where in the source it mentions something first, as a byte offset; 0 where that cannot be told.
    pub(crate) fn offset_of(&self, reference: &Reference) -> usize {
        let tokens = tokenize(&self.0.source).unwrap_or_default();
        let named = |at: &usize| {
            let word = matches!(&tokens[*at].token, Token::Word(word) if names::canonical_root(word) == reference.root);
            let property = *at > 0 && matches!(tokens[*at - 1].token, Token::Sign("." | "?."));
            word && !property
        };
        let places: Vec<usize> = (0..tokens.len()).filter(named).collect();
        let whole = places.iter().find(|at| has_path(&tokens[**at + 1..], &reference.path));
        whole.or(places.first()).map_or(0, |at| tokens[*at].start)
    }

    /// Its tree.
    pub(super) fn tree(&self) -> &Node {
        &self.0.tree
    }

    /// It mentions no name and not `now()`, so it always has the same value.
    pub fn is_constant(&self) -> bool {
        self.0.references.is_empty() && !self.0.uses_now
    }

    /// The name that is all of it, if it is no more than one: whatever that has, it gives.
    pub(crate) fn plain(&self) -> Option<&Reference> {
        self.0.references.first().filter(|_| self.0.is_plain)
    }

    /// Its value.
    ///
    /// # Errors
    /// An operation without a meaning for the values it gets, or a limit that was reached.
    pub fn eval(&self, scope: &Scope) -> Result<Value, EvalError> {
        let _running = Running::start();
        self.run(scope).and_then(|val| val.into_json()).map_err(|failure| self.error(failure, scope))
    }

    /// Its value as a condition: `()` counts as false.
    ///
    /// # Errors
    /// As [`Expr::eval`]; also a value that is neither true, false nor `()`.
    pub fn eval_bool(&self, scope: &Scope) -> Result<bool, EvalError> {
        let _running = Running::start();
        self.run(scope).and_then(|val| val.truth("the condition")).map_err(|failure| self.error(failure, scope))
    }

    fn run(&self, scope: &Scope) -> Result<Val, Failure> {
        let mut variables = rhai::Scope::new();
        for (i, name) in self.0.slots.iter().enumerate() {
            variables.push_constant_dynamic(format!("v{i}"), value::root(scope, name)?.into_dynamic());
        }
        for (i, pattern) in self.0.patterns.iter().enumerate() {
            variables.push_constant(format!("p{i}"), Arc::clone(pattern));
        }
        if self.0.uses_now {
            variables.push_constant_dynamic("t", number::seconds(scope.now_ms()).into_dynamic());
        }
        engine::evaluate(&self.0.ast, &mut variables)
    }

    fn error(&self, failure: Failure, scope: &Scope) -> EvalError {
        let Failure { kind, message }: Failure = failure;
        let show = |r: &Reference| (r.to_string(), shown(scope, r));
        let seen = self.0.references.iter().map(show).collect();
        EvalError { message, expression: self.0.source.clone(), seen, kind }
    }
}

/// Where in an expression a worker's name with a minus in it reads as a subtraction, and what to write instead:
/// `steps.web.results.web-01`.
pub(crate) fn subtracted_worker(source: &str) -> Option<(usize, String)> {
    let tokens = tokenize(source).unwrap_or_default();
    let dot = |at: usize| tokens.get(at).is_some_and(|next| matches!(next.token, Token::Sign("." | "?.")));
    let word = |at: usize| tokens.get(at).is_some_and(|next| matches!(next.token, Token::Word(_)));
    (0..tokens.len()).find_map(|at| {
        let is =
            |at: usize, name: &str| matches!(&tokens.get(at)?.token, Token::Word(word) if word == name).then_some(());
        is(at, "steps").filter(|()| at == 0 || !dot(at - 1))?;
        let id = if dot(at + 1) { at + 3 } else { at + 4 };
        is(id + 1, "results").filter(|()| dot(id) && dot(id + 2) && word(id + 3))?;
        let (worker, minus, behind) = (tokens.get(id + 3)?, tokens.get(id + 4)?, tokens.get(id + 5)?);
        let joined = minus.token == Token::Sign("-") && worker.end == minus.start && minus.end == behind.start;
        let name = &source[worker.start..];
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))).unwrap_or(name.len());
        let map = &source[tokens[at].start..tokens[id + 2].start];
        joined.then(|| (tokens[at].start, format!("{map}[{:?}]", &name[..end])))
    })
}

/// Whether these properties are what the tokens read first.
fn has_path(mut tokens: &[Spanned], path: &[String]) -> bool {
    path.iter().all(|key| {
        if let [Spanned { token: Token::Sign("?."), .. }, rest @ ..] = tokens
            && rest.first().is_some_and(|next| next.token == Token::Sign("["))
        {
            tokens = rest;
        }
        match tokens {
            [Spanned { token: Token::Sign("." | "?."), .. }, Spanned { token: Token::Word(word), .. }, rest @ ..]
            | [Spanned { token: Token::Sign("["), .. }, Spanned { token: Token::Text(word), .. }, _, rest @ ..]
                if word == key =>
            {
                tokens = rest;
                true
            }
            _ => false,
        }
    })
}

/// The value behind a reference as short JSON text.
fn shown(scope: &Scope, reference: &Reference) -> String {
    let value = match scope.root(&reference.root) {
        Some(root) => Some(&**root),
        None => scope.bare_map(&reference.root).and_then(|map| map.get(&reference.root)),
    };
    let value = reference.path.iter().try_fold(value, |value, key| value.map(|v| v.get(key)));
    match value.flatten() {
        None | Some(Value::Null) => "()".to_owned(),
        Some(value) => value::shorten(value, MAX_SEEN),
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Expr>();
    shared::<EvalErrorKind>();
};
