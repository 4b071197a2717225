//! Where everything goes: a layered layout, from top to bottom (after Sugiyama, Tagawa and Toda, 1981).
//!
//! ```text
//! rank    ways that lead back are turned round, then each node is one layer below the lowest that leads to it
//! order   nodes within a layer, so that few ways cross
//! place   columns: near what a node is joined with, never overlapping
//! route   ways as right-angled lines, each horizontal part on a track of its own
//! ```
//!
//! Between two layers of nodes is one of labels: a label takes part in the layout like a node, so it never lies on
//! anything.

mod order;
mod place;
mod rank;
mod route;
mod straight;

use super::picture::Picture;

/// A point in pixels.
pub(super) type Point = (f64, f64);

/// A width and a height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A rectangle by its middle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) size: Size,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Layout {
    /// Of each node.
    pub(super) nodes: Vec<Place>,
    /// Of each way that leads elsewhere.
    pub(super) ways: Vec<Option<Line>>,
    pub(super) size: Size,
}

/// A way.
#[derive(Debug)]
pub(super) struct Line {
    /// Its corners, from where it starts to where its arrow is.
    pub(super) points: Vec<Point>,
    pub(super) label: Option<Place>,
    /// Whether it leads back up.
    pub(super) back: bool,
}

/// A graph that has too many steps for a picture that anybody could read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the workflow has too many steps and ways for a picture")]
pub struct TooLarge;

/// Most vertices of a layout, bends of long ways included: a few hundred steps. Beyond that, nobody could read it.
const MOST: usize = 6_000;

/// Something with a place in a layer: a node, a label, or a bend of a long way.
#[derive(Clone, Debug, Default)]
struct Vertex {
    size: Size,
    layer: usize,
    x: f64,
    is_node: bool,
}

/// Vertices in layers.
#[derive(Debug, Default)]
struct Layers {
    vertices: Vec<Vertex>,
    /// The vertices of each layer, from left to right.
    rows: Vec<Vec<usize>>,
    /// For each vertex, those in the layer above that it is joined with.
    above: Vec<Vec<usize>>,
    /// The same for the layer below.
    below: Vec<Vec<usize>>,
    /// For each way its vertices from top to bottom, and whether that is against its direction.
    chains: Vec<Option<(Vec<usize>, bool)>>,
    /// For each way the vertex of its label.
    labels: Vec<Option<usize>>,
}

impl Layers {
    /// Adds a vertex to a layer.
    fn add(&mut self, size: Size, layer: usize, is_node: bool) -> usize {
        self.vertices.push(Vertex { size, layer, x: 0.0, is_node });
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        if self.rows.len() <= layer {
            self.rows.resize_with(layer + 1, Vec::new);
        }
        self.rows[layer].push(self.vertices.len() - 1);
        self.vertices.len() - 1
    }

    fn join(&mut self, upper: usize, lower: usize) {
        self.below[upper].push(lower);
        self.above[lower].push(upper);
    }
}

