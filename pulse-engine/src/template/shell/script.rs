//! A parsed command: the parts its script is made of, worked out once.

use super::argv::Input;
use super::flow::Variables;
use super::functions::argument;
use super::heredoc::Rewrite;
use super::options::{OPTION_HELP, refusal};
use super::place::{Needs, Place};
use super::tracker::{self, Tracked};
use super::units::{Unit, Units};
use super::words::STDIN;
use crate::template::parsed::{Placeholder, Template};
use crate::template::quote;
use crate::template::{Filter, RenderError, RenderErrorKind, TemplateError, TemplateWarning, TemplateWarningKind};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Shells that calculate nowhere but where Bash does. `sh` and `ksh` may be any of several, some of which calculate with the operands of
/// `[ … ]`, too.
pub(super) const KNOWN_SHELLS: &[&str] = &["bash", "dash", "ash", "ksh93", "busybox"];

/// Shells that calculate with values, but run nothing in them.
const INERT_SHELLS: &[&str] = &["dash", "ash", "busybox"];

/// Shells that may calculate in more places.
const OTHER_SHELLS: &[&str] = &["sh", "ksh", "mksh", "lksh", "zsh"];

/// A command for a shell, with placeholders. Immutable and cheap to clone.
#[derive(Debug, Clone)]
pub struct ShellTemplate(pub(super) Arc<Parsed>);

#[derive(Debug)]
pub(super) struct Parsed {
    pub template: Template,
    /// The script, rewritten where heredocs need it.
    pub parts: Vec<Part>,
    /// One for each placeholder.
    pub holes: Vec<HolePlace>,
    /// The first placeholder of each variable: those with the same expression and filter share one.
    pub variables: Vec<usize>,
    /// What the values of the script's own variables have to be.
    pub needed: HashMap<String, Needs>,
    /// The script's own variables whose values a second shell reads.
    pub runs: HashSet<String>,
    /// The script's own variables of which a program may take the value for an option.
    pub options: HashMap<String, &'static str>,
    /// Values may reach a place where the shell evaluates them on ways that are not seen.
    pub mixes: bool,
}

/// Where a placeholder stands and which variable carries its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct HolePlace {
    pub place: Place,
    /// Index in [`Parsed::variables`]; `None` for `raw`.
    pub variable: Option<usize>,
}

/// A part of the script.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    /// A placeholder; in a rewritten heredoc even a raw value has to be escaped.
    Hole {
        hole: usize,
        escaped: bool,
    },
}

impl ShellTemplate {
    /// Parses a command for `/bin/sh`, of which it is not known what shell it is. The warnings are for validation.
    ///
    /// # Errors
    /// All that is wrong with its placeholders, and placeholders where no value can be.
    pub fn parse(source: &str) -> Result<(Self, Vec<TemplateWarning>), Vec<TemplateError>> {
        Self::parse_for(source, "/bin/sh")
    }

    /// Parses a command for a shell, given by its name or path.
    ///
    /// # Errors
    /// As [`ShellTemplate::parse`].
    pub fn parse_for(source: &str, shell: &str) -> Result<(Self, Vec<TemplateWarning>), Vec<TemplateError>> {
        let template = Template::parse(source)?;
        if let Some(offset) = source.find('\0') {
            return Err(vec![TemplateError {
                message: "a script cannot hold a NUL character: no program can be started with one".to_owned(),
                offset,
                help: Some("write printf '\\0' to print one".to_owned()),
            }]);
        }
        let units = Units::of(&template);
        let shell = shell.rsplit('/').next().unwrap_or(shell);
        let known = KNOWN_SHELLS.contains(&shell);
        let tracked = tracker::track(&units, known);
        if !tracked.errors.is_empty() {
            return Err(tracked.errors);
        }
        let placeholders: Vec<&Placeholder> = template.expressions().collect();
        // A value that is quoted for the second shell is what that warning asks for.
        let by_offset: HashMap<usize, usize> =
            placeholders.iter().enumerate().map(|(hole, placeholder)| (placeholder.offset, hole)).collect();
        let filtered = |at: usize| {
            let hole = by_offset.get(&at).copied().filter(|hole| placeholders[*hole].filter.is_some());
            hole.is_some_and(|hole| !tracked.unquoted.contains(&hole) || units.holes[hole].raw)
        };
        let mut warnings = tracked.warnings.clone();
        warnings.retain(|warning| warning.kind != TemplateWarningKind::NestedShell || !filtered(warning.offset));
        warnings.extend(placeholders.iter().filter(|p| p.filter == Some(Filter::Raw)).map(|p| raw_warning(p)));
        for warning in warnings.iter_mut().filter(|warning| warning.kind == TemplateWarningKind::NestedShell) {
            if let Some(placeholder) = by_offset.get(&warning.offset).map(|hole| placeholders[*hole]) {
                warning.message = format!("{{{{ {} }}}}: {}", placeholder.expr.source(), warning.message);
            }
        }
        warnings.sort_by_key(|warning| warning.offset);
        let parts = parts(&units, &tracked);
        let (holes, variables) = variables(&placeholders, &tracked);
        // A script in another language was misread.
        let Variables { needed, run: runs, options, .. } =
            if known || OTHER_SHELLS.contains(&shell) { tracked.variables } else { Variables::default() };
        let mixes = tracked.mixes && !INERT_SHELLS.contains(&shell);
        Ok((Self(Arc::new(Parsed { template, parts, holes, variables, needed, runs, options, mixes })), warnings))
    }

