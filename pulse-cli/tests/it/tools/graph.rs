//! `pulse graph`: every format, for every example, with names that stay text.

use super::examples;
use crate::program::{pulse, ran, ran_with_input};

#[test]
fn every_example_is_drawn_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    for (path, _) in examples() {
        for (format, begins, ends) in [
            ("mermaid", "flowchart TD\n", "\n"),
            ("dot", "digraph workflow {\n", "\n}\n"),
            ("svg", "<svg ", "</svg>\n"),
        ] {
            let drawn = ran(pulse(directory.path(), &["graph", path.to_str().unwrap(), "--format", format]));
            assert_eq!((drawn.code, drawn.err.as_str()), (0, ""), "{path:?}");
            assert!(drawn.out.starts_with(begins) && drawn.out.ends_with(ends), "{path:?}: {}", drawn.out);
        }
    }
}

#[test]
fn names_stay_text() {
    let directory = tempfile::tempdir().unwrap();
    let source =
        "name: '</title><script>alert(0)</script>'\nsteps:\n  - {name: '</text><script>alert(1)</script>', run: x}\n";
    for format in ["mermaid", "dot", "svg"] {
        let drawn = ran_with_input(pulse(directory.path(), &["graph", "-", "--format", format]), source);
        assert_eq!(drawn.code, 0, "{}", drawn.err);
        assert!(!drawn.out.contains("<script>") || format == "dot", "{}", drawn.out);
    }
    let svg = ran_with_input(pulse(directory.path(), &["graph", "-", "--format", "svg"]), source);
    assert!(svg.out.contains("&lt;/text&gt;&lt;script&gt;alert(1)"), "{}", svg.out);
}

#[test]
fn what_has_errors_is_not_drawn() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.yaml"), "steps:\n  - {run: x, goto: nowhere}\n").unwrap();
    let refused = ran(pulse(directory.path(), &["graph", "a.yaml"]));
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert_eq!(
        refused.err,
        "error: a.yaml has errors: only a definition without any is drawn\nhint: `pulse check a.yaml` shows them\n"
    );
    let many: String = (0..2_000).map(|n| format!("  - {{id: s{n}, run: x, on_error: s0}}\n")).collect();
    std::fs::write(directory.path().join("b.yaml"), format!("steps:\n{many}")).unwrap();
    let large = ran(pulse(directory.path(), &["graph", "b.yaml", "--format", "svg"]));
    assert_eq!(large.code, 1);
    assert!(large.err.contains("too many steps") && large.err.contains("--format mermaid or dot"), "{}", large.err);
    assert_eq!(ran(pulse(directory.path(), &["graph", "b.yaml"])).code, 0);
}
