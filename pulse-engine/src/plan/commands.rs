//! Commands made ready: their scripts compiled, and what is wrong with the places of their values.

use super::{ArgvScript, Compiler, Place, PlannedProgram};
use crate::template::{
    Filter, Input, Placeholder, ShellTemplate, Template, TemplateWarning, TemplateWarningKind, arguments, raw_warning,
};
use indexmap::IndexMap;
use pulse_core::diagnostic::Code;
use pulse_core::workflow::Source;
use std::sync::Arc;

/// Shells whose programs may hold values: they know `"${NAME}"`.
const POSIX_SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "ksh93"];
/// Shells that run values as code where others do not, in `[ … ]`, `exit` or `printf`.
const EAGER_SHELLS: &[&str] = &["mksh", "lksh", "zsh"];

/// Variables whose value shells run or expand by themselves.
const RUN_VARIABLES: &[&str] = &["BASH_ENV", "PS4", "PROMPT_COMMAND"];

/// The name of a program that is given by its name or path.
fn program(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Compiler<'_> {
    /// The arguments of a program, with the script for a shell that one of them is, if it holds no value.
    pub(super) fn argv(&mut self, sources: &[Source], stdin: Option<&Source>) -> PlannedProgram {
        let argv = self.list(sources);
        if argv.len() != sources.len() {
            return PlannedProgram::Argv { argv, script: None, operands: Vec::new() };
        }
        let handed = arguments(&argv);
        for (argument, error) in handed.errors {
            self.template_errors(&sources[argument], vec![error]);
        }
        for (argument, warning) in handed.warnings {
            self.template_warnings(&sources[argument], vec![warning]);
        }
        self.input(handed.input, stdin);
        let script = handed.script.filter(|(argument, _)| argv[*argument].is_literal());
        let script = script.and_then(|(argument, shell)| {
            let (script, _) = ShellTemplate::parse_for(&sources[argument].text, &shell).ok()?;
            // The first one behind the script is its name.
            Some(ArgvScript { script, arguments: argument + 2 })
        });
        if let Some(ArgvScript { script, arguments }) = &script {
            self.script_arguments(script, sources.iter().zip(&argv).skip(*arguments));
            self.script_input(script, stdin);
        }
        PlannedProgram::Argv { argv, script, operands: handed.operands }
    }

    /// Values that a script finds as its arguments, and gives to one more shell.
    fn script_arguments<'a>(
        &mut self,
        script: &ShellTemplate,
        arguments: impl Iterator<Item = (&'a Source, &'a Template)>,
    ) {
        for (index, (source, template)) in arguments.enumerate().filter(|(index, _)| script.runs_argument(index + 1)) {
            let quoted = |placeholder: &Placeholder| placeholder.filter == Some(Filter::Sh);
            if let Some(placeholder) = template.expressions().find(|placeholder| !quoted(placeholder)) {
                let message = format!("the script runs its argument ${} as code", index + 1);
                let help = "write {{ … | sh }} where that shell reads it bare, or leave the value out";
                self.findings.add(Code::NestedShell, source, placeholder.offset, message, help);
            }
        }
    }

    /// Standard input that a shell reads as a script.
    fn input(&mut self, input: Option<Input>, stdin: Option<&Source>) {
        let (Some(input), Some(source)) = (input, stdin) else { return };
        // One that cannot be read is told where it is compiled.
        let Ok(template) = Template::parse(&source.text) else { return };
        let (errors, warnings) = input.text(&template);
        self.template_errors(source, errors);
        self.template_warnings(source, warnings);
    }

    /// Standard input that a script runs.
    fn script_input(&mut self, script: &ShellTemplate, stdin: Option<&Source>) {
        self.input(script.input(), stdin);
    }

    fn template_warnings(&mut self, source: &Source, warnings: Vec<TemplateWarning>) {
        for warning in warnings {
            let code = match warning.kind {
                TemplateWarningKind::Raw => Code::RawFilter,
                TemplateWarningKind::QuotedHeredoc => Code::QuotedHeredoc,
                TemplateWarningKind::NestedShell => Code::NestedShell,
                TemplateWarningKind::Unclosed => Code::Unclosed,
            };
            self.findings.add(code, source, warning.offset, warning.message.as_str(), warning.advice());
        }
    }

    pub(super) fn script(&mut self, shell: &str, source: &Source, stdin: Option<&Source>) -> Option<ShellTemplate> {
        let (script, warnings) = match ShellTemplate::parse_for(&source.text, shell) {
            Ok(parsed) => parsed,
            Err(errors) => {
                self.template_errors(source, errors);
                self.broken_script(source);
                return None;
            }
        };
        self.template_warnings(source, warnings);
        self.script_input(&script, stdin);
        let shared = Arc::new(source.clone());
        for (placeholder, takes_any) in script.expressions().zip(script.takes_any_value()) {
            let place = match (placeholder.filter, takes_any) {
                (Some(_), _) => Place::Filtered,
                (None, false) => Place::Evaluated,
                (None, true) => Place::Alone,
            };
            self.mention(&shared, placeholder, place, true);
        }
        self.shell(shell, source, &script);
        Some(script)
    }

    /// A script in which some value cannot stand where it does: what there is to say of the others all the same.
    fn broken_script(&mut self, source: &Source) {
        let Ok(template) = Template::parse(&source.text) else { return };
        let shared = Arc::new(source.clone());
        for placeholder in template.expressions() {
            let place = if placeholder.filter.is_some() { Place::Filtered } else { Place::Alone };
            self.mention(&shared, placeholder, place, true);
        }
        let raw = template.expressions().filter(|placeholder| placeholder.filter == Some(Filter::Raw));
        self.template_warnings(source, raw.map(raw_warning).collect());
    }

    /// A shell that cannot run the script, or to which no values can be handed over.
    fn shell(&mut self, shell: &str, source: &Source, script: &ShellTemplate) {
        let name = program(shell);
        let offset = script.expressions().next().map_or(0, |placeholder| placeholder.offset);
        let (code, message, help) = if shell.is_empty() || shell.contains(char::is_whitespace) || name == "busybox" {
            let message = format!("the shell `{shell}` cannot be run as `{shell} -c SCRIPT`");
            (Code::OutOfRange, message, "name one program, such as /bin/sh; options are set in the script: `set -e`")
        } else if script.is_literal() || POSIX_SHELLS.contains(&name) {
            return;
        } else if EAGER_SHELLS.contains(&name) {
            let message =
                format!("a script for `{shell}` cannot hold templates: it runs values as code even in quotes");
            (Code::BadTemplate, message, "use /bin/sh or bash, or pass values through `env`, `stdin` or `argv`")
        } else {
            let message =
                format!("a script for `{shell}` cannot hold templates: values reach only POSIX shells as data");
            (Code::BadTemplate, message, "pass values through `env`, `stdin` or `argv`")
        };
        self.findings.add(code, source, offset, message, help);
    }

    /// Values that reach a script through its environment: what the script does with them.
    pub(super) fn variables(&mut self, script: &ShellTemplate, env: &IndexMap<String, Source>) {
        for name in script.variables().chain(RUN_VARIABLES.iter().copied()) {
            let Some(source) = env.get(name).or_else(|| self.env.get(name)) else { continue };
            if !script.takes_any_variable(name) && !self.evaluated.contains(&source.path) {
                self.evaluated.insert(source.path.clone());
            }
            let quoted =
                |template: Template| template.expressions().all(|placeholder| placeholder.filter == Some(Filter::Sh));
            if (script.runs_variable(name) || RUN_VARIABLES.contains(&name))
                && !self.run.contains(&source.path)
                && self.run.insert(source.path.clone())
                && !Template::parse(&source.text).is_ok_and(quoted)
            {
                let message = format!(
                    "a shell runs or expands the value of the variable `{name}`, and the value can be code for it"
                );
                let help = "write {{ … | sh }} where that shell reads the variable bare, or leave the value out";
                let (code, source) = (Code::NestedShell, source.clone());
                self.findings.add(code, &source, 0, message, help);
            }
        }
    }

    /// What stands in entries that a script evaluates.
    pub(super) fn mark_evaluated(&mut self) {
        for mention in &mut self.mentions {
            if self.evaluated.contains(&mention.source.path) {
                mention.place = Place::Evaluated;
            }
        }
    }
}
