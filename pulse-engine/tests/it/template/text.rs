//! Templates that become text.

use super::scope;
use pulse_engine::template::{RenderErrorKind, Template};
use serde_json::json;

fn render(source: &str) -> String {
    let scope = scope(json!({"a": 1, "s": "it's", "l": [1, "x"], "m": {"k": null}, "t": true, "f": 1.5}));
    Template::parse(source)
        .unwrap_or_else(|e| panic!("{source}: {e:?}"))
        .render_text(&scope)
        .unwrap_or_else(|e| panic!("{source}: {e:?}"))
}

#[test]
fn values_as_text() {
    for (source, expected) in [
        ("", ""),
        ("no template", "no template"),
        ("{{ a }}", "1"),
        ("{{a}}{{s}}", "1it's"),
        ("[{{ l }}] {{ m }} {{ t }} {{ f }}", "[[1,\"x\"]] {\"k\":null} true 1.5"),
        ("{{ params.a + 1 }}", "2"),
        ("{{ nope ?? \"none\" }}", "none"),
        ("{{ a > 0 || false }}", "true"),
        ("{{ \"}}\" }}", "}}"),
        ("{{ '{{' }}", "{{"),
        ("{{ '|' + \"|\" }}", "||"),
        ("{{ #{a: #{b: 1}} }}", "{\"a\":{\"b\":1}}"),
        ("{{#{a: #{b: 1}}}}", "{\"a\":{\"b\":1}}"),
        ("{{ s | raw }}", "it's"),
        ("{{ s | sh }}", "'it'\\''s'"),
        ("{{s|sh}}", "'it'\\''s'"),
        ("{{{{", "{{"),
        ("{{{{ a }}", "{{ a }}"),
        ("{{{{{{ a }}", "{{1"),
        ("}} { } {x}", "}} { } {x}"),
        ("ä{{ a }}ö", "ä1ö"),
        ("{{{a}}}", "{1}"),
        ("{{{a}},{{s}}}", "{1,it's}"),
    ] {
        assert_eq!(render(source), expected, "{source}");
    }
}

#[test]
fn a_missing_value_is_an_error_that_names_it() {
    let template = Template::parse("x {{ nope.x }} y").unwrap();
    let error = template.render_text(&scope(json!({}))).unwrap_err();
    assert_eq!((error.kind, error.expression.as_str()), (RenderErrorKind::Missing, "nope.x"));
    assert!(error.message.contains("nope.x"), "{error}");
    let error = Template::parse("{{ 1 / 0 }}").unwrap().render_text(&scope(json!({}))).unwrap_err();
    assert_eq!(error.kind, RenderErrorKind::Expression);
}

#[test]
fn a_text_has_an_end() {
    let template = Template::parse(&"{{ a }}".repeat(10)).unwrap();
    let error = template.render_text(&scope(json!({"a": "x".repeat(1 << 20)}))).unwrap_err();
    assert_eq!(error.kind, RenderErrorKind::TooLong);
}

#[test]
fn output_with_braces_stays_literal() {
    let scope = scope(json!({"a": "{{ b }} {{ now() }}", "b": "secret"}));
    assert_eq!(Template::parse("<{{ a }}>").unwrap().render_text(&scope).unwrap(), "<{{ b }} {{ now() }}>");
}

#[test]
fn errors_are_all_reported_with_their_places() {
    let errors =
        Template::parse("ä {{ a + }} {{ b | shh }} {{ }} {{ .Names }} {{ x | raw | sh }} {{ eval('x') }} {{ open")
            .unwrap_err();
    let found: Vec<_> = errors.iter().map(|e| (e.offset, e.message.as_str())).collect();
    assert_eq!(
        found,
        [
            (9, "the expression ends too early"),
            (20, "there is no filter `shh`"),
            (27, "an empty placeholder"),
            (33, "{{ .Names }} belongs to another template language"),
            (57, "a placeholder has one filter at most"),
            (68, "`eval` is not allowed"),
            (81, "this {{ is never closed"),
        ]
    );
    assert_eq!(errors[1].help.as_deref(), Some("did you mean `sh`?"));
    assert!(errors[3].help.as_deref().unwrap().contains("{{{{"));
    let unclosed_text = Template::parse("{{ it's }}").unwrap_err();
    assert!(unclosed_text[0].message.contains("no end"));
}

#[test]
fn placeholders_are_listed() {
    let template = Template::parse("a {{ x }} b {{ y.z | sh }}").unwrap();
    let found: Vec<_> = template.expressions().map(|p| (p.expr.source(), p.filter.is_some(), p.offset)).collect();
    assert_eq!(found, [("x", false, 2), ("y.z", true, 12)]);
    assert!(!template.is_literal() && Template::parse("{{{{ x").unwrap().is_literal());
}
