//! `pulse check` at a terminal: the line of a finding, with a caret below its place.

use crate::program::{pulse, ran};

/// What is shown of the only finding of a document: the line and the caret's.
fn shown(document: &str) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("flow.yaml"), document).unwrap();
    let checked = ran(pulse(directory.path(), &["check", "flow.yaml"]));
    let lines: Vec<&str> = checked.out.lines().collect();
    assert!(lines.len() >= 3 && lines.iter().filter(|line| line.starts_with("flow.yaml:")).count() == 1, "{lines:?}");
    (lines[1].to_owned(), lines[2].to_owned())
}

/// What stands above the caret.
fn pointed_at((line, caret): (String, String), length: usize) -> String {
    line.chars().skip(caret.chars().take_while(|c| *c != '^').count()).take(length).collect()
}

#[test]
fn the_caret_stands_below_the_place_in_a_script() {
    let document = "steps:\n  - command: |\n      set -e\n      \techo größer {{ nope }}\n";
    let (line, caret) = shown(document);
    assert!(line.starts_with("     4 |        echo größer {{ nope }}"), "{line}");
    assert_eq!(pointed_at((line, caret), 4), "nope");
}

#[test]
fn of_a_long_line_the_part_around_the_place_is_shown() {
    let long = "x".repeat(400);
    let document = format!(r#"{{"steps": [{{"command": "echo {long} {{{{ nope }}}} {long}"}}]}}"#);
    let (line, caret) = shown(&document);
    assert!(line.chars().count() < 180 && line.starts_with("     1 | …xxx"), "{line}");
    assert_eq!(pointed_at((line, caret), 4), "nope");
}

#[test]
fn a_value_for_a_childs_secret_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let kid = |kind: &str| {
        format!("name: Kid\nparams: [{{name: s, type: {kind}, required: false}}]\nsteps: [{{command: 'true'}}]\n")
    };
    let main = "steps:\n  - {id: a, workflow: kid, params: {s: x}}\n";
    std::fs::write(directory.path().join("main.yaml"), main).unwrap();
    let check = |kind: &str| {
        std::fs::write(directory.path().join("kid.yaml"), kid(kind)).unwrap();
        ran(pulse(directory.path(), &["check", "main.yaml"]))
    };
    let checked = check("secret");
    assert_eq!(checked.code, 1, "{}", checked.out);
    assert!(
        checked.out.starts_with("main.yaml:2:40: error[E022]: the parameter `s` of `Kid` is a secret"),
        "{}",
        checked.out
    );
    assert_eq!(check("string").code, 0);
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_the_others() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("good.yaml"), "steps: [{command: ls}]").unwrap();
    std::fs::write(directory.path().join("bad.yaml"), "steps: []").unwrap();
    let checked = ran(pulse(directory.path(), &["check", "missing.yaml", "good.yaml", "bad.yaml"]));
    assert_eq!((checked.code, checked.err.as_str()), (2, "error: missing.yaml: there is no such file\n"));
    assert!(checked.out.starts_with("good.yaml: no findings\nbad.yaml:1:"), "{}", checked.out);
    let checked = ran(pulse(directory.path(), &["check", "--json", "missing.yaml", "good.yaml"]));
    let results: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!((checked.code, &results["good.yaml"]["valid"]), (2, &true.into()));
}
