//! Templates, from outside. Commands are run by real shells: what matters is what a shell makes of them.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "these tests run the shells that workers run")]

mod argv;
mod canary;
mod contexts;
mod evaluated;
mod flows;
mod input;
mod refused;
mod second_shell;
mod text;

use pulse_engine::expr::Scope;
use pulse_engine::template::{RenderedScript, ShellTemplate, TemplateWarning};
use serde_json::Value;
use std::process::Command;
use std::sync::Arc;

/// A scope in which templates find these bare names.
pub fn scope(params: Value) -> Scope {
    let params = Arc::new(params);
    let mut scope = Scope::new();
    scope.set("params", params.clone());
    scope.bare(params);
    scope
}

pub fn parse(source: &str) -> (ShellTemplate, Vec<TemplateWarning>) {
    ShellTemplate::parse(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

pub fn render(source: &str, params: Value) -> RenderedScript {
    parse(source).0.render(&scope(params)).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

/// Standard output of a script, run by a shell in an empty directory of its own.
pub fn run(shell: &str, script: &str, env: &[(String, String)]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(shell);
    command.arg("-c").arg(script).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command.envs(env.iter().map(|(name, value)| (name, value))).current_dir(directory.path());
    let output = command.output().unwrap();
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 0, "{shell} ran something: {script} with {env:?}");
    assert!(
        output.stderr.is_empty(),
        "{shell}: {} in {script:?} with {env:?}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Values that have hurt someone.
pub const HOSTILE: &[&str] = &[
    "",
    " ",
    "plain",
    "two words",
    "  spaces  around  ",
    "'; touch canary; #",
    "\"; touch canary; #",
    "$(touch canary)",
    "`touch canary`",
    "\\`touch canary\\`",
    "a'b\"c'd\"e",
    "'",
    "''",
    "\"",
    "\\",
    "\\\\",
    "a\\",
    "\\n\\t",
    "line\nfeed",
    "\n",
    "trailing\n\n",
    "\ttab",
    "EOF",
    "\nEOF\ntouch canary\n",
    "EOF\ntouch canary",
    "PULSE_EOF",
    "-rf",
    "--help",
    "*",
    "?[a-z]*",
    "~",
    "$HOME ${HOME} $1 $$",
    "${PULSE_V1}",
    "{{ x }}",
    "a;b|c&d>e<f(g)h{i}j!k#l",
    "#comment",
    "!!",
    "a=b",
    "x[$(touch canary)]",
    "größe 😀 \u{202e}",
    "\u{1b}[31m",
    "%s%n%d",
    "&",
    "}",
    "})",
    "; }; touch canary; {",
    "0",
    "esac",
    ";;",
];
