//! Keeps values of secrets out of what a command prints, however its output is cut into writes.
//!
//! All that must not be seen (see [`forms`]) is one automaton (Aho and Corasick, 1975): after each byte its state says how
//! many of the last bytes could still become something that must not be seen. Only those are held back, until more comes
//! or the stream ends; a stream that goes quiet does not release them, for a secret may be written in two halves with a
//! pause between. What ends with nothing like the beginning of a secret is passed on at once.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use pulse_core::workflow::MASK;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Shortest line of a value with several lines that is masked by itself: shorter ones are braces and the like.
const SHORTEST_LINE: usize = 4;
/// Shortest value that is looked for within Base64 of something longer: of a shorter one too little would be left to go by.
const SHORTEST_WITHIN: usize = 8;
/// Where programs that write Base64 break lines: `base64` and `openssl`.
const LINE_WIDTHS: [usize; 2] = [76, 64];

/// Everything that must not be seen of some values.
#[derive(Debug)]
pub struct Needles {
    nodes: Vec<Node>,
    /// From a node, by a byte, to the next.
    edges: HashMap<(u32, u8), u32>,
    /// The first step of every needle: most bytes are none.
    first: [u32; 256],
}

#[derive(Debug, Clone, Default)]
struct Node {
    depth: u32,
    /// The longest other beginning of a needle that these bytes end with.
    fallback: u32,
    /// The longest whole needle that these bytes end with.
    needle: u32,
}

impl Needles {
    /// Those of some values; none when there is nothing to mask.
    pub fn of(values: &[String]) -> Option<Arc<Self>> {
        let forms: Vec<String> = values.iter().flat_map(|value| forms(value)).collect();
        if forms.is_empty() {
            return None;
        }
        let mut needles = Self { nodes: vec![Node::default()], edges: HashMap::new(), first: [0; 256] };
        for form in &forms {
            needles.add(form.as_bytes());
        }
        needles.link();
        Some(Arc::new(needles))
    }

    fn add(&mut self, needle: &[u8]) {
        let mut at = 0;
        for byte in needle {
            let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let depth = self.nodes[at as usize].depth + 1;
            at = *self.edges.entry((at, *byte)).or_insert(next);
            if at == next {
                self.nodes.push(Node { depth, ..Node::default() });
            }
        }
        self.nodes[at as usize].needle = self.nodes[at as usize].depth;
    }

    /// Finds the fallbacks, the shortest beginnings first.
    fn link(&mut self) {
        let mut edges: Vec<(u32, u8, u32)> = self.edges.iter().map(|((from, byte), to)| (*from, *byte, *to)).collect();
        edges.sort_unstable_by_key(|(from, byte, _)| (self.nodes[*from as usize].depth, *from, *byte));
        for (from, byte, to) in edges {
            if from == 0 {
                self.first[usize::from(byte)] = to;
                continue;
            }
            let fallback = self.step(self.nodes[from as usize].fallback, byte);
            let longest = self.nodes[fallback as usize].needle;
            let node = &mut self.nodes[to as usize];
            node.fallback = fallback;
            node.needle = node.needle.max(longest);
        }
    }

    fn step(&self, mut at: u32, byte: u8) -> u32 {
        while at != 0 {
            if let Some(next) = self.edges.get(&(at, byte)) {
                return *next;
            }
            at = self.nodes[at as usize].fallback;
        }
        self.first[usize::from(byte)]
    }

    /// A whole text with nothing of it to be seen.
    pub fn mask(self: &Arc<Self>, text: &str) -> String {
        let (mut masker, mut out) = (Masker::new(self.clone()), Vec::with_capacity(text.len()));
        masker.push(text.as_bytes(), &mut out);
        masker.finish(&mut out);
        // Whole texts replace whole texts; only a needle that is none could cut a character.
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// In what forms a value must not be seen: as it is, its lines, and in Base64, also of the value with a line break as
/// `echo` gives it, and broken into lines.
fn forms(value: &str) -> Vec<String> {
    let trimmed = value.trim_end_matches(['\r', '\n']);
    // Without white space around it, as shells read words and lines: that is found with white space, too.
    let mut forms = vec![value.to_owned(), value.trim().to_owned()];
    if trimmed.contains('\n') {
        let lines = value.split('\n').map(str::trim);
        forms.extend(lines.filter(|line| line.chars().count() >= SHORTEST_LINE).map(str::to_owned));
        // As some programs and terminals write line breaks.
        forms.push(value.replace("\r\n", "\n").replace('\n', "\r\n"));
    }
    for plain in [value.to_owned(), trimmed.to_owned(), format!("{trimmed}\n")] {
        for encoded in [STANDARD.encode(&plain), URL_SAFE.encode(&plain)] {
            forms.extend(LINE_WIDTHS.iter().filter_map(|width| broken(&encoded, *width)));
            forms.push(encoded.trim_end_matches('=').to_owned());
            forms.push(encoded);
        }
    }
    if trimmed.len() >= SHORTEST_WITHIN {
        forms.extend((0..3).flat_map(|offset| within(trimmed, offset)));
    }
    // Nothing but white space cannot be told from any other, nor would masking it hide anything.
    forms.retain(|form| !form.trim().is_empty());
    if trimmed.trim().is_empty() {
        forms.clear();
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// What every Base64 of a longer text has of a value that stands so many bytes (modulo 3) behind its beginning, as in
/// `user:password`: without the characters at both ends in which there is something else, too.
fn within(value: &str, offset: usize) -> [String; 2] {
    let mut plain = vec![0; offset];
    plain.extend_from_slice(value.as_bytes());
    let (from, to) = ((offset * 8).div_ceil(6), plain.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)].map(|text| text[from..to].to_owned())
}

/// Text broken into lines of so many bytes, if it is longer than one.
fn broken(text: &str, width: usize) -> Option<String> {
    let lines: Vec<&[u8]> = text.as_bytes().chunks(width).collect();
    (lines.len() > 1).then(|| String::from_utf8_lossy(&lines.join(&b'\n')).into_owned())
}

/// Masks one stream.
#[derive(Debug)]
pub struct Masker {
    needles: Arc<Needles>,
    state: u32,
    /// The bytes that the state still knows, and whether each is part of something that was found.
    held: VecDeque<(u8, bool)>,
    /// Whether the last byte that was passed on was covered by a mask.
    masking: bool,
}

impl Masker {
    /// At the beginning of a stream.
    pub fn new(needles: Arc<Needles>) -> Self {
        Self { needles, state: 0, held: VecDeque::new(), masking: false }
    }

    /// Takes what was read and appends what may be seen.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.state = self.needles.step(self.state, *byte);
            let node = &self.needles.nodes[self.state as usize];
            let (depth, needle) = (node.depth as usize, node.needle as usize);
            self.held.push_back((*byte, false));
            let found = self.held.len() - needle;
            self.held.range_mut(found..).for_each(|(_, covered)| *covered = true);
            self.release(depth, out);
        }
    }

    /// The stream has ended.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.release(0, out);
        self.state = 0;
        self.masking = false;
    }

    /// Passes on all but the last bytes. What is covered without a gap becomes one mask.
    fn release(&mut self, keep: usize, out: &mut Vec<u8>) {
        while self.held.len() > keep
            && let Some((byte, covered)) = self.held.pop_front()
        {
            match (covered, self.masking) {
                (false, _) => out.push(byte),
                (true, false) => out.extend_from_slice(MASK.as_bytes()),
                (true, true) => {}
            }
            self.masking = covered;
        }
    }
}

#[cfg(test)]
mod tests;
