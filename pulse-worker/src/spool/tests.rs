//! The spool against a simple model: what was printed is one row of bytes; every piece continues it where the one before
//! ended, and every gap skips so many. Through full disks, acknowledgements, crashes with torn ends, and restarts.

use super::*;
use proptest::prelude::*;
use pulse_core::command::Stream;
use std::collections::BTreeMap;

/// What was printed, and what a server got.
struct World {
    dir: tempfile::TempDir,
    spool: Spool,
    printed: Vec<(Stream, u8)>,
    /// By number.
    server: BTreeMap<u64, Piece>,
    acknowledged: u64,
    crashed: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Print { stream: Stream, bytes: usize },
    Deliver { most: usize },
    Acknowledge { back: u64 },
    WriteOut,
    Fill { room: u64 },
    MakeRoom,
}

#[derive(Debug, Clone)]
enum Ending {
    /// It ends in order, and is delivered by this process.
    Closed,
    /// It ends in order, and is delivered by the next one.
    Reopened,
    /// The process dies; the end of what it wrote last is torn.
    Crashed { torn: usize, garbage: bool },
    /// The process dies after the end, before that is in the log.
    CrashedAfterClose,
}

fn step() -> impl Strategy<Value = Step> {
    let stream = prop::sample::select(vec![Stream::Stdout, Stream::Stderr]);
    prop_oneof![
        12 => (stream, 1..700_usize).prop_map(|(stream, bytes)| Step::Print { stream, bytes }),
        4 => (0..3000_usize).prop_map(|most| Step::Deliver { most }),
        3 => (0..5_u64).prop_map(|back| Step::Acknowledge { back }),
        1 => Just(Step::WriteOut),
        1 => (0..2000_u64).prop_map(|room| Step::Fill { room }),
        2 => Just(Step::MakeRoom),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Closed),
        Just(Ending::Reopened),
        (0..60_usize, any::<bool>()).prop_map(|(torn, garbage)| Ending::Crashed { torn, garbage }),
        Just(Ending::CrashedAfterClose),
    ]
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path().join("spool"), 0);
        // Small ones of everything: a thousand bytes stay in memory.
        (spool.part_limit, spool.segment_limit, spool.memory_bytes) = (4096, 512, MOST_IN_MEMORY - 1000);
        Self { dir, spool, printed: Vec::new(), server: BTreeMap::new(), acknowledged: 0, crashed: false }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Print { stream, bytes } => {
                let data: String = (0..bytes)
                    .map(|n| char::from(b'a' + u8::try_from((self.printed.len() + n) % 26).unwrap()))
                    .collect();
                self.printed.extend(data.bytes().map(|byte| (stream, byte)));
                self.spool.append(stream, data);
            }
            Step::Deliver { most } => self.deliver(most),
            Step::Acknowledge { back } => {
                let last = self.server.keys().next_back().copied().unwrap_or(0);
                self.acknowledged = self.acknowledged.max(last.saturating_sub(back));
                self.spool.acknowledge(self.acknowledged);
            }
            Step::WriteOut => self.spool.write_out(),
            Step::Fill { room } => self.spool.room = Some(room),
            Step::MakeRoom => self.spool.room = None,
        }
    }

    /// The server gets what comes after some number that it has.
    fn deliver(&mut self, most: usize) {
        let after = self.acknowledged;
        for (piece, seq) in self.spool.read(after, most).unwrap().into_iter().zip(after + 1..) {
            assert_eq!(piece.seq, seq, "without a gap in the numbers");
            assert!(piece.gap_bytes.is_some() == piece.data.is_empty());
            let known = self.server.entry(piece.seq).or_insert_with(|| piece.clone());
            assert_eq!(*known, piece, "a number is one piece for ever");
        }
    }

    fn deliver_all(&mut self) {
        while self.acknowledged < self.spool.last() {
            self.deliver(1000);
            let last = self.server.keys().next_back().copied().unwrap_or(0);
            assert!(last > self.acknowledged, "{} is never delivered", self.acknowledged + 1);
            self.acknowledged = last;
            self.spool.acknowledge(last);
        }
    }

    fn end(&mut self, ending: &Ending) {
        match *ending {
            Ending::Closed => drop(self.spool.close()),
            Ending::Reopened => {
                let kept = self.spool.close();
                self.restart(&serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap());
            }
            Ending::Crashed { torn, garbage } => {
                self.tear(torn, garbage);
                self.crashed = true;
                let kept = Spool::recover(self.path()).unwrap();
                self.restart(&kept);
            }
            Ending::CrashedAfterClose => {
                self.spool.close();
                self.crashed = true;
                let kept = Spool::recover(self.path()).unwrap();
                self.restart(&kept);
            }
        }
    }

    /// The file that was written to last loses its end, or has something else there.
    fn tear(&self, torn: usize, garbage: bool) {
        let segments = if self.spool.tail.is_empty() { &self.spool.head } else { &self.spool.tail };
        let Some(segment) = segments.back() else { return };
        let mut bytes = fs::read(&segment.path).unwrap();
        let cut = bytes.len().saturating_sub(torn);
        if garbage {
            bytes[cut..].fill(0);
        } else {
            bytes.truncate(cut);
        }
        fs::write(&segment.path, bytes).unwrap();
    }

    fn restart(&mut self, kept: &Kept) {
        self.spool = Spool::reopen(self.path(), kept).unwrap();
        assert!(self.spool.acknowledged() <= self.acknowledged.max(self.spool.last()));
        if self.spool.last() > 0 && self.spool.acknowledged() > self.acknowledged {
            // Only when everything is gone that was ever kept.
            assert_eq!(self.spool.acknowledged(), self.spool.last());
            assert!(self.crashed);
        }
    }

    /// Everything the server has continues what was printed.
    fn check(&self) {
        let mut at = 0;
        let mut held_back = 0;
        for (seq, expected) in self.server.keys().zip(1..) {
            assert_eq!(*seq, expected);
        }
        for piece in self.server.values() {
            match piece.gap_bytes {
                Some(0) => held_back += 1,
                Some(bytes) => at += usize::try_from(bytes).unwrap(),
                None => {
                    for byte in piece.data.bytes() {
                        assert_eq!(self.printed.get(at), Some(&(piece.stream, byte)), "piece {} at {at}", piece.seq);
                        at += 1;
                    }
                }
            }
        }
        assert!(held_back <= 1);
        assert!(at <= self.printed.len());
        if !self.crashed {
            assert_eq!(at, self.printed.len(), "nothing is missing without a gap that says so");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(steps in prop::collection::vec(step(), 0..60), ending in ending()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.end(&ending);
        world.deliver_all();
        world.check();
        // The parts keep to their limits, and the end is there.
        let sizes = fs::read_dir(world.path()).into_iter().flatten().map(|entry| entry.unwrap().metadata().unwrap().len());
        prop_assert!(sizes.sum::<u64>() < 2 * 4096 + 2 * 1024);
        world.spool.remove();
        prop_assert!(!world.path().exists());
    }
}

/// The tail was written to a full disk, and nothing of it is kept: what is missing is told by the next process, too.
#[test]
fn a_tail_of_which_nothing_was_kept_is_a_gap_after_a_restart() {
    let mut world = World::new();
    for bytes in [156, 55, 339, 594, 408, 97, 394, 230, 155, 369] {
        world.step(&Step::Print { stream: Stream::Stdout, bytes });
    }
    world.step(&Step::Deliver { most: 2429 });
    world.step(&Step::Fill { room: 1201 });
    world.step(&Step::Acknowledge { back: 0 });
    for bytes in [580, 604] {
        world.step(&Step::Print { stream: Stream::Stdout, bytes });
    }
    world.step(&Step::Deliver { most: 581 });
    world.step(&Step::Acknowledge { back: 0 });
    world.end(&Ending::Reopened);
    world.deliver_all();
    world.check();
}

#[test]
fn a_flood_has_a_head_a_gap_and_a_tail() {
    let mut world = World::new();
    for _ in 0..200 {
        world.step(&Step::Print { stream: Stream::Stdout, bytes: 300 });
    }
    let before = world.spool.last();
    world.deliver_all();
    let held_back = world.server[&before].clone();
    assert_eq!(held_back.gap_bytes, Some(0), "it is said at once that the rest is held back");
    world.end(&Ending::Reopened);
    world.deliver_all();
    world.check();
    let gaps: Vec<u64> = world.server.values().filter_map(|piece| piece.gap_bytes).collect();
    assert!(gaps.len() == 2 && gaps[1] > 50_000, "{gaps:?}");
    let bytes = |pieces: Vec<&Piece>| pieces.iter().map(|piece| piece.data.len()).sum::<usize>();
    let (head, tail): (Vec<&Piece>, Vec<&Piece>) = world.server.values().partition(|piece| piece.seq < before);
    assert!((3500..=4096).contains(&bytes(head)) && (3000..=4096).contains(&bytes(tail)));
}

#[test]
fn little_output_stays_off_the_disk_and_whole_when_the_disk_is_full() {
    let mut world = World::new();
    world.step(&Step::Print { stream: Stream::Stderr, bytes: 100 });
    assert!(world.spool.is_in_memory());
    world.step(&Step::Fill { room: 10 });
    for _ in 0..60 {
        world.step(&Step::Print { stream: Stream::Stdout, bytes: 500 });
    }
    world.end(&Ending::Reopened);
    assert!(world.spool.is_in_memory());
    world.deliver_all();
    world.check();
    let gaps: Vec<u64> = world.server.values().filter_map(|piece| piece.gap_bytes).collect();
    assert_eq!(gaps, [30_100 - (100 + 500)]);
}

#[test]
fn damage_is_a_gap_and_numbers_go_on() {
    let mut world = World::new();
    world.step(&Step::WriteOut);
    for _ in 0..40 {
        world.step(&Step::Print { stream: Stream::Stdout, bytes: 200 });
        world.step(&Step::WriteOut);
    }
    let kept = world.spool.close();
    let segment = world.spool.head[2].clone();
    fs::write(&segment.path, "not what it was").unwrap();
    let mut spool = Spool::reopen(world.path(), &kept).unwrap();
    let pieces = spool.read(0, usize::MAX).unwrap();
    assert!(pieces.iter().map(|piece| piece.seq).eq(1..=spool.last()));
    let missing: Vec<u64> =
        pieces.iter().filter(|piece| piece.gap_bytes.is_some_and(|bytes| bytes > 0)).map(|piece| piece.seq).collect();
    assert!(missing.starts_with(&(segment.first..segment.next()).collect::<Vec<_>>()), "{missing:?} {segment:?}");
}
