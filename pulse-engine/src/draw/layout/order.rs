//! The order within layers: each vertex moves to the mean position of what it is joined with, layer by layer, down and
//! up; the order with the fewest crossings is kept.

use super::Layers;

/// Rounds of sweeps; more change nothing in graphs of the size that people write.
const ROUNDS: usize = 12;

/// Orders all layers.
pub(super) fn order(layers: &mut Layers) {
    let mut best = layers.rows.clone();
    let mut fewest = crossings(layers);
    for round in 0..ROUNDS {
        if fewest == 0 {
            break;
        }
        let down = round % 2 == 0;
        let count = layers.rows.len();
        for step in 1..count {
            let row = if down { step } else { count - 1 - step };
            sort(layers, row, down);
        }
        let now = crossings(layers);
        if now < fewest {
            fewest = now;
            best = layers.rows.clone();
        }
    }
    layers.rows = best;
}

fn sort(layers: &mut Layers, row: usize, down: bool) {
    let neighbour = if down { row - 1 } else { row + 1 };
    let position = positions(&layers.rows[neighbour], layers.vertices.len());
    let joined = if down { &layers.above } else { &layers.below };
    let mean = |(place, vertex): (usize, &usize)| {
        let places: Vec<f64> = joined[*vertex].iter().map(|other| position[*other] as f64).collect();
        match places.len() {
            0 => place as f64,
            count => places.iter().sum::<f64>() / count as f64,
        }
    };
    let mut keyed: Vec<(f64, usize)> =
        layers.rows[row].iter().enumerate().map(|(place, vertex)| (mean((place, vertex)), *vertex)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layers.rows[row] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
}

fn positions(row: &[usize], vertices: usize) -> Vec<usize> {
    let mut position = vec![0; vertices];
    for (place, vertex) in row.iter().enumerate() {
        position[*vertex] = place;
    }
    position
}

/// How often ways cross between layers: the inversions of their lower ends, taken in the order of their upper ends.
fn crossings(layers: &Layers) -> usize {
    let mut sum = 0;
    for pair in layers.rows.windows(2) {
        let position = positions(&pair[1], layers.vertices.len());
        let mut ends = Vec::new();
        for upper in &pair[0] {
            let mut below: Vec<usize> = layers.below[*upper].iter().map(|lower| position[*lower]).collect();
            below.sort_unstable();
            ends.extend(below);
        }
        sum += inversions(&mut ends);
    }
    sum
}

/// Sorts, and counts how many pairs were out of order.
fn inversions(values: &mut Vec<usize>) -> usize {
    if values.len() < 2 {
        return 0;
    }
    let mut right = values.split_off(values.len() / 2);
    let mut count = inversions(values) + inversions(&mut right);
    let left = std::mem::take(values);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        if a <= b {
            values.extend(left.next());
        } else {
            count += left.len();
            values.extend(right.next());
        }
    }
    values.extend(left);
    values.extend(right);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_are_counted() {
        for (values, count) in [(vec![], 0), (vec![1, 2, 3], 0), (vec![3, 2, 1], 3), (vec![2, 2, 1, 3, 1], 5)] {
            let mut sorted = values.clone();
            assert_eq!(inversions(&mut sorted), count, "{values:?}");
            assert!(sorted.is_sorted());
        }
    }
}
