//! Definitions in one layout: what `pulse fmt` does. `pretty_yaml` does the work and keeps comments; this module holds
//! it to that. What it gives is read again: the same values in the same order, the same comments, and no change when it
//! is formatted once more. Otherwise the document is refused and stays as it is.

use pretty_yaml::config::{FormatOptions, LanguageOptions, LayoutOptions};
use pulse_core::diagnostic::{Diagnostic, Diagnostics, Severity};
use pulse_core::yaml;
use yaml_parser::SyntaxKind;

/// Why a document was not formatted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("it is not YAML that can be read")]
    Unreadable(Vec<Diagnostic>),
    /// It can, but not formatted without risk.
    #[error("it is left as it is: {0}")]
    Unsafe(&'static str),
}

/// Lines are never broken or joined for their length: whoever wrote `{…}` on one line wanted it there.
const NO_LIMIT: usize = 1 << 20;
/// Formatting once settles nearly everything; what has not settled after so many times never will.
const MOST_ROUNDS: usize = 4;

/// The document in one layout.
///
/// # Errors
/// When it cannot be read, or formatting it would change more than its layout.
pub fn format(source: &str) -> Result<String, Refused> {
    let before = values(source).map_err(Refused::Unreadable)?;
    let mut text = once(source)?;
    let mut rounds = 1;
    loop {
        let again = once(&text)?;
        if again == text {
            break;
        }
        if rounds == MOST_ROUNDS {
            return Err(Refused::Unsafe("formatting it again and again never settles"));
        }
        text = again;
        rounds += 1;
    }
    match values(&text) {
        Ok(after) if after == before => {}
        _ => return Err(Refused::Unsafe("formatting it would change a value")),
    }
    if comments(&text) != comments(source) {
        return Err(Refused::Unsafe("formatting it would lose or move a comment"));
    }
    Ok(text)
}

fn once(source: &str) -> Result<String, Refused> {
    let options = FormatOptions {
        layout: LayoutOptions { print_width: NO_LIMIT, indent_width: 2, ..LayoutOptions::default() },
        language: LanguageOptions {
            trailing_comma: false,
            brace_spacing: false,
            trim_trailing_whitespaces: false,
            ..LanguageOptions::default()
        },
    };
    let text = pretty_yaml::format_text(source, &options)
        .map_err(|_| Refused::Unsafe("the formatter does not understand it, though it is YAML"))?;
    // Blank lines at the end may belong to a block scalar that keeps them.
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

/// What a document says, as text that tells any two apart: values, their types and their order.
fn values(source: &str) -> Result<String, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let node = yaml::read(source, &mut diagnostics);
    let findings = diagnostics.into_sorted();
    match node {
        Some(node) if findings.iter().all(|finding| finding.severity != Severity::Error) => {
            Ok(node.to_json().to_string())
        }
        _ => Err(findings),
    }
}

