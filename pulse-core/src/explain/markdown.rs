//! The table of explanations as a page of documentation.

use super::{Entry, entries};
use crate::diagnostic::Code;
use std::fmt::Write as _;

const HEAD: &str = "\
# Findings

Every mistake that PULSE finds in a definition has a code that never changes its meaning. `E…` are errors: the definition
cannot be stored or run. `W…` are warnings: it can, but somebody should look. `pulse check FILE` shows all findings (200 of a kind) of a
document at once, `pulse check --explain CODE` prints an entry of this page.

<!-- Generated from pulse-core/src/explain/; do not edit. PULSE_UPDATE=1 cargo test -p pulse-cli tools::explain -->

";

/// `docs/diagnostics.md`.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| code | stands for |\n| --- | --- |\n");
    for code in Code::ALL {
        let _ = writeln!(page, "| [{0}](#{1}) | {2} |", code.as_str(), code.as_str().to_lowercase(), code.summary());
    }
    for Entry { code, means, matters, mend, example } in entries() {
        let yaml = |document: Option<&str>| {
            document.map(|document| format!("\n```yaml\n{}\n```\n", document.trim_end())).unwrap_or_default()
        };
        let (wrong, mended) = (yaml(example.map(|e| e.wrong)), yaml(example.map(|e| e.mended)));
        let summary = capitalised(code.summary());
        let _ =
            write!(page, "\n## {}\n\n**{summary}.** {means}\n\n{matters}\n{wrong}\n{mend}\n{mended}", code.as_str());
    }
    page
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
