//! How texts are compared and ids are abbreviated, the same for every implementation.

use crate::{Error, Result};
use std::borrow::Cow;
use uuid::Uuid;

/// The form in which names are compared when case does not matter.
pub(crate) fn fold(text: &str) -> String {
    storable(text).to_lowercase()
}

/// A text as every database keeps it: PostgreSQL's have no NUL, so none has.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        false => Cow::Borrowed(text),
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
    }
}

/// Makes a text one that every database keeps.
pub(crate) fn make_storable(text: &mut String) {
    if let Cow::Owned(changed) = storable(text) {
        *text = changed;
    }
}

/// The smallest and largest id that start with these hex digits; `None` when they are no start of an id.
pub(crate) fn prefix_range(prefix: &str) -> Option<(Uuid, Uuid)> {
    let mut digits = 0;
    let mut value: u128 = 0;
    for c in prefix.chars().filter(|c| *c != '-') {
        digits += 1;
        if digits > 32 {
            return None;
        }
        value = value << 4 | u128::from(c.to_digit(16)?);
    }
    if digits == 0 {
        return Some((Uuid::nil(), Uuid::max()));
    }
    let open = 128 - 4 * digits;
    let rest = u128::MAX.checked_shr(4 * digits).unwrap_or(0);
    let start = value.checked_shl(open).unwrap_or(0);
    Some((Uuid::from_u128(start), Uuid::from_u128(start | rest)))
}

/// How many characters a name has at most: as many as an index of every database takes.
pub(crate) const LONGEST_NAME: usize = 255;

/// A name as every database keeps it, where it has been accepted long ago and is only told again.
pub(crate) fn name(text: &str) -> Cow<'_, str> {
    match (storable(text), text.char_indices().nth(LONGEST_NAME)) {
        (name, None) => name,
        (Cow::Borrowed(name), Some((end, _))) => Cow::Borrowed(&name[..end]),
        (Cow::Owned(name), Some(_)) => Cow::Owned(name.chars().take(LONGEST_NAME).collect()),
    }
}

/// Makes a name one that every database keeps.
pub(crate) fn make_name(text: &mut String) {
    if text.len() > LONGEST_NAME || text.contains('\0') {
        *text = name(text).into_owned();
    }
}

/// Refuses a new name that is too long.
pub(crate) fn check_name(what: &'static str, text: &str) -> Result<()> {
    match text.chars().nth(LONGEST_NAME) {
        None => Ok(()),
        Some(_) => Err(Error::TooLong { what }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_become_ranges() {
        let id = Uuid::from_u128(0x0192_3456_789a_7bcd_8ef0_1234_5678_9abc);
        for length in 0..=36 {
            let text = id.to_string()[..length].to_uppercase();
            let (low, high) = prefix_range(&text).unwrap();
            assert!(low <= id && id <= high, "{text}");
        }
        assert_eq!(prefix_range(&id.to_string()), Some((id, id)));
        assert_eq!(prefix_range("f"), Some((Uuid::from_u128(0xf << 124), Uuid::max())));
        assert_eq!(prefix_range("0g"), None);
        assert_eq!(prefix_range(&format!("{id}0")), None);
    }
}