/// All comments in their order, without blanks at their ends. None for what the formatter's reader does not understand.
fn comments(source: &str) -> Option<Vec<String>> {
    let tree = yaml_parser::parse(source).ok()?;
    let tokens = tree.descendants_with_tokens().filter_map(|element| element.into_token());
    let comments = tokens.filter(|token| token.kind() == SyntaxKind::COMMENT);
    Some(comments.map(|token| token.text().trim_end().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNTIDY: &str = "\
# head
name:    demo   # tail


params:
- {name:   a,default: 1}
steps:
    -   id: x
        command: |
           if {{ x }}
             deeper

    # between
    - run: 'a'
      env: {A: \"1\",   B: '2'}
      argv: [
        a, # why
        b]
# end";

    const TIDY: &str = "\
# head
name: demo # tail

params:
  - {name: a, default: 1}
steps:
  - id: x
    command: |
      if {{ x }}
        deeper

  # between
  - run: \"a\"
    env: {A: \"1\", B: \"2\"}
    argv: [
      a, # why
      b
    ]
# end
";

    #[test]
    fn layout_changes_and_nothing_else() {
        assert_eq!(format(UNTIDY).unwrap(), TIDY);
        assert_eq!(format(TIDY).unwrap(), TIDY);
        assert_eq!(format(&UNTIDY.replace('\n', "\r\n")).unwrap().replace("\r\n", "\n"), TIDY);
    }

    #[test]
    fn what_would_change_is_refused() {
        // A text with its own indentation cannot move, and one that keeps its last line breaks cannot lose them.
        for text in ["a:\n    b: |2\n        c\n", "a: |+\n  b\n\n\nc: d\n\n\n"] {
            match format(text) {
                Err(Refused::Unsafe(why)) => assert_eq!(why, "formatting it would change a value"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (text, code) in [("a: [", "E001"), ("a: 1\na: 2\n", "E003"), ("a:\n\t- b\n", "E001"), ("", "E006")] {
            match format(text) {
                Err(Refused::Unreadable(findings)) => assert_eq!(findings[0].code, code, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    /// A scalar in one of YAML's styles, fit for the inside of `[…]` and `{…}`.
    fn scalar() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z][a-z0-9 _./-]{0,12}[a-z0-9]",
            "-?[0-9]{1,6}(\\.[0-9]{1,3})?",
            Just("true".to_owned()),
            Just("~".to_owned()),
            "[ -~äß]{0,16}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
            "[ -~äß]{0,16}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        ]
    }

    /// Lines of a mapping, each node with odd but legal layout.
    fn lines(depth: u32) -> BoxedStrategy<Vec<String>> {
        let value = prop_oneof![
            (scalar(), 0..4_usize).prop_map(|(text, blanks)| vec![format!(
                "{}{text}{}",
                " ".repeat(blanks),
                ["", "   ", " # why", "  #  spaced  "][blanks]
            )]),
            prop::collection::vec(scalar(), 0..4).prop_map(|items| vec![format!(" [ {} ]", items.join(" ,"))]),
            prop::collection::vec(scalar(), 0..3).prop_map(|items| {
                let pairs: Vec<_> = items.iter().enumerate().map(|(n, item)| format!("k{n}:  {item}")).collect();
                vec![format!(" {{{}}}", pairs.join(", "))]
            }),
            ("[|>][-+]?", prop::collection::vec("[ -~]{0,20}", 1..4)).prop_map(|(head, text)| {
                let text = text.into_iter().enumerate().map(|(n, line)| match n {
                    0 => format!("     x{line}"),
                    _ => format!("     {line}"),
                });
                [format!(" {head}")].into_iter().chain(text).collect()
            }),
        ];
        let value = if depth == 0 {
            value.boxed()
        } else {
            let nested = lines(depth - 1);
            let items = prop::collection::vec(lines(depth - 1), 1..3);
            prop_oneof![
                3 => value,
                1 => (nested, 1..5_usize).prop_map(|(inner, indent)| below(&inner, indent, "")),
                1 => (items, 0..4_usize, 1..4_usize).prop_map(|(items, indent, dash)| {
                    let mut all = vec![String::new()];
                    for item in items {
                        let dashed = format!("-{}", " ".repeat(dash));
                        all.extend(below(&item, indent, &dashed).into_iter().skip(1));
                    }
                    all
                }),
            ]
            .boxed()
        };
        let between = prop_oneof![Just(None), Just(Some("")), Just(Some("# note")), Just(Some("   "))];
        prop::collection::vec((value, between), 1..4)
            .prop_map(|values| {
                let mut all = Vec::new();
                for (n, (value, between)) in values.into_iter().enumerate() {
                    all.push(format!("key{n}: {}", value[0]));
                    all.extend(value.into_iter().skip(1));
                    all.extend(between.map(str::to_owned));
                }
                all
            })
            .boxed()
    }

    /// Lines deeper by an indent, the first behind a dash if there is one.
    fn below(inner: &[String], indent: usize, dash: &str) -> Vec<String> {
        let margin = " ".repeat(indent);
        let deeper = |(n, line): (usize, &String)| match n {
            0 => format!("{margin}{dash}{line}"),
            _ if line.trim().is_empty() => line.clone(),
            _ => format!("{margin}{}{line}", " ".repeat(dash.len())),
        };
        [String::new()].into_iter().chain(inner.iter().enumerate().map(deeper)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn values_comments_and_stability_are_kept(lines in lines(3)) {
            let source = lines.join("\n") + "\n";
            match format(&source) {
                Ok(text) => {
                    prop_assert_eq!(values(&text).unwrap(), values(&source).unwrap());
                    prop_assert_eq!(comments(&text), comments(&source));
                    prop_assert_eq!(&format(&text).unwrap(), &text);
                    prop_assert!(text.ends_with('\n') && !text.contains("\n\n\n\n"), "{}", text);
                }
                Err(Refused::Unreadable(_)) => {}
                // Blanks and blank lines at the end of a block of text may be beyond the formatter; it has to notice.
                Err(Refused::Unsafe(_)) if source.contains(" |") || source.contains(" >") => {}
                Err(Refused::Unsafe(why)) => panic!("{why}:\n{source}"),
            }
        }

        #[test]
        fn nothing_makes_it_panic(at in 0..UNTIDY.len(), with in "[\\[\\]{}:,#&*!|>'\"%@` \n\t?-]{0,3}", cut in 0..6_usize) {
            let end = (at + cut).min(UNTIDY.len());
            let source = format!("{}{with}{}", &UNTIDY[..at], &UNTIDY[end..]);
            let _ = format(&source);
        }
    }
}