/// Lays out a picture whose nodes and labels have these sizes.
pub(super) fn layout(picture: &Picture, nodes: &[Size], labels: &[Size]) -> Result<Layout, TooLarge> {
    let ranks = rank::ranks(picture);
    let mut layers = Layers::default();
    for (size, rank) in nodes.iter().zip(&ranks.layer) {
        layers.add(*size, rank * 2, true);
    }
    for (way, label) in picture.ways.iter().zip(labels) {
        layers.labels.push(None);
        if way.from == way.to {
            layers.chains.push(None);
            continue;
        }
        let back = ranks.layer[way.from] > ranks.layer[way.to];
        let (upper, lower) = if back { (way.to, way.from) } else { (way.from, way.to) };
        let (first, last) = (ranks.layer[upper] * 2, ranks.layer[lower] * 2);
        if layers.vertices.len() + (last - first) > MOST {
            return Err(TooLarge);
        }
        let mut chain = vec![upper];
        // The label stands where the way begins, so that the choices of a step are read side by side.
        let labelled = if back { last - 1 } else { first + 1 };
        for layer in first + 1..last {
            let size = if layer == labelled { *label } else { Size::default() };
            let vertex = layers.add(size, layer, false);
            if layer == labelled && label.width > 0.0 {
                layers.labels.pop();
                layers.labels.push(Some(vertex));
            }
            chain.push(vertex);
        }
        chain.push(lower);
        chain.windows(2).for_each(|pair| layers.join(pair[0], pair[1]));
        layers.chains.push(Some((chain, back)));
    }
    order::order(&mut layers);
    place::place(&mut layers);
    Ok(route::route(&layers, nodes.len()))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{graph, plain};
    use super::*;

    const NODE: Size = Size { width: 100.0, height: 40.0 };
    const LABEL: Size = Size { width: 60.0, height: 16.0 };

    fn apart(a: Place, b: Place) -> bool {
        let x = (a.x - b.x).abs() - (a.size.width + b.size.width) / 2.0;
        let y = (a.y - b.y).abs() - (a.size.height + b.size.height) / 2.0;
        x >= -1e-6 || y >= -1e-6
    }

    /// Whether a right-angled line from a point to another goes through a rectangle.
    fn crosses(from: Point, to: Point, place: Place) -> bool {
        let within = |a: f64, b: f64, middle: f64, size: f64| {
            a.max(b) > middle - size / 2.0 + 0.5 && a.min(b) < middle + size / 2.0 - 0.5
        };
        within(from.0, to.0, place.x, place.size.width) && within(from.1, to.1, place.y, place.size.height)
    }

    fn check(picture: &Picture) -> Layout {
        let labels: Vec<Size> =
            picture.ways.iter().map(|way| if way.labels.is_empty() { Size::default() } else { LABEL }).collect();
        let laid = layout(picture, &vec![NODE; picture.nodes.len()], &labels).unwrap();
        let lines = || laid.ways.iter().flatten();
        let boxes: Vec<Place> = laid.nodes.iter().copied().chain(lines().filter_map(|line| line.label)).collect();
        for (index, a) in boxes.iter().enumerate() {
            assert!(a.x - a.size.width / 2.0 > -1e-6 && a.x + a.size.width / 2.0 < laid.size.width + 1e-6, "{a:?}");
            assert!(a.y - a.size.height / 2.0 > -1e-6 && a.y + a.size.height / 2.0 < laid.size.height + 1e-6, "{a:?}");
            assert!(boxes[index + 1..].iter().all(|b| apart(*a, *b)), "{a:?} lies on another");
        }
        for (way, line) in picture.ways.iter().zip(&laid.ways) {
            let Some(line) = line else { continue };
            for pair in line.points.windows(2) {
                let straight = (pair[0].0 - pair[1].0).abs() < 1e-6 || (pair[0].1 - pair[1].1).abs() < 1e-6;
                assert!(straight, "{:?}", line.points);
                for (index, place) in laid.nodes.iter().enumerate() {
                    assert!(!crosses(pair[0], pair[1], *place), "{way:?} runs through node {index}");
                }
                for label in lines().filter_map(|line| line.label).filter(|label| Some(*label) != line.label) {
                    assert!(!crosses(pair[0], pair[1], label), "{way:?} runs through a label");
                }
            }
        }
        laid
    }

    #[test]
    fn nothing_lies_on_anything() {
        let laid = check(&Picture::of(&plain()));
        assert!(laid.ways.iter().flatten().any(|line| line.back));
        check(&Picture::of(&graph(&[], &[])));
        check(&Picture::of(&graph(&[("a", "a", "wait")], &[("a", "a", "again")])));
    }

    #[test]
    fn nothing_lies_on_anything_in_random_graphs() {
        // Numbers from a linear congruence: the same graphs in every run.
        let mut seed = 7_u64;
        let mut next = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for round in 0..60 {
            let count = 1 + next(14);
            let names: Vec<String> = (0..count).map(|n| format!("s{n}")).collect();
            let nodes: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str(), "execute")).collect();
            let mut edges = Vec::new();
            for _ in 0..next(3 * count) {
                let to = names.get(next(count + 2)).map_or(if round % 2 == 0 { "end" } else { "fail" }, |n| n.as_str());
                edges.push((names[next(count)].as_str(), to, ["", "x"][next(2)]));
            }
            check(&Picture::of(&graph(&nodes, &edges)));
        }
    }

    #[test]
    fn a_picture_that_nobody_could_read_is_refused() {
        let names: Vec<String> = (0..1_000).map(|n| format!("s{n}")).collect();
        let nodes: Vec<_> = names.iter().map(|name| (name.as_str(), "", "execute")).collect();
        let next = names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str(), ""));
        let edges: Vec<_> = next.chain(names.iter().map(|name| (name.as_str(), "fail", "error"))).collect();
        let picture = Picture::of(&graph(&nodes, &edges));
        let sizes = (vec![NODE; picture.nodes.len()], vec![LABEL; picture.ways.len()]);
        assert_eq!(layout(&picture, &sizes.0, &sizes.1).unwrap_err(), TooLarge);
    }
}
