//! What may stand behind the `|` of a placeholder.

use super::quote;
use std::borrow::Cow;

/// A filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// The value is written into the text of a command as it is, and so can be code. A warning in validation.
    Raw,
    /// The value is quoted once, for a shell that reads the text the placeholder stands in.
    Sh,
}

impl Filter {
    /// All filters, as they are written.
    pub const ALL: &[(&str, Self)] = &[("raw", Self::Raw), ("sh", Self::Sh)];

    /// The filter of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)
    }

    /// The text that a value becomes.
    pub(super) fn apply(filter: Option<Self>, text: Cow<'_, str>) -> Cow<'_, str> {
        match filter {
            Some(Self::Sh) => Cow::Owned(quote::single(&text)),
            Some(Self::Raw) | None => text,
        }
    }
}
