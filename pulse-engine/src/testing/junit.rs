//! Reports as JUnit XML, in the form that CI servers read: <https://github.com/testmoapp/junitxml>.

use super::report::{NotRun, Report};
use std::fmt::Write as _;

/// The XML of test files that were run, or could not be.
pub fn junit(results: &[Result<Report, NotRun>]) -> String {
    let tests: usize = results.iter().map(|result| result.as_ref().map_or(1, |report| report.tests.len())).sum();
    let failures: usize = results.iter().flatten().map(failed).sum();
    let errors = results.iter().filter(|result| result.is_err()).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"pulse test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"0\">"
    );
    for result in results {
        match result {
            Ok(report) => suite(report, &mut xml),
            Err(error) => not_run(error, &mut xml),
        }
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn failed(report: &Report) -> usize {
    report.tests.iter().filter(|test| !test.passed).count()
}

fn suite(report: &Report, xml: &mut String) {
    let (file, workflow) = (attribute(&report.file), attribute(&report.workflow));
    let (tests, failures) = (report.tests.len(), failed(report));
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\">"
    );
    for test in &report.tests {
        let (name, line) = (attribute(&test.name), test.line);
        let _ = write!(
            xml,
            "    <testcase name=\"{name}\" classname=\"{workflow}\" file=\"{file}\" line=\"{line}\" time=\"0\""
        );
        if test.passed {
            xml.push_str("/>\n");
            continue;
        }
        xml.push_str(">\n");
        for failure in &test.failures {
            let (message, kind) = (attribute(&failure.message), attribute(&failure.what));
            let body = text(&failure.to_string());
            let _ = writeln!(xml, "      <failure message=\"{message}\" type=\"{kind}\">{body}</failure>");
        }
        xml.push_str("    </testcase>\n");
    }
    xml.push_str("  </testsuite>\n");
}

fn not_run(error: &NotRun, xml: &mut String) {
    let (file, message) = (attribute(&error.file), attribute(&error.to_string()));
    let lines: Vec<String> = error.diagnostics.iter().map(|finding| format!("{}:{finding}", error.about)).collect();
    let body = text(&lines.join("\n"));
    let _ = writeln!(xml, "  <testsuite name=\"{file}\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0\">");
    let _ = writeln!(xml, "    <testcase name=\"{file}\" classname=\"{file}\" file=\"{file}\" time=\"0\">");
    let _ = writeln!(xml, "      <error message=\"{message}\" type=\"not-run\">{body}</error>");
    xml.push_str("    </testcase>\n  </testsuite>\n");
}

/// Text between tags.
fn text(text: &str) -> String {
    escape(text, false)
}

/// Text in a quoted attribute: line breaks would become spaces there.
fn attribute(text: &str) -> String {
    escape(text, true)
}

/// What XML 1.0 (<https://www.w3.org/TR/xml/#charsets>) cannot hold at all is replaced.
fn escape(text: &str, in_attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' if in_attribute => {
                let _ = write!(out, "&#{};", c as u32);
            }
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_xml() {
        assert_eq!(attribute("a\"<b>&\n\x1b[2J\0"), "a&quot;&lt;b&gt;&amp;&#10;\u{fffd}[2J\u{fffd}");
        assert_eq!(text("]]> & \r\n<x/>"), "]]&gt; &amp; &#13;\n&lt;x/&gt;");
    }
}
