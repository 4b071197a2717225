//! `pulse check --explain`: entries that say what is so, and a page of them that is current.

use super::repository;
use crate::program::{pulse, ran};
use pulse_core::diagnostic::Code;
use pulse_core::explain;
use std::collections::BTreeSet;

/// Codes without an example: what a version does not run changes with the version, and targets need a server.
const WITHOUT_EXAMPLE: &[&str] = &["E017", "W009"];

fn found(document: &str) -> BTreeSet<String> {
    pulse_engine::load(document).diagnostics.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn wrong_examples_are_wrong_as_said_and_mended_ones_are_not() {
    let mut bad = Vec::new();
    for entry in explain::entries() {
        let code = entry.code.as_str();
        let Some(example) = entry.example else {
            assert!(WITHOUT_EXAMPLE.contains(&code), "{code} needs an example");
            continue;
        };
        if found(example.wrong) != BTreeSet::from([code.to_owned()]) {
            bad.push(format!("the wrong example of {code} has {:?}", pulse_engine::load(example.wrong).diagnostics));
        }
        if !found(example.mended).is_empty() {
            bad.push(format!("the mended example of {code} has {:?}", pulse_engine::load(example.mended).diagnostics));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn every_code_is_explained_at_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let explained = ran(pulse(directory.path(), &["check", "--explain", "w003"]));
    assert_eq!((explained.code, explained.err.as_str()), (0, ""));
    for part in ["warning W003: a condition that is always the same\n", "\nWrong\n    params: [limit]\n", "\nMended\n"]
    {
        assert!(explained.out.contains(part), "{part}: {}", explained.out);
    }
    let list = ran(pulse(directory.path(), &["check", "--explain", "list"]));
    assert_eq!(list.out.lines().count(), Code::ALL.len());
    let unknown = ran(pulse(directory.path(), &["check", "--explain", "W03"]));
    assert_eq!(unknown.code, 2);
    assert_eq!(
        unknown.err,
        "error: there is no code `W03`\nhint: did you mean W003? `pulse check --explain list` shows all codes\n"
    );
    assert_eq!(ran(pulse(directory.path(), &["check"])).code, 2);
}

#[test]
fn the_page_of_findings_is_current() {
    let path = repository("docs/diagnostics.md");
    let page = explain::markdown();
    if std::env::var("PULSE_UPDATE").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/diagnostics.md is not current: PULSE_UPDATE=1 cargo test -p pulse-cli tools::explain"
    );
}
