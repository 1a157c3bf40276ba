//! The graph as a picture: SVG, for documents.

use super::picture::{Drawing, Picture, Shown, minus, path, short};
use super::{OPERANDS, View};
use crate::graph::escaped;
use crate::tape::Adjoints;
use crate::tape::Tape;
use crate::tape::Var;
use std::fmt;

/// The graph as a picture in SVG, with values, and partials on the edges; after a
/// sweep with adjoints too. Its colours are attributes of its elements, so that any
/// renderer draws them; in a browser it follows the choice of light or dark.
///
/// Behind what is computed on the way to a named node there is an area with its name, which
/// may hold inputs that nothing else uses. Where something else lies there is none.
#[derive(Clone, Debug, Default)]
pub struct Svg {
    groups: Vec<(String, Vec<usize>)>,
}

impl Tape {
    /// The graph as a picture. Where it is cut, the nodes nearest the end are kept, and of
    /// what each of them is made from at most eight nodes before those.
    pub fn svg(&self) -> View<'_, Svg> {
        View::new(self, Svg::default()).limit(300).digits(4)
    }
}

impl Adjoints<'_> {
    /// What leads to the output as a picture.
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn svg(&self) -> View<'_, Svg> {
        self.expect_current();
        View::new(self, Svg::default()).limit(300).digits(4)
    }
}

impl View<'_, Svg> {
    /// Says what some inputs are: the name is written above each of them.
    ///
    /// # Panics
    /// If one of them is a node of another tape.
    #[must_use]
    #[track_caller]
    pub fn group(mut self, name: &str, inputs: &[Var<'_>]) -> Self {
        let inputs = self.subject.leaves(inputs);
        self.format.groups.push((name.to_owned(), inputs));
        self
    }
}

/// The dark theme. The light one is in attributes, which every renderer understands,
/// also one that knows no style sheets or no variables; a rule here is stronger.
const STYLE: &str = "
@media(prefers-color-scheme:dark){.paper{fill:#14171b}.ink{fill:#e9e6df}.area{fill:#1a1e23}
.box{fill:#1d2126;stroke:#6c6a66}.wire{stroke:#6c6a66}.d{fill:#f0986c}.p,.k,.n{fill:#a19d94}}
";

/// A class, and what it looks like in the light theme.
fn look(class: &str) -> String {
    let attributes = match class {
        "paper" => "fill=\"#fdfcf9\"",
        "ink" => {
            "fill=\"#22262b\" text-anchor=\"middle\" \
             font-family=\"'STIX Two Text','Latin Modern Roman',Cambria,Georgia,serif\""
        }
        "area" => "fill=\"#f1eee6\"",
        "box" => "fill=\"#fff\" stroke=\"#a9a59b\" stroke-width=\"1.2\"",
        "wire" => "fill=\"none\" stroke=\"#a9a59b\" stroke-width=\"1.4\"",
        "t" => "font-size=\"15.5\" font-style=\"italic\"",
        "v" => "font-size=\"14.5\"",
        "d" => "font-size=\"14\" fill=\"#a8461c\"",
        "p" => "font-size=\"12.5\" fill=\"#6d6a63\" text-anchor=\"end\"",
        "k" => "font-size=\"12.5\" fill=\"#6d6a63\" text-anchor=\"start\" font-style=\"italic\"",
        _ => "font-size=\"12.5\" fill=\"#6d6a63\"",
    };
    format!("class=\"{class}\" {attributes}")
}

/// A text of a class, at a point.
fn write_text(
    f: &mut fmt::Formatter<'_>,
    class: &str,
    (x, y): (f64, f64),
    text: &str,
) -> fmt::Result {
    let (look, text) = (look(class), escaped(text));
    writeln!(
        f,
        "<text {look} x=\"{}\" y=\"{}\">{text}</text>",
        short(x),
        short(y)
    )
}

/// A rectangle of a class, with round corners.
fn write_rectangle(
    f: &mut fmt::Formatter<'_>,
    class: &str,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
    round: f64,
) -> fmt::Result {
    writeln!(
        f,
        "<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        look(class),
        short(x),
        short(y),
        short(width),
        short(height),
        short(round)
    )
}

/// The space around a drawing.
const MARGIN: f64 = 30.0;

impl fmt::Display for View<'_, Svg> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picture = Picture::new(self, &self.format.groups, OPERANDS);
        let drawing = picture.all();
        let (width, height) = (drawing.plan.width, drawing.plan.height);
        let left_out = self.subject.len.saturating_sub(picture.nodes.len());
        let cut = picture.first > 0;
        let (width, height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN + 8.0);
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" \
             height=\"{1}\" role=\"img\" aria-label=\"A computational graph of {2} nodes\">",
            short(width),
            short(height),
            picture.nodes.len()
        )?;
        writeln!(f, "<style>{STYLE}</style>")?;
        let paper = look("paper");
        writeln!(
            f,
            "<rect {paper} width=\"100%\" height=\"100%\" rx=\"10\"/>"
        )?;
        let (ink, down) = (look("ink"), MARGIN + 8.0);
        writeln!(f, "<g {ink} transform=\"translate({MARGIN} {down})\">")?;
        self.write_regions(f, &picture, &drawing)?;
        self.write_wires(f, &picture, &drawing)?;
        self.write_boxes(f, &picture, &drawing)?;
        if cut {
            let (x, y) = (drawing.plan.width / 2.0, drawing.plan.height + 20.0);
            write_text(f, "n", (x, y), &format!("{left_out} nodes left out"))?;
        }
        writeln!(f, "</g>\n</svg>")
    }
}

