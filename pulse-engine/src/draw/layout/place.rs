//! Columns: every vertex as near as can be to the middle of what it is joined with, in the order of its layer and with
//! room between neighbours.

use super::Layers;
use super::straight::straighten;

/// Rounds of sweeps.
const ROUNDS: usize = 30;
/// Room between neighbours of a layer, and between the lines of two bends.
const ROOM: f64 = 28.0;
const BEND_ROOM: f64 = 18.0;

/// Gives every vertex its column; the leftmost edge of all is at 0.
pub(super) fn place(layers: &mut Layers) {
    for row in 0..layers.rows.len() {
        let wanted = vec![0.0; layers.rows[row].len()];
        settle(layers, row, &wanted, &vec![1.0; wanted.len()]);
    }
    let count = layers.rows.len();
    for round in 0..ROUNDS {
        // At last both sides count, so that neither end of a way is far off.
        let (up, down) = if round + 4 >= ROUNDS { (true, true) } else { (round % 2 == 0, round % 2 == 1) };
        for step in 0..count {
            let row = if up { step } else { count - 1 - step };
            pull(layers, row, up, down);
        }
    }
    straighten(layers);
    let left = layers.vertices.iter().map(|vertex| vertex.x - vertex.size.width / 2.0).fold(f64::INFINITY, f64::min);
    layers.vertices.iter_mut().for_each(|vertex| vertex.x -= left);
}

/// Moves a layer's vertices towards what they are joined with above or below.
fn pull(layers: &mut Layers, row: usize, above: bool, below: bool) {
    let (mut wanted, mut weights) = (Vec::new(), Vec::new());
    for &vertex in &layers.rows[row] {
        let joined = layers.above[vertex].iter().filter(|_| above).chain(layers.below[vertex].iter().filter(|_| below));
        let (mut sum, mut weight) = (0.0, 0.0);
        for &other in joined {
            // Long ways are worth more straight than short ones.
            let bends = [vertex, other].iter().filter(|v| !layers.vertices[**v].is_node).count();
            let worth = [1.0, 2.0, 8.0][bends];
            sum += worth * layers.vertices[other].x;
            weight += worth;
        }
        if weight > 0.0 {
            wanted.push(sum / weight);
            weights.push(weight);
        } else {
            wanted.push(layers.vertices[vertex].x);
            weights.push(0.1);
        }
    }
    settle(layers, row, &wanted, &weights);
}

/// Places a layer as near to the wanted columns as its order and room allow: weighted least squares, solved by pooling
/// neighbours that are in each other's way (isotonic regression).
fn settle(layers: &mut Layers, row: usize, wanted: &[f64], weights: &[f64]) {
    let vertices = &layers.rows[row];
    let mut offsets = Vec::with_capacity(vertices.len());
    let mut offset = 0.0;
    for (index, &vertex) in vertices.iter().enumerate() {
        if index > 0 {
            offset += room(layers, vertices[index - 1], vertex);
        }
        offsets.push(offset);
    }
    let columns = near(wanted, weights, &offsets);
    let moved: Vec<(usize, f64)> = vertices.iter().copied().zip(columns).collect();
    for (vertex, x) in moved {
        layers.vertices[vertex].x = x;
    }
}

/// How far apart the middles of two neighbours must be.
pub(super) fn room(layers: &Layers, left: usize, right: usize) -> f64 {
    let (left, right) = (&layers.vertices[left], &layers.vertices[right]);
    let room = if left.is_node && right.is_node { ROOM } else { BEND_ROOM };
    (left.size.width + right.size.width) / 2.0 + room
}

/// The columns nearest to the wanted ones that are apart at least as far as the offsets are.
pub(super) fn near(wanted: &[f64], weights: &[f64], offsets: &[f64]) -> Vec<f64> {
    // Pools of neighbours: where they are, how heavy, how many.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for ((wanted, weight), offset) in wanted.iter().zip(weights).zip(offsets) {
        let mut pool = (wanted - offset, *weight, 1);
        while let Some(last) = pools.last().filter(|last| last.0 > pool.0) {
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let places = pools.iter().flat_map(|(place, _, count)| std::iter::repeat_n(*place, *count));
    places.zip(offsets).map(|(place, offset)| place + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_what_room_there_is() {
        let offsets = [0.0, 10.0, 20.0];
        assert_eq!(near(&[0.0, 50.0, 90.0], &[1.0; 3], &offsets), [0.0, 50.0, 90.0]);
        assert_eq!(near(&[50.0, 50.0, 50.0], &[1.0; 3], &offsets), [40.0, 50.0, 60.0]);
        assert_eq!(near(&[50.0, 0.0, 100.0], &[1.0, 3.0, 1.0], &offsets), [5.0, 15.0, 100.0]);
    }
}
