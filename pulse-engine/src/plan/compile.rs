//! Texts made ready: expressions and templates compiled, with a finding for each that cannot be.

use super::{Compiler, Findings, Mention, Place, names};
use crate::expr::{CompileError, Expr, Scope, subtracted_worker};
use crate::template::{Placeholder, Template, TemplateError};
use indexmap::IndexMap;
use pulse_core::diagnostic::Code;
use pulse_core::workflow::{SelectorError, Source, parse_selectors};
use std::collections::HashSet;
use std::sync::Arc;

/// What becomes of a template's text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is stored or shown.
    Shown,
    /// It goes to a command and nowhere else.
    Unseen,
    /// It is a parameter of a child: a placeholder alone stays the value that it is.
    Value,
}

impl<'s> Compiler<'s> {
    pub(super) fn new(findings: Findings<'s>, known: &'s names::Known<'s>) -> Self {
        Self {
            findings,
            known,
            mentions: Vec::new(),
            steps: Vec::new(),
            lists: Vec::new(),
            met: 0,
            step: None,
            items: Vec::new(),
            conditions: Vec::new(),
            routes: Vec::new(),
            env: IndexMap::new(),
            evaluated: HashSet::new(),
            run: HashSet::new(),
        }
    }

    /// An expression that decides whether something happens.
    pub(super) fn condition(&mut self, source: &Source) -> Option<Expr> {
        let expr = self.expression(source)?;
        if let Some(mention) = self.mentions.last_mut() {
            mention.decides = true;
        }
        Some(expr)
    }

    pub(super) fn expression(&mut self, source: &Source) -> Option<Expr> {
        let items: Vec<&str> = self.items.iter().map(String::as_str).collect();
        match Expr::compile_with(&source.text, &items) {
            Ok(expr) => {
                self.mentions.push(Mention {
                    expr: expr.clone(),
                    source: Arc::new(source.clone()),
                    offset: 0,
                    step: self.step,
                    items: self.items.clone(),
                    place: Place::Shown,
                    templated: false,
                    decides: false,
                    walked: false,
                    must_be: false,
                    conditions: self.conditions.clone(),
                });
                Some(expr)
            }
            Err(error) => {
                self.bad_expression(source, error);
                None
            }
        }
    }

    fn bad_expression(&mut self, source: &Source, error: CompileError) {
        let CompileError { message, offset, help, unknown } = error;
        if self.findings.diagnostics.is_full(Code::BadExpression) {
            return self.findings.add(Code::BadExpression, source, 0, "", "");
        }
        let shown = pulse_core::text::shorten(&pulse_core::text::one_line(&source.text), 120);
        let (message, help) = match (source.text.find("{{"), unknown) {
            (Some(at), None) => {
                let inner = source.text[at + 2..].split("}}").next().unwrap_or_default().trim();
                let plain = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let instead = match plain {
                    true => self.known.qualified(inner).unwrap_or_else(|| format!("params.{inner}")),
                    false => self.rooted(inner),
                };
                let help = format!("write `{instead}` as it is; {{{{ }}}} stands in templates, such as commands");
                (format!("`{shown}` is an expression already: it has no {{{{ }}}}"), help)
            }
            (_, unknown) => {
                let meant = unknown.and_then(|name| self.known.qualified(&name).or_else(|| self.known.near(&name)));
                let help = meant.map_or(help, |name| format!("did you mean `{name}`?"));
                let worker = subtracted_worker(&source.text);
                let help = worker.map_or(help, |(_, instead)| format!("a minus subtracts: write `{instead}`"));
                (format!("`{shown}`: {message}"), help)
            }
        };
        self.findings.add(Code::BadExpression, source, offset.unwrap_or_default(), message, help);
    }

