//! Writes a tree as an expression that reads as the same tree, with no more parentheses than it needs.

use super::operators::{Binary, Infix};
use super::tree::{Kind, Node};
use std::fmt::Write;

/// How tightly a sign before a value binds, and a property behind one: see the grammar in `parse`.
const PREFIX: u8 = 9;
const POSTFIX: u8 = 10;

/// The whole tree.
pub(super) fn print(node: &Node) -> String {
    let mut out = String::new();
    write(&mut out, node, 0);
    out
}

fn strength(node: &Node) -> u8 {
    match &node.kind {
        Kind::Choose(..) => 0,
        Kind::Default(..) => Infix::Default.strength(),
        Kind::Any(_) => Infix::Any.strength(),
        Kind::All(_) => Infix::All.strength(),
        Kind::Binary(op, ..) => Infix::Binary(*op).strength(),
        Kind::Not(_) => PREFIX,
        _ if is_signed(node) => PREFIX,
        _ => POSTFIX,
    }
}

/// It begins with `-`.
fn is_signed(node: &Node) -> bool {
    match node.kind {
        Kind::Negate(_) => true,
        Kind::Int(n) => n < 0,
        Kind::Float(n) => n.is_sign_negative(),
        _ => false,
    }
}

/// Writes a node; in parentheses if it binds less tightly than it has to.
fn write(out: &mut String, node: &Node, weakest: u8) {
    if strength(node) < weakest {
        out.push('(');
        bare(out, node);
        out.push(')');
    } else {
        bare(out, node);
    }
}

fn bare(out: &mut String, node: &Node) {
    let own = strength(node);
    match &node.kind {
        Kind::Nothing => out.push_str("()"),
        Kind::Bool(b) => add(out, format_args!("{b}")),
        Kind::Int(n) => add(out, format_args!("{n}")),
        Kind::Float(n) => add(out, format_args!("{n:?}")),
        Kind::Text(text) => quoted(out, text),
        Kind::Name(name) => out.push_str(name),
        Kind::Now => out.push_str("now()"),
        Kind::List(items) => {
            out.push('[');
            separated(out, items, ", ", 0);
            out.push(']');
        }
        Kind::Map(entries) => {
            out.push_str("#{");
            for (i, (key, value)) in entries.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                if is_word(key) {
                    out.push_str(key)
                } else {
                    quoted(out, key)
                }
                out.push_str(": ");
                write(out, value, 0);
            }
            out.push('}');
        }
        Kind::Path(base, keys) => {
            subject(out, base);
            for key in keys {
                if is_word(key) {
                    add(out, format_args!(".{key}"));
                } else {
                    out.push('[');
                    quoted(out, key);
                    out.push(']');
                }
            }
        }
        Kind::Index(base, index) => {
            subject(out, base);
            out.push('[');
            write(out, index, 0);
            out.push(']');
        }
        Kind::Helper(helper, arguments) => {
            out.push_str(helper.names[0]);
            out.push('(');
            separated(out, arguments, ", ", 0);
            out.push(')');
        }
        Kind::Not(inner) => {
            out.push('!');
            write(out, inner, PREFIX);
        }
        Kind::Negate(inner) => {
            out.push('-');
            write(out, inner, if is_signed(inner) { POSTFIX } else { PREFIX });
        }
        Kind::Binary(Binary::Power, a, b) => {
            // A sign before a power is refused as ambiguous.
            write(out, a, POSTFIX);
            out.push_str(" ** ");
            write(out, b, own);
        }
        Kind::Binary(op, a, b) => {
            // Comparisons cannot be chained.
            write(out, a, own + u8::from(op.is_test()));
            add(out, format_args!(" {} ", op.sign()));
            write(out, b, own + 1);
        }
        Kind::All(parts) => separated(out, parts, " && ", own + 1),
        Kind::Any(parts) => separated(out, parts, " || ", own + 1),
        Kind::Default(a, b) => {
            write(out, a, own);
            out.push_str(" ?? ");
            write(out, b, own + 1);
        }
        Kind::Choose(condition, yes, no) => {
            write(out, condition, 1);
            out.push_str(" ? ");
            write(out, yes, 0);
            out.push_str(" : ");
            write(out, no, 0);
        }
    }
}

