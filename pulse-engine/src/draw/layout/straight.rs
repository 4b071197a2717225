//! Long ways made straight: runs of their bends move to one column, where their neighbours leave room for it.

use super::Layers;
use super::place::room;

/// Passes over all ways: each may make room for another.
const PASSES: usize = 4;
/// How far from a node's corner a way may end, as when routing.
const CORNER: f64 = 10.0;

/// Straightens all ways.
pub(super) fn straighten(layers: &mut Layers) {
    let mut position = vec![0; layers.vertices.len()];
    for row in &layers.rows {
        for (place, vertex) in row.iter().enumerate() {
            position[*vertex] = place;
        }
    }
    let chains: Vec<Vec<usize>> = layers.chains.iter().flatten().map(|(chain, _)| chain.clone()).collect();
    for _ in 0..PASSES {
        for chain in &chains {
            let mut from = 1;
            while from + 1 < chain.len() {
                from = run(layers, &position, chain, from);
            }
        }
    }
}

/// Moves the longest run of bends that begins at `from` to one column. Gives where the next run begins.
fn run(layers: &mut Layers, position: &[usize], chain: &[usize], from: usize) -> usize {
    let last = chain.len() - 1;
    let mut between = free(layers, position, chain[from]);
    let mut to = from + 1;
    while to < last {
        let with = meet(between, free(layers, position, chain[to]));
        if with.0 > with.1 {
            break;
        }
        between = with;
        to += 1;
    }
    // Straight into the nodes at the ends, if that can be; and else near to where the run was.
    let ends = [(from == 1).then(|| chain[0]), (to == last).then(|| chain[last])];
    for node in ends.into_iter().flatten() {
        let node = &layers.vertices[node];
        let reach = (node.size.width / 2.0 - CORNER).max(0.0);
        let with = meet(between, (node.x - reach, node.x + reach));
        if with.0 <= with.1 {
            between = with;
        }
    }
    let run = &chain[from..to];
    let mean = run.iter().map(|vertex| layers.vertices[*vertex].x).sum::<f64>() / run.len() as f64;
    if between.0 <= between.1 {
        for vertex in run {
            layers.vertices[*vertex].x = mean.max(between.0).min(between.1);
        }
    }
    to
}

/// The columns between which a vertex may move while its neighbours stay.
fn free(layers: &Layers, position: &[usize], vertex: usize) -> (f64, f64) {
    let row = &layers.rows[layers.vertices[vertex].layer];
    let place = position[vertex];
    let left = place.checked_sub(1).and_then(|left| row.get(left));
    let right = row.get(place + 1);
    let x = |other: &usize| layers.vertices[*other].x;
    let least = left.map_or(f64::NEG_INFINITY, |left| x(left) + room(layers, *left, vertex));
    let most = right.map_or(f64::INFINITY, |right| x(right) - room(layers, vertex, *right));
    (least, most)
}

fn meet(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.max(b.0), a.1.min(b.1))
}
