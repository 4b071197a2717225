//! Values that variables carry: to where a shell calculates with them, takes them as a name or runs them.

use super::nested::runs_text;
use super::place::Needs;
use super::tracker::Tracker;
use super::words::{ANY_INPUT, Origin, Word};
use crate::template::TemplateWarningKind;
use std::collections::{HashMap, HashSet};

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
    /// Associative arrays: their index is text.
    pub maps: HashSet<String>,
    /// Variables that are unset somewhere or local to some function; an empty name stands for any.
    pub unmade: HashSet<String>,
    /// Variables that have been lists, which `declare -A` leaves as they are.
    pub lists: HashSet<String>,
}

impl Variables {
    /// A value is assigned to a variable.
    pub fn assign(&mut self, name: &str, origin: Origin) {
        self.assigned.extend(origin.holes.into_iter().map(|hole| (name.to_owned(), hole)));
        if !origin.names.is_empty() {
            self.copied.entry(name.to_owned()).or_default().extend(origin.names);
        }
    }

    /// A word is assigned to a variable.
    pub fn assign_word(&mut self, name: &str, word: &Word) {
        self.assign(name, word.origin());
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

    /// The value of a variable has to be at least this.
    pub fn need(&mut self, name: &str, needs: Needs) {
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

    /// Hands on what is asked of a variable to those whose values it has.
    fn spread(&mut self) {
        let mut open: Vec<(String, Needs)> = self.needed.iter().map(|(name, needs)| (name.clone(), *needs)).collect();
        while let Some((name, needs)) = open.pop() {
            let spelled = self.spelled.get(&name).filter(|_| needs == Needs::Integer);
            for from in self.copied.get(&name).into_iter().chain(spelled).flatten() {
                if self.needed.get(from).is_none_or(|known| *known < needs) {
                    self.needed.insert(from.clone(), needs);
                    open.push((from.clone(), needs));
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
    /// The variable is certain to be an associative array.
    pub fn is_map(&self, name: &str) -> bool {
        self.trusts_maps && self.found.variables.maps.contains(name)
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
        self.need(&word.origin(), Needs::Integer);
        for name in word.names() {
            self.found.variables.need(name, Needs::Integer);
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
            if self.found.variables.run.contains(&name) {
                run.push(hole);
                self.found.unquoted.extend((name == ANY_INPUT).then_some(hole));
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
        self.warn_nested(&run, "a variable carries this value into text that a second shell reads");
    }
}
