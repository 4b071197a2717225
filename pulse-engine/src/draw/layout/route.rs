//! Lines: down from a node, across on a track between two layers, down again.

use super::place::near;
use super::{Layers, Layout, Line, Place, Point, Size};

/// Between a layer and its nearest track, and between two tracks.
const GAP: f64 = 16.0;
const TRACK: f64 = 9.0;
/// Room for an arrow's head between the last track and what it points at.
const HEAD: f64 = 12.0;
/// Columns nearer than this count as one.
const NEAR: f64 = 5.0;
/// How far apart ways leave a node, and how far from its corners.
const PORT: f64 = 18.0;
const CORNER: f64 = 10.0;

/// A piece of a way between two layers.
#[derive(Clone, Debug)]
struct Piece {
    way: usize,
    upper: f64,
    lower: f64,
    track: usize,
}

/// Draws the ways and gives the rows their heights. The first `nodes` vertices are the nodes.
pub(super) fn route(layers: &Layers, nodes: usize) -> Layout {
    let count = layers.rows.len();
    let mut gaps: Vec<Vec<Piece>> = vec![Vec::new(); count];
    for (way, chain) in layers.chains.iter().enumerate() {
        for pair in chain.iter().flat_map(|(chain, _)| chain.windows(2)) {
            let gap = layers.vertices[pair[0]].layer;
            let upper = port(layers, pair[0], pair[1], &layers.below[pair[0]]);
            let lower = port(layers, pair[1], pair[0], &layers.above[pair[1]]);
            gaps[gap].push(Piece { way, upper, lower, track: 0 });
        }
    }
    let tracks: Vec<usize> = gaps.iter_mut().map(|pieces| assign(pieces)).collect();
    // Tops of the rows, and where each gap begins.
    let height = |row: usize| layers.rows[row].iter().map(|v| layers.vertices[*v].size.height).fold(0.0, f64::max);
    let (mut top, mut middles, mut gap_tops) = (0.0, Vec::new(), Vec::new());
    for (row, tracks) in tracks.iter().enumerate() {
        middles.push(top + height(row) / 2.0);
        gap_tops.push(top + height(row));
        if row + 1 < count {
            top += height(row) + GAP + tracks.saturating_sub(1) as f64 * TRACK + HEAD;
        } else {
            top += height(row);
        }
    }
    let place = |vertex: usize| Place {
        x: layers.vertices[vertex].x,
        y: middles[layers.vertices[vertex].layer],
        size: layers.vertices[vertex].size,
    };
    let mut ways: Vec<Option<Line>> = Vec::with_capacity(layers.chains.len());
    for (way, chain) in layers.chains.iter().enumerate() {
        ways.push(chain.as_ref().map(|(chain, back)| {
            let mut points: Vec<Point> = Vec::new();
            for pair in chain.windows(2) {
                let gap = layers.vertices[pair[0]].layer;
                let Some(piece) = gaps[gap].iter().find(|piece| piece.way == way) else { continue };
                let (from, to) = (place(pair[0]), place(pair[1]));
                let track = gap_tops[gap] + GAP / 2.0 + piece.track as f64 * TRACK;
                points.push((piece.upper, from.y + from.size.height / 2.0));
                if (piece.upper - piece.lower).abs() > 1e-9 {
                    points.extend([(piece.upper, track), (piece.lower, track)]);
                }
                points.push((piece.lower, to.y - to.size.height / 2.0));
            }
            if *back {
                points.reverse();
            }
            Line { points: straightened(points), label: layers.labels[way].map(place), back: *back }
        }));
    }
    let right = layers.vertices.iter().map(|v| v.x + v.size.width / 2.0).fold(0.0, f64::max);
    Layout { nodes: (0..nodes).map(place).collect(), ways, size: Size { width: right, height: top } }
}

/// The column in which a way leaves or enters a vertex: on a node's side as near as can be to the way's other end, in
/// the order of the other ends.
fn port(layers: &Layers, vertex: usize, other: usize, joined: &[usize]) -> f64 {
    let node = &layers.vertices[vertex];
    if !node.is_node {
        return node.x;
    }
    let mut others: Vec<usize> = joined.to_vec();
    others.sort_by(|a, b| layers.vertices[*a].x.total_cmp(&layers.vertices[*b].x));
    let reach = (node.size.width / 2.0 - CORNER).max(0.0);
    let last = others.len().saturating_sub(1) as f64;
    let apart = PORT.min(2.0 * reach / last.max(1.0));
    let offsets: Vec<f64> = (0..others.len()).map(|index| index as f64 * apart).collect();
    let wanted: Vec<f64> = others.iter().map(|o| layers.vertices[*o].x.clamp(node.x - reach, node.x + reach)).collect();
    let columns = near(&wanted, &vec![1.0; wanted.len()], &offsets);
    let position = others.iter().position(|o| *o == other).unwrap_or(0);
    let offset = position as f64 * apart;
    let (least, most) = (node.x - reach + offset, node.x + reach - last * apart + offset);
    columns[position].clamp(least.min(most), most.max(least))
}

/// Gives each piece that is not straight a track on which no other runs over its columns. Gives how many there are.
fn assign(pieces: &mut [Piece]) -> usize {
    let mut order: Vec<usize> = (0..pieces.len()).filter(|i| !straight(&pieces[*i])).collect();
    // Ways to the right from right to left, ways to the left from left to right: then fewest cross.
    order.sort_by(|a, b| {
        let (a, b) = (&pieces[*a], &pieces[*b]);
        let rightward = |piece: &Piece| piece.lower > piece.upper;
        let key = |piece: &Piece| if rightward(piece) { -piece.upper } else { piece.upper };
        rightward(a).cmp(&rightward(b)).then(key(a).total_cmp(&key(b)))
    });
    let mut done: Vec<usize> = Vec::new();
    let mut tracks = 0;
    while !order.is_empty() {
        // One that nothing left must stand above of: its lower end is no other's upper end.
        let free = order
            .iter()
            .position(|i| order.iter().all(|j| i == j || (pieces[*i].lower - pieces[*j].upper).abs() >= NEAR));
        let index = order.remove(free.unwrap_or(0));
        let below = |other: &&usize| (pieces[**other].upper - pieces[index].lower).abs() < NEAR;
        let least = done.iter().filter(below).map(|other| pieces[*other].track + 1).max().unwrap_or(0);
        let taken = |track: usize| {
            done.iter().any(|other| pieces[*other].track == track && overlap(&pieces[*other], &pieces[index]))
        };
        let track = (least..).find(|track| !taken(*track)).unwrap_or(least);
        pieces[index].track = track;
        tracks = tracks.max(track + 1);
        done.push(index);
    }
    tracks
}

fn straight(piece: &Piece) -> bool {
    (piece.upper - piece.lower).abs() < 1e-9
}

fn overlap(a: &Piece, b: &Piece) -> bool {
    let ends = |piece: &Piece| (piece.upper.min(piece.lower) - NEAR, piece.upper.max(piece.lower) + NEAR);
    let ((a_left, a_right), (b_left, b_right)) = (ends(a), ends(b));
    a_left < b_right && b_left < a_right
}

/// Without points that lie between two others on a straight line.
fn straightened(points: Vec<Point>) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        if let [.., a, b] = out[..] {
            let same = |a: f64, b: f64, c: f64| (a - b).abs() < 1e-6 && (b - c).abs() < 1e-6;
            if same(a.0, b.0, point.0) || same(a.1, b.1, point.1) {
                out.pop();
            }
        }
        out.push(point);
    }
    out
}
