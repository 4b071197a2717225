//! What is wrong with a definition, said so that a person can mend it: a stable code, a message, where, and help.

use crate::text::{one_line, shorten};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

/// Findings of one kind that are listed; the others are counted.
pub const MOST_OF_A_KIND: usize = 200;

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
    /// For how many further findings of its kind this one stands; 0 for one that is a finding itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
    pub left_out: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Diagnostic {
    /// How many findings it is.
    pub fn count(&self) -> usize {
        (self.left_out as usize).max(1)
    }
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

/// Collects findings, in whatever order they come up. Of each kind the first [`MOST_OF_A_KIND`] are kept; of the others only
/// what it takes to count them, so that a document full of mistakes costs no more than one with some.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// How many of a kind are kept.
    kept: HashMap<&'static str, usize>,
    left_out: HashMap<&'static str, LeftOut>,
    /// Where fields are missing: how many findings say so.
    missing: HashMap<String, usize>,
}

/// What there is to know of the findings of a kind that are not kept.
#[derive(Debug, Default)]
struct LeftOut {
    /// Path and place of the first.
    first: (String, Position),
    /// The places of those that were added here.
    places: Vec<Position>,
    /// How many others there were before.
    before: usize,
}

impl LeftOut {
    fn count(&self) -> usize {
        self.places.len() + self.before
    }
}

impl Diagnostics {
    /// Adds a finding. The help says what to do about it, in other words than the message.
    pub fn add(&mut self, code: Code, path: &str, at: Position, message: impl Into<String>, help: impl Into<String>) {
        if code == Code::MissingField {
            *self.missing.entry(path.to_owned()).or_default() += 1;
        }
        if self.is_full(code) {
            let left_out = self.left_out.entry(code.as_str()).or_default();
            if left_out.count() == 0 {
                left_out.first = (path.to_owned(), at);
            }
            left_out.places.push(at);
            return;
        }
        let (message, help) = (message.into(), help.into());
        debug_assert!(!help.trim().is_empty(), "{code:?} has no help: {message}");
        *self.kept.entry(code.as_str()).or_default() += 1;
        self.found.push(Diagnostic {
            code: code.as_str().to_owned(),
            severity: code.severity(),
            message,
            path: path.to_owned(),
            line: at.line,
            column: at.column,
            help,
            left_out: 0,
        });
    }

    /// Whether further findings of a kind are only counted: then what they would say need not be worked out.
    pub fn is_full(&self, code: Code) -> bool {
        self.kept.get(code.as_str()).is_some_and(|kept| *kept >= MOST_OF_A_KIND)
    }

    /// Takes up findings that were made before.
    pub fn from_found(found: Vec<Diagnostic>) -> Self {
        let mut all = Self::default();
        for finding in found {
            let code = Code::ALL.iter().map(|code| code.as_str()).find(|code| *code == finding.code);
            match code {
                Some(code) if finding.left_out > 0 => {
                    let at = Position { line: finding.line, column: finding.column };
                    let before = finding.left_out as usize;
                    all.left_out.insert(code, LeftOut { first: (finding.path, at), places: Vec::new(), before });
                }
                code => {
                    code.into_iter().for_each(|code| *all.kept.entry(code).or_default() += 1);
                    all.found.push(finding);
                }
            }
        }
        all
    }

    /// Takes back that a field is missing: it is there, misspelt, which is said by itself.
    pub(crate) fn not_missing(&mut self, path: &str) {
        let Some(mut counted) = self.missing.remove(path) else { return };
        let code = Code::MissingField.as_str();
        let before = self.found.len();
        self.found.retain(|found| found.code != code || found.path != path);
        let taken = before - self.found.len();
        counted -= taken.min(counted);
        if let Some(kept) = self.kept.get_mut(code) {
            *kept -= taken;
        }
        // A field is looked for just before: it is among the last.
        if let Some(left_out) = self.left_out.get_mut(code) {
            left_out.places.truncate(left_out.places.len().saturating_sub(counted));
        }
    }

    /// Whether it was said of any of these fields that it is missing.
    pub(crate) fn says_missing(&self, mut paths: impl Iterator<Item = String>) -> bool {
        !self.missing.is_empty() && paths.any(|path| self.missing.contains_key(&path))
    }

    /// All findings so far that are kept, in the order in which they came up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Whether there are findings of a kind of which only the number is known.
    pub(crate) fn has_left_out(&self, code: Code) -> bool {
        self.left_out.get(code.as_str()).is_some_and(|left_out| left_out.count() > 0)
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether anything of a kind was found.
    pub fn has(&self, code: Code) -> bool {
        self.found.iter().any(|d| d.code == code.as_str())
    }

    /// All findings in the order of their places in the document; those of a kind that are not listed are one, which stands
    /// where the first of them is. Where a value lacks its quotes and is wrong with them, too, the latter is said.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.quotes_once();
        for code in Code::ALL {
            let Some(left_out) = self.left_out.get(code.as_str()).filter(|left_out| left_out.count() > 0) else {
                continue;
            };
            let (path, at) = &left_out.first;
            let number = left_out.count();
            let (findings, are) = if number == 1 { ("finding", "is") } else { ("findings", "are") };
            self.found.push(Diagnostic {
                code: code.as_str().to_owned(),
                severity: code.severity(),
                message: format!("{number} more {findings} of this kind, here and further on, {are} not listed"),
                path: path.clone(),
                line: at.line,
                column: at.column,
                help: "mend those that are listed, and check it again".to_owned(),
                left_out: u32::try_from(number).unwrap_or(u32::MAX),
            });
        }
        self.found.sort_by(|a, b| (a.line, a.column, &a.code).cmp(&(b.line, b.column, &b.code)));
        self.found
    }

    /// Takes back what is said of a value without quotes where another error says more.
    fn quotes_once(&mut self) {
        let syntax = Code::Syntax.as_str();
        if !self.has(Code::Syntax) {
            return;
        }
        let at = |found: &Diagnostic| Position { line: found.line, column: found.column };
        let other = |found: &&Diagnostic| found.severity == Severity::Error && found.code != syntax;
        let mut wrong: HashSet<Position> = self.found.iter().filter(other).map(at).collect();
        let others = self.left_out.iter().filter(|(code, _)| code.starts_with('E') && **code != syntax);
        wrong.extend(others.flat_map(|(_, left_out)| &left_out.places));
        self.found.retain(|found| found.code != syntax || !wrong.contains(&at(found)));
        if let Some(left_out) = self.left_out.get_mut(syntax) {
            left_out.places.retain(|at| !wrong.contains(at));
        }
    }
}

/// The known name nearest to a misspelt one, and how many letters apart they are.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    /// Names that are compared letter by letter at most: of more that are about as long, none is a good guess.
    const MOST_COMPARED: usize = 1_000;
    let letters = word.chars().count();
    let limit = (letters / 3).max(1) + 1;
    let word = word.to_lowercase();
    // Words of another length are farther apart than that.
    let may_be = |name: &&str| !name.is_ascii() || !word.is_ascii() || name.len().abs_diff(letters) <= limit;
    let names: Vec<&str> = known.into_iter().filter(may_be).take(MOST_COMPARED + 1).collect();
    if names.len() > MOST_COMPARED {
        return None;
    }
    let names = names.into_iter();
    names
        .map(|name| (strsim::damerau_levenshtein(&word, &name.to_lowercase()), name))
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
