//! Quick commands: an execution of one step, whose definition is made here.

use serde_json::json;

/// The definition (JSON) of a quick command: one execute step. Nothing in the command is a template.
///
/// `timeout_s` is in seconds; `parallel` is how many workers run it at once, all when `None`. With fewer than all at
/// once, the first failure stops the roll-out, as in any execute step.
pub fn quick_command(command: &str, timeout_s: f64, parallel: Option<u32>) -> String {
    let literal = command.replace("{{", "{{{{");
    let parallel = parallel.map_or_else(|| json!("all"), |count| json!(count));
    json!({
        "steps": [{
            "id": "command",
            "type": "execute",
            "command": literal,
            "timeout": timeout_s,
            "strategy": {"parallel": parallel},
        }]
    })
    .to_string()
}

/// The command of a definition that [`quick_command`] made.
pub fn quick_command_text(definition: &str) -> Option<String> {
    let definition: serde_json::Value = serde_json::from_str(definition).ok()?;
    Some(definition["steps"][0]["command"].as_str()?.replace("{{{{", "{{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_comes_back() {
        for command in ["uptime", "echo '{{ x }}' {{{{", "a\nb \"c\""] {
            assert_eq!(quick_command_text(&quick_command(command, 5.0, None)).as_deref(), Some(command));
        }
        assert_eq!(quick_command_text("steps: []"), None);
    }
}
