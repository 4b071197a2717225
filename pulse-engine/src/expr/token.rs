//! Cuts the source of an expression into tokens. Characters and operators outside the language are refused here, with a reason.

use super::error::CompileError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Float(f64),
    Text(String),
    Word(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

impl Token {
    /// A value can end with it.
    fn is_value_end(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Text(_) | Self::Word(_) | Self::Sign(")" | "]" | "}"))
    }

    /// How to name it in a message.
    pub fn describe(&self) -> String {
        match self {
            Self::Int(n) => format!("`{n}`"),
            Self::Float(n) => format!("`{n}`"),
            Self::Text(_) => "a text".to_owned(),
            Self::Word(w) => format!("`{w}`"),
            Self::Sign(s) => format!("`{s}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// A token and the bytes of the source it came from.
#[derive(Debug, Clone)]
pub(super) struct Spanned {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

/// Signs of the language, longer ones first.
const SIGNS: &[&str] = &[
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "**", "#{", "(", ")", "[", "]", "{", "}", ",", ".",
    ":", "?", "+", "-", "*", "/", "%", "<", ">", "!",
];

/// Signs that are refused, longer ones first, with what to say. They are looked for before [`SIGNS`].
const REFUSED: &[(&str, &str)] = &[
    ("...", "values cannot be spread"),
    ("..", "there are no ranges"),
    ("=>", "functions cannot be defined in an expression"),
    ("->", "properties are read with `.`"),
    ("::", "there are no modules"),
    ("++", "an expression changes nothing; write a space between two signs"),
    ("--", "an expression changes nothing; write a space between two signs"),
    ("<<", "there are no bit operations"),
    (">>", "there are no bit operations"),
    (";", "an expression is one value, without statements"),
    ("`", "write texts in \"…\" or '…', and join them with +"),
    ("^", "there are no bit operations; a power is `**`"),
    ("~", "there are no bit operations"),
    ("$", "names have no `$`; a template is written {{ … }}"),
    ("@", "this sign has no meaning"),
    ("\\", "this sign has no meaning outside of a text"),
];

/// Signs that are refused where no longer sign of the language starts.
const REFUSED_SINGLE: &[(&str, &str)] = &[
    ("=", "an expression assigns nothing; compare with `==`"),
    ("&", "write `&&`"),
    ("|", "write `||`; there are no closures"),
    ("#", "a map is written #{name: value}"),
];

/// Cuts the whole source. The last token is [`Token::End`].
pub(super) fn tokenize(source: &str) -> Result<Vec<Spanned>, CompileError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(source, at)?;
        let Some(c) = source[at..].chars().next() else {
            tokens.push(Spanned { token: Token::End, start: at, end: at });
            return Ok(tokens);
        };
        let (token, end) = match c {
            '"' | '\'' => super::literal::text_literal(source, at)?,
            c if c.is_ascii_digit() => super::literal::number_literal(source, at)?,
            '.' if source[at + 1..].starts_with(|d: char| d.is_ascii_digit()) && !after_value(&tokens, at) => {
                super::literal::number_literal(source, at)?
            }
            c if c.is_ascii_alphabetic() || c == '_' => word(source, at),
            '/' if !tokens.last().is_some_and(|t| t.token.is_value_end()) => {
                let help = "regular expressions are texts: matches(text, \"…\")";
                return Err(CompileError::at(at, "`/` does not fit here", help));
            }
            _ => sign(source, at).map_err(|error| keyword_first(&tokens).unwrap_or(error))?,
        };
        tokens.push(Spanned { token, start: at, end });
        at = end;
    }
}

/// A dot here reads a property of the token before it.
fn after_value(tokens: &[Spanned], at: usize) -> bool {
    tokens.last().is_some_and(|t| t.end == at && t.token.is_value_end())
}

/// A statement is refused for what it is, not for the first sign in it that is odd.
fn keyword_first(tokens: &[Spanned]) -> Option<CompileError> {
    let first = tokens.first()?;
    let Token::Word(word) = &first.token else { return None };
    let why = super::names::refused_word(word)?;
    Some(CompileError::at(first.start, format!("`{word}` is not allowed"), why))
}

fn word(source: &str, start: usize) -> (Token, usize) {
    let rest = &source[start..];
    let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (Token::Word(rest[..len].to_owned()), start + len)
}

fn sign(source: &str, start: usize) -> Result<(Token, usize), CompileError> {
    let rest = &source[start..];
    let refuse = |(sign, why): &(&str, &str)| CompileError::at(start, format!("`{sign}` is not allowed"), *why);
    if let Some(refused) = REFUSED.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Err(refuse(refused));
    }
    // `a ?.5 : b` is a choice, as in JavaScript.
    let choice = rest.starts_with("?.") && rest[2..].starts_with(|c: char| c.is_ascii_digit());
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign) && !(choice && **sign == "?.")) {
        let assigns = matches!(*sign, "+" | "-" | "*" | "/" | "%" | "**" | "??" | "&&" | "||")
            && rest[sign.len()..].starts_with('=')
            && !rest[sign.len()..].starts_with("==");
        if assigns {
            let help = "an expression assigns nothing: a `set` step writes into `state`";
            return Err(CompileError::at(start, format!("`{sign}=` is not allowed"), help));
        }
        return Ok((Token::Sign(sign), start + sign.len()));
    }
    if let Some(refused) = REFUSED_SINGLE.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Err(refuse(refused));
    }
    let c = rest.chars().next().unwrap_or_default();
    let help = match c {
        '“' | '”' | '„' | '‘' | '’' => "write plain quotes: \"…\" or '…'",
        c if c.is_alphabetic() => "names have the letters a to z, digits and _; write other keys as state[\"…\"]",
        _ => "leave it out, or put the text it belongs to in quotes",
    };
    Err(CompileError::at(start, format!("the character {c:?} has no meaning here"), help))
}

/// Skips white space and comments.
fn skip_blank(source: &str, mut at: usize) -> Result<usize, CompileError> {
    loop {
        let rest = &source[at..];
        let blank = rest.len() - rest.trim_start().len();
        let rest = &rest[blank..];
        at += blank;
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let Some(len) = comment.find("*/") else {
                return Err(CompileError::at(at, "this comment has no end", "close it with */"));
            };
            at += len + 4;
        } else {
            return Ok(at);
        }
    }
}
