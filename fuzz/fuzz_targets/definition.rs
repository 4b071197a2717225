//! Any bytes as a definition: reading it never panics and always finds the same; what has no error can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pulse_engine::{graph, load};

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let loaded = load(source);
    assert_eq!(loaded.diagnostics, load(source).diagnostics, "reading twice finds the same");
    let errors = loaded.diagnostics.iter().any(|found| found.code.starts_with('E'));
    assert_eq!(loaded.plan.is_none(), errors, "there is a plan exactly where there is no error");
    for found in &loaded.diagnostics {
        assert!(found.line >= 1 && found.column >= 1, "a finding has a place: {found}");
        assert!(!found.message.is_empty(), "a finding says what it is");
    }
    if let (Some(workflow), false) = (&loaded.workflow, errors) {
        let drawn = graph(workflow);
        assert!(!drawn.nodes.is_empty(), "a workflow without errors has steps");
    }
});
