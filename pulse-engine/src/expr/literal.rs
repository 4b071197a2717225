//! Literals: the text of numbers and of quoted texts, and what they stand for.

use super::error::CompileError;
use super::token::Token;

/// Reads a number that starts at `start`. Returns the token and where it ends.
pub(super) fn number_literal(source: &str, start: usize) -> Result<(Token, usize), CompileError> {
    let rest = &source[start..];
    let radix = match rest.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0b" | "0B") => 2,
        Some("0o" | "0O") => 8,
        _ => 10,
    };
    let (len, is_float) = if radix == 10 { decimal_len(rest) } else { (2 + digits(&rest[2..], radix), false) };
    let end = start + len;
    if source[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        let help = "put texts in quotes; a name does not start with a digit";
        return Err(CompileError::at(start, "this is neither a number nor a name", help));
    }
    let text = rest[..len].replace('_', "");
    let token = if is_float {
        text.parse().ok().filter(|n: &f64| n.is_finite()).map(Token::Float)
    } else if radix == 10 && text == SMALLEST {
        Some(Token::Int(i64::MIN))
    } else {
        i64::from_str_radix(if radix == 10 { &text } else { &text[2..] }, radix).ok().map(Token::Int)
    };
    token.map(|token| (token, end)).ok_or_else(|| too_large(start, &text))
}

/// The smallest whole number without its minus, which is no whole number of 64 bits: its token is `Int(i64::MIN)`, which is
/// a value behind a minus only.
const SMALLEST: &str = "9223372036854775808";

/// A number that begins at `start` is beyond all that there are.
pub(super) fn too_large(start: usize, text: &str) -> CompileError {
    let help = "whole numbers go from -9223372036854775808 to 9223372036854775807, others to about 1.8e308; or write a text in quotes";
    CompileError::at(start, format!("the number {text} does not fit"), help)
}

fn digits(text: &str, radix: u32) -> usize {
    text.find(|c: char| !(c.is_digit(radix) || c == '_')).unwrap_or(text.len())
}

/// Length of the decimal number at the start of `text`, and whether it has a fraction or an exponent.
fn decimal_len(text: &str) -> (usize, bool) {
    let mut len = digits(text, 10);
    let mut is_float = false;
    if let Some(fraction) = text[len..].strip_prefix('.') {
        let more = digits(fraction, 10);
        if more > 0 && !fraction.starts_with('_') {
            len += 1 + more;
            is_float = true;
        }
    }
    if let Some(exponent) = text[len..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let more = digits(&exponent[sign..], 10);
        if more > 0 && !exponent[sign..].starts_with('_') {
            len += 1 + sign + more;
            is_float = true;
        }
    }
    (len, is_float)
}

/// Reads a quoted text that starts at `start`. Returns the token and where it ends.
pub(super) fn text_literal(source: &str, start: usize) -> Result<(Token, usize), CompileError> {
    let mut chars = source[start..].char_indices();
    let quote = chars.next().map(|(_, c)| c);
    let mut text = String::new();
    while let Some((i, c)) = chars.next() {
        if Some(c) == quote {
            return Ok((Token::Text(text), start + i + 1));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        let at = start + i;
        let Some((_, escape)) = chars.next() else { break };
        let code = match escape {
            'x' => hex(chars.by_ref().map(|(_, c)| c).take(2), 2),
            'u' if chars.as_str().starts_with('{') => {
                hex(chars.by_ref().map(|(_, c)| c).skip(1).take_while(|c| *c != '}'), 0)
            }
            'u' => hex(chars.by_ref().map(|(_, c)| c).take(4), 4),
            'U' => hex(chars.by_ref().map(|(_, c)| c).take(8), 8),
            _ => simple_escape(escape),
        };
        text.push(code.ok_or_else(|| unknown_escape(at, escape))?);
    }
    Err(CompileError::at(start, "this text has no end", "close it with the quote it starts with"))
}

fn simple_escape(c: char) -> Option<char> {
    Some(match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        '\\' | '"' | '\'' | '`' | '/' | '$' => c,
        _ => return None,
    })
}

fn hex(digits: impl Iterator<Item = char>, len: usize) -> Option<char> {
    let digits: String = digits.collect();
    let right_length = if len == 0 { (1..=6).contains(&digits.len()) } else { digits.len() == len };
    let all_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
    if !right_length || !all_hex {
        return None;
    }
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
}

fn unknown_escape(at: usize, escape: char) -> CompileError {
    let help = match escape {
        'x' | 'u' | 'U' => "write \\xHH, \\uHHHH or \\u{H…} with the code of a character".to_owned(),
        _ => format!("write `\\\\{escape}` for a backslash before `{escape}`, as in a regular expression"),
    };
    CompileError::at(at, format!("`\\{escape}` is no escape of a text"), help)
}
