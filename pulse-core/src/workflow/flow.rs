//! How the steps of a list may follow each other: worked out once, for every check that asks where a step can lead.
//!
//! Everything here takes a time that grows with steps and ways together, however they lead.

use super::links::{jumps, never_falls_through};
use super::steps::Step;
use std::collections::HashMap;

/// The ways between the steps of one list, by their positions in it.
#[derive(Debug)]
pub struct Flow {
    next: Vec<Vec<usize>>,
    /// Whether a way leads out of the list: behind its last step, or to a step that is not in it.
    leaves: Vec<bool>,
}

/// Steps of which each leads to each of the others, if there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring<'r> {
    /// Their positions.
    pub steps: &'r [usize],
    /// Whether there is a way round: also a single step can lead to itself.
    pub is_cycle: bool,
}

impl Flow {
    /// The ways of these steps, whatever happens.
    pub fn of(steps: &[Step]) -> Self {
        let index: HashMap<&str, usize> =
            steps.iter().enumerate().map(|(position, step)| (step.id.as_str(), position)).collect();
        let mut flow = Self { next: Vec::with_capacity(steps.len()), leaves: Vec::with_capacity(steps.len()) };
        for (position, step) in steps.iter().enumerate() {
            let (mut next, mut leaves) = (Vec::new(), false);
            jumps(step, |_, target, _| match index.get(target) {
                Some(target) => next.push(*target),
                None => leaves = true,
            });
            if !never_falls_through(step) {
                match position + 1 < steps.len() {
                    true => next.push(position + 1),
                    false => leaves = true,
                }
            }
            next.sort_unstable();
            next.dedup();
            flow.next.push(next);
            flow.leaves.push(leaves);
        }
        flow
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.next.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }

    /// The steps that may follow a step directly, in order.
    pub fn next(&self, step: usize) -> &[usize] {
        &self.next[step]
    }

    /// Whether a way of a step leads out of the list.
    pub fn leaves(&self, step: usize) -> bool {
        self.leaves[step]
    }

    /// For each step, the steps that it may follow directly.
    pub fn before(&self) -> Vec<Vec<usize>> {
        let mut before = vec![Vec::new(); self.len()];
        for (step, next) in self.next.iter().enumerate() {
            next.iter().for_each(|next| before[*next].push(step));
        }
        before
    }

    /// Which steps the first one leads to; it itself counts.
    pub fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        spread((!self.is_empty()).then_some(0), &mut reached, |step| &self.next[step]);
        reached
    }

    /// The rings of the list, those that others lead to first, with the ways alone that lead from and to steps that `counts`.
    ///
    /// (Robert Tarjan, Depth-first search and linear graph algorithms, 1972; with a stack of its own.)
    pub fn rings(&self, counts: impl Fn(usize) -> bool) -> Rings {
        let mut search = Search { number: vec![0; self.len()], low: vec![0; self.len()], ..Search::default() };
        for step in (0..self.len()).filter(|step| counts(*step)) {
            if search.number[step] == 0 {
                search.from(step, |step| &self.next[step], &counts);
            }
        }
        let Search { mut rings, .. } = search;
        rings.is_cycle = (0..rings.ends.len())
            .map(|ring| {
                let steps = rings.steps_of(ring);
                steps.len() > 1 || self.next[steps[0]].binary_search(&steps[0]).is_ok()
            })
            .collect();
        rings
    }
}

/// Marks everything that some steps lead to, they themselves too. What is marked already is not gone through again.
pub(super) fn spread<'n>(
    from: impl IntoIterator<Item = usize>,
    marked: &mut [bool],
    next: impl Fn(usize) -> &'n [usize],
) {
    let mut open: Vec<usize> = from.into_iter().collect();
    while let Some(step) = open.pop() {
        if !std::mem::replace(&mut marked[step], true) {
            open.extend(next(step).iter().filter(|next| !marked[**next]));
        }
    }
}

/// The rings of a list. A ring leads only to itself and to rings before it.
#[derive(Debug, Default)]
pub struct Rings {
    steps: Vec<usize>,
    /// Where each ring ends in `steps`.
    ends: Vec<usize>,
    is_cycle: Vec<bool>,
}

impl Rings {
    /// All of them, those that are led to before those that lead there.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Ring<'_>> {
        (0..self.ends.len()).map(|ring| Ring { steps: self.steps_of(ring), is_cycle: self.is_cycle[ring] })
    }

    fn steps_of(&self, ring: usize) -> &[usize] {
        let start = ring.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.steps[start..self.ends[ring]]
    }
}

/// A search in depth under way.
#[derive(Default)]
struct Search {
    /// When each step was met, from 1; 0 for one that was not.
    number: Vec<usize>,
    /// The earliest step of its ring that a step is known to lead to; `usize::MAX` once its ring is complete.
    low: Vec<usize>,
    met: usize,
    /// Steps whose ring is not complete.
    open: Vec<usize>,
    rings: Rings,
}

impl Search {
    fn from<'n>(&mut self, start: usize, next: impl Fn(usize) -> &'n [usize], counts: impl Fn(usize) -> bool) {
        // Steps on the way, with how many of their ways have been taken.
        let mut way = vec![(start, 0)];
        self.meet(start);
        while let Some((step, taken)) = way.last_mut() {
            let step = *step;
            if let Some(to) = next(step).get(*taken).copied() {
                *taken += 1;
                if !counts(to) {
                    continue;
                }
                if self.number[to] == 0 {
                    self.meet(to);
                    way.push((to, 0));
                } else if self.low[to] != usize::MAX {
                    self.low[step] = self.low[step].min(self.number[to]);
                }
                continue;
            }
            way.pop();
            let low = self.low[step];
            if low == self.number[step] {
                while let Some(other) = self.open.pop() {
                    self.low[other] = usize::MAX;
                    self.rings.steps.push(other);
                    if other == step {
                        break;
                    }
                }
                self.rings.ends.push(self.rings.steps.len());
            } else if let Some((before, _)) = way.last() {
                self.low[*before] = self.low[*before].min(low);
            }
        }
    }

    fn meet(&mut self, step: usize) {
        self.met += 1;
        self.number[step] = self.met;
        self.low[step] = self.met;
        self.open.push(step);
    }
}
