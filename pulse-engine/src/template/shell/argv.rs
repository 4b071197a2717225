//! Programs that are run without a shell, but are one, or hand text to one: `sh -c`, `ssh` and what runs them. There an
//! argument is a script, and a value in it would be code; so is standard input.

use super::nested::{misplaced, quoted_places, read_by_shell};
use super::options::{OPTION_HELP, refusal, taken_for_options};
use super::place::Needs;
use super::units::{Hole, Unit, Units};
use super::words::{HOLE, Word, of_script};
use crate::template::parsed::{Placeholder, Template};
use crate::template::{Filter, RenderError, RenderErrorKind, TemplateError, TemplateWarning, TemplateWarningKind};
use std::collections::HashSet;

/// What was found out about values in arguments or in standard input.
#[derive(Debug, Default)]
pub struct Handed {
    /// Values that would be code; each with the number of its argument.
    pub errors: Vec<(usize, TemplateError)>,
    /// Values that may be code; each with the number of its argument.
    pub warnings: Vec<(usize, TemplateWarning)>,
    /// A shell reads standard input as a script.
    pub input: Option<Input>,
    /// The number of the argument that is the script of the program, and what shell the program is.
    pub script: Option<(usize, String)>,
    /// Arguments that must not begin with `-`, and the program that would take them for options of its own.
    pub operands: Vec<(usize, &'static str)>,
}

impl Handed {
    /// Checks the value of an argument that a program could take for an option.
    ///
    /// # Errors
    /// The value begins with `-`, and options of that program can run commands.
    pub fn check_operand(value: &str, program: &str) -> Result<(), RenderError> {
        if !value.starts_with('-') {
            return Ok(());
        }
        let message = format!("the value has to be {}", refusal(program));
        Err(RenderError::new(RenderErrorKind::Value, "", message).help(OPTION_HELP))
    }
}

/// A shell that reads a script from its standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// `| sh` does not quote for it.
    other_quoting: bool,
}

/// Looks at the arguments of a program, its name among them.
pub fn arguments(templates: &[Template]) -> Handed {
    let mut holes: Vec<(usize, Hole, &Placeholder)> = Vec::new();
    let mut words = Vec::new();
    for (argument, template) in templates.iter().enumerate() {
        let units = Units::of(template);
        let mut word = Word { plain: units.holes.is_empty(), ..Word::default() };
        for unit in &units.units {
            match unit {
                Unit::Char(c) => {
                    word.spaced |= c.is_whitespace();
                    word.text.push(of_script(*c));
                }
                Unit::Hole(hole) => {
                    word.text.push(HOLE);
                    word.holes.push(holes.len() + hole);
                }
            }
        }
        let placeholders = units.holes.iter().copied().zip(template.expressions());
        holes.extend(placeholders.map(|(hole, placeholder)| (argument, hole, placeholder)));
        words.push(word);
    }
    let read = read_by_shell(&words, &HashSet::new());
    let mut script = Vec::new();
    for word in &read.script {
        if !script.is_empty() {
            script.push(Unit::Char(' '));
        }
        script.extend(word.units());
    }
    let mut handed = Handed::default();
    for (word, program) in taken_for_options(&words) {
        let argument = words.iter().position(|other| std::ptr::eq(other, word));
        handed.operands.extend(argument.map(|argument| (argument, program)));
    }
    let other_quoting = read.other_quoting;
    handed.input = read.input.then_some(Input { other_quoting });
    if let ([only], Some(shell)) = (&read.script[..], read.shell) {
        let argument = words.iter().position(|word| std::ptr::eq(word, *only));
        handed.script = argument.map(|argument| (argument, shell.to_owned()));
    }
    for hole in script.iter().filter_map(|unit| if let Unit::Hole(hole) = unit { Some(*hole) } else { None }) {
        let (argument, _, placeholder) = holes[hole];
        match placeholder.filter {
            None => {
                let remote = words[..argument].iter().any(|word| word.program() == "ssh");
                handed.errors.push((argument, unquoted(placeholder, remote)));
            }
            Some(Filter::Raw) => handed.warnings.push((argument, super::script::raw_warning(placeholder))),
            Some(Filter::Sh) => {}
        }
    }
    let only_holes: Vec<Hole> = holes.iter().map(|(_, hole, _)| *hole).collect();
    for (hole, needs) in quoted_places(&script, &only_holes, other_quoting) {
        let (argument, Hole { offset, .. }, _) = holes[hole];
        handed.errors.extend(refused(offset, needs, other_quoting).map(|error| (argument, error)));
    }
    handed
}

impl Input {
    /// Looks at a text that the shell reads as a script.
    pub fn text(self, template: &Template) -> (Vec<TemplateError>, Vec<TemplateWarning>) {
        let units = Units::of(template);
        let warned = template.expressions().filter_map(|placeholder| {
            match placeholder.filter {
            None => Some(TemplateWarning {
                kind: TemplateWarningKind::NestedShell,
                message: format!(
                    "{{{{ {} }}}}: a shell reads this text as a script, and the value can be code for it",
                    placeholder.expr.source()
                ),
                offset: placeholder.offset,
                help: Some(
                    "write {{ … | sh }}, outside of all quotes of that script, or give the value to it as an argument: \
                     argv: [sh, -s, \"{{ … }}\"], which the script reads as \"$1\""
                        .to_owned(),
                ),
            }),
            Some(Filter::Raw) => Some(super::script::raw_warning(placeholder)),
            Some(Filter::Sh) => None,
        }
        });
        let places = quoted_places(&units.units, &units.holes, self.other_quoting);
        let errors = places
            .into_iter()
            .filter_map(|(hole, needs)| refused(units.holes[hole].offset, needs, self.other_quoting))
            .collect();
        (errors, warned.collect())
    }
}

/// A value in an argument that a shell reads as a script.
fn unquoted(placeholder: &Placeholder, remote: bool) -> TemplateError {
    let message = format!(
        "a shell reads this argument as a script, and the value of {{{{ {} }}}} would be code for it",
        placeholder.expr.source()
    );
    TemplateError::new(placeholder.offset, message).help(match remote {
        true => {
            "write {{ … | sh }}, outside of all quotes: ssh joins its arguments, and the shell there reads them as a script"
        }
        false => {
            "give the value to the script as a further argument: argv: [sh, -c, 'echo \"$1\"', sh, \"{{ … }}\"]; or write \
             {{ … | sh }}, outside of all quotes of the script; or use `command`, in which values are data"
        }
    })
}

/// A value quoted for the shell that reads a script, where that does not help.
fn refused(offset: usize, needs: Option<Needs>, other_quoting: bool) -> Option<TemplateError> {
    match needs {
        None => Some(misplaced(offset, other_quoting)),
        Some(Needs::Anything) => None,
        Some(_) => {
            let message = "the shell that reads this script calculates with the value, or takes it as a name: there even a \
                           quoted value can be code";
            let help = "use `command`, in which such a value is looked at before the command is sent";
            Some(TemplateError::new(offset, message).help(help))
        }
    }
}
