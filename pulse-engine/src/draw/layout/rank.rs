//! Layers: each node one below the lowest node that leads to it, ways back left aside.

use super::super::picture::Picture;

/// The layer of each node, from 0 at the top.
#[derive(Debug)]
pub(super) struct Ranks {
    pub(super) layer: Vec<usize>,
}

/// Ranks all nodes. A way leads back when it ends at a node from which it was come to, following ways in the order of
/// the document from its first step.
pub(super) fn ranks(picture: &Picture) -> Ranks {
    let count = picture.nodes.len();
    let mut ways: Vec<Vec<usize>> = vec![Vec::new(); count];
    for way in picture.ways.iter().filter(|way| way.from != way.to) {
        ways[way.from].push(way.to);
    }
    for (upper, lower) in &picture.below {
        ways[*upper].push(*lower);
    }
    let finished = depth_first(&ways);
    // In the order in which nodes were left, last first, every way that does not lead back leads onward.
    let mut place = vec![0; count];
    for (position, node) in finished.iter().rev().enumerate() {
        place[*node] = position;
    }
    let mut layer = vec![0; count];
    for &node in finished.iter().rev() {
        for &to in ways[node].iter().filter(|to| place[**to] > place[node]) {
            layer[to] = layer[to].max(layer[node] + 1);
        }
    }
    Ranks { layer }
}

/// All nodes in the order in which a walk leaves them for good. Without recursion: a document may have thousands of
/// steps in a row.
fn depth_first(ways: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; ways.len()];
    let mut finished = Vec::with_capacity(ways.len());
    for start in 0..ways.len() {
        let mut open = Vec::new();
        if !std::mem::replace(&mut seen[start], true) {
            open.push((start, 0));
        }
        while let Some((node, next)) = open.last_mut() {
            match ways[*node].get(*next) {
                Some(&to) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[to], true) {
                        open.push((to, 0));
                    }
                }
                None => {
                    finished.push(*node);
                    open.pop();
                }
            }
        }
    }
    finished
}