    /// An expression with the roots that its names lack, as far as they are known.
    fn rooted(&self, text: &str) -> String {
        let items: Vec<&str> = self.items.iter().map(String::as_str).collect();
        let mut text = text.to_owned();
        // Each round mends one name.
        for _ in 0..8 {
            let Err(CompileError { unknown: Some(name), offset: Some(at), .. }) = Expr::compile_with(&text, &items)
            else {
                break;
            };
            let there = text.get(at..).is_some_and(|rest| rest.starts_with(&name));
            let Some(root) = self.known.qualified(&name).filter(|_| there) else { break };
            text.replace_range(at..at + name.len(), &root);
        }
        text
    }

    pub(super) fn template(&mut self, source: &Source) -> Option<Template> {
        self.template_of(source, Use::Shown)
    }

    /// A template whose value may be of any kind, or none, when it is a placeholder alone.
    pub(super) fn value(&mut self, source: &Source) -> Option<Template> {
        self.template_of(source, Use::Value)
    }

    pub(super) fn template_of(&mut self, source: &Source, used: Use) -> Option<Template> {
        match Template::parse(&source.text) {
            Ok(template) => {
                let alone = template.single().is_some();
                let place = match (used, alone) {
                    (Use::Unseen, true) => Place::Alone,
                    (Use::Unseen, false) => Place::Part,
                    (Use::Shown | Use::Value, _) => Place::Shown,
                };
                let must_be = used != Use::Value || !alone;
                let shared = Arc::new(source.clone());
                template.expressions().for_each(|placeholder| self.mention(&shared, placeholder, place, must_be));
                Some(template)
            }
            Err(errors) => {
                self.template_errors(source, errors);
                None
            }
        }
    }

    pub(super) fn mention(&mut self, source: &Arc<Source>, placeholder: &Placeholder, place: Place, must_be: bool) {
        self.mentions.push(Mention {
            expr: placeholder.expr.clone(),
            source: source.clone(),
            offset: placeholder.start,
            step: self.step,
            items: self.items.clone(),
            place,
            templated: true,
            decides: false,
            walked: false,
            must_be,
            conditions: self.conditions.clone(),
        });
    }

    pub(super) fn template_errors(&mut self, source: &Source, errors: Vec<TemplateError>) {
        for error in errors {
            self.findings.add(Code::BadTemplate, source, error.offset, error.message.as_str(), error.advice());
        }
    }

    pub(super) fn list(&mut self, sources: &[Source]) -> Vec<Template> {
        let mut templates = Vec::with_capacity(sources.len());
        for source in sources {
            templates.extend(self.template(source));
        }
        templates
    }

    /// Targets: those that are no templates are known to be selectors.
    pub(super) fn targets(&mut self, sources: &[Source]) -> Vec<Template> {
        let templates = self.list(sources);
        for source in sources {
            let literal = Template::parse(&source.text).ok().filter(Template::is_literal);
            let text = literal.and_then(|template| template.render_text(&Scope::new()).ok());
            if let Some(Err(SelectorError { text, reason })) = text.map(|text| parse_selectors(&text)) {
                let other = "write a worker's name, a pattern like web-*, labels like role=db, any or all";
                let (reason, help) = reason.split_once("; ").unwrap_or((reason, other));
                let message = format!("`{text}` is not a target: {reason}");
                self.findings.add(Code::BadTarget, source, 0, message, help);
            }
        }
        templates
    }

    /// What a `foreach` goes through.
    pub(super) fn items_of(&mut self, source: &Source) -> Option<Expr> {
        let expr = self.expression(source)?;
        if let Some(mention) = self.mentions.last_mut() {
            mention.walked = true;
        }
        Some(expr)
    }

    /// Environment variables.
    pub(super) fn map(&mut self, sources: &IndexMap<String, Source>) -> IndexMap<String, Template> {
        let mut templates = IndexMap::with_capacity(sources.len());
        for (name, source) in sources {
            templates.extend(self.template_of(source, Use::Unseen).map(|template| (name.clone(), template)));
        }
        templates
    }
}
