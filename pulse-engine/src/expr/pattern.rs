//! Regular expressions with a bound on time and memory.
//!
//! A text of 1 MiB and a hostile pattern take a usual engine many seconds, and a native function cannot be interrupted. So the text is
//! fed to a lazily built automaton byte by byte, with a look at the clock in between. The automaton cannot decide Unicode word
//! boundaries beside non-ASCII letters; such a search is done by a slower machine, if text and pattern are small enough for it.

use super::budget;
use super::error::Failure;
use regex_automata::Input;
use regex_automata::hybrid::dfa::{Config, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures, pikevm::PikeVM};
use regex_automata::util::syntax;

/// Memory of one compiled pattern.
const MAX_PATTERN_BYTES: usize = 256 * 1024;
/// Memory the automaton may use for states it has built; it starts over when that is full.
const CACHE_BYTES: usize = 1024 * 1024;
/// Bytes of text between two looks at the clock. Building one state takes microseconds.
const LOOK_INTERVAL: usize = 256;
/// Bytes of text × states of the pattern that the slower machine is given: some 20 ms.
const MAX_SLOW_WORK: usize = 4_000_000;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    dfa: DFA,
}

impl Pattern {
    /// Compiles a pattern in the syntax of the `regex` crate.
    pub fn compile(pattern: &str) -> Result<Self, Failure> {
        let config =
            Config::new().unicode_word_boundary(true).cache_capacity(CACHE_BYTES).skip_cache_capacity_check(true);
        let limits =
            thompson::Config::new().nfa_size_limit(Some(MAX_PATTERN_BYTES)).which_captures(WhichCaptures::None);
        let syntax = syntax::Config::new().nest_limit(super::MAX_DEPTH as u32);
        let built = DFA::builder().configure(config).thompson(limits).syntax(syntax).build(pattern);
        built.map(|dfa| Self { dfa }).map_err(|error| {
            Failure::other(format!("the regular expression {pattern:?} is not usable: {}", reason(&error)))
        })
    }

    /// Memory it takes.
    pub fn size(&self) -> usize {
        self.dfa.get_nfa().memory_usage()
    }

    /// Whether it matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, Failure> {
        self.search(text).and_then(|found| found.map_or_else(|| self.slow_search(text), Ok))
    }

    /// Searches with the automaton; `None` when it cannot decide.
    fn search(&self, text: &str) -> Result<Option<bool>, Failure> {
        let cache_full = |_| Failure::limit("the regular expression needs too much memory");
        let mut cache = self.dfa.create_cache();
        let Ok(mut state) = self.dfa.start_state_forward(&mut cache, &Input::new(text)) else { return Ok(None) };
        for (i, &byte) in text.as_bytes().iter().enumerate() {
            if i % LOOK_INTERVAL == 0 {
                budget::look()?;
            }
            state = self.dfa.next_state(&mut cache, state, byte).map_err(cache_full)?;
            if state.is_tagged() {
                if state.is_match() {
                    return Ok(Some(true));
                }
                if state.is_dead() {
                    return Ok(Some(false));
                }
                if state.is_quit() {
                    return Ok(None);
                }
            }
        }
        state = self.dfa.next_eoi_state(&mut cache, state).map_err(cache_full)?;
        Ok(Some(state.is_match()))
    }

    fn slow_search(&self, text: &str) -> Result<bool, Failure> {
        let nfa = self.dfa.get_nfa();
        if text.len().saturating_mul(nfa.states().len()) > MAX_SLOW_WORK {
            return Err(Failure::limit(
                "the text is too long for `\\b` beside letters that are not ASCII; write (?-u:\\b)",
            ));
        }
        let machine = PikeVM::new_from_nfa(nfa.clone()).map_err(|error| Failure::other(error.to_string()))?;
        Ok(machine.is_match(&mut machine.create_cache(), text))
    }
}

/// The innermost reason, on one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
