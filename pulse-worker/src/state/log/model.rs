//! The log against a simple model, through commits that fail, crashes in the middle of a commit, and restarts: what was
//! committed is there, what was refused is not, and a torn batch is there up to where it is torn.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

/// Commands, and the text of their ends.
type State = BTreeMap<u128, Option<String>>;

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Wish>),
    /// The disk takes nothing.
    Fail(Vec<Wish>),
    /// There is room again.
    Recover,
    /// The process dies while it writes: so much of the batch is on the disk.
    Tear(Vec<Wish>, prop::sample::Index),
    Restart,
}

/// What an entry is to be about, as far as there is such a command.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Accept,
    Finish(usize),
    Forget(usize),
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = prop_oneof![
        3 => Just(Wish::Accept),
        3 => (0..8_usize).prop_map(Wish::Finish),
        2 => (0..8_usize).prop_map(Wish::Forget),
    ];
    prop::collection::vec(wish, 1..6)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => wishes().prop_map(Step::Commit),
        2 => wishes().prop_map(Step::Fail),
        2 => Just(Step::Recover),
        2 => (wishes(), any::<prop::sample::Index>()).prop_map(|(wishes, at)| Step::Tear(wishes, at)),
        1 => Just(Step::Restart),
    ]
}

fn id(n: u128) -> CommandId {
    CommandId(Uuid::from_u128(n))
}

struct World {
    dir: tempfile::TempDir,
    log: Log,
    /// What is on the disk, and what the process knows besides.
    disk: State,
    memory: State,
    next: u128,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path()).unwrap();
        Self { dir, log, disk: State::new(), memory: State::new(), next: 0 }
    }

    /// Entries that make sense one after the other.
    fn entries(&mut self, wishes: &[Wish]) -> Vec<Entry> {
        let mut state = self.memory.clone();
        let mut entries = Vec::new();
        for wish in wishes {
            let nth = |state: &State, index: usize, ended: bool| {
                let of_kind: Vec<u128> =
                    state.iter().filter(|(_, end)| end.is_some() == ended).map(|(n, _)| *n).collect();
                (!of_kind.is_empty()).then(|| of_kind[index % of_kind.len()])
            };
            let entry = match *wish {
                Wish::Accept => {
                    self.next += 1;
                    Entry::Accepted { command_id: id(self.next), execution_id: ExecutionId(Uuid::nil()) }
                }
                Wish::Finish(index) => {
                    let Some(n) = nth(&state, index, false) else { continue };
                    let end = Arc::new(CommandEnd::without_process(Outcome::NotStarted, format!("end of {n}")));
                    Entry::Finished { command_id: id(n), end, kept: Arc::default() }
                }
                Wish::Forget(index) => {
                    let Some(n) = nth(&state, index, true) else { continue };
                    Entry::Forgotten { command_id: id(n) }
                }
            };
            apply(&mut state, &entry);
            entries.push(entry);
        }
        entries
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Commit(wishes) => {
                let entries = self.entries(wishes);
                if !entries.is_empty() {
                    self.log.commit(&entries).unwrap();
                    entries.iter().for_each(|entry| apply(&mut self.memory, entry));
                    self.disk = self.memory.clone();
                }
            }
            Step::Fail(wishes) => {
                let entries = self.entries(wishes);
                if entries.is_empty() {
                    return;
                }
                // A file that cannot be written, and a directory in the way of a new one.
                self.log.file = File::open(&self.log.path).unwrap();
                let obstacle = self.dir.path().join("commands.new");
                fs::create_dir(&obstacle).unwrap();
                assert!(self.log.commit(&entries).is_err());
                fs::remove_dir(&obstacle).unwrap();
                for entry in &entries {
                    apply(&mut self.memory, entry);
                }
                // Those are rejected.
                for entry in &entries {
                    if let Entry::Accepted { command_id, .. } = entry {
                        self.memory.remove(&command_id.0.as_u128());
                    }
                }
            }
            Step::Recover => {
                self.log.recover().unwrap();
                self.disk = self.memory.clone();
            }
            Step::Tear(wishes, at) => {
                let (entries, before) = (self.entries(wishes), self.log.size);
                if entries.is_empty() || self.log.broken {
                    return;
                }
                self.log.commit(&entries).unwrap();
                let path = self.dir.path().join("commands.log");
                let written = fs::read(&path).unwrap();
                let from = usize::try_from(before).unwrap();
                let cut = from + at.index(written.len() - from + 1);
                fs::write(&path, &written[..cut]).unwrap();
                self.log = Log::open(self.dir.path()).unwrap();
                let whole = written[from..cut].iter().filter(|byte| **byte == b'\n').count();
                entries[..whole].iter().for_each(|entry| apply(&mut self.disk, entry));
                self.memory = self.disk.clone();
            }
            Step::Restart => {
                self.log = Log::open(self.dir.path()).unwrap();
                self.memory = self.disk.clone();
            }
        }
    }

    fn check(&self) {
        let mut found = State::new();
        for command_id in self.log.unfinished() {
            found.insert(command_id.0.as_u128(), None);
        }
        for result in self.log.results() {
            found.insert(result.command_id.0.as_u128(), result.end.error.clone());
        }
        assert_eq!(found, self.memory);
    }
}

fn apply(state: &mut State, entry: &Entry) {
    match entry {
        Entry::Accepted { command_id, .. } => drop(state.insert(command_id.0.as_u128(), None)),
        Entry::Finished { command_id, end, .. } => {
            if let Some(known) = state.get_mut(&command_id.0.as_u128()) {
                known.clone_from(&end.error);
            }
        }
        Entry::Forgotten { command_id } => drop(state.remove(&command_id.0.as_u128())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_was_committed_is_there_and_what_was_refused_is_not(steps in prop::collection::vec(step(), 0..25)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            world.check();
        }
        world.step(&Step::Restart);
        world.check();
    }
}
