//! Help: grouped, with examples.

use crate::program::{pulse, ran};

#[test]
fn verbs_are_grouped() {
    let directory = tempfile::tempdir().unwrap();
    let help = ran(pulse(directory.path(), &["--help"]));
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    let expected = "\
  run          Run a workflow, follow it, answer its questions
  exec         Run one command on workers

Executions:
  ps           List executions, the latest first
  show         Show one execution: steps, values, an open question
  logs         Print the output of an execution's commands
  respond      Answer the question an execution waits for
  abort        Stop an execution and what it runs on workers
  replay       Push a recorded execution through its definition, or an edited one

Workflows:
  workflow     List, print, store and remove workflows
";
    assert!(help.out.contains(expected), "{}", help.out);
    for part in
        ["Usage: pulse", "Start here:", "Access:", "Examples:", "pulse run disk-check -p limit=80", "--server <URL>"]
    {
        assert!(help.out.contains(part), "{part}: {}", help.out);
    }
    assert!(help.out.lines().all(|line| line.chars().count() <= 100), "{}", help.out);
    assert!(!help.out.contains('\x1b'));
}

#[test]
fn every_verb_has_help_without_a_full_stop() {
    let command = pulse_cli::cli::command();
    for verb in command.get_subcommands() {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.ends_with('.'), "{}: {about}", verb.get_name());
        let directory = tempfile::tempdir().unwrap();
        let help = ran(pulse(directory.path(), &[verb.get_name(), "--help"]));
        assert!(help.code == 0 && help.out.starts_with(&about), "{}", help.out);
    }
    command.debug_assert();
}

#[test]
fn every_variable_that_is_read_is_one_that_a_server_knows() {
    let command = pulse_cli::cli::command();
    let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments).chain(command.get_arguments());
    let names: Vec<&str> = arguments.filter_map(|argument| argument.get_env()?.to_str()).collect();
    assert!(names.contains(&"PULSE_DATA") && names.contains(&"PULSE_WEBHOOK_ALLOW"), "{names:?}");
    for name in names.iter().filter(|name| name.starts_with("PULSE_")) {
        assert!(pulse_server::is_setting(name), "{name} stops the start of a server");
    }
}

#[test]
fn nothing_asked_for_is_answered_with_help() {
    let directory = tempfile::tempdir().unwrap();
    let nothing = ran(pulse(directory.path(), &[]));
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("Start here:"));
    assert!(ran(pulse(directory.path(), &["--version"])).out.starts_with("pulse 0."));
}

#[test]
fn completions_for_every_shell() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ran(pulse(directory.path(), &["completions", shell]));
        assert!(script.code == 0 && script.out.contains("disk-check") | script.out.contains("respond"), "{shell}");
    }
}

#[test]
fn no_verb_has_an_argument_with_the_id_of_a_global_one() {
    fn check(command: &clap::Command, globals: &[&str]) {
        for verb in command.get_subcommands() {
            let clash = verb.get_arguments().find(|argument| globals.contains(&argument.get_id().as_str()));
            assert!(clash.is_none(), "{} {clash:?}", verb.get_name());
            check(verb, globals);
        }
    }
    let command = pulse_cli::cli::command();
    let globals: Vec<&str> = command.get_arguments().map(|argument| argument.get_id().as_str()).collect();
    assert_eq!(globals.iter().filter(|id| id.starts_with("global-")).count(), 2);
    check(&command, &globals);
}
