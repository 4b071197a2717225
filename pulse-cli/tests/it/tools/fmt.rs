//! `pulse fmt`: in place, checked, refused; and for every definition of the repository.

use super::{examples, files};
use crate::program::{pulse, ran, ran_with_input};
use pulse_cli::format::format;
use pulse_core::diagnostic::Diagnostics;
use pulse_core::yaml;

#[test]
fn every_definition_of_the_repository_keeps_its_meaning() {
    let value = |text: &str| yaml::read(text, &mut Diagnostics::default()).unwrap().to_json();
    for path in files("examples", "yaml").into_iter().chain(files("pulse-engine/tests", "yaml")) {
        let source = std::fs::read_to_string(&path).unwrap();
        let text = format(&source).unwrap_or_else(|refused| panic!("{path:?}: {refused}"));
        assert_eq!(value(&text), value(&source), "{path:?}");
        assert_eq!(format(&text).unwrap(), text, "{path:?}");
    }
}

#[test]
fn examples_are_formatted() {
    let directory = tempfile::tempdir().unwrap();
    for (path, _) in examples() {
        let checked = ran(pulse(directory.path(), &["fmt", "--check", path.to_str().unwrap()]));
        assert_eq!(
            (checked.code, checked.out.as_str(), checked.err.as_str()),
            (0, "", ""),
            "{path:?}: run `pulse fmt`"
        );
    }
}

#[test]
fn files_are_changed_in_place_and_only_then() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    let (untidy, tidy) = ("steps:\n-   run:   x # why\n", "steps:\n  - run: x # why\n");
    std::fs::write(&file, untidy).unwrap();
    let run = |arguments: &[&str]| {
        let ran = ran(pulse(directory.path(), &[&["fmt"], arguments].concat()));
        (ran.code, ran.out + ran.err.as_str())
    };
    assert_eq!(run(&["--check", "a.yaml"]), (1, "not formatted: a.yaml\n".to_owned()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), untidy);
    assert_eq!(run(&["a.yaml"]), (0, "formatted: a.yaml\n".to_owned()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), tidy);
    assert_eq!(run(&["a.yaml"]), (0, String::new()));
    assert_eq!(run(&["--check", "a.yaml"]), (0, String::new()));
    let piped = ran_with_input(pulse(directory.path(), &["fmt", "-"]), untidy);
    assert_eq!((piped.code, piped.out.as_str()), (0, tidy));
}

#[test]
fn what_cannot_be_formatted_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let broken = "steps:\n\t- run: x\n";
    let moving = "steps:\n    - run: |2\n          x\n";
    std::fs::write(directory.path().join("broken.yaml"), broken).unwrap();
    std::fs::write(directory.path().join("moving.yaml"), moving).unwrap();
    std::fs::write(directory.path().join("good.yaml"), "steps: [ {run: x} ]").unwrap();
    let done = ran(pulse(directory.path(), &["fmt", "broken.yaml", "moving.yaml", "good.yaml"]));
    assert_eq!((done.code, done.out.as_str()), (1, "formatted: good.yaml\n"));
    for part in [
        "broken.yaml: it is not YAML that can be read\n",
        "  broken.yaml:2:",
        "moving.yaml: it is left as it is: formatting it would change a value\n",
    ] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    assert_eq!(std::fs::read_to_string(directory.path().join("broken.yaml")).unwrap(), broken);
    assert_eq!(std::fs::read_to_string(directory.path().join("moving.yaml")).unwrap(), moving);
}
