//! Values that variables carry: to where a shell calculates with them, takes them as a name or runs them.

use super::nested::runs_text;
use super::place::Needs;
use super::tracker::Tracker;
use super::words::{Origin, UNSEEN, Word, is_part, part_name};
use crate::template::TemplateWarningKind;
use std::collections::{HashMap, HashSet};

/// Variables that the shell itself gives a value to, which may come from one of the script's.
const OTHERS: &[&str] =
    &["_", "BASH_ARGV", "BASH_COMMAND", "BASH_EXECUTION_STRING", "BASH_REMATCH", "COPROC", "DIRSTACK", "OLDPWD", "PWD"];

/// What is known about the variables of a script.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Variables that placeholders are assigned to.
    assigned: Vec<(String, usize)>,
    /// For each variable, those whose values may be a part of its value.
    copied: HashMap<String, Vec<String>>,
    /// For each variable, names in texts that are assigned to it: whoever calculates with it calculates with those.
    spelled: HashMap<String, Vec<String>>,
    /// Variables whose value begins with the name of a program, and that value.
    pub programs: HashMap<String, String>,
    /// What the value of a variable has to be.
    pub needed: HashMap<String, Needs>,
    /// Variables whose value a second shell reads.
    pub run: HashSet<String>,
    /// Variables that stand where a program looks for options that run commands, and that program.
    pub options: HashMap<String, &'static str>,
    /// Variables that the script gives a value to.
    made: HashSet<String>,
    /// Texts that are cut out of others, so far.
    parts: usize,
    /// Something assigns variables that are not seen: references, `eval`, files that are read as scripts.
    pub hides: bool,
    /// Associative arrays: their index is text.
    pub maps: HashSet<String>,
    /// Variables that are declared as such somewhere, perhaps under a condition or in a function.
    pub declared_maps: HashSet<String>,
    /// Variables that are unset somewhere or local to some function; an empty name stands for any.
    pub unmade: HashSet<String>,
    /// Variables that have been lists, which `declare -A` leaves as they are.
    pub lists: HashSet<String>,
}

impl Variables {
    /// A value is assigned to a variable.
    pub fn assign(&mut self, name: &str, origin: Origin) {
        self.made.insert(name.to_owned());
        self.assigned.extend(origin.holes.into_iter().map(|hole| (name.to_owned(), hole)));
        if !origin.names.is_empty() {
            self.copied.entry(name.to_owned()).or_default().extend(origin.names);
        }
    }

    /// A word is assigned to a variable.
    pub fn assign_word(&mut self, name: &str, word: &Word) {
        let origin = if word.many { self.part(word.origin()) } else { word.origin() };
        self.assign(name, origin);
        self.spell(name, &word.text);
    }

    /// This text is a part of what is assigned to a variable.
    pub fn spell(&mut self, name: &str, text: &str) {
        let word = Word { text: text.to_owned(), ..Word::default() };
        let names: Vec<String> = word.names().filter(|other| *other != name).map(str::to_owned).collect();
        if !names.is_empty() {
            self.spelled.entry(name.to_owned()).or_default().extend(names);
        }
        let program = text.split_whitespace().next().unwrap_or_default();
        if runs_text(program) {
            self.programs.insert(name.to_owned(), text.to_owned());
        }
    }

    /// A text that is cut out of another: one that a filter prints, a field, a line.
    pub fn part(&mut self, origin: Origin) -> Origin {
        if origin.is_empty() {
            return origin;
        }
        let name = part_name(self.parts);
        self.parts += 1;
        self.assign(&name, origin);
        Origin::of(name)
    }

    /// From here on the variable has no value that it had before. Returns the name under which that is known now, unless the
    /// script has asked something of the variable already.
    pub fn make_anew(&mut self, name: &str) -> Option<String> {
        let known = self.needed.contains_key(name) || self.run.contains(name) || self.options.contains_key(name);
        if known || !self.made.contains(name) || self.lists.contains(name) || self.declared_maps.contains(name) {
            return None;
        }
        let before = format!("{name}@{}", self.parts);
        self.parts += 1;
        let rename = |other: &mut String| {
            if other == name {
                other.clone_from(&before);
            }
        };
        self.assigned.iter_mut().for_each(|(name, _)| rename(name));
        self.copied.values_mut().flatten().for_each(rename);
        // A name is looked up when it is calculated with, which can have been before.
        for names in self.spelled.values_mut().filter(|names| names.iter().any(|other| other == name)) {
            names.push(before.clone());
        }
        for names in [&mut self.copied, &mut self.spelled] {
            if let Some(old) = names.remove(name) {
                names.insert(before.clone(), old);
            }
        }
        self.programs.remove(name);
        Some(before)
    }

    /// The script gives a value to this variable somewhere.
    pub fn makes(&self, name: &str) -> bool {
        self.made.contains(name)
    }