fn add(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(arguments);
}

fn separated(out: &mut String, items: &[Node], between: &str, weakest: u8) {
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { between } else { "" });
        write(out, item, weakest);
    }
}

/// What a property is read from. A number's dot would be that of a fraction.
fn subject(out: &mut String, base: &Node) {
    let weakest = if matches!(base.kind, Kind::Int(_) | Kind::Float(_)) { POSTFIX + 1 } else { POSTFIX };
    write(out, base, weakest);
}

fn is_word(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn quoted(out: &mut String, text: &str) {
    if !text.contains(|c: char| matches!(c, '\'' | '\\') || c.is_control()) {
        return add(out, format_args!("'{text}'"));
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => add(out, format_args!("\\{c}")),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => add(out, format_args!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Names, parse};
    use super::*;

    fn tree(source: &str) -> Node {
        parse(source, Names { extra: &[], bare: false }).unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    /// A tree without where its parts stand.
    fn shape(node: &Node) -> String {
        let span = regex::Regex::new(r", span: \d+\.\.\d+").unwrap();
        span.replace_all(&format!("{node:?}"), "").into_owned()
    }

    #[test]
    fn what_is_written_reads_as_the_same_tree() {
        for (source, written) in [
            ("state.a&&state.b || !state.c", "state.a && state.b || !state.c"),
            ("(state.a || state.b) && state.c", "(state.a || state.b) && state.c"),
            ("state.a && (state.b && state.c)", "state.a && (state.b && state.c)"),
            ("(1 < 2) == (2 < 3)", "1 < 2 == 2 < 3"),
            ("(1 == 2) == true", "(1 == 2) == true"),
            ("(state.a || 'y') === 'z'", "(state.a || 'y') == 'z'"),
            ("1 - (2 - 3) - 4", "1 - (2 - 3) - 4"),
            ("(1 + 2) * -3 / (4 * 5)", "(1 + 2) * -3 / (4 * 5)"),
            ("(-2) ** 2 ** -3", "(-2) ** 2 ** -3"),
            ("(2 ** 3) ** 4", "(2 ** 3) ** 4"),
            ("-(state.n ** 2)", "-(state.n ** 2)"),
            ("-(-state.n) - -5 - (-(-5))", "-(-state.n) - -5 - -(-5)"),
            ("!(state.a == 1) && !!state.b", "!(state.a == 1) && !!state.b"),
            ("'a' !in state.list", "!('a' in state.list)"),
            ("state.a ?? state.b ?? ('c' ?? 'd')", "state.a ?? state.b ?? ('c' ?? 'd')"),
            ("(true ? 1 : 2) ? (3) : false ? 4 : 5", "(true ? 1 : 2) ? 3 : false ? 4 : 5"),
            ("if true { 1 } else { 2 }", "true ? 1 : 2"),
            ("steps['a-b'].results[\"it's\"].vars.x.y.z", "steps['a-b'].results[\"it's\"].vars.x.y.z"),
            ("state.list[-1][state.n + 1].length", "state.list[-1][state.n + 1].length"),
            ("state.a.toLowerCase().includes('b').toString()", "text(contains(lower(state.a), 'b'))"),
            ("promptResponse === null", "prompt_response == ()"),
            ("[1, 2.5, -0.5, 1e300, true, []]", "[1, 2.5, -0.5, 1e300, true, []]"),
            ("#{a: 1, 'b c': #{}}.a", "#{a: 1, 'b c': #{}}.a"),
            ("(5).length", "(5).length"),
            ("\"a\\\"b\\\\ \\n \\u{7}'\"", "\"a\\\"b\\\\ \\n \\u{7}'\""),
            ("now() > parseInt('7', 8)", "now() > parseInt('7', 8)"),
        ] {
            let node = tree(source);
            let text = print(&node);
            assert_eq!(text, written, "{source}");
            assert_eq!(shape(&tree(&text)), shape(&node), "{source}");
        }
    }
}
