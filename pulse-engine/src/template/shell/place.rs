//! The place a placeholder stands in: how a reference is written there, what its value has to be, how it is shown.

use super::words::is_name;
use crate::template::quote;
use std::fmt::Write;

/// The quoting around a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Bare,
    Double,
    Single,
    /// `$'…'`
    Ansi,
    Heredoc,
    /// A heredoc with a quoted delimiter, which is rewritten into one without.
    QuotedHeredoc,
    Arithmetic,
    Comment,
}

/// What a value has to be, because some shell evaluates it even as a value. Stricter ones are later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    Anything,
    /// The value of `declare` and its kind: Bash reads `( … )` as a list, and expands what is in it.
    NoList,
    /// Text of which the shell calculates with a part, or takes it as a name: without anything that is run there or assigns.
    Inert,
    /// The first operand of `printf`: `-v` would make the rest of it the name of a variable.
    Plain,
    /// The name of a variable, which could carry an array index.
    Name,
    /// Arithmetic, in which Bash runs the `$(…)` of an array index inside of a value; a file number.
    Integer,
}

/// Where a placeholder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub style: Style,
    pub needs: Needs,
    /// A program that takes it for an option if it begins with `-`, and of which options run commands.
    pub option_of: Option<&'static str>,
}

impl Place {
    pub const UNKNOWN: Self = Self { style: Style::Bare, needs: Needs::Anything, option_of: None };
}

impl Style {
    /// Writes a reference to a variable. What it adds is balanced in every context, so it changes no quoting around it.
    pub fn write_reference(self, script: &mut String, variable: &str) {
        let (before, after) = match self {
            Self::Bare => ("\"${", "}\""),
            Self::Double | Self::Heredoc | Self::QuotedHeredoc | Self::Arithmetic | Self::Comment => ("${", "}"),
            Self::Single => ("'\"${", "}\"'"),
            Self::Ansi => ("'\"${", "}\"$'"),
        };
        // Writing to a String cannot fail.
        let _ = write!(script, "{before}{variable}{after}");
    }

    /// The value as it would stand there, for people.
    pub fn show(self, value: &str) -> String {
        match self {
            Self::Bare => quote::where_needed(value),
            Self::Double => quote::escape(value, quote::IN_DOUBLE),
            Self::Single => value.replace('\'', r"'\''"),
            Self::Ansi => quote::escape(value, &['\\', '\'']),
            Self::Heredoc => quote::escape(value, quote::IN_HEREDOC),
            Self::QuotedHeredoc | Self::Arithmetic => value.to_owned(),
            Self::Comment => value.replace(['\n', '\r'], " "),
        }
    }
}

impl Needs {
    /// What it has to be, for a message, if the value is not that.
    pub fn refuses(self, value: &str) -> Option<&'static str> {
        match self {
            Self::Anything => None,
            Self::NoList => value
                .starts_with('(')
                .then_some("something that does not begin with `(`, because the shell reads a list there"),
            Self::Inert => {
                let fits = !value.starts_with('(') && !value.contains(['$', '`', '\\', '=']);
                (!fits).then_some(
                    "without any of $ ` \\ = and without a `(` at its start, because the shell calculates with a part of it, or \
                     takes a part as a name",
                )
            }
            Self::Plain => {
                let fits = !value.starts_with('-') && !value.contains(['(', '[', '$', '`']);
                (!fits).then_some(
                    "without a `-` at its start and without ( [ $ `, because the shell reads options or a list there",
                )
            }
            Self::Integer => {
                let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
                let fits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                (!fits).then_some("an integer, because the shell calculates with it")
            }
            Self::Name => (!is_name(value)).then_some("the name of a variable, because the shell looks it up"),
        }
    }
}