    /// It has no placeholder.
    pub fn is_literal(&self) -> bool {
        self.0.template.is_literal()
    }

    /// Its placeholders, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Placeholder> {
        self.0.template.expressions()
    }

    /// Whether a variable of the environment may have any value at all, as [`ShellTemplate::takes_any_value`].
    pub fn takes_any_variable(&self, name: &str) -> bool {
        !self.0.needed.contains_key(name)
    }

    /// The variables that the script asks something of, or runs, in alphabetical order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&str> = self.0.needed.keys().chain(&self.0.runs).map(String::as_str).collect();
        names.into_iter()
    }

    /// A second shell that reads the script's standard input, or text that comes from there, as a script.
    pub fn input(&self) -> Option<Input> {
        self.runs_variable(STDIN).then(Input::default)
    }

    /// Whether a second shell reads an argument of the script, which are numbered from 1.
    pub fn runs_argument(&self, number: usize) -> bool {
        self.runs_variable(&argument("", number)) || self.runs_variable("(@")
    }

    /// Checks an argument of the script, as [`ShellTemplate::check_variable`].
    ///
    /// # Errors
    /// The value is not what the script needs.
    pub fn check_argument(&self, number: usize, value: &str) -> Result<(), RenderError> {
        self.check_variable(&argument("", number), value)?;
        self.check_variable("(@", value)
    }

    /// Whether a second shell reads the value of a variable of the environment.
    pub fn runs_variable(&self, name: &str) -> bool {
        self.0.runs.contains(name)
    }

    /// Checks the value of a variable of the environment with which the script calculates, or takes it as a name.
    ///
    /// # Errors
    /// The value is not what the script needs.
    pub fn check_variable(&self, name: &str, value: &str) -> Result<(), RenderError> {
        if let Some(needed) = self.0.needed.get(name).and_then(|needs| needs.refuses(value)) {
            return Err(RenderError::new(RenderErrorKind::Value, "", format!("the value has to be {needed}")));
        }
        match self.0.options.get(name).filter(|_| value.starts_with('-')) {
            Some(program) => {
                let message = format!("the value has to be {}", refusal(program));
                Err(RenderError::new(RenderErrorKind::Value, "", message).help(OPTION_HELP))
            }
            None => Ok(()),
        }
    }

    /// The script evaluates what it has from out of sight: see [`ShellTemplate::check_together`].
    pub fn mixes(&self) -> bool {
        self.0.mixes
    }

    /// Whether a value holds something that a shell runs where it evaluates values.
    pub fn could_run(value: &str) -> bool {
        value.contains('`') || ["$(", "${", "$["].iter().any(|start| value.contains(start))
    }

    /// Checks all values that the command is given, however it is given them. Only where the script evaluates what it has from
    /// out of sight, say from a file, can one be refused: it could be a value, which would be run there.
    ///
    /// # Errors
    /// The values hold an array index and something that a shell runs in one.
    pub fn check_together<'v>(&self, values: impl Iterator<Item = &'v str> + Clone) -> Result<(), RenderError> {
        let (mut indexes, mut texts) = (values.clone().filter(|value| value.contains('[')), values);
        if !self.0.mixes || indexes.next().is_none() || !texts.any(Self::could_run) {
            return Ok(());
        }
        let message = "a value holds `[` and one holds `$(`, `${`, `$[` or a backquote: the script calculates with what it reads \
                       from commands or files, or takes it as a name, and the shell would run a value that came that way";
        let help = "let the script calculate only with what it has made digits of: n=${n//[!0-9]/}; or let the parameter's \
                    `pattern` refuse such values";
        Err(RenderError::new(RenderErrorKind::Value, "", message).help(help))
    }

    /// Whether each placeholder, in order, may have any value at all: some shells evaluate values in some places, and
    /// there it is looked at when it is rendered.
    pub fn takes_any_value(&self) -> impl Iterator<Item = bool> {
        self.0.holes.iter().map(|hole| hole.place.needs == Needs::Anything)
    }
}

