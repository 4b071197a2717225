//! Starting the process. Without anything between fork and exec, so that the standard library can use `posix_spawn`:
//! a fork of a large process costs several times as much.

use super::Request;
use super::environment::{Environment, MARKER};
use pulse_core::command::CommandSpec;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// The shell of a script that names none.
const SHELL: &str = "/bin/sh";

/// Starts the command as the leader of a process group of its own, with its output piped.
///
/// # Errors
/// In words, naming what is wrong: the program, the directory, a variable.
pub fn spawn(request: &Request, environment: &Environment) -> Result<Child, String> {
    let spec = &request.spec;
    let (program, mut command) = command(spec)?;
    for name in environment.withheld() {
        command.env_remove(name);
    }
    for (name, value) in &spec.env {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!("the environment variable name {name:?} is not valid"));
        }
        if value.contains('\0') {
            return Err(format!("the environment variable {name} has a NUL byte"));
        }
        command.env(name, value);
    }
    command.env(MARKER, request.command_id.to_string());
    if let Some(cwd) = &spec.cwd {
        command.current_dir(cwd);
    }
    command
        .stdin(if spec.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        // Only for a runner that is dropped: an end in order is the runner's business.
        .kill_on_drop(true);
    command.spawn().map_err(|error| match &spec.cwd {
        Some(cwd) if !Path::new(cwd).is_dir() => format!("the working directory {cwd:?} does not exist"),
        _ => format!("the program {program:?} could not be started: {error}"),
    })
}

fn command(spec: &CommandSpec) -> Result<(&str, Command), String> {
    match (&spec.command, spec.argv.split_first()) {
        (Some(script), None) => {
            let shell = spec.shell.as_deref().unwrap_or(SHELL);
            let mut command = Command::new(shell);
            command.arg("-c").arg(script);
            Ok((shell, command))
        }
        (None, Some((program, arguments))) => {
            let mut command = Command::new(program);
            command.args(arguments);
            Ok((program, command))
        }
        (Some(_), Some(_)) => Err("it has both a script and an argument list".to_owned()),
        (None, None) => Err("it has neither a script nor an argument list".to_owned()),
    }
}
