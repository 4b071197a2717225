//! What may have run before each step, for as many things at a time as a word has bits: one walk through the steps and
//! their ways answers for all of them.

use pulse_core::workflow::{Flow, Step, StepKind, Workflow};
use std::collections::HashMap;
use std::ops::Range;

/// So many things are looked for at a time.
pub(super) const AT_ONCE: usize = u64::BITS as usize;

/// A step and where it is.
struct Place<'w> {
    step: &'w Step,
    list: usize,
    /// What stands in it, by places in the document.
    inside: Range<usize>,
    /// The lists in it: branches, or what is done for each item.
    lists: Vec<usize>,
}

struct List {
    /// Its steps, by their places in the document.
    steps: Vec<usize>,
    /// The steps that lead to each other, by their positions: those that others lead to come later; and whether such steps
    /// come again.
    rings: Vec<(Vec<usize>, bool)>,
    /// For each step, the positions from which it may be reached directly.
    from: Vec<Vec<usize>>,
    reached: Vec<bool>,
    /// The step it stands in.
    of: Option<usize>,
}

/// All steps in document order, and how they may follow each other.
pub(super) struct Order<'w> {
    places: Vec<Place<'w>>,
    lists: Vec<List>,
    index: HashMap<&'w str, usize>,
    /// Where the steps of `on_failure` and `finally` begin.
    phases: [usize; 2],
}

impl<'w> Order<'w> {
    pub(super) fn of(workflow: &'w Workflow) -> Self {
        let mut order = Self { places: Vec::new(), lists: Vec::new(), index: HashMap::new(), phases: [0; 2] };
        order.add(&workflow.steps, None);
        order.phases[0] = order.places.len();
        order.add(&workflow.on_failure, None);
        order.phases[1] = order.places.len();
        order.add(&workflow.finally, None);
        order.index = order.places.iter().enumerate().map(|(index, place)| (place.step.id.as_str(), index)).collect();
        order
    }

    fn add(&mut self, steps: &'w [Step], of: Option<usize>) {
        let list = self.lists.len();
        let flow = Flow::of(steps);
        let rings = flow.rings(|_| true);
        let rings = rings.iter().rev().map(|ring| (ring.steps.to_vec(), ring.is_cycle)).collect();
        let (from, reached) = (flow.before(), flow.reached());
        self.lists.push(List { steps: Vec::with_capacity(steps.len()), rings, from, reached, of });
        for step in steps {
            let index = self.places.len();
            self.lists[list].steps.push(index);
            self.places.push(Place { step, list, inside: 0..0, lists: Vec::new() });
            for steps in step.kind.lists() {
                let inner = self.lists.len();
                self.places[index].lists.push(inner);
                self.add(steps, Some(index));
            }
            self.places[index].inside = index + 1..self.places.len();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The step at a place in the document.
    pub(super) fn step(&self, index: usize) -> &'w Step {
        self.places[index].step
    }

    /// Where a step is.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Whether a step sees the one of that id always: itself, and what it stands in. One that is not there is a finding of
    /// its own.
    pub(super) fn sees(&self, at: usize, id: &str) -> bool {
        self.find(id).is_none_or(|index| index == at || self.places[index].inside.contains(&at))
    }

    /// The steps that nothing leads to, or to what they stand in.
    pub(super) fn unreached(&self) -> Vec<bool> {
        let mut unreached = vec![false; self.len()];
        for list in &self.lists {
            let outer = list.of.is_some_and(|outer| unreached[outer]);
            for (index, reached) in list.steps.iter().zip(&list.reached) {
                unreached[*index] = outer || !reached;
            }
        }
        unreached
    }

    /// For each step, which bits may have been made before it, given those that each step makes.
    ///
    /// Before a step is what leads to it in its list, with all that stands in that; before what it stands in, and beside it:
    /// other branches, and other items.
    pub(super) fn before(&self, made: &[u64]) -> Vec<u64> {
        // What a step makes together with all that stands in it, and the same of whole lists.
        let mut whole = made.to_vec();
        let mut of_list = vec![0; self.lists.len()];
        for (index, place) in self.places.iter().enumerate().rev() {
            whole[index] |= place.lists.iter().fold(0, |all, list| all | of_list[*list]);
            of_list[place.list] |= whole[index];
        }
        let beside = self.beside(&of_list);
        let main = whole[..self.phases[0]].iter().fold(0, |all, made| all | made);
        let failure = whole[self.phases[0]..self.phases[1]].iter().fold(0, |all, made| all | made);
        let mut before = vec![0; self.len()];
        // A list stands behind the step it is in.
        for (number, list) in self.lists.iter().enumerate() {
            let around = match list.of {
                Some(outer) => before[outer] | beside[number],
                None => match list.steps.first() {
                    Some(first) if *first >= self.phases[1] => main | failure,
                    Some(first) if *first >= self.phases[0] => main,
                    _ => 0,
                },
            };
            for (ring, is_cycle) in &list.rings {
                let mut bits = around;
                for position in ring {
                    // Those before it are complete; those of the ring itself count whole.
                    for from in &list.from[*position] {
                        let index = list.steps[*from];
                        bits |= before[index] | whole[index];
                    }
                    if *is_cycle {
                        bits |= whole[list.steps[*position]];
                    }
                }
                ring.iter().for_each(|position| before[list.steps[*position]] = bits);
            }
        }
        before
    }

    /// For each list, what may be made beside it.
    fn beside(&self, of_list: &[u64]) -> Vec<u64> {
        let mut beside = vec![0; self.lists.len()];
        for place in &self.places {
            if matches!(place.step.kind, StepKind::Foreach(_)) {
                // An item before this one, or beside it.
                place.lists.iter().for_each(|list| beside[*list] = of_list[*list]);
                continue;
            }
            let mut others = 0;
            for list in &place.lists {
                beside[*list] |= others;
                others |= of_list[*list];
            }
            others = 0;
            for list in place.lists.iter().rev() {
                beside[*list] |= others;
                others |= of_list[*list];
            }
        }
        beside
    }
}
