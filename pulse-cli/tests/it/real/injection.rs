//! Values reach a shell as data: hostile parameters, in every place of a script, come out as they went in.

use super::installation::Installation;
use serde_json::json;

const SCRIPT: &str = r#"
name: print
params: [value]
steps:
  - id: print
    command: |
      printf '%s\0' {{ value }}
      printf '%s\0' "{{ value }}"
      printf '%s\0' '{{ value }}'
      printf '%s\0' "$(printf %s {{ value }}; printf .)"
      printf '%s\0' "$(cat <<END
      {{ value }}
      END
      )"
      printf '%s\0' "$(cat <<'END'
      {{ value }}
      END
      )"
    env: {OWN: "{{ value }}"}
  - id: argv
    argv: [printf, "%s", "{{ value }}"]
  - id: input
    command: cat
    stdin: "{{ value }}"
  - id: environment
    command: printf %s "$OWN"
    env: {OWN: "{{ value }}"}
"#;

#[test]
fn hostile_values_are_literal_everywhere() {
    let installation = Installation::start();
    let canary = installation.directory.path().join("canary");
    installation.store(SCRIPT);
    let touch = format!("touch {}", canary.display());
    let values = [
        format!("'; {touch}; #"),
        format!("\"; {touch}; #"),
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("a\n{touch}\nEND\n{touch}\n"),
        format!("$(id) ${{HOME}} '\"'\"' \\ \\\\ * ? [a] ~ && {touch} || {touch} & | > {} <", canary.display()),
        "-rf -- ünïcödé 🦀 {{ params.value }} %s %n".to_owned(),
    ];
    for value in values {
        let id = installation.execute("print", json!({"value": value}), &[]);
        let ended = installation.wait_for(&id, &["completed", "failed"]);
        assert_eq!(ended["status"], "completed", "{value:?}: {}", ended["error"]);
        assert!(!canary.exists(), "{value:?} was run");
        let shown = installation.output(&id, "step=print&stream=stdout");
        // The worker replaces NUL, here the separator, by the replacement character.
        let parts: Vec<&str> = shown.split('\u{fffd}').collect();
        // What `$( )` gives has lost its last newlines, as in any shell.
        let trimmed = value.trim_end_matches('\n');
        assert_eq!(parts[..3], [value.as_str(); 3], "bare, double, single");
        assert_eq!(parts[3], format!("{value}."), "in a substitution");
        assert_eq!(parts[4].trim_end_matches('\n'), trimmed, "heredoc");
        assert_eq!(parts[5].trim_end_matches('\n'), trimmed, "heredoc with a quoted delimiter");
        for step in ["argv", "input", "environment"] {
            assert_eq!(installation.output(&id, &format!("step={step}&stream=stdout")), value, "{step}");
        }
    }
}
