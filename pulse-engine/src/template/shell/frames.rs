//! The contexts that are open at a point of a shell script.

use super::words::Words;

/// An open context.
#[derive(Debug)]
pub(super) enum Frame {
    /// Commands: the script itself, `$( … )`, `( … )`, backquotes.
    Command(Box<Command>),
    /// `"…"`
    Double,
    /// `${…}`
    Parameter { mode: Mode, in_double: bool },
    /// `$(( … ))`, `(( … ))`, `$[ … ]`: with the parentheses open inside.
    Arithmetic { parens: usize, close: char },
    /// The body of a heredoc whose delimiter is not quoted.
    Heredoc,
}

/// What is read inside of `${…}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The name and what follows it directly.
    Name,
    /// `[ … ]` behind the name.
    Subscript,
    /// The word of `:-`, `:=`, `:?`, `:+`.
    Word,
    /// The pattern of `#`, `%`, `/`, `^` or `,`.
    Pattern,
    /// Offset and length, which are arithmetic.
    Offset,
}

/// What ends a context of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The end of the script.
    End,
    Paren,
    Backquote {
        /// It stands in double quotes or a heredoc, where backslashes and quotes mean something else.
        quoted: bool,
        /// `\`` has opened another one inside.
        nested: bool,
    },
}

/// How far a `case` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Subject,
    In,
    Pattern,
    Body,
}

/// A context of commands.
#[derive(Debug)]
pub(super) struct Command {
    pub close: Close,
    /// The next word can be a command or a keyword.
    pub at_command: bool,
    /// The next word belongs to a redirection.
    pub redirected: bool,
    /// That redirection duplicates a file: `>&` or `<&`.
    pub duplicated: bool,
    /// Inside of `[[ … ]]`.
    pub in_test: bool,
    pub cases: Vec<Case>,
    pub words: Words,
}

impl Command {
    pub fn new(close: Close) -> Self {
        Self {
            close,
            at_command: true,
            redirected: false,
            duplicated: false,
            in_test: false,
            cases: Vec::new(),
            words: Words::default(),
        }
    }
}

impl Frame {
    pub fn command(close: Close) -> Self {
        Self::Command(Box::new(Command::new(close)))
    }

    /// For the message about one that is never closed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Command(command) => match command.close {
                Close::End => "script",
                Close::Paren => "(",
                Close::Backquote { .. } => "backquote",
            },
            Self::Double => "double quote",
            Self::Parameter { .. } => "${",
            Self::Arithmetic { .. } => "((",
            Self::Heredoc => "heredoc",
        }
    }
}
