//! The order of things, without sockets: however entries and output arrive, they are shown the same.

use crate::story::Story;
use pulse_cli::follow::{Gap, Item, Timeline};

fn shown(items: &[Item]) -> Vec<String> {
    items
        .iter()
        .map(|item| match item {
            Item::Entry(entry) => format!("{} {}", entry.seq, entry.event.kind()),
            Item::Output(chunk) => chunk.data.trim_end().to_owned(),
        })
        .collect()
}

fn story() -> Story {
    Story::begin()
        .sent(1, "a", 1, "x")
        .output(1, "a", 1, "one")
        .output(1, "a", 1, "two")
        .result(1, "a", 1, 0)
        .sent(2, "a", 2, "y")
        .output(2, "a", 2, "three")
        .result(2, "a", 2, 0)
        .ended("completed", None)
}

const ORDER: [&str; 9] = [
    "1 execution_created",
    "2 command_sent",
    "one",
    "two",
    "3 command_result",
    "4 command_sent",
    "three",
    "5 command_result",
    "6 execution_finished",
];

#[test]
fn every_way_to_mix_the_two_streams_gives_one_order() {
    let story = story();
    let (entries, chunks) = (story.entries.len(), story.output.len());
    // Each bit says which stream the next thing comes from.
    for mix in 0_u32..1 << (entries + chunks) {
        if mix.count_ones() as usize != chunks {
            continue;
        }
        let mut timeline = Timeline::new(true);
        let (mut entry, mut chunk) = (story.entries.iter(), story.output.iter());
        let mut items = Vec::new();
        for bit in 0..entries + chunks {
            if mix >> bit & 1 == 1 {
                items.extend(timeline.output(chunk.next().unwrap().clone()));
            } else {
                items.extend(timeline.entry(entry.next().unwrap().clone()).unwrap());
            }
        }
        assert_eq!(shown(&items), ORDER, "{mix:b}");
        assert_eq!(timeline.blocked(), None);
    }
}

#[test]
fn output_of_commands_side_by_side_stays_between_sent_and_result() {
    let story = Story::begin()
        .sent(1, "a", 1, "x")
        .sent(1, "b", 2, "x")
        .output(1, "a", 1, "1")
        .output(1, "b", 2, "2")
        .output(1, "a", 1, "1")
        .result(1, "b", 2, 0)
        .result(1, "a", 1, 0)
        .ended("completed", None);
    for entries_before in 0..=story.entries.len() {
        let mut timeline = Timeline::new(true);
        let take = |timeline: &mut Timeline, entries: &[pulse_core::event::Entry]| -> Vec<Item> {
            entries.iter().flat_map(|entry| timeline.entry(entry.clone()).unwrap()).collect()
        };
        let mut items = take(&mut timeline, &story.entries[..entries_before]);
        items.extend(story.output.iter().flat_map(|chunk| timeline.output(chunk.clone())));
        items.extend(take(&mut timeline, &story.entries[entries_before..]));
        let shown = shown(&items);
        let at = |what: &str| shown.iter().position(|item| item == what).unwrap();
        let last = |what: &str| shown.iter().rposition(|item| item == what).unwrap();
        assert_eq!(shown.len(), 9, "{shown:?}");
        assert!(at("2 command_sent") < at("1") && last("1") < at("5 command_result"), "{shown:?}");
        assert!(at("3 command_sent") < at("2") && last("2") < at("4 command_result"), "{shown:?}");
    }
}

#[test]
fn doubles_are_dropped_and_gaps_are_told() {
    let story = story();
    let mut timeline = Timeline::new(true);
    assert_eq!(timeline.entry(story.entries[1].clone()), Err(Gap));
    for _ in 0..2 {
        timeline.entry(story.entries[0].clone()).unwrap();
        timeline.entry(story.entries[1].clone()).unwrap();
    }
    assert_eq!(timeline.output(story.output[0].clone()).len(), 1);
    assert_eq!(timeline.output(story.output[0].clone()), []);
    assert_eq!((timeline.seq(), timeline.cursor()), (2, 1));
}

#[test]
fn what_waits_in_vain_is_released() {
    let story = story();
    let mut timeline = Timeline::new(true);
    for entry in &story.entries[..3] {
        timeline.entry(entry.clone()).unwrap();
    }
    assert_eq!(timeline.blocked().unwrap().0, 3);
    assert_eq!(shown(&timeline.release()), ["3 command_result"]);
    assert_eq!(timeline.blocked(), None);
    let mut without = Timeline::new(false);
    let items: Vec<Item> = story.entries.iter().flat_map(|e| without.entry(e.clone()).unwrap()).collect();
    assert_eq!(items.len(), story.entries.len());
}
