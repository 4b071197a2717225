//! What an operator does to a server that is stopped: another version of it, and summaries made again from the journals.

use super::installation::Installation;
use crate::program::Ran;
use serde_json::{Value, json};

/// A server with the installation's database, which has to end by itself.
fn server(installation: &Installation, arguments: &[&str]) -> Ran {
    let arguments = [&["server", "--listen", "127.0.0.1:0"], arguments].concat();
    installation.pulse_with(&arguments, &[("PULSE_DATABASE_URL", &installation.database_url())])
}

/// Runs a command to its end and answers its execution.
fn executed(installation: &Installation, command: &str) -> Value {
    let body = json!({"command": command, "targets": ["all"]});
    let (status, body) = installation.call("POST", "/api/commands", Some(body));
    assert_eq!(status, 202, "{body}");
    installation.wait_for(body["id"].as_str().unwrap(), &["completed", "failed"])
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let mut installation = Installation::start();
    let before = executed(&installation, "echo kept");
    installation.stop();
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_later', 0)";
    assert_eq!(installation.change_database(later), 1);

    for arguments in [&[][..], &["--rebuild"]] {
        let ran = server(&installation, arguments);
        let errors: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!((ran.code, errors.len()), (1, 1), "{}", ran.err);
        assert!(errors[0].contains("newer PULSE") && errors[0].contains("m20991231_000001_later"), "{}", ran.err);
        assert!(errors[0].contains("start that version"), "it says what to do: {}", ran.err);
    }

    // The version that knows it finds everything.
    assert_eq!(
        installation.change_database("DELETE FROM seaql_migrations WHERE version = 'm20991231_000001_later'"),
        1
    );
    installation.start_again();
    assert_eq!(installation.execution(before["id"].as_str().unwrap()), before);
}

#[test]
fn summaries_are_made_again_from_journals() {
    let mut installation = Installation::start();
    let before = [executed(&installation, "echo first"), executed(&installation, "exit 3")];
    installation.stop();
    let journals = |ran: Ran| {
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.trim().to_owned()
    };
    assert_eq!(journals(server(&installation, &["--rebuild"])), "2 journals read, 0 summaries written");

    // One is gone, and one is wrong.
    assert_eq!(installation.change_database("DELETE FROM executions WHERE status = 'completed'"), 1);
    assert_eq!(installation.change_database("UPDATE executions SET status = 'running', last_seq = last_seq - 1"), 1);
    assert_eq!(journals(server(&installation, &["--rebuild"])), "2 journals read, 2 summaries written");
    assert_eq!(journals(server(&installation, &["--rebuild"])), "2 journals read, 0 summaries written");

    installation.start_again();
    for execution in before {
        assert_eq!(installation.execution(execution["id"].as_str().unwrap()), execution);
    }
    let listed = installation.get("/api/executions?status=failed");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

/// A journal that does not fold is named and left alone.
#[test]
fn a_damaged_journal_is_named() {
    let mut installation = Installation::start();
    let execution = executed(&installation, "echo once");
    let id = execution["id"].as_str().unwrap();
    installation.stop();
    assert_eq!(installation.change_database("DELETE FROM execution_events WHERE seq = 2"), 1);
    let ran = server(&installation, &["--rebuild"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("1 journal read, 0 summaries written"), "{}", ran.out);
    assert!(ran.out.contains(id) && ran.out.contains("1 journal is damaged"), "{}", ran.out);
}
