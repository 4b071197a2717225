//! What is wrong with a definition, said so that a person can mend it: a stable code, a message, where, and help.

use crate::text::{one_line, shorten};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::fmt;

/// A place in a document: line and column, both from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The definition cannot be stored or run.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// One finding about a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Diagnostic {
    /// Stable code: `E…` for errors, `W…` for warnings.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, naming the thing.
    pub message: String,
    /// Where in the document's structure, like `steps[2].goto`.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{}: {kind}[{}]: {} ({})", self.line, self.column, self.code, self.message, self.help)
    }
}

macro_rules! codes {
    ($($name:ident $code:literal $doc:literal),* $(,)?) => {
        /// The kinds of findings. The codes are stable: once given, a code never means another thing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $doc] $name),* }

        impl Code {
            /// The stable code, like `E003`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// One line on what the code stands for.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => $doc),* }
            }

            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Self::$name),*];
        }
    };
}

codes! {
    Syntax "E001" "the text is not YAML",
    TooLarge "E002" "the document is too large, too deep, or expands too far through aliases",
    DuplicateKey "E003" "a key stands twice in one mapping",
    TagNotAllowed "E004" "YAML tags are not allowed",
    UnknownField "E005" "a field that the language does not have",
    MissingField "E006" "a required field is missing",
    WrongType "E007" "a value has the wrong type",
    OutOfRange "E008" "a value is outside its allowed range",
    BadName "E009" "a name or id is not written as one",
    DuplicateId "E010" "two things carry the same id or name",
    UnknownStep "E011" "a jump leads to a step that is not in the same list",
    UnknownStepType "E012" "a step's type is unknown or cannot be told from its fields",
    BadExpression "E013" "an expression does not compile",
    BadTemplate "E014" "a template does not compile",
    UnknownReference "E015" "an expression or template names something that does not exist",
    BadDefault "E016" "a parameter's default does not satisfy the parameter",
    NotAvailable "E017" "a part of the language that this version does not run yet",
    DefaultNotLast "E018" "a route's default stands before other conditions",
    BadPattern "E019" "a regular expression does not compile",
    Conflict "E020" "fields that exclude each other",
    EndlessCycle "E021" "a cycle of steps that nothing in it can leave",
    SecretMisuse "E022" "a secret stands where it could be stored or shown",
    BadTarget "E023" "a target that can mean no worker",
    ReservedName "E024" "a parameter, value or item is called like something else in expressions",
    RawFilter "W001" "the raw filter puts a value into the shell program unquoted",
    QuotedHeredoc "W002" "a template in a heredoc whose delimiter is quoted",
    ConstantCondition "W003" "a condition that is always the same",
    Unreachable "W004" "a step that nothing leads to",
    MixedRoutes "W005" "a prompt option without a route where others have one",
    UnknownName "W006" "a name that no parameter declares and no step sets",
    NestedShell "W007" "a value goes to a second shell, which sees it unquoted",
    Unclosed "W008" "a quote, bracket or heredoc of a script is never closed",
    UnknownTarget "W009" "targets that match no worker the server knows",
    MayBeMissing "W010" "a parameter that may be left out is written into a text",
    Undecided "W011" "a condition that is neither true nor false",
    NotYet "W012" "something is read before any step can have set it",
    RepeatsAtOnce "W013" "a command that leads back to itself at once",
    NameNoTemplate "W014" "a template in a name, which is shown as it stands",
}

impl Code {
    /// Error or warning, by the code's letter.
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('E') { Severity::Error } else { Severity::Warning }
    }
}

/// Collects findings, in whatever order they come up.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a finding. The help says what to do about it, in other words than the message.
    pub fn add(&mut self, code: Code, path: &str, at: Position, message: impl Into<String>, help: impl Into<String>) {
        let (message, help) = (message.into(), help.into());
        debug_assert!(!help.trim().is_empty(), "{code:?} has no help: {message}");
        self.0.push(Diagnostic {
            code: code.as_str().to_owned(),
            severity: code.severity(),
            message,
            path: path.to_owned(),
            line: at.line,
            column: at.column,
            help,
        });
    }

    /// Takes up findings that were made before.
    pub fn from_found(found: Vec<Diagnostic>) -> Self {
        Self(found)
    }

    /// Takes back that a field is missing: it is there, misspelt, which is said by itself.
    pub(crate) fn not_missing(&mut self, path: &str) {
        self.0.retain(|found| found.code != Code::MissingField.as_str() || found.path != path);
    }

    /// All findings so far, in the order in which they came up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether anything of a kind was found.
    pub fn has(&self, code: Code) -> bool {
        self.0.iter().any(|d| d.code == code.as_str())
    }

    /// All findings in the order of their places in the document. Where a value lacks its quotes and is wrong with them,
    /// too, the latter is said.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        let syntax = |found: &Diagnostic| found.code == Code::Syntax.as_str();
        if self.0.iter().any(syntax) {
            let other = |found: &&Diagnostic| found.severity == Severity::Error && !syntax(found);
            let wrong: HashSet<_> = self.0.iter().filter(other).map(|found| (found.line, found.column)).collect();
            self.0.retain(|found| !syntax(found) || !wrong.contains(&(found.line, found.column)));
        }
        self.0.sort_by(|a, b| (a.line, a.column, &a.code).cmp(&(b.line, b.column, &b.code)));
        self.0
    }
}

/// The known name nearest to a misspelt one, and how many letters apart they are.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
}

/// The known name nearest to a misspelt one, as a help line.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|(_, name)| format!("did you mean `{name}`?"))
}

/// Names for a help line, each once, in order; of very many the first ones.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 30;
    let names: BTreeSet<&str> = names.into_iter().collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    let shown: Vec<String> = names.iter().take(MOST).map(|name| shorten(&one_line(name), 60)).collect();
    format!("{}{more}", shown.join(", "))
}