pub(crate) fn raw_warning(placeholder: &Placeholder) -> TemplateWarning {
    TemplateWarning {
        kind: TemplateWarningKind::Raw,
        message: format!("the value of `{}` becomes part of the shell program", placeholder.expr.source()),
        offset: placeholder.offset,
        help: Some("leave `| raw` out, unless the value is a piece of shell code that only you can set".to_owned()),
    }
}

/// Gives each placeholder a variable.
fn variables(placeholders: &[&Placeholder], tracked: &Tracked) -> (Vec<HolePlace>, Vec<usize>) {
    let mut known = HashMap::new();
    let mut variables = Vec::new();
    let mut holes = Vec::new();
    for (hole, placeholder) in placeholders.iter().enumerate() {
        let variable = (placeholder.filter != Some(Filter::Raw)).then(|| {
            *known.entry((placeholder.expr.source(), placeholder.filter)).or_insert_with(|| {
                variables.push(hole);
                variables.len() - 1
            })
        });
        holes.push(HolePlace { place: tracked.places[hole], variable });
    }
    (holes, variables)
}

/// Joins the units into parts, with heredocs rewritten.
fn parts(units: &Units, tracked: &Tracked) -> Vec<Part> {
    let mut edits = Edits::of(tracked);
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while at < units.units.len() {
        if let Some((delimiter, end)) = edits.replacement(at) {
            text.push_str(delimiter);
            at = end;
            continue;
        }
        let escaped = edits.in_body(at);
        match units.units[at] {
            Unit::Char(c) => {
                if escaped && quote::IN_HEREDOC.contains(&c) {
                    text.push('\\');
                }
                text.push(c);
            }
            Unit::Hole(hole) => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Hole { hole, escaped });
            }
        }
        at += 1;
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// The rewrites of heredocs in the order of the script. Bodies never overlap.
struct Edits<'a> {
    /// Ranges to replace, the next one last.
    replaced: Vec<(Range<usize>, &'a str)>,
    /// Bodies to escape, the next one last.
    bodies: Vec<Range<usize>>,
}

impl<'a> Edits<'a> {
    fn of(tracked: &'a Tracked) -> Self {
        let both = |r: &'a Rewrite| [(r.word.clone(), &*r.delimiter), (r.terminator.clone(), &*r.delimiter)];
        let mut replaced: Vec<_> =
            tracked.rewrites.iter().flat_map(both).filter(|(range, _)| !range.is_empty()).collect();
        replaced.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut bodies: Vec<_> = tracked.rewrites.iter().map(|rewrite| rewrite.body.clone()).collect();
        bodies.sort_by_key(|body| std::cmp::Reverse(body.start));
        Self { replaced, bodies }
    }

    fn replacement(&mut self, at: usize) -> Option<(&'a str, usize)> {
        let (range, delimiter) = self.replaced.pop_if(|(range, _)| range.start == at)?;
        Some((delimiter, range.end))
    }

    fn in_body(&mut self, at: usize) -> bool {
        while self.bodies.last().is_some_and(|body| body.end <= at) {
            self.bodies.pop();
        }
        self.bodies.last().is_some_and(|body| body.contains(&at))
    }
}
