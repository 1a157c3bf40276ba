//! The graph as a picture: SVG, for documents.

use super::View;
use super::picture::{Drawing, Picture, Shown, path, short};
use crate::adjoints::Adjoints;
use crate::names::escaped;
use crate::tape::Tape;
use crate::var::Var;
use std::fmt;

/// The graph as a picture in SVG, with values, and partials on the edges; after a
/// sweep with adjoints too. It follows the reader's choice of light or dark.
#[derive(Clone, Debug, Default)]
pub struct Svg {
    groups: Vec<(String, Vec<usize>)>,
}

impl Tape {
    /// The graph as a picture. Where it is cut, the nodes nearest the end are kept.
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

const STYLE: &str = "
svg{--paper:#fdfcf9;--ink:#22262b;--soft:#6d6a63;--line:#a9a59b;--box:#fff;--area:#f1eee6;--back:#a8461c}
@media(prefers-color-scheme:dark){svg{--paper:#14171b;--ink:#e9e6df;--soft:#a19d94;--line:#6c6a66;--box:#1d2126;--area:#1a1e23;--back:#f0986c}}
text{font-family:'STIX Two Text','Latin Modern Roman',Cambria,Georgia,serif;fill:var(--ink);text-anchor:middle}
.paper{fill:var(--paper)}.area{fill:var(--area)}.box{fill:var(--box);stroke:var(--line);stroke-width:1.2}
.wire{fill:none;stroke:var(--line);stroke-width:1.4}.t{font-size:15.5px;font-style:italic}
.v{font-size:14.5px}.d{font-size:14px;fill:var(--back)}.p{font-size:12.5px;fill:var(--soft);text-anchor:end}
.k,.n{font-size:12.5px;fill:var(--soft)}.k{text-anchor:start;font-style:italic}
";

/// The space around a drawing.
const MARGIN: f64 = 30.0;

impl fmt::Display for View<'_, Svg> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picture = Picture::new(self.subject, self.limit, &self.format.groups);
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
        writeln!(
            f,
            "<rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"10\"/>"
        )?;
        writeln!(f, "<g transform=\"translate({MARGIN} {})\">", MARGIN + 8.0)?;
        self.write_regions(f, &picture, &drawing)?;
        self.write_wires(f, &picture, &drawing)?;
        self.write_boxes(f, &picture, &drawing)?;
        if cut {
            let (x, y) = (drawing.plan.width / 2.0, drawing.plan.height + 20.0);
            let (x, y) = (short(x), short(y));
            writeln!(
                f,
                "<text class=\"n\" x=\"{x}\" y=\"{y}\">{left_out} nodes left out</text>"
            )?;
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
            let ((x, y), (width, height)) = (region.corner, region.size);
            let name = escaped(&picture.groups[region.group].name);
            writeln!(
                f,
                "<rect class=\"area\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"12\"/>\
                 <text class=\"k\" x=\"{}\" y=\"{}\">{name}</text>",
                short(x),
                short(y),
                short(width),
                short(height),
                short(x + 4.0),
                short(y - 4.0),
            )?;
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
            writeln!(f, "<path class=\"wire\" d=\"{}\"/>", path(points))?;
        }
        for ((_, _, edge), points) in drawing.wires.iter().zip(&drawing.plan.wires) {
            let Some(edge) = edge.map(|edge| picture.edges[edge]) else {
                continue;
            };
            let partials = picture.seen(edge.to).partials;
            if partials.len() <= 4 {
                let (x, y) = points[points.len() - 1];
                let (x, y) = (short(x - 4.0), short(y - 3.5));
                let partial = minus(&self.number(partials[edge.operand].1));
                writeln!(f, "<text class=\"p\" x=\"{x}\" y=\"{y}\">×{partial}</text>")?;
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
            writeln!(
                f,
                "<rect class=\"box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
                short(x),
                short(y),
                short(width),
                short(height),
                short(round),
            )?;
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
                let (x, y) = (short(x), short(y));
                writeln!(
                    f,
                    "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>",
                    escaped(text)
                )?;
            }
            let group = &picture.groups[picture.group_of[node]];
            if group.given {
                let (x, y) = (short(x), short(y - height / 2.0 - 4.0));
                let name = escaped(&group.name);
                writeln!(f, "<text class=\"n\" x=\"{x}\" y=\"{y}\">{name}</text>")?;
            }
        }
        Ok(())
    }
}

/// A number with a true minus sign.
pub(super) fn minus(number: &str) -> String {
    number.replace('-', "−")
}