impl View<'_, Svg> {
    fn write_regions(
        &self,
        f: &mut fmt::Formatter<'_>,
        picture: &Picture<'_>,
        drawing: &Drawing,
    ) -> fmt::Result {
        for region in picture.regions(drawing) {
            let (x, y) = region.corner;
            write_rectangle(f, "area", region.corner, region.size, 12.0)?;
            write_text(f, "k", (x + 4.0, y - 4.0), &region.name)?;
        }
        Ok(())
    }

    fn write_wires(
        &self,
        f: &mut fmt::Formatter<'_>,
        picture: &Picture<'_>,
        drawing: &Drawing,
    ) -> fmt::Result {
        for points in &drawing.plan.wires {
            writeln!(f, "<path {} d=\"{}\"/>", look("wire"), path(points))?;
        }
        let mut at = (usize::MAX, Vec::new());
        for ((_, _, edge), points) in drawing.wires.iter().zip(&drawing.plan.wires) {
            let Some(edge) = edge.map(|edge| picture.edges[edge]) else {
                continue;
            };
            if at.0 != edge.to {
                at = (edge.to, picture.partials(edge.to));
            }
            let (x, y) = points[points.len() - 1];
            if let Some(partial) = at.1.get(edge.operand) {
                write_text(f, "p", (x - 4.0, y - 3.5), partial)?;
            }
        }
        Ok(())
    }

    fn write_boxes(
        &self,
        f: &mut fmt::Formatter<'_>,
        picture: &Picture<'_>,
        drawing: &Drawing,
    ) -> fmt::Result {
        let corners = drawing.plan.corners.iter().zip(&drawing.sizes);
        for (shown, (&(x, y), &(width, height))) in drawing.boxes.iter().zip(corners) {
            let Shown::Node(node) = *shown else { continue };
            let seen = picture.seen(node);
            let leaf = picture.is_leaf(node);
            let round = if leaf { 22.0 } else { 7.0 };
            write_rectangle(f, "box", (x, y), (width, height), round)?;
            let (x, y) = (x + width / 2.0, y + height / 2.0);
            let adjoint = seen.adjoint.map(|x| format!("∂ {}", self.number(x)));
            let lines = [
                ("t", Some(picture.title(node))),
                ("v", Some(minus(&self.number(seen.node.value + 0.0)))),
                ("d", adjoint.map(|text| minus(&text))),
            ];
            let lines = lines
                .iter()
                .filter_map(|(class, text)| Some((class, text.as_ref()?)));
            let count = lines.clone().count() as f64;
            for (i, (class, text)) in lines.enumerate() {
                let y = y + 4.0 + (i as f64 - (count - 1.0) / 2.0) * 18.0;
                write_text(f, class, (x, y), text)?;
            }
            if let Some(kind) = picture.kind(*shown) {
                write_text(f, "n", (x, y - height / 2.0 - 4.0), kind)?;
            }
        }
        Ok(())
    }
}
