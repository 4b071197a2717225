//! SVG: the layout as a picture in the look of the dashboard, a CRT terminal; on paper in black on white.

use super::layout::{Layout, Line, Place, Point, Size, TooLarge, layout};
use super::picture::{Kind, Mood, Node, Picture, Way};
use super::text::{columns, short};
use pulse_core::api::WorkflowGraph;
use std::fmt::Write as _;

/// Sizes of the two fonts and the widths of their characters: monospaced ones are 0.6 em wide.
const NAME: f64 = 14.0;
const SMALL: f64 = 11.0;
const EM: f64 = 0.61;
/// Heights of lines, and room inside a box.
const LINE: f64 = 18.0;
const SMALL_LINE: f64 = 14.0;
const PADDING: f64 = 14.0;
/// Around everything.
const MARGIN: f64 = 28.0;
/// Height of the title.
const TITLE: f64 = 40.0;
/// Most lines of a label; the rest is counted.
const MOST_LINES: usize = 6;

const STYLE: &str = "\
.bg{fill:#0a0a0a}.frame{fill:none;stroke:#007a22}.node rect{fill:#101a12;stroke:#00cc33;stroke-width:1.5}
text{font-family:'Courier New',Consolas,Menlo,monospace;fill:#00ff41}
.title{font-size:16px;font-weight:bold}.name{font-size:14px;font-weight:bold}.small{font-size:11px;fill:#00bb33}
.way{fill:none;stroke:#00cc33;stroke-width:1.3}.head{fill:#00cc33}.label{font-size:11px}.under{fill:#0a0a0a}
.back .way{stroke-dasharray:6 4}.late .way{stroke:#ffb000;stroke-dasharray:2 3}.late .head,.late .label{fill:#ffb000}
.past .way{stroke-dasharray:2 3}
.bad .way{stroke:#ff4444;stroke-dasharray:2 3}.bad .head,.bad .label{fill:#ff4444}
.prompt rect{stroke:#ffb000}.prompt .name{fill:#ffb000}.route rect{stroke:#00ffff}.route .name{fill:#00ffff}
.end rect{stroke-width:3}.fail rect{stroke:#ff4444;stroke-width:3}.fail .name{fill:#ff4444}
@media print{.bg,.under,.node rect{fill:#fff}.frame,.node rect,.node.node rect,.way.way{stroke:#000}
text,text.name.name,text.label.label,text.small{fill:#000}.head.head.head{fill:#000}}";

/// A graph as an SVG document, titled.
///
/// # Errors
/// When there is more than a picture can show; Mermaid and DOT have no such limit.
pub fn svg(graph: &WorkflowGraph, title: &str) -> Result<String, TooLarge> {
    let picture = Picture::of(graph);
    let texts: Vec<Vec<String>> = (0..picture.nodes.len()).map(|index| lines_of(&picture, index)).collect();
    let nodes: Vec<Size> = picture.nodes.iter().zip(&texts).map(|(node, texts)| node_size(node, texts)).collect();
    let labels: Vec<Vec<String>> = picture.ways.iter().map(label_lines).collect();
    let laid = layout(&picture, &nodes, &labels.iter().map(|lines| label_size(lines)).collect::<Vec<_>>())?;
    let title = short(title);
    let width = laid.size.width.max(columns(&title) as f64 * 16.0 * EM) + 2.0 * MARGIN;
    let height = laid.size.height + TITLE + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 \
         {width:.0} {height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n<rect class=\"bg\" \
         width=\"100%\" height=\"100%\"/>\n",
        escaped(&title)
    );
    for (inset, stroke) in [(6.0, 1.0), (10.0, 1.0)] {
        let (w, h) = (width - 2.0 * inset, height - 2.0 * inset);
        let _ = writeln!(
            out,
            "<rect class=\"frame\" x=\"{inset}\" y=\"{inset}\" width=\"{w:.0}\" height=\"{h:.0}\" \
             stroke-width=\"{stroke}\"/>"
        );
    }
    let _ = writeln!(out, "<text class=\"title\" x=\"{MARGIN}\" y=\"{:.0}\">{}</text>", MARGIN + 14.0, escaped(&title));
    let left = (width - laid.size.width) / 2.0;
    let _ = writeln!(out, "<g transform=\"translate({left:.1} {:.1})\">", MARGIN + TITLE);
    ways(&picture, &laid, &labels, &mut out);
    for (index, (node, place)) in picture.nodes.iter().zip(&laid.nodes).enumerate() {
        draw_node(node, &texts[index], *place, &mut out);
    }
    out.push_str("</g>\n</svg>\n");
    Ok(out)
}

/// What stands in a node: its name, then small what it is and where it stands, its condition, and its ways to itself.
fn lines_of(picture: &Picture, index: usize) -> Vec<String> {
    let node = &picture.nodes[index];
    let mut lines = vec![short(&node.name)];
    if let Kind::Step(kind) = &node.kind {
        let id = if node.id == node.name { String::new() } else { format!("{} · ", short(&node.id)) };
        let inside = node.parent.map(|parent| format!(" in {}", short(&picture.nodes[parent].id)));
        lines.push(format!("{id}{}{}", short(kind), inside.unwrap_or_default()));
    }
    lines.extend(node.note.as_ref().map(|note| short(note)));
    for way in picture.ways.iter().filter(|way| way.from == index && way.to == index) {
        let labels: Vec<String> = way.labels.iter().map(|label| short(label)).collect();
        lines.push(format!("↺ {}", labels.join(", ")).trim_end().to_owned());
    }
    lines
}

fn node_size(node: &Node, lines: &[String]) -> Size {
    let name = lines.first().map_or(0, |name| columns(name)) as f64 * NAME * EM;
    let small = lines.iter().skip(1).map(|line| columns(line)).max().unwrap_or(0) as f64 * SMALL * EM;
    let least = if matches!(node.kind, Kind::Step(_)) { 90.0 } else { 60.0 };
    Size {
        width: (name.max(small) + 2.0 * PADDING).max(least),
        height: LINE + (lines.len() - 1) as f64 * SMALL_LINE + PADDING,
    }
}

fn label_lines(way: &Way) -> Vec<String> {
    let mut lines: Vec<String> = way.labels.iter().take(MOST_LINES).map(|label| short(label)).collect();
    if way.labels.len() > MOST_LINES {
        lines.push(format!("and {} more", way.labels.len() - MOST_LINES));
    }
    lines
}

fn label_size(lines: &[String]) -> Size {
    match lines.iter().map(|line| columns(line)).max() {
        None => Size::default(),
        Some(widest) => {
            Size { width: widest as f64 * SMALL * EM + 10.0, height: lines.len() as f64 * SMALL_LINE + 4.0 }
        }
    }
}

fn draw_node(node: &Node, lines: &[String], place: Place, out: &mut String) {
    let class = match &node.kind {
        Kind::End | Kind::Finally => "end",
        Kind::Fail | Kind::OnFailure => "fail",
        Kind::Step(kind) if kind == "prompt" => "prompt",
        Kind::Step(kind) if kind == "route" => "route",
        Kind::Step(_) => "step",
    };
    let Size { width, height } = place.size;
    let round = if matches!(node.kind, Kind::Step(_)) { 0.0 } else { height / 2.0 };
    let _ = write!(
        out,
        "<g class=\"node {class}\"><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" rx=\"{round:.0}\"/>",
        escaped(&node.name),
        place.x - width / 2.0,
        place.y - height / 2.0,
    );
    let mut baseline = place.y - height / 2.0 + PADDING / 2.0 + 13.0;
    for (index, line) in lines.iter().enumerate() {
        let class = if index == 0 { "name" } else { "small" };
        text(class, place.x, baseline, line, out);
        baseline += if index == 0 { LINE - 2.0 } else { SMALL_LINE };
    }
    out.push_str("</g>\n");
}

/// The ways, then their labels, so that no line runs over a text.
fn ways(picture: &Picture, laid: &Layout, labels: &[Vec<String>], out: &mut String) {
    let class = |way: &Way, line: &Line| match way.mood {
        Mood::Bad => "bad",
        Mood::Late => "late",
        Mood::Past => "past",
        Mood::Plain if line.back => "back",
        Mood::Plain => "on",
    };
    for (way, line) in picture.ways.iter().zip(&laid.ways) {
        let Some(line) = line else { continue };
        let _ = writeln!(out, "<g class=\"{}\">{}{}</g>", class(way, line), path(&line.points), head(&line.points));
    }
    for ((way, line), lines) in picture.ways.iter().zip(&laid.ways).zip(labels) {
        let Some((line, label)) = line.as_ref().and_then(|line| Some((line, line.label?))) else { continue };
        let Size { width, height } = label.size;
        let _ = write!(
            out,
            "<g class=\"{}\"><title>{}</title><rect class=\"under\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>",
            class(way, line),
            escaped(&way.labels.join("\n")),
            label.x - width / 2.0,
            label.y - height / 2.0,
        );
        for (index, line) in lines.iter().enumerate() {
            text("label", label.x, label.y - height / 2.0 + 12.0 + index as f64 * SMALL_LINE, line, out);
        }
        out.push_str("</g>\n");
    }
}

fn text(class: &str, x: f64, y: f64, content: &str, out: &mut String) {
    let content = escaped(content);
    let _ = write!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{content}</text>");
}

/// A line with its corners rounded.
fn path(points: &[Point]) -> String {
    let mut d = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        match (index.checked_sub(1).and_then(|before| points.get(before)), points.get(index + 1)) {
            (None, _) => {
                let _ = write!(d, "M{x:.1} {y:.1}");
            }
            (Some(_), None) => {
                let _ = write!(d, "L{x:.1} {y:.1}");
            }
            (Some(before), Some(after)) => {
                let (from, to) = (towards((*x, *y), *before), towards((*x, *y), *after));
                let _ = write!(d, "L{:.1} {:.1}Q{x:.1} {y:.1} {:.1} {:.1}", from.0, from.1, to.0, to.1);
            }
        }
    }
    format!("<path class=\"way\" d=\"{d}\"/>")
}

/// The point on the way from a corner to another point at which the corner's curve begins.
fn towards(corner: Point, other: Point) -> Point {
    let (dx, dy) = (other.0 - corner.0, other.1 - corner.1);
    let length = dx.hypot(dy);
    let radius = (length / 2.0).min(5.0);
    if length < 1e-9 { corner } else { (corner.0 + dx / length * radius, corner.1 + dy / length * radius) }
}

/// An arrow's head at the end of a line, which comes from above or from below.
fn head(points: &[Point]) -> String {
    let [.., (_, before), (x, y)] = points else { return String::new() };
    let back = if before < y { -8.0 } else { 8.0 };
    format!("<path class=\"head\" d=\"M{x:.1} {y:.1}l-4.5 {back}h9z\"/>")
}

/// Text for XML, in elements and attributes. Characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{graph, hostile, plain};
    use super::*;

    #[test]
    fn pictures_show_every_step_and_way() {
        let text = svg(&plain(), "demo").unwrap();
        assert_eq!(text.matches("class=\"node ").count(), 5, "{text}");
        assert_eq!(text.matches("class=\"way\"").count(), 6, "{text}");
        for part in [">Check<", ">check · execute<", ">state.pct &gt; 80<", ">Yes<", ">No<", ">timeout<", ">demo<"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let again = svg(&graph(&[("a", "a", "wait")], &[("a", "a", "retry")]), "").unwrap();
        assert!(again.contains(">↺ retry<"), "{again}");
        assert!(svg(&graph(&[], &[]), "empty").unwrap().contains("viewBox"));
    }

    #[test]
    fn lists_and_conditions_are_shown() {
        let definition = "steps: [{id: a, run: x, condition: state.x > 1}, {id: b, run: x}]\n\
                          on_failure: [{id: c, run: x}]\nfinally: [{id: d, run: x}]\n";
        let graph = crate::graph(&crate::load(definition).workflow.unwrap());
        let text = svg(&graph, "demo").unwrap();
        for part in [">if state.x &gt; 1<", ">or skipped<", ">the steps failed, or were aborted<", ">always, last<"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // What nothing leads to is not at the top.
        let top = |name: &str| {
            let node = text.split(&format!("<title>{name}</title>")).nth(1).unwrap();
            node.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
        };
        assert!(top("b") < top("on_failure") && top("c") < top("finally"), "{text}");
    }

    #[test]
    fn names_stay_text() {
        let text = svg(&hostile(), "</title><script>").unwrap();
        // Every tag is one of ours, and every attribute is closed.
        let tags = text.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap());
        let ours = ["svg", "title", "style", "rect", "text", "g", "path"];
        for tag in tags {
            assert!(ours.contains(&tag.trim_start_matches('/').trim_end_matches('/')), "{tag}");
        }
        for tag in text.split('<').skip(1) {
            assert_eq!(tag.split('>').next().unwrap().matches('"').count() % 2, 0, "{tag}");
        }
        assert!(!text.contains('\u{0}') && !text.contains('\u{b}'));
    }
}
