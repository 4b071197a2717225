//! Any text as a template and as a shell command, with hostile values. No value ever gets into the script: the script
//! has no trace of one, and is the same whatever the values are. (`raw`, which does that on purpose, is left out.)

#![no_main]

use libfuzzer_sys::fuzz_target;
use pulse_engine::template::{Filter, ShellTemplate, Template};
use pulse_fuzz::{MARK, OTHER_SCOPE, SCOPE};
use std::collections::HashSet;

fuzz_target!(|source: &str| {
    if let Ok(template) = Template::parse(source) {
        let _ = template.render_text(&SCOPE);
    }
    let Ok((command, _)) = ShellTemplate::parse(source) else { return };
    let _ = command.display(&SCOPE);
    if command.expressions().any(|placeholder| placeholder.filter == Some(Filter::Raw)) {
        let _ = command.render(&SCOPE);
        return;
    }
    let Ok(rendered) = command.render(&SCOPE) else { return };
    // Rewriting a heredoc takes quotes and backslashes out of its delimiter: what is left of the source must not be the mark.
    let letters: String = source.chars().filter(char::is_ascii_alphanumeric).collect();
    if !letters.contains(MARK) {
        assert!(!rendered.script.contains(MARK), "a value is in the script: {:?}", rendered.script);
    }
    if let Ok(other) = command.render(&OTHER_SCOPE) {
        assert_eq!(rendered.script, other.script, "the script depends on the values");
    }
    let mut names = HashSet::new();
    for (name, value) in &rendered.env {
        assert!(names.insert(name), "{name} is given twice");
        assert!(rendered.script.contains(&format!("{{{name}}}")), "{name} is not used: {:?}", rendered.script);
        assert!(!value.contains('\0'), "{name} holds a NUL character");
    }
    if let Ok(quoted) = command.render_quoted(&SCOPE) {
        assert!(quoted.ends_with(&rendered.script), "the script behind its assignments is the same");
    }
});
