//! Functions, and what is handed to them, to the script or to a second shell: `$1`, `"$@"` and so on are variables here,
//! whose names nothing else has: `f(1` is the first argument of `f`, `f(@` any of them; `(1` is that of the script.

use super::frames::Frame;
use super::tracker::Tracker;
use super::words::{EXPANSION, HOLE, Origin, Word};

/// Arguments that are told apart; those behind them count as any.
const MOST: usize = 9;

/// The name of an argument as a variable.
pub(super) fn argument(function: &str, number: usize) -> String {
    if number > MOST { format!("{function}(@") } else { format!("{function}({number}") }
}

/// Words with the arguments that each of them may become.
pub(super) fn handed<'w>(function: &str, words: &'w [Word]) -> Vec<(&'w Word, Vec<String>)> {
    let mut certain = true;
    let names = |(index, word): (usize, &'w Word)| {
        let pattern = word.plain && word.text.contains(['*', '?', '[', '{']);
        certain &= !word.many && !pattern;
        let numbers = if certain { index + 1..=index + 1 } else { 1..=MOST };
        (word, numbers.map(|number| argument(function, number)).chain([format!("{function}(@")]).collect())
    };
    words.iter().enumerate().map(names).collect()
}

impl Tracker<'_> {
    /// The function whose body this is; an empty text is the script.
    pub fn function(&self) -> String {
        let mut bodies = self.stack.iter().rev().filter_map(|frame| match frame {
            Frame::Command(command) => command.bodies.last().map(|(name, _)| name).or(command.function.as_ref()),
            _ => None,
        });
        bodies.next().cloned().unwrap_or_default()
    }

    /// The name of a function whose body follows, if the only word so far can be one.
    pub fn only_name(&mut self) -> Option<String> {
        let name = self.command()?.words.only_text()?.to_owned();
        (!name.is_empty() && !name.contains(['=', HOLE, EXPANSION])).then_some(name)
    }

    /// The body of a function follows.
    pub fn define(&mut self, name: String) {
        self.found.functions.insert(name.clone());
        if let Some(command) = self.command() {
            command.defines = Some(name);
        }
    }

    /// The name of a variable, in which arguments belong to a function.
    pub fn scoped(&self, name: String) -> String {
        match name.parse::<usize>() {
            Ok(0) => name,
            Ok(number) => argument(&self.function(), number),
            Err(_) if matches!(name.as_str(), "@" | "*") => format!("{}(@", self.function()),
            Err(_) => name,
        }
    }

    /// These words become the arguments of a function, or of the script.
    pub fn hand_on(&mut self, function: &str, words: &[Word]) {
        for (word, names) in handed(function, words) {
            for name in names {
                self.found.variables.assign_word(&name, word);
            }
        }
    }

    /// Each argument can be one that came behind it.
    pub fn shift(&mut self) {
        let function = self.function();
        for number in 1..=MOST {
            let any = Origin::of(format!("{function}(@"));
            self.found.variables.assign(&argument(&function, number), any);
        }
    }
}
