//! Quoting of texts for POSIX shells.

use std::borrow::Cow;

/// Quotes a text so that a shell reads it as one word that is exactly this text.
pub(super) fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The text that [`single`] has quoted.
pub(super) fn unquote(quoted: &str) -> Cow<'_, str> {
    match quoted.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
        Some(inner) => Cow::Owned(inner.replace(r"'\''", "'")),
        None => Cow::Borrowed(quoted),
    }
}

/// Quotes a text only if it needs it. For what people read.
pub(super) fn where_needed(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    let is_plain = (!text.is_empty() && text.chars().all(harmless)) || text == pulse_core::workflow::MASK;
    if is_plain { text.to_owned() } else { single(text) }
}

/// Puts a backslash before each of some characters.
pub(super) fn escape(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// What is special in a heredoc whose delimiter is not quoted.
pub(super) const IN_HEREDOC: &[char] = &['\\', '$', '`'];
/// What is special inside double quotes.
pub(super) const IN_DOUBLE: &[char] = &['\\', '$', '`', '"'];
