//! Starting the process. Without anything between fork and exec, so that the standard library can use `posix_spawn`:
//! a fork of a large process costs several times as much.

use super::Request;
use super::environment::{Environment, MARKER};
use pulse_core::command::CommandSpec;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
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
    let (program, mut command) = command(spec, environment)?;
    command.env_clear().envs(environment.variables().iter().map(|(name, value)| (name, value)));
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
    if let Some(cwd) = spec.cwd.as_ref().map(Path::new).or(environment.directory().map(PathBuf::as_path)) {
        command.current_dir(cwd);
    }
    command
        .stdin(if spec.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        // Only for a runner that is dropped: an end in order is the runner's business.
        .kill_on_drop(true);
    command.spawn().map_err(|error| match (&spec.cwd, environment.directory()) {
        (Some(cwd), _) if !Path::new(cwd).is_dir() => format!("the working directory {cwd:?} does not exist"),
        (None, Some(cwd)) if !cwd.is_dir() => format!("the worker's working directory {cwd:?} does not exist"),
        _ => format!("the program {program:?} could not be started: {error}"),
    })
}

fn command<'a>(spec: &'a CommandSpec, environment: &Environment) -> Result<(&'a str, Command), String> {
    match (&spec.command, spec.argv.split_first()) {
        (Some(script), None) => {
            let shell = spec.shell.as_deref().unwrap_or(SHELL);
            let mut command = found(shell, spec, environment);
            command.arg("-c").arg(script);
            Ok((shell, command))
        }
        (None, Some((program, arguments))) => {
            let mut command = found(program, spec, environment);
            command.args(arguments);
            Ok((program, command))
        }
        (Some(_), Some(_)) => Err("it has both a script and an argument list".to_owned()),
        (None, None) => Err("it has neither a script nor an argument list".to_owned()),
    }
}

/// A program looked up in the path of the command's own environment. The standard library would do so, too, but then
/// starts it by fork instead of `posix_spawn`.
fn found(program: &str, spec: &CommandSpec, environment: &Environment) -> Command {
    let given = spec.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| OsStr::new(value));
    let own = environment.variables().iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let candidates = given.or(own).filter(|_| !program.contains('/') && !program.is_empty());
    let mut candidates =
        candidates.into_iter().flat_map(std::env::split_paths).map(|directory| directory.join(program));
    match candidates.find(|path| path.is_absolute() && is_executable(path)) {
        Some(path) => {
            let mut command = Command::new(path);
            command.arg0(program);
            command
        }
        None => Command::new(program),
    }
}

fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}
