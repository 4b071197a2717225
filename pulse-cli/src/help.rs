//! The first page of help: verbs in groups, then examples. Which group a verb is in is said here; its one-line
//! description comes from the verb itself.

use std::fmt::Write as _;

/// Groups of verbs, in the order in which a newcomer needs them. A name without a verb is left out, and a verb without
/// a group is listed under "More".
const GROUPS: &[(&str, &[&str])] = &[
    ("Start here", &["up", "run", "exec"]),
    ("Executions", &["ps", "show", "logs", "respond", "abort", "rerun", "diff", "replay"]),
    ("Workflows", &["workflow", "check", "test", "graph", "fmt", "schema", "schedule", "webhook", "import"]),
    ("Server and workers", &["server", "worker"]),
    ("Access", &["login", "token", "user", "audit"]),
    ("More", &["completions", "bench"]),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("pulse up", "server, worker and dashboard in one process"),
    ("pulse run disk-check -p limit=80", "run a workflow and follow it"),
    ("pulse exec --on all -- uptime", "one command on every worker"),
    ("pulse ps --status waiting", "what waits for a person"),
];

/// Columns of a verb's name and of an example's command.
const VERB_WIDTH: usize = 12;
const EXAMPLE_WIDTH: usize = 34;

/// The help template of the whole program.
pub fn template(command: &clap::Command) -> String {
    let mut text = String::from("{about}\n\n{usage-heading} {usage}\n");
    let name_of = |c: &clap::Command| c.get_name().to_owned();
    let grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let visible: Vec<&clap::Command> = command.get_subcommands().filter(|c| !c.is_hide_set()).collect();
    for (heading, names) in GROUPS {
        let mut verbs: Vec<&&clap::Command> =
            names.iter().filter_map(|name| visible.iter().find(|c| c.get_name() == *name)).collect();
        if *heading == "More" {
            verbs.extend(visible.iter().filter(|c| !grouped(c.get_name())));
        }
        if verbs.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{}\n", bold(&format!("{heading}:")));
        for verb in verbs {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {} {about}", bold(&format!("{:VERB_WIDTH$}", name_of(verb))));
        }
    }
    let _ = write!(text, "\n{}\n{{options}}\n\n{}\n", bold("Options:"), bold("Examples:"));
    for (example, says) in EXAMPLES {
        let _ = writeln!(text, "  {example:EXAMPLE_WIDTH$} {says}");
    }
    text.push_str("\n`pulse VERB --help` tells more about a verb.\n");
    text
}

/// Bold, for clap to strip where there is no terminal or NO_COLOR is set.
fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}