    /// The value of a variable has to be at least this.
    pub fn need(&mut self, name: &str, needs: Needs) {
        let needs = if is_part(name) { needs.min(Needs::Inert) } else { needs };
        if let Some(known) = self.needed.get_mut(name) {
            *known = needs.max(*known);
        } else {
            self.needed.insert(name.to_owned(), needs);
        }
    }

    /// Some associative array may be none at some time.
    pub fn doubts_maps(&self) -> bool {
        !self.maps.is_empty() && (self.unmade.contains("") || !self.maps.is_disjoint(&self.unmade))
    }

    /// Something of which it is not seen where it comes from reaches a place where a shell evaluates values.
    pub fn is_unseen(&self) -> bool {
        let unseen = |name: &String| name == UNSEEN || OTHERS.contains(&name.as_str());
        (self.hides && !self.needed.is_empty()) || self.needed.keys().any(unseen)
    }

    /// Hands on what is asked of a variable to those whose values it has.
    fn spread(&mut self) {
        let mut open: Vec<(String, Needs)> = self.needed.iter().map(|(name, needs)| (name.clone(), *needs)).collect();
        while let Some((name, needs)) = open.pop() {
            let spelled = self.spelled.get(&name).filter(|_| matches!(needs, Needs::Integer | Needs::Inert));
            for from in self.copied.get(&name).into_iter().chain(spelled).flatten() {
                let needs = if is_part(from) { needs.min(Needs::Inert) } else { needs };
                if self.needed.get(from).is_none_or(|known| *known < needs) {
                    self.needed.insert(from.clone(), needs);
                    open.push((from.clone(), needs));
                }
            }
        }
        let mut open: Vec<(String, &'static str)> = self.options.iter().map(|(name, of)| (name.clone(), *of)).collect();
        while let Some((name, of)) = open.pop() {
            for from in self.copied.get(&name).into_iter().flatten() {
                if self.options.insert(from.clone(), of).is_none() {
                    open.push((from.clone(), of));
                }
            }
        }
        let mut open: Vec<String> = self.run.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for from in self.copied.get(&name).into_iter().flatten() {
                if self.run.insert(from.clone()) {
                    open.push(from.clone());
                }
            }
        }
    }
}

impl Tracker<'_> {
    /// What the index of a variable has to be: anything where it is certain to be an associative array, and text of which
    /// nothing is run where it may be one.
    pub fn index_needs(&self, name: &str) -> Needs {
        let variables = &self.found.variables;
        if self.trusts_maps && variables.maps.contains(name) {
            Needs::Anything
        } else if variables.declared_maps.contains(name) {
            Needs::Inert
        } else {
            Needs::Integer
        }
    }

    /// Asks for at least this of the values of placeholders and of variables.
    pub fn need(&mut self, origin: &Origin, needs: Needs) {
        for hole in &origin.holes {
            let place = &mut self.found.places[*hole];
            place.needs = place.needs.max(needs);
        }
        for name in &origin.names {
            self.found.variables.need(name, needs);
        }
    }

    /// The shell calculates with a word: with its values, and with the variables it names.
    pub fn calculate(&mut self, word: &Word) {
        self.calculate_as(word, Needs::Integer);
    }

    /// The same where it may also be text.
    pub fn calculate_as(&mut self, word: &Word, needs: Needs) {
        self.need(&word.origin(), needs);
        for name in word.names() {
            self.found.variables.need(name, needs);
        }
    }

    /// A value that a variable carries has to be what is needed where the variable is used, as if it stood there itself.
    pub fn follow_variables(&mut self) {
        self.found.variables.spread();
        let mut run = Vec::new();
        for (name, hole) in std::mem::take(&mut self.found.variables.assigned) {
            if let Some(needs) = self.found.variables.needed.get(&name) {
                let place = &mut self.found.places[hole];
                place.needs = place.needs.max(*needs);
            }
            if let Some(program) = self.found.variables.options.get(&name) {
                self.found.places[hole].option_of = Some(program);
            }
            if self.found.variables.run.contains(&name) {
                run.push(hole);
                self.found.unquoted.extend(is_part(&name).then_some(hole));
            }
        }
        run.sort_unstable();
        run.dedup();
        let offsets: HashSet<usize> = self
            .found
            .warnings
            .iter()
            .filter(|w| w.kind == TemplateWarningKind::NestedShell)
            .map(|w| w.offset)
            .collect();
        run.retain(|hole| !offsets.contains(&self.units.holes[*hole].offset));
        self.warn_nested(&run, "a variable or a pipe carries this value into text that a second shell reads");
        self.found.mixes =
            self.found.variables.is_unseen() || self.found.places.iter().any(|place| place.needs == Needs::Inert);
    }
}
