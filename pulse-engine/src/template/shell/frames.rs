//! The contexts that are open at a point of a shell script.

use super::place::Needs;
use super::units::Unit;
use super::words::{Origin, Words};

/// An open context.
#[derive(Debug)]
pub(super) enum Frame {
    /// Commands: the script itself, `$( … )`, `( … )`, backquotes.
    Command(Box<Command>),
    /// `"…"`
    Double,
    /// `${…}`
    Parameter {
        mode: Mode,
        in_double: bool,
        /// The variable that gets the word, for `=` and `:=`.
        assigns: Option<String>,
        /// What its index has to be.
        index: Needs,
    },
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

/// What becomes of the commands, or words, of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// The script itself, or a subshell.
    Script,
    /// `$( … )`, backquotes: what they print is put in.
    Substitution,
    /// `<( … )`: the command reads what they print.
    Process,
    /// `name=( … )`: no commands, but the values of this list.
    List(String),
}

/// A context of commands.
#[derive(Debug)]
pub(super) struct Command {
    pub close: Close,
    pub role: Role,
    /// What the pipeline so far prints, as far as that is seen.
    pub feed: Origin,
    /// What all pipelines that are over have printed.
    pub output: Origin,
    /// Where the output of the compound commands begins that are open.
    pub groups: Vec<(usize, usize)>,
    /// The command reads what the one before it prints.
    pub piped: bool,
    /// What exactly the command before this one in the pipeline prints, if it is one text.
    pub feed_text: Option<Vec<Unit>>,
    /// The here-string of the command.
    pub here: Origin,
    /// What exactly it is.
    pub here_text: Option<Vec<Unit>>,
    /// The redirection is a here-string.
    pub here_string: bool,
    /// Its standard input is redirected.
    pub own_input: bool,
    /// Some file of it is redirected for reading.
    pub reads_file: bool,
    /// What it reads comes from another file of its own, or from a heredoc.
    pub any_input: bool,
    /// Its standard output goes into a file.
    pub own_output: bool,
    /// `&&` or the like stands before this command: it may not run, or not in this shell.
    pub conditional: bool,
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
    /// A function whose body is about to begin; and whether the next word is its name.
    pub defines: Option<String>,
    pub names_function: bool,
    /// All of it is the body of this function.
    pub function: Option<String>,
    /// Functions whose bodies are open, with how many compound commands were open around them.
    pub bodies: Vec<(String, usize)>,
}

impl Command {
    pub fn new(close: Close) -> Self {
        Self {
            close,
            role: Role::Script,
            feed: Origin::default(),
            output: Origin::default(),
            groups: Vec::new(),
            piped: false,
            feed_text: None,
            here: Origin::default(),
            here_text: None,
            here_string: false,
            own_input: false,
            reads_file: false,
            any_input: false,
            own_output: false,
            conditional: false,
            at_command: true,
            redirected: false,
            duplicated: false,
            in_test: false,
            cases: Vec::new(),
            words: Words::default(),
            defines: None,
            names_function: false,
            function: None,
            bodies: Vec::new(),
        }
    }
}

impl Command {
    /// What a compound command reads from a pipe: any command in it can be the one.
    pub fn piped_input(&self) -> Origin {
        if self.piped { self.feed.clone() } else { Origin::default() }
    }

    /// A compound command begins.
    pub fn open_group(&mut self) {
        if let Some(name) = self.defines.take() {
            self.bodies.push((name, self.groups.len()));
        }
        self.groups.push((self.output.holes.len(), self.output.names.len()));
    }

    /// A compound command ends. What was printed in it can go on through a pipe.
    pub fn close_group(&mut self, feeds: bool) {
        let Some((holes, names)) = self.groups.pop() else { return };
        self.feed_text = None;
        let open = self.groups.len();
        self.bodies.retain(|(_, around)| *around < open);
        if feeds {
            self.feed.holes = self.output.holes.split_off(holes.min(self.output.holes.len()));
            self.feed.names = self.output.names.split_off(names.min(self.output.names.len()));
        }
    }
}

impl Frame {
    pub fn command(close: Close) -> Self {
        Self::Command(Box::new(Command::new(close)))
    }

    /// Commands within a command.
    pub fn inner(close: Close, role: Role) -> Self {
        Self::Command(Box::new(Command { role, ..Command::new(close) }))
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
