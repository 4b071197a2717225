//! A command as one text for a shell. The first PULSE's agent takes nothing else: no environment, directory, standard
//! input, shell or argument list; all of them are spelled out, with every value in single quotes.

use pulse_core::command::CommandSpec;
use pulse_core::ids::CommandId;
use std::fmt::Write as _;

/// The longest text, in bytes: Linux takes no argument above 128 KiB, and the agent's shell gets the text as one.
const LONGEST: usize = 120 * 1024;

/// The text, or why there is none.
///
/// # Errors
/// What this agent cannot do, in words.
pub fn shell_text(id: CommandId, spec: &CommandSpec) -> Result<String, String> {
    let mut text = format!("export PULSE_COMMAND_ID={}", quoted(&id.to_string())?);
    for (name, value) in &spec.env {
        if !is_name(name) {
            return Err(format!("an agent of the first PULSE cannot be given the variable `{name}`"));
        }
        // Writing to a string cannot fail.
        let _ = write!(text, " {name}={}", quoted(value)?);
    }
    text.push('\n');
    if let Some(directory) = &spec.cwd {
        // A name that begins with a hyphen is no option, and CDPATH has no say.
        let _ = writeln!(text, "CDPATH= cd -- {} || exit", quoted(directory)?);
    }
    let program = match (&spec.command, spec.argv.as_slice()) {
        (Some(script), _) => {
            format!("{} -c {}", quoted(spec.shell.as_deref().unwrap_or("/bin/sh"))?, quoted(script)?)
        }
        (None, [program, rest @ ..]) => {
            let mut line = quoted(program)?;
            for argument in rest {
                let _ = write!(line, " {}", quoted(argument)?);
            }
            line
        }
        (None, []) => return Err("there is nothing to run".to_owned()),
    };
    match &spec.stdin {
        // The status of a pipeline is that of its last part.
        Some(stdin) => _ = write!(text, "printf %s {} | {program}", quoted(stdin)?),
        None => _ = write!(text, "exec {program} </dev/null"),
    }
    if text.len() > LONGEST {
        return Err(format!("it is longer than the {} KiB that an agent of the first PULSE can take", LONGEST / 1024));
    }
    Ok(text)
}

/// A value as one word of a shell, whatever is in it.
fn quoted(value: &str) -> Result<String, String> {
    if value.contains('\0') {
        return Err("a value holds a NUL character, which no shell takes".to_owned());
    }
    Ok(format!("'{}'", value.replace('\'', r"'\''")))
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn spec() -> CommandSpec {
        CommandSpec {
            command: None,
            argv: Vec::new(),
            shell: None,
            env: Vec::new(),
            cwd: None,
            stdin: None,
            timeout_ms: 1_000,
            secrets: Vec::new(),
        }
    }

    /// What `sh` makes of it, as the agent has it run: output and exit code.
    fn run(spec: &CommandSpec) -> (String, Option<i32>) {
        let text = shell_text(CommandId(uuid::Uuid::from_u128(7)), spec).unwrap();
        let output = Command::new("/bin/sh").arg("-c").arg(text).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    const HOSTILE: &[&str] = &[
        "'; echo pwned; '",
        "$(echo pwned)",
        "`echo pwned`",
        "a\nb",
        "\"",
        "\\",
        "-n",
        "*",
        " a  b ",
        "{{ x }}",
        "äö🦀",
        "",
    ];

    #[test]
    fn values_stay_values_wherever_they_go() {
        for value in HOSTILE {
            let by_env = CommandSpec {
                command: Some(r#"printf %s "$V""#.into()),
                env: vec![("V".into(), (*value).into())],
                ..spec()
            };
            assert_eq!(run(&by_env), ((*value).to_owned(), Some(0)), "{value:?} by variable");
            let argv = ["printf", "%s", "--", value].map(str::to_owned);
            let argv = if value.starts_with('-') {
                argv.to_vec()
            } else {
                vec![argv[0].clone(), argv[1].clone(), argv[3].clone()]
            };
            let by_argument = CommandSpec { argv: argv.clone(), ..spec() };
            if !value.starts_with('-') {
                assert_eq!(run(&by_argument), ((*value).to_owned(), Some(0)), "{value:?} by argument");
            }
            let by_stdin = CommandSpec { argv: vec!["cat".into()], stdin: Some((*value).into()), ..spec() };
            assert_eq!(run(&by_stdin), ((*value).to_owned(), Some(0)), "{value:?} by standard input");
        }
    }

    #[test]
    fn shell_directory_identity_and_exit_code_are_as_elsewhere() {
        let script = |script: &str| CommandSpec { command: Some(script.into()), ..spec() };
        assert_eq!(run(&script("exit 7")).1, Some(7));
        assert_eq!(run(&CommandSpec { stdin: Some("x".into()), ..script("cat >/dev/null; exit 3") }).1, Some(3));
        assert_eq!(run(&CommandSpec { cwd: Some("/usr/lib".into()), ..script("pwd") }).0, "/usr/lib\n");
        assert_eq!(run(&CommandSpec { cwd: Some("/no such".into()), ..script("echo ran") }).0, "");
        assert_eq!(
            run(&CommandSpec { shell: Some("/bin/bash".into()), ..script("echo ${BASH_VERSION:+bash}") }).0,
            "bash\n"
        );
        assert_eq!(run(&script("echo $PULSE_COMMAND_ID")).0, "00000000-0000-0000-0000-000000000007\n");
        assert_eq!(run(&script("cat; echo end")).0, "end\n", "standard input is empty");
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let id = CommandId(uuid::Uuid::nil());
        let long = CommandSpec { command: Some("x".repeat(LONGEST)), ..spec() };
        assert!(shell_text(id, &long).unwrap_err().contains("longer than"));
        let nul = CommandSpec { argv: vec!["a\0b".into()], ..spec() };
        assert!(shell_text(id, &nul).unwrap_err().contains("NUL"));
        let name = CommandSpec { argv: vec!["a".into()], env: vec![("a;b".into(), String::new())], ..spec() };
        assert!(shell_text(id, &name).unwrap_err().contains("`a;b`"));
    }
}
