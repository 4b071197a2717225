//! The items of a `foreach` that a step stands in: what tells its questions apart.

use pulse_core::event::Event;
use pulse_core::ids::FrameId;
use std::collections::HashMap;

/// An item: what it is called, and its number from 1.
pub type Item = (String, u32);

/// The items that an execution's journal tells of.
#[derive(Debug, Default)]
pub struct Items(HashMap<FrameId, (Option<FrameId>, Option<Item>)>);

impl Items {
    /// Takes note of an event.
    pub fn observe(&mut self, event: &Event) {
        if let Event::FrameStarted { parent, frame_id, name, index, item, .. } = event {
            let item = item.is_some().then(|| (name.clone(), index.saturating_add(1)));
            self.0.insert(*frame_id, (parent.as_ref().map(|at| at.frame), item));
        }
    }

    /// The items around a list of steps, the outermost first.
    pub fn around(&self, frame: FrameId) -> Vec<Item> {
        let (mut items, mut next) = (Vec::new(), Some(frame));
        // Frames are numbered as they begin: one inside another has the larger number.
        while let Some((parent, item)) = next.and_then(|frame| self.0.get(&frame)) {
            items.extend(item.clone());
            next = parent.filter(|parent| next.is_some_and(|frame| *parent < frame));
        }
        items.reverse();
        items
    }
}

/// A step with the items around it by their names: `ask[web-01]`.
pub fn with_names(step: &str, items: &[Item]) -> String {
    items.iter().fold(step.to_owned(), |name, (item, _)| format!("{name}[{item}]"))
}

/// A step with the items around it by their numbers: `ask[#2]`.
pub fn with_numbers(step: &str, items: &[Item]) -> String {
    items.iter().fold(step.to_owned(), |name, (_, number)| format!("{name}[#{number}]"))
}
